package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/trust"
)

func trustCommand(parts Adapters) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "trust --out DIR", Short: "Write the trust directory of this installation: what verifiers need", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("trust needs --out DIR")}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				b, err := app.Trust(ctx)
				if err != nil {
					return err
				}
				return b.Write(out)
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "directory to write to")
	cmd.AddCommand(trustImportCommand(), trustShowCommand())
	return cmd
}

// trustImportCommand makes a new trust directory of a published list. It never takes the
// place of one in use by itself: whoever answers for it looks at the report first.
func trustImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import", Short: "Make a trust directory of a published list, checked with what you got from somewhere you trust",
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("trust import takes vci, dcc, gdhcn, masterlist, csca or crl")}
		},
	}
	var madeAt string
	dcc := importCommand("dcc LIST KEY", "a national list of EU certificates: a signature line, then JSON; the key of its publisher, PEM", 2, func(args []string) (*trust.Bundle, trust.Report, error) {
		at := time.Now()
		if madeAt != "" {
			var err error
			if at, err = time.Parse(time.RFC3339, madeAt); err != nil {
				return nil, nil, usageError{errors.New("--made-at takes a time such as 2026-11-21T09:00:00Z")}
			}
		}
		files, err := readInputs(args)
		if err != nil {
			return nil, nil, err
		}
		return trust.ImportDCC(files[0], files[1], at)
	})
	dcc.Flags().StringVar(&madeAt, "made-at", "", "when the list was fetched, RFC 3339; default now")
	cmd.AddCommand(dcc,
		importCommand("vci SNAPSHOT SIGNATURE CERTIFICATE", "the directory of SMART Health Cards: snapshot, detached signature, certificate (PEM)", 3, func(args []string) (*trust.Bundle, trust.Report, error) {
			files, err := readInputs(args)
			if err != nil {
				return nil, nil, err
			}
			return trust.ImportVCI(files[0], files[1], files[2])
		}),
		importCommand("gdhcn FILE=SHA256…", "trust lists of WHO (DID documents), each with the digest that was approved", -1, importGDHCN))
	cmd.AddCommand(importAuthorities()...)
	return cmd
}

// importCommand is one kind of list; arguments -1 is one or more.
func importCommand(use, short string, arguments int, read func(args []string) (*trust.Bundle, trust.Report, error)) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: use, Short: short,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != arguments && (arguments >= 0 || len(args) == 0) {
				return usageError{fmt.Errorf("trust import takes: %s", use)}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{errors.New("trust import needs --out DIR, a new directory")}
			}
			if entries, err := os.ReadDir(out); err == nil && len(entries) > 0 || err != nil && !errors.Is(err, fs.ErrNotExist) {
				return usageError{errors.New("--out is not a new directory")}
			}
			b, report, err := read(args)
			if err != nil {
				describeReport(cmd.OutOrStdout(), report)
				return err
			}
			describe(cmd.OutOrStdout(), b, report)
			if err := importable(b, time.Now()); err != nil {
				return err
			}
			return b.Write(out)
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "new directory to write to")
	return cmd
}

// importable refuses a bundle that nobody could verify anything with, and one that
// would never seem old.
func importable(b *trust.Bundle, now time.Time) error {
	if b.MadeAt().After(now.Add(time.Hour)) {
		return errors.New("the list is dated in the future: " + b.MadeAt().Format(time.RFC3339))
	}
	if len(b.Issuers()) == 0 && len(b.Signers()) == 0 && len(b.Participants()) == 0 && len(b.States()) == 0 {
		return errors.New("nothing in the list can be used; nothing was written")
	}
	return nil
}

func importGDHCN(args []string) (*trust.Bundle, trust.Report, error) {
	var documents []trust.DIDDocument
	for _, arg := range args {
		name, digest, ok := strings.Cut(arg, "=")
		if !ok {
			return nil, nil, usageError{errors.New("each list is FILE=SHA256, the digest of the bytes that were approved")}
		}
		content, err := readInput(name, nil)
		if err != nil {
			return nil, nil, err
		}
		documents = append(documents, trust.DIDDocument{Content: content, Digest: digest})
	}
	return trust.ImportGDHCN(documents...)
}

func readInputs(names []string) (files [][]byte, err error) {
	for _, name := range names {
		content, err := readInput(name, nil)
		if err != nil {
			return nil, err
		}
		files = append(files, content)
	}
	return files, nil
}

func trustShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show DIR", Short: "Tell what a trust directory trusts, how old it is, and what in it is not used",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("trust show needs a directory")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			b, report, err := trust.Load(os.DirFS(args[0]))
			if err != nil {
				return err
			}
			describe(cmd.OutOrStdout(), b, report)
			return nil
		},
	}
}

// describe tells what a bundle trusts. Names in it are strangers' texts.
func describe(out io.Writer, b *trust.Bundle, report trust.Report) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	made := "not stated"
	if !b.MadeAt().IsZero() {
		made = b.MadeAt().Format(time.RFC3339)
	}
	p("made at: %s", made)
	for _, iss := range b.Issuers() {
		p("issuer of health cards: %s", clean1(iss))
	}
	if n := len(b.Signers()); n > 0 {
		p("signers of bar codes: %d", n)
	}
	for _, state := range b.States() {
		p("country authorities of %s: %d, revocation lists: %d", state.Code, state.Authorities, state.Lists)
	}
	for _, party := range b.Participants() {
		p("signers of HC1 codes of %s: %d", clean1(party.Code), party.Signers)
	}
	describeReport(out, report)
}

func describeReport(out io.Writer, report trust.Report) {
	for _, problem := range report {
		_, _ = fmt.Fprintf(out, "not used, or with a flaw: %s: %s\n", clean1(problem.Source), problem.Code)
	}
}
