package store

import (
	"cmp"
	"context"

	"gorm.io/gorm"

	"akashi/internal/issuance"
)

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

// AddCopy implements issuance.Store.
func (s *Store) AddCopy(ctx context.Context, office string, c issuance.Copy, by string) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	return batch{
		change("copy_number", "UPDATE certificates SET copies = $3 WHERE office = $1 AND id = $2 AND copies = $3 - 1 AND state = 'issued'", office, c.CertificateID, c.Number),
		insert("copies", "office, certificate_id, number, layout, file, pdf_sha256, key_id, signed_at, signature, made_by, made_at", []any{
			office, c.CertificateID, c.Number, c.Layout, c.File, c.SHA256,
			c.Signature.KeyID, milli(c.Signature.At), c.Signature.Value, by, s.clock.Now().UnixMilli(),
		}),
	}.runLater(db)
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
