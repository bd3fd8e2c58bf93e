package cli

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"filippo.io/age"
	"github.com/spf13/cobra"

	"akashi/internal/actor"
	"akashi/internal/audit/tree"
	"akashi/internal/custody"
	"akashi/internal/office"
)

// retentionEvery is how often the job looks for what was approved.
const retentionEvery = 10 * time.Minute

func retainer(code string) actor.Actor {
	a := job("retention", code)
	a.Permissions = map[string]bool{string(office.CarryOutErasure): true}
	return a
}

// retain is the job of S-077.
func (a *App) retain(ctx context.Context, logger *slog.Logger) error {
	done, err := a.Retention.Step(ctx, retainer)
	for _, r := range done {
		logger.Info("erased what was kept long enough", "run", r.ID)
	}
	return err
}

// archiveFolder holds entries of the log that were removed, in the data directory.
const archiveFolder = "archive"

// archive keeps entries of the log that will be removed, encrypted to the key of
// backups; nil without one.
func (a *App) archive() func(ctx context.Context, office string, until int64) error {
	if a.Config.Recipient == "" {
		return nil
	}
	return func(ctx context.Context, office string, until int64) error {
		recipient, err := age.ParseX25519Recipient(a.Config.Recipient)
		if err != nil {
			return err
		}
		folder := filepath.Join(a.Config.Data, archiveFolder)
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return err
		}
		path := filepath.Join(folder, fmt.Sprintf("log-%s-%d.jsonl.age", office, until))
		f, err := os.CreateTemp(folder, ".new-*")
		if err != nil {
			return err
		}
		sealed, err := age.Encrypt(f, recipient)
		if err != nil {
			return errors.Join(err, f.Close())
		}
		lines := bufio.NewWriter(sealed)
		err = tree.Archive(ctx, a.Store, lines, office, until)
		if err = errors.Join(err, lines.Flush(), sealed.Close(), f.Sync(), f.Close()); err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		if err := os.Rename(f.Name(), path); err != nil {
			return errors.Join(err, os.Remove(f.Name()))
		}
		return errors.Join(syncFolder(folder), syncFolder(a.Config.Data)) // which the folder may be new in
	}
}

// syncFolder makes a rename durable, before what was archived is removed.
func syncFolder(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func retentionCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{Use: "retention", Short: "List what was kept long enough, and erase it with an approval", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	group.AddCommand(retentionList(parts), retentionErase(parts))
	return group
}

func retentionList(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "list CODE", Short: "Make a list of what was kept long enough; erases nothing", Args: oneOffice,
		Long: "Make a list of what was kept for longer than the office's settings say (keep): persons of the register, applications, entries of\n" +
			"the log. It erases nothing. Whoever has looked at it asks for an approval (retention.erase, object: the list's id); approved by\n" +
			"another person, the job of a serving process erases it, or 'akashi retention erase'.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				run, err := app.Retention.List(ctx, retainer(args[0]))
				if err != nil {
					return err
				}
				out := cmd.OutOrStdout()
				_, err = fmt.Fprintf(out, "list %s: %d\n", run.ID, len(run.Items))
				for _, d := range run.Items {
					_, _ = fmt.Fprintf(out, "%-12s  %s  %s\n", d.Class, d.Object, d.Since.UTC().Format(time.DateOnly))
				}
				return err
			})
		},
	}
}

func retentionErase(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "erase CODE LIST", Short: "Erase what is on a list that two people approved", Args: officeAnd("the id of a list", isRow),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if err := app.Retention.Erase(ctx, retainer(args[0]), args[1]); err != nil {
					return err
				}
				items, err := app.Store.RunItems(ctx, args[0], args[1], false, custody.Listed)
				for _, d := range items {
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%-12s  %s  %s\n", d.Class, d.Object, d.Outcome)
				}
				return err
			})
		},
	}
}
