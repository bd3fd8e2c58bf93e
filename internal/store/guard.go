package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
)

// ErrUnbound tells that a statement does not say, for each tenant table that it
// names, that the office is that of its act.
var ErrUnbound = errors.New("store: a statement without its office")

// guard does for SQLite what row-level security does for PostgreSQL (S-025): it
// reads each statement before the database does and lets none pass that touches a
// tenant table without binding it to the office of its context.
type guard struct {
	tenants atomic.Pointer[map[string]bool] // tables with an office; nil until the schema stands
	mu      sync.RWMutex
	known   map[string]statement
}

// wholeTables may be read whole for the installation: what is proven for all offices
// in one order, and alerts, which are sent in one. On PostgreSQL a policy of each says the same.
var wholeTables = map[string]bool{"log": true, "issuance_log": true, "alerts": true}

// maxKnown bounds how many statements are remembered; imports have texts of many lengths.
const maxKnown = 1000

// watch begins to guard the tables.
func (g *guard) watch(tables []string) {
	set := make(map[string]bool, len(tables))
	for _, t := range tables {
		set[t] = true
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	g.known = nil
	g.tenants.Store(&set)
}

// check refuses a statement that may meet another office's rows.
func (g *guard) check(ctx context.Context, text string, args []driver.NamedValue) error {
	tenants := g.tenants.Load()
	if tenants == nil {
		return nil
	}
	s := g.read(text, *tenants)
	if !s.tenant {
		return nil
	}
	office, _ := ctx.Value(officeKey{}).(string)
	if office == installation && s.reading && !slices.ContainsFunc(s.tables, func(t string) bool { return !wholeTables[t] }) {
		return nil
	}
	if s.fault != "" {
		return fmt.Errorf("%w: %s", ErrUnbound, s.fault)
	}
	if office == "" {
		return ErrNoOffice
	}
	for _, literal := range s.literals {
		if literal != office {
			return ErrOtherOffice
		}
	}
	for _, at := range s.params {
		if at > len(args) || args[at-1].Value != office {
			return ErrOtherOffice
		}
	}
	return nil
}

func (g *guard) read(text string, tenants map[string]bool) statement {
	g.mu.RLock()
	s, ok := g.known[text]
	g.mu.RUnlock()
	if ok {
		return s
	}
	s = readStatement(text, tenants)
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.known == nil || len(g.known) >= maxKnown {
		g.known = map[string]statement{}
	}
	g.known[strings.Clone(text)] = s
	return s
}

// guardedConnector makes connections whose statements pass the guard.
type guardedConnector struct {
	driver driver.Driver
	dsn    string
	guard  *guard
}

func (c guardedConnector) Driver() driver.Driver { return c.driver }

func (c guardedConnector) Connect(context.Context) (driver.Conn, error) {
	conn, err := c.driver.Open(c.dsn)
	if err != nil {
		return nil, err
	}
	whole, ok := conn.(sqliteConn)
	if !ok {
		return nil, errors.Join(errors.New("store: the driver lacks what the guard stands on"), conn.Close())
	}
	return guardedConn{&keeper{whole, map[string]sqliteStmt{}}, c.guard}, nil
}

type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.QueryerContext
	driver.Pinger
	driver.SessionResetter
	driver.Validator
}

type guardedConn struct {
	sqliteConn
	guard *guard
}

func (c guardedConn) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	if err := c.guard.check(ctx, text, args); err != nil {
		return nil, err
	}
	return c.sqliteConn.ExecContext(ctx, text, args)
}

func (c guardedConn) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	if err := c.guard.check(ctx, text, args); err != nil {
		return nil, err
	}
	return c.sqliteConn.QueryContext(ctx, text, args)
}

func (c guardedConn) PrepareContext(ctx context.Context, text string) (driver.Stmt, error) {
	s, err := c.sqliteConn.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	whole, ok := s.(sqliteStmt)
	if !ok {
		return nil, errors.Join(errors.New("store: the driver lacks what the guard stands on"), s.Close())
	}
	return guardedStmt{whole, text, c.guard}, nil
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

type guardedStmt struct {
	sqliteStmt
	text  string
	guard *guard
}

func (s guardedStmt) ExecContext(ctx context.Context, args []driver.NamedValue) (driver.Result, error) {
	if err := s.guard.check(ctx, s.text, args); err != nil {
		return nil, err
	}
	return s.sqliteStmt.ExecContext(ctx, args)
}

func (s guardedStmt) QueryContext(ctx context.Context, args []driver.NamedValue) (driver.Rows, error) {
	if err := s.guard.check(ctx, s.text, args); err != nil {
		return nil, err
	}
	return s.sqliteStmt.QueryContext(ctx, args)
}
