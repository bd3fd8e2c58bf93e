package store

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"akashi/internal/seal"
	"akashi/internal/testkit"
)

var update = flag.Bool("update", false, "write the golden files anew")

// installationTables belong to no office: reviewed one by one. All others lead
// with the office.
var installationTables = []string{
	"goose_db_version", "installation", "leases", "nodes", "published_lists", "signing_keys", "tree_checkpoints", "tree_leaves", "tree_tiles",
}

// furtherPolicies let more be read than an office's own rows, by the named: reviewed.
var furtherPolicies = []string{
	"alerts.whole (r) akashi_jobs, akashi_owner, akashi_staff: " + whole,                      // the sender
	"issuance_log.whole (r) akashi_jobs, akashi_owner, akashi_public, akashi_staff: " + whole, // the publisher
	"log.whole (r) akashi_jobs, akashi_owner, akashi_staff: " + whole,                         // the sequencer
	"offices.listing (r) all: true",                                                           // names and settings
}

const whole = "(current_setting('akashi.office'::text, true) = '000000'::text)"

// migrated is a fresh database of PostgreSQL with the schema.
func migrated(t *testing.T) testkit.Database {
	t.Helper()
	d := testkit.Postgres(t)
	s, err := Open(t.Context(), Config{URL: d.StaffURL, MigrateURL: d.OwnerURL, SignerURL: d.SignerURL, Ring: seal.NewRing()})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	return d
}

func connect(t *testing.T, url string) *pgx.Conn {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close(context.Background()) })
	return conn
}

// texts returns the first column of a query.
func texts(t *testing.T, conn *pgx.Conn, query string, args ...any) []string {
	t.Helper()
	rows, err := conn.Query(t.Context(), query, args...)
	if err != nil {
		t.Fatal(err)
	}
	list, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// unpartitioned names the tables that are no office's and were not reviewed as such.
func unpartitioned(t *testing.T, conn *pgx.Conn) (bad []string) {
	for _, table := range texts(t, conn, `SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace
		AND c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT (
			c.relrowsecurity AND c.relforcerowsecurity AND EXISTS (
				SELECT FROM pg_index i JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]
				WHERE i.indrelid = c.oid AND i.indisprimary AND a.attname = 'office')
			AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid AND p.polcmd = '*'
				AND pg_get_expr(p.polqual, p.polrelid) = '(office = current_setting(''akashi.office''::text, true))'))
		ORDER BY 1`) {
		if !slices.Contains(installationTables, table) {
			bad = append(bad, table)
		}
	}
	return bad
}

// S-025: every table leads with the office and is partitioned by it, or was
// reviewed as one of the installation; and the check sees one that is not.
func TestEveryTableHasItsOffice(t *testing.T) {
	conn := connect(t, migrated(t).OwnerURL)
	if further := texts(t, conn, `SELECT c.relname || '.' || p.polname || ' (' || p.polcmd::text || ') ' ||
		coalesce((SELECT string_agg(rolname, ', ' ORDER BY rolname) FROM pg_roles WHERE oid = ANY (p.polroles)), 'all') || ': ' || pg_get_expr(p.polqual, p.polrelid) FROM pg_policy p
		JOIN pg_class c ON c.oid = p.polrelid WHERE p.polname <> 'office' ORDER BY 1`); !slices.Equal(further, furtherPolicies) {
		t.Errorf("further policies: %q", further)
	}
	if bad := unpartitioned(t, conn); bad != nil {
		t.Fatalf("not partitioned: %v", bad)
	}
	const policy = `; CREATE POLICY office ON p USING (office = current_setting('akashi.office', true))`
	for name, statement := range map[string]string{
		"error/no office":      `CREATE TABLE p (id text PRIMARY KEY)`,
		"error/office not led": `CREATE TABLE p (office text, id text, PRIMARY KEY (id, office)); ALTER TABLE p ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY` + policy,
		"error/not enabled":    `CREATE TABLE p (office text, id text, PRIMARY KEY (office, id)); ALTER TABLE p FORCE ROW LEVEL SECURITY` + policy,
		"error/not forced":     `CREATE TABLE p (office text, id text, PRIMARY KEY (office, id)); ALTER TABLE p ENABLE ROW LEVEL SECURITY` + policy,
		"error/no policy":      `CREATE TABLE p (office text, id text, PRIMARY KEY (office, id)); ALTER TABLE p ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY`,
		"error/open policy":    `CREATE TABLE p (office text, id text, PRIMARY KEY (office, id)); ALTER TABLE p ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; CREATE POLICY office ON p USING (true)`,
		"error/view":           `CREATE VIEW p AS SELECT * FROM staff`,
		"error/no primary key": `CREATE TABLE p (office text); ALTER TABLE p ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY` + policy,
		"ok/as it is to be":    `CREATE TABLE q (office text, id text, PRIMARY KEY (office, id)); ALTER TABLE q ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY` + strings.ReplaceAll(policy, " p ", " q "),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := conn.Exec(t.Context(), "BEGIN; "+statement); err != nil {
				t.Fatal(err)
			}
			bad := unpartitioned(t, conn)
			if _, err := conn.Exec(t.Context(), "ROLLBACK"); err != nil {
				t.Fatal(err)
			}
			want := []string{"p"}
			if strings.HasPrefix(name, "ok") {
				want = nil
			}
			if !slices.Equal(bad, want) {
				t.Errorf("found %v", bad)
			}
		})
	}
}

// S-002, S-025: no role holds more than was reviewed, nor does PUBLIC.
func TestPrivileges(t *testing.T) {
	d := migrated(t)
	conn := connect(t, d.OwnerURL)
	const grantee = `CASE WHEN a.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(a.grantee) END`
	list := texts(t, conn, `
		SELECT who || ' ' || what || ' ' || string_agg(privilege, ', ' ORDER BY privilege) FROM (
			SELECT `+grantee+` AS who, c.relname::text AS what, a.privilege_type AS privilege
				FROM pg_class c, aclexplode(coalesce(c.relacl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner))) a
				WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S') AND a.grantee <> c.relowner
			UNION ALL
			SELECT `+grantee+`, c.relname || '(' || t.attname || ')', a.privilege_type
				FROM pg_attribute t JOIN pg_class c ON c.oid = t.attrelid, aclexplode(t.attacl) a
				WHERE c.relnamespace = 'public'::regnamespace AND a.grantee <> c.relowner
			UNION ALL
			SELECT `+grantee+`, 'function ' || p.proname, a.privilege_type
				FROM pg_proc p, aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
				WHERE p.pronamespace = 'public'::regnamespace AND a.grantee <> p.proowner
			UNION ALL
			SELECT `+grantee+`, 'schema public', a.privilege_type FROM pg_namespace n, aclexplode(n.nspacl) a
				WHERE n.nspname = 'public' AND a.grantee <> n.nspowner
			UNION ALL
			SELECT `+grantee+`, 'database', a.privilege_type FROM pg_database b, aclexplode(b.datacl) a
				WHERE b.datname = current_database() AND a.grantee <> b.datdba
		) x GROUP BY who, what ORDER BY who, what`)
	got := strings.Join(list, "\n") + "\n"
	golden := filepath.Join("testdata", "privileges.golden")
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(golden, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if got != string(want) {
		t.Errorf("the privileges changed; review them and run with -update\n%s", got)
	}
	t.Run("ok/what is not in the file is taken away with the next file", func(t *testing.T) {
		if _, err := conn.Exec(t.Context(), `GRANT SELECT ON staff TO akashi_public; DELETE FROM installation WHERE name = 'grants'`); err != nil {
			t.Fatal(err)
		}
		s, err := Open(t.Context(), Config{URL: d.OwnerURL, Ring: seal.NewRing()})
		if s != nil {
			_ = s.Close()
		}
		if err != nil && !errors.Is(err, ErrForeignKey) {
			t.Fatal(err)
		}
		if _, err := connect(t, d.PublicURL).Exec(t.Context(), "SELECT FROM staff"); err == nil {
			t.Error("the surplus grant stayed")
		}
	})
}

// S-025: what serves is neither owner nor superuser nor BYPASSRLS.
func TestCheckRole(t *testing.T) {
	d := migrated(t)
	for role, url := range map[string]string{"staff": d.StaffURL, "public": d.PublicURL, "signer": d.SignerURL, "jobs": d.JobsURL} {
		p, err := OpenPublished(t.Context(), url, nil)
		if err == nil {
			err = errors.Join(p.CheckRole(t.Context()), p.Close())
		}
		if err != nil {
			t.Errorf("ok/%s: %v", role, err)
		}
	}
	for role, url := range map[string]string{"owner": d.OwnerURL, "superuser": strings.Replace(d.OwnerURL, "akashi_owner", "postgres", 1)} {
		p, err := OpenPublished(t.Context(), url, nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := p.CheckRole(t.Context()); !errors.Is(err, ErrRole) {
			t.Errorf("error/%s: %v", role, err)
		}
		_ = p.Close()
	}
}

// filled puts one row of each of two offices into every tenant table. A text is
// "x" or the office, a number 1: so foreign keys meet.
func filled(t *testing.T, owner *pgx.Conn) (tables []string) {
	t.Helper()
	tables = texts(t, owner, `SELECT c.relname FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND c.relrowsecurity ORDER BY 1`)
	if _, err := owner.Exec(t.Context(), `INSERT INTO signing_keys SELECT 'x', 'shc', 'i', 'ES256', '\x00', NULL, 'active', 1, 1, 1, 1, true, 'handle', 1`); err != nil {
		t.Fatal(err)
	}
	for _, code := range []string{here, there} {
		waiting := slices.Clone(tables)
		for round := 0; len(waiting) > 0; round++ {
			var left []string
			var last error
			for _, table := range waiting {
				columns := texts(t, owner, `SELECT quote_ident(column_name) || ' ' || data_type FROM information_schema.columns
					WHERE table_schema = 'public' AND table_name = $1 ORDER BY ordinal_position`, table)
				var names, values []string
				for _, c := range columns {
					name, kind, _ := strings.Cut(c, " ")
					value := map[string]string{"text": "'x'", "bytea": `'\x01'`, "bigint": "1", "integer": "1", "boolean": "true"}[kind]
					switch table + "." + name {
					case table + ".office":
						value = "'" + code + "'"
					case "data_keys.state":
						value = "'old'"
					case "vault_accesses.purpose":
						value = "'move_in_inquiry'"
					}
					names, values = append(names, name), append(values, value)
				}
				_, err := owner.Exec(t.Context(), fmt.Sprintf("BEGIN; SELECT set_config('akashi.office', '%s', true); INSERT INTO %s (%s) VALUES (%s); COMMIT",
					code, table, strings.Join(names, ", "), strings.Join(values, ", ")))
				if err != nil {
					left, last = append(left, table), err
					_, _ = owner.Exec(t.Context(), "ROLLBACK")
				}
			}
			if len(left) == len(waiting) {
				t.Fatalf("no row could be put into %v: %v; teach this function their values", left, last)
			}
			waiting = left
		}
	}
	return tables
}

// erasable are the tables of which a role may delete rows: once after its day, what
// belongs to a sign-in when it ends (S-016, S-019), the others when a person is
// erased (S-076) or what was kept long enough goes (S-077, S-087).
var erasable = map[string][]string{
	"staff": {
		"once", "attempts", "cards", "challenges", "known_terminals", "passkeys", "passwords", "sessions", "setup_links",
		"person_keys", "persons", "doses", "certificate_doses", "applications", "vault", "vault_keys",
	},
	"jobs": {"person_keys", "persons", "doses", "certificate_doses", "applications", "vault", "vault_keys", "alerts", "log"},
}

// S-002, S-025: direct SQL as each role. Without an office no row of any tenant
// table is seen, with one none of another's; the public role reads keys only.
func TestDirectSQL(t *testing.T) {
	d := migrated(t)
	tables := filled(t, connect(t, d.OwnerURL))
	if len(tables) < 16 {
		t.Fatalf("only %v", tables)
	}
	listing := []string{"offices"} // their names are for everybody who may read the table
	for role, url := range map[string]string{"owner": d.OwnerURL, "staff": d.StaffURL, "public": d.PublicURL, "signer": d.SignerURL, "jobs": d.JobsURL} {
		conn := connect(t, url)
		seen := 0
		count := func(office, where, table string) int {
			n := 0
			err := conn.QueryRow(t.Context(), "SELECT count(office) FROM "+table+where).Scan(&n)
			if err != nil && !strings.Contains(err.Error(), "42501") {
				t.Fatalf("%s: %v", table, err)
			}
			if err == nil && role == "public" && table != "issuance_log" { // digests, published whole
				t.Errorf("public reads %s", table)
			}
			return n
		}
		for _, office := range []string{"", here} {
			if _, err := conn.Exec(t.Context(), "SELECT set_config('akashi.office', $1, false)", office); err != nil {
				t.Fatal(err)
			}
			for _, table := range tables {
				if slices.Contains(listing, table) {
					continue
				}
				foreign := count(office, " WHERE office <> '"+office+"'", table)
				if own := count(office, "", table) - foreign; office != "" {
					seen += own
				}
				if foreign != 0 {
					t.Errorf("%s with office %q sees %d foreign rows of %s", role, office, foreign, table)
				}
			}
		}
		want := map[string]int{"public": 1, "signer": 4, "jobs": 30, "staff": len(tables) - len(listing), "owner": len(tables) - len(listing)}
		if seen != want[role] {
			t.Errorf("%s sees its own office in %d tables, want %d", role, seen, want[role])
		}
		for _, table := range append(slices.Clone(tables), installationTables...) {
			for _, write := range []string{"DELETE FROM " + table, "TRUNCATE " + table, "ALTER TABLE " + table + " DISABLE ROW LEVEL SECURITY", "DROP TABLE " + table} {
				if role == "owner" || write == "DELETE FROM "+table && slices.Contains(erasable[role], table) {
					continue
				}
				if _, err := conn.Exec(t.Context(), write); err == nil {
					t.Errorf("%s does %s", role, write)
				}
			}
		}
		for _, statement := range []string{
			"UPDATE offices SET name_ja = 'y' WHERE office = '" + there + "'", "UPDATE certificates SET reason = 'y' WHERE office = '" + there + "'",
		} {
			if tag, err := conn.Exec(t.Context(), statement); err == nil && tag.RowsAffected() != 0 {
				t.Errorf("%s changes another office: %s", role, statement)
			}
		}
		if _, err := conn.Exec(t.Context(), "INSERT INTO counters VALUES ('"+there+"', 'mine', 1)"); err == nil {
			t.Errorf("%s writes another office's row", role)
		}
	}
	for role, url := range map[string]string{"staff": d.StaffURL, "jobs": d.JobsURL, "public": d.PublicURL, "signer": d.SignerURL} {
		conn := connect(t, url)
		if _, err := conn.Exec(t.Context(), "SELECT set_config('akashi.office', '000000', false)"); err != nil {
			t.Fatal(err)
		}
		var sees []string // of other offices, as the installation
		for _, table := range tables {
			n := 0
			if conn.QueryRow(t.Context(), "SELECT count(office) FROM "+table).Scan(&n) == nil && n > 0 {
				sees = append(sees, table)
			}
		}
		want := map[string][]string{"public": {"issuance_log"}, "staff": {"alerts", "issuance_log", "log", "offices"}}
		want["jobs"] = want["staff"]
		if !slices.Equal(sees, want[role]) {
			t.Errorf("%s reads whole: %v, want %v", role, sees, want[role])
		}
	}
	public := connect(t, d.PublicURL)
	if keys := texts(t, public, "SELECT id FROM signing_keys"); !slices.Equal(keys, []string{"x"}) {
		t.Errorf("ok/public reads the keys: %v", keys)
	}
	for _, statement := range []string{
		"SELECT handle FROM signing_keys", "SELECT * FROM signing_keys", "SELECT * FROM installation", "SELECT * FROM offices", "SELECT * FROM nodes",
		"UPDATE signing_keys SET state = 'active'", "CREATE TABLE mine (id int)", "CREATE TEMP TABLE mine (id int)", "SET ROLE akashi_staff", "SET ROLE akashi_owner",
	} {
		if _, err := public.Exec(t.Context(), statement); err == nil {
			t.Errorf("error/public does %s", statement)
		}
	}
}
