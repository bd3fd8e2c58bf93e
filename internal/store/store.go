// Package store keeps everything in a database: SQLite in a file, or PostgreSQL.
// It is the only importer of gorm and implements the interfaces that the domain
// packages declare.
//
// A write happens inside an act (audit.Log.Act) or not at all. Every query
// carries its office; on PostgreSQL row-level security enforces it again. Names,
// dates of birth, passport data, doses, payloads and bytes to sign are sealed on
// the way in and opened on the way out.
package store

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"database/sql"
	"database/sql/driver"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"akashi/internal/clock"
	"akashi/internal/idgen"
	"akashi/internal/seal"
	"akashi/migrations"
)

// Config says which database. URL is a file path or "sqlite:PATH" for SQLite, or
// "postgres://…". MigrateURL is that of the schema's owner, SignerURL that of the
// role that reads intents for the signer; empty means URL.
type Config struct {
	URL, MigrateURL, SignerURL string
	Connections                int // of PostgreSQL; 0: 16
	Ring                       *seal.Ring
	Clock                      clock.Clock
	IDs                        idgen.Gen
}

// Store is an open database.
type Store struct {
	ring     *seal.Ring
	clock    clock.Clock
	ids      idgen.Gen
	postgres bool
	path     string // of SQLite
	read     *gorm.DB
	write    *gorm.DB
	signer   *gorm.DB // of another role; nil: read
	guard    *guard   // SQLite
	queue    chan job // SQLite: the one writer; nil on PostgreSQL
	stopped  chan struct{}
	closing  sync.RWMutex // held for reading while something is put into the queue
	closed   bool
	pools    []*sql.DB
	keys     keyCache
	readying sync.Mutex // while an office's data keys are loaded
}

// Open opens the database, brings its schema up to date, and refuses one that
// is newer than this program.
func Open(ctx context.Context, c Config) (*Store, error) {
	s := &Store{ring: c.Ring, clock: c.Clock, ids: c.IDs, postgres: strings.HasPrefix(c.URL, "postgres")}
	open := s.openSQLite
	if s.postgres {
		open = s.openPostgres
	}
	err := open(ctx, c)
	if err == nil {
		s.ring.Attach()
		err = s.checkRing(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", errors.Join(err, s.Close()))
	}
	return s, nil
}

// OpenReadOnly opens a database as it is, for reading alone: nothing is migrated,
// written or unsealed. It serves the proof of the log.
func OpenReadOnly(ctx context.Context, c Config) (*Store, error) {
	s := &Store{clock: c.Clock, postgres: strings.HasPrefix(c.URL, "postgres")}
	var err error
	if s.postgres {
		var connector driver.Connector
		if connector, err = newConnector(c.URL, readOnly); err == nil {
			s.read, err = gorm.Open(postgres.New(postgres.Config{Conn: s.keepPool(sql.OpenDB(connector), 2)}), gormConfig())
		}
	} else {
		var pool *sql.DB
		query := url.Values{"_pragma": {"busy_timeout(10000)", "query_only(1)"}, "mode": {"ro"}}.Encode()
		if pool, err = s.pool("sqlite", "file:"+strings.TrimPrefix(c.URL, "sqlite:")+"?"+query, 2); err == nil {
			s.read, err = gorm.Open(sqlite.New(sqlite.Config{Conn: pool, DriverName: "sqlite"}), gormConfig())
		}
	}
	if err == nil {
		err = s.Ping(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", errors.Join(err, s.closePools()))
	}
	return s, nil
}

type installationRow struct {
	Name  string
	Value []byte
}

func (installationRow) TableName() string { return "installation" }

// ErrForeignKey tells that the database was sealed with another file key: with
// this one nobody in it would be found, and "no record" would be a lie.
var ErrForeignKey = errors.New("the database was sealed with another file key (seal.key)")

// checkRing leaves a proof of the file key at the first start and demands it
// at each later one.
func (s *Store) checkRing(ctx context.Context) error {
	var row installationRow
	read := func() error { return s.write.WithContext(ctx).Where("name = ?", "seal").Take(&row).Error }
	err := read()
	if errors.Is(err, gorm.ErrRecordNotFound) {
		if err := s.ring.Keep(); err != nil {
			return err
		}
		first := s.write.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).Create(&installationRow{"seal", s.ring.Proof()})
		err = errors.Join(first.Error, read())
	}
	if err != nil {
		return err
	}
	return s.checkProof(s.write.WithContext(ctx), "")
}

// Close waits for what is queued and closes the pools; acts after it are refused.
func (s *Store) Close() error {
	s.closing.Lock()
	first := !s.closed
	s.closed = true
	s.closing.Unlock()
	if !first {
		return nil
	}
	if s.queue != nil {
		close(s.queue)
		<-s.stopped
	}
	return s.closePools()
}

func (s *Store) closePools() error {
	var errs []error
	for _, p := range s.pools {
		errs = append(errs, p.Close())
	}
	return errors.Join(errs...)
}

// Ping tells whether the database answers.
func (s *Store) Ping(ctx context.Context) error { return s.pools[0].PingContext(ctx) }

// ServerTime is what the clock of the database server says (S-104); zero on SQLite,
// which has no other clock than this machine's.
func (s *Store) ServerTime(ctx context.Context) (at time.Time, err error) {
	if s.postgres {
		err = s.pools[0].QueryRowContext(ctx, "SELECT clock_timestamp()").Scan(&at)
	}
	return at.UTC(), reachable(err)
}

func (s *Store) openSQLite(ctx context.Context, c Config) error {
	s.path = strings.TrimPrefix(c.URL, "sqlite:")
	path := s.path
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)", "temp_store(MEMORY)",
	}, "_txlock": {"immediate"}}
	if err := private(path); err != nil {
		return err
	}
	guard := &guard{}
	s.guard = guard
	writer := s.keepPool(sql.OpenDB(guardedConnector{&modernc.Driver{}, "file:" + path + "?" + pragmas.Encode(), guard}), 1)
	if err := migrate(ctx, writer, goose.DialectSQLite3, "sqlite"); err != nil {
		return err
	}
	tables, err := tenantTables(ctx, writer)
	if err != nil {
		return err
	}
	guard.watch(tables)
	pragmas["_pragma"] = append(pragmas["_pragma"], "query_only(1)")
	pragmas.Del("_txlock")
	reader := s.keepPool(sql.OpenDB(guardedConnector{&modernc.Driver{}, "file:" + path + "?" + pragmas.Encode(), guard}), 4)
	if s.write, err = gorm.Open(sqlite.New(sqlite.Config{Conn: writer, DriverName: "sqlite"}), gormConfig()); err != nil {
		return err
	}
	if s.read, err = gorm.Open(sqlite.New(sqlite.Config{Conn: reader, DriverName: "sqlite"}), gormConfig()); err != nil {
		return err
	}
	s.queue, s.stopped = make(chan job, 1024), make(chan struct{})
	go s.writeGroups()
	return nil
}

// private makes the file of a database its owner's alone, also one that was made
// otherwise. SQLite gives the files beside it the same mode. An existing file is
// not opened: closing it would take SQLite's locks of this process away.
func private(path string) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	switch {
	case err == nil:
		return f.Close()
	case !errors.Is(err, fs.ErrExist):
		return err
	}
	for _, name := range []string{path, path + "-wal", path + "-shm"} {
		if err := os.Chmod(name, 0o600); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// tenantTables are the tables whose rows lead with the office.
func tenantTables(ctx context.Context, db *sql.DB) (list []string, err error) {
	rows, err := db.QueryContext(ctx, `SELECT m.name FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table' AND c.name = 'office' AND c.pk = 1`)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var table string
		if err := rows.Scan(&table); err != nil {
			return nil, err
		}
		list = append(list, table)
	}
	return list, rows.Err()
}

// ErrServed tells that another process serves the same SQLite database.
var ErrServed = errors.New("another process serves this SQLite database already (commands may run beside it, a second server may not)")

// serveAlone holds a lock of SQLite on a file beside the database, until leave is
// called or the process ends, however it ends.
func (s *Store) serveAlone(ctx context.Context) (leave func() error, err error) {
	path := s.path + "-serving"
	if err := private(path); err != nil {
		return nil, err
	}
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		return nil, err
	}
	conn, err := db.Conn(ctx)
	if err == nil {
		_, err = conn.ExecContext(ctx, "BEGIN EXCLUSIVE")
	}
	if err != nil {
		var busy *modernc.Error
		if errors.As(err, &busy) && busy.Code() == sqlite3.SQLITE_BUSY {
			err = fmt.Errorf("%s: %w", filepath.Base(s.path), ErrServed)
		}
		return nil, errors.Join(err, db.Close())
	}
	return func() error { return errors.Join(conn.Close(), db.Close()) }, nil
}

func (s *Store) openPostgres(ctx context.Context, c Config) error {
	owner := c.MigrateURL
	if owner == "" {
		owner = c.URL
	}
	migrator, err := sql.Open("pgx", owner)
	if err != nil {
		return err
	}
	err = migrate(ctx, migrator, goose.DialectPostgres, "postgres")
	if err == nil {
		err = grant(ctx, migrator)
	}
	if err := errors.Join(err, migrator.Close()); err != nil {
		return err
	}
	if s.write, err = s.postgresPool(c.URL, cmp.Or(c.Connections, 16)); err != nil {
		return err
	}
	s.read = s.write
	if c.SignerURL != "" && c.SignerURL != c.URL {
		s.signer, err = s.postgresPool(c.SignerURL, cmp.Or(c.Connections, 8))
	}
	return err
}

func (s *Store) postgresPool(url string, size int) (*gorm.DB, error) {
	connector, err := newConnector(url, patient)
	if err != nil {
		return nil, err
	}
	return gorm.Open(postgres.New(postgres.Config{Conn: s.keepPool(sql.OpenDB(connector), size)}), gormConfig())
}

func (s *Store) pool(driver, dsn string, size int) (*sql.DB, error) {
	p, err := sql.Open(driver, dsn)
	if err != nil {
		return nil, err
	}
	return s.keepPool(p, size), nil
}

func (s *Store) keepPool(p *sql.DB, size int) *sql.DB {
	p.SetMaxOpenConns(size)
	p.SetMaxIdleConns(size)
	s.pools = append(s.pools, p)
	return p
}

func gormConfig() *gorm.Config {
	return &gorm.Config{
		SkipDefaultTransaction: true,
		TranslateError:         true,
		Logger:                 logger.Discard, // statements hold personal data
		NowFunc:                func() time.Time { return time.Now().UTC() },
	}
}

// ErrNewerSchema tells that the database was migrated by a newer program.
var ErrNewerSchema = errors.New("the database's schema is newer than this program")

// ErrOlderSchema tells that a process that may not migrate meets a database that needs it.
var ErrOlderSchema = errors.New("the database's schema is older than this program: start it once with AKASHI_MIGRATE_URL")

// migrate brings the schema up to date; where nothing is missing it writes nothing.
func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	p, err := provider(db, dialect, folder)
	if err != nil {
		return err
	}
	pending, err := pending(ctx, p)
	if err != nil || !pending {
		return err
	}
	_, err = p.Up(ctx)
	return err
}

// pending tells whether migrations are missing, and refuses a newer schema.
func pending(ctx context.Context, p *goose.Provider) (bool, error) {
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return false, err
	}
	if current > target {
		return false, ErrNewerSchema
	}
	return p.HasPending(ctx)
}

// current refuses a database that has another schema than the program's.
func (s *Store) current(ctx context.Context) error {
	dialect, folder := goose.DialectSQLite3, "sqlite"
	if s.postgres {
		dialect, folder = goose.DialectPostgres, "postgres"
	}
	p, err := provider(s.pools[0], dialect, folder)
	if err != nil {
		return err
	}
	pending, err := pending(ctx, p)
	if err == nil && pending {
		err = ErrOlderSchema
	}
	return err
}

func provider(db *sql.DB, dialect goose.Dialect, folder string) (*goose.Provider, error) {
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		return nil, err
	}
	options := []goose.ProviderOption{goose.WithVerbose(false)}
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return nil, err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	return goose.NewProvider(dialect, db, files, options...)
}

// newest is a page of rows, whose ids rise with time: those before a cursor, newest first.
func newest(q *gorm.DB, before string, limit int) *gorm.DB {
	if before != "" {
		q = q.Where("id < ?", before)
	}
	return q.Order("id DESC").Limit(limit)
}

// oldest is newest the other way round.
func oldest(q *gorm.DB, after string, limit int) *gorm.DB {
	if after != "" {
		q = q.Where("id > ?", after)
	}
	return q.Order("id").Limit(limit)
}
