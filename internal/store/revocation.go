package store

import (
	"context"
	"encoding/json"
	"maps"
	"slices"

	"gorm.io/gorm"

	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

type revocationRow struct {
	Office, ID, Selection, Reason string
	Counted                       int
	IdsSha256                     string
	RequestedBy                   string
	RequestedAt                   int64
	ApprovalID                    string
	StartedBy                     string
	StartedAt                     int64
	StoppedBy                     string
	StoppedAt                     int64
}

func (revocationRow) TableName() string { return "revocations" }

type revocationItemRow struct {
	Office, RevocationID, CertificateID string
	DoneAt                              int64
	Revoked                             bool
	Tries                               int
	Fault                               string
}

func (revocationItemRow) TableName() string { return "revocation_items" }

// SelectIssues implements issuance.RevocationStore.
func (s *Store) SelectIssues(ctx context.Context, code string, sel issuance.Selection, most int) (ids []string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Model(&certificateRow{}).Where("office = ? AND state IN ?", code, []string{string(issuance.Issued), string(issuance.Superseded)})
	if sel.Key != "" {
		q = q.Where("id IN (?)", db.Model(&payloadRow{}).Select("certificate_id").Where("office = ? AND key_id = ?", code, sel.Key))
	}
	if sel.From != "" {
		q = q.Where("issued_at >= ?", milli(clock.Midnight(sel.From)))
	}
	if sel.Until != "" {
		q = q.Where("issued_at < ?", milli(clock.Midnight(sel.Until.AddDays(1))))
	}
	if sel.Catalogue != "" {
		q = q.Where("catalogue = ?", sel.Catalogue)
	}
	if sel.Clerk != "" {
		q = q.Where("id IN (SELECT object FROM log WHERE office = ? AND person = ? AND action = 'certificate.prepare' AND result = 'ok')", code, sel.Clerk)
	}
	return ids, q.Order("id").Limit(most).Pluck("id", &ids).Error
}

// AddRevocation implements issuance.RevocationStore.
func (s *Store) AddRevocation(ctx context.Context, r issuance.Revocation, ids []string) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	selection, err := json.Marshal(r.Selection)
	if err != nil {
		return err
	}
	if err := db.Create(&revocationRow{
		r.Office, r.ID, string(selection), r.Reason, r.Count, r.SHA256, r.RequestedBy, milli(r.RequestedAt), r.Approval, "", 0, "", 0,
	}).Error; err != nil {
		return err
	}
	items := make([]revocationItemRow, len(ids))
	for i, id := range ids {
		items[i] = revocationItemRow{Office: r.Office, RevocationID: r.ID, CertificateID: id}
	}
	return db.CreateInBatches(items, 500).Error
}

// Revocation implements issuance.RevocationStore.
func (s *Store) Revocation(ctx context.Context, code, id string) (r issuance.Revocation, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return r, err
	}
	var row revocationRow
	if err := db.Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return r, missing(err, "revocation")
	}
	list, err := s.revocations(db, code, []revocationRow{row})
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

// succeeded joins the items i of revocations with the certificates n that are issued
// in their place and were not selected.
func succeeded(db *gorm.DB, code string, ids []string) *gorm.DB {
	return db.Table("revocation_items AS i").Joins("JOIN certificates c ON c.office = i.office AND c.id = i.certificate_id").
		Joins("JOIN certificates n ON n.office = i.office AND n.id = c.superseded_by AND n.state = ?", string(issuance.Issued)).
		Where("i.office = ? AND i.revocation_id IN ?", code, ids).
		Where("NOT EXISTS (SELECT 1 FROM revocation_items o WHERE o.office = i.office AND o.revocation_id = i.revocation_id AND o.certificate_id = n.id)")
}

// failed are the items that are not tried any more.
func failed(db *gorm.DB, code, id string) *gorm.DB {
	return db.Model(&revocationItemRow{}).Where("office = ? AND revocation_id = ? AND done_at = 0 AND tries >= ?", code, id, issuance.RevocationTries)
}

// revocations reads how far they are, in a fixed number of statements.
func (s *Store) revocations(db *gorm.DB, code string, rows []revocationRow) ([]issuance.Revocation, error) {
	list, at, waiting := make([]issuance.Revocation, len(rows)), map[string]*issuance.Revocation{}, map[string]*issuance.Revocation{}
	for i, row := range rows {
		list[i] = issuance.Revocation{
			Office: row.Office, ID: row.ID, Reason: row.Reason, Count: row.Counted, SHA256: row.IdsSha256, RequestedBy: row.RequestedBy,
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
		RevocationID                      string
		Done, Revoked, Failed, Superseded int
	}
	if err := db.Model(&revocationItemRow{}).Select(`revocation_id, SUM(CASE WHEN done_at > 0 THEN 1 ELSE 0 END) AS done,
		SUM(CASE WHEN revoked THEN 1 ELSE 0 END) AS revoked, SUM(CASE WHEN done_at = 0 AND tries >= ? THEN 1 ELSE 0 END) AS failed`, issuance.RevocationTries).
		Where("office = ? AND revocation_id IN ?", code, ids).Group("revocation_id").Scan(&tally).Error; err != nil {
		return nil, err
	}
	for _, t := range tally {
		r := at[t.RevocationID]
		r.Done, r.Revoked, r.Failed = t.Done, t.Revoked, t.Failed
	}
	tally = nil
	if err := succeeded(db, code, ids).Select("i.revocation_id, COUNT(*) AS superseded").Group("i.revocation_id").Scan(&tally).Error; err != nil {
		return nil, err
	}
	for _, t := range tally {
		at[t.RevocationID].Superseded = t.Superseded
	}
	if len(waiting) == 0 {
		return list, nil
	}
	var approvals []approvalRow
	if err := db.Where("office = ? AND id IN ?", code, slices.Collect(maps.Keys(waiting))).Find(&approvals).Error; err != nil {
		return nil, err
	}
	for _, row := range approvals {
		approval, err := row.approval()
		if err != nil {
			return nil, err
		}
		if state := approval.State(s.clock.Now()); state != office.Pending && state != office.Approved {
			waiting[row.ID].Ended = string(state)
		}
	}
	return list, nil
}

// RevocationItems implements issuance.RevocationStore.
func (s *Store) RevocationItems(ctx context.Context, code, id string) (ids []string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	return ids, db.Model(&revocationItemRow{}).Where("office = ? AND revocation_id = ?", code, id).
		Order("certificate_id").Pluck("certificate_id", &ids).Error
}

// Revocations implements issuance.RevocationStore.
func (s *Store) Revocations(ctx context.Context, code, before string, limit int) ([]issuance.Revocation, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Where("office = ?", code)
	var rows []revocationRow
	if err := newest(q, before, limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return s.revocations(db, code, rows)
}

// StartRevocation implements issuance.RevocationStore.
func (s *Store) StartRevocation(ctx context.Context, r issuance.Revocation) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&revocationRow{}).Where("office = ? AND id = ? AND started_at = 0 AND stopped_at = 0", r.Office, r.ID).
		Updates(map[string]any{"started_by": r.StartedBy, "started_at": milli(r.StartedAt)}), "revocation_state")
}

// StopRevocation implements issuance.RevocationStore.
func (s *Store) StopRevocation(ctx context.Context, r issuance.Revocation) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&revocationRow{}).Where("office = ? AND id = ? AND stopped_at = 0", r.Office, r.ID).
		Updates(map[string]any{"stopped_by": r.StoppedBy, "stopped_at": milli(r.StoppedAt)}), "revocation_stopped")
}

// RetryRevocation implements issuance.RevocationStore.
func (s *Store) RetryRevocation(ctx context.Context, code, id string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return failed(db, code, id).Updates(map[string]any{"tries": 0, "fault": ""}).Error
}

// RevocationFailed implements issuance.RevocationStore.
func (s *Store) RevocationFailed(ctx context.Context, code string, item issuance.ToRevoke, fault string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Model(&revocationItemRow{}).
		Where("office = ? AND revocation_id = ? AND certificate_id = ? AND done_at = 0", code, item.Revocation, item.Certificate).
		Updates(map[string]any{"tries": gorm.Expr("tries + 1"), "fault": fault}).Error
}

// OpenRevocations implements issuance.RevocationStore.
func (s *Store) OpenRevocations(ctx context.Context, code string, most int) (list []issuance.ToRevoke, err error) {
	err = s.lookup(ctx, code, batch{every(func(scan scan) error {
		var t issuance.ToRevoke
		err := scan(&t.Revocation, &t.Certificate, &t.Reason)
		list = append(list, t)
		return err
	}, `SELECT i.revocation_id, i.certificate_id, r.reason FROM revocation_items i
		JOIN revocations r ON r.office = i.office AND r.id = i.revocation_id
		WHERE i.office = $1 AND i.done_at = 0 AND i.tries < $3 AND r.started_at > 0 AND r.stopped_at = 0
		ORDER BY i.revocation_id, i.certificate_id LIMIT $2`, code, most, issuance.RevocationTries)})
	return list, err
}

// RevokeItem implements issuance.RevocationStore.
func (s *Store) RevokeItem(ctx context.Context, code string, item issuance.ToRevoke) (revoked bool, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return false, err
	}
	err = s.CloseIssue(ctx, code, item.Certificate, []issuance.State{issuance.Issued, issuance.Superseded}, issuance.Revoked, item.Reason)
	if err != nil && fault.CodeOf(err) != fault.Conflict {
		return false, err
	}
	revoked = err == nil
	return revoked, changedOne(db.Model(&revocationItemRow{}).
		Where("office = ? AND revocation_id = ? AND certificate_id = ? AND done_at = 0", code, item.Revocation, item.Certificate).
		Where("EXISTS (SELECT 1 FROM revocations WHERE office = ? AND id = ? AND stopped_at = 0)", code, item.Revocation).
		Updates(map[string]any{"done_at": s.clock.Now().UnixMilli(), "revoked": revoked}), "revocation_state")
}
