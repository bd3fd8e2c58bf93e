package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/stdlib"
	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"akashi/internal/fault"
)

// deadlockTries bounds how often a transaction is run that the server ended to
// let another one pass.
const deadlockTries = 4

// deadlocked tells whether a transaction only has to be run again: a deadlock or
// a serialisation failure.
func deadlocked(err error) bool {
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && (refusal.Code == "40P01" || refusal.Code == "40001")
}

// reachable makes "try again later" of an error that says that the database cannot
// be reached, is stopping, or has no room; every other error stays what it is.
func reachable(err error) error {
	var known *fault.Error
	if err == nil || errors.As(err, &known) {
		return err
	}
	var refusal *pgconn.PgError
	var connect *pgconn.ConnectError
	var network net.Error
	gone := errors.As(err, &connect) || errors.As(err, &network) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		pgconn.SafeToRetry(err) || lacking(err) || errors.Is(err, driver.ErrBadConn) || errors.Is(err, sql.ErrConnDone) || errors.Is(err, net.ErrClosed)
	if errors.As(err, &refusal) {
		class := refusal.Code[:2]
		gone = class == "08" || class == "57" || class == "53" // connection, operator, resources
	}
	if !gone {
		return err
	}
	return fault.New(fault.Unavailable, "store", "").Because(err)
}

// lacking tells whether SQLite failed for want of a disk, of room on it, of memory or of a lock.
func lacking(err error) bool {
	var lite *sqlite.Error
	if !errors.As(err, &lite) {
		return false
	}
	switch lite.Code() & 0xFF {
	case sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return true
	}
	return false
}

type officeKey struct{}

// isOffice tells whether a text has the form of an office's code.
func isOffice(code string) bool {
	return len(code) == 6 && strings.Trim(code, "0123456789") == ""
}

// withOffice names the office of the transaction that is begun under the context.
func withOffice(ctx context.Context, office string) context.Context {
	return context.WithValue(ctx, officeKey{}, office)
}

// connector makes connections whose transactions begin with the office that
// row-level security goes by: one message to the server instead of two. The
// setting ends with the transaction.
type connector struct{ driver.Connector }

func newConnector(url string, settings ...func(*pgx.ConnConfig)) (driver.Connector, error) {
	config, err := pgx.ParseConfig(url)
	if err != nil {
		return nil, err
	}
	for _, set := range settings {
		set(config)
	}
	return connector{stdlib.GetConnector(*config)}, nil
}

// readOnly makes the server refuse every write of the connection.
func readOnly(c *pgx.ConnConfig) { c.RuntimeParams["default_transaction_read_only"] = "on" }

func (c connector) Connect(ctx context.Context) (driver.Conn, error) {
	conn, err := c.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return connection{conn.(*stdlib.Conn)}, nil
}

type connection struct{ *stdlib.Conn }

func (c connection) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	office, ok := ctx.Value(officeKey{}).(string)
	if !ok {
		return c.Conn.BeginTx(ctx, o)
	}
	if !isOffice(office) {
		return nil, ErrNoOffice
	}
	t, err := c.Conn.Conn().BeginTx(ctx, pgx.TxOptions{BeginQuery: "BEGIN; SELECT set_config('akashi.office', '" + office + "', true)"})
	return transaction{ctx, t}, err
}

type transaction struct {
	ctx context.Context
	pgx pgx.Tx
}

func (t transaction) Commit() error   { return t.pgx.Commit(t.ctx) }
func (t transaction) Rollback() error { return t.pgx.Rollback(t.ctx) }
