package store

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/seal"
	"akashi/signing"
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

type certificateDoseRow struct {
	Office, CertificateID, DoseID string
	DoseVersion                   int
}

func (certificateDoseRow) TableName() string { return "certificate_doses" }

type copyRow struct {
	Office, CertificateID string
	Number                int
	Layout, File          string
	PdfSha256             string
	KeyID                 string
	SignedAt              int64
	Signature             []byte
	MadeBy                string
	MadeAt                int64
}

func (copyRow) TableName() string { return "copies" }

func contentPlace(office, id string) seal.Place {
	return seal.Place{Office: office, Table: "certificates", Column: "content", Row: id, Version: 1}
}

func payloadPlace(office, id string, number int, column string) seal.Place {
	return seal.Place{Office: office, Table: "payloads", Column: column, Row: id + "/" + strconv.Itoa(number), Version: 1}
}

// Prepare implements issuance.Store. The application's row is locked first, so
// that of two issuers one sees what the other did. One that was erased has no data.
func (s *Store) Prepare(ctx context.Context, i issuance.Issue, applicationVersion int) error {
	c := i.Certificate
	db, err := act(ctx, c.Office)
	if err != nil {
		return err
	}
	key, err := s.personKey(db, c.Office, i.PersonKey)
	if err != nil {
		return err
	}
	lock := "" // the SQLite writer is alone anyway
	if s.postgres {
		lock = " FOR UPDATE OF a"
	}
	b, err := s.intent(i, key)
	if err != nil {
		return err
	}
	return append(batch{
		demand("version", `SELECT 1 FROM applications a JOIN person_keys k ON k.office = a.office AND k.id = $3 AND length(k.wrapped) > 0
			WHERE a.office = $1 AND a.id = $2 AND a.version = $4 AND length(a.data) > 0`+lock, c.Office, i.ApplicationID, i.PersonKey, applicationVersion),
		demand("issue_in_progress", `SELECT 1 WHERE NOT EXISTS (
			SELECT 1 FROM certificates WHERE office = $1 AND application_id = $2 AND kind = $3 AND state = 'prepared') AND NOT EXISTS (
			SELECT 1 FROM certificates WHERE office = $1 AND application_id = $2 AND kind = $3 AND state = 'issued' AND id <> $4)`, // each has its index
			c.Office, i.ApplicationID, string(c.Kind), c.Supersedes),
	}, b...).runLater(db)
}

// intent writes a certificate with its payloads and the record it certifies.
func (s *Store) intent(i issuance.Issue, key seal.Key) (batch, error) {
	c := i.Certificate
	content, err := certificate.Encode(c)
	if err != nil {
		return nil, err
	}
	now := s.clock.Now().UnixMilli()
	var payloads, doses [][]any
	for _, p := range i.Payloads {
		payloads = append(payloads, []any{
			c.Office, c.ID, p.Number, string(p.Family), p.Dose, p.KeyID, p.StatusID,
			key.Seal(payloadPlace(c.Office, c.ID, p.Number, "to_sign"), p.ToSign),
		})
	}
	for _, d := range i.Doses {
		doses = append(doses, []any{c.Office, c.ID, d.ID, d.Version})
	}
	return batch{
		insert("certificates", `office, id, application_id, kind, programme, state, person_key, ai, issued_at, issued_on, layout, catalogue,
			supersedes, superseded_by, content, prepared_at, claimed_at, closed_at, reason, cause, copies, renew_by`, []any{
			c.Office, c.ID, i.ApplicationID, string(c.Kind), c.Programme, string(issuance.Prepared), i.PersonKey, c.AI,
			milli(c.IssuedAt), string(c.IssuedOn), c.Layout, c.Catalogue,
			c.Supersedes, "", key.Seal(contentPlace(c.Office, c.ID), content), now, now, 0, "", i.Cause, 0, milli(i.RenewBy),
		}),
		insert("payloads", "office, certificate_id, number, family, dose, key_id, status_id, to_sign", payloads...),
		insert("certificate_doses", "office, certificate_id, dose_id, dose_version", doses...),
	}, nil
}

// Claim implements issuance.Store.
func (s *Store) Claim(ctx context.Context, office, id string, before time.Time) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&certificateRow{}).
		Where("office = ? AND id = ? AND state = 'prepared' AND claimed_at <= ?", office, id, before.UnixMilli()).
		Update("claimed_at", s.clock.Now().UnixMilli()), "claimed")
}

// Commit implements issuance.Store.
func (s *Store) Commit(ctx context.Context, i issuance.Issue) error {
	c := i.Certificate
	db, err := act(ctx, c.Office)
	if err != nil {
		return err
	}
	key, err := s.personKey(db, c.Office, i.PersonKey)
	if err != nil {
		return err
	}
	var b batch
	if c.Supersedes != "" {
		b = append(b, change("predecessor_not_issued", `UPDATE certificates SET superseded_by = $3,
			closed_at = CASE state WHEN 'issued' THEN $4 ELSE closed_at END, state = CASE state WHEN 'issued' THEN 'superseded' ELSE state END
			WHERE office = $1 AND id = $2 AND `+reissuable, c.Office, c.Supersedes, c.ID, s.clock.Now().UnixMilli()))
	}
	b = append(b, change("not_prepared", `UPDATE certificates SET state = 'issued' WHERE office = $1 AND id = $2 AND state = 'prepared'
		AND EXISTS (SELECT 1 FROM person_keys k WHERE k.office = $1 AND k.id = $3 AND length(k.wrapped) > 0)`, c.Office, c.ID, i.PersonKey))
	for _, p := range i.Payloads {
		b = append(b, change("not_prepared", `UPDATE payloads SET code_text = $4
			WHERE office = $1 AND certificate_id = $2 AND number = $3 AND code_text IS NULL`,
			c.Office, c.ID, p.Number, key.Seal(payloadPlace(c.Office, c.ID, p.Number, "code_text"), []byte(p.Text))))
	}
	return append(b, s.issued(i)).runLater(db)
}

// CloseIssue implements issuance.Store.
func (s *Store) CloseIssue(ctx context.Context, office, id string, from []issuance.State, to issuance.State, reason string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	states := make([]string, len(from))
	for i, f := range from {
		states[i] = string(f)
	}
	return changedOne(db.Model(&certificateRow{}).Where("office = ? AND id = ? AND state IN ?", office, id, states).
		Updates(map[string]any{"state": string(to), "reason": reason, "closed_at": s.clock.Now().UnixMilli()}), "certificate_state")
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

// InProgress implements issuance.Store.
func (s *Store) InProgress(ctx context.Context, office, applicationID string) (bool, error) {
	db, err := seeing(ctx, office)
	if err != nil {
		return false, err
	}
	var n int
	err = (batch{one("certificate", []any{&n},
		"SELECT count(*) FROM certificates WHERE office = $1 AND application_id = $2 AND state = 'prepared'", office, applicationID)}).run(db)
	return n > 0, err
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

// AddCopy implements issuance.Store.
func (s *Store) AddCopy(ctx context.Context, office string, c issuance.Copy, by string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	if err := changedOne(db.Model(&certificateRow{}).Where("office = ? AND id = ? AND copies = ?", office, c.CertificateID, c.Number-1).
		Update("copies", c.Number), "copy_number"); err != nil {
		return err
	}
	return db.Create(&copyRow{
		office, c.CertificateID, c.Number, c.Layout, c.File, c.SHA256,
		c.Signature.KeyID, milli(c.Signature.At), c.Signature.Value, by, s.clock.Now().UnixMilli(),
	}).Error
}

// Copy implements issuance.Store.
func (s *Store) Copy(ctx context.Context, office, id string, number int) (issuance.Copy, error) {
	var row copyRow
	err := s.look(ctx, office, func(db *gorm.DB) error {
		return db.Where("office = ? AND certificate_id = ? AND number = ?", office, id, number).Take(&row).Error
	})
	return issuance.Copy{
		CertificateID: id, Number: number, Layout: row.Layout, File: row.File, SHA256: row.PdfSha256,
		Signature: issuance.PaperSignature{KeyID: row.KeyID, At: fromMilli(row.SignedAt), Value: row.Signature},
	}, missing(err, "copy")
}

// Copies implements issuance.Store.
func (s *Store) Copies(ctx context.Context, office, id string) ([]issuance.Copy, error) {
	db, err := act(ctx, office)
	if err != nil {
		return nil, err
	}
	var rows []copyRow
	if err := db.Omit("signature").Where("office = ? AND certificate_id = ?", office, id).Order("number").Find(&rows).Error; err != nil {
		return nil, err
	}
	var people []staffRow
	if err := db.Select("id", "user_id").Where("office = ?", office).
		Where("id IN (SELECT made_by FROM copies WHERE office = ? AND certificate_id = ?)", office, id).Find(&people).Error; err != nil {
		return nil, err
	}
	users := map[string]string{}
	for _, p := range people {
		users[p.ID] = p.UserID
	}
	copies := make([]issuance.Copy, len(rows))
	for i, r := range rows {
		copies[i] = issuance.Copy{
			CertificateID: id, Number: r.Number, Layout: r.Layout, File: r.File, SHA256: r.PdfSha256,
			At: fromMilli(r.MadeAt), By: cmp.Or(users[r.MadeBy], r.MadeBy),
		}
	}
	return copies, nil
}

// OpenIntents implements issuance.Store.
func (s *Store) OpenIntents(ctx context.Context, office string, before time.Time) ([]string, error) {
	var ids []string
	err := s.look(ctx, office, func(db *gorm.DB) error {
		return db.Model(&certificateRow{}).Where("office = ? AND state = 'prepared' AND claimed_at <= ?", office, before.UnixMilli()).
			Order("prepared_at").Limit(1000).Pluck("id", &ids).Error
	})
	return ids, err
}

// ToSign implements signing.Intents: the bytes of a stored intent, or nothing.
func (s *Store) ToSign(ctx context.Context, office, id string) ([]signing.ToSign, error) {
	var list []signing.ToSign
	var person string
	var wrapped []byte
	if err := s.lookupAsSigner(ctx, office, batch{every(func(scan scan) error {
		list = append(list, signing.ToSign{})
		i := &list[len(list)-1]
		var family string
		err := scan(&i.Number, &family, &i.KeyID, &i.Bytes, &person, &wrapped)
		i.Purpose = signing.PurposeOf(family)
		return err
	}, `SELECT p.number, p.family, p.key_id, p.to_sign, t.person_key, k.wrapped FROM payloads p
		JOIN certificates t ON t.office = p.office AND t.id = p.certificate_id`+keyOf+`
		WHERE p.office = $1 AND p.certificate_id = $2 AND t.state = 'prepared' ORDER BY p.number`, office, id)}); err != nil {
		return nil, err
	}
	if len(list) == 0 {
		return nil, fault.New(fault.NotFound, "intent", "")
	}
	var key seal.Key
	if err := s.opening(s.read.WithContext(withOffice(ctx, office)), office, func() (err error) {
		key, err = s.ring.Person(office, person, wrapped)
		return err
	}); err != nil {
		return nil, err
	}
	for n, i := range list {
		var err error
		if list[n].Bytes, err = key.Open(payloadPlace(office, id, i.Number, "to_sign"), i.Bytes); err != nil {
			return nil, err
		}
	}
	return list, nil
}

type counterRow struct {
	Office, Name string
	Value        int
}

func (counterRow) TableName() string { return "counters" }

// TakeNumbers implements issuance.Store: numbers first to first+n-1 are the caller's.
func (s *Store) TakeNumbers(ctx context.Context, office, counter string, n int) (first int, err error) {
	var row counterRow
	err = s.transact(ctx, office, func(ctx context.Context) error {
		db, err := act(ctx, office)
		if err != nil {
			return err
		}
		return db.Raw(`INSERT INTO counters (office, name, value) VALUES (?, ?, ?)
			ON CONFLICT (office, name) DO UPDATE SET value = counters.value + excluded.value RETURNING office, name, value`,
			office, counter, n).Scan(&row).Error
	})
	return row.Value - n + 1, err
}
