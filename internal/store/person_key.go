package store

import (
	"context"

	"gorm.io/gorm"

	"akashi/internal/seal"
)

type personKeyRow struct {
	Office, ID string
	TicketIx   []byte
	Wrapped    []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
}

func (personKeyRow) TableName() string { return "person_keys" }

// newPersonKey makes a key and its row; ticket is nil for a key that belongs to
// an application alone.
func (s *Store) newPersonKey(db *gorm.DB, office string, ticket []byte) (seal.Key, error) {
	id := s.ids.Row()
	key, wrapped, err := s.ring.NewPerson(office, id)
	if err != nil {
		return key, err
	}
	return key, db.Create(&personKeyRow{office, id, ticket, wrapped, s.clock.Now().UnixMilli()}).Error
}

func (s *Store) personKey(db *gorm.DB, office, id string) (seal.Key, error) {
	var row personKeyRow
	if err := db.Where("office = ? AND id = ?", office, id).Take(&row).Error; err != nil {
		return seal.Key{}, missing(err, "person_key")
	}
	return s.ring.Person(office, id, row.Wrapped)
}

// NewPersonKey makes a key for the personal parts of one application. It runs inside an act.
func (s *Store) NewPersonKey(ctx context.Context, office string) (string, error) {
	db, err := act(ctx, office)
	if err != nil {
		return "", err
	}
	key, err := s.newPersonKey(db, office, nil)
	return key.ID, err
}
