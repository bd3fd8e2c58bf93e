package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"akashi/certificate"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/seal"
	"akashi/signing"
)

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
