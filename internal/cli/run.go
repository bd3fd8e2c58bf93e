package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"akashi/internal/actor"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/signing"
)

func runCommand(parts Adapters) *cobra.Command {
	group := &cobra.Command{
		Use: "run", Short: "Ask several offices to revoke or make again many certificates, and look at how far they are", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	group.AddCommand(runAsk(parts), runList(parts))
	return group
}

// someOffices are those that are named, or all.
type someOffices struct{ all bool }

func (o *someOffices) flag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&o.all, "all", false, "every office of the installation")
}

func (o *someOffices) check(codes []string) error {
	if o.all != (len(codes) == 0) {
		return usageError{errors.New("this takes six-digit municipality codes, or --all")}
	}
	for _, code := range codes {
		if office.CheckCode(code) != nil {
			return usageError{fmt.Errorf("%s is not a municipality code: six digits, the last of them the check digit", code)}
		}
	}
	return nil
}

func (o *someOffices) in(ctx context.Context, app *App, codes []string) ([]string, error) {
	known, err := app.Store.Offices(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(known) == 0:
		return nil, errors.New("there is no office in this database: see 'akashi config check'")
	case o.all:
		return known, nil
	}
	for _, code := range codes {
		if !slices.Contains(known, code) {
			return nil, fmt.Errorf("there is no office %s here", code)
		}
	}
	return codes, nil
}

// knownKey refuses the id of a key that is not there: a slip would read like "none".
func knownKey(ctx context.Context, app *App, id string) error {
	if id == "" {
		return nil
	}
	keys, err := app.Store.SigningKeys(ctx)
	if err == nil && !slices.ContainsFunc(keys, func(k signing.Key) bool { return k.ID == id }) {
		err = fmt.Errorf("there is no key %s here: 'akashi key list' shows them", clean1(id))
	}
	return err
}

// asker asks in an office what two of its people then do: an operator of the machine is
// nobody of the office, and has signed in to the machine.
func asker(code string, now clock.Clock) actor.Actor {
	a := operator(code)
	a.Permissions, a.SteppedUp = map[string]bool{string(office.RevokeMany): true, string(office.ReissueMany): true}, now.Now()
	return a
}

func runAsk(parts Adapters) *cobra.Command {
	var offices someOffices
	var sel issuance.Selection
	var from, until, expires, reason string
	cmd := &cobra.Command{
		Use: "ask revoke|reissue --reason REASON [selection] CODE…|--all", Short: "Ask in each of the offices that its certificates of a selection are revoked or made again",
		Long: "Ask in each of the offices that its certificates of a selection are revoked or made again. Nothing is changed by it: in each office one person\n" +
			"approves within 24 hours and another starts (/counter/revocations, /counter/reissues). Each office does its own certificates and sees no others.\n" +
			"An office that has none is passed over, and one where the same is under way: the command may be given again. 'akashi run list' tells how far all are.",
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) == 0 || args[0] != string(issuance.RevokeMany) && args[0] != string(issuance.ReissueMany) {
				return usageError{errors.New("run ask takes revoke or reissue, then offices")}
			}
			return offices.check(args[1:])
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			sel.From, sel.Until, sel.Expires = clock.Date(from), clock.Date(until), clock.Date(expires)
			act := issuance.Act(args[0])
			if err := sel.Check(); err != nil {
				return usageError{errors.New(explain(err, parts))}
			}
			if known := act.Reasons(); !slices.Contains(known, reason) {
				return usageError{fmt.Errorf("--reason of %s is one of %s", act, strings.Join(known, ", "))}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				codes, err := offices.in(ctx, app, args[1:])
				if err := cmp.Or(err, knownKey(ctx, app, sel.Key)); err != nil {
					return err
				}
				many := app.runsOf(act)
				none, failed := 0, 0
				for _, code := range codes {
					said, err := askIn(ctx, many, asker(code, app.Clock), sel, reason)
					switch {
					case errors.Is(err, errNone):
						said = "has none"
						none++
					case err != nil:
						said = "refused: " + explain(err, parts)
						failed++
					}
					_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%s  %s\n", code, said)
				}
				if failed > 0 {
					return fmt.Errorf("%d of %d offices refused", failed, len(codes))
				}
				if none == len(codes) {
					_, _ = fmt.Fprintln(cmd.ErrOrStderr(), "no office has any: see that the selection is written right")
				}
				return nil
			})
		},
	}
	offices.flag(cmd)
	flags := cmd.Flags()
	flags.StringVar(&reason, "reason", "", "such as key_compromised, as at the counter")
	flags.StringVar(&sel.Key, "key", "", "id of the key that signed a code, as 'akashi key list' shows it")
	flags.StringVar(&from, "issued-from", "", "day, YYYY-MM-DD")
	flags.StringVar(&until, "issued-until", "", "that day too")
	flags.StringVar(&expires, "expires-until", "", "issued, and a code of it expires then or before")
	flags.StringVar(&sel.Product, "product", "", "certifies a dose of it")
	flags.StringVar(&sel.Catalogue, "catalogue", "", "version of the code lists")
	flags.StringVar(&sel.Clerk, "clerk", "", "account that issued them")
	return cmd
}

func (a *App) runsOf(act issuance.Act) *issuance.Many {
	return map[issuance.Act]*issuance.Many{issuance.RevokeMany: a.Revocations, issuance.ReissueMany: a.Reissues}[act]
}

// askIn asks in the office of the actor, unless the same is under way there; errNone where
// there are none.
func askIn(ctx context.Context, many *issuance.Many, a actor.Actor, sel issuance.Selection, reason string) (said string, err error) {
	open := func(r issuance.Bulk) bool {
		return r.Selection == sel && r.Reason == reason && slices.Contains([]string{"requested", "approved", "running", "finished_with_failures"}, r.State())
	}
	var r issuance.Bulk
	if err := eachRun(ctx, many, a, func(other issuance.Bulk) {
		if open(other) {
			r = other
		}
	}); err != nil {
		return "", err
	}
	if r.ID != "" {
		return fmt.Sprintf("%s: %d certificates, %s already", r.ID, r.Count, r.State()), nil
	}
	r, err = many.Ask(ctx, a, sel, reason, nil)
	return fmt.Sprintf("%s: %d certificates, to be approved (%s)", r.ID, r.Count, r.Approval), err
}

var errNone = fault.New(fault.Conflict, "selection_empty", "selection")

// eachRun tells the runs of an office, newest first.
func eachRun(ctx context.Context, many *issuance.Many, a actor.Actor, tell func(issuance.Bulk)) error {
	const page = 100
	for before := ""; ; {
		list, err := many.List(ctx, a, before, page)
		if err != nil {
			return err
		}
		for _, r := range list {
			tell(r)
		}
		if len(list) < page {
			return nil
		}
		before = list[page-1].ID
	}
}

func runList(parts Adapters) *cobra.Command {
	var offices someOffices
	var key string
	cmd := &cobra.Command{
		Use: "list [--key KEY] CODE…|--all", Short: "Tell how far the offices are with what they revoke and make again",
		Long: "Tell how far the offices are with what they revoke and make again, one run a line, then all together. With --key only runs that select a\n" +
			"key's certificates, and the offices that have some of which nothing was asked for.",
		Args: func(_ *cobra.Command, args []string) error { return offices.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				codes, err := offices.in(ctx, app, args)
				if err := cmp.Or(err, knownKey(ctx, app, key)); err != nil {
					return err
				}
				t := tally{key: key}
				for _, code := range codes {
					if err := t.office(ctx, cmd.OutOrStdout(), app, code); err != nil {
						return fmt.Errorf("%s: %w", code, err)
					}
				}
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "%d runs in %d offices: %d of %d certificates done, %d left for a person\n", t.runs, t.offices, t.done, t.count, t.left)
				return nil
			})
		},
	}
	offices.flag(cmd)
	cmd.Flags().StringVar(&key, "key", "", "id of a key, as 'akashi key list' shows it")
	return cmd
}

// tally adds up the runs of offices.
type tally struct {
	key                              string
	runs, offices, done, count, left int
}

func (t *tally) office(ctx context.Context, out io.Writer, app *App, code string) error {
	t.offices++
	before := t.runs
	for _, act := range []issuance.Act{issuance.ReissueMany, issuance.RevokeMany} {
		err := eachRun(ctx, app.runsOf(act), asker(code, app.Clock), func(r issuance.Bulk) {
			if t.key != "" && r.Selection.Key != t.key {
				return
			}
			_, _ = fmt.Fprintf(out, "%s  %s %s %s (%s): %d of %d done, %d left for a person\n", code, r.Act, r.ID, r.State(), r.Reason, r.Done, r.Count, r.Failed)
			t.runs++
			if slices.Contains([]string{"requested", "approved", "running", "finished", "finished_with_failures"}, r.State()) { // the others are not to be done any more
				t.done, t.count, t.left = t.done+r.Done, t.count+r.Count, t.left+r.Failed
			}
		})
		if err != nil {
			return err
		}
	}
	if t.key == "" || t.runs > before {
		return nil
	}
	list, err := app.Store.CertificatesOfKey(ctx, code, t.key)
	list = slices.DeleteFunc(list, func(i issuance.Issue) bool { return i.State == issuance.Revoked || i.SupersededBy != "" })
	if err == nil && len(list) > 0 {
		_, _ = fmt.Fprintf(out, "%s  %d certificates under the key, nothing asked for\n", code, len(list))
	}
	return err
}
