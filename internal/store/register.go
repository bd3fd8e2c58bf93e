package store

import (
	"context"
	"errors"
	"fmt"

	"gorm.io/gorm"

	"akashi/internal/clock"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// Source is what the own register calls itself in answers.
const Source = "office_register"

// maxFound bounds how many people one look-up returns (S-031).
const maxFound = 20

// Register returns the register of one office. Its look-ups run inside an act.
func (s *Store) Register(office string) vaccination.Register { return register{s, office} }

type register struct {
	s      *Store
	office string
}

func (r register) FindByTicket(ctx context.Context, ticket string) ([]vaccination.Person, error) {
	return r.find(ctx, "ticket_ix", ixTicket, ticket)
}

func (r register) FindByAddress(ctx context.Context, address string) ([]vaccination.Person, error) {
	return r.find(ctx, "address_ix", ixAddress, address)
}

func (r register) FindByName(ctx context.Context, key vaccination.SearchKey, birth clock.Date) ([]vaccination.Person, error) {
	column := map[vaccination.KeyKind]string{
		vaccination.ExactName: "exact_ix", vaccination.LooseName: "loose_ix", vaccination.LooseKana: "kana_ix",
	}[key.Kind]
	if column == "" {
		return nil, fmt.Errorf("store: unknown search key")
	}
	return r.find(ctx, column, nameKind(key), nameValue(key, birth))
}

func nameKind(key vaccination.SearchKey) string { return "name " + string(key.Kind) }

func nameValue(key vaccination.SearchKey, birth clock.Date) string {
	return key.Key + "|" + string(birth)
}

// find answers from the versions that count now; a failing database is
// Unavailable, never "nobody".
func (r register) find(ctx context.Context, column, kind, value string) ([]vaccination.Person, error) {
	db, err := act(ctx, r.office)
	if err != nil {
		return nil, err
	}
	indexes := r.s.ring.Indexes(r.office, seal.Index, kind, value)
	if !r.s.postgres {
		return r.findIn(db, column, indexes)
	}
	// A failed statement ends a transaction of PostgreSQL; the act has to live on
	// to store that the register could not be asked.
	if err := db.SavePoint("look").Error; err != nil {
		return nil, err
	}
	people, err := r.findIn(db, column, indexes)
	if err != nil {
		err = errors.Join(err, db.RollbackTo("look").Error)
	}
	return people, err
}

func (r register) findIn(db *gorm.DB, column string, indexes [][]byte) (people []vaccination.Person, err error) {
	var rows []personWithKey
	if err := withKey(db, "persons").Where("t.office = ? AND t."+column+" IN ? AND t.is_current", r.office, indexes).
		Order("t.id").Limit(maxFound).Find(&rows).Error; err != nil {
		return nil, fmt.Errorf("%w: %w", vaccination.ErrUnavailable, err)
	}
	people = make([]vaccination.Person, 0, len(rows))
	for _, row := range rows {
		if len(row.Wrapped) == 0 { // erased, in data that were restored from before
			continue
		}
		p, err := r.person(db, row)
		if err != nil {
			return nil, err
		}
		people = append(people, p)
	}
	return people, nil
}

type personWithKey struct {
	Row     personRow `gorm:"embedded"`
	Wrapped []byte
}

func (r register) person(db *gorm.DB, found personWithKey) (vaccination.Person, error) {
	row := found.Row
	p := vaccination.Person{ID: row.ID, Source: Source, AsOf: fromMilli(row.CreatedAt)}
	key, err := r.s.openKey(db, r.office, row.PersonKey, found.Wrapped)
	if err != nil {
		return p, err
	}
	if p.Subject, err = unsealed[vaccination.Subject](key, versionPlace(r.office, "persons", row.ID, row.Version), row.Data); err != nil {
		return p, err
	}
	p.Subject.Ref = vaccination.Ref{ID: row.ID, Version: row.Version}
	var doses []doseRow
	if err := db.Where("office = ? AND ticket_ix = ? AND is_current", r.office, row.TicketIx).Order("programme, dose_number").Find(&doses).Error; err != nil {
		return p, fmt.Errorf("%w: %w", vaccination.ErrUnavailable, err)
	}
	for _, d := range doses {
		record, err := unsealed[vaccination.Record](key, versionPlace(r.office, "doses", d.ID, d.Version), d.Data)
		if err != nil {
			return p, err
		}
		record.Ref = vaccination.Ref{ID: d.ID, Version: d.Version}
		p.Doses = append(p.Doses, record)
		if at := fromMilli(d.CreatedAt); at.After(p.AsOf) {
			p.AsOf = at
		}
	}
	return p, nil
}
