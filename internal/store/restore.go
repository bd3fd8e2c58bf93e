package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"akashi/internal/backup"
)

// ErrNotEmpty tells that a backup was to be restored over something.
var ErrNotEmpty = errors.New("there is something in the database already; restore into an empty one")

// Restore puts both parts of a backup into an empty database and brings its schema
// up to date. Nothing is kept of a backup that is damaged. A person key that the part
// of keys does not have, as it was erased since, is replaced by one that opens nothing.
func Restore(ctx context.Context, c Config, data, keys *backup.Reader) (erased int, err error) {
	if data.Part != backup.Data || keys.Part != backup.Keys {
		return 0, fmt.Errorf("%w: one part of data and one of keys are needed", backup.ErrDamaged)
	}
	if !strings.HasPrefix(c.URL, "postgres") {
		if err := private(strings.TrimPrefix(c.URL, "sqlite:")); err != nil {
			return 0, err
		}
	}
	r, err := openRaw(c)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	p, err := r.prepare(ctx, data.Schema)
	if err != nil {
		return 0, err
	}
	tx, err := r.BeginTx(ctx, nil)
	if err != nil {
		return 0, err
	}
	if !r.postgres { // a backup of PostgreSQL has the order of its own foreign keys
		if _, err := tx.ExecContext(ctx, "PRAGMA defer_foreign_keys = ON"); err != nil {
			return 0, errors.Join(err, tx.Rollback())
		}
	}
	l := loader{Tx: tx, postgres: r.postgres, keys: keys, known: map[keyName]bool{}}
	// Migrations leave rows there that the backup has as well.
	if _, err := tx.ExecContext(ctx, "DELETE FROM installation"); err != nil {
		return 0, errors.Join(err, tx.Rollback())
	}
	if err := l.load(ctx, data); err != nil {
		return 0, errors.Join(err, tx.Rollback())
	}
	// What the roles of another cluster were granted says nothing about this one.
	_, err = tx.ExecContext(ctx, "DELETE FROM installation WHERE name = 'grants'")
	if err := errors.Join(err, tx.Commit()); err != nil {
		return 0, err
	}
	_, err = p.Up(ctx)
	return l.erased, err
}

// prepare makes the schema of the backup in a database that has nothing yet.
func (r raw) prepare(ctx context.Context, schema int64) (*goose.Provider, error) {
	found, err := r.tables(ctx)
	if err != nil {
		return nil, err
	}
	if len(found) > 0 {
		return nil, ErrNotEmpty
	}
	p, err := r.migrations()
	if err != nil {
		return nil, err
	}
	if _, target, err := p.GetVersions(ctx); err != nil || schema > target || schema < 1 {
		return nil, errors.Join(err, ErrNewerSchema)
	}
	_, err = p.UpTo(ctx, schema)
	return p, err
}

// keyName names a key that seals rows.
type keyName struct{ table, office, id string }

// loader puts rows into a database.
type loader struct {
	*sql.Tx
	postgres bool
	keys     *backup.Reader
	known    map[keyName]bool // the keys there are
	erased   int
	office   string // that is set
}

func (l *loader) load(ctx context.Context, from *backup.Reader) error {
	for {
		chunk, err := from.Next()
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		case chunk.Keys && l.keys != nil:
			keys := l.keys
			l.keys = nil
			err = l.load(ctx, keys)
		case !chunk.Keys:
			err = l.chunk(ctx, chunk)
		}
		if err != nil {
			return err
		}
	}
}

func (l *loader) chunk(ctx context.Context, c backup.Chunk) error {
	places := make([]string, len(c.Columns))
	for i := range places {
		places[i] = "?"
		if l.postgres {
			places[i] = fmt.Sprintf("$%d", i+1)
		}
	}
	insert := "INSERT INTO " + quoted([]string{c.Table}) + " (" + quoted(c.Columns) + ") VALUES (" + strings.Join(places, ", ") + ")"
	statement, err := l.PrepareContext(ctx, insert)
	if err != nil {
		return fmt.Errorf("%w: %w", backup.ErrDamaged, err)
	}
	defer func() { _ = statement.Close() }()
	cell := func(row []any, column string) string {
		at := slices.Index(c.Columns, column)
		if at < 0 {
			return ""
		}
		text, _ := row[at].(string)
		return text
	}
	for _, row := range c.Rows {
		office := cell(row, "office")
		if err := l.as(ctx, office); err != nil {
			return err
		}
		switch id := cell(row, "id"); {
		case slices.Contains(keyTables, c.Table):
			l.known[keyName{c.Table, office, id}] = true
		case c.Table == "vault":
			err = l.need(ctx, keyName{"vault_keys", office, id})
		default:
			err = l.need(ctx, keyName{"person_keys", office, cell(row, "person_key")})
		}
		if err != nil {
			return err
		}
		if _, err := statement.ExecContext(ctx, row...); err != nil {
			return fmt.Errorf("store: restore of %s: %w", c.Table, err)
		}
	}
	return nil
}

// as names the office that row-level security goes by.
func (l *loader) as(ctx context.Context, office string) error {
	if !l.postgres || office == l.office || office == "" {
		return nil
	}
	l.office = office
	_, err := l.ExecContext(ctx, "SELECT set_config('akashi.office', $1, true)", office)
	return err
}

// need stands in for a key that is not in the part of keys.
func (l *loader) need(ctx context.Context, k keyName) error {
	if l.known[k] || k.id == "" {
		return nil
	}
	l.known[k] = true
	l.erased++
	_, err := l.ExecContext(ctx, "INSERT INTO "+k.table+" (office, id, wrapped, created_at) VALUES ($1, $2, $3, 0)", k.office, k.id, []byte{})
	return err
}
