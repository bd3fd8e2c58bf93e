package store

import (
	"fmt"
	"go/ast"
	"go/parser"
	gotoken "go/token"
	"io/fs"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"akashi/migrations"
)

// texted are the methods whose first argument becomes SQL.
var texted = []string{"Where", "Not", "Or", "Having", "Joins", "InnerJoins", "Order", "Group", "Table", "Select", "Omit", "Distinct", "Raw", "Exec", "Pluck", "Update", "SavePoint", "RollbackTo"}

// takers read one destination; what follows it would be an inline condition.
var takers = []string{"First", "Last", "Take", "Find", "Scan", "Delete", "Count"}

// reviewed are variables in SQL, by file, that hold one of a few constants of this
// package, or are put together from such.
var reviewed = map[string][]string{
	"act.go":         {"is.column"},
	"importer.go":    {"table"},
	"intent.go":      {"lock"},
	"person_key.go":  {"table"},
	"register.go":    {"column", "places"},
	"reseal.go":      {"c.table", "c.column", "statement"},
	"tree.go":        {"query", "columns", "src.table"},
	"vaccination.go": {"table"},
}

// batched are the makers of the steps of a batch, with the place of their text.
var batched = map[string]int{"one": 2, "every": 1, "change": 1, "demand": 1, "insert": 1}

// S-026: no struct as a condition (zero values would drop out of it), no inline
// condition, no text from outside in SQL, no update or delete of all rows; and
// every text of SQL about a tenant table names the office.
func TestNoTraps(t *testing.T) {
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	set, read := gotoken.NewFileSet(), []*ast.File{}
	for _, f := range files {
		if name := f.Name(); strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go") {
			file, err := parser.ParseFile(set, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			read = append(read, file)
		}
	}
	calls, found := traps(set, read)
	for _, f := range found {
		t.Error(f)
	}
	if calls < 50 {
		t.Errorf("only %d calls seen", calls)
	}
	for name, code := range map[string]string{
		"struct":           `db.Where(&logEntry{Office: office}).Find(&x)`,
		"struct value":     `db.Where(logEntry{}).Find(&x)`,
		"map":              `db.Where(map[string]any{"office": office}).Find(&x)`,
		"inline":           `db.Find(&x, "id = ?", id)`,
		"inline number":    `db.First(&x, id)`,
		"delete by struct": `db.Delete(&row, id)`,
		"user's condition": `db.Where("a = " + id)`,
		"formatted":        `db.Where(fmt.Sprintf("a = %s", id))`,
		"user's order":     `db.Order(id)`,
		"user's table":     `db.Table(name)`,
		"user's columns":   `db.Select(names)`,
		"raw":              `db.Raw(id)`,
		"all rows":         `db.Session(&gorm.Session{AllowGlobalUpdate: true}).Delete(&x)`,
		"user's batch":     `change("version", text, office)`,
		"no office":        `db.Raw("SELECT * FROM payloads WHERE certificate_id = ?", id)`,
		"no office, const": `const q = "UPDATE log SET result = ''"`,
	} {
		file, err := parser.ParseFile(set, name, "package p; func f() {\n"+code+"\n}", 0)
		if err != nil {
			t.Fatal(err)
		}
		if _, found := traps(set, []*ast.File{file}); len(found) != 1 {
			t.Errorf("error/%s: found %q", name, found)
		}
	}
}

var tableText = regexp.MustCompile(`CREATE TABLE (\w+) \(\s+office `)

// tenantText finds SQL about a table that leads with the office, but offices themselves.
var tenantText = sync.OnceValue(func() *regexp.Regexp {
	var names []string
	files, _ := fs.Glob(migrations.Files, "sqlite/*.sql")
	for _, f := range files {
		text, _ := migrations.Files.ReadFile(f)
		for _, m := range tableText.FindAllStringSubmatch(string(text), -1) {
			if m[1] != "offices" {
				names = append(names, m[1])
			}
		}
	}
	return regexp.MustCompile(`(?i)\b(FROM|JOIN|INTO|UPDATE)\s+"?(` + strings.Join(names, "|") + `)\b`)
})

func traps(set *gotoken.FileSet, files []*ast.File) (calls int, found []string) {
	constants := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f, func(n ast.Node) bool {
			if d, ok := n.(*ast.GenDecl); ok && d.Tok == gotoken.CONST {
				for _, s := range d.Specs {
					for _, name := range s.(*ast.ValueSpec).Names {
						constants[name.Name] = true
					}
				}
			}
			return true
		})
	}
	file := ""
	var fixed func(e ast.Expr) bool // known when it was compiled, or one of a few such
	fixed = func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.BasicLit:
			return e.Kind == gotoken.STRING
		case *ast.Ident:
			return constants[e.Name] || slices.Contains(reviewed[file], e.Name)
		case *ast.SelectorExpr:
			x, ok := e.X.(*ast.Ident)
			return ok && slices.Contains(reviewed[file], x.Name+"."+e.Sel.Name)
		case *ast.CallExpr:
			fn, ok := e.Fun.(*ast.SelectorExpr)
			return ok && fn.Sel.Name == "Sprintf" && !slices.ContainsFunc(e.Args, func(a ast.Expr) bool { return !fixed(a) })
		case *ast.BinaryExpr:
			return e.Op == gotoken.ADD && fixed(e.X) && fixed(e.Y)
		}
		return false
	}
	note := func(at ast.Node, what string) {
		found = append(found, fmt.Sprintf("%s: %s", set.Position(at.Pos()), what))
	}
	for _, f := range files {
		file = set.Position(f.Pos()).Filename
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.BasicLit:
				text, err := strconv.Unquote(n.Value)
				if n.Kind == gotoken.STRING && err == nil && tenantText().MatchString(text) && !strings.Contains(text, "office") {
					note(n, "SQL about a tenant table without its office")
				}
			case *ast.Ident:
				if n.Name == "AllowGlobalUpdate" {
					note(n, "an update of all rows")
				}
			case *ast.CallExpr:
				if maker, ok := n.Fun.(*ast.Ident); ok {
					if at, ok := batched[maker.Name]; ok && !fixed(n.Args[at]) {
						note(n, maker.Name+" takes a text that is not fixed")
					}
				}
				fn, ok := n.Fun.(*ast.SelectorExpr)
				if !ok || len(n.Args) == 0 || !gormish(fn.X) {
					return true
				}
				calls++
				switch {
				case slices.Contains(texted, fn.Sel.Name) && !fixed(n.Args[0]):
					note(n, fn.Sel.Name+" takes a text that is not fixed")
				case slices.Contains(takers, fn.Sel.Name) && len(n.Args) > 1:
					note(n, fn.Sel.Name+" has an inline condition")
				}
			}
			return true
		})
	}
	return calls, found
}

// gormish tells whether a method is called on a query: on db, q, p.db and the
// like, or on what such a call gave back.
func gormish(e ast.Expr) bool {
	switch e := e.(type) {
	case *ast.Ident:
		return slices.Contains([]string{"db", "q", "tx"}, e.Name)
	case *ast.SelectorExpr:
		return slices.Contains([]string{"db", "read", "write", "signer"}, e.Sel.Name)
	case *ast.CallExpr:
		switch fn := e.Fun.(type) {
		case *ast.SelectorExpr:
			return gormish(fn.X)
		case *ast.Ident:
			return fn.Name == "withKey"
		}
	}
	return false
}
