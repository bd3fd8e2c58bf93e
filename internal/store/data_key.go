package store

import (
	"context"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"akashi/internal/seal"
)

type dataKeyRow struct {
	Office, Purpose string
	Version         int
	Wrapped         []byte // nil for version 0, and once nothing needs it any more
	State           string
	Uses            int64
	Swept           string // how far the sweep has come that brings everything to this version
	CreatedAt       int64  `gorm:"autoCreateTime:false"`
	RetiredAt       int64
}

func (dataKeyRow) TableName() string { return "data_keys" }

func (r dataKeyRow) dataKey() seal.DataKey {
	return seal.DataKey{
		Office: r.Office, Purpose: seal.Purpose(r.Purpose), Version: r.Version, Wrapped: r.Wrapped,
		State: seal.State(r.State), Uses: r.Uses,
	}
}

func (s *Store) newDataKeyRow(d seal.DataKey) *dataKeyRow {
	return &dataKeyRow{
		Office: d.Office, Purpose: string(d.Purpose), Version: d.Version, Wrapped: d.Wrapped, State: string(d.State), Uses: d.Uses,
		CreatedAt: s.clock.Now().UnixMilli(),
	}
}

// dataKeyLife is how long a change of an office's data keys by another process
// may go unseen; a rotation waits longer between its steps.
const dataKeyLife = 30 * time.Second

// ready loads an office's data keys before an act and takes uses for them, so
// that no act needs a statement for that (S-074). An office without data keys
// gets them; one that does not exist yet has none. A store that was opened
// without the file key reads nothing that is sealed and needs none.
func (s *Store) ready(ctx context.Context, office string) error {
	if s.ring == nil || office == installation {
		return nil
	}
	fresh := func() bool { return s.ring.Ready(office, s.clock.Now().Add(-dataKeyLife)) }
	if fresh() {
		return nil
	}
	s.readying.Lock()
	defer s.readying.Unlock()
	if fresh() {
		return nil
	}
	var keys []seal.DataKey
	var taken []dataKeyRow
	now := s.clock.Now()
	err := s.enact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		if err := s.makeDataKeys(db, office); err != nil {
			return err
		}
		if taken, err = s.takeUses(db, office); err != nil {
			return err
		}
		keys, err = readDataKeys(db, office)
		return err
	})
	if err != nil || len(keys) == 0 {
		return err
	}
	if err := s.ring.Load(office, keys, now); err != nil {
		return err
	}
	for _, t := range taken {
		s.ring.Grant(office, seal.Purpose(t.Purpose), t.Version, seal.Block)
	}
	return nil
}

// reload reads the office's data keys again inside an act: a row names a version
// that another process has made since.
func (s *Store) reload(db *gorm.DB, office string) error {
	keys, err := readDataKeys(db, office)
	if err != nil {
		return err
	}
	return s.ring.Load(office, keys, s.clock.Now())
}

// opening runs something that opens boxes, and again when a version was unknown.
func (s *Store) opening(db *gorm.DB, office string, open func() error) error {
	err := open()
	if errors.Is(err, seal.ErrUnknownKey) {
		if err := s.reload(db, office); err != nil {
			return err
		}
		return open()
	}
	return err
}

func readDataKeys(db *gorm.DB, office string) (keys []seal.DataKey, err error) {
	err = batch{every(func(scan scan) error {
		d := seal.DataKey{Office: office}
		err := scan(&d.Purpose, &d.Version, &d.Wrapped, &d.State, &d.Uses)
		keys = append(keys, d)
		return err
	}, "SELECT purpose, version, wrapped, state, uses FROM data_keys WHERE office = $1 ORDER BY purpose, version", office)}.run(db)
	return keys, err
}

// makeDataKeys gives an office the data keys it does not have. What was sealed
// before there were data keys is of version 0 and stays readable until it has
// been rotated; search keys stay of version 0 until then, so that all are of one.
func (s *Store) makeDataKeys(db *gorm.DB, office string) error {
	var have []string
	if err := db.Model(&dataKeyRow{}).Where("office = ?", office).Distinct().Pluck("purpose", &have).Error; err != nil {
		return err
	}
	missing := slices.DeleteFunc(seal.Purposes(), func(p seal.Purpose) bool { return slices.Contains(have, string(p)) })
	if len(missing) == 0 {
		return nil
	}
	var found struct{ Exists, Used bool }
	if err := db.Raw(`SELECT EXISTS (SELECT 1 FROM offices WHERE office = @office) AS "exists", EXISTS (SELECT 1 FROM person_keys WHERE office = @office)
		OR EXISTS (SELECT 1 FROM imports WHERE office = @office) AS used`, map[string]any{"office": office}).Scan(&found).Error; err != nil || !found.Exists {
		return err
	}
	var rows []*dataKeyRow
	for _, p := range missing {
		zero, first := seal.Retired, seal.Active
		if found.Used && len(have) == 0 {
			zero = map[seal.Purpose]seal.State{seal.Wrap: seal.Old, seal.Office: seal.Old, seal.Index: seal.Active}[p]
		}
		if zero == seal.Old || zero == seal.Active {
			rows = append(rows, s.newDataKeyRow(seal.DataKey{Office: office, Purpose: p, State: zero}))
		}
		if zero == seal.Active {
			continue
		}
		d, err := s.newDataKey(db, office, p, 1, first)
		if err != nil {
			return err
		}
		rows = append(rows, s.newDataKeyRow(d))
	}
	return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error // another process may make them too
}

// newDataKey makes a version of a data key, wrapped by the file key that the
// database belongs to at this moment.
func (s *Store) newDataKey(db *gorm.DB, office string, p seal.Purpose, version int, state seal.State) (seal.DataKey, error) {
	if err := s.checkProof(db, "SHARE"); err != nil {
		return seal.DataKey{}, err
	}
	return s.ring.NewDataKey(office, p, version, state)
}

// checkProof demands that the database was sealed with the ring's file key, or
// with the one that has followed it.
func (s *Store) checkProof(db *gorm.DB, lock string) error {
	if s.postgres && lock != "" {
		db = db.Clauses(clause.Locking{Strength: lock})
	}
	var row installationRow
	if err := db.Where("name = ?", "seal").Take(&row).Error; err != nil {
		return err
	}
	if !s.ring.Proves(row.Value) && !s.ring.Adopt(row.Value) {
		return ErrForeignKey
	}
	return nil
}

// takeUses counts a block of uses for each sealing key that this process has few
// left of. A key that has none left is followed by a new version.
func (s *Store) takeUses(db *gorm.DB, office string) (taken []dataKeyRow, err error) {
	for _, p := range seal.Purposes() {
		if !p.Seals() || s.ring.Left(office, p) >= seal.Block/2 {
			continue
		}
		rows, err := s.take(db, office, p, seal.Block)
		if err != nil {
			return nil, err
		}
		taken = append(taken, rows...)
	}
	return taken, nil
}

// take counts uses of an office's active key and returns it; none when there is none.
func (s *Store) take(db *gorm.DB, office string, p seal.Purpose, uses int) (taken []dataKeyRow, err error) {
	count := func() error {
		return db.Raw(`UPDATE data_keys SET uses = uses + ? WHERE office = ? AND purpose = ? AND state = 'active' AND uses + ? <= ? RETURNING purpose, version`,
			uses, office, string(p), uses, int64(seal.MaxUses)).Scan(&taken).Error
	}
	if err = count(); err != nil || len(taken) > 0 {
		return taken, err
	}
	var worn []dataKeyRow
	if err := db.Where("office = ? AND purpose = ? AND state = 'active'", office, string(p)).Find(&worn).Error; err != nil || len(worn) == 0 {
		return nil, err
	}
	if err := s.follow(db, worn[0]); err != nil {
		return nil, err
	}
	err = count()
	return taken, err
}

// follow puts a new version in the place of one that is used up. One that a
// rotation has made already is used.
func (s *Store) follow(db *gorm.DB, worn dataKeyRow) error {
	if err := changedOne(db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND version = ? AND state = 'active'", worn.Office, worn.Purpose, worn.Version).
		Update("state", string(seal.Old)), "data_key"); err != nil {
		return err
	}
	next := db.Model(&dataKeyRow{}).Where("office = ? AND purpose = ? AND state = 'next'", worn.Office, worn.Purpose).Update("state", string(seal.Active))
	if next.Error != nil || next.RowsAffected == 1 {
		return next.Error
	}
	d, err := s.newDataKey(db, worn.Office, seal.Purpose(worn.Purpose), worn.Version+1, seal.Active)
	if err != nil {
		return err
	}
	return db.Create(s.newDataKeyRow(d)).Error
}

// counted returns an office's key for as many boxes as an act needs at most,
// counted in that act.
func (s *Store) counted(db *gorm.DB, office string, p seal.Purpose, uses int) (seal.Key, error) {
	taken, err := s.take(db, office, p, uses)
	if err != nil {
		return seal.Key{}, err
	}
	key := s.ring.Key(office, p)
	if len(taken) > 0 && taken[0].Version > 0 && key.ID != taken[0].dataKey().ID() {
		if err := s.reload(db, office); err != nil {
			return seal.Key{}, err
		}
		key = s.ring.Key(office, p)
	}
	return key.For(int64(uses)), nil
}
