package server

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/cli"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/testkit"
)

// concrete fills the parameters of a path.
func concrete(path string) string {
	return strings.NewReplacer("{id}", "01990000-0000-7000-8000-000000000000", "{number}", "1").Replace(path)
}

// S-086: while the log has no fresh checkpoint nothing personal is done, with a
// key that says why; verifying and the keys go on.
func TestHalted(t *testing.T) {
	halted := fault.New(fault.Unavailable, "log_checkpoint_late", "")
	f := newFixture(t, func(s *Services) { s.Halted = func(context.Context) error { return halted } })
	approving := []string{"ask-approval", "list-approvals", "get-approval", "approve-approval", "refuse-approval", "withdraw-approval", "begin-step-up", "finish-step-up"}
	for _, r := range f.routes() {
		if r.permission == anyone || r.purpose == actor.Verify || r.purpose == actor.Audit || r.leaves || slices.Contains(approving, r.id) {
			continue
		}
		if got := ask(f.Staff(), f.officer, r.method, concrete(r.path), "", nil); got.status != http.StatusServiceUnavailable || got.code() != halted.Key {
			t.Errorf("error/%s: %d %s", r.id, got.status, got.body)
		}
	}
	if got := ask(f.Staff(), f.officer, http.MethodPost, prefix+"/verify", "text/plain", []byte("x")); got.status != http.StatusOK {
		t.Errorf("ok/verify: %d %s", got.status, got.body)
	}
	if got := ask(f.Public(), "", http.MethodGet, "/.well-known/jwks.json", "", nil); got.status != http.StatusOK {
		t.Errorf("ok/keys: %d %s", got.status, got.body)
	}
	// S-029: else nobody could let in the entry for which nothing is signed.
	asked := f.do(f.officer, http.MethodPost, "/approvals", `{"kind":"log.admit","object":"`+nobody+`"}`)
	f.want(t, asked, http.StatusCreated, "")
	f.want(t, f.do(f.officers(t, 1)[0], http.MethodPost, "/approvals/"+asked.json(t)["id"].(string)+"/approve", `{"reason":""}`), http.StatusOK, "")
	f.want(t, f.do(f.officer, http.MethodDelete, "/session", "", applicantHeader+": somebody served before"), http.StatusNoContent, "")
	if _, err := f.World.Accounts.Sessions.Open(t.Context(), f.officer); err == nil {
		t.Error("ok/sign-out: the session goes on")
	}
}

// docs/issuance-log.md: checkpoint, index and one bucket, named by the first
// digits only, are enough for a stranger; editions are named by their size.
func (f *fixture) testIssuanceLog(t *testing.T) {
	get := func(path string) reply {
		t.Helper()
		r := ask(f.Public(), "", "GET", prefix+"/issuance-log"+path, "", nil)
		f.note(publicFace, "GET", prefix+"/issuance-log"+path, r)
		return r
	}
	f.want(t, get("/checkpoint"), 404, "issuance_log")
	id := f.issued(t, certificate.Domestic)
	if _, err := f.Trust(t.Context()); err != nil { // makes a checkpoint
		t.Fatal(err)
	}
	code := f.do(f.clerk, "GET", certificatePath(id, "/codes"), "").json(t)["codes"].([]any)[0].(map[string]any)["text"].(string)
	jws, _, err := shc.FromNumeric(code)
	if err != nil {
		t.Fatal(err)
	}
	card, err := shc.Parse(jws)
	if err != nil {
		t.Fatal(err)
	}
	checkpoint := get("/checkpoint")
	f.want(t, checkpoint, 200, "")
	size := strings.Split(string(checkpoint.body), "\n")[1]
	index, bucket := get("/"+size+"/index"), get("/"+size+"/all")
	f.want(t, index, 200, "")
	f.want(t, bucket, 200, "")
	if len(bucket.body) != 1024 || bucket.header.Get("Access-Control-Allow-Origin") != "*" || !strings.Contains(bucket.header.Get("Cache-Control"), "immutable") {
		t.Errorf("ok/bucket: %d bytes, %v", len(bucket.body), bucket.header)
	}
	log, err := trust.OpenIssuanceLog(pinned(t, f), string(checkpoint.body), index.body, map[string][]byte{"all": bucket.body}, nil)
	if err != nil {
		t.Fatal(err)
	}
	if logged, known := log.Has(card.Digest()); !logged || !known {
		t.Error("ok/the issued card is not found")
	}
	f.want(t, get("/"+size+"/a"), 404, "issuance_log_part")
	f.want(t, get("/1/index"), 404, "issuance_log_part")
}

// pinned reads the public key of the issuance log as its keeper gives it to others.
func pinned(t *testing.T, f *fixture) string {
	t.Helper()
	key, err := os.ReadFile(filepath.Join(f.Config.Data, "keys", "issuance-log.pub"))
	if err != nil {
		t.Fatal(err)
	}
	return strings.TrimSpace(string(key))
}

// noteEntries keeps what a call left in the log: "status: action result, …", and
// what an entry of it lacks (S-083).
func (f *fixture) noteEntries(id string, r reply) {
	acts := f.actsOf(r)
	if f.logged == nil {
		f.logged = map[string][]string{}
	}
	if line := fmt.Sprintf("%d: %s", r.status, strings.Join(acts, ", ")); !slices.Contains(f.logged[id], line) {
		f.logged[id] = append(f.logged[id], line)
	}
}

// actsOf are the acts that a call left in the log, with what came of them.
func (f *fixture) actsOf(r reply) (acts []string) {
	for _, told := range f.entriesOf(r) {
		act := told.Action + " " + told.Result
		if told.Person == "" || told.Terminal == "" || told.Purpose == "" || !timeForm.MatchString(told.At) {
			act += " INCOMPLETE"
		}
		acts = append(acts, act)
	}
	return acts
}

// entriesOf are the entries of a call, from its own moment on.
func (f *fixture) entriesOf(r reply) (list []audit.Record) {
	id := r.header.Get("X-Request-Id") // made as the call began, which may be long ago
	if len(id) != 36 {
		return nil
	}
	entries, err := f.Store.Unplaced(context.Background(), tree.Log, id[:13], tree.Entry{}, 20_000)
	if err != nil {
		return nil
	}
	for _, e := range entries {
		var told audit.Record
		if json.Unmarshal(e.Data, &told) == nil && told.Request == id {
			list = append(list, told)
		}
	}
	return list
}

var timeForm = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$`)

// wantActs compares what each call of every route left in the log with the
// reviewed file (S-083): an act of the route's own in each answer to somebody who
// is known, complete, and each refusal with its reason.
func (f *fixture) wantActs(t *testing.T) {
	t.Helper()
	var b strings.Builder
	b.WriteString("# route | status: act result, …\n")
	for _, id := range slices.Sorted(maps.Keys(f.logged)) {
		if !strings.HasPrefix(id, string(staffFace)) {
			continue
		}
		slices.Sort(f.logged[id])
		for _, line := range f.logged[id] {
			fmt.Fprintf(&b, "%s | %s\n", strings.TrimPrefix(id, string(staffFace)+" "), strings.TrimSpace(line))
		}
	}
	compareGolden(t, "acts.golden", b.String())
	if strings.Contains(b.String(), "INCOMPLETE") {
		t.Error("an entry is not complete")
	}
	// Settings of an office, pages and documents are of no person; a question to a
	// passkey is logged with its answer, and one's own account is nobody else's.
	quiet := []string{
		"", "verify", "home", "openapi", "get-office", "show-sign-in", "show-setup", "get-script", "get-style",
		"begin-setup", "begin-session", "begin-step-up", "begin-passkey", "get-account",
		"show-new-application", "read-zone", "print-blank-form", "show-blank-form", "get-batch-template",
		"get-asset-counter.css", "get-asset-counter.js", "get-asset-htmx.js", "get-asset-" + counter.NameFont,
		"show-office", "show-settings",
	}
	for _, line := range strings.Split(b.String(), "\n") {
		id, what, _ := strings.Cut(line, " | ")
		status, acts, _ := strings.Cut(what, ":")
		silent := status == "401" || slices.Contains(quiet, id) || strings.HasPrefix(id, "#")
		if !silent && strings.TrimSpace(acts) == "" {
			t.Errorf("%s leaves nothing in the log", line)
		}
		if refused := strings.HasPrefix(status, "4"); refused && !silent && !strings.Contains(acts, ":") {
			t.Errorf("%s is refused without a word in the log", line)
		}
	}
}

// compareGolden compares with a reviewed file, or writes it with -update.
func compareGolden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil || got != string(want) {
		t.Errorf("%s changed; review it and run with -update (%v):\n%s", name, err, got)
	}
}

// S-084: with a log that is full or gone, every personal route answers 503 and
// releases nothing: not a certificate, not whether one exists.
func TestFailClosed(t *testing.T) {
	for name, break_ := range map[string]string{
		"full":    "CREATE TRIGGER log_is_full BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'full'); END",
		"dropped": "ALTER TABLE log RENAME TO elsewhere",
	} {
		t.Run("error/"+name, func(t *testing.T) {
			f := newFixture(t)
			f.failsClosed(t, "sqlite", "file:"+filepath.Join(f.Config.Data, "akashi.db")+"?_pragma=busy_timeout(10000)", break_, "")
		})
	}
	for name, break_ := range map[string]string{
		"full":    "CREATE FUNCTION full_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full'; END $$; CREATE TRIGGER log_is_full BEFORE INSERT ON log FOR EACH ROW EXECUTE FUNCTION full_up()",
		"dropped": "ALTER TABLE log RENAME TO elsewhere",
		"locked":  "BEGIN; LOCK TABLE log IN SHARE MODE", // what is read goes on, nothing is written
	} {
		t.Run("error/postgres "+name, func(t *testing.T) {
			d := testkit.Postgres(t)
			u, err := url.Parse(d.StaffURL)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("lock_timeout", "20ms")
			u.RawQuery = q.Encode()
			f := newFixtureOn(t, cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(u.String()), MigrateURL: cli.Secret(d.OwnerURL)})
			f.failsClosed(t, "pgx", d.OwnerURL, break_, "log")
		})
	}
}

// failsClosed breaks the log and demands that every personal route answers 503,
// with the key if one is given, and releases nothing.
func (f *fixture) failsClosed(t *testing.T, driver, dsn, break_, key string) {
	t.Helper()
	id := f.issued(t, certificate.Domestic)
	application := f.approved(t, certificate.Domestic)
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	db.SetMaxOpenConns(1) // which holds the lock
	if _, err := db.Exec(break_); err != nil {
		t.Fatal(err)
	}
	for _, r := range f.routes() {
		if r.permission == anyone || r.permission == oneself || r.purpose == actor.Verify || slices.Contains([]string{"get-office", "show-office", "show-new-application", "read-zone", "print-blank-form", "show-blank-form", "get-batch-template"}, r.id) {
			continue
		}
		of := id
		if strings.Contains(r.path, "/applications/") {
			of = application
		}
		path := strings.NewReplacer("{id}", of, "{number}", "1").Replace(r.path)
		media := ""
		if len(r.takes) > 0 {
			media = r.takes[0]
		}
		for _, who := range []string{f.clerk, f.officer} {
			got := ask(f.Staff(), who, r.method, path, media, nil)
			if got.status != http.StatusServiceUnavailable || strings.Contains(string(got.body), "shc:/") || key != "" && got.code() != key && !strings.HasPrefix(got.header.Get("Content-Type"), pageType) {
				t.Errorf("%s: %d %.200s", r.id, got.status, got.body)
			}
		}
	}
}
