package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"gorm.io/gorm"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/seal"
)

// groupSize bounds how many acts of one SQLite commit may wait for each other.
const groupSize = 64

// onceKept is how long an idempotency key is remembered (design 2, step 1).
const onceKept = 24 * time.Hour

type txKey struct{}

// tx is the transaction of the act that a context belongs to.
type tx struct {
	db     *gorm.DB
	office string
	opened map[string]seal.Key // person keys unwrapped in this act
	moved  *bool               // set when it changes signing keys
}

// newTx begins with the keys that were opened in the look which the act follows.
func newTx(ctx context.Context, db *gorm.DB, office string, moved *bool) tx {
	keys := map[string]seal.Key{}
	if l, ok := ctx.Value(lookKey{}).(looking); ok && l.office == office {
		maps.Copy(keys, l.opened)
	}
	return tx{db, office, keys, moved}
}

type lookKey struct{}

// looking is what a context belongs to in which people are read and nothing is written.
type looking struct {
	db     *gorm.DB
	office string
	opened map[string]seal.Key
	ended  bool // what follows it only has its keys
}

// ErrNoAct tells that something was written, or a person looked up, outside an act.
var ErrNoAct = errors.New("store: outside an act")

// ErrNested tells that an act was begun inside another one.
var ErrNested = errors.New("store: an act within an act")

// ErrNoOffice tells that a query or an act named no office (S-026).
var ErrNoOffice = errors.New("store: no office")

// ErrOtherOffice tells that a query or an act met another office than its own.
var ErrOtherOffice = errors.New("store: another office than the act's")

// act returns the transaction of the running act for its office.
func act(ctx context.Context, office string) (*gorm.DB, error) {
	t, ok := ctx.Value(txKey{}).(tx)
	if !ok {
		return nil, ErrNoAct
	}
	if t.office != office || office == "" {
		return nil, ErrOtherOffice
	}
	return t.db.WithContext(ctx), nil
}

// alone lets acts of a class about one thing run one after the other, where what none
// of them may do twice is no unique key. The SQLite writer is alone anyway.
func (s *Store) alone(db *gorm.DB, class int, about string) error {
	if !s.postgres {
		return nil
	}
	return db.Exec("SELECT pg_advisory_xact_lock(?, hashtext(?))", class, about).Error
}

// seeing returns what reads about people go to: the transaction of the running act,
// or, in a look, no transaction at all. On PostgreSQL only batches find rows by it.
func seeing(ctx context.Context, office string) (*gorm.DB, error) {
	l, ok := ctx.Value(lookKey{}).(looking)
	if _, acting := ctx.Value(txKey{}).(tx); acting || !ok || l.ended {
		return act(ctx, office)
	}
	if l.office != office || office == "" {
		return nil, ErrOtherOffice
	}
	return l.db.WithContext(ctx), nil
}

// Act implements audit.Book.
func (s *Store) Act(ctx context.Context, office string, fn func(context.Context) ([]audit.Record, *audit.Once, error)) error {
	return s.transact(ctx, office, func(ctx context.Context) error {
		records, once, err := fn(ctx)
		if err != nil {
			return err
		}
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		if once != nil {
			if err := s.keepOnce(db, records[len(records)-1], once); err != nil {
				return err
			}
		}
		return logged(records...).runLater(db)
	})
}

// Look implements audit.Book. On PostgreSQL each batch of fn is a message of its own,
// on a connection that would let it write: but what writes asks for an act.
func (s *Store) Look(ctx context.Context, office string, fn func(context.Context) error) (context.Context, error) {
	if !isOffice(office) {
		return ctx, ErrNoOffice
	}
	if _, within := ctx.Value(txKey{}).(tx); within {
		return ctx, ErrNested
	}
	if err := s.ready(ctx, office); err != nil {
		return ctx, err
	}
	l := looking{office: office, opened: map[string]seal.Key{}}
	inner := withOffice(ctx, office)
	run := func(db *gorm.DB) error {
		l.db = db
		return fn(context.WithValue(inner, lookKey{}, l))
	}
	var err error
	if db := s.read.WithContext(inner); s.postgres {
		err = run(db)
	} else {
		err = db.Transaction(run) // whose cache serves all statements
	}
	l.ended = true
	return context.WithValue(ctx, lookKey{}, l), reachable(err)
}

// unlogged says that there is no act without its entry (S-084).
func unlogged(err error) error {
	if gone := reachable(err); fault.CodeOf(gone) == fault.Unavailable && !lockedOut(err) {
		return gone
	}
	return fault.New(fault.Unavailable, "log", "").Because(err)
}

// transact runs fn in a transaction of the office whose data keys are ready,
// committed durably when it returns nil.
func (s *Store) transact(ctx context.Context, office string, fn func(context.Context) error) error {
	if !isOffice(office) {
		return ErrNoOffice
	}
	if err := s.ready(ctx, office); err != nil {
		return err
	}
	return s.enact(ctx, office, fn)
}

// enact is transact without data keys. The context given to fn cannot be cancelled: SQLite would answer
// an interrupt by rolling back the whole group.
func (s *Store) enact(ctx context.Context, office string, fn func(context.Context) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if _, within := ctx.Value(txKey{}).(tx); within {
		return ErrNested // on SQLite it would wait for itself
	}
	inner := withOffice(context.WithoutCancel(ctx), office)
	moved := false
	defer func() { // after the commit
		if moved {
			s.keys.forget()
		}
	}()
	run := func(db *gorm.DB) error { return fn(context.WithValue(inner, txKey{}, newTx(ctx, db, office, &moved))) }
	if s.queue != nil {
		j := job{done: make(chan error, 1), run: run}
		if err := s.enqueue(j); err != nil {
			return err
		}
		return <-j.done
	}
	var err error
	for range deadlockTries {
		err = s.write.WithContext(inner).Transaction(func(db *gorm.DB) error { return protect(run, db) })
		if !deadlocked(err) {
			break
		}
	}
	return reachable(err)
}

func (s *Store) enqueue(j job) error {
	s.closing.RLock()
	defer s.closing.RUnlock()
	if s.closed {
		return fault.New(fault.Unavailable, "store", "")
	}
	s.queue <- j
	return nil
}

// look runs a query that touches no person, outside any act.
func (s *Store) look(ctx context.Context, office string, fn func(*gorm.DB) error) error {
	if !isOffice(office) {
		return ErrNoOffice
	}
	if t, ok := ctx.Value(txKey{}).(tx); ok && t.office == office {
		return fn(t.db.WithContext(ctx))
	}
	if err := s.ready(ctx, office); err != nil {
		return err
	}
	if !s.postgres {
		return reachable(fn(s.read.WithContext(withOffice(ctx, office))))
	}
	return reachable(s.read.WithContext(withOffice(ctx, office)).Transaction(fn))
}

type job struct {
	run  func(*gorm.DB) error
	done chan error
}

// writeGroups is the one writer of SQLite: it runs what has queued up in one
// transaction, each act behind a savepoint of its own, and answers after the
// commit, so that one fsync serves the whole group.
func (s *Store) writeGroups() {
	defer close(s.stopped)
	for first := range s.queue {
		group := []job{first}
	gather:
		for len(group) < groupSize {
			select {
			case j, ok := <-s.queue:
				if !ok {
					break gather
				}
				group = append(group, j)
			default:
				break gather
			}
		}
		s.writeGroup(group)
	}
}

func (s *Store) writeGroup(group []job) {
	results := make([]error, len(group))
	err := s.write.Transaction(func(db *gorm.DB) error {
		// Not gorm's SavePoint and RollbackTo, which hide their errors: where a full
		// disk made SQLite undo the whole group, only these tell.
		say := func(text string) error {
			_, err := db.Statement.ConnPool.ExecContext(context.Background(), text)
			return err
		}
		for i, j := range group {
			if err := say("SAVEPOINT act"); err != nil {
				return err
			}
			if results[i] = reachable(protect(j.run, db)); results[i] != nil {
				if err := say("ROLLBACK TO act"); err != nil {
					return err
				}
			}
			if err := say("RELEASE act"); err != nil {
				return err
			}
		}
		return nil
	})
	for i, j := range group {
		if err != nil && results[i] == nil {
			results[i] = fault.New(fault.Unavailable, "store", "").Because(err)
		}
		j.done <- results[i]
	}
}

// protect makes an error of a panic, so that a broken act is undone alone and
// takes neither its group nor the writer with it.
func protect(run func(*gorm.DB) error, db *gorm.DB) (err error) {
	defer func() {
		if p := recover(); p != nil {
			// The value may hold anything; its type and the place are enough to find the fault.
			err = fmt.Errorf("store: act panicked with %T at %s", p, panicPlace())
		}
	}()
	return run(db)
}

// panicPlace names the function that panicked.
func panicPlace() string {
	callers := make([]uintptr, 16)
	frames := runtime.CallersFrames(callers[:runtime.Callers(2, callers)])
	for past := false; ; {
		frame, more := frames.Next()
		if past && !strings.HasPrefix(frame.Function, "runtime.") {
			return frame.Function
		}
		past = past || frame.Function == "runtime.gopanic"
		if !more {
			return "an unknown place"
		}
	}
}

func onceHash(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

func (s *Store) keepOnce(db *gorm.DB, r audit.Record, o *audit.Once) error {
	now := s.clock.Now()
	err := batch{
		{text: "DELETE FROM once WHERE office = $1 AND created_at < $2", args: []any{r.Office, now.Add(-onceKept).UnixMilli()}},
		insert("once", "office, route, key_hash, body_hash, object, created_at",
			[]any{r.Office, o.Route, onceHash(o.Key), o.Body, r.Object, now.UnixMilli()}),
	}.run(db)
	if duplicate(err) {
		return audit.ErrRepeated
	}
	return err
}

// duplicate tells whether a unique key refused the row.
func duplicate(err error) bool {
	var lite *sqlite.Error
	if errors.As(err, &lite) {
		return lite.Code() == sqlite3.SQLITE_CONSTRAINT_UNIQUE || lite.Code() == sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY
	}
	var refusal *pgconn.PgError
	return errors.Is(err, gorm.ErrDuplicatedKey) || errors.As(err, &refusal) && refusal.Code == "23505"
}

// Once returns the object that an earlier act with this idempotency key made and
// the hash of that request's body; fault NotFound if there was none.
func (s *Store) Once(ctx context.Context, office, route, key string) (object string, body []byte, err error) {
	err = s.lookup(ctx, office, batch{one("idempotency_key", []any{&object, &body},
		"SELECT object, body_hash FROM once WHERE office = $1 AND route = $2 AND key_hash = $3 AND created_at >= $4",
		office, route, onceHash(key), s.clock.Now().Add(-onceKept).UnixMilli())})
	return object, body, err
}

// missing turns gorm's "not found" into the fault that says so.
func missing(err error, key string) error {
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return fault.New(fault.NotFound, key, "")
	}
	return err
}

// logged writes entries of the log, two by two: as many texts are prepared, and the look
// and the act of an issue are one statement.
func logged(records ...audit.Record) (b batch) {
	for some := range slices.Chunk(records, 2) {
		var rows [][]any
		for _, r := range some {
			rows = append(rows, []any{
				r.Office, r.ID, r.At, r.Person, r.Terminal, r.Purpose, r.Case, r.Action, r.Object, r.Concerned, r.Result, r.Request, r.Canonical,
			})
		}
		entries := insert("log", "office, id, at, person, terminal, purpose, case_id, action, object, concerned, result, request, canonical", rows...)
		entries.fails = unlogged
		b = append(b, entries)
	}
	return b
}

// LogEntries returns the canonical entries about an object, oldest first.
func (s *Store) LogEntries(ctx context.Context, office, object string) ([][]byte, error) {
	var list [][]byte
	err := s.lookup(ctx, office, batch{every(func(scan scan) error {
		list = append(list, nil)
		return scan(&list[len(list)-1])
	}, "SELECT canonical FROM log WHERE office = $1 AND object = $2 ORDER BY id", office, object)})
	return list, err
}

// Entries implements audit.ReviewStore.
func (s *Store) Entries(ctx context.Context, office string, q audit.Query) ([]audit.Record, error) {
	db, err := seeing(ctx, office)
	if err != nil {
		return nil, err
	}
	if _, acting := ctx.Value(txKey{}).(tx); acting || !s.postgres {
		return entries(db, office, q)
	}
	var list []audit.Record
	err = db.Transaction(func(db *gorm.DB) (err error) { // of the office
		list, err = entries(db, office, q)
		return err
	})
	return list, err
}

func entries(db *gorm.DB, office string, q audit.Query) ([]audit.Record, error) {
	db = newest(db.Table("log").Where("office = ?", office), q.Before, q.Limit)
	for _, is := range []struct{ column, value string }{{"person", q.Staff}, {"concerned", q.Concerned}, {"action", q.Action}, {"object", q.Object}} {
		if is.value != "" {
			db = db.Where(is.column+" = ?", is.value)
		}
	}
	if q.Of != nil {
		db = db.Where("person IN ?", q.Of)
	}
	if !q.From.IsZero() {
		db = db.Where("at >= ? AND id >= ?", logTime(q.From), idAt(q.From.Add(-time.Hour)))
	}
	if !q.Until.IsZero() {
		db = db.Where("at < ? AND id < ?", logTime(q.Until), idAt(q.Until.Add(time.Hour)))
	}
	var rows []struct {
		ID, At, Person, Terminal, Purpose, CaseID, Action, Object, Concerned, Result, Request string
		Canonical                                                                             []byte
	}
	if err := db.Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]audit.Record, len(rows))
	for i, r := range rows {
		list[i] = audit.Record{
			Office: office, ID: r.ID, At: r.At, Person: r.Person, Terminal: r.Terminal, Purpose: r.Purpose, Case: r.CaseID,
			Action: r.Action, Object: r.Object, Concerned: r.Concerned, Result: r.Result, Request: r.Request, Canonical: r.Canonical,
		}
	}
	return list, nil
}

var _ audit.ReviewStore = (*Store)(nil)
