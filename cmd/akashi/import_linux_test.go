package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"akashi/internal/testkit"
)

// S-006, ADR 0028: a trust list of JSON-LD names its contexts by address. None is fetched, whatever
// it names: the import runs in a process that dies with its first socket.
func TestImportAsksNobody(t *testing.T) {
	url, came := lure(t)
	good := string(testkit.Read(t, "who/trust/v2_trustlist_PH4H_CHL.did.json"))
	key := testkit.Shared(t, "who/trust/who-dev-list-signing-key.did.json")
	dir := t.TempDir()
	for name, c := range map[string]struct {
		text   string
		status int
	}{
		"good":             {good, 0},
		"another context":  {strings.Replace(good, "https://www.w3.org/ns/did/v1", url+"/context", 1), 1},
		"one more context": {strings.Replace(good, `["https://www.w3.org/ns/did/v1"`, `["`+url+`/context","https://www.w3.org/ns/did/v1"`, 1), 1},
		"a context within": {strings.Replace(good, `"type":"JsonWebKey2020"`, `"@context":"`+url+`/context","type":"JsonWebKey2020"`, 1), 1},
		"of the proof":     {strings.Replace(good, `"proof":{`, `"proof":{"@context":"`+url+`/context",`, 1), 0}, // the proof's is fixed
		"an imported one":  {strings.Replace(good, `["https://www.w3.org/ns/did/v1"`, `[{"@import":"`+url+`/context"},"https://www.w3.org/ns/did/v1"`, 1), 1},
	} {
		if c.text == good && name != "good" {
			t.Fatalf("%s changes nothing", name)
		}
		list := filepath.Join(dir, name)
		if err := os.WriteFile(list, []byte(c.text), 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command("/proc/self/exe", "trust", "import", "gdhcn", list, "--key", key, "--out", list+".trust")
		cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "TEST_SEALED=1", "AKASHI_DATA="+dir)
		out, _ := cmd.CombinedOutput()
		status := cmd.ProcessState.Sys().(syscall.WaitStatus)
		if status.Signaled() || status.ExitStatus() != c.status {
			t.Errorf("%s: status %d, signal %v: %s", name, status.ExitStatus(), status.Signal(), out)
		}
	}
	if n := came.Load(); n != 0 {
		t.Errorf("%d connections", n)
	}
}
