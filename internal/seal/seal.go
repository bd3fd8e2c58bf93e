// Package seal encrypts fields and makes search keys.
//
// Three layers of keys. The file key stands outside the database and wraps the
// data keys (S-073). A data key belongs to one office and one purpose; it is a
// row, random, of a version, and is sealed with at most 2^32 times (S-074). A
// person's key is a row too, wrapped by its office's data key for that, and
// seals what concerns the person: erasing the row erases what it sealed (S-076).
//
// A sealed field is AES-256-GCM with a random nonce, bound to the place it
// stands at, so that it cannot be moved to another row, column or office. The
// box names the key that opens it. Search keys are HMAC-SHA-256 under a data key
// of the office, 128 bits kept (S-075).
package seal

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"sync/atomic"
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

	// Data keys only: how often it may still seal, and its other versions by id.
	left   *atomic.Int64
	others func(id string) (Key, error)
}

func newKey(id string, secret []byte) (Key, error) {
	if len(id) > 255 || len(secret) != keySize {
		return Key{}, errors.New("seal: length of a key or its id")
	}
	block, err := aes.NewCipher(secret)
	if err != nil {
		return Key{}, err
	}
	aead, err := cipher.NewGCM(block)
	return Key{ID: id, aead: aead}, err
}

func newSecret() []byte {
	secret := make([]byte, keySize)
	if _, err := rand.Read(secret); err != nil {
		panic("seal: no randomness: " + err.Error())
	}
	return secret
}

// Seal returns the box {format, key id, nonce, ciphertext}. Nil stays nil, so
// that an absent value stays absent. A data key that has no use left panics with
// ErrUsedUp: a repeated nonce would be worse.
func (k Key) Seal(at Place, plain []byte) []byte {
	if plain == nil {
		return nil
	}
	if k.left != nil && k.left.Add(-1) < 0 {
		panic(ErrUsedUp)
	}
	box := make([]byte, 0, 2+len(k.ID)+nonceSize+len(plain)+16)
	box = append(append(box, format, byte(len(k.ID))), k.ID...)
	nonce := box[len(box) : len(box)+nonceSize]
	if _, err := rand.Read(nonce); err != nil {
		panic("seal: no randomness: " + err.Error())
	}
	return k.aead.Seal(box[:len(box)+nonceSize], nonce, plain, at.bytes())
}

// For returns the key for so many boxes, which the caller has counted.
func (k Key) For(uses int64) Key {
	k.left = &atomic.Int64{}
	k.left.Store(uses)
	return k
}

// NewKey makes a key named like the row it stands in, and its form wrapped by
// this one for that place. ErrUsedUp tells that this one has no use left.
func (k Key) NewKey(at Place) (Key, []byte, error) {
	if k.left != nil && k.left.Add(-1) < 0 {
		return Key{}, nil, ErrUsedUp
	}
	k.left = nil // counted
	secret := newSecret()
	made, err := newKey(at.Row, secret)
	return made, k.Seal(at, secret), err
}

// BoxHead is how every box begins that the key of an id has sealed.
func BoxHead(id string) []byte { return append([]byte{format, byte(len(id))}, id...) }

// KeyID returns the id of the key that a box names, and what follows it.
func KeyID(box []byte) (id string, rest []byte, err error) {
	if len(box) < 2 || box[0] != format || len(box) < 2+int(box[1])+nonceSize {
		return "", nil, ErrOpen
	}
	end := 2 + int(box[1])
	return string(box[2:end]), box[end:], nil
}

// Open returns the plain text of a box sealed by this key, or by another version
// of it, at this place. ErrUnknownKey tells that the version is not loaded.
func (k Key) Open(at Place, box []byte) ([]byte, error) {
	if box == nil {
		return nil, nil
	}
	id, rest, err := KeyID(box)
	if err != nil {
		return nil, err
	}
	if id != k.ID {
		if k.others == nil {
			return nil, ErrOpen
		}
		if k, err = k.others(id); err != nil {
			return nil, err
		}
	}
	plain, err := k.aead.Open(nil, rest[:nonceSize], rest[nonceSize:], at.bytes())
	if err != nil {
		return nil, ErrOpen
	}
	if plain == nil {
		plain = []byte{}
	}
	return plain, nil
}
