package store

import (
	"gorm.io/gorm"

	"akashi/internal/fault"
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

// personKey reads a key, once in an act.
func (s *Store) personKey(db *gorm.DB, office, id string) (seal.Key, error) {
	if key, ok := opened(db)[id]; ok {
		return key, nil
	}
	var wrapped []byte
	read := one("person_key", []any{&wrapped}, "SELECT wrapped FROM person_keys WHERE office = $1 AND id = $2", office, id)
	if err := (batch{read}).run(db); err != nil {
		return seal.Key{}, err
	}
	return s.openKey(db, office, id, wrapped)
}

// openKey unwraps a key that was read together with what it seals.
func (s *Store) openKey(db *gorm.DB, office, id string, wrapped []byte) (seal.Key, error) {
	if key, ok := opened(db)[id]; ok {
		return key, nil
	}
	if len(wrapped) == 0 {
		return seal.Key{}, fault.New(fault.NotFound, "erased", "")
	}
	var key seal.Key
	err := s.opening(db, office, func() (err error) {
		key, err = s.ring.Person(office, id, wrapped)
		return err
	})
	if keys := opened(db); err == nil && keys != nil {
		keys[id] = key
	}
	return key, err
}

// opened is the keys of the running act or look; nil outside one.
func opened(db *gorm.DB) map[string]seal.Key {
	if t, acting := db.Statement.Context.Value(txKey{}).(tx); acting {
		return t.opened
	}
	l, _ := db.Statement.Context.Value(lookKey{}).(looking)
	return l.opened
}

// keyOf joins the keys of the persons of a table t, k.wrapped.
const keyOf = " JOIN person_keys k ON k.office = t.office AND k.id = t.person_key "
