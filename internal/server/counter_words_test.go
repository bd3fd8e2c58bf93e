package server

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"akashi/internal/counter"
	"akashi/internal/office"
	"akashi/internal/watch"
)

var actionText = regexp.MustCompile(`^[a-z]+(-[a-z]+)?\.[a-z_]+(-[a-z]+)?$`)

// actions are the codes of all acts that the log can hold: what use cases name, and
// what a refused route is called.
func actions(t *testing.T) map[string]bool {
	t.Helper()
	all := map[string]bool{string(office.RecoverAccount): true}
	var literals []string
	nouns := map[string]bool{"number": true}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		base := filepath.Base(path)
		if err != nil || d.IsDir() || !strings.HasSuffix(base, ".go") || strings.HasSuffix(base, "_test.go") || base == "approval_kind.go" || base == "permission.go" || strings.Contains(path, "testkit") || filepath.Base(filepath.Dir(path)) == "paper" {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.KeyValueExpr:
				key, _ := n.Key.(*ast.Ident)
				value, _ := n.Value.(*ast.BasicLit)
				if key != nil && key.Name == "Action" && value != nil {
					text, _ := strconv.Unquote(value.Value)
					noun, _, _ := strings.Cut(text, ".")
					nouns[noun] = true
				}
			case *ast.BasicLit:
				if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING && actionText.MatchString(text) {
					literals = append(literals, text)
				}
			case *ast.CallExpr:
				if f, ok := n.Fun.(*ast.SelectorExpr); ok && f.Sel.Name == "entry" && len(n.Args) == 2 && filepath.Base(filepath.Dir(path)) == "issuance" {
					if what, ok := n.Args[0].(*ast.BasicLit); ok {
						verb, _ := strconv.Unquote(what.Value)
						all["revocation."+verb], all["reissue."+verb] = true, true
					}
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range literals {
		if noun, verb, _ := strings.Cut(text, "."); nouns[noun] && !slices.Contains([]string{"json", "go", "key"}, verb) {
			all[text] = true
		}
	}
	for _, r := range (&Server{}).routes() {
		if r.permission != anyone && r.id != "verify" && r.faces[0] == staffFace && (!r.hidden || r.logged != "") {
			all[r.action()] = true
		}
	}
	return all
}

// An approval leads to the page where it is carried out, but for what a command does.
func TestStepsOfApprovals(t *testing.T) {
	byCommand := []office.Kind{"key.activate", "key.generate", "key.retire", "log.admit", "numbers.rekey", "person.erase", "retention.erase", "retention.override"}
	for _, k := range office.Kinds() {
		if linked := stepsOf(approvalBody{Kind: k, Object: "x", Parameters: map[string]string{"request": "x"}}).Link != ""; linked == slices.Contains(byCommand, k) {
			t.Errorf("%s: linked %t", k, linked)
		}
	}
}

// Each act that the log can hold is told in words, in both languages, and no other is
// offered to be looked for.
func TestActionsHaveWords(t *testing.T) {
	known, worded := actions(t), counter.Actions()
	if len(known) < 100 {
		t.Fatalf("only %d acts found", len(known))
	}
	for a := range known {
		if !slices.Contains(worded, a) {
			t.Errorf("error/no words for %s", a)
		}
		if !watch.Classified(a) { // a look-up is counted, a leak is told
			t.Errorf("error/nobody has said what %s shows of people", a)
		}
	}
	for _, a := range worded {
		if !known[a] {
			t.Errorf("error/nothing is called %s", a)
		}
	}
}
