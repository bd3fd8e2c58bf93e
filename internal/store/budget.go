package store

import "context"

// lookupRow counts the look-ups of one account: in the hour of the number slot,
// and in the one before.
type lookupRow struct {
	Office, Person    string
	Slot              int64
	Counted, Previous int
}

func (lookupRow) TableName() string { return "lookups" }

// CountLookups implements office.LookupStore: one statement, so that several
// nodes agree. A node whose clock is behind counts into the newest hour.
func (s *Store) CountLookups(ctx context.Context, code, person string, slot int64, n, most int) (this, before int, err error) {
	var row lookupRow
	err = s.transact(ctx, code, func(ctx context.Context) error {
		db, err := act(ctx, code)
		if err != nil {
			return err
		}
		return db.Raw(`INSERT INTO lookups AS l (office, person, slot, counted, previous) VALUES (?, ?, ?, ?, 0)
			ON CONFLICT (office, person) DO UPDATE SET
				previous = CASE WHEN excluded.slot <= l.slot THEN l.previous WHEN excluded.slot = l.slot + 1 THEN l.counted ELSE 0 END,
				counted = CASE WHEN excluded.slot > l.slot THEN excluded.counted WHEN l.counted >= ? THEN l.counted ELSE l.counted + excluded.counted END,
				slot = CASE WHEN excluded.slot > l.slot THEN excluded.slot ELSE l.slot END
			RETURNING counted, previous`, code, person, slot, n, most).Scan(&row).Error
	})
	return row.Counted, row.Previous, err
}
