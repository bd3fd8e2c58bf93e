package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"akashi/internal/fault"
	"akashi/internal/office"
)

type terminalRow struct {
	Office, ID, Name        string
	Certificate             []byte
	RegisteredAt, RevokedAt int64
}

func (terminalRow) TableName() string { return "terminals" }

func (r terminalRow) terminal() office.Terminal {
	return office.Terminal{
		Office: r.Office, ID: r.ID, Name: r.Name, Certificate: r.Certificate,
		Registered: fromMilli(r.RegisteredAt), Revoked: fromMilli(r.RevokedAt),
	}
}

// AddTerminal registers a terminal; one with the same certificate is a conflict.
// It runs inside an act.
func (s *Store) AddTerminal(ctx context.Context, t office.Terminal) error {
	db, err := act(ctx, t.Office)
	if err != nil {
		return err
	}
	err = db.Create(&terminalRow{t.Office, t.ID, t.Name, t.Certificate, milli(t.Registered), milli(t.Revoked)}).Error
	if duplicate(err) {
		return fault.New(fault.Conflict, "terminal_exists", "certificate")
	}
	return err
}

// RevokeTerminal ends a terminal; fault Conflict if it is revoked or unknown. It
// runs inside an act.
func (s *Store) RevokeTerminal(ctx context.Context, code, id string, at time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&terminalRow{}).Where("office = ? AND id = ? AND revoked_at = 0", code, id).Update("revoked_at", milli(at)), "terminal_revoked")
}

// Terminal implements office.TerminalStore.
func (s *Store) Terminal(ctx context.Context, code, id string) (office.Terminal, error) {
	var row terminalRow
	err := s.look(ctx, code, func(db *gorm.DB) error { return db.Where("office = ? AND id = ?", code, id).Take(&row).Error })
	return row.terminal(), missing(err, "terminal")
}

// LastSignIns implements office.TerminalStore, from what is kept of terminals that a
// person has signed in at.
func (s *Store) LastSignIns(ctx context.Context, code string, hashes [][]byte) ([]office.SignIn, error) {
	var rows []knownTerminalRow
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND hash IN ?", code, hashes).Order("used_at").Find(&rows).Error
	})
	last := map[string]office.SignIn{}
	for _, r := range rows {
		last[string(r.Hash)] = office.SignIn{At: fromMilli(r.UsedAt), Staff: r.StaffID}
	}
	list := make([]office.SignIn, len(hashes))
	for i, h := range hashes {
		list[i] = last[string(h)]
	}
	return list, err
}

// Terminals lists the terminals of an office, oldest first.
func (s *Store) Terminals(ctx context.Context, code string) (list []office.Terminal, err error) {
	var rows []terminalRow
	err = s.look(ctx, code, func(db *gorm.DB) error { return db.Where("office = ?", code).Order("id").Find(&rows).Error })
	for _, r := range rows {
		list = append(list, r.terminal())
	}
	return list, err
}

// TerminalByCertificate implements office.TerminalStore.
func (s *Store) TerminalByCertificate(ctx context.Context, code string, sum []byte) (office.Terminal, error) {
	var row terminalRow
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND certificate = ?", code, sum).Take(&row).Error
	})
	return row.terminal(), missing(err, "terminal")
}
