package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// fixture is the three faces over the assembled service, with the session cookies
// of a clerk, an officer and the officer of another office.
type fixture struct {
	*world.World
	*Server
	clerk, officer, foreign string
	foreignClerk            string
	log                     *safeBuffer
	mu                      sync.Mutex
	files                   int                      // made so far, so that each is another one
	met                     map[string]map[bool]bool // operation id → succeeded, failed
	logged                  map[string][]string      // operation id → what its calls left in the log
}

type safeBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *safeBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *safeBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

const foreignOffice = "900010"

func newFixture(t *testing.T, change ...func(*Services)) *fixture {
	t.Helper()
	return newFixtureOn(t, cli.Config{Data: t.TempDir()}, change...)
}

// newFixtureOn is newFixture on a database.
func newFixtureOn(t *testing.T, c cli.Config, change ...func(*Services)) *fixture {
	t.Helper()
	w := world.New(t, c)
	f := &fixture{World: w, log: &safeBuffer{}, met: map[string]map[bool]bool{}}
	services := Services{
		Applications: w.Applications, Imports: w.Imports, Approvals: w.Approvals, Offices: w.Offices, Budget: w.Budget, Issuance: w.Issuance, Revocations: w.Revocations, Reissues: w.Reissues, Mailings: w.Mailings, Batches: w.Batches, Retention: w.Retention, Log: w.Log, Reviews: w.Reviews, Statistics: w.Statistics, Alerts: w.Alerts, Usage: w.Usage, Covers: w.Store.Covers, Parts: w.Store, Accounts: w.Accounts, AccountRequests: w.AccountRequests, Rosters: w.Rosters, Terminals: w.Terminals, Nodes: w.Store.Nodes,
		Once: w.Store.Once, Published: w.Published.Whole, IssuanceLog: w.Published.Issuances, Withdrawn: w.Published.Lists.WithdrawnFile, Ping: w.Store.Ping,
		Logger: slog.New(slog.NewJSONHandler(f.log, nil)), SHCIssuer: w.Config.SHCIssuer, SHCName: "Akashi", Version: "test",
	}
	if err := w.Lists.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, c := range change {
		c(&services)
	}
	srv, err := New(services)
	if err != nil {
		t.Fatal(err)
	}
	f.Server = srv
	o, err := office.New(foreignOffice, "架空県隣市", "Tonari City")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddOffice(t.Context(), o, nil, nil); err != nil {
		t.Fatal(err)
	}
	w.Accounts.Hasher.Derive = fast
	f.clerk = w.SignIn(t, world.ClerkUser, office.Clerk)
	f.officer = w.SignIn(t, world.OfficerUser, office.Officer)
	f.foreign = w.SignIn(t, foreignOffice+"-officer1", office.Officer)
	f.foreignClerk = w.SignIn(t, foreignOffice+"-clerk", office.Clerk)
	return f
}

// everyRole returns a session of each role of the office.
func (f *fixture) everyRole(t *testing.T, code string) map[office.Role]string {
	t.Helper()
	all := map[office.Role]string{}
	for _, r := range office.Roles() {
		all[r] = f.SignIn(t, code+"-role-"+strings.ReplaceAll(string(r), "_", "-"), r)
	}
	return all
}

// officers returns the sessions of further officers.
func (f *fixture) officers(t *testing.T, n int) (list []string) {
	t.Helper()
	for i := range n {
		list = append(list, f.SignIn(t, fmt.Sprintf("%s-further%d", cli.TestOffice, i), office.Officer))
	}
	return list
}

// fast spares tests the slow hash.
func fast(password, salt []byte, _, _ uint32, _ uint8, _ uint32) []byte {
	sum := sha256.Sum256(append(password, salt...))
	return sum[:]
}

// reply is an answer that was read to the end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) json(t *testing.T) map[string]any {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal(r.body, &m); err != nil {
		t.Fatalf("%d %s: %v", r.status, r.body, err)
	}
	return m
}

func (r reply) code() string {
	var p problem
	_ = json.Unmarshal(r.body, &p)
	return p.Code
}

// ask is a request as the tests write it: header lines "Name: value".
func ask(h http.Handler, session, method, target, media string, body []byte, headers ...string) reply {
	req := httptest.NewRequest(method, target, bytes.NewReader(body))
	if session != "" {
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: session})
	}
	if media != "" {
		req.Header.Set("Content-Type", media)
	}
	for _, h := range headers {
		name, v, _ := strings.Cut(h, ": ")
		req.Header.Add(name, v)
	}
	rec := httptest.NewRecorder()
	h.ServeHTTP(rec, req)
	return reply{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// do asks the staff face and notes which operation met with what.
func (f *fixture) do(session, method, path, body string, headers ...string) reply {
	media := ""
	if body != "" {
		media = "application/json"
	}
	if strings.Contains(path, "/imports/subjects") || strings.Contains(path, "/imports/records") {
		media = "text/csv"
	}
	r := ask(f.Staff(), session, method, prefix+path, media, []byte(body), headers...)
	f.note(staffFace, method, prefix+path, r)
	return r
}

func (f *fixture) note(at face, method, path string, r reply) {
	f.mu.Lock()
	defer f.mu.Unlock()
	path, _, _ = strings.Cut(path, "?")
	for _, route := range f.routes() {
		if route.faces[0] == at && route.method == method && matches(route.path, path) {
			id := string(at) + " " + route.id
			if f.met[id] == nil {
				f.met[id] = map[bool]bool{}
			}
			f.met[id][r.status < 400] = true
			f.noteEntries(id, r)
			return
		}
	}
}

func matches(pattern, path string) bool {
	a, b := strings.Split(pattern, "/"), strings.Split(path, "/")
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] && !strings.HasPrefix(a[i], "{") {
			return false
		}
	}
	return true
}

// form is an application of the first sample person, as JSON.
func form(kind certificate.Kind) string {
	f := map[string]any{
		"kind": string(kind), "channel": "counter", "notice_version": "2026-11",
		"applicant": map[string]any{"relationship": "self"},
		"subject": map[string]any{
			"ticket_number": "0000000001", "name": map[string]any{"family": "桜井", "given": "澪"}, "birth_date": "1991-02-18",
		},
	}
	if kind.ShowsPassport() {
		f["passport"] = map[string]any{
			"mrz": strings.Split(world.Zone, "\n"), "data_page_name": map[string]any{"primary": "SAKURAI", "secondary": "MIO"},
		}
	}
	b, _ := json.Marshal(f)
	return string(b)
}

// approved takes an application over HTTP up to approval and returns its id.
func (f *fixture) approved(t *testing.T, kind certificate.Kind) string {
	t.Helper()
	made := f.do(f.clerk, "POST", "/applications", form(kind))
	f.want(t, made, 201, "")
	id := made.json(t)["id"].(string)
	r := f.do(f.clerk, "POST", "/applications/"+id+"/submit", "")
	f.want(t, r, 200, "")
	if r.json(t)["state"] != "approved" {
		t.Fatalf("submit: %s", r.body)
	}
	return id
}

// issued takes an application up to its certificate and returns that one's id.
func (f *fixture) issued(t *testing.T, kind certificate.Kind) string {
	t.Helper()
	r := f.do(f.clerk, "POST", "/applications/"+f.approved(t, kind)+"/certificate", "")
	f.want(t, r, 201, "")
	return r.json(t)["id"].(string)
}

// want checks status and, for a problem, code and form.
func (f *fixture) want(t *testing.T, r reply, status int, code string) {
	t.Helper()
	if r.status != status {
		t.Fatalf("status %d, want %d: %.300s", r.status, status, r.body)
	}
	if code == "" {
		return
	}
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil || r.header.Get("Content-Type") != "application/problem+json" {
		t.Fatalf("no problem: %v %s %.300s", err, r.header.Get("Content-Type"), r.body)
	}
	if p.Code != code || p.Status != status || p.RequestID == "" || p.RequestID != r.header.Get("X-Request-Id") || p.JA == "" || p.EN == "" || p.Detail == "" || messages[p.Code].Detail == "" && p.Detail != p.EN || p.Title == "" {
		t.Fatalf("problem %+v, want code %s", p, code)
	}
	if strings.ContainsAny(p.JA+p.EN+p.Detail, "{}") {
		t.Errorf("a sentence with a hole: %s %s", p.JA, p.EN)
	}
}

// serving runs the faces on free ports until the returned function is called.
func (f *fixture) serving(t *testing.T) (bound map[string]string, stop func() error) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	up, done := make(chan map[string]string, 1), make(chan error, 1)
	go func() {
		done <- f.Serve(ctx, map[string]string{"staff": "127.0.0.1:0", "public": "127.0.0.1:0", "ops": "127.0.0.1:0"},
			func(b map[string]string) { up <- b }, 20e9)
	}()
	select {
	case bound = <-up:
	case err := <-done:
		t.Fatal(err)
	}
	stopped := false
	stop = func() error {
		if stopped {
			return nil
		}
		stopped = true
		cancel()
		return <-done
	}
	t.Cleanup(func() { _ = stop() })
	return bound, stop
}

func readAll(t *testing.T, resp *http.Response, err error) reply {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = resp.Body.Close() }()
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return reply{resp.StatusCode, resp.Header, b}
}

func certificatePath(id string, rest ...string) string {
	return fmt.Sprintf("/certificates/%s%s", id, strings.Join(rest, ""))
}
