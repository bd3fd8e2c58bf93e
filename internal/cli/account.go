package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"akashi/internal/actor"
	"akashi/internal/office"
)

func officeAccount(parts Adapters) *cobra.Command {
	group := &cobra.Command{
		Use: "account", Short: "Carry out what an office's people asked for and approved",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(accountRequests(parts), accountCarryOut(parts), accountRescue(parts))
	return group
}

// operator is whoever may run commands on this machine: the third person, who
// neither asks nor approves.
func operator(code string) actor.Actor {
	return actor.Actor{
		Office: code, Person: office.Command, Terminal: "command", Purpose: actor.Operate,
		Role: string(office.Operator), Permissions: office.Operator.Permissions(),
	}
}

func accountRescue(parts Adapters) *cobra.Command {
	var user, name, unit string
	cmd := &cobra.Command{
		Use: "rescue OFFICE --user ID --name NAME --unit UNIT", Short: "Give an office that has fewer than two officers left a further one", Args: oneOffice,
		Long: "Where officers have lost their passkeys or let their set-up links go by, nobody is left to approve a recovery. This makes a\n" +
			"further officer and prints the set-up link; it is logged, and refused while two officers can sign in.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if user == "" || name == "" || unit == "" {
				return usageError{errors.New("this needs --user (such as 900001-officer3), --name and --unit")}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				p := office.Staff{Office: args[0], User: user, Name: name, Unit: unit, Role: office.Officer, Ends: app.Clock.Now().AddDate(1, 0, 0)}
				link, err := app.AccountRequests.Rescue(ctx, operator(args[0]), p)
				if err != nil {
					return err
				}
				showLinks(cmd.OutOrStdout(), app.Config.StaffOrigin, []SetupLink{{user, name, link}})
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&user, "user", "", "user id, which begins with the office's code")
	cmd.Flags().StringVar(&name, "name", "", "the officer's name")
	cmd.Flags().StringVar(&unit, "unit", "", "organisation unit")
	return cmd
}

// maxShown bounds the requests that are listed.
const maxShown = 50

func accountRequests(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "requests OFFICE", Short: "List the newest requests for accounts that are not carried out", Args: oneOffice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				list, err := app.AccountRequests.List(ctx, operator(args[0]), "", maxShown)
				if err != nil {
					return err
				}
				for _, r := range list {
					if !r.DoneAt.IsZero() {
						continue
					}
					p, err := app.Approvals.Get(ctx, operator(args[0]), r.Approval)
					if err != nil {
						return err
					}
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s  %-15s %-9s %s  %s\n", r.ID, r.Kind, p.State(app.Clock.Now()), r.User, r.Role)
				}
				return nil
			})
		},
	}
}

func accountCarryOut(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "carry-out OFFICE REQUEST", Short: "Carry out an approved request, and print the set-up link of a new account",
		Args: officeAnd("the id of a request", isGiven),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				r, link, err := app.AccountRequests.CarryOut(ctx, operator(args[0]), args[1])
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s carried out for %s\n", r.Kind, r.User)
				if link != "" {
					showLinks(cmd.OutOrStdout(), app.Config.StaffOrigin, []SetupLink{{r.User, r.Name, link}})
				}
				return nil
			})
		},
	}
}
