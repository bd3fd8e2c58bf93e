package store

import (
	"context"
	"encoding/json"
	"time"

	"gorm.io/gorm"

	"akashi/internal/fault"
	"akashi/internal/office"
)

type officeRow struct {
	Office    string `gorm:"primaryKey"`
	NameJa    string
	NameEn    string
	Issuer    string
	Settings  string
	Version   int
	CreatedAt int64 `gorm:"autoCreateTime:false"`
}

func (officeRow) TableName() string { return "offices" }

func (r officeRow) office() (office.Office, error) {
	o := office.Office{Code: r.Office, NameJA: r.NameJa, NameEN: r.NameEn, Version: r.Version}
	o.Settings.Lookups = office.DefaultLookups // of an office that has not said otherwise
	if err := json.Unmarshal([]byte(r.Issuer), &o.Issuer); err != nil {
		return o, err
	}
	return o, json.Unmarshal([]byte(r.Settings), &o.Settings)
}

// AddOffice creates an office; one that exists is a conflict. It runs inside an act.
func (s *Store) AddOffice(ctx context.Context, o office.Office) error {
	db, err := act(ctx, o.Code)
	if err != nil {
		return err
	}
	issuer, _ := json.Marshal(o.Issuer)
	settings, _ := json.Marshal(o.Settings)
	err = db.Create(&officeRow{o.Code, o.NameJA, o.NameEN, string(issuer), string(settings), o.Version, s.clock.Now().UnixMilli()}).Error
	if duplicate(err) {
		return fault.New(fault.Conflict, "office_exists", "office")
	}
	return err
}

// SaveOffice changes settings, names and issuer lines; the version must be the one read.
func (s *Store) SaveOffice(ctx context.Context, o office.Office) error {
	db, err := act(ctx, o.Code)
	if err != nil {
		return err
	}
	issuer, _ := json.Marshal(o.Issuer)
	settings, _ := json.Marshal(o.Settings)
	return changedOne(db.Model(&officeRow{}).Where("office = ? AND version = ?", o.Code, o.Version).Updates(map[string]any{
		"name_ja": o.NameJA, "name_en": o.NameEN, "issuer": string(issuer), "settings": string(settings), "version": o.Version + 1,
	}), "version")
}

// Office returns an office; fault NotFound if there is none.
func (s *Store) Office(ctx context.Context, code string) (office.Office, error) {
	var row officeRow
	if err := s.lookup(ctx, code, batch{row.read(code)}); err != nil {
		return office.Office{}, err
	}
	return row.office()
}

func (r *officeRow) read(code string) step {
	return one("office", []any{&r.Office, &r.NameJa, &r.NameEn, &r.Issuer, &r.Settings, &r.Version},
		"SELECT office, name_ja, name_en, issuer, settings, version FROM offices WHERE office = $1", code)
}

// Offices lists the codes of all offices. It is the only query without an
// office: no personal data stands in that table.
func (s *Store) Offices(ctx context.Context) ([]string, error) {
	var codes []string
	err := s.read.WithContext(ctx).Model(&officeRow{}).Order("office").Pluck("office", &codes).Error
	return codes, reachable(err)
}

// changedOne makes a conflict of an update that met no row.
func changedOne(db *gorm.DB, key string) error {
	if db.Error == nil && db.RowsAffected != 1 {
		return fault.New(fault.Conflict, key, "")
	}
	return db.Error
}

// milli stores a time as milliseconds since 1970; the zero time is 0.
func milli(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMilli()
}

func fromMilli(ms int64) time.Time {
	if ms == 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms).UTC()
}
