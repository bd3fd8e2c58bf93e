package store

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"gorm.io/gorm"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
)

// logTime is how entries of the log say the time.
func logTime(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.000Z") }

// idAt is the smallest row id made at the time: it narrows a search in the log,
// whose entries get time and id together.
func idAt(t time.Time) string {
	text := fmt.Sprintf("%012x", max(t.UnixMilli(), 0))
	return text[:8] + "-" + text[8:]
}

// idTime is when a row id was made; zero for what is none.
func idTime(id string) time.Time {
	if len(id) < 13 {
		return time.Time{}
	}
	ms, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
	if err != nil {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

// Day implements watch.UsageStore.
func (s *Store) Day(ctx context.Context, office string, from, until time.Time, fn func(tree.Row) error) error {
	return s.look(ctx, office, func(db *gorm.DB) error {
		rows, err := db.Raw(`SELECT t.seq, e.id, e.at, e.person, e.terminal, e.purpose, e.case_id, e.action, e.object, e.concerned, e.result
			FROM log e LEFT JOIN tree_leaves t ON t.tree = ? AND t.office = e.office AND t.entry_id = e.id
			WHERE e.office = ? AND e.id >= ? AND e.id < ? AND e.at >= ? AND e.at < ?`,
			string(tree.Log), office, idAt(from.Add(-time.Hour)), idAt(until.Add(time.Hour)), logTime(from), logTime(until)).Rows()
		if err != nil {
			return err
		}
		defer func() { _ = rows.Close() }()
		for rows.Next() {
			var r struct {
				Seq                                                                          *int64
				ID, At, Person, Terminal, Purpose, CaseID, Action, Object, Concerned, Result string
			}
			if err := db.ScanRows(rows, &r); err != nil {
				return err
			}
			row := tree.Row{Seq: -1, Office: office, ID: r.ID, Columns: &audit.Record{
				Office: office, ID: r.ID, At: r.At, Person: r.Person, Terminal: r.Terminal, Purpose: r.Purpose, Case: r.CaseID,
				Action: r.Action, Object: r.Object, Concerned: r.Concerned, Result: r.Result,
			}}
			if r.Seq != nil {
				row.Seq = *r.Seq
			}
			if err := fn(row); err != nil {
				return err
			}
		}
		return rows.Err()
	})
}
