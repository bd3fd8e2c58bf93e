package store

import (
	"bytes"
	"context"
	"crypto/rand"
	"database/sql"
	"errors"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/merkle"
)

// logKey signs checkpoints of the test's log.
type logKey struct {
	signer note.Signer
	public note.Verifier
}

func newLogKey(t testing.TB) logKey {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, "akashi.test/operation-log")
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(secret)
	verifier, _ := note.NewVerifier(public)
	return logKey{signer, verifier}
}

func (k logKey) SignCheckpoint(c merkle.Checkpoint) (string, error) { return c.Sign(k.signer) }
func (k logKey) Verifier() note.Verifier                            { return k.public }

// notary keeps the fixture's tree under a name of its own.
func (f *fixture) notary(k logKey, holder string, copies tree.Copies) *tree.Notary {
	return &tree.Notary{Sequencer: tree.Sequencer{Store: f.Store, Tree: tree.Log, Holder: holder, Clock: f.clock()}, Key: k, Copies: copies}
}

// write commits n entries, of both offices in turn.
func (f *fixture) write(t testing.TB, n int) {
	t.Helper()
	for i := range n {
		code := []string{here, there}[i%2]
		if err := f.log.Act(t.Context(), who(code), audit.Entry{Action: "test", Object: fmt.Sprint(i)}, func(context.Context, *audit.Entry) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
}

// prove compares the stored log with the second place.
func (f *fixture) prove(t testing.TB, k logKey, folder tree.OneFolder) tree.Report {
	t.Helper()
	return f.proveIn(t.Context(), t, k, folder)
}

func (f *fixture) proveIn(ctx context.Context, t testing.TB, k logKey, folder tree.OneFolder) tree.Report {
	t.Helper()
	copied, err := folder.All()
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := tree.Stored(ctx, f.Store, tree.Log, copied, k.public)
	if err != nil {
		t.Fatal(err)
	}
	evidence.Own = nil // the owner's word counts for nothing
	report, err := tree.Prove(evidence)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// proveExport compares an export with the second place.
func (f *fixture) proveExport(t testing.TB, k logKey, folder tree.OneFolder) tree.Report {
	t.Helper()
	var file bytes.Buffer
	if _, _, err := tree.Export(t.Context(), f.Store, &file); err != nil {
		t.Fatal(err)
	}
	copied, err := folder.All()
	if err != nil {
		t.Fatal(err)
	}
	evidence, err := tree.Exported(&file, copied, k.public)
	if err != nil {
		t.Fatal(err)
	}
	evidence.Own = nil
	report, err := tree.Prove(evidence)
	if err != nil {
		t.Fatal(err)
	}
	return report
}

// S-086: every committed entry of every office gets one place, in batches, over
// tile borders, by one of two sequencers, and again after one has died.
func TestSequencer(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		k, folder := newLogKey(t), tree.Folder(t.TempDir())
		a, b := f.notary(k, "a", folder.Of("akashi.test/operation-log")), f.notary(k, "b", nil)
		placed, led, err := a.Step(t.Context())
		if err != nil || !led || placed != 2 { // the two offices
			t.Fatalf("ok/first step: %d %t %v", placed, led, err)
		}
		f.write(t, 600)
		if _, led, err := b.Step(t.Context()); err != nil || led {
			t.Fatalf("error/second sequencer leads: %t %v", led, err)
		}
		if placed, _, err = a.Step(t.Context()); err != nil || placed != 600 {
			t.Fatalf("ok/second step: %d %v", placed, err)
		}
		if placed, _, err = a.Sweep(t.Context()); err != nil || placed != 0 {
			t.Errorf("ok/nothing twice: %d %v", placed, err)
		}
		if err := a.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		// "a" dies without a word: "b" waits for the lease and goes on.
		f.write(t, 10)
		f.now = f.now.Add(2 * time.Minute)
		if placed, led, err = b.Step(t.Context()); err != nil || !led || placed != 10 {
			t.Errorf("ok/taken over: %d %t %v", placed, led, err)
		}
		if _, led, err := a.Step(t.Context()); err != nil || !led { // nothing to do needs no lease
			t.Errorf("ok/idle: %t %v", led, err)
		}
		f.write(t, 1)
		if placed, led, err := a.Step(t.Context()); err != nil || led || placed != 0 {
			t.Errorf("error/the dead comes back: %d %t %v", placed, led, err)
		}
		if r := f.prove(t, k, folder.Of("akashi.test/operation-log")); !r.Sound() || r.Proven != 602 || r.Unproven != 10 || r.Loose != 1 {
			t.Errorf("ok/proof: %+v", r)
		}
	})
}

// Two sequencers that both believe to lead place nothing twice.
func TestSequencersAtOnce(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.write(t, 300)
		k := newLogKey(t)
		var all sync.WaitGroup
		for i := range 4 {
			n := f.notary(k, fmt.Sprint(i), nil)
			all.Go(func() {
				for range 20 {
					_, _, _ = n.Sweep(context.Background())
				}
			})
		}
		all.Wait()
		size, err := f.Size(t.Context(), tree.Log)
		if err != nil || size != 302 {
			t.Errorf("ok/size %d %v", size, err)
		}
	})
}

// S-085: the trees are append-only, for the service and for their owner.
func TestTreeIsAppendOnly(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.write(t, 300)
		n := f.notary(newLogKey(t), "a", nil)
		if err := n.Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		owner := f.owner(t)
		for _, statement := range []string{
			"UPDATE tree_leaves SET office = 'x'", "DELETE FROM tree_leaves", "UPDATE tree_tiles SET number = 9", "DELETE FROM tree_tiles",
			"UPDATE tree_checkpoints SET size = 0", "DELETE FROM tree_checkpoints",
		} {
			for name, s := range map[string]*Store{"service": f.Store, "owner": owner} {
				if err := s.write.Exec(statement).Error; err == nil {
					t.Errorf("error/%s: %s is done", name, statement)
				}
			}
		}
		if f.postgres {
			for _, table := range []string{"tree_leaves", "tree_tiles", "tree_checkpoints"} {
				if owner.write.Exec("TRUNCATE "+table).Error == nil {
					t.Errorf("error/TRUNCATE %s is done", table)
				}
			}
		}
	})
}

// S-086: due after 5 minutes or 1,000 entries; the second place must have taken
// it; without one for 15 minutes the service is read-only.
func TestCheckpoints(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		folder := tree.Folder(t.TempDir())
		n := f.notary(k, "a", folder.Of("akashi.test/operation-log"))
		var alarms []string
		job := &tree.Job{Notaries: []*tree.Notary{n}, Alarm: func(_ context.Context, kind string, _ map[string]string) { alarms = append(alarms, kind) }}
		fresh := &tree.Freshness{Store: f.Store, Clock: f.clock(), Key: k.public}
		count := func() int {
			all, err := f.Checkpoints(ctx, tree.Log)
			if err != nil {
				t.Fatal(err)
			}
			copied, err := folder.Of("akashi.test/operation-log").All()
			if err != nil || !slices.Equal(all, copied) {
				t.Errorf("ok/second place: %d and %d %v", len(all), len(copied), err)
			}
			return len(all)
		}
		step := func(after time.Duration, want int) {
			t.Helper()
			f.now = f.now.Add(after)
			if err := job.Step(ctx); err != nil || count() != want {
				t.Errorf("ok/after %v: %d checkpoints, want %d, %v", after, count(), want, err)
			}
		}
		step(0, 1)
		step(time.Minute, 1)
		step(4*time.Minute, 2)
		f.write(t, 999)
		step(time.Second, 2)
		f.write(t, 1)
		step(time.Second, 3)
		if stale, err := fresh.Stale(ctx); stale || err != nil {
			t.Errorf("ok/fresh: %t %v", stale, err)
		}
		n.Copies = tree.Folder(t.TempDir() + "/gone").Of("akashi.test/operation-log")
		f.now = f.now.Add(tree.ReadOnly - time.Second)
		if err := job.Step(ctx); err == nil || len(alarms) != 1 || alarms[0] != tree.AlarmFailed {
			t.Errorf("error/second place gone: %v %v", err, alarms)
		}
		if stale, err := fresh.Stale(ctx); stale || err != nil {
			t.Errorf("ok/almost: %t %v", stale, err)
		}
		f.now = f.now.Add(lookSoon)
		if stale, err := fresh.Stale(ctx); !stale || err != nil {
			t.Errorf("error/not read-only after 15 minutes: %v", err)
		}
		n.Copies = folder.Of("akashi.test/operation-log")
		step(0, 4)
		f.now = f.now.Add(lookSoon)
		if stale, err := fresh.Stale(ctx); stale || err != nil {
			t.Errorf("ok/again: %t %v", stale, err)
		}
	})
}

// S-086: a start gives a stale log no time. What was off for a night, or has only
// the staff face, works again with the first checkpoint, whoever makes it; what
// is not signed is none, whatever time its row says.
func TestFreshAfterStart(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		var fresh *tree.Freshness
		start := func() { fresh = &tree.Freshness{Store: f.Store, Clock: f.clock(), Key: k.public} }
		expect := func(what string, want bool) {
			t.Helper()
			if stale, err := fresh.Stale(ctx); stale != want || err != nil {
				t.Errorf("%s: stale %t %v", what, stale, err)
			}
		}
		jobs := func() {
			t.Helper()
			if err := (&tree.Job{Notaries: []*tree.Notary{f.notary(k, fmt.Sprint(f.now), nil)}}).Step(ctx); err != nil {
				t.Fatal(err)
			}
		}
		start()
		expect("ok/first start ever", false)
		jobs()
		f.now = f.now.Add(tree.ReadOnly - time.Second)
		start()
		expect("ok/start before the time is over", false)
		f.now = f.now.Add(time.Second)
		expect("error/15 minutes after the checkpoint, not after the start", true)
		start()
		expect("error/started again", true)
		f.now = f.now.Add(12 * time.Hour)
		start()
		expect("error/after a night, before the jobs", true)
		jobs()
		expect("ok/after a night, with the first checkpoint", false)

		f.now = f.now.Add(tree.ReadOnly)
		text, _, err := f.LastCheckpoint(ctx, tree.Log)
		if err != nil {
			t.Fatal(err)
		}
		db := f.asOwner(t)
		for _, row := range []treeCheckpoint{{string(tree.Log), f.now.UnixMilli(), 2, text}, {string(tree.Log), f.now.UnixMilli() + 1, 2, "unsigned"}} {
			if err := db.Create(&row).Error; err != nil {
				t.Fatal(err)
			}
			start()
			expect("error/a row put in", true)
		}
	})
}

const lookSoon = 6 * time.Second

// disarm takes away what an owner of the tables can take away.
func (f *fixture) disarm(t *testing.T) *gorm.DB {
	t.Helper()
	owner := f.asOwner(t)
	statements := []string{
		"DROP TRIGGER log_no_update", "DROP TRIGGER log_no_delete", "DROP TRIGGER tree_leaves_no_update", "DROP TRIGGER tree_leaves_no_delete",
		"DROP TRIGGER tree_tiles_no_update", "DROP TRIGGER tree_tiles_no_delete", "DROP TRIGGER tree_checkpoints_no_delete",
	}
	if f.postgres {
		statements = []string{
			"ALTER TABLE log DISABLE TRIGGER USER", "ALTER TABLE log NO FORCE ROW LEVEL SECURITY", "ALTER TABLE tree_leaves DISABLE TRIGGER USER",
			"ALTER TABLE tree_tiles DISABLE TRIGGER USER", "ALTER TABLE tree_checkpoints DISABLE TRIGGER USER",
		}
	}
	if !f.postgres {
		f.guard.watch(nil) // an owner does not ask it
	}
	for _, s := range statements {
		if err := owner.Exec(s).Error; err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	return owner
}

// asOwner is the database as its owner has it with another program.
func (f *fixture) asOwner(t *testing.T) *gorm.DB {
	t.Helper()
	if f.postgres {
		return f.owner(t).write
	}
	pool, err := sql.Open("sqlite", "file:"+f.config.URL+"?_pragma=busy_timeout(10000)&_txlock=immediate")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = pool.Close() })
	db, err := gorm.Open(sqlite.New(sqlite.Config{Conn: pool, DriverName: "sqlite"}), gormConfig())
	if err != nil {
		t.Fatal(err)
	}
	return db
}

// L-22: one flipped bit in a stored row, leaf or inner node stops signing and
// alarms; put right, signing goes on.
func TestFlippedBit(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		n := f.notary(k, "a", tree.Folder(t.TempDir()).Of("akashi.test/operation-log"))
		var alarms []string
		job := &tree.Job{Notaries: []*tree.Notary{n}, Alarm: func(_ context.Context, kind string, _ map[string]string) { alarms = append(alarms, kind) }}
		f.write(t, 400)
		if err := job.Step(ctx); err != nil {
			t.Fatal(err)
		}
		db := f.disarm(t)
		flip := map[string]string{
			"log": "UPDATE log SET canonical = %s WHERE id = (SELECT entry_id FROM tree_leaves WHERE seq = 100)", "old leaf": "UPDATE tree_leaves SET leaf = %s WHERE seq = 7",
			"new leaf": "UPDATE tree_leaves SET leaf = %s WHERE seq = 390", "inner node": "UPDATE tree_tiles SET root = %s WHERE number = 0",
		}
		column := map[string]string{"log": "canonical", "old leaf": "leaf", "new leaf": "leaf", "inner node": "root"}
		for name, statement := range flip {
			from := map[string]string{"log": "log WHERE id = (SELECT entry_id FROM tree_leaves WHERE seq = 100)", "old leaf": "tree_leaves WHERE seq = 7", "new leaf": "tree_leaves WHERE seq = 390", "inner node": "tree_tiles WHERE number = 0"}[name]
			var before []byte
			if err := db.Raw("SELECT " + column[name] + " FROM " + from).Row().Scan(&before); err != nil {
				t.Fatal(err)
			}
			changed := slices.Clone(before)
			changed[3] ^= 0x10
			put := func(b []byte) {
				if r := db.Exec(fmt.Sprintf(statement, "?"), b); r.Error != nil || r.RowsAffected != 1 {
					t.Fatalf("%s: %v", name, r.Error)
				}
			}
			alarms = nil
			put(changed)
			f.now = f.now.Add(tree.Every)
			signed, _ := f.Checkpoints(ctx, tree.Log)
			if err := job.Step(ctx); !errors.Is(err, tree.ErrBroken) || len(alarms) != 1 || alarms[0] != tree.AlarmBroken {
				t.Errorf("error/%s flipped: %v %v", name, err, alarms)
			}
			if now, _ := f.Checkpoints(ctx, tree.Log); len(now) != len(signed) {
				t.Errorf("error/%s flipped: signed", name)
			}
			put(before)
			if err := job.Step(ctx); err != nil {
				t.Errorf("ok/%s put right: %v", name, err)
			}
		}
	})
}

// Issue 4, section 4: a row put in behind a checkpoint that says a time before it
// gets no place, is alarmed about, stops signing, and is found by the proof, also of an export; one
// that people let in is counted from then on. The issuance log is signed meanwhile.
func TestInsertedLate(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		folder := tree.Folder(t.TempDir()).Of("akashi.test/operation-log")
		var alarms []string
		issued := f.notary(newLogKey(t), "a", nil)
		issued.Tree = tree.Issuance
		job := &tree.Job{Notaries: []*tree.Notary{f.notary(k, "a", folder), issued}, Alarm: func(_ context.Context, kind string, _ map[string]string) { alarms = append(alarms, kind) }}
		step := func(what string, late bool) {
			t.Helper()
			alarms = nil
			f.now = f.now.Add(tree.Every)
			signed, _ := f.Checkpoints(ctx, tree.Log)
			published, _ := f.Checkpoints(ctx, tree.Issuance)
			err := job.Step(ctx)
			if errors.Is(err, tree.ErrLate) != late || !late && err != nil || late != slices.Equal(alarms, []string{tree.AlarmLate}) {
				t.Errorf("%s: %v %v", what, err, alarms)
			}
			if now, _ := f.Checkpoints(ctx, tree.Log); (len(now) == len(signed)) != late {
				t.Errorf("%s: %d checkpoints, then %d", what, len(signed), len(now))
			}
			if now, _ := f.Checkpoints(ctx, tree.Issuance); len(now) != len(published)+1 {
				t.Errorf("%s: the issuance log has %d checkpoints, then %d", what, len(published), len(now))
			}
		}
		db := f.disarm(t)
		insert := func(ago time.Duration) string {
			t.Helper()
			id := idAt(time.Now().Add(-ago)) + "-7000-8000-000000000001" // ids are of the machine's time here
			canonical := fmt.Appendf(nil, `{"action":"test","at":%q,"id":%q,"office":%q,"result":"ok"}`, logTime(f.now.Add(-ago)), id, here)
			if err := db.Exec("INSERT INTO log (office, id, at, person, terminal, purpose, case_id, action, object, concerned, result, request, canonical) VALUES (?, ?, ?, '', '', '', '', 'test', '', '', 'ok', '', ?)",
				here, id, logTime(f.now.Add(-ago)), canonical).Error; err != nil {
				t.Fatal(err)
			}
			return id
		}
		f.write(t, 20)
		step("ok/first", false)
		insert(tree.Late - time.Second) // an act that waited
		step("ok/in time", false)
		f.write(t, 3)
		for _, ago := range []time.Duration{tree.Late + time.Second, 50 * time.Minute, 30 * 24 * time.Hour} {
			id := insert(ago)
			if ago > time.Hour { // beyond what is looked at before each checkpoint
				job.Notaries[0] = f.notary(k, "a", folder)
			}
			size, _ := f.Size(ctx, tree.Log)
			step("error/late by "+ago.String(), true)
			f.write(t, 1)
			step("error/still", true)
			if now, _ := f.Size(ctx, tree.Log); now <= size {
				t.Errorf("ok/others get their places: %d, then %d", size, now)
			}
			f.write(t, 1) // has no place when the proof looks
			r := f.prove(t, k, folder)
			if !slices.ContainsFunc(r.Findings, func(x tree.Finding) bool { return x.Kind == tree.Outside && x.ID == here+"/"+id }) || r.Verdict != tree.Manipulated {
				t.Errorf("error/late by %v is not found: %+v", ago, r)
			}
			if x := f.proveExport(t, k, folder); x.Verdict != r.Verdict || x.Loose != r.Loose || !slices.Equal(x.Findings, r.Findings) {
				t.Errorf("error/late by %v is not found in the export: %+v", ago, x)
			}
			before := r.Admitted
			if err := f.log.Act(ctx, who(here), audit.Entry{Action: tree.AdmitAction, Object: id}, func(context.Context, *audit.Entry) error { return nil }); err != nil {
				t.Fatal(err)
			}
			step("ok/let in", false)
			if r := f.prove(t, k, folder); !r.Sound() || r.Admitted != before+1 || r.Loose != 0 {
				t.Errorf("ok/let in: %+v", r)
			}
		}
		// A clock that was ahead and is put right makes nothing late.
		f.now = f.now.Add(3 * time.Hour)
		f.write(t, 1)
		step("ok/ahead", false)
		f.now = f.now.Add(-3 * time.Hour)
		f.write(t, 1)
		step("ok/put right", false)
		f.write(t, 1)
		step("ok/later", false)
		if r := f.prove(t, k, folder); !r.Sound() || r.Admitted != 3 {
			t.Errorf("ok/clock put right: %+v", r)
		}
	})
}

// Issue 4, section 4: what an owner of the database does through SQL, triggers
// dropped, is found against the second place, also when leaves and inner nodes
// are made to agree.
func TestOwnerIsFound(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		folder := tree.Folder(t.TempDir()).Of("akashi.test/operation-log")
		n := f.notary(k, "a", folder)
		for range 6 {
			f.write(t, 50)
			f.now = f.now.Add(tree.Every)
			if err := n.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
		}
		f.write(t, 4)
		if _, _, err := n.Step(ctx); err != nil {
			t.Fatal(err)
		}
		if r := f.prove(t, k, folder); !r.Sound() || r.Proven != 302 || r.Unproven != 4 {
			t.Fatalf("ok/untouched: %+v", r)
		}
		db := f.disarm(t)
		random := mrand.New(mrand.NewPCG(4, 22))
		for i := range 200 {
			undone := errors.New("undone")
			var kind string
			err := db.Transaction(func(db *gorm.DB) error {
				kind = attack(t, db, random, 302)
				// The proof reads through the transaction of the attack.
				c := context.WithValue(ctx, txKey{}, newTx(ctx, db, installation, new(bool)))
				if f.postgres {
					if err := db.Exec("SELECT set_config('akashi.office', '000000', true)").Error; err != nil {
						t.Fatal(err)
					}
				}
				if r := f.proveIn(c, t, k, folder); r.Sound() {
					t.Errorf("error/%d %s is not found", i, kind)
				}
				return undone
			})
			if !errors.Is(err, undone) {
				t.Fatalf("%s: %v", kind, err)
			}
		}
		if r := f.prove(t, k, folder); !r.Sound() {
			t.Errorf("ok/all undone: %+v", r)
		}
	})
}

// attack changes the log before the given place, in one of the ways of issue 4.
func attack(t *testing.T, db *gorm.DB, random *mrand.Rand, proven int) string {
	t.Helper()
	run := func(statement string, args ...any) {
		t.Helper()
		if err := db.Exec(statement, args...).Error; err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	i := random.IntN(proven)
	at := func(seq int) (id string) {
		if err := db.Raw("SELECT entry_id FROM tree_leaves WHERE seq = ?", seq).Row().Scan(&id); err != nil {
			t.Fatal(err)
		}
		return id
	}
	shift := func(from, by int) {
		run("UPDATE tree_leaves SET seq = -1 - (seq + ?) WHERE seq >= ?", by, from)
		run("UPDATE tree_leaves SET seq = -1 - seq WHERE seq < 0")
	}
	forge := func(seq int) {
		h := merkle.Leaf([]byte("{}"))
		id := fmt.Sprintf("00000000-0000-7000-8000-%012d", random.IntN(1e9))
		run("INSERT INTO log (office, id, at, person, terminal, purpose, case_id, action, object, concerned, result, request, canonical) VALUES (?, ?, '', '', '', '', '', '', '', '', '', '', ?)", here, id, []byte("{}"))
		run("INSERT INTO tree_leaves (tree, seq, office, entry_id, leaf) VALUES ('log', ?, ?, ?, ?)", seq, here, id, h[:])
	}
	kinds := []string{"edit", "column", "leaf", "delete", "erase", "insert", "swap", "truncate", "roll back"}
	kind := kinds[random.IntN(len(kinds))]
	switch kind {
	case "edit":
		run("UPDATE log SET canonical = ? WHERE id = ?", []byte(fmt.Sprintf(`{"edited":%d}`, i)), at(i))
	case "column":
		run("UPDATE log SET person = 'another' WHERE id = ?", at(i))
	case "leaf":
		run("UPDATE tree_leaves SET leaf = ? WHERE seq = ?", make([]byte, 32), i)
	case "delete":
		run("DELETE FROM log WHERE id = ?", at(i))
		run("DELETE FROM tree_leaves WHERE seq = ?", i)
		shift(i+1, -1)
	case "erase":
		run("DELETE FROM log WHERE id = ?", at(i))
	case "insert":
		shift(i, 1)
		forge(i)
	case "swap":
		j := (i + 1 + random.IntN(proven-1)) % proven
		run("UPDATE tree_leaves SET seq = -1 WHERE seq = ?", i)
		run("UPDATE tree_leaves SET seq = ? WHERE seq = ?", i, j)
		run("UPDATE tree_leaves SET seq = ? WHERE seq = -1", j)
	case "truncate", "roll back":
		run("DELETE FROM log WHERE id IN (SELECT entry_id FROM tree_leaves WHERE seq >= ?)", i)
		run("DELETE FROM tree_leaves WHERE seq >= ?", i)
		for seq := i; kind == "roll back" && seq < proven+3; seq++ {
			forge(seq)
		}
	}
	if kind != "leaf" && random.IntN(2) == 0 {
		settle(t, db)
		kind += ", settled"
	}
	return kind
}

// settle makes leaves and inner nodes agree with the log as it now is.
func settle(t *testing.T, db *gorm.DB) {
	t.Helper()
	var rows []struct {
		Seq        int64
		Leaf, Data []byte
	}
	if err := db.Raw("SELECT t.seq, t.leaf, l.canonical AS data FROM tree_leaves t JOIN log l ON l.office = t.office AND l.id = t.entry_id ORDER BY t.seq").Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	var tile merkle.Tree
	for i, r := range rows {
		h := merkle.Leaf(r.Data)
		if !merkle.Equal(h, r.Leaf) {
			if err := db.Exec("UPDATE tree_leaves SET leaf = ? WHERE seq = ?", h[:], r.Seq).Error; err != nil {
				t.Fatal(err)
			}
		}
		if i < merkle.TileSize {
			tile.Append(h)
		}
	}
	if err := db.Exec("DELETE FROM tree_tiles").Error; err != nil || tile.Size() < merkle.TileSize {
		return
	}
	root := tile.Root()
	if err := db.Exec("INSERT INTO tree_tiles (tree, number, root) VALUES ('log', 0, ?)", root[:]).Error; err != nil {
		t.Fatal(err)
	}
}
