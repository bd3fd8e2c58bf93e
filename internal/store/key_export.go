package store

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"database/sql"

	"gorm.io/gorm"
)

// keyTables are backed up apart from everything else and for at most 35 days:
// what was erased in the meantime cannot be opened in an older backup (S-076).
// A backup of the data has empty keys in these rows.
var keyTables = []string{"person_keys", "vault_keys"}

// keyLine is one key in an export. It is wrapped: without the file key it opens nothing.
type keyLine struct {
	Table   string `json:"table"`
	Office  string `json:"office"`
	ID      string `json:"id"`
	Wrapped []byte `json:"wrapped"`
}

// ExportKeys writes the keys of all persons as JSON lines. The data keys that
// wrap them stay with the data: the file key protects them.
func (s *Store) ExportKeys(ctx context.Context, w io.Writer) (written int, err error) {
	offices, err := s.Offices(ctx)
	if err != nil {
		return 0, err
	}
	out := bufio.NewWriter(w)
	lines := json.NewEncoder(out)
	for _, office := range offices {
		for _, table := range keyTables {
			for after := ""; ; {
				var rows []boxRow
				if err := s.look(ctx, office, func(db *gorm.DB) error {
					return db.Table(table).Select("id", "wrapped AS box").Where("office = ? AND id > ?", office, after).Order("id").Limit(1000).Find(&rows).Error
				}); err != nil {
					return written, err
				}
				if len(rows) == 0 {
					break
				}
				for _, r := range rows {
					after = r.ID
					if len(r.Box) == 0 {
						continue
					}
					if err := lines.Encode(keyLine{table, office, r.ID, r.Box}); err != nil {
						return written, err
					}
					written++
				}
			}
		}
	}
	return written, out.Flush()
}

// ImportKeys gives rows without a key the one that ExportKeys wrote. A row whose
// key is not in the export stays closed for ever: its person was erased.
func (s *Store) ImportKeys(ctx context.Context, r io.Reader) (restored int, err error) {
	lines := json.NewDecoder(bufio.NewReader(r))
	batch := []keyLine{}
	flush := func() error {
		for _, l := range batch {
			known := false
			for _, t := range keyTables {
				known = known || t == l.Table
			}
			if !known {
				return fmt.Errorf("store: %q is no table of keys", l.Table)
			}
		}
		n, err := s.importKeys(ctx, batch)
		restored += n
		batch = batch[:0]
		return err
	}
	for {
		var l keyLine
		err := lines.Decode(&l)
		if errors.Is(err, io.EOF) {
			return restored, flush()
		}
		if err != nil {
			return restored, fmt.Errorf("store: not an export of keys: %w", err)
		}
		if len(batch) > 0 && (len(batch) == 500 || batch[0].Office != l.Office || batch[0].Table != l.Table) {
			if err := flush(); err != nil {
				return restored, err
			}
		}
		batch = append(batch, l)
	}
}

// importKeys restores keys of one table and office.
func (s *Store) importKeys(ctx context.Context, batch []keyLine) (restored int, err error) {
	if len(batch) == 0 {
		return 0, nil
	}
	office, table := batch[0].Office, batch[0].Table
	err = s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		for _, l := range batch {
			done := db.Table(table).Where("office = ? AND id = ? AND length(wrapped) = 0", office, l.ID).Update("wrapped", l.Wrapped)
			if done.Error != nil {
				return done.Error
			}
			restored += int(done.RowsAffected)
		}
		return nil
	})
	return restored, err
}

// StripKeys empties the keys of persons in a copy of a database, which is the
// backup of the data from then on. Never call it on the database itself. The
// connection must be allowed to change the tables of every office.
func StripKeys(ctx context.Context, copied *sql.DB) error {
	for _, table := range keyTables {
		if _, err := copied.ExecContext(ctx, "UPDATE "+table+" SET wrapped = ''"); err != nil {
			return err
		}
	}
	return nil
}
