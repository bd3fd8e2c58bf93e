package store

import (
	"database/sql/driver"
	"errors"
	"path/filepath"
	"slices"
	"testing"

	"akashi/internal/seal"
)

var tenantNames = map[string]bool{"a": true, "b": true, "offices": true}

// S-025, S-026: what binds every tenant table to one office, and what does not.
func TestReadStatement(t *testing.T) {
	for text, params := range map[string][]int{
		`SELECT * FROM a WHERE office = ?`:                                                                                                                  {1},
		`SELECT * FROM "a" WHERE "a"."office" = ? AND (x = ? OR y = ?)`:                                                                                     {1},
		`SELECT * FROM a WHERE x = ? AND office = ?`:                                                                                                        {2},
		`SELECT * FROM a WHERE (office = ? AND x = ?) AND y IN (?,?)`:                                                                                       {1},
		`SELECT t.*, k.w FROM a AS t JOIN b k ON k.office = t.office AND k.id = t.k WHERE t.office = $2 AND t.id = $1`:                                      {2},
		`SELECT t.* FROM a AS t LEFT JOIN b k ON k.office = t.office AND k.id = t.k WHERE t.office = ?`:                                                     {1},
		`SELECT id FROM a WHERE office = ? UNION ALL SELECT id FROM b WHERE office = ?`:                                                                     {1, 2},
		`SELECT * FROM a WHERE office = ? AND id IN (SELECT id FROM b WHERE b.office = a.office)`:                                                           {1},
		`SELECT * FROM a, b WHERE a.office = ? AND b.office = a.office`:                                                                                     {1},
		`WITH n AS (SELECT id FROM a WHERE office = ?) SELECT * FROM n`:                                                                                     {1},
		`UPDATE a SET x = ? WHERE office = ? AND id = ?`:                                                                                                    {2},
		`UPDATE a SET x = TRUE WHERE office = ? AND id IN (?) AND v = (SELECT MAX(v.v) FROM a v JOIN b i ON i.office = v.office WHERE v.office = a.office)`: {1},
		`DELETE FROM a WHERE office = ? AND x < ?`:                                                                                                          {1},
		`INSERT INTO a (id, office, x) VALUES (?, ?, ?), (?, ?, ?)`:                                                                                         {2, 5},
		`INSERT INTO "a" ("office","x") VALUES (?,?) ON CONFLICT (office, x) DO UPDATE SET v = a.v + excluded.v RETURNING office`:                           {1},
		`INSERT INTO a (office, x) VALUES (?, coalesce(?, (?)))`:                                                                                            {1},
		`INSERT OR IGNORE INTO a (office) VALUES (?)`:                                                                                                       {1},
		`UPDATE offices SET x = ? WHERE office = ?`:                                                                                                         {2},
		`SELECT * FROM a WHERE office = ? -- OR 1 = 1`:                                                                                                      {1},
	} {
		t.Run("ok/"+text, func(t *testing.T) {
			if s := readStatement(text, tenantNames); !s.tenant || s.fault != "" || !slices.Equal(s.params, params) {
				t.Errorf("%+v", s)
			}
		})
	}
	for _, text := range []string{
		`SELECT * FROM a`, `SELECT count(*) FROM "a"`, `SELECT * FROM a WHERE id = ?`,
		`SELECT * FROM a WHERE office = ? OR x = ?`, `SELECT * FROM a WHERE (office = ?) OR (x = ?)`, `SELECT * FROM a WHERE (office = ? OR x = ?)`,
		`SELECT * FROM a WHERE NOT (office = ?)`, `SELECT * FROM a WHERE NOT office = ?`, `SELECT * FROM a WHERE office <> ?`, `SELECT * FROM a WHERE office IN (?)`,
		`SELECT * FROM a WHERE office = office`, `SELECT * FROM a WHERE office = x`, `SELECT * FROM a WHERE office = ? || x`, `SELECT * FROM a WHERE x = office = ?`,
		`SELECT * FROM a WHERE office = @office`, `SELECT * FROM a WHERE office LIKE ?`, `SELECT office = ? FROM a`, `SELECT * FROM a ORDER BY office = ?`,
		`SELECT * FROM a, b WHERE a.office = ?`, `SELECT * FROM a JOIN b ON b.id = a.id WHERE a.office = ?`, `SELECT * FROM a JOIN b ON b.office = a.office`,
		`SELECT * FROM a LEFT JOIN b ON b.office = a.office AND b.office = ?`, `SELECT * FROM a LEFT JOIN b ON a.office = ? AND b.office = a.office`,
		`SELECT * FROM a RIGHT JOIN b ON b.office = a.office WHERE a.office = ?`,
		`SELECT * FROM a WHERE id IN (SELECT id FROM b WHERE b.office = ? AND b.office = a.office)`, `SELECT * FROM a WHERE office = ? AND id IN (SELECT id FROM b)`,
		`SELECT id FROM a WHERE office = ? UNION SELECT id FROM b`, `SELECT 1; SELECT * FROM a WHERE office = ?`, `SELECT * FROM a WHERE office = ?; DELETE FROM a`,
		`UPDATE a SET x = 1`, `UPDATE a SET office = ?`, `UPDATE a SET office = ? WHERE id = ?`, `DELETE FROM a`, `DELETE FROM a WHERE id = ?`,
		`INSERT INTO a VALUES (?)`, `INSERT INTO a (id) VALUES (?)`, `INSERT INTO a (office) VALUES (x)`, `INSERT INTO a (office) VALUES (? || 'x')`,
		`INSERT INTO a (office, id) SELECT office, id FROM b WHERE office = ?`, `INSERT INTO a DEFAULT VALUES`,
		`DELETE FROM offices`, `UPDATE offices SET x = 1 WHERE id = ?`,
	} {
		t.Run("error/"+text, func(t *testing.T) {
			if s := readStatement(text, tenantNames); !s.tenant || s.fault == "" && !(len(s.params) == 1 && s.params[0] < 0) {
				t.Errorf("passes: %+v", s)
			}
		})
	}
	for _, text := range []string{`SELECT * FROM keys`, `SELECT office FROM offices ORDER BY office`, `SAVEPOINT act`, `INSERT INTO installation VALUES (?, ?)`, ``} {
		if s := readStatement(text, tenantNames); s.tenant || s.fault != "" {
			t.Errorf("ok/%s: %+v", text, s)
		}
	}
}

// Neither the office of another act nor none passes, in a statement or in one
// that was prepared.
func TestGuard(t *testing.T) {
	g := &guard{}
	value := func(v any) []driver.NamedValue { return []driver.NamedValue{{Ordinal: 1, Value: v}} }
	const one = `SELECT * FROM a WHERE office = ?`
	if err := g.check(t.Context(), `DELETE FROM a`, nil); err != nil {
		t.Errorf("ok/before the schema stands: %v", err)
	}
	g.watch([]string{"a"})
	mine := withOffice(t.Context(), here)
	all := &guard{}
	all.watch([]string{"a", "log"})
	for name, c := range map[string]struct {
		err, want error
	}{
		"ok/own":               {g.check(mine, one, value(here)), nil},
		"ok/a text":            {g.check(mine, `DELETE FROM a WHERE office = '`+here+`'`, nil), nil},
		"ok/no tenant":         {g.check(t.Context(), `SELECT 1`, nil), nil},
		"ok/the whole log":     {all.check(withOffice(t.Context(), installation), `WITH o AS (SELECT 1) SELECT * FROM log`, nil), nil},
		"error/more than it":   {all.check(withOffice(t.Context(), installation), `SELECT * FROM log JOIN a ON a.id = log.id`, nil), ErrUnbound},
		"error/changing it":    {all.check(withOffice(t.Context(), installation), `DELETE FROM log`, nil), ErrUnbound},
		"error/changing, with": {all.check(withOffice(t.Context(), installation), `WITH o AS (DELETE FROM log RETURNING id) SELECT * FROM o`, nil), ErrUnbound},
		"error/whole, another": {all.check(mine, `SELECT * FROM log`, nil), ErrUnbound},
		"error/another":        {g.check(mine, one, value(there)), ErrOtherOffice},
		"error/another text":   {g.check(mine, `DELETE FROM a WHERE office = '`+there+`'`, nil), ErrOtherOffice},
		"error/empty":          {g.check(mine, one, value("")), ErrOtherOffice},
		"error/null":           {g.check(mine, one, value(nil)), ErrOtherOffice},
		"error/no parameter":   {g.check(mine, one, nil), ErrOtherOffice},
		"error/without an act": {g.check(t.Context(), one, value(here)), ErrNoOffice},
		"error/unbound":        {g.check(mine, `DELETE FROM a`, nil), ErrUnbound},
	} {
		if !errors.Is(c.err, c.want) {
			t.Errorf("%s: %v", name, c.err)
		}
	}
	for range 2 * maxKnown {
		_ = g.check(mine, one+string(make([]byte, len(g.known)%maxKnown)), value(here))
	}
	if len(g.known) > maxKnown {
		t.Errorf("%d statements kept", len(g.known))
	}

	s, err := Open(t.Context(), Config{URL: filepath.Join(t.TempDir(), "a.db"), Ring: seal.NewRing()})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = s.Close() }()
	for _, pool := range s.pools {
		if _, err := pool.ExecContext(mine, `DELETE FROM log`); !errors.Is(err, ErrUnbound) {
			t.Errorf("error/exec: %v", err)
		}
		var n int
		if err := pool.QueryRowContext(mine, `SELECT count(*) FROM log WHERE office = ?`, there).Scan(&n); !errors.Is(err, ErrOtherOffice) {
			t.Errorf("error/query: %v", err)
		}
		p, err := pool.PrepareContext(mine, `SELECT count(*) FROM log WHERE office = ?`)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = p.Close() }()
		if err := p.QueryRowContext(mine, here).Scan(&n); err != nil {
			t.Errorf("ok/prepared: %v", err)
		}
		if err := p.QueryRowContext(mine, there).Scan(&n); !errors.Is(err, ErrOtherOffice) {
			t.Errorf("error/prepared: %v", err)
		}
		if _, err := p.ExecContext(mine, there); !errors.Is(err, ErrOtherOffice) {
			t.Errorf("error/prepared exec: %v", err)
		}
	}
}

// Reading what nobody wrote does not crash.
func FuzzReadStatement(f *testing.F) {
	for _, s := range []string{`SELECT * FROM a WHERE office = ?`, `INSERT INTO a (office) VALUES ((?))`, `FROM`, `UPDATE OR`, `office =`, `)('`, `JOIN a,`, `a.office = `} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) { readStatement(s, tenantNames) })
}

func BenchmarkGuard(b *testing.B) {
	g := &guard{}
	g.watch([]string{"a", "b"})
	mine := withOffice(b.Context(), here)
	args := []driver.NamedValue{{Ordinal: 1, Value: here}}
	for b.Loop() {
		if err := g.check(mine, `SELECT t.*, k.w FROM a AS t JOIN b k ON k.office = t.office AND k.id = t.k WHERE t.office = ?`, args); err != nil {
			b.Fatal(err)
		}
	}
}
