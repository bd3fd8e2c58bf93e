package store

import (
	"context"
	"encoding/json"
	"time"

	"akashi/internal/office"
	"akashi/internal/seal"
)

type rosterRow struct {
	Office, ID, State  string
	FileSha256, Result string
	Staged             []byte
	CreatedBy          string
	CreatedAt          int64 `gorm:"autoCreateTime:false"`
	CommittedBy        string
	CommittedAt        int64
}

func (rosterRow) TableName() string { return "rosters" }

func rosterPlace(code, id string) seal.Place {
	return seal.Place{Office: code, Table: "rosters", Column: "staged", Row: id, Version: 1}
}

func (r rosterRow) roster() (office.Roster, error) {
	list := office.Roster{
		Office: r.Office, ID: r.ID, State: office.RosterState(r.State), SHA256: r.FileSha256,
		CreatedBy: r.CreatedBy, CreatedAt: fromMilli(r.CreatedAt), CommittedBy: r.CommittedBy, CommittedAt: fromMilli(r.CommittedAt),
	}
	return list, json.Unmarshal([]byte(r.Result), &list.Result)
}

// AddRoster implements office.RosterStore.
func (s *Store) AddRoster(ctx context.Context, r office.Roster, file []byte) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	result, err := json.Marshal(r.Result)
	if err != nil {
		return err
	}
	return db.Create(&rosterRow{
		Office: r.Office, ID: r.ID, State: string(r.State), FileSha256: r.SHA256, Result: string(result),
		Staged: s.ring.Office(r.Office).Seal(rosterPlace(r.Office, r.ID), file), CreatedBy: r.CreatedBy, CreatedAt: milli(r.CreatedAt),
	}).Error
}

// Roster implements office.RosterStore.
func (s *Store) Roster(ctx context.Context, code, id string) (office.Roster, error) {
	db, err := act(ctx, code)
	if err != nil {
		return office.Roster{}, err
	}
	var row rosterRow
	if err := db.Omit("staged").Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return office.Roster{}, missing(err, "roster")
	}
	return row.roster()
}

// Rosters implements office.RosterStore: newest first.
func (s *Store) Rosters(ctx context.Context, code, before string, limit int) ([]office.Roster, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Omit("staged").Where("office = ?", code)
	var rows []rosterRow
	if err := newest(q, before, limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]office.Roster, len(rows))
	for i, r := range rows {
		if list[i], err = r.roster(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// RosterFile implements office.RosterStore.
func (s *Store) RosterFile(ctx context.Context, code, id string) ([]byte, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	var row rosterRow
	if err := db.Select("staged").Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return nil, missing(err, "roster")
	}
	return s.ring.Office(code).Open(rosterPlace(code, id), row.Staged)
}

// StaleRosters implements office.RosterStore.
func (s *Store) StaleRosters(ctx context.Context, code string, before time.Time) ([]string, error) {
	return s.stale(ctx, &rosterRow{}, code, before)
}

// ExpireRoster implements office.RosterStore.
func (s *Store) ExpireRoster(ctx context.Context, code, id string) error {
	return expire(ctx, &rosterRow{}, code, id, "roster_state")
}

// CommitRoster implements office.RosterStore.
func (s *Store) CommitRoster(ctx context.Context, r office.Roster) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	result, err := json.Marshal(r.Result)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&rosterRow{}).Where("office = ? AND id = ? AND state = ?", r.Office, r.ID, string(office.RosterStaged)).Updates(map[string]any{
		"state": string(r.State), "result": string(result), "staged": nil, "committed_by": r.CommittedBy, "committed_at": milli(r.CommittedAt),
	}), "roster_state")
}
