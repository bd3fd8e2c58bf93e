package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"akashi/internal/audit"
	"akashi/internal/office"
	"akashi/signing"
)

func keyCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{Use: "key", Short: "Look at the signing keys, and withdraw one", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	group.AddCommand(keyList(parts), keyWithdraw(parts), keyCertificates(parts))
	return group
}

func keyList(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Show the signing keys with their states and times", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				keys, err := app.Store.SigningKeys(ctx)
				for _, k := range keys {
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%-45s %-10s %-12s signs until %s\n", k.ID, k.Purpose, k.State, k.UsageTo.Format(time.DateOnly))
				}
				return err
			})
		},
	}
}

// oneKey takes a municipality code and the id of a key.
func oneKey(cmd *cobra.Command, args []string) error {
	if len(args) != 2 || args[1] == "" {
		return usageError{errors.New("this takes a municipality code and the id of a key, as 'akashi key list' shows it")}
	}
	return oneOffice(cmd, args[:1])
}

func keyWithdraw(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "withdraw CODE KEY", Short: "Declare a signing key compromised: it signs nothing more and is published no more", Args: oneKey,
		Long: "Declare a signing key compromised: from then on it signs nothing and is not published. There is no way back.\n" +
			"It needs an approval of two officers of the named office (key.retire, object: the key's id).",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if err := app.WithdrawKey(ctx, args[0], args[1]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "key %s is withdrawn; run 'akashi trust', publish what it writes, and see docs/playbooks/key-compromise.md\n", args[1])
				return err
			})
		},
	}
}

func keyCertificates(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "certificates CODE KEY", Short: "List the certificates of an office that a key signed", Args: oneKey,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				list, err := app.Store.CertificatesOfKey(ctx, args[0], args[1])
				for _, id := range list {
					_, _ = fmt.Fprintln(cmd.OutOrStdout(), id)
				}
				return err
			})
		},
	}
}

// WithdrawKey declares a key compromised, as two officers of the office approved (S-029, S-068).
func (a *App) WithdrawKey(ctx context.Context, code, id string) error {
	by := keeper(code)
	return a.Log.Act(ctx, by, audit.Entry{Action: "key.withdraw", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		key, err := a.Store.SigningKey(ctx, id)
		if err != nil {
			return err
		}
		if err := a.Approvals.Use(ctx, by, office.RetireKey, id, office.Digest(nil)); err != nil {
			return err
		}
		e.Fact("from", string(key.State))
		return a.Store.MoveKey(ctx, code, key, signing.Compromised)
	})
}
