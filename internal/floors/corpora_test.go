package floors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// Issues 3 and 5: every fuzzer starts from inputs that are committed beside it, something
// valid and something refused, and go test runs them.
func TestCorpora(t *testing.T) {
	fuzzers := 0
	err := filepath.WalkDir(testkit.Root(t), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			if err == nil && (d.Name() == "node_modules" || d.Name() == ".git" || d.Name() == ".tools") {
				err = fs.SkipDir
			}
			return err
		}
		if !strings.HasSuffix(path, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		for _, decl := range file.Decls {
			f, ok := decl.(*ast.FuncDecl)
			if !ok || f.Recv != nil || !strings.HasPrefix(f.Name.Name, "Fuzz") {
				continue
			}
			fuzzers++
			dir := filepath.Join(filepath.Dir(path), "testdata", "fuzz", f.Name.Name)
			if corpus, err := os.ReadDir(dir); err != nil || len(corpus) < 2 {
				t.Errorf("%s: %d inputs in %s", path, len(corpus), dir)
			}
		}
		return nil
	})
	if err != nil || fuzzers < 44 {
		t.Errorf("%d fuzzers, %v", fuzzers, err)
	}
}
