// Command bom writes the bill of materials of the program (CycloneDX 1.6) and
// refuses what nobody has reviewed: a module that release/licences.tsv does not
// name, a licence text that has changed since, or a licence that is not among
// those that may be shipped.
//
//	go run ./release/bom -out bin/akashi.cdx.json
//	go run ./release/bom -list        # today's lines, for the reviewer
package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	cdx "github.com/CycloneDX/cyclonedx-go"
)

// may lists the licences under which a part may be shipped in one binary; "blessing" is
// the public-domain dedication of SQLite.
var may = []string{"0BSD", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "blessing"}

// module is a part of the program; texts is the SHA-256 of its licence files.
type module struct{ path, version, texts string }

func main() {
	list := flag.Bool("list", false, "print the lines of the reviewed list as they would be today")
	reviewed := flag.String("licences", "release/licences.tsv", "the reviewed list")
	out := flag.String("out", "", "where the bill goes")
	flag.Parse()
	if err := run(*list, *reviewed, *out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(list bool, reviewed, out string) error {
	modules, err := linked()
	if err != nil {
		return err
	}
	text, err := os.ReadFile(reviewed)
	if err != nil {
		return err
	}
	known := readList(string(text))
	if list {
		for _, m := range modules {
			fmt.Printf("%s\t%s\t%s\n", m.path, known[m.path].licence, m.texts)
		}
		return nil
	}
	if err := review(modules, known); err != nil {
		return err
	}
	if out == "" {
		return nil
	}
	var b bytes.Buffer
	if err := write(&b, modules, known); err != nil {
		return err
	}
	return os.WriteFile(out, b.Bytes(), 0o644)
}

// linked returns the modules that the program is built from.
func linked() ([]module, error) {
	const line = `{{with .Module}}{{if not .Main}}{{.Path}}	{{.Version}}	{{.Dir}}{{end}}{{end}}`
	list := exec.CommandContext(context.Background(), "go", "list", "-tags", "pkcs11", "-deps", "-f", line, "./cmd/akashi")
	list.Stderr = os.Stderr
	list.Env = append(os.Environ(), "CGO_ENABLED=1") // parts of both builds
	text, err := list.Output()
	if err != nil {
		return nil, fmt.Errorf("go list: %w", err)
	}
	lines := strings.Split(strings.TrimSpace(string(text)), "\n")
	slices.Sort(lines)
	var modules []module
	for _, l := range slices.Compact(lines) {
		f := strings.Split(l, "\t")
		if len(f) != 3 {
			continue
		}
		texts, err := licenceTexts(f[2])
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f[0], err)
		}
		modules = append(modules, module{f[0], f[1], texts})
	}
	return modules, nil
}

var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying)`)

// licenceTexts returns the SHA-256 of the licence files of a module, in the order of their names.
func licenceTexts(dir string) (string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", err
	}
	sum, files := sha256.New(), 0
	for _, e := range entries {
		if e.IsDir() || !licenceFile.MatchString(e.Name()) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", err
		}
		sum.Write(text)
		files++
	}
	if files == 0 {
		return "", errors.New("no licence file")
	}
	return fmt.Sprintf("%x", sum.Sum(nil)), nil
}

// judged is a line of the reviewed list.
type judged struct{ licence, texts string }

func readList(text string) map[string]judged {
	known := map[string]judged{}
	for line := range strings.Lines(text) {
		if f := strings.Split(strings.TrimSpace(line), "\t"); len(f) == 3 && !strings.HasPrefix(line, "#") {
			known[f[0]] = judged{f[1], f[2]}
		}
	}
	return known
}

func review(modules []module, known map[string]judged) error {
	var errs []error
	seen := map[string]bool{}
	for _, m := range modules {
		seen[m.path] = true
		switch k, ok := known[m.path]; {
		case !ok:
			errs = append(errs, fmt.Errorf("bom: %s is not in the reviewed list", m.path))
		case k.texts != m.texts:
			errs = append(errs, fmt.Errorf("bom: the licence of %s has changed since it was reviewed", m.path))
		default:
			for licence := range strings.SplitSeq(k.licence, " AND ") {
				if !slices.Contains(may, licence) {
					errs = append(errs, fmt.Errorf("bom: %s is under %q, which may not be shipped", m.path, licence))
				}
			}
		}
	}
	for path := range known {
		if !seen[path] {
			errs = append(errs, fmt.Errorf("bom: %s is in the reviewed list and no part of the program", path))
		}
	}
	return errors.Join(errs...)
}

func write(w io.Writer, modules []module, known map[string]judged) error {
	b := cdx.NewBOM()
	b.Metadata = &cdx.Metadata{Component: &cdx.Component{Type: cdx.ComponentTypeApplication, Name: "akashi", BOMRef: "akashi"}}
	components, names := []cdx.Component{}, []string{}
	for _, m := range modules {
		url := "pkg:golang/" + m.path + "@" + m.version
		names = append(names, url)
		components = append(components, cdx.Component{
			Type: cdx.ComponentTypeLibrary, Name: m.path, Version: m.version, PackageURL: url, BOMRef: url,
			Licenses: &cdx.Licenses{{Expression: known[m.path].licence}},
		})
	}
	b.Components = &components
	b.Dependencies = &[]cdx.Dependency{{Ref: "akashi", Dependencies: &names}}
	e := cdx.NewBOMEncoder(w, cdx.BOMFileFormatJSON)
	return e.SetPretty(true).Encode(b)
}
