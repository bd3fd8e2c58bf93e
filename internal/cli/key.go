package cli

import (
	"cmp"
	"context"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/internal/issuance"
	"akashi/internal/keys"
	"akashi/signing"
)

func keyCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{Use: "key", Short: "Make, certify, activate and withdraw signing keys, and look at them", Args: noArgs, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() }}
	group.AddCommand(keyList(parts), keyGenerate(parts), keyCertify(parts), keyActivate(parts), keyWithdraw(parts), keyCertificates(parts))
	return group
}

func keyList(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Show the signing keys with their states and times", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				keys, err := app.Store.SigningKeys(ctx)
				for _, k := range keys {
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%-45s %-10s %-12s signs from %s until %s\n", k.ID, k.Purpose, k.State, k.UsageFrom.Format(time.DateOnly), k.UsageTo.Format(time.DateOnly))
				}
				return err
			})
		},
	}
}

// oneKey takes a municipality code and the id of a key.
var oneKey = officeAnd("the id of a key, as 'akashi key list' shows it", isGiven)

func keyGenerate(parts Adapters) *cobra.Command {
	var country, name string
	cmd := &cobra.Command{
		Use: "generate CODE PURPOSE LABEL", Short: "Make a signing key in the token: a health card key is announced, another gets a certificate request", Args: purposeAndLabel,
		Long: "Make a signing key in the token; its private half never leaves it. PURPOSE is shc, vdsnc, dsc or paper, LABEL its name there.\n" +
			"A health card key (shc) is announced at once: published, and to be activated after seven days. For a signer of bar codes\n" +
			"(vdsnc) or HC1 codes (dsc) or the paper of the office (paper) the certificate request is printed (PEM); bring what comes back with 'akashi key certify'.\n" +
			"It needs an approval of two officers of the named office (key.generate, object: PURPOSE/LABEL).",
		RunE: func(cmd *cobra.Command, args []string) error {
			subject := pkix.Name{CommonName: name}
			if country != "" {
				subject.Country = []string{country}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				made, err := app.Keys.Make(ctx, keeper(args[0]), keys.Wanted{Purpose: signing.Purpose(args[1]), Label: args[2], Subject: subject})
				if err != nil {
					return err
				}
				if made.Request != nil {
					return pem.Encode(cmd.OutOrStdout(), &pem.Block{Type: "CERTIFICATE REQUEST", Bytes: made.Request})
				}
				return announced(cmd, made.Key)
			})
		},
	}
	cmd.Flags().StringVar(&country, "country", "", "of the certificate request, two letters, such as JP")
	cmd.Flags().StringVar(&name, "name", "", "common name of the certificate request; the country's authority says which")
	return cmd
}

// purposeAndLabel takes a municipality code, a purpose and the label of a key.
var purposeAndLabel = officeAnd("a purpose (shc, vdsnc, dsc, paper) and the label of a key in the token", isGiven, isGiven)

func announced(cmd *cobra.Command, k signing.Key) error {
	_, err := fmt.Fprintf(cmd.OutOrStdout(), "key %s is announced: publish what 'akashi trust' writes; it can be activated from %s\n", k.ID, k.UsageFrom.Format(time.RFC3339))
	return err
}

func keyCertify(parts Adapters) *cobra.Command {
	var certificate, authority string
	cmd := &cobra.Command{
		Use: "certify CODE PURPOSE LABEL", Short: "Bring the certificate that came back for a request, and announce its key", Args: purposeAndLabel,
		Long: "Bring the certificate that came back for a request of 'akashi key generate' (PEM or DER). It is refused when it is of another key, or when\n" +
			"its profile is not that of a signer of bar codes (vdsnc) or HC1 codes (dsc) of this country. The key is announced: published, and to be activated after seven days.",
		RunE: func(cmd *cobra.Command, args []string) error {
			c := keys.Certified{Purpose: signing.Purpose(args[1]), Label: args[2]}
			var err error
			if c.Certificate, err = readCertificate(certificate); err != nil {
				return usageError{fmt.Errorf("--certificate: %w", err)}
			}
			if c.Authority, err = readCertificate(authority); err != nil && (authority != "" || c.Purpose == signing.VDSNC || c.Purpose == signing.DSC) {
				return usageError{fmt.Errorf("--authority: %w", err)}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				key, err := app.Keys.Certify(ctx, keeper(args[0]), c)
				if err != nil {
					return err
				}
				return announced(cmd, key)
			})
		},
	}
	cmd.Flags().StringVar(&certificate, "certificate", "", "file with the certificate of the key")
	cmd.Flags().StringVar(&authority, "authority", "", "file with the certificate of the country's authority; for vdsnc and dsc")
	return cmd
}

// readCertificate reads a file with a certificate, PEM or DER, as DER.
func readCertificate(path string) ([]byte, error) {
	if path == "" {
		return nil, errors.New("names no file")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if block, _ := pem.Decode(text); block != nil {
		if block.Type != "CERTIFICATE" {
			return nil, errors.New("no certificate in the file")
		}
		return block.Bytes, nil
	}
	return text, nil
}

func keyActivate(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "activate CODE KEY", Short: "Let an announced key sign, and retire the one before it", Args: oneKey,
		Long: "Let an announced key sign, seven days after it was announced at the earliest. The key that signed for the same purpose and issuer until now is\n" +
			"retired: it stays published. It needs an approval of two officers of the named office (key.activate, object: the key's id).",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if err := app.Keys.Activate(ctx, keeper(args[0]), args[1]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "key %s signs from now on\n", args[1])
				return err
			})
		},
	}
}

func keyWithdraw(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "withdraw CODE KEY", Short: "Declare a signing key compromised: it signs nothing more and is published no more", Args: oneKey,
		Long: "Declare a signing key compromised: from then on it signs nothing and is not published. There is no way back.\n" +
			"It needs an approval of two officers of the named office (key.retire, object: the key's id).",
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if err := app.Keys.Withdraw(ctx, keeper(args[0]), args[1]); err != nil {
					return err
				}
				_, err := fmt.Fprintf(cmd.OutOrStdout(), "key %s is withdrawn; run 'akashi trust', publish what it writes, and see docs/playbooks/key-compromise.md\n", args[1])
				return err
			})
		},
	}
}

func keyCertificates(parts Adapters) *cobra.Command {
	var asJSON bool
	var offices someOffices
	cmd := &cobra.Command{
		Use: "certificates [--json] CODE… KEY | --all KEY", Short: "List the certificates that a key signed, office by office, and what became of them",
		Long: "List the certificates that a key signed, one a line: office, id, state, and the newer one if it was made again.\n" +
			"All are made again in each office by two of its people ('akashi run ask'): see docs/playbooks/key-compromise.md.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[len(args)-1] == "" {
				return usageError{errors.New("this takes six-digit municipality codes, or --all, and the id of a key, as 'akashi key list' shows it")}
			}
			return offices.check(args[:len(args)-1])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				codes, err := offices.in(ctx, app, args[:len(args)-1])
				if err := cmp.Or(err, knownKey(ctx, app, args[len(args)-1])); err != nil {
					return err
				}
				for _, code := range codes {
					list, err := app.Store.CertificatesOfKey(ctx, code, args[len(args)-1])
					if err == nil {
						err = tellCertificates(cmd.OutOrStdout(), code, list, asJSON)
					}
					if err != nil {
						return err
					}
				}
				return nil
			})
		},
	}
	cmd.Flags().BoolVar(&asJSON, "json", false, "one JSON object a line")
	offices.flag(cmd)
	return cmd
}

// tellCertificates writes a certificate a line.
func tellCertificates(to io.Writer, code string, list []issuance.Issue, asJSON bool) error {
	encoder := json.NewEncoder(to)
	for _, i := range list {
		var err error
		if asJSON {
			err = encoder.Encode(struct {
				Office       string         `json:"office"`
				ID           string         `json:"id"`
				State        issuance.State `json:"state"`
				Reason       string         `json:"reason,omitempty"`
				SupersededBy string         `json:"superseded_by,omitempty"`
			}{code, i.Certificate.ID, i.State, i.Reason, i.SupersededBy})
		} else {
			_, err = fmt.Fprintln(to, strings.TrimRight(fmt.Sprintf("%s %s %s %s", code, i.Certificate.ID, i.State, i.SupersededBy), " "))
		}
		if err != nil {
			return err
		}
	}
	return nil
}
