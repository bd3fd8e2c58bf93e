package store

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"time"

	"gorm.io/gorm"

	"akashi/internal/custody"
	"akashi/internal/fault"
)

type retentionRunRow struct {
	Office, ID               string
	MadeAt, BeganAt, EndedAt int64
}

func (retentionRunRow) TableName() string { return "retention_runs" }

type retentionItemRow struct {
	Office, Run, Class, Object string
	Since                      int64
	Outcome                    string
}

func (retentionItemRow) TableName() string { return "retention_items" }

// The people to whom nothing happened since a time, with the last that did: rows of the
// register, doses, applications, certificates. A number comes with a row of the register.
const (
	happened = `SELECT p.id AS object, MAX(p.created_at) AS since FROM persons p WHERE p.office = @office`
	longAgo  = ` GROUP BY p.id HAVING MAX(p.created_at) < @at
	AND NOT EXISTS (SELECT 1 FROM doses d JOIN persons q ON q.office = d.office AND q.person_key = d.person_key WHERE d.office = @office AND q.office = @office AND q.id = p.id AND d.created_at >= @at)
	AND NOT EXISTS (SELECT 1 FROM applications a WHERE a.office = @office AND a.person_id = p.id AND a.person_id <> '' AND a.updated_at >= @at)
	AND NOT EXISTS (SELECT 1 FROM applications a JOIN certificates c ON c.office = a.office AND c.application_id = a.id WHERE a.office = @office AND a.person_id = p.id AND a.person_id <> '' AND c.prepared_at >= @at)
	ORDER BY 2, 1 LIMIT @limit`
)

// The applications to which nothing happened since a time.
const (
	unchanged    = `SELECT a.id AS object, a.updated_at AS since FROM applications a WHERE a.office = @office AND a.updated_at < @at AND length(a.data) > 0`
	notCertified = ` AND NOT EXISTS (SELECT 1 FROM certificates c WHERE c.office = @office AND c.application_id = a.id AND c.prepared_at >= @at)
	ORDER BY 2, 1 LIMIT @limit`
)

func due(db *gorm.DB, class custody.Class, office, one string, before time.Time, limit int) (list []custody.Due, err error) {
	named := []any{sql.Named("office", office), sql.Named("one", one), sql.Named("at", milli(before)), sql.Named("limit", limit)}
	var rows []retentionItemRow
	switch {
	case class == custody.Persons && one == "":
		err = db.Raw(happened+longAgo, named...).Scan(&rows).Error
	case class == custody.Persons:
		err = db.Raw(happened+" AND p.id = @one"+longAgo, named...).Scan(&rows).Error
	case class == custody.Applications && one == "":
		err = db.Raw(unchanged+notCertified, named...).Scan(&rows).Error
	case class == custody.Applications:
		err = db.Raw(unchanged+" AND a.id = @one"+notCertified, named...).Scan(&rows).Error
	}
	for _, r := range rows {
		list = append(list, custody.Due{Class: class, Object: r.Object, Since: fromMilli(r.Since)})
	}
	return list, err
}

// Due implements custody.RetentionStore.
func (s *Store) Due(ctx context.Context, office string, class custody.Class, before time.Time, limit int) ([]custody.Due, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	return due(db, class, office, "", before, limit)
}

// StillDue implements custody.RetentionStore.
func (s *Store) StillDue(ctx context.Context, office, personID string, before time.Time) (bool, error) {
	db, err := act(ctx, office)
	if err != nil {
		return false, err
	}
	list, err := due(db, custody.Persons, office, personID, before, 1)
	return len(list) == 1, err
}

// EraseApplication implements custody.RetentionStore.
func (s *Store) EraseApplication(ctx context.Context, office, id string, before time.Time) (r custody.Erasure, err error) {
	db, err := act(ctx, office)
	if err != nil {
		return r, err
	}
	list, err := due(db, custody.Applications, office, id, before, 1)
	if err != nil || len(list) == 0 {
		return r, errors.Join(err, fault.New(fault.NotFound, "application", ""))
	}
	var row applicationRow
	if err := db.Select("id", "person_key", "person_id").Where("office = ? AND id = ?", office, id).Take(&row).Error; err != nil {
		return r, err
	}
	if row.PersonID != "" {
		if err := free(db, office, row.PersonID); err != nil {
			return r, err
		}
	}
	return r, s.eraseApplication(db, office, row, &r)
}

// AddRun implements custody.RetentionStore.
func (s *Store) AddRun(ctx context.Context, office string, r custody.Run) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	if err := db.Model(&retentionRunRow{}).Where("office = ? AND began_at = 0 AND ended_at = 0", office).Update("ended_at", milli(r.Made)).Error; err != nil {
		return err
	}
	ended := int64(0)
	if len(r.Items) == 0 {
		ended = milli(r.Made)
	}
	if err := db.Create(&retentionRunRow{Office: office, ID: r.ID, MadeAt: milli(r.Made), EndedAt: ended}).Error; err != nil {
		return err
	}
	rows := make([]retentionItemRow, len(r.Items))
	for i, d := range r.Items {
		rows[i] = retentionItemRow{office, r.ID, string(d.Class), d.Object, milli(d.Since), ""}
	}
	for rows := range slices.Chunk(rows, chunkSize) {
		if err := db.Create(&rows).Error; err != nil {
			return err
		}
	}
	return nil
}

// LastRun implements custody.RetentionStore.
func (s *Store) LastRun(ctx context.Context, office string) (custody.Run, error) {
	return s.oneRun(ctx, office, func(db *gorm.DB) *gorm.DB { return db.Order("made_at DESC, id DESC") })
}

// Run implements custody.RetentionStore.
func (s *Store) Run(ctx context.Context, office, id string) (custody.Run, error) {
	return s.oneRun(ctx, office, func(db *gorm.DB) *gorm.DB { return db.Where("id = ?", id) })
}

func (s *Store) oneRun(ctx context.Context, office string, which func(*gorm.DB) *gorm.DB) (r custody.Run, err error) {
	list, err := s.retentionRuns(ctx, office, func(db *gorm.DB) *gorm.DB { return which(db).Limit(1) })
	if err == nil && len(list) == 0 {
		err = fault.New(fault.NotFound, "retention_run", "")
	}
	if err != nil {
		return r, err
	}
	return list[0], nil
}

// Runs implements custody.RetentionStore.
func (s *Store) Runs(ctx context.Context, office, before string, limit int) ([]custody.Run, error) {
	return s.retentionRuns(ctx, office, func(db *gorm.DB) *gorm.DB { return newest(db, before, limit) })
}

func (s *Store) retentionRuns(ctx context.Context, office string, which func(*gorm.DB) *gorm.DB) (list []custody.Run, err error) {
	err = s.look(ctx, office, func(db *gorm.DB) error {
		var rows []retentionRunRow
		if err := which(db.Where("office = ?", office)).Find(&rows).Error; err != nil || len(rows) == 0 {
			return err
		}
		at, ids := map[string]*custody.Run{}, make([]string, len(rows))
		list = make([]custody.Run, len(rows))
		for i, r := range rows {
			list[i] = custody.Run{ID: r.ID, Made: fromMilli(r.MadeAt), Began: fromMilli(r.BeganAt), Ended: fromMilli(r.EndedAt)}
			ids[i], at[r.ID] = r.ID, &list[i]
		}
		var tally []struct {
			Run, Class, Outcome string
			Count               int
		}
		if err := db.Model(&retentionItemRow{}).Select("run, class, outcome, COUNT(*) AS count").Where("office = ? AND run IN ?", office, ids).
			Group("run, class, outcome").Order("run, class, outcome").Scan(&tally).Error; err != nil {
			return err
		}
		for _, t := range tally {
			at[t.Run].Tally = append(at[t.Run].Tally, custody.Tally{Class: custody.Class(t.Class), Outcome: t.Outcome, Count: t.Count})
		}
		var approved []string
		err := db.Model(&approvalRow{}).Where("office = ? AND kind = ? AND object IN ? AND outcome = 'approved' AND used_at = 0 AND expires_at > ?",
			office, custody.Retain, ids, s.clock.Now().UnixMilli()).Pluck("object", &approved).Error
		for _, id := range approved {
			at[id].Approved = true
		}
		return err
	})
	return list, err
}

// RunPage implements custody.RetentionStore.
func (s *Store) RunPage(ctx context.Context, office, run string, after custody.Due, limit int) ([]custody.Due, error) {
	return s.runItems(ctx, office, run, func(db *gorm.DB) *gorm.DB {
		return db.Where("(class > ? OR class = ? AND object > ?)", string(after.Class), string(after.Class), after.Object).Order("class, object").Limit(limit)
	})
}

// RunItems implements custody.RetentionStore.
func (s *Store) RunItems(ctx context.Context, office, run string, open bool, limit int) ([]custody.Due, error) {
	return s.runItems(ctx, office, run, func(db *gorm.DB) *gorm.DB {
		if open {
			db = db.Where("outcome IN ?", []string{"", custody.Begun})
		}
		return db.Order("class, since, object").Limit(limit)
	})
}

func (s *Store) runItems(ctx context.Context, office, run string, which func(*gorm.DB) *gorm.DB) (list []custody.Due, err error) {
	var rows []retentionItemRow
	err = s.look(ctx, office, func(db *gorm.DB) error {
		return which(db.Where("office = ? AND run = ?", office, run)).Find(&rows).Error
	})
	for _, r := range rows {
		list = append(list, custody.Due{Class: custody.Class(r.Class), Object: r.Object, Since: fromMilli(r.Since), Outcome: r.Outcome})
	}
	return list, err
}

// BeginRun implements custody.RetentionStore.
func (s *Store) BeginRun(ctx context.Context, office, run string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&retentionRunRow{}).Where("office = ? AND id = ? AND ended_at = 0 AND began_at = 0", office, run).
		Update("began_at", s.clock.Now().UnixMilli()), "retention_run")
}

// EndRun implements custody.RetentionStore.
func (s *Store) EndRun(ctx context.Context, office, run string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&retentionRunRow{}).Where("office = ? AND id = ? AND ended_at = 0", office, run).
		Update("ended_at", s.clock.Now().UnixMilli()), "retention_run")
}

// Handled implements custody.RetentionStore.
func (s *Store) Handled(ctx context.Context, office, run string, d custody.Due) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&retentionItemRow{}).Where("office = ? AND run = ? AND class = ? AND object = ? AND outcome IN ?", office, run, string(d.Class), d.Object, []string{"", custody.Begun}).
		Update("outcome", d.Outcome), "retention_run")
}

// PruneAlerts removes the alerts of an office that are older, acknowledged or not.
func (s *Store) PruneAlerts(ctx context.Context, office string, before time.Time) error {
	return s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		return db.Where("office = ? AND last_at < ?", office, milli(before)).Delete(&alertRow{}).Error
	})
}

var _ custody.RetentionStore = (*Store)(nil)
