package floors

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// callers are what opens a connection to elsewhere: package and what of it.
var callers = map[string][]string{
	"net/http":   {"Get", "Post", "PostForm", "Head", "Client", "DefaultClient", "Transport", "DefaultTransport"},
	"net":        {"Dial", "DialTimeout", "DialTCP", "DialUDP", "DialIP", "DialUnix", "Dialer", "DefaultResolver", "Resolver", "LookupHost", "LookupIP", "LookupAddr"},
	"crypto/tls": {"Dial", "DialWithDialer", "Dialer"},
}

// outward libraries connect by themselves.
var outward = []string{"net/smtp", "net/rpc", "go.opentelemetry.io/otel/exporters/", "golang.org/x/net/proxy", "github.com/jackc/pgx/v5", "github.com/piprate/json-gold"}

// allowed are the connections that the program makes, by file or folder: reviewed. Each goes
// where a setting says, never where data says.
var allowed = map[string][]string{
	"internal/store/":        {"github.com/jackc/pgx/v5"},                                            // the database
	"certificate/jsonld/":    {"github.com/piprate/json-gold"},                                       // with a loader that knows the package's own contexts only
	"internal/cli/signin.go": {"net/http.Client", "net/http.Transport"},                              // --url of akashi sign-in
	"internal/cli/fetch.go":  {"net/http.Client", "net/http.Transport"},                              // addresses on the command line: akashi selfcheck, akashi trust import
	"cmd/akashi/trace.go":    {"go.opentelemetry.io/otel/exporters/"},                                // AKASHI_TRACES_URL
	"internal/watch/send.go": {"net/http.Client", "net/http.Transport", "net/http.DefaultTransport"}, // AKASHI_ALERT_URL
}

// S-006: nothing in the program connects to anywhere but where a setting says: no
// iss, jku, x5u or kid is ever fetched.
func TestNothingIsFetched(t *testing.T) {
	eachFile(t, func(name string, file *ast.File) {
		for _, c := range connections(file) {
			if !may(name, c) {
				t.Errorf("%s uses %s", name, c)
			}
		}
	})
	for _, code := range []string{
		`import "net/http"; var r, e = http.Get("u")`, `import "net/http"; var c = http.DefaultClient`, `import h "net/http"; var c = &h.Client{}`,
		`import "net"; var c, e = net.Dial("tcp", "a:1")`, `import "net"; var d net.Dialer`, `import "crypto/tls"; var d tls.Dialer`, `import _ "net/smtp"`,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", "package p; "+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if len(connections(file)) != 1 {
			t.Errorf("error/%s: not seen", code)
		}
	}
}

// eachFile parses every file of the program.
func eachFile(t *testing.T, look func(name string, file *ast.File)) {
	t.Helper()
	root, files := testkit.Root(t), 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		name, _ := filepath.Rel(root, path)
		if err != nil || d.IsDir() && (strings.HasPrefix(d.Name(), ".") && path != root || d.Name() == "node_modules") {
			if err == nil {
				err = fs.SkipDir
			}
			return err
		}
		forTests := slices.ContainsFunc(testOnly, func(dir string) bool { return strings.HasPrefix(name, dir+"/") })
		if d.IsDir() || forTests || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, nil, 0)
		if err == nil {
			files++
			look(name, file)
		}
		return err
	})
	if err != nil || files < 100 {
		t.Errorf("%d files, %v", files, err)
	}
}

func may(file, connection string) bool {
	for place, list := range allowed {
		if strings.HasPrefix(file, place) && slices.ContainsFunc(list, func(a string) bool { return strings.HasPrefix(connection, a) }) {
			return true
		}
	}
	return false
}

// connections are the ways out that a file uses.
func connections(file *ast.File) (found []string) {
	names := map[string]string{}
	for _, i := range file.Imports {
		path, _ := strconv.Unquote(i.Path.Value)
		names[path[strings.LastIndex(path, "/")+1:]] = path
		if i.Name != nil {
			names[i.Name.Name] = path
		}
		if slices.ContainsFunc(outward, func(o string) bool { return strings.HasPrefix(path, o) }) {
			found = append(found, path)
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		s, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := s.X.(*ast.Ident); ok && slices.Contains(callers[names[x.Name]], s.Sel.Name) {
			found = append(found, fmt.Sprintf("%s.%s", names[x.Name], s.Sel.Name))
		}
		return true
	})
	return found
}
