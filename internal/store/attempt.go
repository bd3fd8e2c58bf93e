package store

import (
	"context"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"
)

type attemptRow struct {
	Office         string `gorm:"primaryKey"`
	Subject        []byte `gorm:"primaryKey"`
	Failures       int
	LastAt, WaitTo int64
}

func (attemptRow) TableName() string { return "attempts" }

// attemptsKept is how long failures are remembered when nothing follows.
const attemptsKept = 60 * 24 * time.Hour

// Attempt implements office.AttemptStore. It is no act: it has to stay when the
// act that it belongs to is refused.
func (s *Store) Attempt(ctx context.Context, code string, now time.Time, wait func(int) time.Duration, subjects [][]byte) (failures int, left time.Duration, err error) {
	err = s.transact(ctx, code, func(ctx context.Context) error {
		failures, left = 0, 0
		db, err := act(ctx, code)
		if err != nil {
			return err
		}
		if err := db.Where("office = ? AND last_at < ?", code, milli(now.Add(-attemptsKept))).Delete(&attemptRow{}).Error; err != nil {
			return err
		}
		rows := make([]attemptRow, len(subjects))
		for i, subject := range subjects {
			if rows[i], err = s.attempts(db, code, subject); err != nil {
				return err
			}
			left = max(left, fromMilli(rows[i].WaitTo).Sub(now))
		}
		if left > 0 {
			return nil
		}
		for i := range rows {
			r := &rows[i]
			r.Failures, r.LastAt = r.Failures+1, milli(now)
			r.WaitTo = milli(now.Add(wait(r.Failures)))
			if err := db.Clauses(clause.OnConflict{UpdateAll: true}).Create(r).Error; err != nil {
				return err
			}
		}
		failures = rows[0].Failures
		return nil
	})
	return failures, left, err
}

// attempts reads a count and holds it until the transaction ends: on PostgreSQL
// the row is made first, so that there is one to lock.
func (s *Store) attempts(db *gorm.DB, code string, subject []byte) (attemptRow, error) {
	row := attemptRow{Office: code, Subject: subject}
	if s.postgres {
		if err := db.Clauses(clause.OnConflict{DoNothing: true}).Create(&row).Error; err != nil {
			return row, err
		}
		db = db.Clauses(clause.Locking{Strength: clause.LockingStrengthUpdate})
	}
	var found []attemptRow
	err := db.Where("office = ? AND subject = ?", code, subject).Limit(1).Find(&found).Error
	if err == nil && len(found) == 1 {
		row = found[0]
	}
	return row, err
}

// ForgetAttempts implements office.AttemptStore.
func (s *Store) ForgetAttempts(ctx context.Context, code string, subjects [][]byte) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Where("office = ? AND subject IN ?", code, subjects).Delete(&attemptRow{}).Error
}

type knownTerminalRow struct {
	Office  string `gorm:"primaryKey"`
	Hash    []byte `gorm:"primaryKey"`
	StaffID string `gorm:"primaryKey"`
	UsedAt  int64
}

func (knownTerminalRow) TableName() string { return "known_terminals" }

// KnownTerminal implements office.AttemptStore.
func (s *Store) KnownTerminal(ctx context.Context, code string, hash []byte, staff string, since time.Time) (bool, error) {
	var n int64
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Model(&knownTerminalRow{}).Where("office = ? AND hash = ? AND staff_id = ? AND used_at >= ?", code, hash, staff, milli(since)).Count(&n).Error
	})
	return n == 1, err
}

// KnowTerminal implements office.AttemptStore.
func (s *Store) KnowTerminal(ctx context.Context, code string, hash []byte, staff string, at time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&knownTerminalRow{code, hash, staff, milli(at)}).Error
}
