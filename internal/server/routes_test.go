package server

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/strictjson"
	"akashi/internal/testkit"
)

// updating tells whether the reviewed files are written anew, which CI never does.
func updating(t *testing.T) bool {
	t.Helper()
	if *update && os.Getenv("CI") == "true" {
		t.Fatal("CI does not write what a person has to review")
	}
	return *update
}

var update = flag.Bool("update", false, "write the golden files anew")

// S-001: the table of every face, as it was reviewed.
func TestRouteTable(t *testing.T) {
	s := &Server{}
	for _, f := range faces {
		table := "# method path | operation | permission | purpose | step-up | largest body\n"
		for _, r := range s.routes() {
			if !slices.Contains(r.faces, f) {
				continue
			}
			stepUp := map[bool]string{true: "yes", false: "no"}[r.stepUp]
			table += fmt.Sprintf("%s %s | %s | %s | %s | %s | %d\n", r.method, r.path, r.id, r.permission, r.purpose, stepUp, r.limit())
		}
		golden := filepath.Join("testdata", "routes."+string(f)+".golden")
		if updating(t) {
			if err := os.WriteFile(golden, []byte(table), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(golden)
		if err != nil {
			t.Fatal(err)
		}
		if table != string(want) {
			t.Errorf("%s: the route table changed; review it and run with -update\n%s", f, table)
		}
	}
}

// S-024: what the table says is what is served: each role meets each staff route.
func TestRolesMeetRoutes(t *testing.T) {
	f := newFixture(t)
	people := f.everyRole(t, cli.TestOffice)
	for _, r := range f.routes() {
		if r.faces[0] != staffFace || r.permission == anyone || r.permission == oneself {
			continue
		}
		path := pathParameter.ReplaceAllString(r.path, "x")
		media := ""
		if len(r.takes) > 0 {
			media = r.takes[0]
		}
		for role, key := range people {
			got := ask(f.Staff(), key, r.method, path, media, nil)
			if refused := got.code() == "permission"; refused == role.Permissions()[string(r.permission)] {
				t.Errorf("%s %s as %s: %d %s", r.method, r.path, role, got.status, got.code())
			}
		}
		// S-015: no session, a wrong one, nobody's and one of another office meet the same answer.
		var first problem
		for i, cookie := range []string{"", "nonsense", "900001.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", foreignOffice + f.clerk[6:]} {
			got := ask(f.Staff(), cookie, r.method, path, media, nil)
			f.want(t, got, 401, "session")
			var p problem
			_ = json.Unmarshal(got.body, &p)
			p.RequestID = ""
			if i == 0 {
				first = p
			}
			if p != first || got.header.Get("WWW-Authenticate") == "" {
				t.Errorf("%s %s: %+v differs from %+v", r.method, r.path, p, first)
			}
		}
		// S-001: no staff route exists on the other faces, not even for staff.
		if r.id == "verify" {
			continue
		}
		for _, h := range []http.Handler{f.Public(), f.Ops()} {
			f.want(t, ask(h, f.officer, r.method, path, media, nil), 404, "route")
		}
	}
}

// S-083: a refusal stands in the log under the person's own key, without what was asked.
func TestRefusalIsLogged(t *testing.T) {
	f := newFixture(t)
	f.want(t, f.do(f.clerk, "POST", "/imports/"+nobody+"/commit", ""), 403, "permission")
	f.want(t, f.do(f.clerk, "GET", "/applications/sakurai-mio", ""), 404, "application")
	entries, err := f.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(t.Context(), f.Clerk.Office, "")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string]string{}
	for _, e := range entries {
		var r struct{ Person, Terminal, Purpose, Action, Result, Request string }
		if err := json.Unmarshal(e, &r); err != nil {
			t.Fatal(err)
		}
		if r.Person == f.Clerk.Person && r.Terminal == "staff:192.0.2.1" && r.Request != "" {
			found[r.Action] = r.Purpose + " " + r.Result
		}
		if bytes.Contains(e, []byte("sakurai")) {
			t.Errorf("the log holds the path: %s", e)
		}
	}
	if found["import.commit"] != "import forbidden:permission" || found["application.read"] != "certificate not_found:application" {
		t.Errorf("logged: %v", found)
	}
}

// S-024: a route without permission or purpose does not start.
func TestIncompleteRoute(t *testing.T) {
	for name, spoil := range map[string]func(*route){
		"no permission":      func(r *route) { r.permission = "" },
		"unknown permission": func(r *route) { r.permission = "applications.everything" },
		"no purpose":         func(r *route) { r.purpose = "" },
		"no handler":         func(r *route) { r.serve = nil },
		"no summary":         func(r *route) { r.ja = "" },
	} {
		s := &Server{}
		all := s.routes()
		spoil(all[0])
		if _, err := s.build(staffFace, all); err == nil {
			t.Errorf("error/%s: built", name)
		}
	}
	s := &Server{documents: map[face][]byte{}}
	if _, err := s.build(staffFace, s.routes()); err != nil {
		t.Errorf("ok/whole: %v", err)
	}
}

// Issue 2, section 9: OpenAPI 3.1 at /openapi.json lists every route of its face.
func TestOpenAPI(t *testing.T) {
	f := newFixture(t)
	for at, h := range map[face]http.Handler{staffFace: f.Staff(), publicFace: f.Public()} {
		r := ask(h, "", "GET", "/openapi.json", "", nil)
		f.want(t, r, 200, "")
		var doc struct {
			OpenAPI    string
			Paths      map[string]map[string]map[string]any
			Components struct{ Schemas map[string]any }
		}
		if err := json.Unmarshal(r.body, &doc); err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(doc.OpenAPI, "3.1") {
			t.Errorf("%s: version %q", at, doc.OpenAPI)
		}
		listed := 0
		for _, methods := range doc.Paths {
			listed += len(methods)
		}
		expected := 0
		for _, r := range f.routes() {
			if !slices.Contains(r.faces, at) || r.hidden {
				continue
			}
			expected++
			op := doc.Paths[r.path][strings.ToLower(r.method)]
			if op["operationId"] != r.id || op["x-permission"] != string(r.permission) || op["summary"] != r.en {
				t.Errorf("%s: %s %s is described as %v", at, r.method, r.path, op["operationId"])
			}
			responses := op["responses"].(map[string]any)
			if responses[strconv.Itoa(r.status)] == nil || responses["default"] == nil {
				t.Errorf("%s: %s has no answers", at, r.id)
			}
		}
		if listed != expected {
			t.Errorf("%s: %d operations, want %d", at, listed, expected)
		}
		for _, bad := range []string{`"$schema"`, "ErrorModel", "ErrorDetail"} {
			if strings.Contains(string(r.body), bad) {
				t.Errorf("%s: the document has %s", at, bad)
			}
		}
	}
	f.want(t, ask(f.Ops(), "", "GET", "/openapi.json", "", nil), 404, "route")
}

// Design 4.3: every key of a fault in the code has a sentence in both languages.
func TestEveryFaultHasASentence(t *testing.T) {
	keys := faultKeys(t)
	if len(keys) < 80 {
		t.Fatalf("only %d keys found", len(keys))
	}
	if err := strictjson.Check(messageFile, 3); err != nil { // a key that stands twice has one sentence that nobody sees
		t.Error(err)
	}
	for _, key := range keys {
		ja, en := Sentence(&fault.Error{Key: key})
		if key != "internal" && en == messages["internal"].EN || ja == "" || en == "" {
			t.Errorf("%s has no sentence", key)
		}
	}
}

// A fault that is told from the log or a row has lost its arguments: each sentence is one
// without them, too.
func TestSentencesWithoutArguments(t *testing.T) {
	holes := 0
	for key, m := range messages {
		ja, en := sentenceOf("conflict:" + key)
		for said, whole := range map[string]string{ja: m.JA, en: m.EN} {
			end, _ := utf8.DecodeLastRuneInString(said)
			if strings.ContainsAny(said, "{}") || !strings.ContainsRune("。.", end) || utf8.RuneCountInString(said) < 4 {
				t.Errorf("%s: %q", key, said)
			}
			if said != whole {
				holes++
			}
		}
	}
	if holes < 60 {
		t.Errorf("only %d sentences have arguments", holes)
	}
}

// keyed are functions that take the key of a fault, and which argument it is.
var keyed = map[string]int{
	"New": 1, "missing": 1, "changedOne": 1, "bad": 1, "row": 1, "pathID": 2, "unreadDate": 0,
}

// faultKeys are the literal keys in the production code.
func faultKeys(t *testing.T) []string {
	t.Helper()
	found := map[string]bool{}
	note := func(e ast.Expr) {
		if l, ok := e.(*ast.BasicLit); ok && l.Kind == token.STRING {
			if key, err := strconv.Unquote(l.Value); err == nil {
				found[key] = true
			}
		}
	}
	root := testkit.Root(t)
	err := filepath.WalkDir(filepath.Join(root, "internal"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testkit") {
			return err
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err != nil {
			return err
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				name, isFault := "", false
				switch fn := n.Fun.(type) {
				case *ast.SelectorExpr:
					x, ok := fn.X.(*ast.Ident)
					name, isFault = fn.Sel.Name, ok && (x.Name == "fault" || x.Name == "s" || x.Name == "f")
				case *ast.Ident:
					name, isFault = fn.Name, true
				}
				if at, ok := keyed[name]; ok && isFault && at < len(n.Args) {
					note(n.Args[at])
				}
			case *ast.FuncDecl:
				if slices.Contains([]string{"jsonKey", "schemaKey"}, n.Name.Name) {
					ast.Inspect(n, func(m ast.Node) bool {
						switch m := m.(type) {
						case *ast.ReturnStmt:
							note(m.Results[0])
						case *ast.CompositeLit:
							if len(m.Elts) == 2 {
								note(m.Elts[1])
							}
						}
						return true
					})
				}
			}
			return true
		})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	keys := make([]string, 0, len(found))
	for k := range found {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}
