package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/trust"
	"akashi/passport"
	"akashi/passport/chip"
)

func passportCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{Use: "passport", Short: "Check travel documents", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	group.AddCommand(chipCommand(parts))
	return group
}

// chipFiles are the files that were read at a counter, by name.
type chipFiles struct {
	sod, dg1, zone string
	groups         []string // N=FILE
}

func chipCommand(parts Adapters) *cobra.Command {
	var files chipFiles
	var trustDir, trustKey, at string
	var asJSON, personal bool
	cmd := &cobra.Command{
		Use:   "chip --sod FILE --dg1 FILE [--group N=FILE…] [--zone FILE] [--trust DIR] [--at TIME] [--json] [--show]",
		Short: "Check what was read from a passport's chip (passive authentication), offline",
		Long: "Check EF.SOD and DG1 of a passport's chip with the country authorities of a trust directory.\n" +
			"Another group, such as the face (2), is hashed as it is read and never kept. --zone compares DG1 with the machine readable zone that was typed.\n" +
			"The holder is named only with --show. Exit status: 0 valid, 1 not valid, 2 unreadable, 3 undecided, 64 usage.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			when, err := checkTime(at)
			if err != nil {
				return err
			}
			return withBundle(cmd, parts, trustDir, trustKey, func(bundle *trust.Bundle) error {
				in, err := files.read(cmd.InOrStdin())
				var usage usageError
				switch {
				case errors.As(err, &usage):
					return err
				case err != nil:
					_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "akashi: %v\n", err)
					return ExitError{2}
				}
				v := chip.Check(in, bundle, when)
				if !personal {
					v = withoutHolder(v)
				}
				if err := showChip(cmd.OutOrStdout(), v, asJSON); err != nil {
					return err
				}
				if status := v.ExitCode(); status != 0 {
					return ExitError{status}
				}
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&trustKey, "trust-key", "", "public key (name+hash+key) that must have signed the trust directory; default the one pinned at its first use, if it is signed")
	cmd.Flags().StringVar(&files.sod, "sod", "", "EF.SOD")
	cmd.Flags().StringVar(&files.dg1, "dg1", "", "EF.DG1")
	cmd.Flags().StringArrayVar(&files.groups, "group", nil, "another data group that was read, as N=FILE")
	cmd.Flags().StringVar(&files.zone, "zone", "", "file with the zone of the data page; - is standard input")
	cmd.Flags().StringVar(&trustDir, "trust", "", "trust directory with the country authorities (csca) and their lists (crl)")
	cmd.Flags().StringVar(&at, "at", "", "time of checking, RFC 3339; default now")
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object")
	cmd.Flags().BoolVar(&personal, "show", false, "also show the zone, which is personal")
	return cmd
}

// checkTime reads a time of checking; empty is now.
func checkTime(at string) (time.Time, error) {
	if at == "" {
		return time.Now().UTC(), nil
	}
	when, err := time.Parse(time.RFC3339, at)
	if err != nil {
		return when, usageError{errors.New("--at takes a time such as 2026-11-21T09:00:00Z")}
	}
	return when, nil
}

func (f chipFiles) read(stdin io.Reader) (in chip.Input, err error) {
	if f.sod == "" {
		return in, usageError{errors.New("passport chip needs --sod FILE")}
	}
	if in.SOD, err = readInput(f.sod, stdin); err != nil {
		return in, err
	}
	if f.dg1 != "" {
		if in.DG1, err = readInput(f.dg1, stdin); err != nil {
			return in, err
		}
	}
	if f.zone != "" {
		text, err := readInput(f.zone, stdin)
		if err != nil {
			return in, err
		}
		in.Zone = string(text)
	}
	in.Other = map[int][]byte{}
	for _, g := range f.groups {
		number, name, ok := strings.Cut(g, "=")
		n, err := strconv.Atoi(number)
		if !ok || err != nil || n < 2 {
			return in, usageError{errors.New("--group takes a number above 1 and a file, such as 2=EF_DG2.bin")}
		}
		if in.Other[n], err = hashFile(in.SOD, name); err != nil {
			return in, err
		}
	}
	return in, nil
}

// hashFile hashes a data group without holding it. Where EF.SOD cannot be read, that is the verdict.
func hashFile(sod []byte, name string) ([]byte, error) {
	h, err := chip.NewHash(sod)
	if err != nil {
		return nil, nil
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	if n, err := io.Copy(h, io.LimitReader(file, maxInput+1)); err != nil || n > maxInput {
		return nil, errors.Join(err, fmt.Errorf("%s: larger than %d MB, or not readable", name, maxInput>>20))
	}
	return h.Sum(nil), nil
}

// withoutHolder leaves of a verdict what says nothing about a person.
func withoutHolder(v chip.Verdict) chip.Verdict {
	v.Reading, v.Differences = nil, slices.Clone(v.Differences)
	for i, f := range v.Differences {
		v.Differences[i] = passport.Finding{Code: f.Code, Field: f.Field, Severity: f.Severity}
	}
	return v
}

var chipWords = map[chip.Outcome]string{
	chip.Valid: "VALID 有効", chip.NotValid: "NOT VALID 無効", chip.Unreadable: "UNREADABLE 読取不可", chip.Undecided: "UNDECIDED 判定不能",
}

func showChip(out io.Writer, v chip.Verdict, asJSON bool) error {
	if asJSON {
		return json.NewEncoder(out).Encode(v)
	}
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	test := ""
	if v.Test {
		test = "   TEST: proves nothing about anybody / 試験用"
	}
	p("chip of %s: %s%s", clean1(v.Issuer), chipWords[v.Outcome], test)
	if v.Reading != nil {
		for _, line := range v.Reading.Lines {
			p("  %s", clean1(line))
		}
	}
	for _, f := range v.Facets {
		ja, en, _ := chip.Sentence(f.Code)
		p("  %-10s %-14s %s / %s", f.Name, f.Result, en, ja)
	}
	for _, d := range v.Differences {
		p("  differs: %s  %s  %s", d.Field, clean1(d.Read), clean1(d.Expected))
	}
	for _, n := range v.Notes {
		ja, en, _ := chip.Sentence(n)
		p("  note: %s / %s", en, ja)
	}
	p("  It does not show that the chip is the original, nor that its bearer is the holder. チップの複製でないこと、本人であることは示しません。")
	return nil
}
