package planted

import (
	"crypto/rand"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// check is one outside judge of a tree.
type check struct {
	tool   string // under .tools, or on the path
	args   func(root string) []string
	module string            // go.mod
	good   map[string]string // files that pass
	bad    map[string]string // files put over them
	says   string            // what it then says
}

// S-100, S-101, issue 4, section 6: each check fails on a planted fault.
func TestChecks(t *testing.T) {
	const plain = "module planted\n\ngo 1.26.0\n"
	mainDoing := func(what string) map[string]string {
		return map[string]string{"main.go": "package main\n\nimport \"os\"\n\nfunc main() {\n\t" + what + "\n}\n"}
	}
	for name, c := range map[string]check{
		"vulnerability": {
			tool: ".tools/govulncheck-v1.1.4/govulncheck", module: plain + "\nrequire golang.org/x/text v0.3.5\n",
			args: func(root string) []string { return []string{"-db", "file://" + root + "/.tools/vulndb", "./..."} },
			good: map[string]string{"main.go": "package main\n\nimport _ \"golang.org/x/text/language\"\n\nfunc main() {}\n"},
			bad: map[string]string{"main.go": "package main\n\nimport (\n\t\"os\"\n\n\t\"golang.org/x/text/language\"\n)\n\n" +
				"func main() { _, _, _ = language.ParseAcceptLanguage(os.Args[1]) }\n"},
			says: "GO-2022-1059",
		},
		"lint": {
			tool: ".tools/golangci-lint-v2.15.0/golangci-lint", module: plain,
			args: func(root string) []string { return []string{"run", "--config", root + "/.golangci.yml", "./..."} },
			good: mainDoing(`_ = os.Chdir("x")`), bad: mainDoing(`os.Chdir("x")`), says: "errcheck",
		},
		"vet": {
			tool: "go", module: plain, args: func(string) []string { return []string{"vet", "./..."} },
			good: mainDoing(`os.Exit(1)`), bad: mainDoing(`os.Exit(1); println(os.Exit == nil)`), says: "nil",
		},
		"race": {
			tool: "go", module: plain, args: func(string) []string { return []string{"test", "-race", "./..."} },
			good: map[string]string{"a_test.go": racing("done := make(chan bool); go func() { n++; done <- true }(); <-done; n++")},
			bad:  map[string]string{"a_test.go": racing("done := make(chan bool); go func() { n++; done <- true }(); n++; <-done")},
			says: "DATA RACE",
		},
		"secret": {
			tool: ".tools/gitleaks-v8.30.1/gitleaks", module: plain,
			args: func(root string) []string {
				return []string{"dir", "--no-banner", "--config", root + "/.gitleaks.toml", "--verbose", "."}
			},
			good: mainDoing(`os.Exit(1)`), bad: mainDoing(`println(os.Args[0], "ghp_` + rand.Text() + rand.Text()[:10] + `")`), says: "github-pat",
		},
	} {
		t.Run("ok/"+name, func(t *testing.T) {
			if said, err := c.run(t, c.good); err != nil {
				t.Errorf("refuses what is right: %v\n%s", err, said)
			}
		})
		t.Run("error/"+name, func(t *testing.T) {
			said, err := c.run(t, c.bad)
			if err == nil || !strings.Contains(said, c.says) {
				t.Errorf("does not say %q: %v\n%s", c.says, err, said)
			}
		})
	}
}

func racing(what string) string {
	return "package planted\n\nimport \"testing\"\n\nfunc TestN(t *testing.T) {\n\tn := 0\n\t" + what + "\n\tif n > 2 {\n\t\tt.Fatal(n)\n\t}\n}\n"
}

func (c check) run(t *testing.T, files map[string]string) (string, error) {
	t.Helper()
	root, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	tool := c.tool
	if strings.HasPrefix(tool, ".tools/") {
		tool = filepath.Join(root, tool)
		if _, err := os.Stat(tool); err != nil {
			testkit.Missing(t, c.tool)
		}
	} else {
		tool = testkit.Tool(t, tool)
	}
	dir := t.TempDir()
	write := func(name, text string) {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("go.mod", c.module)
	for name, text := range files {
		write(name, text)
	}
	if strings.Contains(c.module, "require") {
		tidy := exec.Command("go", "mod", "tidy")
		tidy.Dir = dir
		if said, err := tidy.CombinedOutput(); err != nil {
			t.Fatalf("go mod tidy: %v\n%s", err, said)
		}
	}
	cmd := exec.Command(tool, c.args(root)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=1", "GOFLAGS=-mod=mod")
	said, err := cmd.CombinedOutput()
	return string(said), err
}
