package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"akashi/internal/testkit"
	"akashi/samples"
)

// TestMain makes the test binary the program itself, so that tests start real
// processes of exactly this build.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_AS_AKASHI") == "1" {
		main()
		return
	}
	os.Exit(m.Run())
}

// process is a running `akashi serve`.
type process struct {
	cmd    *exec.Cmd
	data   string
	origin string            // where its staff sign in
	faces  map[string]string // face to base URL
	line   []string          // arguments of sign-in for TLS
	rest   chan string       // lines that it prints after its faces
	log    *bytes.Buffer
}

var faceLine = regexp.MustCompile(`^\s+(staff|public|ops)\s+(https?://\S+)`)

// start runs the server with all faces on free ports and waits for the last one
// it announces.
func start(t *testing.T, data string, environ ...string) *process {
	t.Helper()
	return startFaces(t, data, 3, nil, environ...)
}

// startFaces runs the server with arguments, such as "--faces public", and waits
// for as many listeners.
func startFaces(t *testing.T, data string, listeners int, args []string, environ ...string) *process {
	t.Helper()
	addr, origin := freeOrigin(t)
	p := &process{data: data, origin: origin, faces: map[string]string{}, rest: make(chan string, 100), log: &bytes.Buffer{}}
	p.cmd = exec.Command(os.Args[0], append([]string{"serve"}, args...)...)
	p.cmd.Env = append(clean(os.Environ()), append([]string{
		"TEST_AS_AKASHI=1", "AKASHI_DATA=" + data, "AKASHI_STAFF_ADDR=" + addr, "AKASHI_PUBLIC_ADDR=127.0.0.1:0", "AKASHI_OPS_ADDR=127.0.0.1:0",
	}, environ...)...)
	p.cmd.Stderr = p.log
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill(); _ = p.cmd.Wait() })
	lines := bufio.NewScanner(out)
	for len(p.faces) < listeners && lines.Scan() {
		if m := faceLine.FindStringSubmatch(lines.Text()); m != nil {
			p.faces[m[1]] = m[2]
		}
	}
	if len(p.faces) < listeners {
		t.Fatalf("the server did not start: %s", p.log)
	}
	go func() {
		defer close(p.rest)
		for lines.Scan() {
			select {
			case p.rest <- lines.Text():
			default: // nobody reads them
			}
		}
	}()
	return p
}

func clean(environ []string) []string {
	var kept []string
	for _, e := range environ {
		if !strings.HasPrefix(e, "AKASHI_") {
			kept = append(kept, e)
		}
	}
	return kept
}

// stop interrupts the server and returns its exit status.
func (p *process) stop(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	_ = p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// officers follows the two set-up links of a first start with the command that
// newcomers use, and returns the session cookies.
func officers(t *testing.T, p *process) (one, two string) {
	t.Helper()
	var links map[string]string
	b, err := os.ReadFile(filepath.Join(p.data, "test-setup-links.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(b, &links); err != nil || len(links) != 3 {
		t.Fatalf("set-up links: %v", err)
	}
	return p.signIn(t, "--setup", links["900001-officer1"]), p.signIn(t, "--setup", p.origin+"/setup#"+links["900001-officer2"])
}

// signIn runs akashi sign-in and returns the cookie in the jar that it writes.
func (p *process) signIn(t *testing.T, args ...string) string {
	t.Helper()
	jar := filepath.Join(t.TempDir(), "jar")
	cmd := exec.Command(os.Args[0], slices.Concat([]string{"sign-in", "--url", p.origin, "--jar", jar}, p.line, args)...)
	cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "AKASHI_DATA="+p.data)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("sign-in: %v %s", err, out)
	}
	text, err := os.ReadFile(jar)
	if err != nil {
		t.Fatal(err)
	}
	line := regexp.MustCompile(`(?m)^#HttpOnly_localhost\tFALSE\t/\tTRUE\t0\t__Host-akashi\t(\S+)$`).FindSubmatch(text)
	if line == nil {
		t.Fatalf("no session in the jar: %s", text)
	}
	if info, err := os.Stat(jar); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("jar: %v %v", info.Mode(), err)
	}
	return string(line[1])
}

// freeOrigin is where a server can listen: passkeys are bound to it beforehand.
func freeOrigin(t *testing.T) (addr, origin string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	_, port, _ := net.SplitHostPort(l.Addr().String())
	return "127.0.0.1:" + port, "http://localhost:" + port
}

var client = &http.Client{
	Timeout:   60 * time.Second,
	Transport: &http.Transport{MaxIdleConnsPerHost: 64},
}

// call sends a request and decodes a JSON answer.
func call(t testing.TB, method, url, session, media string, body []byte) (status int, answer map[string]any, raw []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if session != "" {
		r.Header.Set("Cookie", "__Host-akashi="+session)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	a, err := client.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = a.Body.Close() }()
	if raw, err = io.ReadAll(a.Body); err != nil {
		t.Fatal(err)
	}
	_ = json.Unmarshal(raw, &answer)
	return a.StatusCode, answer, raw
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(testkit.Root(t), "samples", name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// bring imports the sample files by two people.
func bring(t *testing.T, base, clerk, officer string) {
	t.Helper()
	for _, kind := range []string{"subjects", "records"} {
		file, err := samples.Files.ReadFile(kind + ".csv")
		if err != nil {
			t.Fatal(err)
		}
		status, answer, raw := call(t, "POST", base+"/api/v1/imports/"+kind, clerk, "text/csv", file)
		if status != 201 {
			t.Fatalf("import: %d %s", status, raw)
		}
		url := fmt.Sprintf("%s/api/v1/imports/%v/commit", base, answer["id"])
		if status, _, raw := call(t, "POST", url, clerk, "", nil); status != 403 {
			t.Fatalf("commit by the same person: %d %s", status, raw)
		}
		if status, _, raw := call(t, "POST", url, officer, "", nil); status != 200 {
			t.Fatalf("commit: %d %s", status, raw)
		}
	}
}

// approved makes an application that is approved by rule.
func approved(t *testing.T, base, clerk string) string {
	t.Helper()
	status, answer, raw := call(t, "POST", base+"/api/v1/applications", clerk, "application/json", sample(t, "travel.json"))
	if status != 201 {
		t.Fatalf("create: %d %s", status, raw)
	}
	id := answer["id"].(string)
	if status, answer, raw = call(t, "POST", base+"/api/v1/applications/"+id+"/submit", clerk, "", nil); status != 200 || answer["state"] != "approved" {
		t.Fatalf("submit: %d %s", status, raw)
	}
	return id
}

// Issue 2: the real server, from import to a verdict by a stranger, and a second
// start on the same data.
func TestWholeWay(t *testing.T) {
	data := t.TempDir()
	p := start(t, data)
	staff := p.faces["staff"]
	clerk, officer := officers(t, p)
	bring(t, staff, clerk, officer)
	id := approved(t, staff, clerk)
	status, certificate, raw := call(t, "POST", staff+"/api/v1/applications/"+id+"/certificate", clerk, "", nil)
	if status != 201 {
		t.Fatalf("certificate: %d %s", status, raw)
	}
	url := staff + "/api/v1/certificates/" + certificate["id"].(string)
	if status, _, raw := call(t, "POST", url+"/prints", clerk, "", nil); status/100 != 2 || !bytes.HasPrefix(raw, []byte("%PDF-")) {
		t.Errorf("print: %d", status)
	}
	status, _, card := call(t, "GET", url+"/card", clerk, "", nil)
	if status != 200 {
		t.Fatalf("card: %d", status)
	}
	status, _, verdict := call(t, "POST", p.faces["public"]+"/api/v1/verify", "", "application/smart-health-card", card)
	if status != 200 || !bytes.Contains(verdict, []byte(`"outcome":"valid"`)) {
		t.Errorf("verify: %d %s", status, verdict)
	}
	// Step 5 of the printed lines: a moment after issuing, beside the server.
	file := filepath.Join(t.TempDir(), "certificate.smart-health-card")
	if err := os.WriteFile(file, card, 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], slices.Concat([]string{"verify", file}, p.line)...)
	cmd.Env = append(clean(os.Environ()), "TEST_AS_AKASHI=1", "AKASHI_DATA="+p.data)
	if out, err := cmd.CombinedOutput(); err != nil || !bytes.Contains(out, []byte("VALID")) {
		t.Errorf("ok/verify: %v %s", err, out)
	}
	if status, _, raw := call(t, "GET", p.faces["public"]+"/.well-known/jwks.json", "", "", nil); status != 200 || bytes.Contains(raw, []byte(`"d"`)) {
		t.Errorf("jwks: %d %s", status, raw)
	}
	if status, _, _ := call(t, "GET", p.faces["public"]+"/api/v1/certificates", "", "", nil); status != 404 {
		t.Errorf("staff route on the public face: %d", status)
	}
	if status, _, _ := call(t, "GET", p.faces["ops"]+"/readyz", "", "", nil); status != 200 {
		t.Errorf("ready: %d", status)
	}
	for _, secret := range []string{"SAKURAI", "桜井", "TK0000000", "1991-02-18", "0000000001", clerk, officer} {
		if strings.Contains(p.log.String(), secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
	if status := p.stop(t); status != 0 {
		t.Errorf("stopped with %d: %s", status, p.log)
	}
	again := start(t, data)
	clerk = again.signIn(t, "--user", "900001-officer1")
	if status, answer, _ := call(t, "GET", again.faces["staff"]+"/api/v1/certificates/"+certificate["id"].(string), clerk, "", nil); status != 200 || answer["state"] != "issued" {
		t.Errorf("after a restart: %d %v", status, answer["state"])
	}
}

// Issue 2, section 6: 1,000 parallel calls on one application, from two server
// processes on one PostgreSQL and from one on SQLite, make one live certificate.
func TestThousandCalls(t *testing.T) {
	const calls = 1000
	for name, processes := range map[string]int{"sqlite": 1, "postgres": 2} {
		t.Run("ok/"+name, func(t *testing.T) {
			data := t.TempDir()
			var environ []string
			if name == "postgres" {
				d := testkit.Postgres(t)
				environ = []string{"AKASHI_DATABASE_URL=" + d.StaffURL, "AKASHI_MIGRATE_URL=" + d.OwnerURL}
			}
			var servers []string
			var first *process
			for range processes {
				p := start(t, data, environ...)
				if first == nil {
					first = p
				}
				servers = append(servers, p.faces["staff"])
			}
			clerk, officer := officers(t, first)
			bring(t, servers[0], clerk, officer)
			id := approved(t, servers[0], clerk)
			var mu sync.Mutex
			made, ids := 0, map[any]int{}
			var group sync.WaitGroup
			queue := make(chan string, calls)
			for range 64 {
				group.Go(func() {
					for base := range queue {
						status, answer, raw := call(t, "POST", base+"/api/v1/applications/"+id+"/certificate", clerk, "", nil)
						mu.Lock()
						switch status {
						case 201:
							made++
							ids[answer["id"]]++
						case 200:
							ids[answer["id"]]++
						default:
							t.Errorf("%d %s", status, raw)
						}
						mu.Unlock()
					}
				})
			}
			for i := range calls {
				queue <- servers[i%len(servers)]
			}
			close(queue)
			group.Wait()
			status, answer, raw := call(t, "GET", servers[0]+"/api/v1/certificates?application="+id, clerk, "", nil)
			list, _ := answer["certificates"].([]any)
			if made != 1 || len(ids) != 1 || status != 200 || len(list) != 1 {
				t.Errorf("%d made, %d ids, %d stored: %s", made, len(ids), len(list), raw)
			}
		})
	}
}
