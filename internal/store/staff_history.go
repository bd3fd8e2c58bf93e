package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"akashi/internal/office"
)

// staffHistoryRow is what an account could do from a time on.
type staffHistoryRow struct {
	Office, StaffID string
	Epoch           int
	At              int64
	Unit, Role      string
	State           string
	EndsAt          int64
}

func (staffHistoryRow) TableName() string { return "staff_history" }

func (s *Store) keepHistory(db *gorm.DB, p office.Staff) error {
	return db.Create(&staffHistoryRow{p.Office, p.ID, p.Epoch, s.clock.Now().UnixMilli(), p.Unit, string(p.Role), string(p.State), milli(p.Ends)}).Error
}

// StaffHistory implements office.StaffStore.
func (s *Store) StaffHistory(ctx context.Context, code, id string) (list []office.Held, err error) {
	var rows []staffHistoryRow
	err = s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND staff_id = ?", code, id).Order("epoch DESC").Find(&rows).Error
	})
	for _, r := range rows {
		list = append(list, office.Held{At: fromMilli(r.At), Unit: r.Unit, Role: office.Role(r.Role), State: office.AccountState(r.State), Ends: fromMilli(r.EndsAt)})
	}
	return list, err
}

// StaffAt implements office.StaffStore: everybody who had an account at a time,
// with what it could do then.
func (s *Store) StaffAt(ctx context.Context, code string, at time.Time) ([]office.Staff, error) {
	people, err := s.ListStaff(ctx, code)
	if err != nil {
		return nil, err
	}
	var rows []staffHistoryRow
	err = s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND at <= ?", code, milli(at)).Order("epoch").Find(&rows).Error
	})
	then := map[string]staffHistoryRow{}
	for _, r := range rows {
		then[r.StaffID] = r
	}
	var list []office.Staff
	for _, p := range people {
		if r, ok := then[p.ID]; ok {
			p.Unit, p.Role, p.State, p.Ends, p.Epoch = r.Unit, office.Role(r.Role), office.AccountState(r.State), fromMilli(r.EndsAt), r.Epoch
			list = append(list, p)
		}
	}
	return list, err
}
