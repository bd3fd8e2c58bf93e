package store

import (
	"context"

	"akashi/internal/clock"
	"akashi/internal/office"
)

type accountRequestRow struct {
	Office, ID, Kind, StaffID string
	UserID, Name, Unit        string
	Role, Was                 string
	EndsOn, TrainedOn         string
	SectionHead, SystemOwner  string
	RequestedBy               string
	RequestedAt               int64
	ApprovalID, DoneBy        string
	DoneAt                    int64
}

func (accountRequestRow) TableName() string { return "account_requests" }

func (r accountRequestRow) request() office.AccountRequest {
	return office.AccountRequest{
		Office: r.Office, ID: r.ID, Kind: office.Kind(r.Kind), Staff: r.StaffID, User: r.UserID, Name: r.Name, Unit: r.Unit,
		Role: office.Role(r.Role), Was: office.Role(r.Was), Ends: clock.Date(r.EndsOn), Trained: clock.Date(r.TrainedOn),
		SectionHead: r.SectionHead, SystemOwner: r.SystemOwner, RequestedBy: r.RequestedBy, RequestedAt: fromMilli(r.RequestedAt),
		Approval: r.ApprovalID, DoneBy: r.DoneBy, DoneAt: fromMilli(r.DoneAt),
	}
}

// AddAccountRequest implements office.AccountRequestStore.
func (s *Store) AddAccountRequest(ctx context.Context, r office.AccountRequest) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	return db.Create(&accountRequestRow{
		r.Office, r.ID, string(r.Kind), r.Staff, r.User, r.Name, r.Unit, string(r.Role), string(r.Was), string(r.Ends), string(r.Trained),
		r.SectionHead, r.SystemOwner, r.RequestedBy, milli(r.RequestedAt), r.Approval, "", 0,
	}).Error
}

// AccountRequest implements office.AccountRequestStore.
func (s *Store) AccountRequest(ctx context.Context, code, id string) (office.AccountRequest, error) {
	db, err := act(ctx, code)
	if err != nil {
		return office.AccountRequest{}, err
	}
	var row accountRequestRow
	err = db.Where("office = ? AND id = ?", code, id).Take(&row).Error
	return row.request(), missing(err, "account_request")
}

// AccountRequests implements office.AccountRequestStore: newest first.
func (s *Store) AccountRequests(ctx context.Context, code, before string, limit int) (list []office.AccountRequest, err error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Where("office = ?", code)
	var rows []accountRequestRow
	err = newest(q, before, limit).Find(&rows).Error
	for _, r := range rows {
		list = append(list, r.request())
	}
	return list, err
}

// DoneAccountRequest implements office.AccountRequestStore.
func (s *Store) DoneAccountRequest(ctx context.Context, r office.AccountRequest) error {
	db, err := act(ctx, r.Office)
	if err != nil {
		return err
	}
	return changedOne(db.Model(&accountRequestRow{}).Where("office = ? AND id = ? AND done_at = 0", r.Office, r.ID).
		Updates(map[string]any{"staff_id": r.Staff, "done_by": r.DoneBy, "done_at": milli(r.DoneAt)}), "approval_used")
}

// accountLock is the class under which one act at a time asks for a user id.
const accountLock = 4_711_006

// AskedFor implements office.AccountRequestStore.
func (s *Store) AskedFor(ctx context.Context, code, user string) (bool, error) {
	db, err := act(ctx, code)
	if err != nil {
		return false, err
	}
	if err := s.alone(db, accountLock, user); err != nil {
		return false, err
	}
	var open int64
	err = db.Model(&accountRequestRow{}).Where("office = ? AND user_id = ? AND was = '' AND done_at = 0", code, user).
		Where("approval_id IN (?)", db.Model(&approvalRow{}).Select("id").
			Where("office = ? AND used_at = 0 AND outcome IN ? AND expires_at > ?", code, []string{"", string(office.Approved)}, s.clock.Now().UnixMilli())).
		Count(&open).Error
	return open > 0, err
}
