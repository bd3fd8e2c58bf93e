package store

import (
	"context"
	"database/sql/driver"
)

// maxKept bounds the statements that one connection to SQLite keeps.
const maxKept = 256

// onPrepare, of tests, hears of each statement.
var onPrepare func(text string)

// sqliteRows is what gorm and database/sql ask of rows.
type sqliteRows interface {
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// keeper is a connection to SQLite that keeps its prepared statements: the driver
// alone would parse each statement anew.
type keeper struct {
	sqliteConn
	kept map[string]sqliteStmt // those that nobody is using
}

func (c *keeper) ExecContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Result, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	defer c.give(text, s)
	return s.ExecContext(ctx, args)
}

func (c *keeper) QueryContext(ctx context.Context, text string, args []driver.NamedValue) (driver.Rows, error) {
	s, err := c.take(ctx, text)
	if err != nil {
		return nil, err
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		c.give(text, s)
		return nil, err
	}
	return &keptRows{rows.(sqliteRows), func() { c.give(text, s) }}, nil
}

func (c *keeper) take(ctx context.Context, text string) (sqliteStmt, error) {
	if s, ok := c.kept[text]; ok {
		delete(c.kept, text) // the same text may be run again before its rows are closed
		return s, nil
	}
	if onPrepare != nil {
		onPrepare(text)
	}
	s, err := c.PrepareContext(ctx, text)
	if err != nil {
		return nil, err
	}
	return s.(sqliteStmt), nil
}

func (c *keeper) give(text string, s sqliteStmt) {
	if twin, ok := c.kept[text]; ok {
		_ = twin.Close()
	}
	for other, old := range c.kept {
		if len(c.kept) < maxKept {
			break
		}
		_ = old.Close()
		delete(c.kept, other)
	}
	c.kept[text] = s
}

// Close ends the statements, without which the driver could not close the file.
func (c *keeper) Close() error {
	for _, s := range c.kept {
		_ = s.Close()
	}
	clear(c.kept)
	return c.sqliteConn.Close()
}

// keptRows gives its statement back when it is closed.
type keptRows struct {
	sqliteRows
	back func()
}

func (r *keptRows) Close() error {
	err := r.sqliteRows.Close()
	if r.back != nil {
		r.back()
		r.back = nil
	}
	return err
}
