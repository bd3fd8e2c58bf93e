package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/clock"
	"akashi/signing"
)

// maxInput bounds a file to be verified.
const maxInput = 10 << 20

// statusRank orders exit statuses from best to worst (design 3.9).
var statusRank = []int{0, 3, 2, 1}

func verifyCommand(parts Adapters) *cobra.Command {
	var trustDir, trustKey, at, rulesDir, destination, departure, language string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "verify [--trust DIR] [--at TIME] [--rules DIR --to CC] [--departure DATE] [--lang ja|en|fr] [--json] FILE…",
		Short: "Verify certificates offline: card files, texts and pictures of codes (- is standard input)",
		Long: "Verify certificates offline with the keys of a trust directory; without --trust, with what this installation publishes.\n" +
			"Exit status: 0 valid, 1 not valid, 2 unreadable, 3 undecided (unknown issuer or revocation), 64 usage; of several inputs the worst.\n" +
			"With --rules and --to, the business rules of the destination count for EU certificates: 1 when one fails, 3 when one cannot be evaluated.\n" +
			"With --departure, WHO's recommendation for residents of States with polio counts for yellow cards against polio: a dose 4 weeks to 12 months\n" +
			"before that day; 3 when it is nearer and so enough only for urgent travel. One dose of a person is enough, whichever input has it.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("verify needs a file, or - for standard input")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			languages, err := spoken(language)
			if err != nil {
				return err
			}
			when, err := checkTime(at)
			if err != nil {
				return err
			}
			departs := clock.Date(departure)
			if _, err := clock.ParseDate(departure); departs != "" && (err != nil || !departs.Full()) {
				return usageError{errors.New("--departure takes a date such as 2026-11-21")}
			}
			return withBundle(cmd, parts, trustDir, trustKey, func(bundle *trust.Bundle) error {
				rules, err := businessRules(rulesDir, destination)
				if err != nil {
					return err
				}
				worst := 0
				var names []string
				var verdicts []verify.Verdict
				for _, name := range args {
					content, err := readInput(name, cmd.InOrStdin())
					if err != nil {
						_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "akashi: %v\n", err)
						worst = worse(worst, 2)
						continue
					}
					for _, v := range verify.File(filepath.Base(name), content, bundle, when) {
						names, verdicts = append(names, name), append(verdicts, v)
					}
				}
				journeys := make([]verify.Facet, len(verdicts))
				if departs != "" {
					journeys = verify.Departure(verdicts, departs)
				}
				for i, v := range verdicts {
					results := v.Rules(rules, destination, when, language, "ja", "en")
					worst = worse(worse(worse(worst, v.ExitCode()), rulesStatus(results)), departureStatus(journeys[i]))
					if err := show(cmd.OutOrStdout(), names[i], v, results, journeys[i], languages, asJSON); err != nil {
						return err
					}
				}
				if worst != 0 {
					return ExitError{worst}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&trustDir, "trust", "", "trust directory (manifest.json, jwks.json, csca, dsc, crl), or a bundle in one file (.zip)")
	cmd.Flags().StringVar(&trustKey, "trust-key", "", "public key (name+hash+key) that must have signed the trust directory; default the one pinned at its first use, if it is signed")
	cmd.Flags().StringVar(&at, "at", "", "time of checking, RFC 3339; default now")
	cmd.Flags().StringVar(&rulesDir, "rules", "", "directory with business rules of EU certificates (JSON, one a file)")
	cmd.Flags().StringVar(&destination, "to", "", "country whose rules count, two letters")
	cmd.Flags().StringVar(&departure, "departure", "", "day on which a journey begins, YYYY-MM-DD, for yellow cards against polio")
	cmd.Flags().StringVar(&language, "lang", "", "language of the sentences: ja, en or fr; default English and Japanese")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object per certificate")
	return cmd
}

func worse(a, b int) int {
	if slices.Index(statusRank, b) > slices.Index(statusRank, a) {
		return b
	}
	return a
}

func readInput(name string, stdin io.Reader) ([]byte, error) {
	in := stdin
	if name != "-" {
		f, err := os.Open(name)
		if err != nil {
			return nil, err
		}
		defer func() { _ = f.Close() }()
		in = f
	}
	content, err := io.ReadAll(io.LimitReader(in, maxInput+1))
	if err == nil && len(content) > maxInput {
		err = fmt.Errorf("%s: larger than %d MB", name, maxInput>>20)
	}
	return content, err
}

// withBundle runs with a trust directory, or with what this installation publishes, which
// also knows what was issued a moment ago; where there is nothing, every issuer is unknown.
func withBundle(cmd *cobra.Command, parts Adapters, dir, key string, run func(*trust.Bundle) error) error {
	if dir != "" {
		b, report, _, err := readTrust(dir, key, cmd.ErrOrStderr())
		if err != nil {
			return usageError{fmt.Errorf("trust directory: %w", err)} // says nothing about the certificate
		}
		if len(report) > 0 {
			_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "akashi: trust directory: %v\n", report)
		}
		return run(b)
	}
	c, err := LoadConfig(parts.Environ)
	if err != nil {
		return usageError{err}
	}
	if _, err := os.Stat(filepath.Join(c.Data, "keys", signing.TestKeysFile)); errors.Is(err, fs.ErrNotExist) {
		return run(&trust.Bundle{})
	}
	return withApp(cmd, parts, func(ctx context.Context, app *App) error {
		b, err := app.Trust(ctx)
		if err != nil {
			return err
		}
		return run(b)
	})
}

// spoken are the languages to explain in.
func spoken(language string) ([]string, error) {
	switch {
	case language == "":
		return []string{"en", "ja"}, nil
	case slices.Contains(verify.Languages, language):
		return []string{language}, nil
	}
	return nil, usageError{errors.New("--lang takes ja, en or fr")}
}

// words are those of a verdict beside its sentences, by language.
var words = map[string]struct {
	outcome                    map[verify.Outcome]string
	test, from, compare, since string
}{
	"ja": {map[verify.Outcome]string{verify.Valid: "有効", verify.NotValid: "無効", verify.Unreadable: "読取不可", verify.Undecided: "判定不能"},
		"試験用", "有効期間 %s から: %s", "氏名と生年月日を本人確認書類と照合してください。", "リストの日時 %s、%s前"},
	"en": {map[verify.Outcome]string{verify.Valid: "VALID", verify.NotValid: "NOT VALID", verify.Unreadable: "UNREADABLE", verify.Undecided: "UNDECIDED"},
		"TEST: proves nothing about anybody", "valid from %s until: %s", "Compare name and date of birth with an identity document.", "list of %s, %s old"},
	"fr": {map[verify.Outcome]string{verify.Valid: "VALABLE", verify.NotValid: "NON VALABLE", verify.Unreadable: "ILLISIBLE", verify.Undecided: "INDÉTERMINÉ"},
		"TEST\u00a0: ne prouve rien sur personne", "valable du %s jusqu’au\u00a0: %s", "Comparez le nom et la date de naissance avec une pièce d’identité.", "liste du %s, date de %s"},
}

// each joins what is said in several languages.
func each(languages []string, separator string, say func(language string) string) string {
	var out []string
	for _, l := range languages {
		out = append(out, say(l))
	}
	return strings.Join(out, separator)
}

// departureStatus is the exit status of what --departure asks alone.
func departureStatus(f verify.Facet) int {
	return map[verify.Result]int{verify.Failed: 1, verify.Unknown: 3}[f.Result]
}

func show(out io.Writer, name string, v verify.Verdict, rules []verify.RuleResult, journey verify.Facet, languages []string, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(struct {
			File string `json:"file"`
			verify.Verdict
			Rules     []verify.RuleResult `json:"rules,omitempty"`
			Departure verify.Facet        `json:"departure,omitzero"`
		}{name, v, rules, journey})
	}
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	test := ""
	if v.Test {
		test = "   " + each(languages, " / ", func(l string) string { return words[l].test })
	}
	p("%s: %s%s", name, each(languages, " ", func(l string) string { return words[l].outcome[v.Outcome] }), test)
	if h := v.Holder; h != nil {
		p("  %s  %s  %s", strings.Join(clean(h.Names), " / "), clean1(h.BirthDate), clean1(h.DocumentNumber))
		for _, d := range h.Doses {
			p("  %s  %s %s  lot %s", clean1(d.Date), clean1(d.Code), clean1(d.Product), clean1(d.Lot))
			if d.ValidFrom != "" {
				p("  %s", each(languages, " / ", func(l string) string { return fmt.Sprintf(words[l].from, d.ValidFrom, d.ValidUntil) }))
			}
		}
		p("  %s", each(languages, " ", func(l string) string { return words[l].compare }))
	}
	facets := v.Facets
	if journey.Name != "" {
		facets = append(slices.Clone(facets), journey)
	}
	for _, f := range facets {
		p("  %-10s %-14s %s", f.Name, f.Result, each(languages, " / ", f.Sentence))
		if age, err := time.ParseDuration(f.Detail["list_age"]); err == nil && f.Detail["list_made_at"] != "" {
			p("  %-10s %-14s %s", "", "", each(languages, " / ", func(l string) string {
				return fmt.Sprintf(words[l].since, f.Detail["list_made_at"], verify.Age(age, l))
			}))
		}
		if f.Result != verify.OK && f.Code != verify.NotChecked && !f.Settled() {
			p("  %-10s %-14s → %s", "", "", each(languages, " / ", f.Next))
		}
	}
	for _, r := range rules {
		p("  rule %s  %-7s %s", clean1(r.Identifier), r.Result, clean1(r.Description))
	}
	return nil
}

func clean(list []string) []string {
	out := make([]string, len(list))
	for i, s := range list {
		out[i] = clean1(s)
	}
	return out
}

// clean1 keeps a hostile text from steering the terminal.
func clean1(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 || r >= 0x202a && r <= 0x202e || r >= 0x2066 && r <= 0x2069 {
			return '\ufffd'
		}
		return r
	}, s)
}
