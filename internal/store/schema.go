package store

import (
	"context"
	"errors"
	"io/fs"

	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"akashi/migrations"
)

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
