package store

import (
	"context"
	"fmt"
	"strings"

	"gorm.io/gorm"

	"akashi/internal/fault"
)

// batch is statements that PostgreSQL gets in one message and SQLite one after
// another. What is done for each certificate speaks to the database by it; most
// else goes through gorm. Parameters are $1, $2, … for both; the first one is
// the office.
type batch []step

type step struct {
	text  string
	args  []any
	row   func(scan scan) error   // for each row; nil for a statement without rows
	check func(count int64) error // of rows read or changed; may be nil
	fails func(err error) error   // what the failure of the statement means; may be nil
	only  error                   // what it means that not exactly one row was met; may be nil
}

type scan func(into ...any) error

// every reads the rows of a query.
func every(row func(scan scan) error, text string, args ...any) step {
	return step{text: text, args: args, row: row}
}

// one reads the only row of a query; fault NotFound with the key if there is none.
func one(key string, into []any, text string, args ...any) step {
	return step{
		text: text, args: args,
		row: func(scan scan) error { return scan(into...) },
		check: func(count int64) error {
			if count == 0 {
				return fault.New(fault.NotFound, key, "")
			}
			return nil
		},
	}
}

// change demands that an update meets exactly one row; else fault Conflict with the key.
func change(key string, text string, args ...any) step {
	return step{text: text, args: args, only: fault.New(fault.Conflict, key, "")}
}

// demand is change for a query.
func demand(key string, text string, args ...any) step {
	return step{text: text, args: args, row: func(scan) error { return nil }, only: fault.New(fault.Conflict, key, "")}
}

// insert adds rows with the named columns, comma between.
func insert(table, columns string, rows ...[]any) step {
	var text strings.Builder
	text.WriteString("INSERT INTO " + table + " (" + columns + ") VALUES ")
	var args []any
	for n, row := range rows {
		if n > 0 {
			text.WriteString(", ")
		}
		for i := range row {
			separator := ", "
			if i == 0 {
				separator = "("
			}
			fmt.Fprintf(&text, "%s$%d", separator, len(args)+i+1)
		}
		text.WriteByte(')')
		args = append(args, row...)
	}
	return step{text: text.String(), args: args}
}

// run runs the statements in the transaction that db is. The first that fails
// ends them.
func (b batch) run(db *gorm.DB) error {
	ctx, pool := db.Statement.Context, db.Statement.ConnPool
	if onPostgres(db) {
		_, err := pool.ExecContext(ctx, "", b)
		return err
	}
	for _, s := range b {
		count, err := s.runAlone(ctx, pool)
		if err = s.judge(count, err); err != nil {
			return err
		}
	}
	return nil
}

// judge says what a statement came to.
func (s step) judge(count int64, err error) error {
	switch {
	case err != nil && s.fails != nil:
		return s.fails(err)
	case err == nil && s.check != nil:
		return s.check(count)
	case err == nil && s.only != nil && count != 1:
		return s.only
	}
	return err
}

// runLater runs the statements before what follows in the transaction, at the
// latest before its commit; the failure of one is then the failure of that. On
// SQLite that is now.
func (b batch) runLater(db *gorm.DB) error {
	if !onPostgres(db) {
		return b.run(db)
	}
	_, err := db.Statement.ConnPool.ExecContext(db.Statement.Context, "", later(b))
	return err
}

// later is a batch that waits in its connection.
type later batch

func onPostgres(db *gorm.DB) bool { return db.Name() == "postgres" }

func (s step) runAlone(ctx context.Context, pool gorm.ConnPool) (count int64, err error) {
	if s.row == nil {
		result, err := pool.ExecContext(ctx, s.text, s.args...)
		if err != nil {
			return 0, err
		}
		return result.RowsAffected()
	}
	rows, err := pool.QueryContext(ctx, s.text, s.args...)
	if err != nil {
		return 0, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		if err := s.row(rows.Scan); err != nil {
			return count, err
		}
		count++
	}
	return count, rows.Err()
}

// lookup runs queries that touch no person, outside any act.
func (s *Store) lookup(ctx context.Context, office string, b batch) error {
	if !isOffice(office) {
		return ErrNoOffice
	}
	if t, ok := ctx.Value(txKey{}).(tx); !ok || t.office != office {
		if err := s.ready(ctx, office); err != nil {
			return err
		}
	}
	return s.lookupUnready(ctx, office, b)
}

// lookupUnready is lookup for what opens nothing that is sealed.
func (s *Store) lookupUnready(ctx context.Context, office string, b batch) error {
	if !isOffice(office) {
		return ErrNoOffice
	}
	if t, ok := ctx.Value(txKey{}).(tx); ok && t.office == office {
		return b.run(t.db.WithContext(ctx))
	}
	return reachable(b.run(s.read.WithContext(withOffice(ctx, office))))
}

// lookupAsSigner runs queries as the role that reads intents, if there is one of its own.
func (s *Store) lookupAsSigner(ctx context.Context, office string, b batch) error {
	if s.signer == nil || !isOffice(office) {
		return s.lookup(ctx, office, b)
	}
	if err := s.ready(ctx, office); err != nil {
		return err
	}
	return reachable(b.run(s.signer.WithContext(withOffice(ctx, office))))
}
