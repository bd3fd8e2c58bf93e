package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/backup"
	"akashi/internal/issuance"
)

// restore is what the flags of the command say.
type restore struct {
	from, keys, identity, data, database string
	check                                bool
}

func restoreCommand(parts Adapters) *cobra.Command {
	var r restore
	cmd := &cobra.Command{
		Use:   "restore --from FILE --identity KEYFILE (--data DIR | --database URL | --check)",
		Short: "Restore a backup into an empty database, or try one out",
		Long: "Restore a backup into DIR/akashi.db, or into an empty PostgreSQL database as the owner of its schema.\n" +
			"The keys of persons come from FILE.keys or --keys: with the newest there is, what was erased since stays erased.\n" +
			"--check restores into a temporary file, verifies one certificate of each family with the file key of AKASHI_DATA, and\n" +
			"prints what was found: the drill.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			targets := 0
			for _, given := range []bool{r.data != "", r.database != "", r.check} {
				if given {
					targets++
				}
			}
			if r.from == "" || r.identity == "" || targets != 1 {
				return usageError{errors.New("restore needs --from FILE, --identity KEYFILE and one of --data DIR, --database URL and --check")}
			}
			if r.keys == "" {
				r.keys = r.from + keysSuffix
			}
			return r.run(cmd.Context(), parts, cmd.OutOrStdout())
		},
	}
	cmd.Flags().StringVar(&r.from, "from", "", "file of the data")
	cmd.Flags().StringVar(&r.keys, "keys", "", "file of the keys; FILE.keys where it is not given")
	cmd.Flags().StringVar(&r.identity, "identity", "", "file with the age identity")
	cmd.Flags().StringVar(&r.data, "data", "", "data directory to restore into")
	cmd.Flags().StringVar(&r.database, "database", "", "postgres://… of the schema's owner")
	cmd.Flags().BoolVar(&r.check, "check", false, "try the backup out and keep nothing")
	return cmd
}

func (r restore) run(ctx context.Context, parts Adapters, out io.Writer) error {
	text, err := os.Open(r.identity)
	if err != nil {
		return err
	}
	identities, err := age.ParseIdentities(text)
	if err := errors.Join(err, text.Close()); err != nil {
		return errors.New("the identity file is not one of age")
	}
	// Both files are read to their ends before anything is touched.
	data, err := checkPart(r.from, identities)
	if err != nil {
		return err
	}
	keys, err := checkPart(r.keys, identities)
	if err != nil {
		return err
	}
	showBackup(out, r.from, data)
	showBackup(out, r.keys, keys)
	switch {
	case r.check:
		return r.drill(ctx, parts, out, identities, data)
	case r.database != "":
		return r.into(ctx, parts, out, identities, r.database)
	}
	if err := os.MkdirAll(r.data, 0o700); err != nil {
		return err
	}
	path := filepath.Join(r.data, databaseFile)
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("there is a %s already; restore into an empty directory", databaseFile)
	}
	dir, err := os.MkdirTemp(r.data, ".restore-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := r.into(ctx, parts, out, identities, filepath.Join(dir, databaseFile)); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, databaseFile), path)
}

func checkPart(name string, identities []age.Identity) (backup.Manifest, error) {
	f, err := os.Open(name)
	if err != nil {
		return backup.Manifest{}, err
	}
	defer func() { _ = f.Close() }()
	m, err := backup.Check(f, identities...)
	if err != nil {
		return m, fmt.Errorf("%s: %w", filepath.Base(name), err)
	}
	return m, nil
}

// into restores into an empty database.
func (r restore) into(ctx context.Context, parts Adapters, out io.Writer, identities []age.Identity, url string) error {
	var readers [2]*backup.Reader
	for i, name := range []string{r.from, r.keys} {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		defer func() { _ = f.Close() }()
		if readers[i], err = backup.NewReader(f, identities...); err != nil {
			return err
		}
	}
	erased, err := parts.Archive.Restore(ctx, url, readers[0], readers[1])
	if err == nil {
		_, err = fmt.Fprintf(out, "restored; %d keys erased since\n", erased)
	}
	return err
}

// drill restores into a temporary file, where what is personal stays sealed, and
// verifies one certificate of each family with the keys that the backup publishes.
func (r restore) drill(ctx context.Context, parts Adapters, out io.Writer, identities []age.Identity, data backup.Manifest) error {
	c, err := LoadConfig(parts.Environ)
	if err != nil {
		return usageError{err}
	}
	dir, err := os.MkdirTemp("", "akashi-drill-*") // mode 0700
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	path := filepath.Join(dir, databaseFile)
	if err := r.into(ctx, parts, out, identities, path); err != nil {
		return err
	}
	c.DatabaseURL, c.MigrateURL = Secret(path), ""
	app, err := Open(ctx, c, parts.Open)
	if err != nil {
		return err
	}
	verified, err := app.verifyEach(ctx)
	if err := errors.Join(err, app.Close()); err != nil {
		return err
	}
	for _, t := range data.Tables {
		_, _ = fmt.Fprintf(out, "  %-20s %8d rows  %s\n", t.Name, t.Rows, t.SHA256)
	}
	for _, line := range verified {
		_, _ = fmt.Fprintln(out, "  "+line)
	}
	_, err = fmt.Fprintf(out, "drill passed: %d log entries, %d certificates\n", data.Rows("log"), data.Rows("certificates"))
	return err
}

// verdict judges a code of ours; one that comes into force later, as of then.
func verdict(p issuance.Payload, bundle *trust.Bundle, now time.Time) verify.Verdict {
	if p.Family == certificate.ICVP {
		if code, err := hcert.Parse(p.Text); err == nil {
			return verify.HealthInForce(code, bundle, now)
		}
	}
	return verify.Text(p.Text, bundle, now)
}

// verifyEach verifies the newest certificate of each family.
func (a *App) verifyEach(ctx context.Context) (report []string, err error) {
	bundle, err := a.Issuance.Published(ctx)
	if err != nil {
		return nil, err
	}
	offices, err := a.Store.Offices(ctx)
	if err != nil {
		return nil, err
	}
	var seen []certificate.Family
	for _, code := range offices {
		by := job("drill", code)
		list, err := a.Issuance.List(ctx, by, issuance.Filter{State: issuance.Issued, Limit: 50})
		if err != nil {
			return nil, err
		}
		for _, i := range list {
			families := i.Families()
			if !slices.ContainsFunc(families, func(f certificate.Family) bool { return !slices.Contains(seen, f) }) {
				continue
			}
			if i, err = a.Issuance.Codes(ctx, by, i.Certificate.ID); err != nil {
				return nil, err
			}
			for _, p := range i.Payloads {
				if v := verdict(p, bundle, time.Now().UTC()); v.Outcome != verify.Valid {
					return nil, fmt.Errorf("certificate %s: its %s code is %s", i.Certificate.ID, p.Family, v.Outcome)
				}
				seen = append(seen, p.Family)
				report = append(report, fmt.Sprintf("%-20s %s verified", p.Family, i.Certificate.ID))
			}
		}
	}
	return report, nil
}
