package store

import (
	"context"
	"errors"
	"time"

	"gorm.io/gorm"

	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/seal"
)

type sessionRow struct {
	Office, ID, StaffID string // the id is the hash of the token
	Epoch               int
	SeenAt, EndsAt      int64
	Data                []byte
}

func (sessionRow) TableName() string { return "sessions" }

func sessionPlace(code, id string) seal.Place {
	return seal.Place{Office: code, Table: "sessions", Column: "data", Row: id}
}

// Session implements office.SessionStore: one read by two primary keys.
func (s *Store) Session(ctx context.Context, code, hash string) (kept office.StoredSession, p office.Staff, err error) {
	var r staffRow
	var seen, ends int64
	var box []byte
	kept = office.StoredSession{Hash: hash}
	// The keys come after the row: who has no session makes nobody look for those of
	// an office, and learns from no clock whether there is one (L-13).
	if err := s.lookupUnready(ctx, code, batch{one("session", []any{
		&r.ID, &r.UserID, &r.Name, &r.Unit, &r.Role, &r.State, &r.EndsAt, &r.UsedAt, &r.Epoch, &r.Kin, &kept.Epoch, &seen, &ends, &box,
	}, `SELECT s.id, s.user_id, s.name, s.unit, s.role, s.state, s.ends_at, s.used_at, s.epoch, s.kin, n.epoch, n.seen_at, n.ends_at, n.data
		FROM sessions n JOIN staff s ON s.office = n.office AND s.id = n.staff_id WHERE n.office = $1 AND n.id = $2`, code, hash)}); err != nil {
		return kept, p, err
	}
	if err := s.ready(ctx, code); err != nil {
		return kept, p, err
	}
	r.Office = code
	kept.Staff, kept.Seen, kept.Ends = r.ID, fromMilli(seen), fromMilli(ends)
	kept.Data, err = s.ring.Office(code).Open(sessionPlace(code, hash), box)
	if errors.Is(err, seal.ErrUnknownKey) { // another process has changed the key; this one will know it soon
		return kept, p, fault.New(fault.Unavailable, "store", "").Because(err)
	}
	return kept, r.staff(), err
}

// SeeSession implements office.SessionStore. It is no act: nothing is done and nobody looked at.
func (s *Store) SeeSession(ctx context.Context, code, hash string, at time.Time) error {
	return s.transact(ctx, code, func(ctx context.Context) error {
		db, err := act(ctx, code)
		if err != nil {
			return err
		}
		return db.Model(&sessionRow{}).Where("office = ? AND id = ? AND seen_at < ?", code, hash, milli(at)).Update("seen_at", milli(at)).Error
	})
}

// KeepSession implements office.SessionStore; what has ended goes with it.
func (s *Store) KeepSession(ctx context.Context, code string, n office.StoredSession) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	err = db.Where("office = ? AND staff_id = ? AND ends_at <= ?", code, n.Staff, milli(n.Seen)).Delete(&sessionRow{}).Error
	if err != nil {
		return err
	}
	box := s.ring.Office(code).Seal(sessionPlace(code, n.Hash), n.Data)
	return db.Create(&sessionRow{code, n.Hash, n.Staff, n.Epoch, milli(n.Seen), milli(n.Ends), box}).Error
}

// DropSession implements office.SessionStore.
func (s *Store) DropSession(ctx context.Context, code, hash string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Where("office = ? AND id = ?", code, hash).Delete(&sessionRow{}).Error
}

// DropSessions implements office.SessionStore.
func (s *Store) DropSessions(ctx context.Context, code, staff string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Where("office = ? AND staff_id = ?", code, staff).Delete(&sessionRow{}).Error
}

type linkRow struct {
	Office    string
	Hash      []byte
	StaffID   string
	ExpiresAt int64
}

func (linkRow) TableName() string { return "setup_links" }

// AddLink implements office.LinkStore.
func (s *Store) AddLink(ctx context.Context, code string, hash []byte, staff string, expires time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	if err := db.Where("office = ? AND staff_id = ?", code, staff).Delete(&linkRow{}).Error; err != nil {
		return err
	}
	return db.Create(&linkRow{code, hash, staff, milli(expires)}).Error
}

// Link implements office.LinkStore.
func (s *Store) Link(ctx context.Context, code string, hash []byte, now time.Time) (string, error) {
	var row linkRow
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND hash = ? AND expires_at > ?", code, hash, milli(now)).Take(&row).Error
	})
	return row.StaffID, missing(err, "setup_link")
}

// UseLink implements office.LinkStore.
func (s *Store) UseLink(ctx context.Context, code string, hash []byte) error {
	return used(ctx, code, hash, &linkRow{}, "setup_link")
}

// used deletes what can be used once; fault NotFound if somebody was faster.
func used(ctx context.Context, code string, hash []byte, row any, key string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	done := db.Where("office = ? AND hash = ?", code, hash).Delete(row)
	if done.Error == nil && done.RowsAffected != 1 {
		return fault.New(fault.NotFound, key, "")
	}
	return done.Error
}

type challengeRow struct {
	Office           string
	Hash             []byte
	StaffID, Purpose string
	Data             []byte
	ExpiresAt        int64
}

func (challengeRow) TableName() string { return "challenges" }

// AddChallenge implements office.LinkStore. Asking is no act; the answer is one.
func (s *Store) AddChallenge(ctx context.Context, code string, c office.Challenge) error {
	return s.transact(ctx, code, func(ctx context.Context) error {
		db, err := act(ctx, code)
		if err != nil {
			return err
		}
		// One person has one open question of a kind.
		err = db.Where("office = ? AND staff_id = ? AND purpose = ?", code, c.Staff, c.Purpose).Delete(&challengeRow{}).Error
		if err != nil {
			return err
		}
		return db.Create(&challengeRow{code, c.Hash, c.Staff, c.Purpose, c.Data, milli(c.Expires)}).Error
	})
}

// Challenge implements office.LinkStore.
func (s *Store) Challenge(ctx context.Context, code string, hash []byte, now time.Time) (office.Challenge, error) {
	var row challengeRow
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND hash = ? AND expires_at > ?", code, hash, milli(now)).Take(&row).Error
	})
	return office.Challenge{Hash: row.Hash, Staff: row.StaffID, Purpose: row.Purpose, Data: row.Data, Expires: fromMilli(row.ExpiresAt)}, missing(err, "passkey")
}

// UseChallenge implements office.LinkStore.
func (s *Store) UseChallenge(ctx context.Context, code string, hash []byte) error {
	return used(ctx, code, hash, &challengeRow{}, "passkey")
}
