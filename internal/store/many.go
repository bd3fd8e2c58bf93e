package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"time"

	"gorm.io/gorm"

	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
)

type bulkRow struct {
	Office, ID, Act, Selection, Reason string
	Counted                            int
	IdsSha256                          string
	RequestedBy                        string
	RequestedAt                        int64
	ApprovalID                         string
	StartedBy                          string
	StartedAt                          int64
	StoppedBy                          string
	StoppedAt                          int64
}

func (bulkRow) TableName() string { return "bulk_runs" }

type bulkItemRow struct {
	Office, RunID, CertificateID string
	DoneAt                       int64
	Changed                      bool
	Tries                        int
	Fault                        string
}

func (bulkItemRow) TableName() string { return "bulk_items" }

// SelectIssues implements issuance.BulkStore.
func (s *Store) SelectIssues(ctx context.Context, code string, does issuance.Act, sel issuance.Selection, most int) (ids []string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Model(&certificateRow{}).Where("office = ?", code)
	if does == issuance.ReissueMany {
		q = q.Where(reissuable)
	} else {
		q = q.Where("state IN ?", []string{string(issuance.Issued), string(issuance.Superseded)})
	}
	if sel.Key != "" {
		q = q.Where("id IN (?)", db.Model(&payloadRow{}).Select("certificate_id").Where("office = ? AND key_id = ?", code, sel.Key))
	}
	if sel.From != "" {
		q = q.Where("issued_at >= ?", milli(clock.Midnight(sel.From)))
	}
	if sel.Until != "" {
		q = q.Where("issued_at < ?", milli(clock.Midnight(sel.Until.AddDays(1))))
	}
	if sel.Expires != "" {
		q = q.Where(expiring, milli(clock.Midnight(sel.Expires.AddDays(1))))
	}
	if sel.Catalogue != "" {
		q = q.Where("catalogue = ?", sel.Catalogue)
	}
	if sel.Clerk != "" {
		q = q.Where("id IN (SELECT object FROM log WHERE office = ? AND person = ? AND action = 'certificate.prepare' AND result = 'ok')", code, sel.Clerk)
	}
	return ids, q.Order("id").Limit(most).Pluck("id", &ids).Error
}

// AddBulk implements issuance.BulkStore.
func (s *Store) AddBulk(ctx context.Context, r issuance.Bulk, ids []string) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	selection, err := json.Marshal(r.Selection)
	if err != nil {
		return err
	}
	if err := db.Create(&bulkRow{
		r.Office, r.ID, string(r.Act), string(selection), r.Reason, r.Count, r.SHA256, r.RequestedBy, milli(r.RequestedAt), r.Approval, "", 0, "", 0,
	}).Error; err != nil {
		return err
	}
	items := make([]bulkItemRow, len(ids))
	for i, id := range ids {
		items[i] = bulkItemRow{Office: r.Office, RunID: r.ID, CertificateID: id}
	}
	return db.CreateInBatches(items, 500).Error
}

// Bulk implements issuance.BulkStore.
func (s *Store) Bulk(ctx context.Context, code string, does issuance.Act, id string) (r issuance.Bulk, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return r, err
	}
	var row bulkRow
	if err := db.Where("office = ? AND id = ? AND act = ?", code, id, string(does)).Take(&row).Error; err != nil {
		return r, missing(err, "bulk")
	}
	list, err := s.progress(db, code, []bulkRow{row})
	if err != nil {
		return r, err
	}
	r = list[0]
	if r.Superseded > 0 {
		if err := succeeded(db, code, []string{id}).Order("n.id").Limit(maxNamed).Pluck("n.id", &r.Successors).Error; err != nil {
			return r, err
		}
	}
	if r.Failed > 0 {
		err = failed(db, code, id).Order("certificate_id").Limit(maxNamed).Find(&r.Failures).Error
	}
	return r, err
}

// maxNamed bounds the certificates of each sort that an answer names.
const maxNamed = 100

// succeeded joins the items i of runs that revoke with the certificates n that are issued
// in their place and were not selected.
func succeeded(db *gorm.DB, code string, ids []string) *gorm.DB {
	return db.Table("bulk_items AS i").Joins("JOIN bulk_runs r ON r.office = i.office AND r.id = i.run_id AND r.act = ?", string(issuance.RevokeMany)).
		Joins("JOIN certificates c ON c.office = i.office AND c.id = i.certificate_id").
		Joins("JOIN certificates n ON n.office = i.office AND n.id = c.superseded_by AND n.state = ?", string(issuance.Issued)).
		Where("i.office = ? AND i.run_id IN ?", code, ids).
		Where("NOT EXISTS (SELECT 1 FROM bulk_items o WHERE o.office = i.office AND o.run_id = i.run_id AND o.certificate_id = n.id)")
}

// failed are the items that are not tried any more.
func failed(db *gorm.DB, code, id string) *gorm.DB {
	return db.Model(&bulkItemRow{}).Where("office = ? AND run_id = ? AND done_at = 0 AND tries >= ?", code, id, issuance.Tries)
}

// progress reads how far they are, in a fixed number of statements.
func (s *Store) progress(db *gorm.DB, code string, rows []bulkRow) ([]issuance.Bulk, error) {
	list, at, waiting := make([]issuance.Bulk, len(rows)), map[string]*issuance.Bulk{}, map[string]*issuance.Bulk{}
	for i, row := range rows {
		list[i] = issuance.Bulk{
			Office: row.Office, ID: row.ID, Act: issuance.Act(row.Act), Reason: row.Reason, Count: row.Counted, SHA256: row.IdsSha256, RequestedBy: row.RequestedBy,
			RequestedAt: fromMilli(row.RequestedAt), Approval: row.ApprovalID, StartedBy: row.StartedBy, StartedAt: fromMilli(row.StartedAt),
			StoppedBy: row.StoppedBy, StoppedAt: fromMilli(row.StoppedAt),
		}
		if err := json.Unmarshal([]byte(row.Selection), &list[i].Selection); err != nil {
			return nil, err
		}
		if at[row.ID] = &list[i]; row.StartedAt == 0 {
			waiting[row.ApprovalID] = &list[i]
		}
	}
	ids := slices.Collect(maps.Keys(at))
	var tally []struct {
		RunID                             string
		Done, Changed, Failed, Superseded int
	}
	if err := db.Model(&bulkItemRow{}).Select(`run_id, SUM(CASE WHEN done_at > 0 THEN 1 ELSE 0 END) AS done,
		SUM(CASE WHEN changed THEN 1 ELSE 0 END) AS changed, SUM(CASE WHEN done_at = 0 AND tries >= ? THEN 1 ELSE 0 END) AS failed`, issuance.Tries).
		Where("office = ? AND run_id IN ?", code, ids).Group("run_id").Scan(&tally).Error; err != nil {
		return nil, err
	}
	for _, t := range tally {
		r := at[t.RunID]
		r.Done, r.Changed, r.Failed = t.Done, t.Changed, t.Failed
	}
	tally = nil
	if err := succeeded(db, code, ids).Select("i.run_id, COUNT(*) AS superseded").Group("i.run_id").Scan(&tally).Error; err != nil {
		return nil, err
	}
	for _, t := range tally {
		at[t.RunID].Superseded = t.Superseded
	}
	approvals, err := s.approvals(db, code, slices.Collect(maps.Keys(waiting)))
	for id, p := range approvals {
		waiting[id].Asked, waiting[id].DecidedBy = p.State(s.clock.Now()), p.DecidedBy
	}
	return list, err
}

// BulkItems implements issuance.BulkStore.
func (s *Store) BulkItems(ctx context.Context, code, id string) (ids []string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	return ids, db.Model(&bulkItemRow{}).Where("office = ? AND run_id = ?", code, id).
		Order("certificate_id").Pluck("certificate_id", &ids).Error
}

// Bulks implements issuance.BulkStore.
func (s *Store) Bulks(ctx context.Context, code string, does issuance.Act, before string, limit int) ([]issuance.Bulk, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Where("office = ? AND act = ?", code, string(does))
	var rows []bulkRow
	if err := newest(q, before, limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return s.progress(db, code, rows)
}

// StartBulk implements issuance.BulkStore.
func (s *Store) StartBulk(ctx context.Context, r issuance.Bulk) error {
	return startRun(ctx, &bulkRow{}, r.Office, r.ID, r.StartedBy, r.StartedAt)
}

// StopBulk implements issuance.BulkStore.
func (s *Store) StopBulk(ctx context.Context, r issuance.Bulk) error {
	return stopRun(ctx, &bulkRow{}, r.Office, r.ID, r.StoppedBy, r.StoppedAt)
}

// startRun notes who lets the jobs do a run over many, if nobody has, or has stopped it.
func startRun(ctx context.Context, row any, code, id, by string, at time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(db.Model(row).Where("office = ? AND id = ? AND started_at = 0 AND stopped_at = 0", code, id).
		Updates(map[string]any{"started_by": by, "started_at": milli(at)}), "bulk_state")
}

// stopRun notes who stopped a run over many, if nobody has.
func stopRun(ctx context.Context, row any, code, id, by string, at time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(db.Model(row).Where("office = ? AND id = ? AND stopped_at = 0", code, id).
		Updates(map[string]any{"stopped_by": by, "stopped_at": milli(at)}), "bulk_stopped")
}

// RetryBulk implements issuance.BulkStore.
func (s *Store) RetryBulk(ctx context.Context, code, id string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return failed(db, code, id).Updates(map[string]any{"tries": 0, "fault": ""}).Error
}

// ItemFailed implements issuance.BulkStore.
func (s *Store) ItemFailed(ctx context.Context, code string, item issuance.Item, fault string, tries int) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Model(&bulkItemRow{}).
		Where("office = ? AND run_id = ? AND certificate_id = ? AND done_at = 0", code, item.Run, item.Certificate).
		Updates(map[string]any{"tries": gorm.Expr("tries + ?", tries), "fault": fault}).Error
}

// OpenItems implements issuance.BulkStore.
func (s *Store) OpenItems(ctx context.Context, code string, does issuance.Act, most int) (list []issuance.Item, err error) {
	err = s.lookup(ctx, code, batch{every(func(scan scan) error {
		var t issuance.Item
		err := scan(&t.Run, &t.Certificate, &t.Reason)
		list = append(list, t)
		return err
	}, `SELECT i.run_id, i.certificate_id, r.reason FROM bulk_items i
		JOIN bulk_runs r ON r.office = i.office AND r.id = i.run_id
		WHERE i.office = $1 AND i.done_at = 0 AND i.tries < $3 AND r.act = $4 AND r.started_at > 0 AND r.stopped_at = 0
		ORDER BY i.run_id, i.certificate_id LIMIT $2`, code, most, issuance.Tries, string(does))})
	return list, err
}

// RevokeItem implements issuance.BulkStore.
func (s *Store) RevokeItem(ctx context.Context, code string, item issuance.Item) (revoked bool, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return false, err
	}
	err = s.CloseIssue(ctx, code, item.Certificate, []issuance.State{issuance.Issued, issuance.Superseded}, issuance.Revoked, item.Reason)
	if err != nil && fault.CodeOf(err) != fault.Conflict {
		return false, err
	}
	revoked = err == nil
	return revoked, changedOne(db.Model(&bulkItemRow{}).
		Where("office = ? AND run_id = ? AND certificate_id = ? AND done_at = 0", code, item.Run, item.Certificate).
		Where("EXISTS (SELECT 1 FROM bulk_runs WHERE office = ? AND id = ? AND stopped_at = 0)", code, item.Run).
		Updates(map[string]any{"done_at": s.clock.Now().UnixMilli(), "changed": revoked}), "bulk_state")
}

// expiring is a row of certificates of which a code ends before a time.
const expiring = "state = 'issued' AND renew_by > 0 AND renew_by < ?"

// reissuable is Issue.Reissuable of a row of certificates.
const reissuable = "(state = 'issued' OR state = 'revoked' AND reason = '" + issuance.KeyCompromised + "' AND superseded_by = '')"

// ItemState implements issuance.BulkStore.
func (s *Store) ItemState(ctx context.Context, code string, item issuance.Item) (open, due bool, err error) {
	err = s.lookup(ctx, code, batch{every(func(scan scan) error {
		open = true
		return scan(&due)
	}, `SELECT EXISTS (SELECT 1 FROM certificates WHERE office = $1 AND id = $3 AND `+reissuable+`)
		FROM bulk_items i JOIN bulk_runs r ON r.office = i.office AND r.id = i.run_id
		WHERE i.office = $1 AND i.run_id = $2 AND i.certificate_id = $3 AND i.done_at = 0 AND r.stopped_at = 0`,
		code, item.Run, item.Certificate)})
	return open, due, err
}

// ReissuedItem implements issuance.BulkStore.
func (s *Store) ReissuedItem(ctx context.Context, code string, item issuance.Item) (successor string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return "", err
	}
	var row certificateRow
	if err := db.Select("superseded_by").Where("office = ? AND id = ?", code, item.Certificate).Take(&row).Error; err != nil {
		return "", missing(err, "certificate")
	}
	return row.SupersededBy, changedOne(db.Model(&bulkItemRow{}).
		Where("office = ? AND run_id = ? AND certificate_id = ? AND done_at = 0", code, item.Run, item.Certificate).
		Updates(map[string]any{"done_at": s.clock.Now().UnixMilli(), "changed": row.SupersededBy != ""}), "bulk_state")
}
