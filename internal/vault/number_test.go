package vault

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"log/slog"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

const sample = "123456789018"

// S-091: a number prints nowhere, in no form and in no part.
func TestNumberPrints(t *testing.T) {
	n, err := Parse(sample)
	if err != nil {
		t.Fatal(err)
	}
	entry := Entry{Number: n, Items: Items{Name: "x"}}
	var out bytes.Buffer
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x", "%X", "%T %v", "%o", "%t", "%p"} {
		args := []any{n}
		if strings.HasPrefix(verb, "%T") {
			args = []any{n, n}
		}
		_, _ = fmt.Fprintf(&out, verb+" ", args...)
		_, _ = fmt.Fprintf(&out, "%v %+v %#v ", entry, &entry, []Number{n})
	}
	for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
		slog.New(h).Info("x", "number", n, "entry", entry, "pointer", &n)
	}
	text, err := json.Marshal(map[string]any{"n": n, "p": &n, "e": entry, "m": map[string]Number{"k": n}})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(text)
	_, _ = fmt.Fprint(&out, n, &n, n.String(), fmt.Errorf("wrapped: %v", n))
	for i := 0; i+4 <= len(sample); i++ {
		if part := sample[i : i+4]; strings.Contains(out.String(), part) || strings.Contains(out.String(), fmt.Sprintf("%x", part)) {
			t.Fatalf("%q is in %s", part, out.String())
		}
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing was printed")
	}
}

// codes-and-files.md 2 and 10.
func TestParse(t *testing.T) {
	for _, in := range []string{sample, "983205673214", "111111111118"} {
		if n, err := Parse(in); err != nil || n.Reveal() != in {
			t.Errorf("ok/%s: %v", in, err)
		}
	}
	for _, in := range []string{"123456789012", "000000000000", "12345678901", "1234567890189", "１２３４５６７８９０１８", "", "1234-5678-9018"} {
		if _, err := Parse(in); err == nil || in != "" && strings.Contains(err.Error(), in) {
			t.Errorf("error/%s: %v", in, err)
		}
	}
}

// what goes out is looked through.
func TestFind(t *testing.T) {
	var canaries struct {
		Valid []string `json:"valid"`
		Wrong []string `json:"wrong_check_digit"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/own/my-number-canaries.json"), &canaries); err != nil {
		t.Fatal(err)
	}
	if n := Find("a," + strings.Join(canaries.Valid, "\n") + ",b"); n != len(canaries.Valid) {
		t.Errorf("ok/%d of %d found", n, len(canaries.Valid))
	}
	if n := Find(strings.Join(canaries.Wrong, ",")); n != 0 {
		t.Errorf("error/%d wrong check digits found", n)
	}
}

// R-152, S-031: nothing takes or gives several numbers, or people by no number.
func TestNoBulk(t *testing.T) {
	number := reflect.TypeFor[Number]()
	store := reflect.TypeFor[Store]()
	for i := range store.NumMethod() {
		m := store.Method(i)
		for j := range m.Type.NumOut() {
			switch out := m.Type.Out(j); out.Kind() {
			case reflect.Slice, reflect.Map, reflect.Chan, reflect.Func, reflect.Array:
				t.Errorf("%s gives %s", m.Name, out)
			}
		}
		takes := 0
		for j := range m.Type.NumIn() {
			if in := m.Type.In(j); in == number || in.Kind() == reflect.String {
				takes++
			}
			if in := m.Type.In(j); in.Kind() == reflect.Slice || in.Kind() == reflect.Func {
				t.Errorf("%s takes %s", m.Name, in)
			}
		}
		if takes == 0 {
			t.Errorf("%s names neither a person nor a number", m.Name)
		}
	}
}

// Only the store reveals a number, to seal it and to find it; nothing that goes
// out of the building imports this package (S-002).
func TestWhoReveals(t *testing.T) {
	root := testkit.Root(t)
	seen := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		imports := slices.ContainsFunc(file.Imports, func(i *ast.ImportSpec) bool { return i.Path.Value == `"akashi/internal/vault"` })
		if imports && !strings.HasPrefix(rel, "internal/") {
			t.Errorf("%s imports the vault", rel)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Reveal" && imports {
				if x, ok := s.X.(*ast.SelectorExpr); ok && x.Sel.Name == "Zone" {
					return true
				}
				if seen++; rel != filepath.Join("internal", "store", "vault.go") {
					t.Errorf("%s reveals a number", rel)
				}
			}
			return true
		})
		return nil
	})
	if err != nil || seen == 0 {
		t.Errorf("%d, %v", seen, err)
	}
}

// an item that is missing on both sides does not agree.
func TestDiffer(t *testing.T) {
	if got := (Items{Name: "A"}).Differ(Items{Name: "A"}); !slices.Equal(got, []string{"birth_date", "sex", "address"}) {
		t.Errorf("missing items: %v", got)
	}
	whole := Items{"A", "1991-02-18", "2", "1"}
	if got := whole.Differ(whole); got != nil {
		t.Errorf("ok/all agree: %v", got)
	}
}
