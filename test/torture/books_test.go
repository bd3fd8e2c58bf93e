package torture

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	_ "modernc.org/sqlite"             // the driver "sqlite"

	"akashi/certificate/trust"
)

// open opens the database past the service, as the office.
func (d database) open(t *testing.T, data string) *sql.DB {
	t.Helper()
	driver, source := "sqlite", "file:"+filepath.Join(data, "akashi.db")+"?_pragma=busy_timeout(10000)"
	if d.direct != "" {
		driver, source = "pgx", d.direct+"&akashi.office="+officeCode
	}
	db, err := sql.Open(driver, source)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = db.Close() })
	return db
}

// widen lets few accounts look up as many people as the load needs; the budget has
// tests of its own.
func (d database) widen(t *testing.T, data string) {
	t.Helper()
	db := d.open(t, data)
	var text string
	if err := db.QueryRowContext(t.Context(), "SELECT settings FROM offices WHERE office = $1", officeCode).Scan(&text); err != nil {
		t.Fatal(err)
	}
	settings := map[string]any{}
	if err := json.Unmarshal([]byte(text), &settings); err != nil {
		t.Fatal(err)
	}
	settings["lookups"] = map[string]int{"soft": 100_000, "hard": 100_000}
	b, err := json.Marshal(settings)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(t.Context(), "UPDATE offices SET settings = $1 WHERE office = $2", string(b), officeCode); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

// stored is a row of certificates.
type stored struct {
	id, application, state, reason string
	copies                         int
}

func certificatesOf(t *testing.T, db *sql.DB) map[string]stored {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT id, application_id, state, reason, copies FROM certificates")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	all := map[string]stored{}
	for rows.Next() {
		var s stored
		if err := rows.Scan(&s.id, &s.application, &s.state, &s.reason, &s.copies); err != nil {
			t.Fatal(err)
		}
		all[s.id] = s
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return all
}

// entries counts the successful entries of the log by action and object; an entry
// about several copies counts for each.
func entries(t *testing.T, db *sql.DB) map[string]int {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT id, action, object, result, person, at, canonical FROM log")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = rows.Close() }()
	count := map[string]int{}
	for rows.Next() {
		var r struct{ ID, Action, Object, Result, Person, At string }
		var canonical []byte
		if err := rows.Scan(&r.ID, &r.Action, &r.Object, &r.Result, &r.Person, &r.At, &canonical); err != nil {
			t.Fatal(err)
		}
		same := r
		if err := json.Unmarshal(canonical, &same); err != nil || same != r {
			t.Errorf("entry %s says something else than its row: %v", r.ID, err)
		}
		if r.Result != "ok" {
			continue
		}
		for object := range strings.FieldsFuncSeq(r.Object, func(c rune) bool { return c == ' ' || c == ',' }) {
			count[r.Action+" "+object]++
		}
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return count
}

// settle waits until no intent is open.
func settle(t *testing.T, db *sql.DB) {
	t.Helper()
	eventually(t, "recovery of every intent", 90*time.Second, func() bool {
		open := -1
		if err := db.QueryRowContext(t.Context(), "SELECT count(*) FROM certificates WHERE state = 'prepared'").Scan(&open); err != nil {
			t.Fatal(err)
		}
		return open == 0
	})
}

// balance is what the books of a finished run said.
type balance struct{ stored, issued, failed, unanswered int }

// checkBooks compares what was acknowledged with what is stored (S-060): nothing
// lost, nothing doubled, no intent without an end, and for each step one entry.
func checkBooks(t *testing.T, db *sql.DB, acknowledged map[string]*issued) balance {
	t.Helper()
	settle(t, db)
	all, log := certificatesOf(t, db), entries(t, db)
	for id, a := range acknowledged {
		if s, ok := all[id]; !ok || s.state == "failed" || s.application != a.application {
			t.Errorf("acknowledged %s of %s is stored as %+v", id, a.application, s)
		}
	}
	var b balance
	live := map[string]int{}
	for id, s := range all {
		b.stored++
		issues, failures := 1, 0
		switch s.state {
		case "issued":
			b.issued++
			if live[s.application]++; live[s.application] > 1 {
				t.Errorf("application %s has more than one live certificate", s.application)
			}
		case "failed":
			b.failed++
			issues, failures = 0, 1
			t.Logf("%s failed: %s", id, s.reason)
			if s.reason == "" {
				t.Errorf("%s failed without a reason", id)
			}
		}
		if acknowledged[id] == nil && s.state != "failed" {
			b.unanswered++
		}
		if p, i, f := log["certificate.prepare "+id], log["certificate.issue "+id], log["certificate.fail "+id]; p != 1 || i != issues || f != failures {
			t.Errorf("%s is %s, and the log says: prepared %d, issued %d, failed %d times", id, s.state, p, i, f)
		}
		for n := range s.copies {
			if printed := log[fmt.Sprintf("certificate.print %s/%d", id, n+1)]; printed != 1 {
				t.Errorf("copy %d of %s was logged %d times", n+1, id, printed)
			}
		}
		if printed := log[fmt.Sprintf("certificate.print %s/%d", id, s.copies+1)]; printed != 0 {
			t.Errorf("the log has a copy %d of %s, the books have none", s.copies+1, id)
		}
	}
	return b
}

// checkAll asks for the codes of every acknowledged certificate that is still in
// force, and verifies them.
func checkAll(t *testing.T, api string, by sign, db *sql.DB, acknowledged map[string]*issued, b *trust.Bundle) (verified int) {
	t.Helper()
	for id, s := range certificatesOf(t, db) {
		a := acknowledged[id]
		if a == nil || s.state != "issued" {
			continue
		}
		var r reply
		eventually(t, "codes of "+id, 20*time.Second, func() bool {
			var err error
			r, err = ask(context.Background(), by, "GET", api+"/certificates/"+id+"/codes", "", nil)
			return err == nil && r.status != 503
		})
		if r.status == 409 && certificatesOf(t, db)[id].state != s.state {
			continue // a request that nobody waits for any more has ended it
		}
		if _, err := checkCodes(r.body, a.holds(0), b); err != nil {
			t.Error(err)
		}
		verified++
	}
	return verified
}
