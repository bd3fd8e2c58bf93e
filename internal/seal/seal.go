// Package seal encrypts fields and makes search keys.
//
// A sealed field is AES-256-GCM under a key of the person it belongs to (or of
// the office, where there is no person), bound to the place it stands at, so
// that it cannot be moved to another row, column or office (S-073, S-074). The
// person's key is itself sealed by the office's wrapping key, which is derived
// from the file key. Search keys are HMAC-SHA-256 under a key of the office,
// 128 bits kept (S-075).
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
)

const (
	keySize   = 32
	nonceSize = 12
	format    = 1
)

// ErrOpen is returned when a box cannot be opened: changed, moved, or sealed with another key.
var ErrOpen = errors.New("seal: cannot be opened here with this key")

// Place is where a sealed field stands; it is authenticated with it.
type Place struct {
	Office, Table, Column, Row string
	Version                    int
}

func (p Place) bytes() []byte {
	var b []byte
	for _, s := range []string{p.Office, p.Table, p.Column, p.Row} {
		b = binary.BigEndian.AppendUint32(b, uint32(len(s)))
		b = append(b, s...)
	}
	return binary.BigEndian.AppendUint64(b, uint64(p.Version))
}

// Key seals and opens fields. It is safe for concurrent use.
type Key struct {
	ID   string // at most 255 bytes, stored in each box
	aead cipher.AEAD
}

func newKey(id string, secret []byte) (Key, error) {
	if len(id) > 255 {
		return Key{}, errors.New("seal: key id too long")
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCM(block)
	return Key{ID: id, aead: aead}, err
}

// Seal returns the box {format, key id, nonce, ciphertext}. Nil stays nil, so
// that an absent value stays absent.
func (k Key) Seal(at Place, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	nonce := make([]byte, nonceSize)
	if _, err := rand.Read(nonce); err != nil {
		panic("seal: no randomness: " + err.Error())
	}
	box := make([]byte, 0, 2+len(k.ID)+nonceSize+len(plain)+16)
	box = append(box, format, byte(len(k.ID)))
	box = append(box, k.ID...)
	box = append(box, nonce...)
	return k.aead.Seal(box, nonce, plain, at.bytes())
}

// Open returns the plain text of a box sealed by this key at this place.
func (k Key) Open(at Place, box []byte) ([]byte, error) {
	if box == nil {
		return nil, nil
	}
	if len(box) < 2 || box[0] != format {
		return nil, ErrOpen
	}
	id, rest := int(box[1]), box[2:]
	if len(rest) < id+nonceSize || string(rest[:id]) != k.ID {
		return nil, ErrOpen
	}
	nonce, text := rest[id:id+nonceSize], rest[id+nonceSize:]
	plain, err := k.aead.Open(nil, nonce, text, at.bytes())
	if err != nil {
		return nil, ErrOpen
	}
	if plain == nil {
		plain = []byte{}
	}
	return plain, nil
}

// Ring holds the file key from which the keys of offices are derived.
type Ring struct {
	id     string
	master []byte

	mu      sync.Mutex
	derived map[derivation][]byte
}

type derivation struct{ office, purpose string }

// maxDerived bounds the derived keys that are kept: a few for each office of the country.
const maxDerived = 1 << 14

// OpenFile reads the file key; with create it makes a new one where there is
// none. The file holds "id:base64" and must not be readable by others.
func OpenFile(path string, create bool) (*Ring, error) {
	b, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) && create {
		if err := writeNew(path); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, err
		}
		b, err = os.ReadFile(path)
	}
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("seal: %s must be readable by its owner only (chmod 600)", filepath.Base(path))
	}
	id, text, ok := strings.Cut(strings.TrimSpace(string(b)), ":")
	master, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(master) != keySize {
		return nil, fmt.Errorf("seal: %s is not a key file", filepath.Base(path))
	}
	return &Ring{id: id, master: master}, nil
}

// writeNew makes the file complete before it gets its name: of two processes
// that start at once one wins and both read the same key.
func writeNew(path string) error {
	ring := NewRing()
	tmp, err := os.CreateTemp(filepath.Dir(path), ".seal-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err := fmt.Fprintf(tmp, "%s:%s\n", ring.id, base64.StdEncoding.EncodeToString(ring.master)); err != nil {
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return os.Link(tmp.Name(), path)
}

// NewRing makes a ring with a random file key; tests keep it in memory.
func NewRing() *Ring {
	master := make([]byte, keySize)
	if _, err := rand.Read(master); err != nil {
		panic("seal: no randomness: " + err.Error())
	}
	sum := sha256.Sum256(master)
	return &Ring{id: fmt.Sprintf("f%x", sum[:4]), master: master}
}

func (r *Ring) derive(office, purpose string) []byte {
	r.mu.Lock()
	defer r.mu.Unlock()
	if secret := r.derived[derivation{office, purpose}]; secret != nil {
		return secret
	}
	secret, err := hkdf.Key(sha256.New, r.master, []byte(office), "akashi "+purpose, keySize)
	if err != nil {
		panic(err) // only for impossible lengths
	}
	if r.derived == nil || len(r.derived) >= maxDerived {
		r.derived = map[derivation][]byte{}
	}
	r.derived[derivation{office, purpose}] = secret
	return secret
}

// checkPlace is where the proof stands that a database belongs to a ring.
var checkPlace = Place{Table: "installation", Column: "value", Row: "seal"}

// Proof returns a box by which Proves recognises this ring.
func (r *Ring) Proof() []byte { return r.Office("").Seal(checkPlace, []byte("akashi")) }

// Proves tells whether the box was made by a ring with the same file key.
func (r *Ring) Proves(box []byte) bool {
	_, err := r.Office("").Open(checkPlace, box)
	return err == nil && len(box) > 0
}

// Office returns the office's key for things that belong to no person, such as
// an import file that waits for its second person.
func (r *Ring) Office(office string) Key {
	k, err := newKey(r.id, r.derive(office, "office"))
	if err != nil {
		panic(err)
	}
	return k
}

func (r *Ring) wrapping(office string) Key {
	k, err := newKey(r.id, r.derive(office, "wrap"))
	if err != nil {
		panic(err)
	}
	return k
}

func personPlace(office, id string) Place {
	return Place{Office: office, Table: "person_keys", Column: "wrapped", Row: id}
}

// NewPerson makes a key for a person and returns it with its wrapped form.
func (r *Ring) NewPerson(office, id string) (Key, []byte, error) {
	secret := make([]byte, keySize)
	if _, err := rand.Read(secret); err != nil {
		return Key{}, nil, err
	}
	k, err := newKey(id, secret)
	return k, r.wrapping(office).Seal(personPlace(office, id), secret), err
}

// Person unwraps a person's key.
func (r *Ring) Person(office, id string, wrapped []byte) (Key, error) {
	secret, err := r.wrapping(office).Open(personPlace(office, id), wrapped)
	if err != nil {
		return Key{}, err
	}
	return newKey(id, secret)
}

// Index returns the search key of a value: 16 bytes, different for each office
// and kind of value. The caller normalises the value first.
func (r *Ring) Index(office, kind, value string) []byte {
	mac := hmac.New(sha256.New, r.derive(office, "index "+kind))
	mac.Write([]byte(value))
	return mac.Sum(nil)[:16]
}
