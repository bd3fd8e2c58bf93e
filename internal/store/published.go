package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"gorm.io/driver/sqlite"
	"gorm.io/gorm"

	"akashi/internal/clock"
	"akashi/signing"
)

// Published is the store of a process that serves strangers only: it reads the
// published half of the signing keys, needs no file key, and on PostgreSQL its
// role can do nothing else (S-002).
type Published struct{ s *Store }

// OpenPublished opens an existing database; it makes and migrates none. The URL
// is that of Config.
func OpenPublished(ctx context.Context, address string, c clock.Clock) (*Published, error) {
	s := &Store{clock: c, postgres: strings.HasPrefix(address, "postgres")}
	err := s.openReader(address)
	if err == nil {
		err = s.current(ctx)
	}
	if err != nil {
		return nil, fmt.Errorf("store: %w", errors.Join(err, s.closePools()))
	}
	return &Published{s}, nil
}

func (s *Store) openReader(address string) (err error) {
	if !s.postgres {
		readOnly := url.Values{"_pragma": {"busy_timeout(10000)", "query_only(1)"}, "mode": {"ro"}}
		pool, err := s.pool("sqlite", "file:"+strings.TrimPrefix(address, "sqlite:")+"?"+readOnly.Encode(), 4)
		if err != nil {
			return err
		}
		s.read, err = gorm.Open(sqlite.New(sqlite.Config{Conn: pool, DriverName: "sqlite"}), gormConfig())
		return err
	}
	s.read, err = s.postgresPool(address, 4)
	return err
}

// SigningKeys returns all keys, oldest first, without their handles.
func (p *Published) SigningKeys(ctx context.Context) ([]signing.Key, error) {
	var rows []signingKeyRow
	if err := p.s.read.WithContext(ctx).Omit("handle").Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, reachable(err)
	}
	keys := make([]signing.Key, len(rows))
	for i, r := range rows {
		keys[i] = r.key()
	}
	return keys, nil
}

// IssuedDigests implements publish.Logged.
func (p *Published) IssuedDigests(ctx context.Context, from, to int64) ([][]byte, error) {
	return p.s.IssuedDigests(ctx, from, to)
}

// IssuanceCheckpoint implements publish.Logged.
func (p *Published) IssuanceCheckpoint(ctx context.Context) (string, error) {
	return p.s.IssuanceCheckpoint(ctx)
}

// IssuedOfLate implements publish.Logged.
func (p *Published) IssuedOfLate(ctx context.Context, digest [sha256.Size]byte) (bool, error) {
	return p.s.IssuedOfLate(ctx, digest)
}

// Ping tells whether the database answers.
func (p *Published) Ping(ctx context.Context) error { return p.s.Ping(ctx) }

// CheckRole refuses a role that could do more than it should; see Store.CheckRole.
func (p *Published) CheckRole(ctx context.Context) error { return p.s.CheckRole(ctx) }

// Close closes the database.
func (p *Published) Close() error { return p.s.closePools() }
