package cli

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/certlogic"
	"akashi/certificate/trust"
	"akashi/signing"
)

// bundleFile is how the name of a bundle in one file ends.
const bundleFile = ".zip"

// maxBundle bounds a bundle in one file.
const maxBundle = 512 << 20

// openTrust opens a trust directory, or a bundle in one file.
func openTrust(name string) (fs.FS, io.Closer, error) {
	info, err := os.Stat(name)
	switch {
	case err != nil:
		return nil, nil, err
	case info.IsDir():
		return os.DirFS(name), io.NopCloser(nil), nil
	case info.Size() > maxBundle:
		return nil, nil, fmt.Errorf("%s: larger than %d MB", name, maxBundle>>20)
	}
	z, err := zip.OpenReader(name)
	if err != nil {
		return nil, nil, fmt.Errorf("%s: neither a directory nor a zip: %w", name, err)
	}
	return z, z, nil
}

// readTrust reads a trust directory or bundle. Of a signed one the key must be the pinned
// one, and the version none older than was seen; head is nil where it is not signed.
func readTrust(name, key string, errs io.Writer) (*trust.Bundle, trust.Report, *trust.Head, error) {
	fsys, closer, err := openTrust(name)
	if err != nil {
		return nil, nil, nil, err
	}
	defer func() { _ = closer.Close() }()
	files, head, err := trust.OpenSigned(fsys)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := admit(name, head, key, errs); err != nil {
		return nil, nil, nil, err
	}
	b, report, err := trust.Load(files)
	return b, report, head, err
}

func trustExportCommand(parts Adapters) *cobra.Command {
	var out, rules string
	var from []string
	var own bool
	cmd := &cobra.Command{
		Use: "export --out DIR|FILE.zip [--from DIR]… [--own] [--rules DIR]", Short: "Put trust directories together as one signed bundle with a version that only grows", Args: noArgs,
		Long: "Put trust directories together as one signed bundle with a version that only grows: those of --from, each with its own date,\n" +
			"and what verifiers of this installation need (--own; also without --from). It is signed with keys/trust-bundle.key, whose public\n" +
			"part verifiers pin, and taken by akashi verify --trust and akashi trust import bundle.",
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("trust export needs --out DIR or FILE.zip")}
			}
			return withApp(cmd, parts, func(ctx context.Context, app *App) error {
				set := bundleParts{}
				if own || len(from) == 0 {
					b, err := app.Trust(ctx)
					if err != nil {
						return err
					}
					if err := set.add("own", b); err != nil {
						return err
					}
				}
				for _, dir := range from {
					b, report, _, err := readTrust(dir, "", cmd.ErrOrStderr())
					if err != nil {
						return fmt.Errorf("%s: %w", dir, err)
					}
					describe(cmd.OutOrStdout(), b, report)
					if len(report) > 0 { // what is left out here would be signed as if it were not there
						return fmt.Errorf("%s has parts that cannot be used: make it anew first", dir)
					}
					if err := set.add(filepath.Base(filepath.Clean(dir)), b); err != nil {
						return err
					}
				}
				if err := set.addRules(rules); err != nil {
					return err
				}
				return app.export(set, out, cmd.OutOrStdout())
			})
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "directory, or file whose name ends in .zip; what is there is kept beside it as .previous")
	cmd.Flags().StringArrayVar(&from, "from", nil, "trust directory, such as akashi trust import makes; once for each")
	cmd.Flags().BoolVar(&own, "own", false, "with what verifiers of this installation need")
	cmd.Flags().StringVar(&rules, "rules", "", "directory with business rules of EU certificates, to go with it")
	return cmd
}

// bundleParts are the files of a bundle, each trust directory in a folder of its own.
type bundleParts map[string][]byte

func (p bundleParts) add(name string, b *trust.Bundle) error {
	files, err := b.Files()
	if err != nil {
		return err
	}
	if p[name+"/manifest.json"] != nil || strings.HasPrefix(name, ".") || name == "signed" || name == rulesFolder {
		return usageError{fmt.Errorf("a part cannot be named %q, or not twice", name)}
	}
	for file, content := range files {
		p[name+"/"+file] = content
	}
	return nil
}

// rulesFolder holds the business rules of a bundle.
const rulesFolder = "rules"

func (p bundleParts) addRules(dir string) error {
	if dir == "" {
		return nil
	}
	names, err := filepath.Glob(filepath.Join(dir, "*.json"))
	if err != nil || len(names) == 0 {
		return usageError{errors.New("--rules: no *.json in it")}
	}
	for _, name := range names {
		content, err := readInput(name, nil)
		if err != nil {
			return err
		}
		if _, err := certlogic.ParseRule(content); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		p[rulesFolder+"/"+filepath.Base(name)] = content
	}
	return nil
}

// export signs the parts and puts them where verifiers get them.
func (a *App) export(set bundleParts, out string, said io.Writer) error {
	key, err := signing.OpenLogKey(a.keyDir(), signing.TrustBundle, a.Config.SHCIssuer)
	if err != nil {
		return err
	}
	now := a.Clock.Now()
	folders := map[string]bool{}
	for file := range set {
		if folder, name, _ := strings.Cut(file, "/"); name == "manifest.json" {
			folders[folder] = true
		}
	}
	if set["manifest.json"], err = trust.Whole(slices.Sorted(maps.Keys(folders)), now); err != nil {
		return err
	}
	seen, err := readSeen(out)
	if err != nil {
		return err
	}
	version := now.Unix()
	if seen != nil && seen.Key == key.Public() {
		version = max(version, seen.Version+1)
	}
	if err := trust.Sign(set, version, now, key); err != nil {
		return err
	}
	head, _, err := trust.OpenHead(key.Public(), string(set["signed/head"]))
	if err != nil {
		return err
	}
	if err := put(out, set); err != nil {
		return err
	}
	_, _ = fmt.Fprintf(said, "version %d, %d files, signed with %s\n", head.Version, head.Files, head.Key)
	return writeSeen(out, &head)
}

func importBundleCommand() *cobra.Command {
	var out, key string
	var approved []string
	in := inputs{usage: "bundle DIR|FILE.zip", count: 1, most: maxFetched}
	cmd := &cobra.Command{
		Use: in.usage, Short: "a signed bundle, as akashi trust export makes it; never an older one than before",
		Args: func(_ *cobra.Command, args []string) error { return in.check(args) },
		RunE: func(cmd *cobra.Command, args []string) error {
			if out == "" {
				return usageError{errors.New("trust import needs --out DIR")}
			}
			fsys, closer, err := in.openBundle(cmd, args[0])
			if err != nil {
				return err
			}
			defer func() { _ = closer.Close() }()
			files, head, err := trust.OpenSigned(fsys)
			if err != nil {
				return err
			}
			if head == nil {
				return errUnsigned
			}
			b, report, err := trust.Load(files)
			if err != nil {
				return err
			}
			describe(cmd.OutOrStdout(), b, report)
			if err := importable(b, time.Now()); err != nil {
				return err
			}
			if err := replaceable(cmd.OutOrStdout(), out, b, nil, []string{digestOf([]byte(head.Text))}, approved); err != nil {
				return err
			}
			seen, err := readSeen(out)
			if err != nil {
				return err
			}
			if seen == nil && key == "" {
				_, _ = fmt.Fprintf(cmd.OutOrStdout(), "pinned at its first use: %s\n", clean1(head.Key))
			}
			switch {
			case key != "" && key != head.Key, seen != nil && seen.Key != head.Key:
				return errAnotherKey
			case !head.After(seen):
				return trust.ErrStale
			}
			content, err := allFiles(files)
			if err != nil {
				return err
			}
			if err := writeSeen(out, head); err != nil { // before it is used: a crash here refuses too much, never too little
				return err
			}
			return put(out, content)
		},
	}
	importFlags(cmd, &in, &out, &approved)
	cmd.Flags().StringVar(&key, "key", "", "public key of whoever put it together (name+hash+key), got from somewhere you trust; default the one pinned at the first use")
	return cmd
}

// openBundle opens a bundle as openTrust does, or one that an address gives in one file.
func (in *inputs) openBundle(cmd *cobra.Command, arg string) (fs.FS, io.Closer, error) {
	if !isAddress(arg) {
		return openTrust(arg)
	}
	files, err := in.read(cmd.Context(), []string{arg}, cmd.OutOrStdout())
	if err != nil {
		return nil, nil, err
	}
	z, err := zip.NewReader(bytes.NewReader(files[0].Content), int64(len(files[0].Content)))
	if err != nil {
		return nil, nil, fmt.Errorf("%s: no zip: %w", clean1(arg), err)
	}
	return z, io.NopCloser(nil), nil
}

func allFiles(fsys fs.FS) (map[string][]byte, error) {
	files := map[string][]byte{}
	err := fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files[name], err = fs.ReadFile(fsys, name)
		return err
	})
	return files, err
}
