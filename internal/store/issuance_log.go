package store

import (
	"context"
	"crypto/sha256"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"

	"akashi/internal/audit/tree"
	"akashi/internal/issuance"
)

// issued puts the digest of everything that was signed into the issuance log, in
// the transaction that releases it.
func (s *Store) issued(i issuance.Issue) step {
	now := s.clock.Now().UnixMilli()
	rows := make([][]any, len(i.Payloads))
	for n, p := range i.Payloads {
		digest := sha256.Sum256(p.ToSign)
		rows[n] = []any{i.Certificate.Office, s.ids.Row(), now, digest[:]}
	}
	return insert("issuance_log", "office, id, at, digest", rows...)
}

// IssuanceLogSince returns the time before which certificates were made without
// being logged; zero if there was none.
func (s *Store) IssuanceLogSince(ctx context.Context) (time.Time, error) {
	var rows []installationRow
	if err := s.read.WithContext(ctx).Where("name = ?", "issuance_log_since").Find(&rows).Error; err != nil || len(rows) == 0 {
		return time.Time{}, err
	}
	ms, err := strconv.ParseInt(string(rows[0].Value), 10, 64)
	return fromMilli(ms), err
}

// IssuedDigests implements publish.Logged.
func (s *Store) IssuedDigests(ctx context.Context, from, to int64) (digests [][]byte, err error) {
	err = s.Rows(ctx, tree.Issuance, from, to, func(r tree.Row) error {
		if r.Seq != from+int64(len(digests)) {
			return tree.ErrBroken
		}
		digests = append(digests, r.Data)
		return nil
	})
	return digests, err
}

// IssuanceCheckpoint implements publish.Logged.
func (s *Store) IssuanceCheckpoint(ctx context.Context) (string, error) {
	text, _, err := s.LastCheckpoint(ctx, tree.Issuance)
	return text, err
}

// ofLate is how far back IssuedOfLate looks: longer than the published log waits.
const ofLate = time.Hour

// IssuedOfLate tells whether something with this digest was released within the
// last hour, in whichever office.
func (s *Store) IssuedOfLate(ctx context.Context, digest [sha256.Size]byte) (bool, error) {
	var found []int
	since := fmt.Sprintf("%012x", time.Now().Add(-ofLate).UnixMilli()) // as in the row ids, which go by the system's clock
	err := s.look(ctx, installation, func(db *gorm.DB) error {
		return db.Raw(`
			WITH RECURSIVE o(office) AS (
				SELECT min(office) FROM issuance_log UNION ALL SELECT (SELECT min(office) FROM issuance_log WHERE office > o.office) FROM o WHERE o.office IS NOT NULL
			)
			SELECT 1 FROM o JOIN issuance_log e ON e.office = o.office AND e.id > ? WHERE e.digest = ? LIMIT 1`,
			since[:8]+"-"+since[8:], digest[:]).Scan(&found).Error
	})
	return len(found) > 0, err
}
