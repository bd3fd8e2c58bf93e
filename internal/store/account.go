package store

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/seal"
)

type staffRow struct {
	Office, ID, Name, Role string
	EndsAt, CreatedAt      int64 `gorm:"autoCreateTime:false"`
	UserID, Unit, State    string
	Epoch                  int
	UsedAt                 int64
	Reminder               string
	RemindedAt             int64
	Kin                    string // JSON
}

func (staffRow) TableName() string { return "staff" }

func (r staffRow) staff() office.Staff {
	p := office.Staff{
		ID: r.ID, Office: r.Office, User: r.UserID, Name: r.Name, Unit: r.Unit, Role: office.Role(r.Role),
		State: office.AccountState(r.State), Ends: fromMilli(r.EndsAt), Used: fromMilli(r.UsedAt), Epoch: r.Epoch,
		Reminder: r.Reminder, RemindedAt: fromMilli(r.RemindedAt),
	}
	if r.Kin != noKin {
		_ = json.Unmarshal([]byte(r.Kin), &p.Kin) // as kinText wrote it
	}
	return p
}

const noKin = "[]"

func kinText(kin []string) string {
	if len(kin) == 0 {
		return noKin
	}
	text, _ := json.Marshal(kin) // row ids
	return string(text)
}

// SetKin implements office.AccountStore.
func (s *Store) SetKin(ctx context.Context, p office.Staff, kin []string) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&staffRow{}).Where("office = ? AND id = ? AND kin = ?", p.Office, p.ID, kinText(p.Kin)).Update("kin", kinText(kin)), "version")
}

// PersonByTicket implements office.AccountStore; it runs inside an act.
func (s *Store) PersonByTicket(ctx context.Context, code, ticket string, birth clock.Date) ([]string, error) {
	found, err := s.Register(code).FindByTicket(ctx, ticket)
	if err != nil {
		return nil, err
	}
	if len(found) != 1 || found[0].Subject.BirthDate != birth {
		return nil, fault.New(fault.NotFound, "person", "")
	}
	person := found[0]
	ids := []string{person.ID}
	if person.Subject.Address == "" {
		return ids, nil
	}
	if found, err = s.Register(code).FindByAddress(ctx, person.Subject.Address); err != nil {
		return nil, err
	}
	for _, p := range found {
		if person.Subject.Reissued(p.Subject) {
			ids = append(ids, p.ID)
		}
	}
	return ids, nil
}

// AddStaff implements office.AccountStore.
func (s *Store) AddStaff(ctx context.Context, p office.Staff) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	err = db.Create(&staffRow{
		p.Office, p.ID, p.Name, string(p.Role), milli(p.Ends), s.clock.Now().UnixMilli(), p.User, p.Unit, string(p.State), p.Epoch, milli(p.Used), p.Reminder, milli(p.RemindedAt), kinText(p.Kin),
	}).Error
	if duplicate(err) {
		return fault.New(fault.Conflict, "user_taken", "user_id")
	}
	if err != nil {
		return err
	}
	return s.keepHistory(db, p)
}

// SaveStaff implements office.AccountStore.
func (s *Store) SaveStaff(ctx context.Context, p office.Staff) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	err = changedOne(db.Model(&staffRow{}).Where("office = ? AND id = ? AND epoch = ?", p.Office, p.ID, p.Epoch).Updates(map[string]any{
		"name": p.Name, "unit": p.Unit, "role": string(p.Role), "state": string(p.State), "ends_at": milli(p.Ends), "used_at": milli(p.Used), "epoch": p.Epoch + 1,
	}), "version")
	if err != nil {
		return err
	}
	p.Epoch++
	return s.keepHistory(db, p)
}

// UsedStaff implements office.AccountStore.
func (s *Store) UsedStaff(ctx context.Context, code, id string, at time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&staffRow{}).Where("office = ? AND id = ?", code, id).Update("used_at", milli(at)), "version")
}

// RemindedStaff implements office.AccountStore.
func (s *Store) RemindedStaff(ctx context.Context, code, id, reminder string, at time.Time) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&staffRow{}).Where("office = ? AND id = ?", code, id).
		Updates(map[string]any{"reminder": reminder, "reminded_at": milli(at)}), "version")
}

// Staff implements office.AccountStore.
func (s *Store) Staff(ctx context.Context, code, id string) (office.Staff, error) {
	return s.oneStaff(ctx, code, func(db *gorm.DB) *gorm.DB { return db.Where("office = ? AND id = ?", code, id) })
}

// StaffByUser implements office.AccountStore.
func (s *Store) StaffByUser(ctx context.Context, code, user string) (office.Staff, error) {
	return s.oneStaff(ctx, code, func(db *gorm.DB) *gorm.DB { return db.Where("office = ? AND user_id = ?", code, user) })
}

func (s *Store) oneStaff(ctx context.Context, code string, which func(*gorm.DB) *gorm.DB) (office.Staff, error) {
	var row staffRow
	err := s.look(ctx, code, func(db *gorm.DB) error { return which(db).Take(&row).Error })
	return row.staff(), missing(err, "account")
}

// ListStaff implements office.AccountStore.
func (s *Store) ListStaff(ctx context.Context, code string) (list []office.Staff, err error) {
	var rows []staffRow
	err = s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ?", code).Order("user_id").Find(&rows).Error
	})
	for _, r := range rows {
		list = append(list, r.staff())
	}
	return list, err
}

type passwordRow struct {
	Office, StaffID string `gorm:"primaryKey"`
	Phc             string
	ChangedAt       int64
}

func (passwordRow) TableName() string { return "passwords" }

// SetPassword implements office.CredentialStore.
func (s *Store) SetPassword(ctx context.Context, code, staff, phc string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	return db.Clauses(clause.OnConflict{UpdateAll: true}).Create(&passwordRow{code, staff, phc, s.clock.Now().UnixMilli()}).Error
}

// Password implements office.CredentialStore.
func (s *Store) Password(ctx context.Context, code, staff string) (string, error) {
	var rows []passwordRow
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND staff_id = ?", code, staff).Limit(1).Find(&rows).Error
	})
	if err != nil || len(rows) == 0 {
		return "", err
	}
	return rows[0].Phc, nil
}

type passkeyRow struct {
	Office, ID        string // the id is the credential's, as base64url
	StaffID, Label    string
	Credential        []byte
	CreatedAt, UsedAt int64 `gorm:"autoCreateTime:false"`
}

func (passkeyRow) TableName() string { return "passkeys" }

func passkeyPlace(code, id string) seal.Place {
	return seal.Place{Office: code, Table: "passkeys", Column: "credential", Row: id}
}

// sealedPasskey names the owner beside the credential, so that a row moved to
// another person is found out.
type sealedPasskey struct {
	Staff      string          `json:"staff"`
	Credential json.RawMessage `json:"credential"`
}

func (s *Store) passkeyRow(code string, p office.Passkey) (*passkeyRow, error) {
	text, err := json.Marshal(sealedPasskey{p.Staff, p.Credential})
	id := base64.RawURLEncoding.EncodeToString(p.ID)
	return &passkeyRow{code, id, p.Staff, p.Label, s.ring.Office(code).Seal(passkeyPlace(code, id), text), milli(p.Made), milli(p.Used)}, err
}

func (s *Store) passkey(r passkeyRow) (p office.Passkey, err error) {
	p = office.Passkey{Staff: r.StaffID, Label: r.Label, Made: fromMilli(r.CreatedAt), Used: fromMilli(r.UsedAt)}
	text, err := s.ring.Office(r.Office).Open(passkeyPlace(r.Office, r.ID), r.Credential)
	if err != nil {
		return p, err
	}
	var sealed sealedPasskey
	if err := json.Unmarshal(text, &sealed); err != nil {
		return p, err
	}
	if sealed.Staff != r.StaffID {
		return p, seal.ErrOpen
	}
	p.Credential = sealed.Credential
	p.ID, err = base64.RawURLEncoding.DecodeString(r.ID)
	return p, err
}

// AddPasskey implements office.CredentialStore.
func (s *Store) AddPasskey(ctx context.Context, code string, p office.Passkey) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	row, err := s.passkeyRow(code, p)
	if err != nil {
		return err
	}
	err = db.Create(row).Error
	if duplicate(err) {
		return fault.New(fault.Conflict, "passkey_known", "credential")
	}
	return err
}

// UsedPasskey implements office.CredentialStore.
func (s *Store) UsedPasskey(ctx context.Context, code string, p office.Passkey) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	row, err := s.passkeyRow(code, p)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&passkeyRow{}).Where("office = ? AND id = ? AND staff_id = ?", code, row.ID, p.Staff).
		Updates(map[string]any{"credential": row.Credential, "used_at": row.UsedAt}), "version")
}

// Passkeys implements office.CredentialStore.
func (s *Store) Passkeys(ctx context.Context, code, staff string) (list []office.Passkey, err error) {
	var rows []passkeyRow
	err = s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND staff_id = ?", code, staff).Order("created_at").Find(&rows).Error
	})
	if err != nil {
		return nil, err
	}
	list = make([]office.Passkey, len(rows))
	for i, r := range rows {
		if list[i], err = s.passkey(r); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// RemovePasskey implements office.CredentialStore.
func (s *Store) RemovePasskey(ctx context.Context, code, staff string, id []byte) (left int, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return 0, err
	}
	gone := db.Where("office = ? AND id = ? AND staff_id = ?", code, base64.RawURLEncoding.EncodeToString(id), staff).Delete(&passkeyRow{})
	if gone.Error == nil && gone.RowsAffected == 0 {
		return 0, fault.New(fault.NotFound, "no_such_passkey", "")
	}
	var passkeys, cards int64
	err = errors.Join(gone.Error,
		db.Model(&passkeyRow{}).Where("office = ? AND staff_id = ?", code, staff).Count(&passkeys).Error,
		db.Model(&cardRow{}).Where("office = ? AND staff_id = ?", code, staff).Count(&cards).Error)
	return int(passkeys + cards), err
}

type cardRow struct {
	Office      string
	Fingerprint []byte
	StaffID     string
	CreatedAt   int64 `gorm:"autoCreateTime:false"`
}

func (cardRow) TableName() string { return "cards" }

// AddCard implements office.CredentialStore.
func (s *Store) AddCard(ctx context.Context, code string, fingerprint []byte, staff string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	err = db.Create(&cardRow{code, fingerprint, staff, s.clock.Now().UnixMilli()}).Error
	if duplicate(err) {
		return fault.New(fault.Conflict, "card_known", "")
	}
	return err
}

// CardOf implements office.CredentialStore.
func (s *Store) CardOf(ctx context.Context, code string, fingerprint []byte) (string, error) {
	var row cardRow
	err := s.look(ctx, code, func(db *gorm.DB) error {
		return db.Where("office = ? AND fingerprint = ?", code, fingerprint).Take(&row).Error
	})
	return row.StaffID, missing(err, "account")
}

// ForgetCredentials implements office.CredentialStore.
func (s *Store) ForgetCredentials(ctx context.Context, code, staff string) error {
	db, err := act(ctx, code)
	if err != nil {
		return err
	}
	for _, row := range []any{&passwordRow{}, &passkeyRow{}, &cardRow{}, &linkRow{}, &challengeRow{}, &sessionRow{}, &knownTerminalRow{}} {
		if err := db.Where("office = ? AND staff_id = ?", code, staff).Delete(row).Error; err != nil {
			return err
		}
	}
	return nil
}
