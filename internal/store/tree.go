package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/merkle"
)

// installation is the office of what belongs to none: no municipality has this
// code, and the rows of none can be seen with it but those of the log.
const installation = "000000"

type treeLeaf struct {
	Tree    string
	Seq     int64
	Office  string
	EntryID string
	Leaf    []byte
}

func (treeLeaf) TableName() string { return "tree_leaves" }

type treeTile struct {
	Tree   string
	Number int64
	Root   []byte
}

func (treeTile) TableName() string { return "tree_tiles" }

type treeCheckpoint struct {
	Tree string
	At   int64
	Size int64
	Note string
}

func (treeCheckpoint) TableName() string { return "tree_checkpoints" }

type lease struct {
	Name   string
	Holder string
	Until  int64
}

func (lease) TableName() string { return "leases" }

// treeSource is where a tree's entries stand, and the column that is proven.
var treeSource = map[tree.Name]struct{ table, column string }{
	tree.Log:      {"log", "canonical"},
	tree.Issuance: {"issuance_log", "digest"},
}

// Unplaced implements tree.Store. It goes from office to office, so that each
// search begins at the right place of the primary key.
func (s *Store) Unplaced(ctx context.Context, name tree.Name, since string, after tree.Entry, limit int) ([]tree.Entry, error) {
	src := treeSource[name]
	query := fmt.Sprintf(`
		WITH RECURSIVE o(office) AS (
			SELECT min(office) FROM %[1]s UNION ALL SELECT (SELECT min(office) FROM %[1]s WHERE office > o.office) FROM o WHERE o.office IS NOT NULL
		)
		SELECT e.office AS office, e.id AS id, e.%[2]s AS data FROM o JOIN %[1]s e ON e.office = o.office AND e.id > ?
		WHERE (e.office, e.id) > (?, ?) AND NOT EXISTS (SELECT 1 FROM tree_leaves t WHERE t.tree = ? AND t.office = e.office AND t.entry_id = e.id)
		ORDER BY e.office, e.id LIMIT ?`, src.table, src.column)
	var rows []struct {
		Office, ID string
		Data       []byte
	}
	err := s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Raw(query, since, after.Office, after.ID, string(name), limit).Scan(&rows).Error
	})
	out := make([]tree.Entry, len(rows))
	for i, r := range rows {
		out[i] = tree.Entry{Office: r.Office, ID: r.ID, Data: r.Data}
	}
	return out, err
}

// errNotLeading ends the transaction of one who does not lead.
var errNotLeading = errors.New("store: another holds the lease")

// Lead implements tree.Store.
func (s *Store) Lead(ctx context.Context, name, holder string, now, until time.Time, fn func(context.Context) error) (bool, error) {
	err := s.transact(ctx, installation, func(ctx context.Context) error {
		db, err := act(ctx, installation)
		if err != nil {
			return err
		}
		if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&lease{name, "", 0}).Error; err != nil {
			return err
		}
		took := db.Model(&lease{}).Where("name = ? AND (holder = ? OR until <= ?)", name, holder, now.UnixMilli()).
			Updates(map[string]any{"holder": holder, "until": until.UnixMilli()})
		if took.Error != nil {
			return took.Error
		}
		if took.RowsAffected == 0 {
			return errNotLeading
		}
		return fn(ctx)
	})
	if errors.Is(err, errNotLeading) {
		return false, nil
	}
	return err == nil, err
}

// Place implements tree.Store.
func (s *Store) Place(ctx context.Context, name tree.Name, from int64, leaves []tree.Leaf, firstTile int64, tiles []merkle.Hash) error {
	db, err := act(ctx, installation)
	if err != nil {
		return err
	}
	rows := make([]treeLeaf, len(leaves))
	for i, l := range leaves {
		rows[i] = treeLeaf{string(name), from + int64(i), l.Office, l.Entry, l.Hash[:]}
	}
	err = db.Create(&rows).Error
	if duplicate(err) {
		return tree.ErrMoved
	}
	if err != nil || len(tiles) == 0 {
		return err
	}
	full := make([]treeTile, len(tiles))
	for i, h := range tiles {
		full[i] = treeTile{string(name), firstTile + int64(i), h[:]}
	}
	return db.Create(&full).Error
}

// Size implements tree.Store.
func (s *Store) Size(ctx context.Context, name tree.Name) (size int64, err error) {
	err = s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Model(&treeLeaf{}).Where("tree = ?", string(name)).Select("COALESCE(MAX(seq) + 1, 0)").Scan(&size).Error
	})
	return size, err
}

// Leaves implements tree.Store.
func (s *Store) Leaves(ctx context.Context, name tree.Name, from, to int64) ([]merkle.Hash, error) {
	var stored [][]byte
	err := s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Model(&treeLeaf{}).Where("tree = ? AND seq >= ? AND seq < ?", string(name), from, to).Order("seq").Pluck("leaf", &stored).Error
	})
	return treeHashes(stored, err)
}

// Tiles implements tree.Store.
func (s *Store) Tiles(ctx context.Context, name tree.Name) ([]merkle.Hash, error) {
	var stored [][]byte
	err := s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Model(&treeTile{}).Where("tree = ?", string(name)).Order("number").Pluck("root", &stored).Error
	})
	return treeHashes(stored, err)
}

func treeHashes(stored [][]byte, err error) ([]merkle.Hash, error) {
	if err != nil {
		return nil, err
	}
	out := make([]merkle.Hash, len(stored))
	for i, b := range stored {
		h, ok := merkle.HashOf(b)
		if !ok {
			return nil, fmt.Errorf("%w: a stored hash of %d bytes", tree.ErrBroken, len(b))
		}
		out[i] = h
	}
	return out, nil
}

// rowsAtOnce bounds what Rows holds in memory.
const rowsAtOnce = 2048

// Rows implements tree.Store.
func (s *Store) Rows(ctx context.Context, name tree.Name, from, to int64, fn func(tree.Row) error) error {
	for ; from < to; from += rowsAtOnce {
		rows, err := s.treeRows(ctx, name, from, min(from+rowsAtOnce, to))
		if err != nil {
			return err
		}
		for _, r := range rows {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *Store) treeRows(ctx context.Context, name tree.Name, from, to int64) ([]tree.Row, error) {
	src := treeSource[name]
	columns := ", e." + src.column + " AS data"
	if name == tree.Log {
		columns += ", e.at, e.person, e.terminal, e.purpose, e.case_id, e.action, e.object, e.concerned, e.result, e.request"
	}
	var found []struct {
		Seq                        int64
		Leaf, Data                 []byte
		Office, EntryID, At        string
		Person, Terminal, Purpose  string
		CaseID, Action, Object     string
		Concerned, Result, Request string
	}
	err := s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Raw(fmt.Sprintf("SELECT t.seq, t.leaf, t.office, t.entry_id%s FROM tree_leaves t LEFT JOIN %s e ON e.office = t.office AND e.id = t.entry_id WHERE t.tree = ? AND t.seq >= ? AND t.seq < ? ORDER BY t.seq",
			columns, src.table), string(name), from, to).Scan(&found).Error
	})
	rows := make([]tree.Row, len(found))
	for i, r := range found {
		rows[i] = tree.Row{Seq: r.Seq, Office: r.Office, ID: r.EntryID, Leaf: r.Leaf, Data: r.Data}
		if name == tree.Log && r.Data != nil {
			rows[i].Columns = &audit.Record{
				Office: r.Office, ID: r.EntryID, At: r.At, Person: r.Person, Terminal: r.Terminal, Purpose: r.Purpose, Case: r.CaseID,
				Action: r.Action, Object: r.Object, Concerned: r.Concerned, Result: r.Result, Request: r.Request,
			}
		}
	}
	return rows, err
}

// KeepCheckpoint implements tree.Store.
func (s *Store) KeepCheckpoint(ctx context.Context, name tree.Name, c merkle.Checkpoint, text string) error {
	db, err := act(ctx, installation)
	if err != nil {
		return err
	}
	return db.Create(&treeCheckpoint{string(name), c.Time.UnixMilli(), c.Size, text}).Error
}

// LastCheckpoint implements tree.Store.
func (s *Store) LastCheckpoint(ctx context.Context, name tree.Name) (text string, at time.Time, err error) {
	var rows []treeCheckpoint
	err = s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Where("tree = ?", string(name)).Order("at DESC").Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return "", time.Time{}, err
	}
	return rows[0].Note, fromMilli(rows[0].At), nil
}

// Covers returns which checkpoints cover entries of an office's log, by their ids.
func (s *Store) Covers(ctx context.Context, office string, ids []string) (map[string]tree.Cover, error) {
	covers := map[string]tree.Cover{}
	err := s.look(ctx, office, func(db *gorm.DB) error {
		var rows []struct {
			EntryID string
			Seq     int64
		}
		if err := db.Model(&treeLeaf{}).Where("tree = ? AND office = ? AND entry_id IN ?", string(tree.Log), office, ids).Order("seq").Find(&rows).Error; err != nil {
			return err
		}
		var last []treeCheckpoint
		for _, r := range rows {
			if len(last) == 0 || last[0].Size <= r.Seq {
				since := idTime(r.EntryID).Add(-time.Hour)
				if err := db.Where("tree = ? AND at >= ? AND size > ?", string(tree.Log), milli(since), r.Seq).Order("at").Limit(1).Find(&last).Error; err != nil {
					return err
				}
			}
			c := tree.Cover{Place: r.Seq}
			if len(last) > 0 {
				c.Size, c.At = last[0].Size, fromMilli(last[0].At)
			}
			covers[r.EntryID] = c
		}
		return nil
	})
	return covers, err
}

// placesAtOnce bounds the values of one statement.
const placesAtOnce = 500

// Places implements tree.PartStore.
func (s *Store) Places(ctx context.Context, office string, ids []string) (map[string]int64, error) {
	places := make(map[string]int64, len(ids))
	err := s.look(ctx, office, func(db *gorm.DB) error {
		for some := range slices.Chunk(ids, placesAtOnce) {
			var rows []treeLeaf
			if err := db.Select("entry_id", "seq").Where("tree = ? AND office = ? AND entry_id IN ?", string(tree.Log), office, some).Find(&rows).Error; err != nil {
				return err
			}
			for _, r := range rows {
				places[r.EntryID] = r.Seq
			}
		}
		return nil
	})
	return places, err
}

// Pruned implements tree.Store.
func (s *Store) Pruned(ctx context.Context) (map[string]int64, error) {
	pruned := map[string]int64{}
	offices, err := s.Offices(ctx)
	for _, code := range offices {
		var entries [][]byte
		if err := s.look(ctx, installation, func(db *gorm.DB) error {
			return db.Table("log").Where("office = ? AND action = ? AND result = 'ok'", code, tree.PruneAction).Pluck("canonical", &entries).Error
		}); err != nil {
			return nil, err
		}
		for _, e := range entries {
			pruned[code] = max(pruned[code], tree.PrunedBy(e))
		}
	}
	return pruned, err
}

// PruneLog removes an office's entries of before a time and of places from ≤ seq
// < to, but those that the proof of what is gone needs. The database refuses it for what is younger
// than a year, and on PostgreSQL to every role but that of the jobs.
func (s *Store) PruneLog(ctx context.Context, office string, before time.Time, from, to int64) (removed int, err error) {
	err = s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		done := db.Exec(`DELETE FROM log WHERE office = ? AND action NOT IN ? AND at < ? AND id IN (
			SELECT entry_id FROM tree_leaves WHERE tree = ? AND office = ? AND seq >= ? AND seq < ?)`,
			office, []string{tree.PruneAction, tree.AdmitAction}, logTime(before), string(tree.Log), office, from, to)
		removed = int(done.RowsAffected)
		return done.Error
	})
	return removed, err
}

// CheckpointBefore returns the size of the log that the last checkpoint of at most
// the given time covers; 0 if there is none.
func (s *Store) CheckpointBefore(ctx context.Context, at time.Time) (size int64, err error) {
	err = s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Model(&treeCheckpoint{}).Where("tree = ? AND at <= ?", string(tree.Log), at.UnixMilli()).Select("COALESCE(MAX(size), 0)").Scan(&size).Error
	})
	return size, err
}

// Admitted implements tree.Store.
func (s *Store) Admitted(ctx context.Context, office, id string) (admitted bool, err error) {
	err = s.look(ctx, office, func(db *gorm.DB) error {
		return db.Raw("SELECT EXISTS (SELECT 1 FROM log WHERE office = ? AND action = ? AND object = ? AND result = 'ok')",
			office, tree.AdmitAction, id).Scan(&admitted).Error
	})
	return admitted, err
}

// Checkpoints implements tree.Store.
func (s *Store) Checkpoints(ctx context.Context, name tree.Name) (texts []string, err error) {
	err = s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Model(&treeCheckpoint{}).Where("tree = ?", string(name)).Order("at").Pluck("note", &texts).Error
	})
	return texts, err
}

var (
	_ tree.Store     = (*Store)(nil)
	_ tree.PartStore = (*Store)(nil)
)

// Covered is the size of the last checkpoint of the log; 0 if there is none.
func (s *Store) Covered(ctx context.Context) (size int64, err error) {
	err = s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Model(&treeCheckpoint{}).Where("tree = ?", string(tree.Log)).Select("COALESCE(MAX(size), 0)").Scan(&size).Error
	})
	return size, err
}
