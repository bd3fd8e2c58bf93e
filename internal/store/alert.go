package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"akashi/internal/fault"
	"akashi/internal/watch"
)

type alertRow struct {
	Office, ID, Kind, Subject string
	FirstMark, LastMark       int64
	FirstAt, LastAt           int64
	Counted                   int
	Facts                     string
	DeliveredAt               int64
	AcknowledgedBy            string
	AcknowledgedAt            int64
	Note                      string
}

func (alertRow) TableName() string { return "alerts" }

func (r alertRow) alert() (watch.Alert, error) {
	a := watch.Alert{
		Office: r.Office, ID: r.ID, Kind: r.Kind, Subject: r.Subject, FirstMark: r.FirstMark, LastMark: r.LastMark,
		FirstAt: fromMilli(r.FirstAt), LastAt: fromMilli(r.LastAt), Count: r.Counted, Delivered: fromMilli(r.DeliveredAt),
		SeenBy: r.AcknowledgedBy, SeenAt: fromMilli(r.AcknowledgedAt), Note: r.Note,
	}
	return a, json.Unmarshal([]byte(r.Facts), &a.Facts)
}

// watchedName is the row of the place from which on the log is judged.
const watchedName = "watched"

// Watched implements watch.Store.
func (s *Store) Watched(ctx context.Context) (int64, error) {
	var row installationRow
	if err := s.look(ctx, installation, func(db *gorm.DB) error { return db.Where("name = ?", watchedName).Take(&row).Error }); err != nil {
		return 0, fmt.Errorf("store: the place of the watch: %w", err)
	}
	return strconv.ParseInt(string(row.Value), 10, 64)
}

// KeepWatched implements watch.Store.
func (s *Store) KeepWatched(ctx context.Context, place int64) error {
	db, err := act(ctx, installation)
	if err != nil {
		return err
	}
	return db.Model(&installationRow{}).Where("name = ?", watchedName).Update("value", []byte(strconv.FormatInt(place, 10))).Error
}

// Alerting implements watch.Store.
func (s *Store) Alerting(ctx context.Context, office string, fn func(ctx context.Context) error) error {
	if !isOffice(office) {
		return ErrNoOffice
	}
	return s.enact(ctx, office, fn)
}

// LastAlert implements watch.Store.
func (s *Store) LastAlert(ctx context.Context, office, kind, subject string) (a watch.Alert, found bool, err error) {
	db, err := act(ctx, office)
	if err != nil {
		return a, false, err
	}
	var rows []alertRow
	err = db.Where("office = ? AND kind = ? AND subject = ?", office, kind, subject).Order("first_mark DESC").Limit(1).Find(&rows).Error
	if err != nil || len(rows) == 0 {
		return a, false, err
	}
	a, err = rows[0].alert()
	return a, err == nil, err
}

// SaveAlert implements watch.Store.
func (s *Store) SaveAlert(ctx context.Context, a watch.Alert) error {
	db, err := act(ctx, a.Office)
	if err != nil {
		return err
	}
	facts, err := json.Marshal(a.Facts)
	if err != nil {
		return err
	}
	return db.Clauses(clause.OnConflict{
		Columns:   []clause.Column{{Name: "office"}, {Name: "id"}},
		DoUpdates: clause.AssignmentColumns([]string{"last_mark", "last_at", "counted", "facts", "acknowledged_by", "acknowledged_at"}),
		Where:     clause.Where{Exprs: []clause.Expression{clause.Expr{SQL: "alerts.last_mark < excluded.last_mark"}}},
	}).Create(&alertRow{
		Office: a.Office, ID: a.ID, Kind: a.Kind, Subject: a.Subject, FirstMark: a.FirstMark, LastMark: a.LastMark,
		FirstAt: milli(a.FirstAt), LastAt: milli(a.LastAt), Counted: a.Count, Facts: string(facts), DeliveredAt: milli(a.Delivered),
	}).Error
}

// UndeliveredAlerts implements watch.Store.
func (s *Store) UndeliveredAlerts(ctx context.Context, limit int) ([]watch.Alert, error) {
	return s.alerts(ctx, installation, func(db *gorm.DB) *gorm.DB { return db.Where("delivered_at = 0").Order("first_at, id").Limit(limit) })
}

// Alerts returns alerts of an office, or of the installation, newest first.
func (s *Store) Alerts(ctx context.Context, office string, which watch.Seen, before string, limit int) ([]watch.Alert, error) {
	return s.alerts(ctx, office, func(db *gorm.DB) *gorm.DB {
		db = db.Where("office = ?", office)
		switch which {
		case watch.Open:
			db = db.Where("acknowledged_at = 0")
		case watch.Acknowledged:
			db = db.Where("acknowledged_at > 0")
		}
		return newest(db, before, limit)
	})
}

// Alert implements watch.ListStore.
func (s *Store) Alert(ctx context.Context, office, id string) (watch.Alert, error) {
	list, err := s.alerts(ctx, office, func(db *gorm.DB) *gorm.DB { return db.Where("office = ? AND id = ?", office, id) })
	switch {
	case err != nil:
		return watch.Alert{}, err
	case len(list) == 0:
		return watch.Alert{}, fault.New(fault.NotFound, "alert", "")
	}
	return list[0], nil
}

func (s *Store) alerts(ctx context.Context, office string, which func(*gorm.DB) *gorm.DB) ([]watch.Alert, error) {
	var rows []alertRow
	if err := s.look(ctx, office, func(db *gorm.DB) error { return which(db).Find(&rows).Error }); err != nil {
		return nil, err
	}
	list := make([]watch.Alert, len(rows))
	for i, r := range rows {
		var err error
		if list[i], err = r.alert(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// Acknowledge implements watch.ListStore.
func (s *Store) Acknowledge(ctx context.Context, office, of, id string, seen watch.Alert) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	if of != office && of != installation {
		return ErrOtherOffice
	}
	theirs, err := s.within(db, of)
	if err != nil {
		return err
	}
	var row alertRow
	open := theirs.Where("office = ? AND id = ? AND acknowledged_at = 0", of, id)
	if err := open.Session(&gorm.Session{}).Take(&row).Error; err != nil {
		return missing(err, "alert")
	}
	if row.Subject == seen.SeenBy {
		return fault.New(fault.Forbidden, "own_case", "")
	}
	done := open.Session(&gorm.Session{}).Model(&alertRow{}).Updates(map[string]any{"acknowledged_by": seen.SeenBy, "acknowledged_at": milli(seen.SeenAt), "note": seen.Note})
	if done.Error == nil && done.RowsAffected == 0 {
		return fault.New(fault.NotFound, "alert", "")
	}
	_, err = s.within(db, office)
	return errors.Join(done.Error, err)
}

// KeepDelivered implements watch.Store.
func (s *Store) KeepDelivered(ctx context.Context, office, id string, at time.Time) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return db.Model(&alertRow{}).Where("office = ? AND id = ?", office, id).Update("delivered_at", milli(at)).Error
}

// AlertCounts returns how many alerts of each kind there were in all offices, and
// how many nobody has taken.
func (s *Store) AlertCounts(ctx context.Context) (raised map[string]int, undelivered int, err error) {
	var rows []struct {
		Kind        string
		Raised, Due int
	}
	err = s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Table("alerts").Select("kind, COUNT(*) AS raised, SUM(CASE WHEN delivered_at = 0 THEN 1 ELSE 0 END) AS due").Group("kind").Scan(&rows).Error
	})
	raised = map[string]int{}
	for _, r := range rows {
		raised[r.Kind] = r.Raised
		undelivered += r.Due
	}
	return raised, undelivered, err
}

// Issued implements watch.Store.
func (s *Store) Issued(ctx context.Context, office string, from, until time.Time) (certificates, hours int, err error) {
	var row struct{ Certificates, Hours int }
	err = s.look(ctx, office, func(db *gorm.DB) error {
		return db.Raw(`SELECT COUNT(*) AS certificates, COUNT(DISTINCT substr(at, 1, 13)) AS hours FROM log
			WHERE office = ? AND action = 'certificate.issue' AND result = 'ok' AND at >= ? AND at < ? AND id >= ?`,
			office, logTime(from), logTime(until), idAt(from.Add(-time.Hour))).Scan(&row).Error
	})
	return row.Certificates, row.Hours, err
}

var _ watch.Store = (*Store)(nil)
