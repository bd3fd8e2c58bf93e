package floors

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// plainWriters may write a file by its name: what they write is invented, and its
// directory is named by who calls them.
var plainWriters = []string{"internal/cli/demo.go"}

// S-042: a file that is made has a random name, or may not be there before; nothing
// else makes one.
func TestFilesAreMadeExclusively(t *testing.T) {
	made := 0
	eachFile(t, func(name string, file *ast.File) {
		good, bad := makings(file)
		made += good + len(bad)
		for _, b := range bad {
			if !slices.Contains(plainWriters, name) {
				t.Errorf("%s: %s", name, b)
			}
		}
	})
	if made < 10 {
		t.Errorf("only %d calls were seen", made)
	}
	for code, want := range map[string]int{
		`os.Create("a")`: 1, `os.WriteFile("a", nil, 0)`: 1, `os.OpenFile("a", os.O_CREATE|os.O_WRONLY, 0)`: 1, `os.OpenFile("a", flag, 0)`: 1,
		`os.CreateTemp("", "a")`: 1, `os.CreateTemp("", name)`: 1, `os.MkdirTemp("", "a"+name)`: 1,
		`os.CreateTemp("", "a*")`: 0, `os.OpenFile("a", os.O_CREATE|os.O_EXCL, 0)`: 0, `os.OpenFile("a", os.O_RDONLY, 0)`: 0,
	} {
		file, err := parser.ParseFile(token.NewFileSet(), "p.go", `package p; import "os"; var a, e = `+code, 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, bad := makings(file); len(bad) != want {
			t.Errorf("%s: %v", code, bad)
		}
	}
}

// makings are the calls of a file that make files: how many do it as they should,
// and the others.
func makings(file *ast.File) (good int, bad []string) {
	ast.Inspect(file, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		exclusive := false
		switch types.ExprString(call.Fun) {
		default:
			return true
		case "os.Create", "os.WriteFile":
		case "os.OpenFile":
			flags := types.ExprString(call.Args[1])
			exclusive = strings.Contains(flags, "os.O_EXCL") || strings.HasPrefix(flags, "os.O_") && !strings.Contains(flags, "os.O_CREATE")
		case "os.CreateTemp", "os.MkdirTemp":
			pattern, ok := call.Args[1].(*ast.BasicLit)
			text := ""
			if ok {
				text, _ = strconv.Unquote(pattern.Value)
			}
			exclusive = strings.Contains(text, "*")
		}
		if exclusive {
			good++
		} else {
			bad = append(bad, types.ExprString(call))
		}
		return true
	})
	return good, bad
}
