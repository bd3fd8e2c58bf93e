package store

import (
	"context"
	"time"

	"gorm.io/gorm"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/publish"
)

// publishedListRow is a finished list; it belongs to the installation.
type publishedListRow struct {
	Name    string `gorm:"primaryKey"`
	Version int64
	At      int64
	Head    string
	Content []byte
}

func (publishedListRow) TableName() string { return "published_lists" }

// ListVersions implements publish.Listed.
func (s *Store) ListVersions(ctx context.Context) (map[string]int64, error) {
	var rows []publishedListRow
	if err := s.read.WithContext(ctx).Omit("head", "content").Find(&rows).Error; err != nil {
		return nil, reachable(err)
	}
	versions := map[string]int64{}
	for _, r := range rows {
		versions[r.Name] = r.Version
	}
	return versions, nil
}

// List implements publish.Listed.
func (s *Store) List(ctx context.Context, name string) (publish.List, error) {
	var r publishedListRow
	err := s.read.WithContext(ctx).Where("name = ?", name).Take(&r).Error
	return publish.List{Name: r.Name, Version: r.Version, At: fromMilli(r.At), Head: r.Head, Content: r.Content}, missing(err, "published_file")
}

// PublishLists implements publish.ListStore.
func (s *Store) PublishLists(ctx context.Context, lists []publish.List) error {
	return s.transact(ctx, installation, func(ctx context.Context) error {
		db, err := act(ctx, installation)
		if err != nil {
			return err
		}
		for _, l := range lists {
			done := db.Exec(`INSERT INTO published_lists (name, version, at, head, content) VALUES (?, ?, ?, ?, ?)
				ON CONFLICT (name) DO UPDATE SET version = excluded.version, at = excluded.at, head = excluded.head, content = excluded.content
				WHERE published_lists.version < excluded.version`, l.Name, l.Version, l.At.UnixMilli(), l.Head, l.Content)
			if done.Error != nil {
				return done.Error
			}
			if done.RowsAffected == 0 {
				return fault.New(fault.Conflict, "version", "")
			}
		}
		return nil
	})
}

// EndedCodes implements publish.ListStore. The codes of a person who was erased
// are among them: nothing of theirs is sealed.
func (s *Store) EndedCodes(ctx context.Context, office string, from time.Time) (codes []publish.EndedCode, err error) {
	var rows []struct {
		Family, KeyID, StatusID, ID, State string
		Dose                               int
		ClosedAt                           int64
	}
	err = s.look(ctx, office, func(db *gorm.DB) error {
		return db.Raw(`SELECT p.family, p.key_id, p.status_id, p.dose, t.id, t.state, t.closed_at
			FROM certificates t JOIN payloads p ON p.office = t.office AND p.certificate_id = t.id
			WHERE t.office = ? AND t.closed_at > 0 AND t.closed_at >= ? AND t.state IN ('revoked', 'superseded')`,
			office, milli(from)).Scan(&rows).Error
	})
	for _, r := range rows {
		c := publish.EndedCode{KeyID: r.KeyID, Certificate: r.ID, Dose: r.Dose, At: fromMilli(r.ClosedAt)}
		c.Family, c.ID, c.Why = certificate.Family(r.Family), r.StatusID, trust.Superseded
		if c.ID == "" { // the code shows the certificate's own
			c.ID = r.ID
		}
		if r.State == string(issuance.Revoked) {
			c.Why = trust.Revoked
		}
		codes = append(codes, c)
	}
	return codes, err
}

// ListVersions implements publish.Listed.
func (p *Published) ListVersions(ctx context.Context) (map[string]int64, error) {
	return p.s.ListVersions(ctx)
}

// List implements publish.Listed.
func (p *Published) List(ctx context.Context, name string) (publish.List, error) {
	return p.s.List(ctx, name)
}
