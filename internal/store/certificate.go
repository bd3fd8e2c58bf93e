package store

import (
	"context"
	"slices"
	"strconv"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/issuance"
	"akashi/internal/seal"
)

type certificateRow struct {
	Office, ID, ApplicationID   string
	Kind, Programme, State      string
	PersonKey, Ai               string
	IssuedAt                    int64
	IssuedOn, Layout, Catalogue string
	Supersedes, SupersededBy    string
	Content                     []byte
	PreparedAt, ClaimedAt       int64
	ClosedAt                    int64
	Reason, Cause               string
	Copies                      int
	RenewBy                     int64
}

func (certificateRow) TableName() string { return "certificates" }

type payloadRow struct {
	Office, CertificateID string
	Number                int
	Family, KeyID         string
	Dose                  int
	StatusID              string
	ToSign, CodeText      []byte
}

func (payloadRow) TableName() string { return "payloads" }

func contentPlace(office, id string) seal.Place {
	return seal.Place{Office: office, Table: "certificates", Column: "content", Row: id, Version: 1}
}

func payloadPlace(office, id string, number int, column string) seal.Place {
	return seal.Place{Office: office, Table: "payloads", Column: column, Row: id + "/" + strconv.Itoa(number), Version: 1}
}

// Issue implements issuance.Store.
func (s *Store) Issue(ctx context.Context, office, id string) (issuance.Issue, error) {
	db, err := seeing(ctx, office)
	if err != nil {
		return issuance.Issue{}, err
	}
	var r certificateRow
	var wrapped []byte
	var payloads []payloadRow
	var doses []application.DoseRef
	corrected := false
	if err := (batch{
		one("certificate", []any{
			&r.Office, &r.ID, &r.ApplicationID, &r.Kind, &r.Programme, &r.State, &r.PersonKey, &r.Ai, &r.IssuedAt, &r.IssuedOn, &r.Layout, &r.Catalogue,
			&r.Supersedes, &r.SupersededBy, &r.Content, &r.PreparedAt, &r.ClosedAt, &r.Reason, &r.Cause, &r.Copies, &r.RenewBy, &wrapped,
		}, `SELECT t.office, t.id, t.application_id, t.kind, t.programme, t.state, t.person_key, t.ai, t.issued_at, t.issued_on, t.layout, t.catalogue,
			t.supersedes, t.superseded_by, t.content, t.prepared_at, t.closed_at, t.reason, t.cause, t.copies, t.renew_by, k.wrapped
			FROM certificates t`+keyOf+`WHERE t.office = $1 AND t.id = $2`, office, id),
		every(func(scan scan) error {
			var p payloadRow
			err := scan(&p.Number, &p.Family, &p.Dose, &p.KeyID, &p.StatusID, &p.ToSign, &p.CodeText)
			payloads = append(payloads, p)
			return err
		}, "SELECT number, family, dose, key_id, status_id, to_sign, code_text FROM payloads WHERE office = $1 AND certificate_id = $2 ORDER BY number", office, id),
		every(func(scan scan) error {
			var d application.DoseRef
			var current bool
			err := scan(&d.ID, &d.Version, &current)
			doses, corrected = append(doses, d), corrected || !current
			return err
		}, `SELECT c.dose_id, c.dose_version, d.is_current FROM certificate_doses c
			JOIN doses d ON d.office = c.office AND d.id = c.dose_id AND d.version = c.dose_version
			WHERE c.office = $1 AND c.certificate_id = $2 ORDER BY c.dose_id`, office, id),
	}).run(db); err != nil {
		return issuance.Issue{}, err
	}
	i := issueSummary(r)
	i.Doses, i.Corrected = doses, corrected && i.State == issuance.Issued
	key, err := s.openKey(db, office, r.PersonKey, wrapped)
	if err != nil {
		return i, err
	}
	content, err := key.Open(contentPlace(office, id), r.Content)
	if err != nil {
		return i, err
	}
	if i.Certificate, err = certificate.Decode(content); err != nil {
		return i, err
	}
	for _, p := range payloads {
		open, err := openPayload(key, office, id, p)
		if err != nil {
			return i, err
		}
		i.Payloads = append(i.Payloads, open)
	}
	return i, nil
}

func openPayload(key seal.Key, office, id string, r payloadRow) (p issuance.Payload, err error) {
	p = issuance.Payload{Number: r.Number, Family: certificate.Family(r.Family), Dose: r.Dose, KeyID: r.KeyID, StatusID: r.StatusID}
	if p.ToSign, err = key.Open(payloadPlace(office, id, r.Number, "to_sign"), r.ToSign); err != nil {
		return p, err
	}
	text, err := key.Open(payloadPlace(office, id, r.Number, "code_text"), r.CodeText)
	p.Text = string(text)
	return p, err
}

// LiveIssue implements issuance.Store.
func (s *Store) LiveIssue(ctx context.Context, office, applicationID string) (issuance.Issue, error) {
	db, err := seeing(ctx, office)
	if err != nil {
		return issuance.Issue{}, err
	}
	var id string
	if err := (batch{one("certificate", []any{&id},
		"SELECT id FROM certificates WHERE office = $1 AND application_id = $2 AND state = 'issued'", office, applicationID)}).run(db); err != nil {
		return issuance.Issue{}, err
	}
	return s.Issue(ctx, office, id)
}

// issueSummary is a certificate without its personal content.
func issueSummary(r certificateRow) issuance.Issue {
	return issuance.Issue{
		Certificate: certificate.Certificate{
			Office: r.Office, ID: r.ID, AI: r.Ai, Kind: certificate.Kind(r.Kind), Programme: r.Programme,
			IssuedAt: fromMilli(r.IssuedAt), IssuedOn: clock.Date(r.IssuedOn), Layout: r.Layout, Catalogue: r.Catalogue, Supersedes: r.Supersedes,
		},
		ApplicationID: r.ApplicationID, PersonKey: r.PersonKey, State: issuance.State(r.State), SupersededBy: r.SupersededBy,
		Reason: r.Reason, Cause: r.Cause, Copies: r.Copies, PreparedAt: fromMilli(r.PreparedAt), ClosedAt: fromMilli(r.ClosedAt), RenewBy: fromMilli(r.RenewBy),
	}
}

// Issues implements issuance.Store.
func (s *Store) Issues(ctx context.Context, office string, f issuance.Filter) ([]issuance.Issue, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	q := db.Omit("content").Where("office = ?", office)
	if f.Application != "" {
		q = q.Where("application_id = ?", f.Application)
	}
	if f.State != "" {
		q = q.Where("state = ?", string(f.State))
	}
	if !f.RenewBefore.IsZero() {
		q = q.Where(expiring, f.RenewBefore.UnixMilli())
	}
	if len(f.Persons) > 0 {
		q = q.Where("application_id IN (SELECT a.id FROM applications a WHERE a.office = ? AND a.person_id IN ?)", office, f.Persons)
	}
	if f.Corrected {
		q = q.Where("state = 'issued' AND id IN ("+overtaken+")", office)
	}
	if f.Before != "" {
		q = q.Where("ai < (SELECT ai FROM certificates WHERE office = ? AND id = ?)", office, f.Before)
	}
	var rows []certificateRow // the id is random; ai is the day and a number that rises
	if err := q.Order("ai DESC").Limit(f.Limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list, ids := make([]issuance.Issue, len(rows)), make([]string, len(rows))
	for i, r := range rows {
		list[i], ids[i] = issueSummary(r), r.ID
	}
	var corrected []string
	if err := db.Raw(overtaken+" AND c.certificate_id IN ?", office, ids).Scan(&corrected).Error; err != nil {
		return nil, err
	}
	for n, i := range list {
		list[n].Corrected = i.State == issuance.Issued && slices.Contains(corrected, i.Certificate.ID)
	}
	return list, nil
}

// IssuedOn implements issuance.Store.
func (s *Store) IssuedOn(ctx context.Context, office string, day clock.Date, skip, limit int) ([]string, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	var ids []string
	part := db.Model(&certificateRow{}).Select("id", "ai", "state").
		Where("office = ? AND ai >= ? AND ai < ?", office, certificate.AIOf(office, day, 0), certificate.AIOf(office, day.AddDays(1), 0)).Order("ai").Offset(skip).Limit(limit)
	err = db.Table("(?) AS part", part).Where("state = 'issued'").Order("ai").Pluck("id", &ids).Error
	return ids, err
}

// overtaken are the certificates of which a dose has another version now, or none.
const overtaken = `SELECT c.certificate_id FROM doses d
	JOIN certificate_doses c ON c.office = d.office AND c.dose_id = d.id AND c.dose_version = d.version
	WHERE d.office = ? AND NOT d.is_current`
