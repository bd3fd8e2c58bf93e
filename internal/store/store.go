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
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
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
	_ "modernc.org/sqlite" // the driver "sqlite"

	"akashi/internal/clock"
	"akashi/internal/idgen"
	"akashi/internal/seal"
	"akashi/migrations"
)

// Config says which database. URL is a file path or "sqlite:PATH" for SQLite, or
// "postgres://…". MigrateURL is that of the schema's owner; empty means URL.
type Config struct {
	URL, MigrateURL string
	Ring            *seal.Ring
	Clock           clock.Clock
	IDs             idgen.Gen
}

// Store is an open database.
type Store struct {
	ring     *seal.Ring
	clock    clock.Clock
	ids      idgen.Gen
	postgres bool
	read     *gorm.DB
	write    *gorm.DB
	queue    chan job // SQLite: the one writer; nil on PostgreSQL
	stopped  chan struct{}
	closing  sync.RWMutex // held for reading while something is put into the queue
	closed   bool
	pools    []*sql.DB
	keys     keyCache
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
	err := s.write.WithContext(ctx).Clauses(clause.OnConflict{DoNothing: true}).
		Create(&installationRow{"seal", s.ring.Proof()}).Error
	if err != nil {
		return err
	}
	var row installationRow
	if err := s.write.WithContext(ctx).Where("name = ?", "seal").Take(&row).Error; err != nil {
		return err
	}
	if !s.ring.Proves(row.Value) {
		return ErrForeignKey
	}
	return nil
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

func (s *Store) openSQLite(ctx context.Context, c Config) error {
	path := strings.TrimPrefix(c.URL, "sqlite:")
	pragmas := url.Values{"_pragma": {
		"busy_timeout(10000)", "journal_mode(WAL)", "synchronous(FULL)", "foreign_keys(1)",
	}, "_txlock": {"immediate"}}
	writer, err := s.pool("sqlite", "file:"+path+"?"+pragmas.Encode(), 1)
	if err != nil {
		return err
	}
	if err := migrate(ctx, writer, goose.DialectSQLite3, "sqlite"); err != nil {
		return err
	}
	pragmas["_pragma"] = append(pragmas["_pragma"], "query_only(1)")
	pragmas.Del("_txlock")
	reader, err := s.pool("sqlite", "file:"+path+"?"+pragmas.Encode(), 4)
	if err != nil {
		return err
	}
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
	if err := errors.Join(err, migrator.Close()); err != nil {
		return err
	}
	connector, err := newConnector(c.URL)
	if err != nil {
		return err
	}
	pool := s.keepPool(sql.OpenDB(connector), 16)
	s.write, err = gorm.Open(postgres.New(postgres.Config{Conn: pool}), gormConfig())
	s.read = s.write
	return err
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

func migrate(ctx context.Context, db *sql.DB, dialect goose.Dialect, folder string) error {
	files, err := fs.Sub(migrations.Files, folder)
	if err != nil {
		return err
	}
	options := []goose.ProviderOption{goose.WithVerbose(false)}
	if dialect == goose.DialectPostgres {
		locker, err := lock.NewPostgresSessionLocker()
		if err != nil {
			return err
		}
		options = append(options, goose.WithSessionLocker(locker))
	}
	p, err := goose.NewProvider(dialect, db, files, options...)
	if err != nil {
		return err
	}
	current, target, err := p.GetVersions(ctx)
	if err != nil {
		return err
	}
	if current > target {
		return ErrNewerSchema
	}
	_, err = p.Up(ctx)
	return err
}
