package store

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"

	"gorm.io/gorm"

	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/internal/statistics"
)

// issuedOf walks the numbers of the span's days (certificates_ai) and finds each application by
// its key: no index of its own, so that issuing pays nothing for being counted. A certificate's
// time of issue is in whole seconds, and so may lie before that of its application.
const issuedOf = `SELECT c.issued_on AS day, c.kind AS kind, a.channel AS channel, c.state AS state,
	CASE WHEN c.supersedes <> '' THEN -1 WHEN c.issued_at < a.created_at THEN 0 WHEN c.issued_at - a.created_at < 600000 THEN (c.issued_at - a.created_at) / 1000
	ELSE (c.issued_at - a.created_at) / 60000 * 60 END AS seconds, COUNT(*) AS count
	FROM certificates c JOIN applications a ON a.office = c.office AND a.id = c.application_id
	WHERE c.office = @office AND a.office = @office AND c.ai >= @from AND c.ai < @to AND c.state IN ('issued', 'superseded', 'revoked') AND (@kind = '' OR c.kind = @kind)
	GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5`

// CountIssued implements statistics.Store.
func (s *Store) CountIssued(ctx context.Context, office string, q statistics.Question) (list []statistics.Issued, err error) {
	err = s.look(ctx, office, func(db *gorm.DB) error {
		return db.Raw(issuedOf, sql.Named("office", office), sql.Named("kind", string(q.Kind)),
			sql.Named("from", certificate.AIOf(office, q.From, 0)), sql.Named("to", certificate.AIOf(office, q.To.AddDays(1), 0))).Scan(&list).Error
	})
	return list, err
}

// refusedOf reads the refused ones of the office (applications_state), which are few.
const refusedOf = `SELECT a.reasons AS reasons, COUNT(*) AS count FROM applications a
	WHERE a.office = @office AND a.state = 'rejected' AND a.updated_at >= @from AND a.updated_at < @to AND (@kind = '' OR a.kind = @kind) GROUP BY 1 ORDER BY 1`

// CountRefused implements statistics.Store.
func (s *Store) CountRefused(ctx context.Context, office string, q statistics.Question) (list []statistics.Refused, err error) {
	var rows []struct {
		Reasons string
		Count   int
	}
	if err = s.look(ctx, office, func(db *gorm.DB) error {
		return db.Raw(refusedOf, sql.Named("office", office), sql.Named("kind", string(q.Kind)),
			sql.Named("from", milli(clock.Midnight(q.From))), sql.Named("to", milli(clock.Midnight(q.To.AddDays(1))))).Scan(&rows).Error
	}); err != nil {
		return nil, err
	}
	for _, r := range rows {
		counted := statistics.Refused{Count: r.Count}
		if err := json.Unmarshal([]byte(r.Reasons), &counted.Reasons); err != nil {
			return nil, fmt.Errorf("store: reasons: %w", err)
		}
		list = append(list, counted)
	}
	return list, nil
}
