package store

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"io"
	"net"
	"slices"
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
		gone = class == "08" || class == "57" || class == "53" || lockedOut(err) // connection, operator, resources
	}
	if !gone {
		return err
	}
	return fault.New(fault.Unavailable, "store", "").Because(err)
}

// lockedOut tells whether PostgreSQL gave up waiting for a lock.
func lockedOut(err error) bool {
	var refusal *pgconn.PgError
	return errors.As(err, &refusal) && refusal.Code == "55P03"
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

// connector makes connections that speak to the server in few messages. A
// transaction begins with the office that row-level security goes by, together
// with its first batch; its last statements go together with its commit. A batch
// outside a transaction is one of its own. The office ends with the transaction.
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
	return &connection{Conn: conn.(*stdlib.Conn), accepted: map[string]bool{}}, nil
}

// patient lets no statement wait longer for a lock than SQLite does, and no
// transaction stand still, so that what an act wrote appears soon after its time
// or not at all (tree.Late, S-084). What the address says goes first.
func patient(c *pgx.ConnConfig) {
	for name, value := range map[string]string{"lock_timeout": "10s", "idle_in_transaction_session_timeout": "60s"} {
		if _, said := c.RuntimeParams[name]; !said {
			c.RuntimeParams[name] = value
		}
	}
}

type connection struct {
	*stdlib.Conn
	open     bool            // within a transaction of an office, though the server may not know yet
	waiting  batch           // what the server gets before anything else
	accepted map[string]bool // texts of batches that the server has prepared on this connection
}

func (c *connection) BeginTx(ctx context.Context, o driver.TxOptions) (driver.Tx, error) {
	office, ok := ctx.Value(officeKey{}).(string)
	if !ok {
		return c.Conn.BeginTx(ctx, o)
	}
	if !isOffice(office) {
		return nil, ErrNoOffice
	}
	c.open, c.waiting = true, batch{{text: begin}, setOffice(office)}
	return transaction{ctx, c}, nil
}

const begin = "BEGIN"

func setOffice(office string) step {
	return step{text: "SELECT set_config('akashi.office', $1, true)", args: []any{office}}
}

// ExecContext takes a batch, too, as the only argument.
func (c *connection) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if len(args) == 1 {
		switch b := args[0].Value.(type) {
		case batch:
			return driver.ResultNoRows, c.run(ctx, b.enforced())
		case later:
			c.waiting = append(c.waiting, batch(b).enforced()...)
			return driver.ResultNoRows, nil
		}
	}
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	return c.Conn.ExecContext(ctx, text, args)
}

func (c *connection) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	return c.Conn.QueryContext(ctx, text, args)
}

func (c *connection) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	if err := c.flush(ctx); err != nil {
		return nil, err
	}
	return c.Conn.PrepareContext(ctx, text)
}

// enforced lets the server itself see to it that a step meets one row, by dividing
// by zero if it does not: it then skips the rest of the message, the commit too.
func (b batch) enforced() batch {
	steps := slices.Clone(b)
	for i, s := range steps {
		if s.only == nil {
			continue
		}
		returning := " RETURNING 1"
		if strings.HasPrefix(s.text, "SELECT") {
			returning = ""
		}
		steps[i] = step{text: "WITH met AS (" + s.text + returning + ") SELECT 1 / (count(*) = 1)::int FROM met", args: s.args, fails: func(err error) error {
			var refusal *pgconn.PgError
			if errors.As(err, &refusal) && refusal.Code == "22012" {
				return s.only
			}
			return err
		}}
	}
	return steps
}

// flush sends what waits.
func (c *connection) flush(ctx context.Context) error {
	b := c.waiting
	c.waiting = nil
	return c.send(ctx, b)
}

func (c *connection) run(ctx context.Context, b batch) error {
	if c.open {
		b, c.waiting = append(c.waiting, b...), nil
		return c.send(ctx, b)
	}
	if office, ok := ctx.Value(officeKey{}).(string); ok {
		b = append(batch{setOffice(office)}, b...)
	}
	err := c.message(ctx, b)
	if pgconn.SafeToRetry(err) {
		return driver.ErrBadConn
	}
	return err
}

// send sends a batch within a transaction. A text that is new to the connection
// may be refused before anything of its message is done; what stands before it
// goes first, so that a savepoint is there to return to.
func (c *connection) send(ctx context.Context, b batch) error {
	for n := 1; n < len(b); n++ {
		if c.accepted[b[n].text] {
			continue
		}
		if err := c.message(ctx, b[:n]); err != nil {
			return err
		}
		b, n = b[n:], 0
	}
	return c.message(ctx, b)
}

// message sends a batch and reads its results.
func (c *connection) message(ctx context.Context, b batch) error {
	if len(b) == 0 {
		return nil
	}
	var queue pgx.Batch
	for _, s := range b {
		queue.Queue(s.text, s.args...)
	}
	results := c.Conn.Conn().SendBatch(ctx, &queue)
	for _, s := range b {
		count, err := s.read(results)
		if err == nil {
			c.accepted[s.text] = true
		}
		if err = c.refused(b, s, err).judge(count, err); err != nil {
			_ = results.Close() // reads the rest
			return err
		}
	}
	return results.Close()
}

// refused is the step that an error is of: the one that was read, or the one that
// the server did not even prepare.
func (c *connection) refused(b batch, read step, err error) step {
	var unprepared pgx.ErrPreprocessingBatch
	if !errors.As(err, &unprepared) {
		return read
	}
	delete(c.accepted, unprepared.SQL())
	if i := slices.IndexFunc(b, func(s step) bool { return s.text == unprepared.SQL() }); i >= 0 {
		return b[i]
	}
	return read
}

func (s step) read(results pgx.BatchResults) (count int64, err error) {
	if s.row == nil {
		tag, err := results.Exec()
		return tag.RowsAffected(), err
	}
	rows, err := results.Query()
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	for ; rows.Next(); count++ {
		if err := s.row(rows.Scan); err != nil {
			return count, err
		}
	}
	return count, rows.Err()
}

type transaction struct {
	ctx context.Context
	c   *connection
}

// Commit sends what still waits in one message with the commit, unless the
// commit hangs on what is read in it.
func (t transaction) Commit() error {
	err := t.c.commit(t.ctx)
	if err != nil {
		return errors.Join(err, t.Rollback())
	}
	t.c.open = false
	return nil
}

func (c *connection) commit(ctx context.Context) error {
	if slices.ContainsFunc(c.waiting, func(s step) bool { return s.check != nil }) {
		if err := c.flush(ctx); err != nil {
			return err
		}
	}
	if c.status() == aborted {
		return pgx.ErrTxCommitRollback
	}
	if b := c.waiting; c.whole(b) {
		c.waiting = nil
		return c.message(ctx, b[1:])
	}
	return c.run(ctx, batch{{text: "COMMIT"}})
}

// whole tells whether all of a transaction still waits and can be one message, which
// the server commits as a whole or not at all: then it needs no BEGIN and no COMMIT.
func (c *connection) whole(b batch) bool {
	return len(b) > 0 && b[0].text == begin && !slices.ContainsFunc(b[1:], func(s step) bool { return !c.accepted[s.text] })
}

func (t transaction) Rollback() error {
	t.c.open, t.c.waiting = false, nil
	if t.c.status() == idle {
		return nil
	}
	_, err := t.c.Conn.Conn().Exec(t.ctx, "ROLLBACK")
	return err
}

// States of a connection as the server reports them.
const (
	idle    = 'I'
	aborted = 'E'
)

func (c *connection) status() byte { return c.Conn.Conn().PgConn().TxStatus() }
