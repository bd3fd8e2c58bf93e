package torture

import (
	"context"
	"database/sql"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// The outage matrix of docs/reliability.md (S-105, S-084): what still works, what
// does not, and that everything works again afterwards, without a restart.

// counter is a running service with an approved application, and another that has its certificate.
type counter struct {
	*node
	who         staff
	api         string
	person      person
	application string
	certificate string
}

func newCounter(t *testing.T, d database) *counter {
	t.Helper()
	n := newNode(t, t.TempDir(), d.environ...)
	n.start(t)
	people := invent(2)
	c := &counter{node: n, who: signIn(t, n), api: n.faces["staff"] + "/api/v1", person: people[0]}
	bring(t, c.api, c.who, people)
	done := c.apply(t)
	c.certificate = must(t, c.who.clerk, "POST", c.api+"/applications/"+done+"/certificate", "", nil).get("id")
	c.application = c.apply(t)
	return c
}

func (c *counter) apply(t *testing.T) string {
	t.Helper()
	id, err := apply(t.Context(), c.api, c.who.clerk, c.person, true)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// meets asks and compares status and code; code "" is a success.
func (c *counter) meets(t *testing.T, what, method, url string, body []byte, status int, code string) {
	t.Helper()
	media := ""
	if body != nil {
		media = "application/json"
	}
	ctx, cancel := context.WithTimeout(t.Context(), 60*time.Second)
	defer cancel()
	r, err := ask(ctx, c.who.clerk, method, url, media, body)
	if err != nil || r.status != status || code != "" && r.get("code") != code {
		t.Errorf("%s: %d %s %v, want %d %s", what, r.status, r.get("code"), err, status, code)
	}
	for _, personal := range []string{c.person.family, c.person.passport, "SQL", ".go:", "akashi_staff"} {
		if status >= 400 && strings.Contains(string(r.body), personal) {
			t.Errorf("%s: the answer holds %q", what, personal)
		}
	}
}

// works tells that the whole way works: the application that was held up gets its
// certificate, the earlier one is as it was.
func (c *counter) works(t *testing.T) {
	t.Helper()
	eventually(t, "working again", 30*time.Second, func() bool {
		r, err := ask(t.Context(), c.who.clerk, "POST", c.api+"/applications/"+c.application+"/certificate", "", nil)
		return err == nil && r.ok()
	})
	c.meets(t, "print afterwards", "POST", c.api+"/certificates/"+c.certificate+"/prints", nil, 201, "")
	c.meets(t, "ready afterwards", "GET", c.faces["ops"]+"/readyz", nil, 200, "")
}

// Nothing can be stored: no personal act, and no answer that says it was done; what
// needs no database goes on.
func (c *counter) withoutStorage(t *testing.T) {
	t.Helper()
	c.meets(t, "application", "POST", c.api+"/applications", c.person.application(true), 503, "store")
	c.meets(t, "issue", "POST", c.api+"/applications/"+c.application+"/certificate", nil, 503, "store")
	c.meets(t, "read", "GET", c.api+"/certificates/"+c.certificate, nil, 503, "store")
	c.meets(t, "print", "POST", c.api+"/certificates/"+c.certificate+"/prints", nil, 503, "store")
	c.meets(t, "alive", "GET", c.faces["ops"]+"/healthz", nil, 200, "")
}

// The database cannot be reached.
func TestDatabaseDown(t *testing.T) {
	together(t)
	d := onPostgres(t)
	c := newCounter(t, d)
	d.wire.set(true)
	c.withoutStorage(t)
	c.meets(t, "ready", "GET", c.faces["ops"]+"/readyz", nil, 503, "database")
	d.wire.set(false)
	c.works(t)
}

// The disk is full (SQLite).
func TestDiskFull(t *testing.T) {
	together(t)
	c := newCounter(t, database{})
	c.starve(t, 0)
	c.withoutStorage(t)
	c.starve(t, -1)
	c.works(t)
}

// The log cannot be written: no act, nobody is read about (S-084).
func TestLogDown(t *testing.T) {
	together(t)
	c := newCounter(t, database{})
	db := database{}.open(t, c.data)
	if _, err := db.ExecContext(t.Context(), "CREATE TRIGGER log_down BEFORE INSERT ON log BEGIN SELECT RAISE(ABORT, 'down'); END"); err != nil {
		t.Fatal(err)
	}
	before := count(t, db, "applications")
	for what, url := range map[string]string{
		"read": c.api + "/certificates/" + c.certificate, "codes": c.api + "/certificates/" + c.certificate + "/codes", "application": c.api + "/applications/" + c.application,
	} {
		c.meets(t, what, "GET", url, nil, 503, "log")
	}
	c.meets(t, "issue", "POST", c.api+"/applications/"+c.application+"/certificate", nil, 503, "log")
	c.meets(t, "print", "POST", c.api+"/certificates/"+c.certificate+"/prints", nil, 503, "log")
	c.meets(t, "apply", "POST", c.api+"/applications", c.person.application(false), 503, "log")
	if after := count(t, db, "applications"); after != before {
		t.Errorf("%d applications without an entry in the log", after-before)
	}
	if _, err := db.ExecContext(t.Context(), "DROP TRIGGER log_down"); err != nil {
		t.Fatal(err)
	}
	c.works(t)
}

// The signer cannot read its intents, as its own way to the database is cut:
// applications are taken and decided, an issue says "later" and keeps its intent,
// which is finished when the signer is back.
func TestSignerDown(t *testing.T) {
	together(t)
	d := testkit.Postgres(t)
	signer, url := newWire(t, d.SignerURL)
	c := newCounter(t, database{environ: []string{
		"AKASHI_DATABASE_URL=" + d.StaffURL, "AKASHI_MIGRATE_URL=" + d.OwnerURL, "AKASHI_DATABASE_URL_SIGNER=" + url,
	}})
	signer.set(true)
	c.meets(t, "issue", "POST", c.api+"/applications/"+c.application+"/certificate", nil, 503, "signing_later")
	c.meets(t, "print", "POST", c.api+"/certificates/"+c.certificate+"/prints", nil, 201, "")
	c.meets(t, "ready", "GET", c.faces["ops"]+"/readyz", nil, 200, "")
	c.apply(t)
	db := database{direct: d.OwnerURL}.open(t, c.data)
	if states := certificateStates(t, db); states["prepared"] != 1 || states["issued"] != 1 {
		t.Errorf("without a signer: %v", states)
	}
	signer.set(false)
	settle(t, db)
	if states := certificateStates(t, db); states["issued"] != 2 {
		t.Errorf("afterwards: %v", states)
	}
	c.works(t)
}

func certificateStates(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	states := map[string]int{}
	for _, s := range certificatesOf(t, db) {
		states[s.state]++
	}
	return states
}

func count(t *testing.T, db *sql.DB, table string) (n int) {
	t.Helper()
	if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM "+table).Scan(&n); err != nil {
		t.Fatal(err)
	}
	return n
}
