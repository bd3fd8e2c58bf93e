package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/internal/cli"
	"akashi/internal/store"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

func adapters(environ ...string) cli.Adapters {
	return cli.Adapters{Environ: environ, Open: world.OpenStore}
}

func run(t *testing.T, stdin string, args ...string) (status int, out, errs string) {
	t.Helper()
	var o, e bytes.Buffer
	status = cli.Run(t.Context(), args, strings.NewReader(stdin), &o, &e, adapters("AKASHI_DATA="+t.TempDir()))
	return status, o.String(), e.String()
}

// Issue 2, section 1: the whole job once, without a server, and a stranger verifies it.
func TestDemo(t *testing.T) {
	dir := t.TempDir()
	status, out, errs := run(t, "", "demo", "--out", dir)
	if status != 0 {
		t.Fatalf("status %d: %s", status, errs)
	}
	lines := strings.Split(strings.TrimSpace(out), "\n")
	var result struct {
		Certificates []struct {
			ID, Kind, PDF string
			IssuedOn      string `json:"issued_on"`
			Codes         []struct{ Family, File string }
		}
		Held []struct {
			Application string
			Reasons     []string
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &result); err != nil {
		t.Fatalf("last line: %v", err)
	}
	if len(result.Certificates) != 3 || len(result.Held) != 1 || len(result.Held[0].Reasons) == 0 {
		t.Fatalf("result %+v", result)
	}
	trust := filepath.Join(dir, "trust")
	for _, c := range result.Certificates {
		if _, err := os.Stat(filepath.Join(dir, c.PDF)); err != nil {
			t.Error(err)
		}
		if want := map[string]int{"travel": 2, "domestic": 1, "icvp": 1}[c.Kind]; len(c.Codes) != want {
			t.Errorf("%s: %d codes, want %d", c.Kind, len(c.Codes), want)
		}
		for _, code := range c.Codes {
			name := filepath.Join(dir, code.File)
			if status, out, errs := run(t, "", "verify", "--trust", trust, name); status != 0 {
				t.Errorf("ok/%s: status %d\n%s%s", code.File, status, out, errs)
			}
			text, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			if status, _, _ := run(t, string(text), "verify", "--trust", trust, "-"); status != 0 {
				t.Errorf("ok/%s on standard input: status %d", code.File, status)
			}
			if status, _, _ := run(t, "", "verify", name); status != 3 {
				t.Errorf("error/%s without trust: status %d, want 3", code.File, status)
			}
			changed := bytes.Clone(text)
			at := len(changed) - 40
			changed[at] = map[bool]byte{true: '1', false: '0'}[changed[at] == '0']
			if status, _, _ := run(t, string(changed), "verify", "--trust", trust, "-"); status != 1 && status != 2 {
				t.Errorf("error/%s changed: status %d", code.File, status)
			}
		}
		if c.Kind == "icvp" {
			continue
		}
		card := filepath.Join(dir, strings.TrimSuffix(c.PDF, ".pdf")+".smart-health-card")
		if status, out, _ := run(t, "", "verify", "--trust", trust, card); status != 0 {
			t.Errorf("ok/card: status %d\n%s", status, out)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{{"verify"}, {"demo"}, {"trust"}, {"nonsense"}, {"verify", "--nonsense", "x"}, {"serve", "x"}, {"office", "add"}} {
		if status, _, errs := run(t, "", args...); status != cli.UsageStatus || errs == "" {
			t.Errorf("error/%v: status %d, %q", args, status, errs)
		}
	}
	if status, out, _ := run(t, "", "version"); status != 0 || !strings.Contains(out, "akashi") {
		t.Errorf("ok/version: %d %s", status, out)
	}
}

func TestOfficeAdd(t *testing.T) {
	if status, out, errs := run(t, "", "office", "add", "900010", "--name-ja", "架空町", "--name-en", "Kakuu Town", "--unit", "健康課", "--officer", "課長 一", "--officer", "係長 二", "--operator", "情報 三"); status != 0 || strings.Count(out, "/setup#900010.") != 3 || !strings.Contains(out, "900010-operator1") {
		t.Errorf("ok: %d %s %s", status, out, errs)
	}
	for name, args := range map[string][]string{
		"check digit":    {"office", "add", "900011", "--name-ja", "a", "--name-en", "b"},
		"no name":        {"office", "add", "900010"},
		"one officer":    {"office", "add", "900010", "--name-ja", "a", "--name-en", "b", "--unit", "c", "--officer", "d"},
		"no staff":       {"office", "staff", "900010"},
		"unknown kind":   {"office", "set", "900010", "--open", "weekend"},
		"unknown rule":   {"office", "set", "900010", "--number-rule", "always"},
		"unknown class":  {"office", "set", "900010", "--keep", "alerts=3"},
		"no such action": {"office", "bogus"},
		"bad trust":      {"verify", "--trust", "/nonexistent", "x"},
	} {
		if status, _, errs := run(t, "", args...); status != cli.UsageStatus || errs == "" {
			t.Errorf("error/%s: %d %s", name, status, errs)
		}
	}
	if status, _, _ := run(t, "", "office", "add", "011002", "--name-ja", "a", "--name-en", "b", "--unit", "c", "--officer", "d", "--officer", "e"); status != 1 {
		t.Errorf("error/real office under the TEST identity: %d", status)
	}
}

// A second directory with keys of its own must not sign for a database that has others.
func TestKeysMissing(t *testing.T) {
	one, two := t.TempDir(), t.TempDir()
	url := "AKASHI_DATABASE_URL=" + filepath.Join(one, "akashi.db")
	do := func(data string) (int, string) {
		var o, e bytes.Buffer
		return cli.Run(t.Context(), []string{"office", "add", "900010", "--name-ja", "架空町", "--name-en", "Kakuu Town", "--unit", "健康課", "--officer", "課長 一", "--officer", "係長 二"},
			strings.NewReader(""), &o, &e, adapters("AKASHI_DATA="+data, url)), e.String()
	}
	if status, errs := do(one); status != 0 {
		t.Fatal(errs)
	}
	key, err := os.ReadFile(filepath.Join(one, "seal.key"))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(two, "seal.key"), key, 0o600); err != nil {
		t.Fatal(err)
	}
	if status, errs := do(two); status != 1 || !strings.Contains(errs, cli.ErrKeysMissing.Error()) {
		t.Errorf("error/no keys: %d %s", status, errs)
	}
	if list, err := os.ReadDir(two); err != nil || len(list) != 1 {
		t.Errorf("error/no keys: left %v %v", list, err)
	}
}

// A start that is refused leaves nothing behind: no key that the next start would
// take for the installation's, and no directory.
func TestRefusedStart(t *testing.T) {
	one := t.TempDir()
	do := func(environ ...string) (int, string) {
		var o, e bytes.Buffer
		return cli.Run(t.Context(), []string{"office", "set", "900001"}, strings.NewReader(""), &o, &e, adapters(environ...)), e.String()
	}
	database := "AKASHI_DATABASE_URL=" + filepath.Join(one, "akashi.db")
	if status, errs := do("AKASHI_DATA="+one, database); strings.Contains(errs, "store:") {
		t.Fatalf("the first start: %d %s", status, errs)
	}
	production := []string{
		"AKASHI_PRODUCTION=true", "AKASHI_SHC_ISSUER=https://issuer.example.jp", "AKASHI_VDSNC_ISSUER=JPN", "AKASHI_FACES=jobs", "AKASHI_NODES=1",
		"AKASHI_DATABASE_URL=postgres:///akashi?host=/nonexistent", "AKASHI_PKCS11_MODULE=/nonexistent.so", "AKASHI_PKCS11_PIN=of the test",
	}
	for name, c := range map[string]struct {
		environ []string
		want    string
	}{
		"sealed with another key":  {[]string{database}, store.ErrForeignKey.Error()},
		"no database":              {[]string{"AKASHI_DATABASE_URL=postgres:///akashi?host=/nonexistent"}, "store:"},
		"production in this build": {production, signing.ErrNoTokens.Error()},
	} {
		two := t.TempDir()
		if status, errs := do(append(c.environ, "AKASHI_DATA="+two)...); status != 1 || !strings.Contains(errs, c.want) {
			t.Errorf("error/%s: %d %s", name, status, errs)
		}
		if list, err := os.ReadDir(two); err != nil || len(list) != 0 {
			t.Errorf("error/%s: left %v %v", name, list, err)
		}
		absent := filepath.Join(two, "data")
		if status, _ := do(append(c.environ, "AKASHI_DATA="+absent)...); status != 1 {
			t.Errorf("error/%s: %d", name, status)
		}
		if _, err := os.Stat(absent); err == nil {
			t.Errorf("error/%s: the directory was left", name)
		}
	}
}

// A start whose port is taken leaves nothing behind either.
func TestBusyPort(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	data := filepath.Join(t.TempDir(), "data")
	parts := adapters("AKASHI_DATA="+data, "AKASHI_STAFF_ADDR=127.0.0.1:0", "AKASHI_PUBLIC_ADDR=127.0.0.1:0", "AKASHI_OPS_ADDR="+l.Addr().String())
	parts.Serve = func(context.Context, *cli.Node, func(map[string]string)) error { return errors.New("it was served") }
	var o, e bytes.Buffer
	if status := cli.Run(t.Context(), []string{"serve"}, strings.NewReader(""), &o, &e, parts); status != 1 || !strings.Contains(e.String(), "the ops face") {
		t.Errorf("error/busy: %d %s", status, e.String())
	}
	if _, err := os.Stat(data); err == nil {
		t.Error("error/busy: the data directory was left")
	}
}

// the two cities differ by a setting that can be changed.
func TestOfficeSet(t *testing.T) {
	data := "AKASHI_DATA=" + t.TempDir()
	do := func(args ...string) (int, string) {
		var o, e bytes.Buffer
		return cli.Run(t.Context(), args, strings.NewReader(""), &o, &e, adapters(data)), o.String() + e.String()
	}
	if status, out := do("office", "add", "900010", "--name-ja", "架空町", "--name-en", "Kakuu Town", "--unit", "健康課", "--officer", "課長 一", "--officer", "係長 二"); status != 0 {
		t.Fatal(out)
	}
	if status, out := do("office", "set", "900010", "--open", "domestic", "--automatic=false", "--number-rule", "with_application", "--keep", "records=30,log=1"); status != 0 {
		t.Errorf("ok/set: %d %s", status, out)
	}
	status, out := do("office", "set", "900010")
	for _, want := range []string{"[domestic]", "automatic      false", "with_application", "records=30,applications=5,log=1 years"} {
		if status != 0 || !strings.Contains(out, want) {
			t.Errorf("ok/show: %s is missing in %s", want, out)
		}
	}
	if status, out := do("office", "set", "900010", "--keep", "records=4"); status == 0 || !strings.Contains(out, "keep") {
		t.Errorf("error/shorter than the decree: %d %s", status, out)
	}
	if status, _ := do("office", "set", "900029"); status == 0 {
		t.Error("error/unknown office: changed")
	}
}

func TestSettings(t *testing.T) {
	for name, environ := range map[string][]string{
		"unknown":    {"AKASHI_NONSENSE=1"},
		"other iss":  {"AKASHI_SHC_ISSUER=https://example.org"},
		"bad value":  {"AKASHI_RECOVER_AGE=soon"},
		"no file":    {"AKASHI_CONFIG=/nonexistent"},
		"production": {"AKASHI_PRODUCTION=true"},
	} {
		if _, err := cli.LoadConfig(environ); err == nil {
			t.Errorf("error/%s: accepted", name)
		}
	}
	file := filepath.Join(t.TempDir(), "akashi.env")
	if err := os.WriteFile(file, []byte("# office\nAKASHI_STAFF_ADDR = 127.0.0.1:1\nAKASHI_OPS_ADDR=127.0.0.1:2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	c, err := cli.LoadConfig([]string{"AKASHI_CONFIG=" + file, "AKASHI_OPS_ADDR=127.0.0.1:3"})
	if err != nil || c.StaffAddr != "127.0.0.1:1" || c.OpsAddr != "127.0.0.1:3" {
		t.Errorf("ok/file: %+v %v", c, err)
	}
}
