// Package cli is the commands of akashi: serve, sign-in, demo, verify, passport, trust, selfcheck, audit,
// office, seal, person, retention, backup, restore, version.
//
// It assembles the service over a data directory. Which database and which
// faces there are comes from cmd/akashi, so that this package knows neither.
package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"runtime/debug"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/internal/fault"
)

// ExitError ends the program with a status of its own.
type ExitError struct{ Code int }

func (e ExitError) Error() string { return fmt.Sprintf("exit status %d", e.Code) }

// UsageStatus is the exit status for a wrong command line (EX_USAGE).
const UsageStatus = 64

// Adapters are the parts that this package does not know.
type Adapters struct {
	Environ       []string
	Open          OpenStore
	OpenPublished OpenPublished
	Archive       Archive
	// OpenProof opens a database as it is, for reading alone.
	OpenProof func(ctx context.Context, databaseURL string) (Proof, error)
	// Sentence explains a fault to a person; nil: by its key alone.
	Sentence func(*fault.Error) (ja, en string)
	// Serve runs the faces of the node until the context ends; ready is told their URLs.
	Serve func(ctx context.Context, node *Node, ready func(bound map[string]string)) error
	// Further are commands that only some builds have, such as those for tests.
	Further []func(Adapters) *cobra.Command
}

// commands is the tree of all of them.
func commands(parts Adapters) *cobra.Command {
	root := &cobra.Command{
		Use: "akashi", Short: "Akashi (証) issues vaccination certificates that strangers can verify",
		SilenceErrors: true, SilenceUsage: true,
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) (err error) {
			cmd.Flags().Visit(func(f *pflag.Flag) { // an empty variable of a script is no value
				if f.Value.Type() == "string" && f.Value.String() == "" {
					err = usageError{fmt.Errorf("--%s is given and empty", f.Name)}
				}
			})
			return err
		},
	}
	root.AddCommand(serveCommand(parts), signInCommand(parts), demoCommand(parts), verifyCommand(parts), passportCommand(parts), trustCommand(parts), selfCheckCommand(), officeCommand(parts), sealCommand(parts), personCommand(parts), retentionCommand(parts), renewCommand(parts), keyCommand(parts), runCommand(parts), auditCommand(parts),
		configCommand(parts), backupCommand(parts), restoreCommand(parts), versionCommand(parts))
	for _, f := range parts.Further {
		root.AddCommand(f(parts))
	}
	root.Args = func(_ *cobra.Command, args []string) error {
		if len(args) > 0 {
			return usageError{fmt.Errorf("unknown command %q", args[0])}
		}
		return nil
	}
	return root
}

// Run runs one command line and returns the exit status.
func Run(ctx context.Context, args []string, in io.Reader, out, errs io.Writer, parts Adapters) int {
	root := commands(parts)
	root.SetArgs(idsLast(args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(errs)
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.RunE = func(cmd *cobra.Command, _ []string) error { return cmd.Help() }
	err := root.ExecuteContext(ctx)
	var exit ExitError
	var usage usageError
	switch {
	case err == nil:
		return 0
	case errors.As(err, &exit):
		return exit.Code
	case errors.As(err, &usage):
		_, _ = fmt.Fprintf(errs, "akashi: %v\nSee 'akashi --help'.\n", err)
		return UsageStatus
	}
	_, _ = fmt.Fprintf(errs, "akashi: %s\n", explain(err, parts))
	return 1
}

// idsLast puts key ids that begin with a hyphen, as base64url may, where no flag is read.
// A key's id is the last argument of each command that takes one.
func idsLast(args []string) []string {
	isID := func(arg string) bool { return hyphenID.MatchString(arg) }
	if !slices.ContainsFunc(args, isID) || slices.Contains(args, "--") {
		return args
	}
	var ids []string
	for _, arg := range args {
		if isID(arg) {
			ids = append(ids, arg)
		}
	}
	return slices.Concat(slices.DeleteFunc(slices.Clone(args), isID), []string{"--"}, ids)
}

var hyphenID = regexp.MustCompile(`^-[A-Za-z0-9_-]{42}$`)

type usageError struct{ err error }

func (u usageError) Error() string { return u.err.Error() }

// explain gives a fault's sentence in the caller's language, with its key and
// field for who looks it up.
func explain(err error, parts Adapters) string {
	var f *fault.Error
	if !errors.As(err, &f) {
		return err.Error()
	}
	key := f.Key
	if f.Field != "" {
		key += " " + f.Field
	}
	if parts.Sentence == nil {
		return key
	}
	ja, en := parts.Sentence(f)
	if japanese(parts.Environ) {
		en = ja
	}
	return en + " [" + key + "]"
}

// japanese tells whether the environment asks for it, as POSIX orders the variables.
func japanese(environ []string) bool {
	for _, name := range []string{"LC_ALL=", "LC_MESSAGES=", "LANG="} {
		for _, line := range environ {
			if value, ok := strings.CutPrefix(line, name); ok && value != "" {
				return strings.HasPrefix(value, "ja")
			}
		}
	}
	return false
}

// withApp runs something on the assembled service.
func withApp(cmd *cobra.Command, parts Adapters, run func(context.Context, *App) error) error {
	c, err := LoadConfig(parts.Environ)
	if err != nil {
		return usageError{err}
	}
	if err := backupFirst(cmd.Context(), parts.Archive, c); err != nil {
		return fmt.Errorf("backup before migration: %w", err)
	}
	app, err := Open(cmd.Context(), c, parts.Open)
	if err != nil {
		return err
	}
	return errors.Join(run(cmd.Context(), app), app.Close())
}

func serveCommand(parts Adapters) *cobra.Command {
	var faces string
	cmd := &cobra.Command{
		Use: "serve", Short: "Serve the faces until interrupted", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			environ := parts.Environ
			if cmd.Flags().Changed("faces") {
				environ = append(slices.Clone(environ), prefix+"FACES="+faces)
			}
			c, err := LoadConfig(environ)
			if err != nil {
				return usageError{err}
			}
			if err := c.checkFree(cmd.Context()); err != nil {
				return err
			}
			if err := backupFirst(cmd.Context(), parts.Archive, c); err != nil {
				return fmt.Errorf("backup before migration: %w", err)
			}
			node, err := OpenNode(cmd.Context(), c, parts)
			if err != nil {
				return err
			}
			return errors.Join(serve(cmd, parts, node), node.Close())
		},
	}
	cmd.Flags().StringVar(&faces, "faces", "", "what this process serves: "+strings.Join(Faces, ",")+" (all, where not given)")
	return cmd
}

func serve(cmd *cobra.Command, parts Adapters, node *Node) (err error) {
	var links []SetupLink
	if node.Staff != nil {
		if links, err = node.Staff.FirstStart(cmd.Context()); err != nil {
			return err
		}
	}
	return parts.Serve(cmd.Context(), node, func(bound map[string]string) { welcome(cmd.OutOrStdout(), node.Staff, links, bound) })
}

func noArgs(_ *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usageError{fmt.Errorf("unexpected argument %q", args[0])}
	}
	return nil
}

// Version is set by the linker in releases.
var Version = "dev"

func versionCommand(parts Adapters) *cobra.Command {
	return &cobra.Command{
		Use: "version", Short: "Print version and build", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			out := cmd.OutOrStdout()
			_, _ = fmt.Fprintf(out, "akashi %s\n", Version)
			if info, ok := debug.ReadBuildInfo(); ok {
				_, _ = fmt.Fprintf(out, "built with %s\n", info.GoVersion)
				for _, s := range info.Settings {
					if s.Key == "vcs.revision" || s.Key == "vcs.modified" {
						_, _ = fmt.Fprintf(out, "%s %s\n", s.Key, s.Value)
					}
				}
			}
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			renderer, err := pdf.New(c.Fonts...)
			if err != nil {
				return err
			}
			_, _ = fmt.Fprintf(out, "catalogue %s\nlayouts %s\nfonts %s\n", catalogue.Default().Version(),
				strings.Join(pdf.Layouts(), ", "), strings.Join(renderer.Fonts(), ", "))
			if len(c.Fonts) == 0 {
				_, _ = fmt.Fprintln(out, "no further font for register characters: AKASHI_FONTS names none")
			}
			return nil
		},
	}
}
