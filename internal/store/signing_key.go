package store

import (
	"context"
	"errors"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"akashi/internal/fault"
	"akashi/signing"
)

type signingKeyRow struct {
	ID, Purpose, Issuer, Algorithm string
	PublicKey, Certificate         []byte
	State                          string
	NotBefore, NotAfter            int64
	UsageFrom, UsageTo             int64
	Test                           bool
	Handle                         string
	CreatedAt                      int64 `gorm:"autoCreateTime:false"`
}

func (signingKeyRow) TableName() string { return "signing_keys" }

func (r signingKeyRow) key() signing.Key {
	return signing.Key{
		ID: r.ID, Purpose: signing.Purpose(r.Purpose), Issuer: r.Issuer, Algorithm: r.Algorithm,
		Public: r.PublicKey, Certificate: r.Certificate, State: signing.State(r.State),
		NotBefore: fromMilli(r.NotBefore), NotAfter: fromMilli(r.NotAfter),
		UsageFrom: fromMilli(r.UsageFrom), UsageTo: fromMilli(r.UsageTo), Test: r.Test, Handle: r.Handle,
	}
}

// RegisterKeys adds keys that the database does not know yet. It runs inside an act.
func (s *Store) RegisterKeys(ctx context.Context, office string, keys []signing.Key) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	rows := make([]signingKeyRow, len(keys))
	for i, k := range keys {
		rows[i] = signingKeyRow{
			ID: k.ID, Purpose: string(k.Purpose), Issuer: k.Issuer, Algorithm: k.Algorithm, PublicKey: k.Public,
			Certificate: k.Certificate, State: string(k.State), NotBefore: milli(k.NotBefore), NotAfter: milli(k.NotAfter),
			UsageFrom: milli(k.UsageFrom), UsageTo: milli(k.UsageTo), Test: k.Test, Handle: k.Handle, CreatedAt: s.clock.Now().UnixMilli(),
		}
	}
	return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

// SigningKeys returns all keys, oldest first. Keys belong to the installation.
func (s *Store) SigningKeys(ctx context.Context) ([]signing.Key, error) {
	var rows []signingKeyRow
	if err := s.read.WithContext(ctx).Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, err
	}
	keys := make([]signing.Key, len(rows))
	for i, r := range rows {
		keys[i] = r.key()
	}
	return keys, nil
}

// SigningKey returns one key; fault NotFound if there is none.
func (s *Store) SigningKey(ctx context.Context, id string) (signing.Key, error) {
	var row signingKeyRow
	err := s.read.WithContext(ctx).Where("id = ?", id).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) {
		return signing.Key{}, fault.New(fault.NotFound, "signing_key", "")
	}
	return row.key(), err
}

// MoveKey changes the state of a key from the state it was read in.
func (s *Store) MoveKey(ctx context.Context, office string, k signing.Key, to signing.State) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&signingKeyRow{}).Where("id = ? AND state = ?", k.ID, string(k.State)).Update("state", string(to)), "key_state")
}
