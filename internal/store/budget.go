package store

import "context"

// CountLookups implements office.LookupStore: one statement, so that several
// nodes agree. A row counts the hour of the number slot and the one before; a node whose clock
// is behind counts into the newest hour.
func (s *Store) CountLookups(ctx context.Context, code, person string, slot int64, n, most int) (this, before int, err error) {
	err = s.transact(ctx, code, func(ctx context.Context) error {
		db, err := act(ctx, code)
		if err != nil {
			return err
		}
		return batch{every(func(scan scan) error { return scan(&this, &before) },
			`INSERT INTO lookups AS l (office, person, slot, counted, previous) VALUES ($1, $2, $3, $4, 0)
			ON CONFLICT (office, person) DO UPDATE SET
				previous = CASE WHEN excluded.slot <= l.slot THEN l.previous WHEN excluded.slot = l.slot + 1 THEN l.counted ELSE 0 END,
				counted = CASE WHEN excluded.slot > l.slot THEN excluded.counted WHEN l.counted >= $5 THEN l.counted ELSE l.counted + excluded.counted END,
				slot = CASE WHEN excluded.slot > l.slot THEN excluded.slot ELSE l.slot END
			RETURNING counted, previous`, code, person, slot, n, most)}.runLater(db)
	})
	return this, before, err
}
