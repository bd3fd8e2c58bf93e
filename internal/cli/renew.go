package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"akashi/internal/issuance"
)

// renewPage is how many certificates are read at a time.
const renewPage = 100

func renewCommand(parts Adapters) *cobra.Command {
	var within int
	cmd := &cobra.Command{
		Use: "renew CODE [ID…]", Short: "List the certificates of an office whose codes soon expire, or make those named anew",
		Long: "The codes of yellow cards and EU certificates expire after two years, or with the certificate of their signer; what they certify stays true.\n" +
			"Without an ID, list what expires within --within days. With IDs, make these again from the record as it is now: each new certificate\n" +
			"supersedes the old one, for the reason \"renewal\". A passport that has expired since has to be handed in anew.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 || within < 1 {
				return usageError{errors.New("renew needs a municipality code, and --within at least one day")}
			}
			return oneOffice(cmd, args[:1])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if len(args) == 1 {
					return listRenewals(ctx, cmd, app, args[0], app.Clock.Now().AddDate(0, 0, within))
				}
				var failed error // the exit status; each is told where it happens
				for _, id := range args[1:] {
					made, err := app.Issuance.Reissue(ctx, job("renew", args[0]), id, issuance.Renewal)
					if err != nil {
						_, _ = fmt.Fprintf(cmd.ErrOrStderr(), "%s: %v\n", id, err)
						failed = ExitError{1}
						continue
					}
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s is superseded by %s, whose codes hold until %s\n", id, made.Certificate.ID, made.RenewBy.Format(time.DateOnly))
				}
				return failed
			})
		},
	}
	cmd.Flags().IntVar(&within, "within", 90, "days from now")
	return cmd
}

func listRenewals(ctx context.Context, cmd *cobra.Command, app *App, office string, before time.Time) error {
	f := issuance.Filter{RenewBefore: before, Limit: renewPage}
	for {
		list, err := app.Issuance.List(ctx, job("renew", office), f)
		if err != nil {
			return err
		}
		for _, i := range list {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s  %-8s  codes until %s\n", i.Certificate.ID, i.Certificate.Kind, i.RenewBy.Format(time.DateOnly))
		}
		if len(list) < renewPage {
			return nil
		}
		f.Before = list[len(list)-1].Certificate.ID
	}
}
