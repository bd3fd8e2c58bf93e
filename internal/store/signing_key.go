package store

import (
	"context"
	"slices"
	"sync"
	"time"

	"gorm.io/gorm/clause"

	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/signing"
)

type signingKeyRow struct {
	ID, Purpose, Issuer, Algorithm string
	PublicKey, Certificate         []byte
	State                          string
	NotBefore, NotAfter            int64
	UsageFrom, UsageTo             int64
	Test                           bool
	Handle                         string
	CreatedAt                      int64 `gorm:"autoCreateTime:false"`
}

func (signingKeyRow) TableName() string { return "signing_keys" }

func (r signingKeyRow) key() signing.Key {
	return signing.Key{
		ID: r.ID, Purpose: signing.Purpose(r.Purpose), Issuer: r.Issuer, Algorithm: r.Algorithm,
		Public: r.PublicKey, Certificate: r.Certificate, State: signing.State(r.State),
		NotBefore: fromMilli(r.NotBefore), NotAfter: fromMilli(r.NotAfter),
		UsageFrom: fromMilli(r.UsageFrom), UsageTo: fromMilli(r.UsageTo), Test: r.Test, Handle: r.Handle,
	}
}

// RegisterKeys adds keys that the database does not know yet. It runs inside an act.
func (s *Store) RegisterKeys(ctx context.Context, office string, keys []signing.Key) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	rows := make([]signingKeyRow, len(keys))
	for i, k := range keys {
		rows[i] = signingKeyRow{
			ID: k.ID, Purpose: string(k.Purpose), Issuer: k.Issuer, Algorithm: k.Algorithm, PublicKey: k.Public,
			Certificate: k.Certificate, State: string(k.State), NotBefore: milli(k.NotBefore), NotAfter: milli(k.NotAfter),
			UsageFrom: milli(k.UsageFrom), UsageTo: milli(k.UsageTo), Test: k.Test, Handle: k.Handle, CreatedAt: s.clock.Now().UnixMilli(),
		}
	}
	changesKeys(ctx)
	return db.Clauses(clause.OnConflict{DoNothing: true}).Create(&rows).Error
}

// keyLife is how long a change of a signing key by another process may go
// unseen. A change by this process is seen as soon as it is committed.
const keyLife = 2 * time.Second

// keyCache keeps the signing keys as last read: each certificate asks for them
// many times.
type keyCache struct {
	mu      sync.Mutex
	keys    []signing.Key
	read    time.Time
	changes int // counts forget, so that a read begun before does not come in after it
}

func (c *keyCache) get(now time.Time) (keys []signing.Key, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if now.Sub(c.read).Abs() >= keyLife {
		return nil, c.changes
	}
	return c.keys, c.changes
}

func (c *keyCache) put(keys []signing.Key, read time.Time, changes int) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if changes == c.changes {
		c.keys, c.read = keys, read
	}
}

func (c *keyCache) forget() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.keys, c.read = nil, time.Time{}
	c.changes++
}

// changesKeys makes the act forget the cached keys when it has ended.
func changesKeys(ctx context.Context) {
	if t, ok := ctx.Value(txKey{}).(tx); ok {
		*t.moved = true
	}
}

// SigningKeys returns all keys, oldest first, as they were at most keyLife ago.
// Keys belong to the installation.
func (s *Store) SigningKeys(ctx context.Context) ([]signing.Key, error) {
	now := s.clock.Now()
	known, changes := s.keys.get(now)
	if known != nil {
		return slices.Clone(known), nil
	}
	keys, err := s.readKeys(ctx)
	if err != nil {
		return nil, err
	}
	s.keys.put(keys, now, changes)
	return slices.Clone(keys), nil
}

func (s *Store) readKeys(ctx context.Context) ([]signing.Key, error) {
	var rows []signingKeyRow
	if err := s.read.WithContext(ctx).Order("created_at, id").Find(&rows).Error; err != nil {
		return nil, reachable(err)
	}
	keys := make([]signing.Key, len(rows))
	for i, r := range rows {
		keys[i] = r.key()
	}
	return keys, nil
}

// SigningKey returns one key; fault NotFound if there is none.
func (s *Store) SigningKey(ctx context.Context, id string) (signing.Key, error) {
	keys, err := s.SigningKeys(ctx)
	if err != nil {
		return signing.Key{}, err
	}
	at := slices.IndexFunc(keys, func(k signing.Key) bool { return k.ID == id })
	if at < 0 {
		return signing.Key{}, fault.New(fault.NotFound, "signing_key", "")
	}
	return keys[at], nil
}

// MoveKey changes the state of a key from the state it was read in.
func (s *Store) MoveKey(ctx context.Context, office string, k signing.Key, to signing.State) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	changesKeys(ctx)
	return changedOne(db.Model(&signingKeyRow{}).Where("id = ? AND state = ?", k.ID, string(k.State)).Update("state", string(to)), "key_state")
}

// CertificatesOfKey lists the certificates of an office that a key signed, by id,
// without content: whom it concerns that the key was withdrawn (S-068).
func (s *Store) CertificatesOfKey(ctx context.Context, office, key string) (list []issuance.Issue, err error) {
	err = s.lookup(ctx, office, batch{every(func(scan scan) error {
		var i issuance.Issue
		err := scan(&i.Certificate.ID, &i.State, &i.Reason, &i.SupersededBy)
		list = append(list, i)
		return err
	}, `SELECT DISTINCT t.id, t.state, t.reason, t.superseded_by FROM payloads p JOIN certificates t ON t.office = p.office AND t.id = p.certificate_id
		WHERE p.office = $1 AND p.key_id = $2 AND t.state <> 'failed' ORDER BY t.id`, office, key)})
	return list, err
}
