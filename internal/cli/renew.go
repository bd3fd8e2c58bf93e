package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"akashi/internal/clock"
	"akashi/internal/issuance"
)

// renewPage is how many certificates are read at a time.
const renewPage = 100

func renewCommand(parts Adapters) *cobra.Command {
	var within int
	cmd := &cobra.Command{
		Use: "renew CODE", Short: "List and count the certificates of an office whose codes soon expire",
		Long: "The codes of yellow cards and EU certificates expire after two years, or with the certificate of their signer; what they certify stays true.\n" +
			"This lists and counts what expires within --within days. A clerk issues one again for the reason \"renewal\"; many are made again by two people\n" +
			"(/counter/reissues, or POST /api/v1/reissues), who select them by the day that the last line names.",
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || within < 1 {
				return usageError{errors.New("renew needs a municipality code, and --within at least one day")}
			}
			return oneOffice(cmd, args)
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				return listRenewals(ctx, cmd, app, args[0], app.Clock.Today().AddDays(within))
			})
		},
	}
	cmd.Flags().IntVar(&within, "within", 90, "days from now")
	return cmd
}

func listRenewals(ctx context.Context, cmd *cobra.Command, app *App, office string, until clock.Date) error {
	f := issuance.Filter{RenewBefore: clock.Midnight(until.AddDays(1)), Limit: renewPage}
	for count := 0; ; {
		list, err := app.Issuance.List(ctx, job("renew", office), f)
		if err != nil {
			return err
		}
		for _, i := range list {
			_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s  %-8s  codes until %s\n", i.Certificate.ID, i.Certificate.Kind, i.RenewBy.Format(time.DateOnly))
		}
		count += len(list)
		if len(list) < renewPage {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "%d certificates with codes until %s\n", count, until)
			return err
		}
		f.Before = list[len(list)-1].Certificate.ID
	}
}
