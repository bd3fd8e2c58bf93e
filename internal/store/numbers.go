package store

import (
	"context"
)

type counterRow struct {
	Office, Name string
	Value        int
}

func (counterRow) TableName() string { return "counters" }

// TakeNumbers implements issuance.Store: numbers first to first+n-1 are the caller's.
func (s *Store) TakeNumbers(ctx context.Context, office, counter string, n int) (first int, err error) {
	var row counterRow
	err = s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		return db.Raw(`INSERT INTO counters (office, name, value) VALUES (?, ?, ?)
			ON CONFLICT (office, name) DO UPDATE SET value = counters.value + excluded.value RETURNING office, name, value`,
			office, counter, n).Scan(&row).Error
	})
	return row.Value - n + 1, err
}
