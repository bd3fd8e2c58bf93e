package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"akashi/internal/audit"
	"akashi/internal/backup"
)

// Archive copies whole databases, as they are and without opening what is sealed in
// them; cmd/akashi provides it.
type Archive interface {
	// Pending tells from which version of the schema to which opening the database
	// would migrate it; from is 0 for a new one.
	Pending(ctx context.Context, databaseURL, migrateURL string) (from, to int64, err error)
	Backup(ctx context.Context, databaseURL, migrateURL string, data, keys *backup.Writer, offices ...string) error
	// Copy writes a SQLite database into a new file.
	Copy(ctx context.Context, databaseURL, to string) error
	// Restore fills an empty database; erased counts the persons whose key is gone.
	Restore(ctx context.Context, databaseURL string, data, keys *backup.Reader) (erased int, err error)
}

// keysSuffix makes the name of the part of keys from that of the data.
const keysSuffix = ".keys"

func backupCommand(parts Adapters) *cobra.Command {
	var to string
	var recipients []string
	cmd := &cobra.Command{
		Use:   "backup --to FILE [--recipient KEY…]",
		Short: "Write the database, encrypted to an age key that is kept offline",
		Long: "Write the database as it is at one moment, while the service runs, encrypted to an age key that is kept offline\n" +
			"(age-keygen makes one); without --recipient, to that of AKASHI_BACKUP_RECIPIENT.\n" +
			"FILE gets the data and FILE.keys the keys that seal what is personal: keep the second for 35 days at most, so that what\n" +
			"was erased stays erased. The file key (seal.key) and the signing keys are in neither: they need a safe place of their own.",
		Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if to == "" {
				return usageError{errors.New("backup needs --to FILE")}
			}
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			if len(recipients) == 0 && c.Recipient != "" {
				recipients = []string{c.Recipient}
			}
			for_, err := recipientsOf(recipients)
			if err != nil {
				return usageError{err}
			}
			if _, err := os.Stat(c.database()); c.DatabaseURL == "" && err != nil {
				return errors.New("there is no database in the data directory")
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				err := app.Log.Act(ctx, job("backup", TestOffice), audit.Entry{Action: "backup.make"}, func(context.Context, *audit.Entry) error { return nil })
				if err != nil {
					return err
				}
				data, keys, err := writeBackup(ctx, parts.Archive, c, to, app.Clock.Now(), for_)
				if err != nil {
					return err
				}
				showBackup(cmd.OutOrStdout(), to, data)
				showBackup(cmd.OutOrStdout(), to+keysSuffix, keys)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&to, "to", "", "file to write; it must not exist")
	cmd.Flags().StringArrayVar(&recipients, "recipient", nil, "age key (age1…); may be given several times")
	return cmd
}

func recipientsOf(keys []string) ([]age.Recipient, error) {
	if len(keys) == 0 {
		return nil, errors.New("a backup needs a --recipient, or AKASHI_BACKUP_RECIPIENT")
	}
	list, err := age.ParseRecipients(strings.NewReader(strings.Join(keys, "\n")))
	if err != nil {
		return nil, errors.New("a recipient is an age key such as age1…")
	}
	return list, nil
}

func showBackup(out io.Writer, name string, m backup.Manifest) {
	rows := 0
	for _, t := range m.Tables {
		rows += t.Rows
	}
	_, _ = fmt.Fprintf(out, "%s: %s of %s, schema %d, %d tables, %d rows\n", name, m.Part, m.MadeAt.Format(time.RFC3339), m.Schema, len(m.Tables), rows)
}

// writeBackup writes both parts; neither file is there before it is whole.
func writeBackup(ctx context.Context, from Archive, c Config, to string, now time.Time, recipients []age.Recipient) (data, keys backup.Manifest, err error) {
	schema, _, err := from.Pending(ctx, c.database(), string(c.MigrateURL))
	if err != nil {
		return data, keys, err
	}
	var files [2]*os.File
	var writers [2]*backup.Writer
	for i, name := range []string{to, to + keysSuffix} {
		if _, err := os.Lstat(name); err == nil {
			return data, keys, fmt.Errorf("%s is there already", filepath.Base(name))
		}
		if files[i], err = os.CreateTemp(filepath.Dir(name), ".backup-*"); err != nil { // mode 0600
			return data, keys, err
		}
		defer func() { _, _ = files[i].Close(), os.Remove(files[i].Name()) }()
		h := backup.Header{Part: []string{backup.Data, backup.Keys}[i], Program: Version, Schema: schema, MadeAt: now.UTC().Truncate(time.Second)}
		if writers[i], err = backup.NewWriter(files[i], h, recipients...); err != nil {
			return data, keys, err
		}
	}
	if err := from.Backup(ctx, c.database(), string(c.MigrateURL), writers[0], writers[1], TestOffice); err != nil {
		return data, keys, err
	}
	for i, m := range []*backup.Manifest{&data, &keys} {
		if *m, err = writers[i].Close(); err == nil {
			err = files[i].Sync()
		}
		if err != nil {
			return data, keys, err
		}
	}
	// The keys first: data without them would be of no use.
	return data, keys, errors.Join(os.Rename(files[1].Name(), to+keysSuffix), os.Rename(files[0].Name(), to))
}

// backupFirst makes a backup of a database that is about to be migrated: encrypted
// where there is a recipient, else, of a SQLite file, a plain copy beside it.
func backupFirst(ctx context.Context, from Archive, c Config) error {
	if from == nil {
		return nil
	}
	before, after, err := from.Pending(ctx, c.database(), string(c.MigrateURL))
	if err != nil || before == 0 || before >= after {
		return nil //nolint:nilerr // what cannot be asked cannot be migrated either, and opening it says why
	}
	name := filepath.Join(c.Data, fmt.Sprintf("before-%05d-%s", after, time.Now().UTC().Format("20060102T150405.000Z")))
	if c.Recipient != "" {
		recipients, err := recipientsOf([]string{c.Recipient})
		if err != nil {
			return err
		}
		_, _, err = writeBackup(ctx, from, c, name+".age", time.Now(), recipients)
		return err
	}
	if strings.HasPrefix(c.database(), "postgres") {
		return nil // whoever runs a server without a recipient has a backup of his own
	}
	return from.Copy(ctx, c.database(), name+".db")
}
