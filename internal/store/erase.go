package store

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"gorm.io/gorm"

	"akashi/internal/custody"
	"akashi/internal/exchange"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/vaccination"
)

type holdRow struct {
	Office, ID       string
	PersonID, Reason string
	SetBy            string
	SetAt            int64
	EndedBy          string
	EndedAt          int64
}

func (holdRow) TableName() string { return "holds" }

// Hold implements custody.Store.
func (s *Store) Hold(ctx context.Context, office, personID, reason, by string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return db.Create(&holdRow{Office: office, ID: s.ids.Row(), PersonID: personID, Reason: reason, SetBy: by, SetAt: s.clock.Now().UnixMilli()}).Error
}

// EndHolds implements custody.Store.
func (s *Store) EndHolds(ctx context.Context, office, personID, by string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	done := db.Model(&holdRow{}).Where("office = ? AND person_id = ? AND ended_at = 0", office, personID).
		Updates(map[string]any{"ended_by": by, "ended_at": s.clock.Now().UnixMilli()})
	if done.Error == nil && done.RowsAffected == 0 {
		return fault.New(fault.NotFound, "hold", "")
	}
	return done.Error
}

// ErasePerson implements custody.Store. What certificates and applications are
// kept for, stays: ids, kinds, states, dates, key and status ids, digests.
func (s *Store) ErasePerson(ctx context.Context, office, personID string) (custody.Erasure, error) {
	r := custody.Erasure{PersonID: personID}
	db, err := act(ctx, office)
	if err != nil {
		return r, err
	}
	if err := s.lockOffice(db, office); err != nil { // an import under way would bring the person again
		return r, err
	}
	if err := free(db, office, personID); err != nil {
		return r, err
	}
	if err := s.eraseRows(db, office, personID); err != nil {
		return r, err
	}
	if err := s.eraseIssued(db, office, personID, &r); err != nil {
		return r, err
	}
	if err := s.eraseRegistered(db, office, personID, &r); err != nil {
		return r, err
	}
	return r, eraseNumbers(db, office, []string{personID})
}

// free refuses somebody whom a hold keeps from being erased.
func free(db *gorm.DB, office, personID string) error {
	var held int64
	if err := db.Model(&holdRow{}).Where("office = ? AND person_id = ? AND ended_at = 0", office, personID).Count(&held).Error; err != nil {
		return err
	}
	if held > 0 {
		return fault.New(fault.Conflict, "person_held", "")
	}
	return nil
}

// eraseRegistered deletes a person's rows and doses, all versions, with their
// search keys, and the key that sealed them.
func (s *Store) eraseRegistered(db *gorm.DB, office, personID string, r *custody.Erasure) error {
	var keys []string
	if err := db.Model(&personRow{}).Where("office = ? AND id = ?", office, personID).Distinct().Pluck("person_key", &keys).Error; err != nil {
		return err
	}
	if len(keys) == 0 {
		return fault.New(fault.NotFound, "person", "")
	}
	if err := db.Exec(`DELETE FROM certificate_doses WHERE office = ? AND dose_id IN (SELECT id FROM doses WHERE office = ? AND person_key IN ?)`,
		office, office, keys).Error; err != nil {
		return err
	}
	for _, row := range []any{&doseRow{}, &personRow{}} {
		done := db.Where("office = ? AND person_key IN ?", office, keys).Delete(row)
		if done.Error != nil {
			return done.Error
		}
		r.Rows += int(done.RowsAffected)
	}
	done := db.Where("office = ? AND id IN ?", office, keys).Delete(&personKeyRow{})
	r.Keys += int(done.RowsAffected)
	return done.Error
}

// eraseIssued erases a person's applications with their certificates.
func (s *Store) eraseIssued(db *gorm.DB, office, personID string, r *custody.Erasure) error {
	var applications []applicationRow
	if err := db.Select("id", "person_key").Where("office = ? AND person_id = ? AND person_id <> ''", office, personID).Find(&applications).Error; err != nil {
		return err
	}
	for _, a := range applications {
		if err := s.eraseApplication(db, office, a, r); err != nil {
			return err
		}
	}
	return nil
}

// eraseApplication empties what is sealed of an application and its certificates
// and destroys their key. One without a certificate goes whole.
func (s *Store) eraseApplication(db *gorm.DB, office string, a applicationRow, r *custody.Erasure) error {
	var certificates []certificateRow
	if err := db.Select("id", "state").Where("office = ? AND application_id = ?", office, a.ID).Find(&certificates).Error; err != nil {
		return err
	}
	for _, c := range certificates {
		if c.State == string(issuance.Prepared) {
			return fault.New(fault.Conflict, "issue_in_progress", "")
		}
		if err := emptied(db.Model(&certificateRow{}).Where("office = ? AND id = ?", office, c.ID), "content"); err != nil {
			return err
		}
		if err := emptied(db.Model(&payloadRow{}).Where("office = ? AND certificate_id = ?", office, c.ID), "to_sign", "code_text"); err != nil {
			return err
		}
	}
	r.Keys++
	r.Rows++
	r.Certificates += len(certificates)
	key := db.Model(&personKeyRow{}).Where("office = ? AND id = ?", office, a.PersonKey)
	row := db.Model(&applicationRow{}).Where("office = ? AND id = ?", office, a.ID)
	if len(certificates) > 0 {
		return errors.Join(emptied(key, "wrapped"), emptied(row, "data"))
	}
	if err := row.Delete(&applicationRow{}).Error; err != nil {
		return err
	}
	return key.Delete(&personKeyRow{}).Error
}

func emptied(rows *gorm.DB, columns ...string) error {
	empty := map[string]any{}
	for _, c := range columns {
		empty[c] = []byte{}
	}
	return rows.Updates(empty).Error
}

// eraseRows empties the rows of files that are about a person of the register: by the
// application that was made of them, by ticket, or by name and date of birth. Rows are
// sealed and few, as they are kept for days; so they are read.
func (s *Store) eraseRows(db *gorm.DB, code, personID string) error {
	var files []fileRow
	if err := db.Where("office = ? AND closed_at = 0", code).Find(&files).Error; err != nil || len(files) == 0 {
		return err
	}
	var people []personRow
	if err := db.Where("office = ? AND id = ?", code, personID).Find(&people).Error; err != nil {
		return err
	}
	var known []vaccination.Subject
	for _, p := range people {
		key, err := s.personKey(db, code, p.PersonKey)
		if err != nil {
			return err
		}
		one, err := unsealed[vaccination.Subject](key, versionPlace(code, "persons", p.ID, p.Version), p.Data)
		if err != nil {
			return err
		}
		known = append(known, one)
	}
	var applications []string
	if err := db.Model(&applicationRow{}).Where("office = ? AND person_id = ? AND person_id <> ''", code, personID).Pluck("id", &applications).Error; err != nil {
		return err
	}
	for _, file := range files {
		if err := s.eraseRowsOf(db, file, known, applications); err != nil {
			return err
		}
	}
	return nil
}

func (s *Store) eraseRowsOf(db *gorm.DB, file fileRow, known []vaccination.Subject, applications []string) error {
	key, err := s.personKey(db, file.Office, file.PersonKey)
	if err != nil {
		return err
	}
	var header []string
	if err := json.Unmarshal([]byte(file.Header), &header); err != nil {
		return err
	}
	var rows []lineRow
	if err := db.Where("office = ? AND batch_id = ? AND length(data) > 0", file.Office, file.ID).Find(&rows).Error; err != nil {
		return err
	}
	for _, r := range rows {
		cells, err := unsealed[[]string](key, linePlace(file.Office, file.ID, r.Line), r.Data)
		if err != nil {
			return err
		}
		about := func(s vaccination.Subject) bool { return exchange.About(header, cells, r.Accepted, s) }
		if !slices.Contains(applications, r.ApplicationID) && !slices.ContainsFunc(known, about) {
			continue
		}
		if err := db.Model(&lineRow{}).Where("office = ? AND batch_id = ? AND line = ?", file.Office, file.ID, r.Line).
			Updates(map[string]any{"data": []byte{}, "findings": "[]", "fault": "not_found:erased", "tries": exchange.Tries}).Error; err != nil {
			return err
		}
	}
	return nil
}
