package cli

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"akashi/internal/actor"
	"akashi/internal/custody"
	"akashi/internal/office"
	"akashi/internal/seal"
)

func sealCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{
		Use: "seal", Short: "Look at and change the keys that seal what is stored",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(sealStatus(parts), sealRotate(parts), sealRewrap(parts))
	return group
}

// keeper is who carries out, from the command line, what two officers have approved.
func keeper(code string) actor.Actor {
	a := job("seal", code)
	a.Permissions = map[string]bool{string(office.CarryOutKeys): true, string(office.CarryOutErasure): true}
	return a
}

func sealStatus(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "status CODE", Short: "Show the versions of an office's data keys", Args: oneOffice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				keys, err := app.Store.DataKeys(ctx, args[0])
				if err != nil {
					return err
				}
				for _, k := range keys {
					if _, err := fmt.Fprintf(cmd.OutOrStdout(), "%-12s %3d  %-8s %d uses counted\n", k.Purpose, k.Version, k.State, k.Uses); err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
}

func sealRotate(parts Adapters) *cobra.Command {
	var purpose string
	var purposes []string
	for _, p := range custody.Rotating() {
		purposes = append(purposes, string(p))
	}
	cmd := &cobra.Command{
		Use: "rotate CODE --purpose PURPOSE", Short: "Make a new version of a data key and bring everything to it", Args: oneOffice,
		Long: "Make a new version of an office's data key and bring everything to it; the version before is destroyed.\n" +
			"It needs an approval of two officers (numbers.rekey, object: the purpose). The service goes on meanwhile. A rotation\n" +
			"that was stopped goes on when this is called again, or in a serving process. Search keys are computed again from\n" +
			"what is sealed; until that is done people are looked for under both.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if !slices.Contains(purposes, purpose) {
				return usageError{errors.New("--purpose takes one of " + strings.Join(purposes, ", "))}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				r, err := app.Custody.Rotate(ctx, keeper(args[0]), seal.Purpose(purpose))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "office %s: %s is version %d; %d rows changed, %d old versions destroyed\n", r.Office, r.Purpose, r.Version, r.Rows, r.Retired)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&purpose, "purpose", "", strings.Join(purposes, ", "))
	return cmd
}

func sealRewrap(parts Adapters) *cobra.Command {
	var prepare bool
	cmd := &cobra.Command{
		Use: "rewrap CODE", Short: "Change the file key: wrap every data key with a new one", Args: oneOffice,
		Long: "Change the file key: every data key of every office is wrapped with a new one, and the old one opens nothing any more.\n" +
			"It needs an approval of two officers of the named office (numbers.rekey, object: file-key). Where several nodes serve one\n" +
			"database, call it with --prepare first and copy seal.key.next into the data directory of each. Back up the new file.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if prepare {
					next, err := app.Store.NextRing()
					if err != nil {
						return err
					}
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "seal.key.next holds file key %s; nothing uses it yet\n", next.KeeperID())
					return err
				}
				r, err := app.Custody.Rewrap(ctx, keeper(args[0]))
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "%d data keys wrapped with the new file key; the old one opens nothing\n", r.Keys)
				return err
			})
		},
	}
	cmd.Flags().BoolVar(&prepare, "prepare", false, "only make the next file key")
	return cmd
}
