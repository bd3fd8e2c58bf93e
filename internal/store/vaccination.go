package store

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"

	"akashi/internal/seal"
	"akashi/internal/vaccination"
)

// chunkSize bounds how many rows one statement of an import handles.
const chunkSize = 100

type importRow struct {
	Office, ID, Layout, State string
	FileSha256, Report        string
	Staged                    []byte
	CreatedBy                 string
	CreatedAt                 int64 `gorm:"autoCreateTime:false"`
	CommittedBy               string
	CommittedAt               int64
	WithdrawnBy               string
	WithdrawnAt               int64
	Outcome                   string
}

func (importRow) TableName() string { return "imports" }

func (r importRow) imported() (vaccination.Import, error) {
	i := vaccination.Import{
		Office: r.Office, ID: r.ID, State: vaccination.ImportState(r.State),
		CreatedBy: r.CreatedBy, CreatedAt: fromMilli(r.CreatedAt), CommittedBy: r.CommittedBy, CommittedAt: fromMilli(r.CommittedAt),
		WithdrawnBy: r.WithdrawnBy, WithdrawnAt: fromMilli(r.WithdrawnAt),
	}
	return i, errors.Join(json.Unmarshal([]byte(r.Report), &i.Report), json.Unmarshal([]byte(r.Outcome), &i.Outcome))
}

func stagedPlace(office, id string) seal.Place {
	return seal.Place{Office: office, Table: "imports", Column: "staged", Row: id, Version: 1}
}

// AddImport implements vaccination.ImportStore.
func (s *Store) AddImport(ctx context.Context, i vaccination.Import, file []byte) error {
	db, err := act(ctx, i.Office)
	if err != nil {
		return err
	}
	report, err := json.Marshal(i.Report)
	if err != nil {
		return err
	}
	return db.Create(&importRow{
		Office: i.Office, ID: i.ID, Layout: i.Report.Layout, State: string(i.State), FileSha256: i.Report.SHA256, Report: string(report),
		Staged: s.ring.Office(i.Office).Seal(stagedPlace(i.Office, i.ID), file), CreatedBy: i.CreatedBy, CreatedAt: milli(i.CreatedAt), Outcome: "{}",
	}).Error
}

// Import implements vaccination.ImportStore.
func (s *Store) Import(ctx context.Context, office, id string) (vaccination.Import, error) {
	db, err := act(ctx, office)
	if err != nil {
		return vaccination.Import{}, err
	}
	var row importRow
	if err := db.Omit("staged").Where("office = ? AND id = ?", office, id).Take(&row).Error; err != nil {
		return vaccination.Import{}, missing(err, "import")
	}
	return row.imported()
}

// Imports implements vaccination.ImportStore.
func (s *Store) Imports(ctx context.Context, office, before string, limit int) ([]vaccination.Import, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	var rows []importRow
	if err := newest(db.Omit("staged").Where("office = ?", office), before, limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]vaccination.Import, len(rows))
	for i, row := range rows {
		if list[i], err = row.imported(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// StagedFile implements vaccination.ImportStore.
func (s *Store) StagedFile(ctx context.Context, office, id string) ([]byte, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	var row importRow
	if err := db.Select("staged").Where("office = ? AND id = ?", office, id).Take(&row).Error; err != nil {
		return nil, missing(err, "import")
	}
	var file []byte
	err = s.opening(db, office, func() error {
		file, err = s.ring.Office(office).Open(stagedPlace(office, id), row.Staged)
		return err
	})
	return file, err
}

// SaveImport implements vaccination.ImportStore.
func (s *Store) SaveImport(ctx context.Context, i vaccination.Import, from vaccination.ImportState) error {
	db, err := act(ctx, i.Office)
	if err != nil {
		return err
	}
	outcome, err := json.Marshal(i.Outcome)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&importRow{}).Where("office = ? AND id = ? AND state = ?", i.Office, i.ID, string(from)).Updates(map[string]any{
		"state": string(i.State), "staged": nil, "committed_by": i.CommittedBy, "committed_at": milli(i.CommittedAt),
		"withdrawn_by": i.WithdrawnBy, "withdrawn_at": milli(i.WithdrawnAt), "outcome": string(outcome),
	}), "import_state")
}

// StaleImports implements vaccination.ImportStore.
func (s *Store) StaleImports(ctx context.Context, office string, before time.Time) ([]string, error) {
	return s.stale(ctx, &importRow{}, office, before)
}

// ExpireImport implements vaccination.ImportStore.
func (s *Store) ExpireImport(ctx context.Context, office, id string) error {
	return expire(ctx, &importRow{}, office, id, "import_state")
}

// stale are files that wait since before a time to be applied.
func (s *Store) stale(ctx context.Context, row any, office string, before time.Time) (ids []string, err error) {
	err = s.look(ctx, office, func(db *gorm.DB) error {
		return db.Model(row).Where("office = ? AND state = 'staged' AND created_at < ?", office, milli(before)).Order("created_at").Limit(maxNamed).Pluck("id", &ids).Error
	})
	return ids, err
}

func expire(ctx context.Context, row any, office, id, key string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(row).Where("office = ? AND id = ? AND state = 'staged'", office, id).
		Updates(map[string]any{"state": "expired", "staged": nil}), key)
}

// CertificatesFrom implements vaccination.ImportStore.
func (s *Store) CertificatesFrom(ctx context.Context, office, importID string) ([]string, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	ids := []string{}
	err = db.Table("certificate_doses AS c").Distinct("c.certificate_id").
		Joins("JOIN doses d ON d.office = c.office AND d.id = c.dose_id AND d.version = c.dose_version").
		Where("c.office = ? AND d.import_id = ?", office, importID).Order("c.certificate_id").Pluck("c.certificate_id", &ids).Error
	return ids, err
}

// ApplyBatch implements vaccination.ImportStore.
func (s *Store) ApplyBatch(ctx context.Context, office, importID string, b vaccination.Batch) (vaccination.Outcome, error) {
	db, err := act(ctx, office)
	if err != nil {
		return vaccination.Outcome{}, err
	}
	// Two imports that overlap would meet on the same rows.
	if err := s.lockOffice(db, office); err != nil {
		return vaccination.Outcome{}, err
	}
	if s.postgres {
		// Plans made while the tables were small (those of foreign keys, too) would
		// scan them whole for each row.
		if err := db.Exec("SET LOCAL plan_cache_mode = force_custom_plan").Error; err != nil {
			return vaccination.Outcome{}, err
		}
	}
	if err := s.reload(db, office); err != nil { // nobody changes the search keys from here on
		return vaccination.Outcome{}, err
	}
	p := importer{s: s, db: db, office: office, importID: importID, now: s.clock.Now().UnixMilli()}
	if p.vault, err = s.counted(db, office, seal.Vault, b.NumbersIn()); err != nil {
		return vaccination.Outcome{}, err
	}
	if p.wrap, err = s.counted(db, office, seal.Wrap, len(b.Lines)); err != nil {
		return vaccination.Outcome{}, err
	}
	for start := 0; start < len(b.Lines); start += chunkSize {
		end := min(start+chunkSize, len(b.Lines))
		if b.Kind == vaccination.Subjects {
			err = p.subjects(b.Subjects[start:end], b.Numbers[start:end], b.Lines[start:end])
		} else {
			err = p.records(b.Records[start:end], b.Lines[start:end])
		}
		if err != nil {
			return p.outcome, err
		}
	}
	return p.outcome, nil
}

// WithdrawBatch implements vaccination.ImportStore.
func (s *Store) WithdrawBatch(ctx context.Context, office, importID string) ([]string, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	certificates, err := s.CertificatesFrom(ctx, office, importID)
	if err != nil {
		return nil, err
	}
	if err := withdrawNumbers(db, office, importID); err != nil {
		return nil, err
	}
	for _, table := range []string{"persons", "doses"} {
		if err := withdrawVersions(db, table, office, importID); err != nil {
			return nil, err
		}
	}
	return certificates, nil
}

// withdrawVersions takes back the current versions that an import made. One that
// another import has confirmed belongs to that import from then on; otherwise
// the newest version of an import that was not withdrawn counts again. A version
// that a later import made stays.
func withdrawVersions(db *gorm.DB, table, office, importID string) error {
	if err := db.Table(table).Where("office = ? AND confirmed_by = ?", office, importID).Update("confirmed_by", "").Error; err != nil {
		return err
	}
	if err := db.Table(table).Where("office = ? AND import_id = ? AND is_current AND confirmed_by <> ''", office, importID).
		Updates(map[string]any{"import_id": gorm.Expr("confirmed_by"), "confirmed_by": ""}).Error; err != nil {
		return err
	}
	var ids []string
	if err := db.Table(table).Where("office = ? AND import_id = ? AND is_current", office, importID).Pluck("id", &ids).Error; err != nil {
		return err
	}
	for start := 0; start < len(ids); start += chunkSize {
		chunk := ids[start:min(start+chunkSize, len(ids))]
		if err := db.Table(table).Where("office = ? AND import_id = ? AND is_current AND id IN ?", office, importID, chunk).
			Update("is_current", false).Error; err != nil {
			return err
		}
		if err := db.Exec(`UPDATE `+table+` SET is_current = TRUE WHERE office = ? AND id IN ? AND version = (
			SELECT MAX(v.version) FROM `+table+` v JOIN imports i ON i.office = v.office AND i.id = v.import_id
			WHERE v.office = `+table+`.office AND v.id = `+table+`.id AND i.id <> ? AND i.state = 'committed')`,
			office, chunk, importID).Error; err != nil {
			return err
		}
	}
	return nil
}
