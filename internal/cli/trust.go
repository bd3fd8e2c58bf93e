package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/jsonld"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
)

func trustCommand(parts Adapters) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "trust --out DIR", Short: "Write the trust directory of this installation: what verifiers need", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("trust needs --out DIR")}
			}
			if err := ownDirectory(out); err != nil {
				return usageError{err}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				b, err := app.Trust(ctx)
				if err == nil {
					err = b.Write(out)
				}
				if err == nil {
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s: what verifiers need, as of %s\n", out, b.MadeAt().Format(time.RFC3339))
				}
				return err
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "directory to write to: a new or empty one, or a trust directory")
	cmd.AddCommand(trustImportCommand(), trustExportCommand(parts), trustShowCommand())
	return cmd
}

// ownDirectory refuses to write among the files of others.
func ownDirectory(dir string) error {
	files, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(files) == 0 {
		return nil
	}
	if err == nil && !slices.ContainsFunc(files, func(f fs.DirEntry) bool { return f.Name() == "manifest.json" }) {
		err = fmt.Errorf("%s is no trust directory, and not empty", dir)
	}
	return err
}

// trustImportCommand makes a trust directory of a published list, or renews one: the
// directory before is kept beside it, and is left in use where the list is empty, older, broken
// or much shorter.
func trustImportCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use: "import", Short: "Make a trust directory of a published list (files, or https:// addresses), checked with what you got from somewhere you trust",
		RunE: func(*cobra.Command, []string) error {
			return usageError{errors.New("trust import takes vci, dcc, gdhcn, masterlist, csca, crl or bundle")}
		},
	}
	var madeAt string
	dcc := importCommand(inputs{usage: "dcc LIST KEY", count: 2, keys: 1}, "a national list of EU certificates: a signature line, then JSON; the key of its publisher, PEM", func(files []input) (*trust.Bundle, trust.Report, error) {
		at := time.Now()
		if madeAt != "" {
			var err error
			if at, err = time.Parse(time.RFC3339, madeAt); err != nil {
				return nil, nil, usageError{errors.New("--made-at takes a time such as 2026-11-21T09:00:00Z")}
			}
		}
		return trust.ImportDCC(files[0].Content, files[1].Content, at)
	})
	dcc.Flags().StringVar(&madeAt, "made-at", "", "when the list was fetched, RFC 3339; default now")
	cmd.AddCommand(dcc,
		importCommand(inputs{usage: "vci SNAPSHOT SIGNATURE CERTIFICATE", count: 3, keys: 1}, "the directory of SMART Health Cards: snapshot, detached signature, certificate (PEM)", func(files []input) (*trust.Bundle, trust.Report, error) {
			return trust.ImportVCI(files[0].Content, files[1].Content, files[2].Content)
		}),
		gdhcnCommand(), importBundleCommand())
	cmd.AddCommand(importAuthorities()...)
	return cmd
}

// importCommand is one kind of list.
func importCommand(in inputs, short string, read func(files []input) (*trust.Bundle, trust.Report, error)) *cobra.Command {
	return importOver(in, short, func(files []input) (*trust.Bundle, *trust.Bundle, trust.Report, error) {
		b, report, err := read(files)
		return b, nil, report, err
	})
}

// importOver is an import that may go on with what is held.
func importOver(in inputs, short string, read func(files []input) (b, held *trust.Bundle, report trust.Report, err error)) *cobra.Command {
	in.most = maxInput
	var out string
	var approved []string
	cmd := &cobra.Command{
		Use: in.usage, Short: short,
		Args: func(_ *cobra.Command, args []string) error { return in.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{errors.New("trust import needs --out DIR")}
			}
			files, err := in.read(cmd.Context(), args, cmd.OutOrStdout())
			if err != nil {
				return err
			}
			b, held, report, err := read(files)
			if err != nil {
				describeReport(cmd.OutOrStdout(), report)
				return err
			}
			describe(cmd.OutOrStdout(), b, report)
			if err := importable(b, time.Now()); err != nil {
				return err
			}
			if err := replaceable(cmd.OutOrStdout(), out, b, held, digestsOf(files), approved); err != nil {
				return err
			}
			written, err := b.Files()
			if err != nil {
				return err
			}
			return put(out, written)
		},
	}
	importFlags(cmd, &in, &out, &approved)
	return cmd
}

func importFlags(cmd *cobra.Command, in *inputs, out *string, approved *[]string) {
	cmd.Flags().StringVar(out, "out", "", "directory to write to; what is there is kept beside it as .previous")
	cmd.Flags().StringArrayVar(approved, "shrink", nil, "sha256:HEX of a list that removes a fifth or more, and was looked at and approved")
	cmd.Flags().StringVar(&in.ca, "ca", "", "authority of the servers of addresses, PEM; those of the system where it is not given")
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

// gdhcnCommand takes lists by their proof, under the pinned key, or by digest.
func gdhcnCommand() *cobra.Command {
	var keyFile string
	var pins []string
	cmd := importCommand(inputs{usage: "gdhcn LIST…", count: -1}, "trust lists of WHO (DID documents), each with a proof under --key, or its digest approved with --pin", func(files []input) (*trust.Bundle, trust.Report, error) {
		if keyFile == "" && len(pins) == 0 {
			return nil, nil, usageError{errors.New("trust import gdhcn needs --key FILE (the signer of the lists) or --pin sha256:HEX of each list")}
		}
		var signer *jsonld.Key
		if keyFile != "" {
			text, err := readInput(keyFile, nil)
			if err != nil {
				return nil, nil, err
			}
			if signer, err = trust.ParseListKey(text); err != nil {
				return nil, nil, usageError{fmt.Errorf("--key: %w", err)}
			}
		}
		var documents []trust.DIDDocument
		for _, f := range files {
			documents = append(documents, trust.DIDDocument{Content: f.Content, Signer: signer, Digest: pinned(f.Content, pins)})
		}
		return trust.ImportGDHCN(documents...)
	})
	cmd.Flags().StringVar(&keyFile, "key", "", "key that signs the lists: PEM, or the DID document of WHO's signer")
	cmd.Flags().StringArrayVar(&pins, "pin", nil, "sha256:HEX of a list that was looked at and approved; once for each")
	return cmd
}

const digestPrefix = "sha256:"

// digestOf is how an operator names bytes that were approved.
func digestOf(content []byte) string {
	digest := sha256.Sum256(content)
	return digestPrefix + hex.EncodeToString(digest[:])
}

// pinned returns the digest of a content, in hex, if it is among those approved.
func pinned(content []byte, pins []string) string {
	name := digestOf(content)
	if slices.ContainsFunc(pins, func(p string) bool { return strings.EqualFold(p, name) }) {
		return strings.TrimPrefix(name, digestPrefix)
	}
	return ""
}

func trustShowCommand() *cobra.Command {
	return &cobra.Command{
		Use: "show DIR|FILE.zip", Short: "Tell what a trust directory trusts, how old each part is, who signed it, and what in it is not used",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) != 1 {
				return usageError{errors.New("trust show needs a directory")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			b, report, head, err := readTrust(args[0], "", cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			if head == nil {
				_, _ = fmt.Fprintln(cmd.OutOrStdout(), "not signed")
			} else {
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "signed: version %d of %s, %d files, key %s\n", head.Version, head.MadeAt.Format(time.RFC3339), head.Files, clean1(head.Key))
			}
			describe(cmd.OutOrStdout(), b, report)
			for _, e := range b.Entries() {
				_, _ = fmt.Fprintln(cmd.OutOrStdout(), ageLine(e, time.Now()))
			}
			return nil
		},
	}
}

// ageLine tells how old a part of a bundle is, and how long it counts.
func ageLine(e trust.Entry, now time.Time) string {
	if e.At.IsZero() {
		return fmt.Sprintf("%s %s: age not stated", e.Kind, clean1(e.Name))
	}
	line := fmt.Sprintf("%s %s: %s old, of %s", e.Kind, clean1(e.Name), verify.Age(now.Sub(e.At), "en"), e.At.Format(time.RFC3339))
	limit, limited := verify.MaxAge(e.Kind, now)
	switch {
	case !e.Next.IsZero():
		line += ", next due " + e.Next.Format(time.RFC3339)
		if now.After(e.Next) {
			line += ": out of date"
		}
	case limited && now.Sub(e.At) > limit:
		line += fmt.Sprintf(", more than %s: status unknown", verify.Age(limit, "en"))
	}
	return line
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
		said := "not used, or with a flaw"
		if problem.Code == trust.TakenByProof || problem.Code == trust.TakenByDigest {
			said = "list"
		}
		_, _ = fmt.Fprintf(out, "%s: %s: %s\n", said, clean1(problem.Source), problem.Code)
	}
}
