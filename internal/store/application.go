package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/seal"
)

type applicationRow struct {
	Office, ID           string
	Version              int
	State, Kind          string
	Programme, Channel   string
	PersonKey, PersonID  string
	Reasons              string
	Data                 []byte
	CreatedAt, UpdatedAt int64 `gorm:"autoCreateTime:false;autoUpdateTime:false"`
}

func (applicationRow) TableName() string { return "applications" }

func applicationPlace(a application.Application) seal.Place {
	return seal.Place{Office: a.Office, Table: "applications", Column: "data", Row: a.ID, Version: a.Version}
}

func applicationToRow(a application.Application, key seal.Key) (applicationRow, error) {
	data, err := a.Encode()
	if err != nil {
		return applicationRow{}, err
	}
	reasons, err := json.Marshal(a.Reasons)
	return applicationRow{
		Office: a.Office, ID: a.ID, Version: a.Version, State: string(a.State), Kind: string(a.Form.Kind),
		Programme: a.Form.Programme, Channel: string(a.Form.Channel), PersonKey: a.PersonKey, PersonID: a.Record.PersonID,
		Reasons: string(reasons), Data: key.Seal(applicationPlace(a), data),
		CreatedAt: milli(a.CreatedAt), UpdatedAt: milli(a.UpdatedAt),
	}, err
}

// CreateApplication implements application.Store.
func (s *Store) CreateApplication(ctx context.Context, a *application.Application) error {
	db, err := act(ctx, a.Office)
	if err != nil {
		return err
	}
	key, err := s.newPersonKey(db, a.Office, nil)
	if err != nil {
		return err
	}
	a.PersonKey, a.Version = key.ID, 1
	row, err := applicationToRow(*a, key)
	if err != nil {
		return err
	}
	return db.Create(&row).Error
}

// SaveApplication implements application.Store. One that was erased has no data and
// gets none.
func (s *Store) SaveApplication(ctx context.Context, a *application.Application) error {
	db, err := act(ctx, a.Office)
	if err != nil {
		return err
	}
	key, err := s.personKey(db, a.Office, a.PersonKey)
	if err != nil {
		return err
	}
	before := a.Version
	a.Version++
	row, err := applicationToRow(*a, key)
	if err != nil {
		return err
	}
	return batch{change("version", `UPDATE applications SET version = $3, state = $4, kind = $5, programme = $6, channel = $7,
		person_key = $8, person_id = $9, reasons = $10, data = $11, updated_at = $12
		WHERE office = $1 AND id = $2 AND version = $13 AND length(data) > 0`,
		row.Office, row.ID, row.Version, row.State, row.Kind, row.Programme, row.Channel,
		row.PersonKey, row.PersonID, row.Reasons, row.Data, row.UpdatedAt, before)}.runLater(db)
}

// Application implements application.Store.
func (s *Store) Application(ctx context.Context, office, id string) (application.Application, error) {
	db, err := seeing(ctx, office)
	if err != nil {
		return application.Application{}, err
	}
	var sealed sealedApplication
	if err := (batch{sealed.read(office, id)}).run(db); err != nil {
		return application.Application{}, err
	}
	return s.openApplication(db, sealed)
}

// sealedApplication is an application as its row has it, with the key that opens it.
type sealedApplication struct {
	applicationRow
	wrapped []byte
}

func (a *sealedApplication) read(office, id string) step {
	return one("application", []any{
		&a.Office, &a.ID, &a.Version, &a.State, &a.Kind, &a.Programme, &a.Channel,
		&a.PersonKey, &a.PersonID, &a.Reasons, &a.Data, &a.CreatedAt, &a.UpdatedAt, &a.wrapped,
	}, `SELECT t.office, t.id, t.version, t.state, t.kind, t.programme, t.channel,
		t.person_key, t.person_id, t.reasons, t.data, t.created_at, t.updated_at, k.wrapped
		FROM applications t`+keyOf+`WHERE t.office = $1 AND t.id = $2`, office, id)
}

func (s *Store) openApplication(db *gorm.DB, sealed sealedApplication) (application.Application, error) {
	a, err := summary(sealed.applicationRow)
	if err != nil {
		return a, err
	}
	key, err := s.openKey(db, sealed.Office, sealed.PersonKey, sealed.wrapped)
	if err != nil {
		return a, err
	}
	data, err := key.Open(applicationPlace(a), sealed.Data)
	if err != nil {
		return a, err
	}
	return a, a.Decode(data)
}

// summary is an application without its personal part.
func summary(row applicationRow) (application.Application, error) {
	a := application.Application{
		Office: row.Office, ID: row.ID, Version: row.Version, State: application.State(row.State), PersonKey: row.PersonKey,
		Form:      application.Form{Kind: certificate.Kind(row.Kind), Programme: row.Programme, Channel: application.Channel(row.Channel)},
		CreatedAt: fromMilli(row.CreatedAt), UpdatedAt: fromMilli(row.UpdatedAt),
	}
	return a, json.Unmarshal([]byte(row.Reasons), &a.Reasons)
}

// Applications implements application.Store: without personal parts.
func (s *Store) Applications(ctx context.Context, office string, f application.Filter) ([]application.Application, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	q := db.Omit("data").Where("office = ?", office)
	if len(f.States) > 0 {
		q = q.Where("state IN ?", f.States)
	}
	page := newest
	if f.Oldest {
		page = oldest
	}
	var rows []applicationRow
	if err := page(q, f.After, f.Limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]application.Application, len(rows))
	for i, r := range rows {
		if list[i], err = summary(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}
