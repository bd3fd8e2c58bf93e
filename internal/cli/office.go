package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/spf13/cobra"

	"akashi/certificate"
	"akashi/internal/office"
	"akashi/signing"
)

func officeCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{
		Use: "office", Short: "Manage offices and their settings",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) > 0 {
				return usageError{fmt.Errorf("unknown command %q", args[0])}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(officeAdd(parts), officeSet(parts), officePaperKey(parts), officeAccount(parts), officeTerminal(parts))
	return group
}

// oneOffice takes the municipality code as the only argument.
func oneOffice(_ *cobra.Command, args []string) error {
	if len(args) != 1 {
		return usageError{errors.New("this takes one six-digit municipality code, such as 900010")}
	}
	if office.CheckCode(args[0]) != nil {
		return usageError{errors.New("not a municipality code: six digits, the last of them the check digit")}
	}
	return nil
}

// officeAnd takes a municipality code and as many arguments more as there are checks.
func officeAnd(more string, checks ...func(string) bool) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		good := len(args) == 1+len(checks)
		for i := 0; good && i < len(checks); i++ {
			good = checks[i](args[1+i])
		}
		if !good {
			return usageError{errors.New("this takes a six-digit municipality code and " + more)}
		}
		return oneOffice(cmd, args[:1])
	}
}

func isRow(arg string) bool { return uuid.Validate(arg) == nil }

func isGiven(arg string) bool { return arg != "" }

// showLinks prints set-up links as a browser and `akashi sign-in` take them.
func showLinks(out io.Writer, origin string, links []SetupLink) {
	for _, l := range links {
		_, _ = fmt.Fprintf(out, "  %s  %s\n    %s/setup#%s\n", l.User, l.Name, origin, l.Link)
	}
}

func officeAdd(parts Adapters) *cobra.Command {
	var nameJA, nameEN, unit, operator string
	var officers []string
	cmd := &cobra.Command{
		Use:   "add CODE --name-ja NAME --name-en NAME --unit UNIT --officer NAME --officer NAME [--operator NAME]",
		Short: "Create an office and print the set-up links of its first people", Args: oneOffice,
		RunE: func(cmd *cobra.Command, args []string) error {
			if nameJA == "" || nameEN == "" || unit == "" {
				return usageError{errors.New("an office needs --name-ja, --name-en and the --unit of its officers")}
			}
			if len(officers) != 2 {
				return usageError{errors.New("an office begins with two officers: give --officer NAME twice")}
			}
			o, err := office.New(args[0], nameJA, nameEN)
			if err != nil {
				return err
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if !app.Config.Production && !office.Invented(o.Code) {
					return errors.New("under the TEST identity only invented offices (prefectures 90 to 99) can be added")
				}
				links, err := app.AddOffice(ctx, o, app.FirstPeople(o.Code, unit, officers, operator), nil)
				if err != nil {
					return err
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "office %s added; its first people set password and passkey here, once, within 24 hours:\n", o.Code)
				showLinks(cmd.OutOrStdout(), app.Config.StaffOrigin, links)
				return nil
			})
		},
	}
	cmd.Flags().StringVar(&nameJA, "name-ja", "", "name in Japanese, such as 架空県証市")
	cmd.Flags().StringVar(&nameEN, "name-en", "", "name in English, such as \"Akashi City\"")
	cmd.Flags().StringVar(&unit, "unit", "", "organisation unit of these people, such as 健康推進課")
	cmd.Flags().StringArrayVar(&officers, "officer", nil, "an officer's name; given twice")
	cmd.Flags().StringVar(&operator, "operator", "", "name of who carries out on the pages what officers approve; without one 'akashi office account carry-out' does it")
	return cmd
}

func officeSet(parts Adapters) *cobra.Command {
	var open, rule string
	var automatic, eu bool
	var keep map[string]int
	cmd := &cobra.Command{
		Use: "set CODE", Short: "Show an office's settings, and change those given", Args: oneOffice,
		Long: "Show an office's settings, and change those given.\n" +
			"--keep says for how many years since the last that happened: records (persons of the register with their doses, 5 or more),\n" +
			"applications (with passport data and the content of certificates, 1 or more), log (1 or more); 0 is the default. What was kept for longer\n" +
			"comes onto a list of 'akashi retention list', and goes when two officers have approved that list, but for persons on hold.",
		RunE: func(cmd *cobra.Command, args []string) error {
			given := cmd.Flags().Changed
			var kinds []certificate.Kind
			for _, k := range strings.FieldsFunc(open, func(r rune) bool { return r == ',' }) {
				if certificate.Kind(k).Families() == nil {
					return usageError{fmt.Errorf("--open takes domestic, travel and icvp, with commas between, or nothing; not %q", k)}
				}
				kinds = append(kinds, certificate.Kind(k))
			}
			if given("number-rule") && !office.NumberRule(rule).Known() {
				return usageError{fmt.Errorf("--number-rule takes %s or %s", office.NumberWhenNeeded, office.NumberWithApplication)}
			}
			for name := range keep {
				if !slices.Contains([]string{"records", "applications", "log"}, name) {
					return usageError{fmt.Errorf("--keep takes records=YEARS, applications=YEARS and log=YEARS, with a comma; not %q", name)}
				}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				o, err := app.ChangeOffice(ctx, args[0], func(s *office.Settings) {
					if given("open") {
						s.Open = kinds
					}
					if given("eu") {
						s.EU = eu
					}
					if given("automatic") {
						s.AutoApprove = automatic
					}
					if given("number-rule") {
						s.NumberRule = office.NumberRule(rule)
					}
					for name, years := range keep {
						switch name {
						case "records":
							s.Keep.Records = years
						case "applications":
							s.Keep.Applications = years
						case "log":
							s.Keep.Log = years
						}
					}
				})
				if err != nil {
					return err
				}
				k := o.Settings.Keep.OrDefault()
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "office %s %s / %s\n  open           %v\n  eu             %t\n  automatic      %t\n  number-rule    %s\n  keep           records=%d,applications=%d,log=%d years\n",
					o.Code, o.NameJA, o.NameEN, o.Settings.Open, o.Settings.EU, o.Settings.AutoApprove, o.Settings.NumberRule, k.Records, k.Applications, k.Log)
				return err
			})
		},
	}
	cmd.Flags().StringVar(&open, "open", "", "kinds that are issued at present: domestic,travel,icvp")
	cmd.Flags().BoolVar(&eu, "eu", false, "add an EU certificate of the latest dose to certificates for travel")
	cmd.Flags().BoolVar(&automatic, "automatic", true, "approve exact matches without a person")
	cmd.Flags().StringVar(&rule, "number-rule", "", "when the individual number may be asked for: when_needed, with_application")
	cmd.Flags().StringToIntVar(&keep, "keep", nil, "years: records=20,applications=5,log=7")
	return cmd
}

func officePaperKey(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "paper-key CODE", Short: "Give an office a TEST key that signs its printed pages", Args: oneOffice,
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				if _, err := app.Store.Office(ctx, args[0]); err != nil {
					return err
				}
				key, err := signing.MakeTestPaperKey(app.keyDir(), args[0], app.Clock.Now())
				if err != nil {
					return err
				}
				_, err = fmt.Fprintf(cmd.OutOrStdout(), "office %s signs its pages with %s from the next start on; its authority's certificate is among those that 'akashi trust' writes\n", args[0], key.ID)
				return err
			})
		},
	}
}
