package store

import (
	"context"
	"encoding/json"

	"gorm.io/gorm"

	"akashi/internal/office"
)

type approvalRow struct {
	Office, ID, Kind, Object string
	Parameters               string
	Digest                   []byte
	RequestedBy              string
	RequestedAt, ExpiresAt   int64
	DecidedBy                string
	DecidedAt                int64
	Outcome, Reason          string
	UsedBy                   string
	UsedAt                   int64
}

func (approvalRow) TableName() string { return "approvals" }

func (r approvalRow) approval() (office.Approval, error) {
	p := office.Approval{
		Office: r.Office, ID: r.ID, Kind: office.Kind(r.Kind), Object: r.Object, Digest: r.Digest,
		RequestedBy: r.RequestedBy, RequestedAt: fromMilli(r.RequestedAt), ExpiresAt: fromMilli(r.ExpiresAt),
		DecidedBy: r.DecidedBy, DecidedAt: fromMilli(r.DecidedAt), Outcome: office.ApprovalState(r.Outcome), Reason: r.Reason,
		UsedBy: r.UsedBy, UsedAt: fromMilli(r.UsedAt),
	}
	return p, json.Unmarshal([]byte(r.Parameters), &p.Parameters)
}

// AddApproval implements office.ApprovalStore.
func (s *Store) AddApproval(ctx context.Context, p office.Approval) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	parameters, err := json.Marshal(p.Parameters)
	if err != nil {
		return err
	}
	return db.Create(&approvalRow{
		Office: p.Office, ID: p.ID, Kind: string(p.Kind), Object: p.Object, Parameters: string(parameters), Digest: p.Digest,
		RequestedBy: p.RequestedBy, RequestedAt: milli(p.RequestedAt), ExpiresAt: milli(p.ExpiresAt),
	}).Error
}

// Approval implements office.ApprovalStore.
func (s *Store) Approval(ctx context.Context, code, id string) (office.Approval, error) {
	db, err := act(ctx, code)
	if err != nil {
		return office.Approval{}, err
	}
	var row approvalRow
	if err := db.Where("office = ? AND id = ?", code, id).Take(&row).Error; err != nil {
		return office.Approval{}, missing(err, "approval")
	}
	return row.approval()
}

// Approvals implements office.ApprovalStore.
func (s *Store) Approvals(ctx context.Context, code string, f office.ApprovalFilter) ([]office.Approval, error) {
	db, err := act(ctx, code)
	if err != nil {
		return nil, err
	}
	q := db.Where("office = ?", code)
	if f.Kind != "" {
		q = q.Where("kind = ?", string(f.Kind))
	}
	if f.Object != "" {
		q = q.Where("object = ?", f.Object)
	}
	var rows []approvalRow
	if err := newest(q, f.Before, f.Limit).Find(&rows).Error; err != nil {
		return nil, err
	}
	list := make([]office.Approval, len(rows))
	for i, r := range rows {
		if list[i], err = r.approval(); err != nil {
			return nil, err
		}
	}
	return list, nil
}

// DecideApproval implements office.ApprovalStore. Only a withdrawal may follow
// another decision.
func (s *Store) DecideApproval(ctx context.Context, p office.Approval) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	before := []string{""}
	if p.Outcome == office.Withdrawn {
		before = append(before, string(office.Approved))
	}
	return changedOne(db.Model(&approvalRow{}).Where("office = ? AND id = ? AND outcome IN ? AND used_at = 0", p.Office, p.ID, before).
		Updates(map[string]any{
			"decided_by": p.DecidedBy, "decided_at": milli(p.DecidedAt), "outcome": string(p.Outcome), "reason": p.Reason, "expires_at": milli(p.ExpiresAt),
		}), "approval_state")
}

// UseApproval implements office.ApprovalStore: one statement. After a second one
// on the same row PostgreSQL would lock the office's row for its foreign key,
// and imports that wait for that row would meet in a deadlock.
func (s *Store) UseApproval(ctx context.Context, p office.Approval, was office.ApprovalState) error {
	db, err := act(ctx, p.Office)
	if err != nil {
		return err
	}
	outcome := string(office.Approved)
	if was == office.Pending {
		outcome = ""
	}
	return changedOne(db.Model(&approvalRow{}).Where("office = ? AND id = ? AND outcome = ? AND used_at = 0", p.Office, p.ID, outcome).
		Updates(map[string]any{
			"decided_by": p.DecidedBy, "decided_at": milli(p.DecidedAt), "outcome": string(p.Outcome), "expires_at": milli(p.ExpiresAt),
			"used_by": p.UsedBy, "used_at": milli(p.UsedAt),
		}), "approval_used")
}

// approvals reads some, by id.
func (s *Store) approvals(db *gorm.DB, code string, ids []string) (map[string]office.Approval, error) {
	if len(ids) == 0 {
		return nil, nil
	}
	var rows []approvalRow
	if err := db.Where("office = ? AND id IN ?", code, ids).Find(&rows).Error; err != nil {
		return nil, err
	}
	found := map[string]office.Approval{}
	for _, row := range rows {
		p, err := row.approval()
		if err != nil {
			return nil, err
		}
		found[row.ID] = p
	}
	return found, nil
}
