package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"akashi/internal/fault"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// sealedColumn is a column of boxes that an office's data key has sealed.
type sealedColumn struct {
	table, column string
	place         func(office, id string) seal.Place
}

// sealedColumns lists for each purpose what a new version has to take over.
var sealedColumns = map[seal.Purpose][]sealedColumn{
	seal.Wrap:   {{"person_keys", "wrapped", seal.PersonPlace}},
	seal.Office: {{"imports", "staged", stagedPlace}, {"passkeys", "credential", passkeyPlace}, {"sessions", "data", sessionPlace}},
	seal.Vault:  {{"vault_keys", "wrapped", vaultKeyPlace}},
}

// DataKeys returns the versions of an office's data keys.
func (s *Store) DataKeys(ctx context.Context, office string) (keys []seal.DataKey, err error) {
	err = s.look(ctx, office, func(db *gorm.DB) error {
		keys, err = readDataKeys(db, office)
		return err
	})
	return keys, err
}

// NextKey makes the next version of a data key, which nothing uses yet; fault
// Conflict "rotation_runs" if there is one, or an old one is not retired. It runs inside an act.
func (s *Store) NextKey(ctx context.Context, office string, p seal.Purpose) (version int, err error) {
	db, err := act(ctx, office)
	if err != nil {
		return 0, err
	}
	if err := s.lockOffice(db, office); err != nil {
		return 0, err
	}
	var rows []dataKeyRow
	if err := db.Where("office = ? AND purpose = ?", office, string(p)).Find(&rows).Error; err != nil {
		return 0, err
	}
	if len(rows) == 0 {
		return 0, fault.New(fault.NotFound, "data_key", "purpose")
	}
	for _, r := range rows {
		version = max(version, r.Version)
		if r.State == string(seal.Next) || r.State == string(seal.Old) && p.Finds() {
			return 0, fault.New(fault.Conflict, "rotation_runs", "purpose")
		}
	}
	d, err := s.newDataKey(db, office, p, version+1, seal.Next)
	if err != nil {
		return 0, err
	}
	return d.Version, db.Create(s.newDataKeyRow(d)).Error
}

// ActivateKey makes the next version the one that seals. It runs inside an act.
func (s *Store) ActivateKey(ctx context.Context, office string, p seal.Purpose) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	if err := s.lockOffice(db, office); err != nil { // an import under way ends with the search keys it began with
		return err
	}
	move := func(from, to seal.State) error {
		return changedOne(db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND state = ?", office, string(p), string(from)).
			Update("state", string(to)), "data_key")
	}
	s.ring.Stale(office)
	if err := move(seal.Active, seal.Old); err != nil {
		return err
	}
	return move(seal.Next, seal.Active)
}

// lockOffice lets imports of an office and changes of its search keys run one
// after the other, and nothing else wait. The SQLite writer is alone anyway.
func (s *Store) lockOffice(db *gorm.DB, office string) error {
	if !s.postgres {
		return nil
	}
	var row officeRow
	return db.Clauses(clause.Locking{Strength: "NO KEY UPDATE"}).Select("office").Where("office = ?", office).Take(&row).Error
}

// Reseal brings the next rows, at most limit, to the active version of a data
// key, in a transaction of its own. It goes on where the last one ended, in
// whatever process that was; done is how many rows it changed.
func (s *Store) Reseal(ctx context.Context, office string, p seal.Purpose, limit int) (done int, more bool, err error) {
	err = s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		if err := s.lockOffice(db, office); err != nil {
			return err
		}
		if err := s.reload(db, office); err != nil {
			return err
		}
		var active dataKeyRow
		if err := db.Where("office = ? AND purpose = ? AND state = 'active'", office, string(p)).Take(&active).Error; err != nil {
			return missing(err, "data_key")
		}
		sweep := sweep{s: s, db: db, office: office, purpose: p, limit: limit}
		var swept string
		if done, swept, err = sweep.batch(active.Swept); err != nil {
			return err
		}
		more = swept != ""
		if !more {
			return nil
		}
		return changedOne(db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND version = ? AND state = 'active'", office, string(p), active.Version).
			Update("swept", swept), "data_key")
	})
	return done, more, err
}

// sweep is one batch of a rotation.
type sweep struct {
	s       *Store
	db      *gorm.DB
	office  string
	purpose seal.Purpose
	limit   int
}

// batch handles the rows after a cursor "column:row" and returns the next
// cursor; none when nothing is left.
func (w sweep) batch(after string) (done int, next string, err error) {
	switch w.purpose {
	case seal.Index:
		return w.people(after)
	case seal.VaultIndex:
		return w.numbers(after)
	}
	columns := sealedColumns[w.purpose]
	at := 0
	if head, tail, ok := strings.Cut(after, ":"); ok {
		if _, err := fmt.Sscan(head, &at); err != nil {
			return 0, "", err
		}
		after = tail
	}
	for ; at < len(columns); at++ {
		last, n, err := w.boxes(columns[at], after)
		if err != nil || last != "" {
			return n, fmt.Sprintf("%d:%s", at, last), err
		}
		after = ""
	}
	return 0, "", nil
}

type boxRow struct {
	ID  string
	Box []byte
}

// boxes re-seals one batch of a column and returns its last row; none when there were no rows.
func (w sweep) boxes(c sealedColumn, after string) (last string, done int, err error) {
	var rows []boxRow
	if err := w.db.Table(c.table).Select("id", c.column+" AS box").Where("office = ? AND id > ? AND "+c.column+" IS NOT NULL", w.office, after).
		Order("id").Limit(w.limit).Find(&rows).Error; err != nil || len(rows) == 0 {
		return "", 0, err
	}
	key, err := w.s.counted(w.db, w.office, w.purpose, len(rows))
	if err != nil {
		return "", 0, err
	}
	// Compared with what was read: a row that was erased or changed since stays so.
	update := "UPDATE " + c.table + " SET " + c.column + " = $1 WHERE office = $2 AND id = $3 AND " + c.column + " = $4"
	var changes batch
	for _, r := range rows {
		if id, _, err := seal.KeyID(r.Box); err == nil && id == key.ID {
			continue
		}
		at := c.place(w.office, r.ID)
		plain, err := key.Open(at, r.Box)
		if err != nil {
			return "", 0, fmt.Errorf("%s %s: %w", c.table, r.ID, err)
		}
		changes = append(changes, step{text: update, args: []any{key.Seal(at, plain), w.office, r.ID, r.Box}})
	}
	return rows[len(rows)-1].ID, len(changes), changes.run(w.db)
}

// people brings the next people of the register to the present search keys.
func (w sweep) people(after string) (done int, next string, err error) {
	var rows []personKeyRow
	if err := w.db.Where("office = ? AND id > ? AND ticket_ix IS NOT NULL", w.office, after).Order("id").Limit(w.limit).Find(&rows).Error; err != nil || len(rows) == 0 {
		return 0, "", err
	}
	done, err = w.s.reindexPeople(w.db, w.office, rows)
	return done, rows[len(rows)-1].ID, err
}

// reindexPeople computes all search keys of people again from what is sealed: a
// person's rows and doses at once, since they are found by each other. It
// returns how many rows it changed. A key that seals nothing goes.
func (s *Store) reindexPeople(db *gorm.DB, office string, people []personKeyRow) (int, error) {
	ids := make([]string, len(people))
	keys := map[string]seal.Key{}
	for i, k := range people {
		var err error
		if keys[k.ID], err = s.openKey(db, office, k.ID, k.Wrapped); err != nil {
			return 0, err
		}
		ids[i] = k.ID
	}
	var persons []personRow
	var doses []doseRow
	if err := errors.Join(db.Where("office = ? AND person_key IN ?", office, ids).Find(&persons).Error,
		db.Where("office = ? AND person_key IN ?", office, ids).Find(&doses).Error); err != nil {
		return 0, err
	}
	tickets := map[string][]byte{} // new search key by person key
	var changes batch
	for _, row := range persons {
		v, err := unsealed[vaccination.Subject](keys[row.PersonKey], versionPlace(office, "persons", row.ID, row.Version), row.Data)
		if err != nil {
			return 0, err
		}
		s.indexPerson(&row, v)
		tickets[row.PersonKey] = row.TicketIx
		changes = append(changes, step{text: reindexPerson, args: []any{office, row.ID, row.Version, row.TicketIx, row.AddressIx, row.ExactIx, row.LooseIx, row.KanaIx, row.ContentIx}})
	}
	for _, row := range doses {
		v, err := unsealed[vaccination.Record](keys[row.PersonKey], versionPlace(office, "doses", row.ID, row.Version), row.Data)
		if err != nil {
			return 0, err
		}
		s.indexDose(&row, v)
		tickets[row.PersonKey] = row.TicketIx
		changes = append(changes, step{text: reindexDose, args: []any{office, row.ID, row.Version, row.TicketIx, row.ContentIx}})
	}
	done := len(changes)
	var unused []string
	for _, id := range ids {
		if ix := tickets[id]; ix != nil {
			changes = append(changes, step{text: reindexKey, args: []any{office, id, ix}})
		} else {
			unused = append(unused, id)
		}
	}
	if len(unused) > 0 {
		if err := db.Where("office = ? AND id IN ?", office, unused).Delete(&personKeyRow{}).Error; err != nil {
			return 0, err
		}
	}
	return done, changes.run(db)
}

// The search keys of a row. One statement for each row, many in one message: an
// update from a list of values makes PostgreSQL compare every row with every value.
const (
	reindexPerson = `UPDATE persons SET ticket_ix = $4, address_ix = $5, exact_ix = $6, loose_ix = $7, kana_ix = $8, content_ix = $9
		WHERE office = $1 AND id = $2 AND version = $3`
	reindexDose = "UPDATE doses SET ticket_ix = $4, content_ix = $5 WHERE office = $1 AND id = $2 AND version = $3"
	reindexKey  = "UPDATE person_keys SET ticket_ix = $3 WHERE office = $1 AND id = $2"
)

// RetireKey destroys the old versions of a data key when nothing bears them any
// more, and returns how many, and the active version; fault Conflict "data_key_used" and a sweep from the
// beginning when something does. It runs inside an act.
func (s *Store) RetireKey(ctx context.Context, office string, p seal.Purpose) (retired, version int, err error) {
	db, err := act(ctx, office)
	if err != nil {
		return 0, 0, err
	}
	left, version, err := s.bearOld(db, office, p)
	if err != nil {
		return 0, 0, err
	}
	if left > 0 {
		return 0, 0, fault.New(fault.Conflict, "data_key_used", "purpose")
	}
	done := db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND state = 'old'", office, string(p)).
		Updates(map[string]any{"state": string(seal.Retired), "wrapped": nil, "retired_at": s.clock.Now().UnixMilli()})
	s.ring.Stale(office)
	return int(done.RowsAffected), version, done.Error
}

// bearOld counts the boxes that another version than the active one has sealed, and returns that.
// Search keys bear no version; they were all computed again.
func (s *Store) bearOld(db *gorm.DB, office string, p seal.Purpose) (left int64, version int, err error) {
	var active dataKeyRow
	if err := db.Where("office = ? AND purpose = ? AND state = 'active'", office, string(p)).Take(&active).Error; err != nil {
		return 0, 0, missing(err, "data_key")
	}
	head := seal.BoxHead(active.dataKey().ID())
	for _, c := range sealedColumns[p] {
		var n int64
		if err := db.Table(c.table).Where("office = ? AND "+c.column+" IS NOT NULL AND substr("+c.column+", 1, ?) <> ?", office, len(head), head).
			Count(&n).Error; err != nil {
			return 0, 0, err
		}
		left += n
	}
	return left, active.Version, nil
}

// SweepAgain makes the next Reseal begin with the first row.
func (s *Store) SweepAgain(ctx context.Context, office string, p seal.Purpose) error {
	return s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		return db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND state = 'active'", office, string(p)).Update("swept", "").Error
	})
}

// RewrapKeys wraps every data key with the next file key and makes the database
// belong to it, at once; fault Conflict "data_key_zero" while something is sealed
// under a key that was derived from the present one. It runs inside an act, after
// which FollowRing is due.
func (s *Store) RewrapKeys(ctx context.Context, office string, next *seal.Ring) (done int, err error) {
	db, err := act(ctx, office)
	if err != nil {
		return 0, err
	}
	if err := s.checkProof(db, "UPDATE"); err != nil { // nobody makes a data key meanwhile
		return 0, err
	}
	var offices []string
	if err := db.Model(&officeRow{}).Order("office").Pluck("office", &offices).Error; err != nil {
		return 0, err
	}
	for _, o := range append(offices, office) { // ends with the act's own
		of, err := s.within(db, o)
		if err != nil {
			return 0, err
		}
		n, err := s.rewrapOffice(of, o, next)
		if err != nil {
			return 0, err
		}
		done += n
	}
	return done, db.Model(&installationRow{}).Where("name = ?", "seal").Update("value", next.Proof()).Error
}

// within lets the rest of a transaction reach the rows of another office. Whoever
// calls it goes back to the act's own.
func (s *Store) within(db *gorm.DB, office string) (*gorm.DB, error) {
	of := db.WithContext(withOffice(db.Statement.Context, office))
	if !s.postgres {
		return of, nil
	}
	return of, of.Exec("SELECT set_config('akashi.office', ?, true)", office).Error
}

func (s *Store) rewrapOffice(db *gorm.DB, office string, next *seal.Ring) (done int, err error) {
	var rows []dataKeyRow
	if err := db.Where("office = ? AND state <> 'retired'", office).Find(&rows).Error; err != nil {
		return 0, err
	}
	for _, r := range rows {
		if r.Version == 0 {
			return 0, fault.New(fault.Conflict, "data_key_zero", "purpose").With("office", office).With("purpose", r.Purpose)
		}
		if id, _, err := seal.KeyID(r.Wrapped); err == nil && id == next.KeeperID() {
			continue
		}
		wrapped, err := s.ring.Rewrap(r.dataKey(), next)
		if err != nil {
			return 0, err
		}
		if err := changedOne(db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND version = ?", office, r.Purpose, r.Version).
			Update("wrapped", wrapped), "data_key"); err != nil {
			return 0, err
		}
		done++
	}
	return done, nil
}

// FollowRing puts the next file key in the place of the present one, after an
// act of RewrapKeys was committed. Again is no error.
func (s *Store) FollowRing(next *seal.Ring) error { return s.ring.Follow(next) }

// NextRing makes the file key that is to follow, or finds it made.
func (s *Store) NextRing() (*seal.Ring, error) { return s.ring.PrepareNext() }
