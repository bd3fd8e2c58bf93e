package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/pressly/goose/v3"

	"akashi/internal/backup"
)

// keyTables hold what seals a person's data and number; they go into a part of
// their own, kept for at most 35 days: what was erased in the meantime cannot be
// opened in an older backup of the data (S-076).
var keyTables = []string{"person_keys", "vault_keys"}

// goose's own table is not backed up: the header has the version.
const versionTable = "goose_db_version"

// passing tables hold what must not come back with a backup: who was signed in.
var passing = []string{"sessions", "challenges"}

// raw is a database as the owner of its schema sees it, without gorm.
type raw struct {
	*sql.DB
	postgres bool
}

func openRaw(c Config) (raw, error) {
	url := c.MigrateURL
	if url == "" {
		url = c.URL
	}
	if strings.HasPrefix(url, "postgres") {
		db, err := sql.Open("pgx", url)
		return raw{db, true}, err
	}
	path := strings.TrimPrefix(url, "sqlite:")
	db, err := sql.Open("sqlite", "file:"+path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=synchronous(FULL)&_pragma=foreign_keys(1)")
	if err == nil {
		db.SetMaxOpenConns(1)
	}
	return raw{db, false}, err
}

func (r raw) dialect() (goose.Dialect, string) {
	if r.postgres {
		return goose.DialectPostgres, "postgres"
	}
	return goose.DialectSQLite3, "sqlite"
}

// Pending tells from which version of the schema to which opening the database
// would migrate it; from is 0 for a database that is new.
func Pending(ctx context.Context, c Config) (from, to int64, err error) {
	if !strings.HasPrefix(c.URL, "postgres") {
		if _, err := os.Stat(strings.TrimPrefix(c.URL, "sqlite:")); errors.Is(err, os.ErrNotExist) {
			return 0, 0, nil
		}
	}
	r, err := openRaw(c)
	if err != nil {
		return 0, 0, err
	}
	defer func() { _ = r.Close() }()
	names, err := r.tables(ctx)
	if err != nil || !slices.Contains(names, versionTable) {
		return 0, 0, err
	}
	p, err := r.migrations()
	if err != nil {
		return 0, 0, err
	}
	return p.GetVersions(ctx) // which would make the table that was looked for
}

// tables names the tables that there are.
func (r raw) tables(ctx context.Context) ([]string, error) {
	tx, err := r.BeginTx(ctx, nil)
	if err != nil {
		return nil, err
	}
	defer func() { _ = tx.Rollback() }()
	if r.postgres {
		return textsOf(ctx, tx, tablesOfPostgres)
	}
	return textsOf(ctx, tx, tablesOfSQLite)
}

func (r raw) migrations() (*goose.Provider, error) {
	dialect, folder := r.dialect()
	return provider(r.DB, dialect, folder)
}

// Copy writes a SQLite database as it is at this moment into a new file, mode 0600.
func Copy(ctx context.Context, c Config, to string) error {
	f, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL, 0o600) // VACUUM INTO takes an empty file
	if err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	r, err := openRaw(c)
	if err != nil {
		return err
	}
	_, err = r.ExecContext(ctx, "VACUUM INTO ?", to)
	return errors.Join(err, r.Close())
}

// Backup writes every row as it is at one moment, the keys into a part of their own.
// Row-level security shows an owner one office at a time, so those of the further
// codes are asked for as well as those of the table of offices.
func Backup(ctx context.Context, c Config, data, keys *backup.Writer, further ...string) error {
	r, err := openRaw(c)
	if err != nil {
		return err
	}
	defer func() { _ = r.Close() }()
	tx, err := r.BeginTx(ctx, &sql.TxOptions{Isolation: sql.LevelRepeatableRead, ReadOnly: r.postgres})
	if err != nil {
		return err
	}
	defer func() { _ = tx.Rollback() }()
	s := snapshot{tx, r.postgres, nil}
	tables, err := s.tables(ctx)
	if err != nil {
		return err
	}
	if s.offices, err = textsOf(ctx, tx, "SELECT office FROM offices ORDER BY office"); err != nil {
		return err
	}
	for _, code := range further {
		if !slices.Contains(s.offices, code) {
			s.offices = append(s.offices, code)
		}
	}
	for _, t := range tables {
		to := data
		if slices.Contains(keyTables, t.name) {
			if err := data.Keys(); err != nil {
				return err
			}
			to = keys
		}
		if err := s.dump(ctx, t, to); err != nil {
			return fmt.Errorf("store: backup of %s: %w", t.name, err)
		}
	}
	return nil
}

// snapshot is the whole database at one moment.
type snapshot struct {
	*sql.Tx
	postgres bool
	offices  []string
}

// table is what the catalogue says of a table.
type table struct {
	name    string
	columns []string
	key     []string // of its primary key
	needs   []string // tables that its foreign keys name
	truths  []string // columns of truth values that the database keeps as numbers
}

func (t table) tenant() bool { return slices.Contains(t.columns, "office") && t.name != "offices" }

const (
	tablesOfPostgres = "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY 1"
	tablesOfSQLite   = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"

	columnsOfPostgres = "SELECT column_name FROM information_schema.columns WHERE table_schema = current_schema() AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position"
	columnsOfSQLite   = "SELECT name FROM pragma_table_info(?) ORDER BY cid"

	// SQLite keeps truth values as numbers.
	truthsOfPostgres = "SELECT column_name FROM information_schema.columns WHERE false AND table_name = $1"
	truthsOfSQLite   = "SELECT name FROM pragma_table_info(?) WHERE type = 'BOOLEAN'"

	keyOfPostgres = "SELECT a.attname FROM pg_index i JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey) WHERE i.indisprimary AND i.indrelid = to_regclass(quote_ident($1)) ORDER BY array_position(i.indkey::int[], a.attnum::int)"
	keyOfSQLite   = "SELECT name FROM pragma_table_info(?) WHERE pk > 0 ORDER BY pk"

	needsOfPostgres = "SELECT DISTINCT r.relname FROM pg_constraint c JOIN pg_class r ON r.oid = c.confrelid WHERE c.contype = 'f' AND c.conrelid = to_regclass(quote_ident($1)) ORDER BY 1"
	needsOfSQLite   = "SELECT DISTINCT \"table\" FROM pragma_foreign_key_list(?) ORDER BY 1"
)

// tables lists all tables, each after those that it needs.
func (s snapshot) tables(ctx context.Context) ([]table, error) {
	choose := func(postgres, sqlite string) string {
		if s.postgres {
			return postgres
		}
		return sqlite
	}
	names, err := textsOf(ctx, s.Tx, choose(tablesOfPostgres, tablesOfSQLite))
	if err != nil {
		return nil, err
	}
	var left []table
	for _, name := range names {
		if name == versionTable || slices.Contains(passing, name) {
			continue
		}
		t := table{name: name}
		for query, to := range map[string]*[]string{
			choose(columnsOfPostgres, columnsOfSQLite): &t.columns, choose(keyOfPostgres, keyOfSQLite): &t.key,
			choose(needsOfPostgres, needsOfSQLite): &t.needs, choose(truthsOfPostgres, truthsOfSQLite): &t.truths,
		} {
			if *to, err = textsOf(ctx, s.Tx, query, name); err != nil {
				return nil, err
			}
		}
		left = append(left, t)
	}
	var ordered []table
	for len(left) > 0 {
		before := len(left)
		left = slices.DeleteFunc(left, func(t table) bool {
			waits := slices.ContainsFunc(t.needs, func(n string) bool {
				return n != t.name && !slices.ContainsFunc(ordered, func(o table) bool { return o.name == n })
			})
			if !waits {
				ordered = append(ordered, t)
			}
			return !waits
		})
		if len(left) == before {
			return nil, errors.New("store: tables need each other in a circle")
		}
	}
	return ordered, nil
}

// dump writes the rows of a table, of one office after the other.
func (s snapshot) dump(ctx context.Context, t table, to *backup.Writer) error {
	if err := to.Begin(t.name, t.columns); err != nil {
		return err
	}
	query := "SELECT " + quoted(t.columns) + " FROM " + quoted([]string{t.name})
	order := ""
	if len(t.key) > 0 {
		order = " ORDER BY " + quoted(t.key)
	}
	if !t.tenant() || !s.postgres {
		return s.rows(ctx, to, t, query+order)
	}
	for _, office := range s.offices {
		if _, err := s.ExecContext(ctx, "SELECT set_config('akashi.office', $1, true)", office); err != nil {
			return err
		}
		if err := s.rows(ctx, to, t, query+" WHERE office = $1"+order, office); err != nil {
			return err
		}
	}
	return nil
}

func (s snapshot) rows(ctx context.Context, to *backup.Writer, t table, query string, args ...any) error {
	rows, err := s.QueryContext(ctx, query, args...)
	if err != nil {
		return err
	}
	defer func() { _ = rows.Close() }()
	values, targets := make([]any, len(t.columns)), make([]any, len(t.columns))
	for i := range values {
		targets[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(targets...); err != nil {
			return err
		}
		for i, c := range t.columns {
			if n, ok := values[i].(int64); ok && slices.Contains(t.truths, c) {
				values[i] = n != 0
			}
		}
		if err := to.Row(values); err != nil {
			return err
		}
	}
	return rows.Err()
}

func textsOf(ctx context.Context, tx *sql.Tx, query string, args ...any) (list []string, err error) {
	rows, err := tx.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }()
	for rows.Next() {
		var s string
		if err := rows.Scan(&s); err != nil {
			return nil, err
		}
		list = append(list, s)
	}
	return list, rows.Err()
}

func quoted(names []string) string {
	return `"` + strings.Join(names, `", "`) + `"`
}
