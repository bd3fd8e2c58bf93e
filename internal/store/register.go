package store

import (
	"context"
	"errors"
	"fmt"
	"strconv"

	"gorm.io/gorm"

	"akashi/internal/clock"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// Source is what the own register calls itself in answers.
const Source = "office_register"

// maxFound bounds how many people one look-up returns (S-031). It is part of the
// text: SQLite prepares a statement anew each time when its limit is a parameter.
const maxFound = "10"

// Register returns the register of one office. Its look-ups run inside an act or a look.
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
	db, err := seeing(ctx, r.office)
	if err != nil {
		return nil, err
	}
	indexes := r.s.ring.Indexes(r.office, seal.Index, kind, value)
	args, places := []any{r.office}, ""
	for n, index := range indexes { // more than one while search keys are rotated
		if n > 0 {
			places += ", "
		}
		args = append(args, index)
		places += "$" + strconv.Itoa(len(args))
	}
	var found []foundRow
	b := batch{every(scanFound(&found), findPeople+column+" IN ("+places+theirDoses, args...)}
	_, acting := ctx.Value(txKey{}).(tx)
	if acting = acting && r.s.postgres; acting {
		// A failed statement ends a transaction of PostgreSQL; the act has to live on
		// to store that the register could not be asked.
		b = append(batch{{text: "SAVEPOINT look"}}, b...)
	}
	if err := b.run(db); err != nil {
		err = fmt.Errorf("%w: %w", vaccination.ErrUnavailable, err)
		if acting {
			err = errors.Join(err, db.RollbackTo("look").Error)
		}
		return nil, err
	}
	return r.people(db, found)
}

// findPeople, with a column of persons and theirDoses, has a row for each dose of
// each person found, or one without dose.
const findPeople = `SELECT p.id, p.version, p.person_key, p.ticket_ix, p.address_ix, p.data, p.created_at, p.wrapped, d.id, d.version, d.data, d.created_at FROM (
	SELECT t.id, t.version, t.person_key, t.ticket_ix, t.address_ix, t.data, t.created_at, k.wrapped FROM persons t
	JOIN person_keys k ON k.office = t.office AND k.id = t.person_key WHERE t.office = $1 AND t.is_current AND t.`

const theirDoses = `) ORDER BY t.id LIMIT ` + maxFound + `) p
	LEFT JOIN doses d ON d.office = $1 AND d.ticket_ix = p.ticket_ix AND d.is_current
	ORDER BY p.id, d.programme, d.dose_number`

type foundRow struct {
	id          string
	version     int
	personKey   string
	ticket      []byte // search keys
	address     []byte
	data        []byte
	created     int64
	wrapped     []byte
	dose        *string
	doseVersion *int
	doseData    []byte
	doseCreated *int64
}

func scanFound(found *[]foundRow) func(scan) error {
	return func(scan scan) error {
		var f foundRow
		err := scan(&f.id, &f.version, &f.personKey, &f.ticket, &f.address, &f.data, &f.created, &f.wrapped, &f.dose, &f.doseVersion, &f.doseData, &f.doseCreated)
		*found = append(*found, f)
		return err
	}
}

// people reads the persons of rows that stand together.
func (r register) people(db *gorm.DB, rows []foundRow) (people []vaccination.Person, err error) {
	var key seal.Key
	for _, row := range rows {
		if len(row.wrapped) == 0 { // erased, in data that were restored from before
			continue
		}
		if len(people) == 0 || people[len(people)-1].ID != row.id {
			p := vaccination.Person{ID: row.id, Source: Source, AsOf: fromMilli(row.created)}
			if key, err = r.s.openKey(db, r.office, row.personKey, row.wrapped); err != nil {
				return nil, err
			}
			if p.Subject, err = unsealed[vaccination.Subject](key, versionPlace(r.office, "persons", row.id, row.version), row.data); err != nil {
				return nil, err
			}
			p.Subject.Ref = vaccination.Ref{ID: row.id, Version: row.version}
			people = append(people, p)
		}
		if row.dose == nil {
			continue
		}
		p := &people[len(people)-1]
		record, err := unsealed[vaccination.Record](key, versionPlace(r.office, "doses", *row.dose, *row.doseVersion), row.doseData)
		if err != nil {
			return nil, err
		}
		record.Ref = vaccination.Ref{ID: *row.dose, Version: *row.doseVersion}
		p.Doses = append(p.Doses, record)
		if at := fromMilli(*row.doseCreated); at.After(p.AsOf) {
			p.AsOf = at
		}
	}
	return people, nil
}
