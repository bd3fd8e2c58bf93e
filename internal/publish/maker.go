package publish

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/internal/clock"
	"akashi/signing"
)

// EndedCode is a code of a certificate that was revoked or superseded.
type EndedCode struct {
	trust.EndedCode
	KeyID       string
	Certificate string    // its id
	Dose        int       // number of the dose that the code shows; 0: all
	At          time.Time // when it ended
}

// ListStore is what lists are made from and written to.
type ListStore interface {
	Keys
	Listed
	Offices(ctx context.Context) ([]string, error)
	// EndedCodes returns the codes of what ended in an office at that time or later.
	EndedCodes(ctx context.Context, office string, from time.Time) ([]EndedCode, error)
	// PublishLists writes lists together, each only over an older version of it; else
	// none is written, and it is a fault.Conflict.
	PublishLists(ctx context.Context, lists []List) error
}

// Signer signs the head of a status list; its origin is put before it.
type Signer interface {
	SignStatus(head string) (string, error)
}

// Maker makes the lists anew when something has ended. Several may work at a time:
// of two that began with the same version one writes.
type Maker struct {
	Store ListStore
	Key   Signer
	// Signers signs the list of signers of HC1 codes; nil: none is published.
	Signers ListSigner
	Clock   clock.Clock
	Seed    func() [32]byte // secret, another one each time

	mu    sync.Mutex
	codes map[codeID]trust.Ended
	// withdrawn are the EU certificates among them, by key.
	withdrawn map[string]map[euCertificate]bool
	seen      map[string]time.Time // by office: the latest end
	whole     time.Time            // when everything was read
	listed    time.Time            // when an edition was made here
	full      error                // of that edition: lists that could not take all
}

// codeID names a code; it repeats the texts of few families and keys.
type codeID struct {
	family certificate.Family
	key    string
	id     string
}

const (
	// renewEvery is the greatest age of an edition while the service works; everything
	// is then read again.
	renewEvery = time.Hour
	// overlap is longer than a transaction takes, and than clocks of nodes differ.
	overlap = 10 * time.Minute
)

// ErrFull says that more cards of a key have ended than its list can name. The list of
// before stays, the others are made, and the signed one names them all.
var ErrFull = errors.New("publish: more cards of a key have ended than its revocation list can name; let another key sign")

// Step makes an edition if something has ended since the last, or that is an hour
// old. It fails with ErrFull as long as its edition has such a list. The version is a time, so that it grows even where a backup was brought back.
func (m *Maker) Step(ctx context.Context) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	now := m.Clock.Now()
	versions, err := m.Store.ListVersions(ctx) // before what ended is read: whoever writes over this version has seen all in it
	if err != nil {
		return err
	}
	if m.codes == nil || now.Sub(m.whole).Abs() >= renewEvery {
		m.codes, m.seen, m.whole = map[codeID]trust.Ended{}, map[string]time.Time{}, now
		m.withdrawn = map[string]map[euCertificate]bool{}
		m.listed = time.Time{}
	}
	changed, err := m.read(ctx)
	if err != nil {
		m.codes = nil // what was read is not in a list
		return err
	}
	edition := changed || m.listed.IsZero()
	lists, err := m.due(ctx, versions, now, edition)
	if err == nil && len(lists) > 0 {
		err = m.Store.PublishLists(ctx, lists)
	}
	if err != nil {
		m.codes = nil
		return err
	}
	if edition {
		m.listed = now
	}
	return m.full
}

// due makes the lists that have to be written: an edition of what ended if one is, and the
// signers if they are others.
func (m *Maker) due(ctx context.Context, versions map[string]int64, now time.Time, edition bool) (lists []List, err error) {
	if edition {
		if lists, err = m.make(ctx, versions, now); err != nil {
			return nil, err
		}
	}
	signers, err := m.signersList(ctx, versions, now)
	return append(lists, signers...), err
}

func (m *Maker) read(ctx context.Context) (changed bool, err error) {
	offices, err := m.Store.Offices(ctx)
	if err != nil {
		return false, err
	}
	for _, office := range offices {
		var from time.Time
		if at, ok := m.seen[office]; ok {
			from = at.Add(-overlap)
		}
		codes, err := m.Store.EndedCodes(ctx, office, from)
		if err != nil {
			return changed, err
		}
		for _, c := range codes {
			id := codeID{c.Family, c.KeyID, c.ID}
			if m.codes[id] != c.Why {
				m.codes[id], changed = c.Why, true
			}
			changed = m.keepWithdrawn(c) || changed
			if c.At.After(m.seen[office]) {
				m.seen[office] = c.At
			}
		}
	}
	return changed, nil
}

func (m *Maker) make(ctx context.Context, versions map[string]int64, now time.Time) ([]List, error) {
	keys, err := m.Store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	cards := map[string][]string{}
	for _, k := range keys {
		if k.Purpose == signing.SHC && k.State != signing.Compromised {
			cards[k.ID] = nil
		}
	}
	codes := make([]trust.EndedCode, 0, len(m.codes))
	for id, why := range m.codes {
		codes = append(codes, trust.EndedCode{Family: id.family, ID: id.id, Why: why})
		if _, published := cards[id.key]; published && id.family == certificate.SHC {
			cards[id.key] = append(cards[id.key], id.id)
		}
	}
	e := trust.MakeStatus(max(versions[StatusName]+1, now.Unix()), now, codes, m.Seed())
	head, err := m.Key.SignStatus(e.Head())
	if err != nil {
		return nil, err
	}
	lists := []List{{StatusName, e.Version, now, head, e.Marks}}
	m.full = nil
	for key, ids := range cards {
		if len(ids) > trust.MaxCardList {
			m.full = ErrFull
			continue
		}
		list, err := m.cardList(ctx, key, ids, versions[CardListName(key)], now)
		if err != nil {
			return nil, err
		}
		lists = append(lists, list...)
	}
	withdrawn, err := m.withdrawnLists(ctx, keys, versions, now)
	if err != nil {
		return nil, err
	}
	lists = append(lists, withdrawn...)
	slices.SortFunc(lists[1:], func(a, b List) int { return cmp.Compare(a.Name, b.Name) })
	return lists, nil
}

// cardList returns the list of a key if it has to change: it only grows, and so does its counter.
func (m *Maker) cardList(ctx context.Context, key string, ids []string, version int64, now time.Time) ([]List, error) {
	if version > 0 {
		stored, err := m.Store.List(ctx, CardListName(key))
		if err != nil {
			return nil, err
		}
		old, err := trust.ParseCardList(stored.Content)
		if err != nil {
			return nil, errors.New("publish: a stored list of health cards: " + err.Error())
		}
		if old.Len() >= len(ids) {
			return nil, nil
		}
	}
	version = max(version, int64(len(ids))) + 1
	content, err := trust.MakeCardList(key, int(version), ids)
	return []List{{CardListName(key), version, now, "", content}}, err
}
