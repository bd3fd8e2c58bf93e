package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/mod/sumdb/note"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/watch"
	"akashi/signing"
)

func auditLeakCommand(parts Adapters) *cobra.Command {
	var asked watch.Leak
	var from, to, key string
	var asJSON bool
	cmd := &cobra.Command{
		Use: "leak --office CODE [--staff ACCOUNT] [--terminal T] [--from TIME] [--to TIME]", Args: noArgs,
		Short: "Report whose data suspected acts touched, by internal keys",
		Long: "Read the log of an office and report whose data was touched by an account, at a terminal, in a time; which data; and how far that is proven.\n" +
			"That it was asked is logged before anything is told. TIME is a date of Japan, which --to includes, or RFC 3339. See docs/playbooks/leak.md.\n" +
			"ACCOUNT is a sign-in name or an internal key. Exit status: 0 all entries of that time were read, 4 some are gone, removed after their years\n" +
			"or missing, so that there may be more than is reported; 64 usage, and an office, account or terminal that nobody knows.",
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if err := office.CheckCode(asked.Office); err != nil {
				return usageError{errors.New("audit leak needs --office with the code of a municipality")}
			}
			if asked.From, err = leakTime(from, 0); err != nil {
				return usageError{err}
			}
			if asked.To, err = leakTime(to, 1); err != nil {
				return usageError{err}
			}
			if !asked.To.IsZero() && !asked.From.Before(asked.To) {
				return usageError{errors.New("--from is not before --to")}
			}
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			pinned, err := pinnedKey(key, filepath.Join(c.Data, "keys", string(signing.OperationLog)+".pub"))
			if err != nil {
				return usageError{err}
			}
			var report watch.LeakReport
			err = withProof(cmd.Context(), parts, c, func(s Proof) error {
				report, err = trace(cmd.Context(), s, pinned, &asked)
				return err
			})
			if err == nil {
				err = logLeak(cmd, parts, asked, report)
			}
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(cmd.OutOrStdout()).Encode(report)
			} else {
				showLeak(cmd.OutOrStdout(), report)
			}
			if err == nil && !report.Complete() {
				err = ExitError{reportStatus[tree.Part]}
			}
			return err
		},
	}
	cmd.Flags().StringVar(&asked.Office, "office", "", "municipality code")
	cmd.Flags().StringVar(&asked.Staff, "staff", "", "sign-in name or internal key of an account; default all")
	cmd.Flags().StringVar(&asked.Terminal, "terminal", "", "terminal as the log names it; default all")
	cmd.Flags().StringVar(&from, "from", "", "first time; default all")
	cmd.Flags().StringVar(&to, "to", "", "last time; default all")
	cmd.Flags().StringVar(&key, "key", "", "file with the public key of the log; default the one in the data directory")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	return cmd
}

// trace refuses what nobody knows: neither the office's lists nor its log.
func trace(ctx context.Context, s Proof, key note.Verifier, asked *watch.Leak) (watch.LeakReport, error) {
	var none watch.LeakReport
	if _, err := s.Office(ctx, asked.Office); err != nil {
		return none, unknownTo(err, fmt.Errorf("there is no office %s", asked.Office))
	}
	account, err := s.StaffByUser(ctx, asked.Office, asked.Staff)
	if err == nil {
		asked.Staff = account.ID
	} else if fault.CodeOf(err) == fault.NotFound {
		_, err = s.Staff(ctx, asked.Office, asked.Staff)
	}
	listed := err == nil
	if err != nil && fault.CodeOf(err) != fault.NotFound {
		return none, err
	}
	terminals, err := s.Terminals(ctx, asked.Office)
	if err != nil {
		return none, err
	}
	report, err := watch.Trace(ctx, s, key, *asked)
	switch {
	case err != nil:
		return none, err
	case asked.Staff != "" && !listed && !report.MetStaff:
		return none, usageError{errors.New("neither the office nor its log knows the account of --staff")}
	case asked.Terminal != "" && !report.MetTerminal && !slices.ContainsFunc(terminals, func(t office.Terminal) bool { return t.ID == asked.Terminal }):
		return none, usageError{errors.New("neither the office nor its log knows the terminal of --terminal")}
	}
	return report, nil
}

// unknownTo says in words that something is not there.
func unknownTo(err, words error) error {
	if fault.CodeOf(err) == fault.NotFound {
		return usageError{words}
	}
	return err
}

// logLeak logs the look before its answer (S-083, S-088): account and terminal as
// far as the log knows them, so that what somebody types by mistake stays out.
func logLeak(cmd *cobra.Command, parts Adapters, asked watch.Leak, r watch.LeakReport) error {
	e := audit.Entry{Action: "log.trace"}
	e.Fact("acts", strconv.Itoa(r.Acts+r.Refused))
	e.Fact("persons", strconv.Itoa(len(r.Persons)))
	e.Fact("gone", strconv.Itoa(r.Gone))
	if asked.Staff != "" && r.Acts+r.Refused > 0 {
		e.Fact("staff", asked.Staff)
	}
	if asked.Terminal != "" && r.Acts+r.Refused > 0 {
		e.Fact("terminal", asked.Terminal)
	}
	return withApp(cmd, parts, func(ctx context.Context, app *App) error {
		return app.Log.Act(ctx, job("audit", asked.Office), e, func(context.Context, *audit.Entry) error { return nil })
	})
}

// leakTime reads a time; a date is the beginning of so many days later.
func leakTime(text string, days int) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if d, err := clock.ParseDate(text); err == nil && d.Full() {
		return d.AddDays(days).Begins().UTC(), nil
	}
	t, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return t, fmt.Errorf("%q is no time: write 2006-01-02 or 2006-01-02T15:04:05+09:00", clean1(text))
	}
	return t.UTC(), nil
}

// leakData names the classes of data in both languages.
var leakData = map[string]string{
	"identity": "氏名・生年月日 identity", "passport": "旅券 passport", "vaccination": "接種記録 vaccination", "certificate": "証明書の写し copy of the certificate",
	"individual_number": "個人番号 individual number", "staff": "職員 staff", "unknown": "不明 unknown",
}

func showLeak(out io.Writer, r watch.LeakReport) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	at := func(t time.Time) string { return t.UTC().Format(time.RFC3339) }
	p("影響を受けた人 affected persons: %d", len(r.Persons))
	if !r.Complete() {
		p("不完全 NOT COMPLETE: %d entries of the office that may be of this time cannot be read: removed after their years, or missing (akashi audit verify tells). / この期間の可能性がある%d件の記録が読めません（保存期間後の削除または欠落）。",
			r.Gone, r.Gone)
	}
	p("  %d acts were done and %d refused. / 行われた操作 %d件、拒否された操作 %d件。", r.Acts, r.Refused, r.Acts, r.Refused)
	if r.Acts > 0 {
		p("  first %s, last %s / 最初と最後", at(r.First), at(r.Last))
	}
	list := func(title string, all []watch.Touched) {
		if len(all) == 0 {
			return
		}
		p("%s: %d", title, len(all))
		for _, x := range all {
			words := make([]string, len(x.Data))
			for i, d := range x.Data {
				words[i] = leakData[d]
			}
			p("  %s  %d  %s  %s  %s  %s", clean1(x.Key), x.Acts, at(x.First), at(x.Last), strings.Join(words, ", "), strings.Join(x.Certificates, " "))
		}
	}
	list("人 persons (key, acts, first, last, data, certificates)", r.Persons)
	list("記録から人が分からないもの of whom the log names nobody", r.Unidentified)
	list("アカウント accounts", r.Accounts)
	list("端末 terminals", r.Terminals)
	p("証明書 certificates: %d", len(r.Certificates))
	if len(r.Bulk) > 0 {
		p("一括の操作（対象者は一人ずつ記録されません） acts on many people, whom the log does not name one by one: %d", len(r.Bulk))
		for _, b := range r.Bulk {
			p("  %s  %s  %s  %s", at(b.At), clean1(b.Action), clean1(b.Object), clean1(b.Staff))
		}
	}
	if r.Proof.Size == 0 {
		p("証明 proof: 有効な検査点がありません。 There is no valid checkpoint.")
		return
	}
	p("証明 proof: checkpoint of %s, %d entries, root %s", at(r.Proof.At), r.Proof.Size, r.Proof.Root)
	p("  %d entries of this report stand under it, %d do not yet; akashi audit verify proves it. / この報告の%d件が検査点の範囲内、%d件はまだ範囲外です。",
		r.Proof.Covered, r.Proof.NotYet, r.Proof.Covered, r.Proof.NotYet)
}
