package floors

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

const module = "akashi/"

// floors, top to bottom. A package imports only lower floors. "x/..." stands for
// x and all below it; there a child may import its parent, never the reverse.
var floors = [][]string{
	{"cmd/akashi"},
	{"internal/cli/...", "internal/server/...", "internal/store/..."},
	{"internal/issuance", "internal/publish", "internal/counter", "internal/statistics", "internal/exchange/..."},
	{"internal/application"},
	{"internal/vaccination", "internal/custody", "internal/keys", "internal/watch", "internal/paper", "certificate/verify"},
	{"internal/vault"},
	{"internal/office"},
	{"internal/audit/...", "certificate/pdf"},
	{"certificate/shc", "certificate/vdsnc", "certificate/hcert"},
	{"certificate/trust", "passport/chip"},
	{"certificate", "signing", "signing/pkcs11"},
	{"passport", "certificate/catalogue", "certificate/certlogic", "certificate/qr", "certificate/font", "certificate/jsonld", "signing/pki", "internal/seal"},
	{"internal/fault", "internal/clock", "internal/idgen", "internal/actor", "internal/topology", "internal/strictjson", "internal/softkey", "internal/merkle", "internal/backup", "templates", "samples", "migrations"},
}

// testOnly packages are imported by tests and by each other.
var testOnly = []string{"internal/testkit", "internal/testkit/world", "internal/floors", "release", "release/bom", "test/outside", "test/planted", "test/proof", "test/storybook", "test/torture"}

// confined libraries, by prefix of their import path, and their only importers.
var confined = []struct {
	library   string
	importers []string
}{
	{"github.com/gin-gonic/", []string{"internal/server/..."}},
	{"github.com/gin-contrib/", []string{"internal/server/..."}},
	{"github.com/danielgtaylor/huma/v2/adapters/humagin", []string{"internal/server/..."}},
	{"gorm.io/", []string{"internal/store/..."}},
	{"github.com/go-pdf/fpdf", []string{"certificate/pdf", "internal/paper"}},
	{"codeberg.org/go-pdf/fpdf", []string{"certificate/pdf", "internal/paper"}},
	{"golang.org/x/mod/", []string{"internal/merkle", "internal/audit/tree", "internal/cli", "internal/publish", "internal/watch", "certificate/trust", "signing"}},
	{"github.com/lestrrat-go/jwx/", []string{"signing", "certificate/shc"}},
	{"github.com/fxamacker/cbor/", []string{"certificate/hcert"}},
	{"github.com/piprate/json-gold/", []string{"certificate/jsonld"}},
	{"filippo.io/age", []string{"internal/backup", "internal/cli"}},
	{"github.com/go-webauthn/", []string{"internal/office"}},
	{"github.com/alexedwards/scs/", []string{"internal/office"}},
}

// imports maps each package, by its path below the module, to what its
// production files import.
type imports map[string][]string

func TestFloors(t *testing.T) {
	for _, v := range violations(listImports(t)) {
		t.Error(v)
	}
}

func TestPlantedImports(t *testing.T) {
	sound := imports{
		"cmd/akashi":            {"os", "akashi/internal/cli", "akashi/internal/server", "akashi/internal/server/staff", "akashi/internal/store"},
		"internal/server":       {"akashi/internal/issuance", "github.com/gin-gonic/gin"},
		"internal/server/staff": {"akashi/internal/server", "akashi/templates"},
		"internal/store":        {"akashi/internal/office", "gorm.io/gorm"},
		"internal/cli":          {"akashi/internal/issuance"},
		"internal/issuance":     {"akashi/certificate/shc", "akashi/signing"},
		"internal/office":       nil,
		"certificate/shc":       {"akashi/certificate", "github.com/lestrrat-go/jwx/v2/jwk"},
		"certificate":           {"akashi/passport"},
		"passport":              {"akashi/internal/clock"},
		"signing":               {"akashi/signing/pki"},
		"signing/pki":           nil,
		"internal/clock":        {"time"},
		"templates":             nil,
		"internal/testkit":      {"github.com/jackc/pgx/v5"},
		"test/outside":          {"akashi/internal/testkit"},
	}
	t.Run("ok/sound", func(t *testing.T) {
		if got := violations(sound); len(got) != 0 {
			t.Errorf("a sound house has %q", got)
		}
	})
	for _, c := range []struct{ name, from, imported, want string }{
		{"a higher floor", "passport", "akashi/certificate", "passport (floor 2) imports certificate (floor 3)"},
		{"the same floor", "internal/cli", "akashi/internal/store", "internal/cli (floor 12) imports internal/store (floor 12)"},
		{"server to store", "internal/server", "akashi/internal/store", "internal/server (floor 12) imports internal/store (floor 12)"},
		{"store to server", "internal/store", "akashi/internal/server", "internal/store (floor 12) imports internal/server (floor 12)"},
		{"a parent its child", "internal/server", "akashi/internal/server/staff", "internal/server (floor 12) imports internal/server/staff (floor 12)"},
		{"a child its sibling", "internal/server/staff", "akashi/internal/server/public", "internal/server/staff (floor 12) imports internal/server/public (floor 12)"},
		{"a lower child its parent", "signing/pki", "akashi/signing", "signing/pki (floor 2) imports signing (floor 3)"},
		{"a package without a floor", "internal/utils", "os", "internal/utils has no floor"},
		{"a child without a floor", "certificate/shc/deep", "os", "certificate/shc/deep has no floor"},
		{"an import without a floor", "internal/cli", "akashi/internal/models", "internal/cli imports internal/models, which has no floor"},
		{"testkit in production", "internal/store", "akashi/internal/testkit", "internal/store imports internal/testkit, which is for tests"},
		{"an outside verifier in production", "cmd/akashi", "akashi/test/outside", "cmd/akashi imports test/outside, which is for tests"},
		{"gin", "internal/issuance", "github.com/gin-gonic/gin", "internal/issuance imports github.com/gin-gonic/gin"},
		{"gin's adapter", "internal/cli", "github.com/danielgtaylor/huma/v2/adapters/humagin", "internal/cli imports github.com/danielgtaylor/huma/v2/adapters/humagin"},
		{"gorm", "internal/office", "gorm.io/gorm", "internal/office imports gorm.io/gorm"},
		{"gorm's driver", "cmd/akashi", "gorm.io/driver/postgres", "cmd/akashi imports gorm.io/driver/postgres"},
		{"fpdf", "internal/server", "github.com/go-pdf/fpdf", "internal/server imports github.com/go-pdf/fpdf"},
		{"jwx", "certificate", "github.com/lestrrat-go/jwx/v2/jws", "certificate imports github.com/lestrrat-go/jwx/v2/jws"},
		{"CBOR", "certificate/shc", "github.com/fxamacker/cbor/v2", "certificate/shc imports github.com/fxamacker/cbor/v2"},
	} {
		t.Run("error/"+c.name, func(t *testing.T) {
			planted := maps.Clone(sound)
			planted[c.from] = append(slices.Clone(sound[c.from]), c.imported)
			got := violations(planted)
			if len(got) != 1 || !strings.HasPrefix(got[0], c.want) {
				t.Errorf("got %q, want one beginning with %q", got, c.want)
			}
		})
	}
}

// strangers are what the public face stands on besides the faces themselves.
var strangers = []string{"internal/publish", "certificate/verify"}

// inner is what it must never reach in code (S-002). That the process cannot read
// it in the database either is the role's doing: one binary holds both.
var inner = []string{
	"internal/vault", "internal/seal", "internal/store", "internal/office", "internal/audit", "internal/vaccination", "internal/application", "internal/issuance",
}

// S-002: what strangers reach imports nothing that knows a person.
func TestStrangersReachNoPerson(t *testing.T) {
	all := listImports(t)
	if bad := reached(all); bad != nil {
		t.Errorf("the public face reaches %v", bad)
	}
	for _, from := range []string{"internal/publish", "certificate/trust"} {
		for _, to := range inner {
			planted := maps.Clone(all)
			planted[from] = append(slices.Clone(all[from]), module+to)
			if !slices.Contains(reached(planted), to) {
				t.Errorf("error/%s imports %s: not seen", from, to)
			}
		}
	}
}

// reached are the inner packages that can be reached from those of strangers.
func reached(all imports) (bad []string) {
	seen := map[string]bool{}
	for queue := slices.Clone(strangers); len(queue) > 0; queue = queue[1:] {
		from := queue[0]
		if seen[from] {
			continue
		}
		seen[from] = true
		if slices.Contains(inner, from) {
			bad = append(bad, from)
		}
		for _, path := range all[from] {
			if to, ours := strings.CutPrefix(path, module); ours {
				queue = append(queue, to)
			}
		}
	}
	return bad
}

func listImports(t *testing.T) imports {
	t.Helper()
	list := exec.Command("go", "list", "-e", "-json=ImportPath,Imports", "./...")
	list.Dir = testkit.Root(t)
	out, err := list.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			t.Fatalf("go list: %v\n%s", err, exit.Stderr)
		}
		t.Fatal(err)
	}
	all := imports{}
	for stream := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p struct {
			ImportPath string
			Imports    []string
		}
		if err := stream.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all[strings.TrimPrefix(p.ImportPath, module)] = p.Imports
	}
	if len(all) < 10 {
		t.Fatalf("go list names only %d packages", len(all))
	}
	return all
}

// violations returns one sentence for each broken rule, in order.
func violations(all imports) []string {
	var found []string
	for _, from := range slices.Sorted(maps.Keys(all)) {
		if slices.Contains(testOnly, from) {
			continue
		}
		if floorOf(from) == 0 {
			found = append(found, from+" has no floor: give it one in docs/design.md and in this test")
			continue
		}
		for _, path := range all[from] {
			var v string
			if to, ours := strings.CutPrefix(path, module); ours {
				v = broken(from, to)
			} else {
				v = strayed(from, path)
			}
			if v != "" {
				found = append(found, v)
			}
		}
	}
	return found
}

func broken(from, to string) string {
	switch {
	case slices.Contains(testOnly, to):
		return fmt.Sprintf("%s imports %s, which is for tests", from, to)
	case floorOf(to) == 0:
		return fmt.Sprintf("%s imports %s, which has no floor", from, to)
	case floorOf(to) < floorOf(from):
		return ""
	case floorOf(to) == floorOf(from) && strings.HasPrefix(from, to+"/"):
		return ""
	}
	return fmt.Sprintf("%s (floor %d) imports %s (floor %d)", from, floorOf(from), to, floorOf(to))
}

func strayed(from, path string) string {
	for _, c := range confined {
		if !strings.HasPrefix(path+"/", c.library) {
			continue
		}
		if !slices.ContainsFunc(c.importers, func(pattern string) bool { return matches(pattern, from) }) {
			return fmt.Sprintf("%s imports %s, which stays in %s", from, path, strings.Join(c.importers, ", "))
		}
	}
	return ""
}

// floorOf returns 1 for the lowest floor; 0 if the package has none.
func floorOf(path string) int {
	for i, floor := range floors {
		if slices.ContainsFunc(floor, func(pattern string) bool { return matches(pattern, path) }) {
			return len(floors) - i
		}
	}
	return 0
}

func matches(pattern, path string) bool {
	if root, all := strings.CutSuffix(pattern, "/..."); all {
		return path == root || strings.HasPrefix(path, root+"/")
	}
	return path == pattern
}
