package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"akashi/internal/application"
	"akashi/internal/exchange"
	"akashi/internal/fault"
	"akashi/internal/seal"
)

type fileRow struct {
	Office, ID, Sha256, Encoding string
	Notice, Header               string
	PersonKey                    string
	Counted, Accepted            int
	CreatedBy                    string
	CreatedAt                    int64 `gorm:"autoCreateTime:false"`
	ApprovalID                   string
	StartedBy                    string
	StartedAt                    int64
	ClosedAt                     int64
}

func (fileRow) TableName() string { return "batches" }

type lineRow struct {
	Office, BatchID string
	Line            int
	Data            []byte // sealed cells; empty once erased
	Findings        string
	Accepted        bool
	ApplicationID   string
	DoneAt          int64
	Tries           int
	Fault           string
}

func (lineRow) TableName() string { return "batch_rows" }

func linePlace(office, batch string, line int) seal.Place {
	return seal.Place{Office: office, Table: "batch_rows", Column: "data", Row: batch, Version: line}
}

// batchLock is the class under which one act at a time adds a file.
const batchLock = 4_711_008

// AddBatch implements exchange.Store.
func (s *Store) AddBatch(ctx context.Context, b exchange.Batch) error {
	db, err := act(ctx, b.Office)
	if err != nil {
		return err
	}
	if err := s.alone(db, batchLock, b.Office+b.SHA256); err != nil {
		return err
	}
	var same []string
	if err := db.Model(&fileRow{}).Where("office = ? AND sha256 = ? AND (closed_at = 0 OR started_at > 0)", b.Office, b.SHA256).
		Order("id").Limit(1).Pluck("id", &same).Error; err != nil {
		return err
	}
	if len(same) > 0 {
		return fault.New(fault.Conflict, "batch_repeated", "file").With("batch", same[0])
	}
	key, err := s.newPersonKey(db, b.Office, nil)
	if err != nil {
		return err
	}
	header, err := json.Marshal(b.Header)
	if err != nil {
		return err
	}
	if err := db.Create(&fileRow{
		Office: b.Office, ID: b.ID, Sha256: b.SHA256, Encoding: b.Encoding, Notice: b.Notice, Header: string(header), PersonKey: key.ID,
		Counted: b.Count, Accepted: b.Accepted, CreatedBy: b.CreatedBy, CreatedAt: milli(b.CreatedAt),
	}).Error; err != nil {
		return err
	}
	rows := make([]lineRow, len(b.Rows))
	for i, r := range b.Rows {
		cells, err := json.Marshal(r.Cells)
		if err != nil {
			return err
		}
		findings, err := json.Marshal(r.Findings)
		if err != nil {
			return err
		}
		rows[i] = lineRow{Office: b.Office, BatchID: b.ID, Line: r.Line, Data: key.Seal(linePlace(b.Office, b.ID, r.Line), cells), Findings: string(findings), Accepted: r.Accepted}
	}
	return db.CreateInBatches(rows, chunkSize).Error
}

// Batch implements exchange.Store.
func (s *Store) Batch(ctx context.Context, code, id string) (b exchange.Batch, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return b, err
	}
	var row fileRow
	if err := db.Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return b, missing(err, "batch")
	}
	list, err := s.batches(db, code, []fileRow{row})
	if err != nil {
		return b, err
	}
	b = list[0]
	var rows []lineRow
	if err := db.Omit("data").Where("office = ? AND batch_id = ?", code, id).Order("line").Find(&rows).Error; err != nil {
		return b, err
	}
	for _, r := range rows {
		one := exchange.Row{Line: r.Line, Accepted: r.Accepted, Application: r.ApplicationID, Done: r.DoneAt > 0, Fault: r.Fault}
		if err := json.Unmarshal([]byte(r.Findings), &one.Findings); err != nil {
			return b, err
		}
		b.Rows = append(b.Rows, one)
	}
	return b, nil
}

// Batches implements exchange.Store.
func (s *Store) Batches(ctx context.Context, code, before string, limit int) ([]exchange.Batch, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	var rows []fileRow
	if err := newest(db.Where("office = ?", code), before, limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return s.batches(db, code, rows)
}

// batches reads how far they are, in a fixed number of statements.
func (s *Store) batches(db *gorm.DB, code string, rows []fileRow) ([]exchange.Batch, error) {
	list, at, waiting := make([]exchange.Batch, len(rows)), map[string]*exchange.Batch{}, map[string]*exchange.Batch{}
	for i, row := range rows {
		list[i] = exchange.Batch{
			Office: row.Office, ID: row.ID, SHA256: row.Sha256, Encoding: row.Encoding, Notice: row.Notice, Count: row.Counted, Accepted: row.Accepted,
			CreatedBy: row.CreatedBy, CreatedAt: fromMilli(row.CreatedAt), Approval: row.ApprovalID,
			StartedBy: row.StartedBy, StartedAt: fromMilli(row.StartedAt), ClosedAt: fromMilli(row.ClosedAt),
		}
		if err := json.Unmarshal([]byte(row.Header), &list[i].Header); err != nil {
			return nil, err
		}
		if at[row.ID] = &list[i]; row.StartedAt == 0 && row.ApprovalID != "" {
			waiting[row.ApprovalID] = &list[i]
		}
	}
	var tally []struct {
		BatchID      string
		Done, Failed int
	}
	if err := db.Model(&lineRow{}).Select("batch_id, SUM(CASE WHEN done_at > 0 THEN 1 ELSE 0 END) AS done, SUM(CASE WHEN accepted AND done_at = 0 AND tries >= ? THEN 1 ELSE 0 END) AS failed", exchange.Tries).
		Where("office = ? AND batch_id IN ?", code, slices.Collect(maps.Keys(at))).Group("batch_id").Scan(&tally).Error; err != nil {
		return nil, err
	}
	for _, t := range tally {
		at[t.BatchID].Done, at[t.BatchID].Failed = t.Done, t.Failed
	}
	approvals, err := s.approvals(db, code, slices.Collect(maps.Keys(waiting)))
	for id, p := range approvals {
		waiting[id].Asked = p.State(s.clock.Now())
	}
	return list, err
}

// BatchCells implements exchange.Store.
func (s *Store) BatchCells(ctx context.Context, code, id string) (map[int][]string, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	var row fileRow
	if err := db.Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return nil, missing(err, "batch")
	}
	cells := map[int][]string{}
	if row.ClosedAt > 0 {
		return cells, nil
	}
	key, err := s.personKey(db, code, row.PersonKey)
	if err != nil {
		return nil, err
	}
	var rows []lineRow
	if err := db.Select("line", "data").Where("office = ? AND batch_id = ? AND length(data) > 0", code, id).Find(&rows).Error; err != nil {
		return nil, err
	}
	for _, r := range rows {
		if cells[r.Line], err = unsealed[[]string](key, linePlace(code, id, r.Line), r.Data); err != nil {
			return nil, err
		}
	}
	return cells, nil
}

// AskBatch implements exchange.Store.
func (s *Store) AskBatch(ctx context.Context, code, id, approval string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&fileRow{}).Where("office = ? AND id = ? AND started_at = 0 AND closed_at = 0", code, id).Update("approval_id", approval), "bulk_state")
}

// StartBatch implements exchange.Store.
func (s *Store) StartBatch(ctx context.Context, b exchange.Batch, id func() string) error {
	db, err := act(ctx, b.Office)
	if err != nil {
		return err
	}
	if err := changedOne(db.Model(&fileRow{}).Where("office = ? AND id = ? AND started_at = 0 AND closed_at = 0", b.Office, b.ID).
		Updates(map[string]any{"started_by": b.StartedBy, "started_at": milli(b.StartedAt)}), "bulk_state"); err != nil {
		return err
	}
	for _, r := range b.Rows {
		if !r.Accepted {
			continue
		}
		if err := db.Model(&lineRow{}).Where("office = ? AND batch_id = ? AND line = ?", b.Office, b.ID, r.Line).Update("application_id", id()).Error; err != nil {
			return err
		}
	}
	return nil
}

// CloseBatch implements exchange.Store.
func (s *Store) CloseBatch(ctx context.Context, code, id string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	var row fileRow
	if err := db.Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return missing(err, "batch")
	}
	if err := changedOne(db.Model(&fileRow{}).Where("office = ? AND id = ? AND closed_at = 0", code, id).Update("closed_at", s.clock.Now().UnixMilli()), "bulk_state"); err != nil {
		return err
	}
	if err := emptied(db.Model(&lineRow{}).Where("office = ? AND batch_id = ?", code, id), "data"); err != nil {
		return err
	}
	return db.Where("office = ? AND id = ?", code, row.PersonKey).Delete(&personKeyRow{}).Error
}

// OldBatches implements exchange.Store.
func (s *Store) OldBatches(ctx context.Context, code string, before time.Time) (ids []string, err error) {
	err = s.look(ctx, code, func(db *gorm.DB) error {
		return db.Model(&fileRow{}).Where("office = ? AND closed_at = 0 AND created_at < ?", code, milli(before)).Order("id").Limit(maxNamed).Pluck("id", &ids).Error
	})
	return ids, err
}

// OpenRows implements exchange.Store.
func (s *Store) OpenRows(ctx context.Context, code string, most int) (list []exchange.OpenRow, err error) {
	err = s.lookup(ctx, code, batch{every(func(scan scan) error {
		var r exchange.OpenRow
		err := scan(&r.Batch, &r.Line, &r.Application, &r.Person)
		list = append(list, r)
		return err
	}, `SELECT r.batch_id, r.line, r.application_id, b.created_by FROM batch_rows r
		JOIN batches b ON b.office = r.office AND b.id = r.batch_id
		WHERE r.office = $1 AND r.accepted AND r.done_at = 0 AND r.tries < $3 AND b.started_at > 0 AND b.closed_at = 0
		ORDER BY r.batch_id, r.line LIMIT $2`, code, most, exchange.Tries)})
	return list, err
}

// RowCells implements exchange.Store.
func (s *Store) RowCells(ctx context.Context, code string, r exchange.OpenRow) (header, cells []string, notice string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, nil, "", err
	}
	var row fileRow
	var line lineRow
	if err := db.Where("office = ? AND id = ?", code, r.Batch).Take(&row).Error; err != nil {
		return nil, nil, "", missing(err, "batch")
	}
	if err := db.Where("office = ? AND batch_id = ? AND line = ?", code, r.Batch, r.Line).Take(&line).Error; err != nil {
		return nil, nil, "", missing(err, "batch")
	}
	if len(line.Data) == 0 || row.ClosedAt > 0 {
		return nil, nil, "", fault.New(fault.NotFound, "erased", "")
	}
	key, err := s.personKey(db, code, row.PersonKey)
	if err != nil {
		return nil, nil, "", err
	}
	if err := json.Unmarshal([]byte(row.Header), &header); err != nil {
		return nil, nil, "", err
	}
	cells, err = unsealed[[]string](key, linePlace(code, r.Batch, r.Line), line.Data)
	return header, cells, row.Notice, err
}

// ApplicationState implements exchange.Store.
func (s *Store) ApplicationState(ctx context.Context, code, id string) (state application.State, err error) {
	err = s.lookup(ctx, code, batch{every(func(scan scan) error { return scan(&state) },
		"SELECT state FROM applications WHERE office = $1 AND id = $2", code, id)})
	return state, err
}

func undone(db *gorm.DB, code string, r exchange.OpenRow) *gorm.DB {
	return db.Model(&lineRow{}).Where("office = ? AND batch_id = ? AND line = ? AND done_at = 0", code, r.Batch, r.Line)
}

// RowDone implements exchange.Store.
func (s *Store) RowDone(ctx context.Context, code string, r exchange.OpenRow) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(undone(db, code, r).Updates(map[string]any{"done_at": s.clock.Now().UnixMilli(), "fault": ""}), "bulk_state")
}

// RowFailed implements exchange.Store.
func (s *Store) RowFailed(ctx context.Context, code string, r exchange.OpenRow, fault string, tries int) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return undone(db, code, r).Updates(map[string]any{"tries": gorm.Expr("tries + ?", tries), "fault": fault}).Error
}

var _ exchange.Store = (*Store)(nil)
