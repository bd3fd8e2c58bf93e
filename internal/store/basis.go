package store

import (
	"bytes"
	"context"
	"errors"

	"akashi/internal/application"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// Basis implements issuance.Store: one message to PostgreSQL.
func (s *Store) Basis(ctx context.Context, code, applicationID string) (a application.Application, o office.Office, reg vaccination.Register, err error) {
	db, err := seeing(ctx, code)
	if err != nil {
		return a, o, nil, err
	}
	var sealed sealedApplication
	var settings officeRow
	home := household{register: register{s, code}}
	b := batch{sealed.read(code, applicationID), settings.read(code), home.read(applicationID)}
	if err = b.run(db); errors.Is(err, errNoHousehold) {
		home.rows = nil // the register says itself that it cannot be asked
		err = b[:2].run(db)
	}
	if err != nil {
		return a, o, nil, err
	}
	if a, err = s.openApplication(db, sealed); err != nil {
		return a, o, nil, err
	}
	o, err = settings.office()
	return a, o, home, err
}

var errNoHousehold = errors.New("store: no household")

// household is the register with the household of one person read before anybody
// asks for it. What it does not know it asks for.
type household struct {
	register
	rows []foundRow
}

// read reads the people who have the address number of whom an application was
// decided for.
func (r *household) read(applicationID string) step {
	s := every(scanFound(&r.rows), findPeople+`address_ix IN ((SELECT q.address_ix FROM applications a
		JOIN persons q ON q.office = a.office AND q.id = a.person_id AND q.is_current WHERE a.office = $1 AND a.id = $2)`+theirDoses, r.office, applicationID)
	s.fails = func(error) error { return errNoHousehold }
	return s
}

// FindByTicket knows who has a ticket: nobody else has the same.
func (r household) FindByTicket(ctx context.Context, ticket string) ([]vaccination.Person, error) {
	if rows := r.having(func(f foundRow) []byte { return f.ticket }, ixTicket, ticket); len(rows) > 0 {
		return r.open(ctx, rows)
	}
	return r.register.FindByTicket(ctx, ticket)
}

// FindByAddress knows all of the household.
func (r household) FindByAddress(ctx context.Context, address string) ([]vaccination.Person, error) {
	if rows := r.having(func(f foundRow) []byte { return f.address }, ixAddress, address); len(rows) > 0 {
		return r.open(ctx, rows)
	}
	return r.register.FindByAddress(ctx, address)
}

// having are the rows with a search key, or none while search keys are changed: the
// same value may then have two.
func (r household) having(column func(foundRow) []byte, kind, value string) (rows []foundRow) {
	indexes := r.s.ring.Indexes(r.office, seal.Index, kind, value)
	for _, f := range r.rows {
		if len(indexes) == 1 && bytes.Equal(column(f), indexes[0]) {
			rows = append(rows, f)
		}
	}
	return rows
}

func (r household) open(ctx context.Context, rows []foundRow) ([]vaccination.Person, error) {
	db, err := seeing(ctx, r.office)
	if err != nil {
		return nil, err
	}
	return r.people(db, rows)
}
