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
	"net/url"
	"strings"
	"sync"
	"time"

	"database/sql"
	"database/sql/driver"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"gorm.io/driver/postgres"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	"gorm.io/gorm/clause"
	"gorm.io/gorm/logger"

	"akashi/internal/clock"
	"akashi/internal/idgen"
	"akashi/internal/seal"
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
