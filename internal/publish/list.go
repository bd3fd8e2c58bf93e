package publish

import (
	"context"
	"errors"
	"strings"
	"sync"
	"time"

	"akashi/certificate/trust"
)

// List is a finished list of ended codes.
type List struct {
	Name    string // StatusName, or CardListName of a key
	Version int64  // grows with each change
	At      time.Time
	Head    string // what is signed; of the status list
	Content []byte // marks, or the JSON of a list of health cards
}

// StatusName names the signed status list among the lists.
const StatusName = "status"

// CardListName names the list of a key of health cards.
func CardListName(key string) string { return "cards/" + key }

// Listed is what the finished lists are read from.
type Listed interface {
	// ListVersions returns the versions of all lists, by name.
	ListVersions(ctx context.Context) (map[string]int64, error)
	// List returns a list, or a fault.NotFound.
	List(ctx context.Context, name string) (List, error)
}

// Lists gives strangers the finished lists. Each is taken only if it is newer than
// the one before and as it should be; else that is kept, and says itself how old it is.
type Lists struct {
	store Listed
	key   string // of the status list, name+hash+key

	mu     sync.Mutex
	status *trust.StatusList
	cards  map[string]*trust.CardList // by key

	withdrawn map[string]*Withdrawn // by name of the list
	signers   List                  // of HC1 codes, signed
}

// NewLists reads lists; key is the public key of the status list.
func NewLists(store Listed, key string) *Lists {
	return &Lists{store: store, key: key, cards: map[string]*trust.CardList{}, withdrawn: map[string]*Withdrawn{}}
}

// Add returns the bundle with the lists, of which the status list covers the keys.
// What could not be read anew is an error beside the bundle with the lists of before.
func (l *Lists) Add(ctx context.Context, b *trust.Bundle, covers []string) (*trust.Bundle, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	problem := l.refresh(ctx)
	var cards []*trust.CardList
	for _, list := range l.cards {
		cards = append(cards, list)
	}
	out, err := b.WithCardLists(cards...)
	if err != nil {
		return b, err
	}
	if l.status != nil {
		out = out.WithStatus(l.status.Covering(covers))
	}
	return out, problem
}

// ErrList says that a stored list is not taken.
var ErrList = errors.New("publish: a stored list is older than the one before, or damaged; the one before is kept")

func (l *Lists) refresh(ctx context.Context) error {
	versions, err := l.store.ListVersions(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for name, version := range versions {
		errs = append(errs, l.take(ctx, name, version))
	}
	return errors.Join(errs...)
}

func (l *Lists) take(ctx context.Context, name string, version int64) error {
	if name == StatusName {
		if l.status != nil && l.status.Version == version {
			return nil
		}
		stored, err := l.store.List(ctx, name)
		if err != nil {
			return err
		}
		s, err := trust.OpenStatus(l.key, stored.Head, stored.Content, nil)
		if err != nil || s.Older(l.status) {
			return ErrList
		}
		l.status = s
		return nil
	}
	if name == SignersName {
		return l.takeSigners(ctx, version)
	}
	if strings.HasPrefix(name, WithdrawnName("")) {
		return l.takeWithdrawn(ctx, name, version)
	}
	for key, known := range l.cards {
		if CardListName(key) == name && int64(known.Counter) == version {
			return nil
		}
	}
	stored, err := l.store.List(ctx, name)
	if err != nil {
		return err
	}
	c, err := trust.ParseCardList(stored.Content)
	if err != nil || CardListName(c.KeyID) != name || l.cards[c.KeyID] != nil && c.Counter < l.cards[c.KeyID].Counter {
		return ErrList
	}
	l.cards[c.KeyID] = c
	return nil
}

func (l *Lists) takeWithdrawn(ctx context.Context, name string, version int64) error {
	known := l.withdrawn[name]
	if known != nil && known.Version == version {
		return nil
	}
	stored, err := l.store.List(ctx, name)
	if err != nil {
		return err
	}
	w, err := withdrawnOf(stored)
	if err != nil || known != nil && w.Version < known.Version {
		return errors.Join(ErrList, err)
	}
	l.withdrawn[name] = w
	return nil
}

func (l *Lists) takeSigners(ctx context.Context, version int64) error {
	if l.signers.Version == version {
		return nil
	}
	stored, err := l.store.List(ctx, SignersName)
	if err != nil {
		return err
	}
	if stored.Version < l.signers.Version || len(stored.Content) == 0 {
		return ErrList
	}
	l.signers = stored
	return nil
}
