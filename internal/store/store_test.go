package store

import (
	"bytes"
	"context"
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/testkit"
	"akashi/internal/vaccination"
	"akashi/samples"
)

// database is one of the two databases that the suite runs on.
type database struct {
	name   string
	config func(t *testing.T) Config
}

func databases() []database {
	return []database{
		{"sqlite", func(t *testing.T) Config {
			return Config{URL: filepath.Join(t.TempDir(), "akashi.db")}
		}},
		{"postgres", func(t *testing.T) Config {
			d := testkit.Postgres(t)
			return Config{URL: d.StaffURL, MigrateURL: d.OwnerURL, SignerURL: d.SignerURL}
		}},
	}
}

// fixture is an open store with one office.
type fixture struct {
	*Store
	log    *audit.Log
	config Config
	now    time.Time
}

func (f *fixture) clock() clock.Clock { return func() time.Time { return f.now } }

const (
	here  = "900001"
	there = "900010"
)

// each runs the same test on both databases: one suite (issue 2, section 2).
func each(t *testing.T, test func(t *testing.T, f *fixture)) { on(t, databases(), test) }

func on(t *testing.T, which []database, test func(t *testing.T, f *fixture)) {
	for _, d := range which {
		t.Run(d.name, func(t *testing.T) {
			f := &fixture{config: d.config(t), now: time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)}
			f.config.Ring, f.config.Clock = seal.NewRing(), f.clock()
			f.open(t)
			f.log = &audit.Log{Book: f.Store, Clock: f.clock()}
			for _, code := range []string{here, there} {
				o, err := office.New(code, "架空県証市", "Akashi City")
				if err != nil {
					t.Fatal(err)
				}
				if err := f.act(t, code, func(ctx context.Context) error { return f.AddOffice(ctx, o) }); err != nil {
					t.Fatal(err)
				}
			}
			test(t, f)
		})
	}
}

func (f *fixture) open(t *testing.T) {
	t.Helper()
	s, err := Open(t.Context(), f.config)
	if err != nil {
		t.Fatal(err)
	}
	f.Store = s
	t.Cleanup(func() { _ = s.Close() })
}

// owner is the store of whoever owns the tables and may change them.
func (f *fixture) owner(t *testing.T) *Store {
	t.Helper()
	if !f.postgres {
		return f.Store
	}
	c := f.config
	c.URL = c.MigrateURL
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// unguarded is the database as the driver gives it, without the guard of SQLite.
func (f *fixture) unguarded(t *testing.T) *gorm.DB {
	t.Helper()
	if f.postgres {
		return f.read
	}
	plain := &Store{}
	if err := plain.openReader(f.config.URL); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = plain.closePools() })
	return plain.read
}

// NewPersonKey writes one row: the least that an act can do.
func (f *fixture) NewPersonKey(ctx context.Context, office string) (string, error) {
	db, err := act(ctx, office)
	if err != nil {
		return "", err
	}
	key, err := f.newPersonKey(db, office, nil)
	return key.ID, err
}

func who(code string) actor.Actor {
	return actor.Actor{Office: code, Person: "staff-1", Terminal: "test", Purpose: actor.Operate}
}

func (f *fixture) act(t *testing.T, code string, fn func(context.Context) error) error {
	t.Helper()
	return f.log.Act(t.Context(), who(code), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error { return fn(ctx) })
}

func (f *fixture) rows(t *testing.T, code, table string) (n int64) {
	t.Helper()
	if err := f.look(t.Context(), code, func(db *gorm.DB) error {
		return db.Table(table).Where("office = ?", code).Count(&n).Error
	}); err != nil {
		t.Fatal(err)
	}
	return n
}

// S-084: what fails leaves nothing but the entry that says so.
func TestAct(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		before := f.rows(t, here, "log")
		refusal := fault.New(fault.Conflict, "test_refusal", "")
		err := f.act(t, here, func(ctx context.Context) error {
			if _, err := f.NewPersonKey(ctx, here); err != nil {
				return err
			}
			return refusal
		})
		if !errors.Is(err, refusal) {
			t.Errorf("error/refused: %v", err)
		}
		if n := f.rows(t, here, "person_keys"); n != 0 {
			t.Errorf("error/refused: %d rows stayed", n)
		}
		if n := f.rows(t, here, "log") - before; n != 1 {
			t.Errorf("error/refused: %d log entries, want 1", n)
		}
		if _, err := f.NewPersonKey(t.Context(), here); !errors.Is(err, ErrNoAct) {
			t.Errorf("error/outside an act: %v", err)
		}
		if err := f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, there); return err }); err == nil {
			t.Error("error/another office's row inside an act")
		}
		if err := f.act(t, here, func(ctx context.Context) error { panic("broken act") }); err == nil {
			t.Error("error/panic: no error")
		}
		if err := f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, here); return err }); err != nil {
			t.Errorf("ok/after a panic: %v", err)
		}
	})
}

// S-084: if the log cannot be written, the act does not happen.
func TestActWithoutLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		owner := f.owner(t)
		if err := owner.write.Exec("DROP TABLE log").Error; err != nil {
			t.Fatal(err)
		}
		err := f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, here); return err })
		if err == nil || f.rows(t, here, "person_keys") != 0 {
			t.Errorf("error/no log: %v, %d rows", err, f.rows(t, here, "person_keys"))
		}
	})
}

// S-084: a log that another process keeps locked is waited for, not for ever, and
// then nothing happens.
func TestActWithLockedLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		if f.postgres {
			u, err := url.Parse(f.config.URL)
			if err != nil {
				t.Fatal(err)
			}
			q := u.Query()
			q.Set("lock_timeout", "50ms")
			u.RawQuery = q.Encode()
			f.config.URL = u.String()
			f.open(t)
			f.log.Book = f.Store
		} else if err := f.Store.write.Exec("PRAGMA busy_timeout = 50").Error; err != nil {
			t.Fatal(err)
		}
		pool, err := f.asOwner(t).DB()
		if err != nil {
			t.Fatal(err)
		}
		other, err := pool.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _, _ = other.ExecContext(context.Background(), "ROLLBACK"); _ = other.Close() }()
		lock, key := "BEGIN IMMEDIATE", "store"
		if f.postgres {
			lock, key = "BEGIN; LOCK TABLE log IN SHARE MODE", "log"
		}
		make := func() error {
			return f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, here); return err })
		}
		if err := make(); err != nil { // the office's keys are made
			t.Fatal(err)
		}
		if _, err := other.ExecContext(t.Context(), lock); err != nil {
			t.Fatal(err)
		}
		var refusal *fault.Error
		if err := make(); !errors.As(err, &refusal) || refusal.Code != fault.Unavailable || refusal.Key != key {
			t.Errorf("error/locked: %v", err)
		}
		if n := f.rows(t, here, "person_keys"); n != 1 {
			t.Errorf("error/locked: %d rows", n)
		}
		if _, err := other.ExecContext(t.Context(), "ROLLBACK"); err != nil {
			t.Fatal(err)
		}
		if err := make(); err != nil || f.rows(t, here, "person_keys") != 2 {
			t.Errorf("ok/free again: %v", err)
		}
	})
}

// S-085: nobody changes or removes an entry, not even the owner of the table.
func TestLogIsAppendOnly(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, statement := range []string{
			"UPDATE log SET result = 'ok' WHERE office = '" + here + "'", "DELETE FROM log WHERE office = '" + here + "'",
		} {
			err := f.transact(t.Context(), here, func(ctx context.Context) error {
				db, err := act(ctx, here)
				if err != nil {
					return err
				}
				return db.Exec(statement).Error
			})
			if err == nil {
				t.Errorf("error/%s: done", statement)
			}
		}
	})
}

// S-025: an office sees its own rows only; without an office PostgreSQL shows none.
func TestPartition(t *testing.T) {
	on(t, databases()[1:], func(t *testing.T, f *fixture) {
		if err := f.act(t, here, func(ctx context.Context) error { _, err := f.NewPersonKey(ctx, here); return err }); err != nil {
			t.Fatal(err)
		}
		var bare, foreign, own int64
		if err := f.read.Table("person_keys").Count(&bare).Error; err != nil {
			t.Fatal(err)
		}
		count := func(office string, n *int64) {
			if err := f.look(t.Context(), office, func(db *gorm.DB) error { return db.Table("person_keys").Count(n).Error }); err != nil {
				t.Fatal(err)
			}
		}
		count(there, &foreign)
		count(here, &own)
		if bare != 0 || foreign != 0 || own != 1 {
			t.Errorf("without office %d, other office %d, own %d; want 0, 0, 1", bare, foreign, own)
		}
	})
}

// Issue 2, section 9: same key same answer, and only one of parallel calls acts.
func TestOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		once := func(key string) error {
			e := audit.Entry{Action: "test", Object: "object-" + key, Once: &audit.Once{Route: "r", Key: key, Body: []byte("b")}}
			return f.log.Act(t.Context(), who(here), e, func(ctx context.Context, _ *audit.Entry) error {
				_, err := f.NewPersonKey(ctx, here)
				return err
			})
		}
		var group sync.WaitGroup
		results := make([]error, 20)
		for i := range results {
			group.Go(func() { results[i] = once("k") })
		}
		group.Wait()
		done := 0
		for _, err := range results {
			if err == nil {
				done++
			} else if !errors.Is(err, audit.ErrRepeated) {
				t.Errorf("error/parallel: %v", err)
			}
		}
		if n := f.rows(t, here, "person_keys"); done != 1 || n != 1 {
			t.Errorf("ok/parallel: %d acted, %d rows", done, n)
		}
		object, body, err := f.Once(t.Context(), here, "r", "k")
		if err != nil || object != "object-k" || string(body) != "b" {
			t.Errorf("ok/found: %q %q %v", object, body, err)
		}
		if _, _, err := f.Once(t.Context(), there, "r", "k"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/other office: %v", err)
		}
		f.now = f.now.Add(25 * time.Hour)
		if _, _, err := f.Once(t.Context(), here, "r", "k"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/after 25 h: %v", err)
		}
		if err := once("k"); err != nil {
			t.Errorf("ok/key free after 24 h: %v", err)
		}
	})
}

// "Cannot be asked now" is told apart from "no record", and the act that asked
// goes on to store it.
func TestRegisterUnavailable(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		owner := f.owner(t)
		if err := owner.write.Exec("ALTER TABLE doses RENAME TO gone").Error; err != nil {
			t.Fatal(err)
		}
		err := f.act(t, here, func(ctx context.Context) error {
			if _, err := f.Register(here).FindByTicket(ctx, "0000000001"); !errors.Is(err, vaccination.ErrUnavailable) {
				t.Errorf("error/no table: %v", err)
			}
			_, err := f.NewPersonKey(ctx, here)
			return err
		})
		if err != nil {
			t.Errorf("ok/the act goes on: %v", err)
		}
	})
}

// Two imports of the same rows at once: one after the other, and neither fails.
func TestImportsAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		records := sample(t, "records.csv")
		var group sync.WaitGroup
		for range 4 {
			i, err := f.imports().Stage(t.Context(), person("a"), vaccination.Records, records, nil)
			if err != nil {
				t.Fatal(err)
			}
			for range 2 {
				group.Go(func() {
					if _, err := f.imports().Commit(t.Context(), person("b"), i.ID); err != nil && fault.CodeOf(err) != fault.Conflict {
						t.Errorf("error/parallel commit: %v", err)
					}
				})
			}
		}
		group.Wait()
		if n := f.rows(t, here, "doses"); n != 28 {
			t.Errorf("%d doses, want 28", n)
		}
	})
}

// "No record" must not be said for want of the key: another file key is refused.
func TestForeignKey(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		c := f.config
		c.Ring = seal.NewRing()
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrForeignKey) {
			t.Errorf("error/another file key: %v", err)
		}
		s, err := Open(t.Context(), f.config)
		if err != nil {
			t.Fatalf("ok/same file key: %v", err)
		}
		_ = s.Close()
	})
}

// Design 4.8: a newer schema than the program's is refused.
func TestNewerSchema(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		c := f.config
		if f.postgres {
			c.URL = c.MigrateURL
		}
		s, err := Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		err = s.write.Exec("INSERT INTO goose_db_version (version_id, is_applied) VALUES (99999, TRUE)").Error
		if err := errors.Join(err, s.Close()); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(t.Context(), f.config); !errors.Is(err, ErrNewerSchema) {
			t.Errorf("error/newer: %v", err)
		}
	})
}

func sample(t *testing.T, name string) []byte {
	t.Helper()
	b, err := samples.Files.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (f *fixture) imports() *vaccination.Imports {
	return &vaccination.Imports{Log: f.log, Store: f.Store, Approvals: f.approvals(), Clock: f.clock()}
}

func person(id string) actor.Actor { return member(id, office.Officer) }

// withdraw asks for it by one person and does it by another.
func (f *fixture) withdraw(t *testing.T, id string) error {
	t.Helper()
	if _, err := f.approvals().Request(t.Context(), person("a"), office.WithdrawImport, id, nil, nil); err != nil {
		t.Fatal(err)
	}
	_, _, err := f.imports().Withdraw(t.Context(), person("b"), id)
	return err
}

// bring stages a file by one person and commits it by another.
func (f *fixture) bring(t *testing.T, kind vaccination.Kind, file []byte) vaccination.Import {
	t.Helper()
	i, err := f.imports().Stage(t.Context(), person("a"), kind, file, nil)
	if err != nil {
		t.Fatal(err)
	}
	if i, err = f.imports().Commit(t.Context(), person("b"), i.ID); err != nil {
		t.Fatal(err)
	}
	return i
}

func (f *fixture) find(t *testing.T, ticket string) (people []vaccination.Person) {
	t.Helper()
	if err := f.act(t, here, func(ctx context.Context) (err error) {
		people, err = f.Register(here).FindByTicket(ctx, ticket)
		return err
	}); err != nil {
		t.Fatal(err)
	}
	return people
}

// S-038 and issue 2, section 4: report first, second person, twice is nothing,
// changed is a new version, withdrawn no longer counts.
func TestImport(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		subjects, records := sample(t, "subjects.csv"), sample(t, "records.csv")
		i, err := f.imports().Stage(t.Context(), person("a"), vaccination.Subjects, subjects, nil)
		if err != nil || i.State != vaccination.ImportStaged {
			t.Fatalf("ok/stage: %v %v", i.State, err)
		}
		if n := f.rows(t, here, "persons"); n != 0 {
			t.Errorf("ok/stage: %d persons stored", n)
		}
		if _, err := f.imports().Commit(t.Context(), person("a"), i.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/same person commits: %v", err)
		}
		if _, err := f.imports().Commit(t.Context(), member("c", office.Clerk), i.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/a clerk commits: %v", err)
		}
		if i, err = f.imports().Commit(t.Context(), person("b"), i.ID); err != nil || i.Outcome.New != i.Report.Accepted {
			t.Fatalf("ok/commit: %+v %v", i.Outcome, err)
		}
		if _, err := f.imports().Commit(t.Context(), person("b"), i.ID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/commit twice: %v", err)
		}
		if err := f.act(t, here, func(ctx context.Context) error {
			file, err := f.StagedFile(ctx, here, i.ID)
			if len(file) > 0 {
				t.Error("ok/commit: the file was not erased")
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		again := f.bring(t, vaccination.Subjects, subjects)
		if again.Outcome.New+again.Outcome.Changed != 0 || again.Outcome.Unchanged == 0 {
			t.Errorf("ok/same file twice: %+v", again.Outcome)
		}
		if err := f.withdraw(t, i.ID); err != nil || len(f.find(t, "0000000001")) != 1 {
			t.Errorf("ok/the first of two same files withdrawn: %v, %d people", err, len(f.find(t, "0000000001")))
		}
		if err := f.withdraw(t, again.ID); err != nil || len(f.find(t, "0000000001")) != 0 {
			t.Errorf("ok/both withdrawn: %v", err)
		}
		f.bring(t, vaccination.Subjects, subjects)
		first := f.bring(t, vaccination.Records, records)
		if first.Outcome.Orphans != 0 {
			t.Errorf("ok/records: %d orphans", first.Outcome.Orphans)
		}
		stray := f.bring(t, vaccination.Records, []byte(string(records[:firstLine(records)])+
			"900001,0000088888,1,2021-07-12,ファイザー,コミナティ,ZA9999,架空県証市保健センター,,ledger,2,covid19\n"))
		if stray.Outcome.Orphans != 1 {
			t.Errorf("ok/dose of nobody: %+v", stray.Outcome)
		}
		people := f.find(t, "0000000001")
		if len(people) != 1 || people[0].Subject.Family != "桜井" || len(people[0].Doses) != 3 {
			t.Fatalf("ok/found: %d people", len(people))
		}
		changed := f.bring(t, vaccination.Records, []byte(string(records[:firstLine(records)])+
			"900001,0000000001,2,2021-07-12,ファイザー,コミナティ,ZA9999,架空県証市保健センター,,ledger,2,covid19\n"))
		if changed.Outcome.Changed != 1 || changed.Outcome.New != 0 {
			t.Fatalf("ok/changed: %+v", changed.Outcome)
		}
		d := f.find(t, "0000000001")[0].Doses[1]
		if d.Lot != "ZA9999" || d.Ref.Version != 2 {
			t.Errorf("ok/changed: lot %s version %d", d.Lot, d.Ref.Version)
		}
		if err := f.withdraw(t, changed.ID); err != nil {
			t.Fatal(err)
		}
		if d := f.find(t, "0000000001")[0].Doses[1]; d.Lot != "ZA1002" || d.Ref.Version != 1 {
			t.Errorf("ok/withdrawn: lot %s version %d", d.Lot, d.Ref.Version)
		}
		if err := f.withdraw(t, first.ID); err != nil {
			t.Fatal(err)
		}
		if people := f.find(t, "0000000001"); len(people) != 1 || len(people[0].Doses) != 0 {
			t.Error("ok/withdrawn: doses still count")
		}
		other := f.bring(t, vaccination.Subjects, []byte(string(subjects[:firstLine(subjects)])+
			"900001,0000000001,100099,別人,次郎,ベツジン,ジロウ,1970-01-01,1,resident,\n"))
		if len(other.Outcome.Conflicts) != 1 || f.find(t, "0000000001")[0].Subject.Family != "桜井" {
			t.Errorf("error/ticket of another person: %+v", other.Outcome)
		}
	})
}

func firstLine(b []byte) int { return bytes.IndexByte(b, '\n') + 1 }

// S-073, S-075: no name, date of birth, ticket or lot stands in the database file.
func TestNothingInTheOpen(t *testing.T) {
	on(t, databases()[:1], func(t *testing.T, f *fixture) {
		staged, err := f.imports().Stage(t.Context(), person("a"), vaccination.Subjects, sample(t, "subjects.csv"), nil)
		if err != nil {
			t.Fatal(err)
		}
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		f.bring(t, vaccination.Records, sample(t, "records.csv"))
		if err := f.act(t, here, func(ctx context.Context) error {
			return f.CreateApplication(ctx, &application.Application{
				Office: here, ID: idgen.Gen{}.Row(), State: application.Draft, Form: application.Form{
					Kind: certificate.Travel, Subject: application.Subject{Name: certificate.Name{Family: "桜井"}},
					Passport: &application.Passport{Zone: application.NewZone("TZ1234567")},
				},
			})
		}); err != nil {
			t.Fatal(err)
		}
		if err := f.Store.Close(); err != nil {
			t.Fatal(err)
		}
		file, err := os.ReadFile(f.config.URL)
		if err != nil {
			t.Fatal(err)
		}
		if !contains(file, staged.ID) {
			t.Fatal("the check does not see what is stored")
		}
		for _, secret := range []string{"桜井", "サクライ", "1991-02-18", "0000000001", "100001", "ZA1001", "2021-06-21", "TZ1234567"} {
			if contains(file, secret) {
				t.Errorf("error/%s stands in the open", secret)
			}
		}
	})
}

func contains(b []byte, s string) bool { return bytes.Contains(b, []byte(s)) }

// certificateDoseRow and lookupRow are of tables that only SQL reads and writes.
type certificateDoseRow struct {
	Office, CertificateID, DoseID string
	DoseVersion                   int
}

func (certificateDoseRow) TableName() string { return "certificate_doses" }

type lookupRow struct {
	Office, Person    string
	Slot              int64
	Counted, Previous int
}

func (lookupRow) TableName() string { return "lookups" }

// Design 4.8: both dialects and the rows agree.
func TestColumns(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for _, row := range []any{
			&officeRow{}, &staffRow{}, &passwordRow{}, &passkeyRow{}, &cardRow{}, &linkRow{}, &challengeRow{}, &sessionRow{}, &attemptRow{}, &knownTerminalRow{}, &personKeyRow{}, &importRow{}, &approvalRow{}, &personRow{}, &doseRow{},
			&applicationRow{}, &certificateRow{}, &payloadRow{}, &certificateDoseRow{}, &copyRow{}, &counterRow{}, &signingKeyRow{},
			&installationRow{}, &terminalRow{}, &lookupRow{}, &accountRequestRow{}, &rosterRow{}, &staffHistoryRow{}, &dataKeyRow{}, &vaultKeyRow{}, &vaultRow{}, &vaultAccessRow{}, &holdRow{}, &nodeRow{}, &publishedListRow{},
			&treeLeaf{}, &treeTile{}, &treeCheckpoint{}, &lease{}, &alertRow{}, &bulkRow{}, &bulkItemRow{}, &retentionRunRow{}, &retentionItemRow{},
		} {
			statement := &gorm.Statement{DB: f.read}
			if err := statement.Parse(row); err != nil {
				t.Fatal(err)
			}
			table := statement.Schema.Table
			types, err := f.unguarded(t).Migrator().ColumnTypes(table)
			if err != nil {
				t.Fatal(err)
			}
			stored := map[string]bool{}
			for _, c := range types {
				stored[c.Name()] = true
			}
			for _, c := range statement.Schema.DBNames {
				if !stored[c] {
					t.Errorf("error/%s.%s is not in the schema", table, c)
				}
				delete(stored, c)
			}
			for c := range stored {
				t.Errorf("error/%s.%s is in no row", table, c)
			}
		}
	})
}

// Issue 2, section 2: no column for individual numbers.
func TestNoNumberColumn(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		tables, err := f.read.Migrator().GetTables()
		if err != nil || len(tables) < 15 {
			t.Fatalf("%d tables, %v", len(tables), err)
		}
		for _, table := range tables {
			types, err := f.unguarded(t).Migrator().ColumnTypes(table)
			if err != nil {
				t.Fatal(err)
			}
			for _, c := range types {
				for _, word := range []string{"individual", "my_number", "mynumber", "kojin"} {
					if contains([]byte(c.Name()), word) {
						t.Errorf("error/%s.%s", table, c.Name())
					}
				}
			}
		}
	})
}
