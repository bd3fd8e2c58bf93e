package cli

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// AddTerminal registers the machine that holds the key of a certificate (S-004).
func (a *App) AddTerminal(ctx context.Context, code, name string, certificate []byte) (office.Terminal, error) {
	sum := sha256.Sum256(certificate)
	t := office.Terminal{Office: code, ID: a.IDs.Row(), Name: name, Certificate: sum[:], Registered: a.Clock.Now()}
	if name == "" {
		return t, fault.New(fault.Invalid, "required", "name")
	}
	if _, err := a.Store.Office(ctx, code); err != nil {
		return t, err
	}
	return t, a.Log.Act(ctx, job("office", code), audit.Entry{Action: "terminal.add", Object: t.ID}, func(ctx context.Context, _ *audit.Entry) error {
		return a.Store.AddTerminal(ctx, t)
	})
}

// RevokeTerminal ends a terminal; its next request is refused.
func (a *App) RevokeTerminal(ctx context.Context, code, id string) error {
	return a.Log.Act(ctx, job("office", code), audit.Entry{Action: "terminal.revoke", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
		return a.Store.RevokeTerminal(ctx, code, id, a.Clock.Now())
	})
}

func officeTerminal(parts Adapters) *cobra.Command {
	group := &cobra.Command{
		Use: "terminal", Short: "Register and revoke the machines from which the staff face is reached",
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	var name, file string
	add := &cobra.Command{
		Use: "add CODE --name NAME --certificate FILE", Short: "Register a machine by its client certificate", Args: oneOffice,
		RunE: func(cmd *cobra.Command, args []string) error {
			certificate, err := clientCertificate(file)
			if err != nil {
				return err
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				t, err := app.AddTerminal(ctx, args[0], name, certificate)
				if err == nil {
					_, err = fmt.Fprintf(cmd.OutOrStdout(), "terminal %s %s\n", t.ID, t.Name)
				}
				return err
			})
		},
	}
	add.Flags().StringVar(&name, "name", "", "what people call it, such as \"Counter 2\"")
	add.Flags().StringVar(&file, "certificate", "", "its client certificate, PEM")
	revoke := &cobra.Command{
		Use: "revoke CODE ID", Short: "Refuse a machine from its next request on",
		Args: officeAnd("the id of a terminal", isGiven),
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error { return app.RevokeTerminal(ctx, args[0], args[1]) })
		},
	}
	list := &cobra.Command{
		Use: "list CODE", Short: "List the machines of an office", Args: oneOffice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				terminals, err := app.Store.Terminals(ctx, args[0])
				for _, t := range terminals {
					state := "in use"
					if !t.Revoked.IsZero() {
						state = "revoked " + t.Revoked.Format("2006-01-02T15:04:05Z")
					}
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s  %x  %s  %s\n", t.ID, t.Certificate, state, t.Name)
				}
				return err
			})
		},
	}
	group.AddCommand(add, revoke, list)
	return group
}

// clientCertificate reads the certificate of a terminal as DER.
func clientCertificate(file string) ([]byte, error) {
	if file == "" {
		return nil, usageError{errors.New("a terminal needs --certificate FILE")}
	}
	der, err := readCertificate(file)
	if err != nil {
		return nil, err
	}
	_, err = x509.ParseCertificate(der)
	return der, err
}
