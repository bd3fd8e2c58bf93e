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
	row := officeRow{Office: code}
	if err := s.lookup(ctx, code, batch{one("office", []any{&row.NameJa, &row.NameEn, &row.Issuer, &row.Settings, &row.Version},
		"SELECT name_ja, name_en, issuer, settings, version FROM offices WHERE office = $1", code)}); err != nil {
		return office.Office{}, err
	}
	return row.office()
}

// Offices lists the codes of all offices. It is the only query without an
// office: no personal data stands in that table.
func (s *Store) Offices(ctx context.Context) ([]string, error) {
	var codes []string
	err := s.read.WithContext(ctx).Model(&officeRow{}).Order("office").Pluck("office", &codes).Error
	return codes, reachable(err)
}

type staffRow struct {
	Office, ID, Name, Role string
	EndsAt, CreatedAt      int64 `gorm:"autoCreateTime:false"`
}

func (staffRow) TableName() string { return "staff" }

type staffKeyRow struct {
	Office    string
	Hash      []byte
	StaffID   string
	CreatedAt int64 `gorm:"autoCreateTime:false"`
	EndsAt    int64
}

func (staffKeyRow) TableName() string { return "staff_keys" }

// AddStaff creates a named person with the hash of one key. It runs inside an act.
func (s *Store) AddStaff(ctx context.Context, p office.Staff, keyHash []byte) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	now := s.clock.Now().UnixMilli()
	if err := db.Create(&staffRow{p.Office, p.ID, p.Name, string(p.Role), milli(p.Ends), now}).Error; err != nil {
		return err
	}
	return db.Create(&staffKeyRow{p.Office, keyHash, p.ID, now, milli(p.Ends)}).Error
}

// StaffByKey implements office.Directory.
func (s *Store) StaffByKey(ctx context.Context, code string, hash []byte) (office.Staff, error) {
	p := office.Staff{Office: code}
	var ends, keyEnds int64
	if err := s.lookup(ctx, code, batch{one("staff_key", []any{&p.ID, &p.Name, &p.Role, &ends, &keyEnds},
		`SELECT s.id, s.name, s.role, s.ends_at, k.ends_at FROM staff_keys k JOIN staff s ON s.office = k.office AND s.id = k.staff_id
		WHERE k.office = $1 AND k.hash = $2`, code, hash)}); err != nil {
		return office.Staff{}, err
	}
	if keyEnds != 0 && (ends == 0 || keyEnds < ends) {
		ends = keyEnds
	}
	p.Ends = fromMilli(ends)
	return p, nil
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
