package store

import (
	"context"
	"maps"
	"slices"

	"gorm.io/gorm"

	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

type mailingRow struct {
	Office, ID  string
	Counted     int
	IdsSha256   string
	RequestedBy string
	RequestedAt int64
	ApprovalID  string
	StartedBy   string
	StartedAt   int64
	StoppedBy   string
	StoppedAt   int64
}

func (mailingRow) TableName() string { return "mailings" }

type mailingItemRow struct {
	Office, MailingID string
	Number            int
	ApplicationID     string
	CertificateID     string
	Copy              int
	DoneAt            int64
	Tries             int
	Fault             string
}

func (mailingItemRow) TableName() string { return "mailing_items" }

// ReadyToMail implements issuance.MailingStore.
func (s *Store) ReadyToMail(ctx context.Context, code string, most int) (ids []string, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	return ids, db.Model(&applicationRow{}).Where("office = ? AND state = ? AND channel = ? AND length(data) > 0", code, string(application.Approved), string(application.Mail)).
		Where("id NOT IN (?)", s.toBeMailed(db, code)).Order("id").Limit(most).Pluck("id", &ids).Error
}

// toBeMailed are the applications of open mailings that have no copy yet.
func (s *Store) toBeMailed(db *gorm.DB, code string) *gorm.DB {
	return db.Table("mailing_items AS i").Select("i.application_id").Joins("JOIN mailings m ON m.office = i.office AND m.id = i.mailing_id").
		Where("i.office = ? AND m.office = ? AND i.done_at = 0 AND i.tries < ? AND m.stopped_at = 0", code, code, issuance.Tries).
		Where("(m.started_at > 0 OR EXISTS (SELECT 1 FROM approvals a WHERE a.office = ? AND a.id = m.approval_id AND a.used_at = 0 AND a.outcome IN ('', ?) AND a.expires_at > ?))",
			code, string(office.Approved), s.clock.Now().UnixMilli())
}

// mailingLock is the class under which one act at a time of an office adds a mailing.
const mailingLock = 4_711_007

// AddMailing implements issuance.MailingStore.
func (s *Store) AddMailing(ctx context.Context, m issuance.Mailing, applications []string) error {
	db, err := act(ctx, m.Office)
	if err != nil {
		return err
	}
	if err := s.alone(db, mailingLock, m.Office); err != nil {
		return err
	}
	for ids := range slices.Chunk(applications, chunkSize) {
		var known, taken int64
		if err := db.Model(&applicationRow{}).Where("office = ? AND id IN ?", m.Office, ids).Count(&known).Error; err != nil {
			return err
		}
		if known != int64(len(ids)) {
			return fault.New(fault.NotFound, "application", "applications")
		}
		if err := s.toBeMailed(db, m.Office).Where("i.application_id IN ?", ids).Count(&taken).Error; err != nil {
			return err
		}
		if taken > 0 {
			return fault.New(fault.Conflict, "mailing_taken", "applications")
		}
	}
	if err := db.Create(&mailingRow{
		m.Office, m.ID, m.Count, m.SHA256, m.RequestedBy, milli(m.RequestedAt), m.Approval, m.StartedBy, milli(m.StartedAt), "", 0,
	}).Error; err != nil {
		return err
	}
	items := make([]mailingItemRow, len(applications))
	for i, id := range applications {
		items[i] = mailingItemRow{Office: m.Office, MailingID: m.ID, Number: i + 1, ApplicationID: id}
	}
	return db.CreateInBatches(items, chunkSize).Error
}

// Mailing implements issuance.MailingStore.
func (s *Store) Mailing(ctx context.Context, code, id string) (m issuance.Mailing, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return m, err
	}
	var row mailingRow
	if err := db.Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return m, missing(err, "mailing")
	}
	list, err := s.mailings(db, code, []mailingRow{row})
	if err != nil {
		return m, err
	}
	m = list[0]
	var items []mailingItemRow
	err = db.Where("office = ? AND mailing_id = ?", code, id).Order("number").Find(&items).Error
	for _, i := range items {
		m.Items = append(m.Items, issuance.MailingItem{Number: i.Number, Application: i.ApplicationID, Certificate: i.CertificateID, Copy: i.Copy, Fault: i.Fault})
	}
	return m, err
}

// Mailings implements issuance.MailingStore.
func (s *Store) Mailings(ctx context.Context, code, before string, limit int) ([]issuance.Mailing, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	var rows []mailingRow
	if err := newest(db.Where("office = ?", code), before, limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	return s.mailings(db, code, rows)
}

// mailings reads how far they are, in a fixed number of statements.
func (s *Store) mailings(db *gorm.DB, code string, rows []mailingRow) ([]issuance.Mailing, error) {
	list, at, waiting := make([]issuance.Mailing, len(rows)), map[string]*issuance.Mailing{}, map[string]*issuance.Mailing{}
	for i, row := range rows {
		list[i] = issuance.Mailing{
			Office: row.Office, ID: row.ID, Count: row.Counted, SHA256: row.IdsSha256, RequestedBy: row.RequestedBy, RequestedAt: fromMilli(row.RequestedAt),
			Approval: row.ApprovalID, StartedBy: row.StartedBy, StartedAt: fromMilli(row.StartedAt), StoppedBy: row.StoppedBy, StoppedAt: fromMilli(row.StoppedAt),
		}
		if at[row.ID] = &list[i]; row.StartedAt == 0 {
			waiting[row.ApprovalID] = &list[i]
		}
	}
	var tally []struct {
		MailingID    string
		Done, Failed int
	}
	if err := db.Model(&mailingItemRow{}).Select("mailing_id, SUM(CASE WHEN done_at > 0 THEN 1 ELSE 0 END) AS done, SUM(CASE WHEN done_at = 0 AND tries >= ? THEN 1 ELSE 0 END) AS failed", issuance.Tries).
		Where("office = ? AND mailing_id IN ?", code, slices.Collect(maps.Keys(at))).Group("mailing_id").Scan(&tally).Error; err != nil {
		return nil, err
	}
	for _, t := range tally {
		at[t.MailingID].Done, at[t.MailingID].Failed = t.Done, t.Failed
	}
	approvals, err := s.approvals(db, code, slices.Collect(maps.Keys(waiting)))
	for id, p := range approvals {
		waiting[id].Asked = p.State(s.clock.Now())
	}
	return list, err
}

// StartMailing implements issuance.MailingStore.
func (s *Store) StartMailing(ctx context.Context, m issuance.Mailing) error {
	return startRun(ctx, &mailingRow{}, m.Office, m.ID, m.StartedBy, m.StartedAt)
}

// StopMailing implements issuance.MailingStore.
func (s *Store) StopMailing(ctx context.Context, m issuance.Mailing) error {
	return stopRun(ctx, &mailingRow{}, m.Office, m.ID, m.StoppedBy, m.StoppedAt)
}

// ToMail implements issuance.MailingStore.
func (s *Store) ToMail(ctx context.Context, code string, waiting []string, most int) (list []issuance.ToMail, err error) {
	err = s.look(ctx, code, func(db *gorm.DB) error {
		rows, err := db.Raw(`SELECT i.mailing_id, i.number, i.application_id, m.requested_by FROM mailing_items i
			JOIN mailings m ON m.office = i.office AND m.id = i.mailing_id
			WHERE i.office = ? AND i.done_at = 0 AND i.tries < ? AND m.started_at > 0 AND m.stopped_at = 0 AND m.requested_by NOT IN ?
			ORDER BY i.mailing_id, i.number LIMIT ?`, code, issuance.Tries, append([]string{""}, waiting...), most).Rows() // SQL has no empty list
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var t issuance.ToMail
			if err := rows.Scan(&t.Mailing, &t.Number, &t.Application, &t.Person); err != nil {
				return err
			}
			list = append(list, t)
		}
		return rows.Err()
	})
	return list, err
}

// openItem is an item without a copy, of a mailing that nobody has stopped.
func openItem(db *gorm.DB, code string, item issuance.ToMail) *gorm.DB {
	return db.Model(&mailingItemRow{}).Where("office = ? AND mailing_id = ? AND number = ? AND done_at = 0", code, item.Mailing, item.Number).
		Where("EXISTS (SELECT 1 FROM mailings WHERE office = ? AND id = ? AND stopped_at = 0)", code, item.Mailing)
}

// Mailed implements issuance.MailingStore.
func (s *Store) Mailed(ctx context.Context, code string, item issuance.ToMail, c issuance.Copy) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(openItem(db, code, item).Updates(map[string]any{
		"certificate_id": c.CertificateID, "copy": c.Number, "done_at": s.clock.Now().UnixMilli(), "fault": "",
	}), "bulk_state")
}

// MailFailed implements issuance.MailingStore.
func (s *Store) MailFailed(ctx context.Context, code string, item issuance.ToMail, fault string, tries int) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return openItem(db, code, item).Updates(map[string]any{"tries": gorm.Expr("tries + ?", tries), "fault": fault}).Error
}

var _ issuance.MailingStore = (*Store)(nil)
