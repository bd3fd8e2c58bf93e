package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"

	"akashi/internal/actor"
	"akashi/internal/custody"
	"akashi/internal/office"
)

// approving binds the acts of custody to the four-eyes rule.
type approving struct{ approvals *office.Approvals }

func (p approving) Use(ctx context.Context, a actor.Actor, kind, object string, parameters map[string]string) error {
	return p.approvals.Use(ctx, a, office.Kind(kind), object, office.Digest(parameters))
}

var _ custody.Approvals = approving{}

func personCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{
		Use: "person", Short: "Erase a person of the register, or keep one from being erased",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(personErase(parts), personHold(parts), personRelease(parts))
	return group
}

// onePerson takes the municipality code and the row id of a person.
var onePerson = officeAnd("the id of a person", isRow)

func personErase(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "erase CODE ID", Short: "Destroy the keys of a person and what they sealed", Args: onePerson,
		Long: "Destroy the keys of a person and everything that they sealed: register, doses, applications, the content of certificates and\n" +
			"the individual number. Certificates stay verifiable; of them only ids, states, dates and digests are left here.\n" +
			"It needs an approval of two people (person.erase, object: the id), and cannot be undone.",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				r, err := app.Custody.Erase(ctx, keeper(args[0]), args[1])
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "person %s erased: %d keys, %d rows, the content of %d certificates\n", r.PersonID, r.Keys, r.Rows, r.Certificates)
				return err
			})
		},
	}
}

func personHold(parts Adapters) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "hold CODE ID --reason TEXT", Short: "Keep a person from being erased", Args: onePerson,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				return app.Custody.Hold(ctx, keeper(args[0]), args[1], reason)
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "why, without anything personal")
	return cmd
}

func personRelease(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "release CODE ID", Short: "Let a person be erased again", Args: onePerson,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				return app.Custody.EndHolds(ctx, keeper(args[0]), args[1])
			})
		},
	}
}
