package seal

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Ring holds the file key and the data keys of offices that were loaded. Before
// the first Attach every office has version 0 only.
type Ring struct {
	path string

	mu       sync.RWMutex
	file     *fileKey
	fresh    bool // made here and not written yet
	attached bool
	offices  map[string]*office
	zero     map[derivation]*held
}

type derivation struct {
	office  string
	purpose Purpose
}

// office is the data keys of one office as last read.
type office struct {
	read time.Time
	keys map[Purpose][]*held // newest first
}

type held struct {
	DataKey
	secret []byte
	key    Key
	left   atomic.Int64

	mu    sync.Mutex
	kinds map[string][]byte // search keys by kind of value
}

// maxOffices bounds the offices whose keys are kept: all of the country.
const maxOffices = 1 << 12

func newRing(f *fileKey) *Ring { return &Ring{file: f} }

// NewRing makes a ring with a random file key that lies in memory only.
func NewRing() *Ring { return newRing(randomFileKey()) }

// Attach says that the data keys are rows from now on: an office whose keys are
// not loaded is an error, never version 0.
func (r *Ring) Attach() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.attached = true
}

// NewDataKey makes a version of a data key, wrapped by the file key.
func (r *Ring) NewDataKey(office string, p Purpose, version int, state State) (DataKey, error) {
	d := DataKey{Office: office, Purpose: p, Version: version, State: state}
	var err error
	d.Wrapped, err = r.keeper().Wrap(d.place(), newSecret())
	return d, err
}

func (r *Ring) keeper() Keeper {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.file
}

// KeeperID names the present file key.
func (r *Ring) KeeperID() string { return r.keeper().ID() }

// Rewrap wraps a data key with the file key of another ring. One that it has
// wrapped already stays as it is.
func (r *Ring) Rewrap(d DataKey, next *Ring) ([]byte, error) {
	if id, _, err := KeyID(d.Wrapped); err == nil && id == next.KeeperID() {
		return d.Wrapped, nil
	}
	secret, err := r.keeper().Unwrap(d.place(), d.Wrapped)
	if err != nil {
		return nil, err
	}
	return next.keeper().Wrap(d.place(), secret)
}

// Load keeps the data keys of an office, as read at a time. Versions that are
// known already are not unwrapped again; one that the file key did not wrap is
// tried with the key file as it is now, and with the next.
func (r *Ring) Load(code string, keys []DataKey, read time.Time) error {
	before := r.loaded(code)
	o := &office{read: read, keys: map[Purpose][]*held{}}
	for _, d := range keys {
		if d.State == Retired {
			continue
		}
		h := before.find(d)
		if h == nil {
			secret, err := r.unwrap(d)
			if err != nil {
				return fmt.Errorf("data key %s of office %s: %w", d.ID(), code, err)
			}
			if h, err = r.hold(d, secret); err != nil {
				return err
			}
		} else if h.State != d.State {
			next, err := r.hold(d, h.secret)
			if err != nil {
				return err
			}
			next.left.Store(h.left.Load())
			h = next
		}
		o.keys[d.Purpose] = append(o.keys[d.Purpose], h)
	}
	for _, list := range o.keys {
		slices.SortFunc(list, func(a, b *held) int { return b.Version - a.Version })
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.offices == nil || len(r.offices) >= maxOffices {
		r.offices = map[string]*office{}
	}
	r.offices[code] = o
	return nil
}

func (r *Ring) unwrap(d DataKey) ([]byte, error) {
	r.mu.RLock()
	file := r.file
	r.mu.RUnlock()
	if d.Version == 0 {
		return file.zero(d.Office, d.Purpose), nil
	}
	secret, err := file.Unwrap(d.place(), d.Wrapped)
	if !errors.Is(err, ErrForeignKeeper) || r.path == "" {
		return secret, err
	}
	for _, path := range []string{r.path, NextFile(r.path)} { // somebody changes the file key
		if other, failed := readFile(path); failed == nil {
			if secret, err = other.Unwrap(d.place(), d.Wrapped); err == nil {
				return secret, nil
			}
		}
	}
	return nil, err
}

func (r *Ring) hold(d DataKey, secret []byte) (*held, error) {
	id := d.ID()
	if d.Version == 0 {
		id = r.KeeperID()
	}
	key, err := newKey(id, secret)
	if err != nil {
		return nil, err
	}
	h := &held{DataKey: d, secret: secret, key: key, kinds: map[string][]byte{}}
	h.key.left = &h.left
	h.key.others = func(id string) (Key, error) { return r.version(d.Office, d.Purpose, id) }
	return h, nil
}

func (o *office) find(d DataKey) *held {
	if o == nil {
		return nil
	}
	for _, h := range o.keys[d.Purpose] {
		if h.Version == d.Version {
			return h
		}
	}
	return nil
}

func (r *Ring) loaded(code string) *office {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.offices[code]
}

// Ready tells whether the keys of an office were read after a time and each may
// still seal half a block.
func (r *Ring) Ready(code string, after time.Time) bool {
	o := r.loaded(code)
	if o == nil || o.read.Before(after) {
		return false
	}
	for p, list := range o.keys {
		if h := active(list); h == nil || p.Seals() && h.left.Load() < Block/2 {
			return false
		}
	}
	return true
}

// Left returns how often the active key of a purpose may still seal; 0 when none is loaded.
func (r *Ring) Left(code string, p Purpose) int64 {
	if o := r.loaded(code); o != nil {
		if h := active(o.keys[p]); h != nil {
			return h.left.Load()
		}
	}
	return 0
}

// Grant lets a version seal so many times more, after the count was stored.
func (r *Ring) Grant(code string, p Purpose, version int, uses int64) {
	if h := r.loaded(code).find(DataKey{Purpose: p, Version: version}); h != nil {
		h.left.Add(uses)
	}
}

// Stale lets the next act of an office read its keys again.
func (r *Ring) Stale(code string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if o := r.offices[code]; o != nil {
		r.offices[code] = &office{keys: o.keys}
	}
}

func active(list []*held) *held {
	for _, h := range list {
		if h.State == Active {
			return h
		}
	}
	return nil
}

// versions returns the versions of a data key that can be used; the active one is first.
func (r *Ring) versions(code string, p Purpose) []*held {
	r.mu.RLock()
	attached, o := r.attached, r.offices[code]
	r.mu.RUnlock()
	if !attached && o == nil {
		return []*held{r.versionZero(code, p)}
	}
	if o == nil || active(o.keys[p]) == nil {
		panic(ErrNotReady)
	}
	list := slices.Clone(o.keys[p])
	slices.SortStableFunc(list, func(a, b *held) int {
		switch {
		case a.State == Active:
			return -1
		case b.State == Active:
			return 1
		}
		return 0
	})
	return list
}

// versionZero is the key that was derived from the file key before there were
// data keys. Without a store nothing counts its uses.
func (r *Ring) versionZero(code string, p Purpose) *held {
	at := derivation{code, p}
	r.mu.RLock()
	h, file := r.zero[at], r.file
	r.mu.RUnlock()
	if h != nil {
		return h
	}
	h, err := r.hold(DataKey{Office: code, Purpose: p, State: Active}, file.zero(code, p))
	if err != nil {
		panic(err) // only for impossible lengths
	}
	h.key.left = nil
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.zero == nil || len(r.zero) >= maxOffices {
		r.zero = map[derivation]*held{}
	}
	r.zero[at] = h
	return h
}

func (r *Ring) version(code string, p Purpose, id string) (Key, error) {
	if o := r.loaded(code); o != nil {
		for _, h := range o.keys[p] {
			if h.key.ID == id {
				return h.key, nil
			}
		}
	}
	return Key{}, ErrUnknownKey
}

// Key returns the key of an office for a purpose: it seals with the active
// version and opens what any loaded one has sealed.
func (r *Ring) Key(office string, p Purpose) Key { return r.versions(office, p)[0].key }

// Office returns the office's key for things that belong to no person, such as
// an import file that waits for its second person.
func (r *Ring) Office(office string) Key { return r.Key(office, Office) }

// checkPlace is where the proof stands that a database belongs to a ring.
var checkPlace = Place{Table: "installation", Column: "value", Row: "seal"}

func (r *Ring) proofKey() Key {
	r.mu.RLock()
	defer r.mu.RUnlock()
	k, err := newKey(r.file.id, r.file.derive("", "office"))
	if err != nil {
		panic(err) // only for impossible lengths
	}
	return k
}

// Proof returns a box by which Proves recognises this ring.
func (r *Ring) Proof() []byte { return r.proofKey().Seal(checkPlace, []byte("akashi")) }

// Proves tells whether the box was made by a ring with the same file key.
func (r *Ring) Proves(box []byte) bool {
	_, err := r.proofKey().Open(checkPlace, box)
	return err == nil && len(box) > 0
}

// PersonPlace is where a person's wrapped key stands.
func PersonPlace(office, id string) Place {
	return Place{Office: office, Table: "person_keys", Column: "wrapped", Row: id}
}

// NewPerson makes a key for a person and returns it with its wrapped form.
func (r *Ring) NewPerson(office, id string) (Key, []byte, error) {
	return r.Key(office, Wrap).NewKey(PersonPlace(office, id))
}

// Person unwraps a person's key.
func (r *Ring) Person(office, id string, wrapped []byte) (Key, error) {
	return r.Unwrap(office, Wrap, PersonPlace(office, id), wrapped)
}

// Unwrap returns the key that Key(office, p).NewKey made for the place.
func (r *Ring) Unwrap(office string, p Purpose, at Place, wrapped []byte) (Key, error) {
	id, _, err := KeyID(wrapped)
	if err != nil {
		return Key{}, err
	}
	by, err := r.version(office, p, id)
	if err != nil {
		if r.isAttached() {
			return Key{}, err
		}
		by = r.Key(office, p)
	}
	secret, err := by.Open(at, wrapped)
	if err != nil {
		return Key{}, err
	}
	return newKey(at.Row, secret)
}

func (r *Ring) isAttached() bool {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.attached
}
