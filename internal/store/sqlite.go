package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"database/sql"

	_ "github.com/jackc/pgx/v5/stdlib" // the driver "pgx"
	"github.com/pressly/goose/v3"
	"gorm.io/driver/sqlite"
	"gorm.io/gorm"
	modernc "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

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
