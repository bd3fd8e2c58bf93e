package main

import (
	"bytes"
	"crypto/tls"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
	"akashi/signing"
)

// installation is an installation with TLS on every face and a registered terminal.
type installation struct {
	servers, terminals *testkit.Authority
	environ            []string
	staff              *process
	terminal           string // its id
	certificate, key   string // its PEM files
}

// shows is a client that shows certificates, or none.
func (i *installation) shows(pairs ...tls.Certificate) *http.Client {
	return &http.Client{Timeout: 60 * time.Second, Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: i.servers.Pool, Certificates: pairs}, ForceAttemptHTTP2: true,
	}}
}

func newInstallation(t *testing.T) *installation {
	t.Helper()
	i := &installation{servers: testkit.NewAuthority(t, "servers"), terminals: testkit.NewAuthority(t, "terminals")}
	_, certificate, key := i.servers.Issue("server", false)
	i.environ = []string{
		"AKASHI_TLS_CERTIFICATE=" + certificate, "AKASHI_TLS_KEY=" + key, "AKASHI_STAFF_CLIENT_CA=" + i.terminals.File, "AKASHI_STAFF_TERMINALS=required",
	}
	return i
}

// register makes a terminal as an operator does, and lets `call` use it from now on.
func (i *installation) register(t *testing.T, p *process) {
	t.Helper()
	p.origin = strings.Replace(p.origin, "http:", "https:", 1)
	var pair tls.Certificate
	pair, i.certificate, i.key = i.terminals.Issue("counter", true)
	p.line = []string{"--ca", i.servers.File, "--certificate", i.certificate, "--key", i.key}
	out := p.command(t, "office", "terminal", "add", "900001", "--name", "Counter 1", "--certificate", i.certificate)
	i.staff, i.terminal = p, strings.Fields(out)[1]
	plain := client
	client = i.shows(pair)
	t.Cleanup(func() { client = plain })
}

// command runs a command of the program beside the server.
func (p *process) command(t *testing.T, args ...string) string {
	t.Helper()
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = p.cmd.Env
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %v %s", args, err, out)
	}
	return string(out)
}

// Issue 4, section 2: the program with settings as in production, as far as its TEST
// keys let it (ADR 8): TLS on every face, terminals required. From the sign-in at a
// registered terminal to a page and to the verdict of a stranger, in one process and
// in separate ones with database roles of their own; then the terminal is revoked.
func TestSecured(t *testing.T) {
	t.Run("ok/one process, SQLite", func(t *testing.T) {
		i := newInstallation(t)
		p := start(t, t.TempDir(), i.environ...)
		i.register(t, p)
		i.wholeWay(t, p.faces)
		second := exec.Command(os.Args[0], "serve")
		second.Env = p.cmd.Env
		if out, err := second.CombinedOutput(); err == nil || !bytes.Contains(out, []byte("akashi.db: another process serves")) {
			t.Errorf("a second server: %v %s", err, out)
		}
	})
	t.Run("ok/separate processes, PostgreSQL", func(t *testing.T) {
		i, d := newInstallation(t), testkit.Postgres(t)
		data, bare := t.TempDir(), t.TempDir()
		with := func(environ ...string) []string { return append(slices.Clone(i.environ), environ...) }
		staff := startFaces(t, data, 2, []string{"--faces", "staff,ops"},
			with("AKASHI_DATABASE_URL="+d.StaffURL, "AKASHI_MIGRATE_URL="+d.OwnerURL, "AKASHI_DATABASE_URL_SIGNER="+d.SignerURL, "AKASHI_NODES=2")...)
		list, err := os.ReadFile(filepath.Join(data, "keys", signing.CRLFile))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(filepath.Join(bare, "keys"), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(bare, "keys", signing.CRLFile), list, 0o600); err != nil {
			t.Fatal(err)
		}
		public := startFaces(t, bare, 2, []string{"--faces", "public,ops"}, with("AKASHI_DATABASE_URL="+d.PublicURL)...)
		jobs := startFaces(t, data, 1, []string{"--faces", "jobs,ops"}, with("AKASHI_DATABASE_URL="+d.JobsURL, "AKASHI_DATABASE_URL_SIGNER="+d.SignerURL, "AKASHI_NODES=2")...)
		i.register(t, staff)
		for name, p := range map[string]*process{"public": public, "jobs": jobs} {
			if status, _, raw := call(t, "GET", p.faces["ops"]+"/readyz", "", "", nil); status != 200 {
				t.Errorf("%s is not ready: %d %s", name, status, raw)
			}
		}
		i.wholeWay(t, map[string]string{"staff": staff.faces["staff"], "ops": staff.faces["ops"], "public": public.faces["public"]})
	})
}

func (i *installation) wholeWay(t *testing.T, faces map[string]string) {
	for face, base := range faces {
		if !strings.HasPrefix(base, "https://") {
			t.Fatalf("the %s face is at %s", face, base)
		}
	}
	i.refuses(t, faces)
	clerk, officer := officers(t, i.staff)
	staff := faces["staff"]
	bring(t, staff, clerk, officer)
	id := approved(t, staff, clerk)
	status, certificate, raw := call(t, "POST", staff+"/api/v1/applications/"+id+"/certificate", clerk, "", nil)
	if status != 201 {
		t.Fatalf("certificate: %d %s", status, raw)
	}
	url := staff + "/api/v1/certificates/" + certificate["id"].(string)
	status, _, page := call(t, "POST", url+"/prints", clerk, "", nil)
	if text := textOf(t, page); status/100 != 2 || !strings.Contains(text, certificate["id"].(string)) || !strings.Contains(text, "SAKURAI") {
		t.Errorf("print: %d %s", status, text)
	}
	_, _, card := call(t, "GET", url+"/card", clerk, "", nil)
	status, _, verdict := call(t, "POST", faces["public"]+"/api/v1/verify", "", "application/smart-health-card", card)
	if status != 200 || !bytes.Contains(verdict, []byte(`"outcome":"valid"`)) {
		t.Errorf("verify: %d %s", status, verdict)
	}
	if status, _, _ := call(t, "GET", faces["ops"]+"/readyz", "", "", nil); status != 200 {
		t.Errorf("ready: %d", status)
	}
	i.staff.command(t, "office", "terminal", "revoke", "900001", i.terminal)
	if status, _, raw := call(t, "GET", url, clerk, "", nil); status != 403 || !bytes.Contains(raw, []byte(`"terminal"`)) {
		t.Errorf("at a revoked terminal: %d %s", status, raw)
	}
}

// refuses demands what no face or terminal of the installation may let through.
func (i *installation) refuses(t *testing.T, faces map[string]string) {
	t.Helper()
	stranger, _, _ := testkit.NewAuthority(t, "others").Issue("stranger", true)
	unregistered, _, _ := i.terminals.Issue("unregistered", true)
	for name, c := range map[string]*http.Client{"no certificate": i.shows(), "of another authority": i.shows(stranger)} {
		if resp, err := c.Get(faces["staff"] + "/sign-in"); err == nil {
			_ = resp.Body.Close()
			t.Errorf("error/%s: %d", name, resp.StatusCode)
		}
	}
	if resp, err := i.shows(unregistered).Get(faces["staff"] + "/sign-in"); err != nil || resp.StatusCode != http.StatusForbidden {
		t.Errorf("error/unregistered: %v %v", resp, err)
	}
	old := i.shows()
	old.Transport.(*http.Transport).TLSClientConfig.MaxVersion = tls.VersionTLS11
	for face, base := range faces {
		if resp, err := old.Get(base + "/"); err == nil {
			t.Errorf("error/TLS 1.1 on %s: %d", face, resp.StatusCode)
		}
		resp, err := http.Get(strings.Replace(base, "https:", "http:", 1) + "/")
		if err == nil && resp.StatusCode != http.StatusBadRequest {
			t.Errorf("error/without TLS on %s: %d", face, resp.StatusCode)
		}
	}
}

// textOf is what another program reads in a page.
func textOf(t *testing.T, page []byte) string {
	t.Helper()
	cmd := exec.Command(testkit.Tool(t, "pdftotext"), "-", "-")
	cmd.Stdin = bytes.NewReader(page)
	text, err := cmd.Output()
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
