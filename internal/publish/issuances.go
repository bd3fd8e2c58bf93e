package publish

import (
	"context"
	"crypto/sha256"
	"errors"
	"slices"
	"strconv"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/certificate/trust"
	"akashi/internal/clock"
	"akashi/internal/merkle"
)

// Logged is what the issuance log is read from.
type Logged interface {
	// IssuedDigests returns those in the places from ≤ n < to of the issuance log's tree.
	IssuedDigests(ctx context.Context, from, to int64) ([][]byte, error)
	// IssuanceCheckpoint returns the newest; empty if there is none.
	IssuanceCheckpoint(ctx context.Context) (string, error)
	// IssuedOfLate tells whether something with this digest was released within the last hour.
	IssuedOfLate(ctx context.Context, digest [sha256.Size]byte) (bool, error)
}

// Issuances publishes the issuance log of an installation, by which a verifier
// recognises a card that was made outside the service with a stolen key
// (docs/issuance-log.md).
type Issuances struct {
	store Logged
	key   string // public, name+hash+key
	check note.Verifier
	clock clock.Clock

	reading sync.Mutex
	looked  time.Time
	digests [][trust.ShortSize]byte // in the order of the tree

	mu  sync.RWMutex
	now edition
}

// lookEvery is how long a newer checkpoint may go unseen.
const lookEvery = 2 * time.Second

// NewIssuances publishes the log whose public key this is.
func NewIssuances(store Logged, key string, c clock.Clock) (*Issuances, error) {
	check, err := note.NewVerifier(key)
	if err != nil {
		return nil, errors.New("publish: not the public key of an issuance log")
	}
	return &Issuances{store: store, key: key, check: check, clock: c}, nil
}

// edition is what is published with one checkpoint.
type edition struct {
	text  string
	size  string
	index []byte
	parts map[string][]byte // buckets by name
}

// Line is what the checkpoint says of the buckets that go with it.
func (p *Issuances) Line(ctx context.Context, c merkle.Checkpoint) (string, error) {
	p.reading.Lock()
	defer p.reading.Unlock()
	e, err := p.make(ctx, c.Size)
	return e.Line(), err
}

var errDigests = errors.New("publish: digests of the issuance log are missing or damaged")

// make reads what is new and returns the edition of the first size leaves.
func (p *Issuances) make(ctx context.Context, size int64) (trust.Edition, error) {
	digests, err := p.store.IssuedDigests(ctx, int64(len(p.digests)), size)
	if err != nil {
		return trust.Edition{}, err
	}
	for _, d := range digests {
		if len(d) != sha256.Size {
			return trust.Edition{}, errDigests
		}
		p.digests = append(p.digests, [trust.ShortSize]byte(d))
	}
	if int64(len(p.digests)) < size {
		return trust.Edition{}, errDigests
	}
	return trust.MakeEdition(p.digests[:size]), nil
}

// Refresh takes up the newest checkpoint, whichever process made it.
func (p *Issuances) Refresh(ctx context.Context) error {
	p.reading.Lock()
	defer p.reading.Unlock()
	return p.refresh(ctx)
}

func (p *Issuances) refresh(ctx context.Context) error {
	text, err := p.store.IssuanceCheckpoint(ctx)
	if err != nil || text == "" || text == p.now.text {
		return err
	}
	c, err := merkle.OpenCheckpoint(text, p.check)
	if err != nil {
		return err
	}
	e, err := p.make(ctx, c.Size)
	if err != nil {
		return err
	}
	if !slices.Contains(c.Also, e.Line()) {
		return errors.New("publish: the stored log is not what its checkpoint vouches for")
	}
	next := edition{text, strconv.FormatInt(c.Size, 10), e.Index(), map[string][]byte{}}
	for i, b := range e.Buckets {
		shift := 16 - 4*e.Digits
		next.parts[trust.BucketName([]byte{byte(i << shift >> 8), byte(i << shift)}, e.Digits)] = b
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.now = next
	return nil
}

// current is the edition as of lookEvery ago at most. While the database cannot be
// asked, the last one is published on: it says itself how old it is.
func (p *Issuances) current(ctx context.Context) edition {
	if now := p.clock.Now(); p.reading.TryLock() {
		if now.Sub(p.looked).Abs() >= lookEvery && p.refresh(ctx) == nil {
			p.looked = now
		}
		p.reading.Unlock()
	}
	p.mu.RLock()
	defer p.mu.RUnlock()
	return p.now
}

// Checkpoint returns the newest checkpoint; empty before the first.
func (p *Issuances) Checkpoint(ctx context.Context) string { return p.current(ctx).text }

// Part returns the index ("index") or a bucket of the edition of that many leaves;
// false if there is none, or a newer edition.
func (p *Issuances) Part(ctx context.Context, size, name string) ([]byte, bool) {
	now := p.current(ctx)
	if size != now.size {
		return nil, false
	}
	if name == "index" {
		return now.index, true
	}
	b, ok := now.parts[name]
	return b, ok
}

// Log returns the whole log for a trust bundle, with the thumbprints of the keys
// that it covers; nil before the first checkpoint. It also knows what was issued
// of late.
func (p *Issuances) Log(ctx context.Context, keys []string) (*trust.IssuanceLog, error) {
	now := p.current(ctx)
	if now.text == "" {
		return nil, nil
	}
	l, err := trust.OpenIssuanceLog(p.key, now.text, now.index, now.parts, keys)
	if err == nil {
		l.Newer = func(digest [sha256.Size]byte) bool {
			newer, err := p.store.IssuedOfLate(context.WithoutCancel(ctx), digest)
			return err == nil && newer
		}
	}
	return l, err
}
