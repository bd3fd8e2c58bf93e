package seal

import (
	"errors"
	"fmt"
)

// Purpose of a data key.
type Purpose string

const (
	Wrap       Purpose = "wrap"        // persons' keys
	Office     Purpose = "office"      // what belongs to no person, such as a staged file
	Index      Purpose = "index"       // search keys of the register
	Vault      Purpose = "vault"       // persons' keys to their individual numbers
	VaultIndex Purpose = "vault-index" // search keys of individual numbers
	Pepper     Purpose = "pepper"      // of passwords; it cannot be changed, for nobody knows them
)

// Purposes lists all of them.
func Purposes() []Purpose { return []Purpose{Wrap, Office, Index, Vault, VaultIndex, Pepper} }

// Seals tells whether keys of the purpose seal, and so wear out; the others only hash.
func (p Purpose) Seals() bool { return p == Wrap || p == Office || p == Vault }

// Finds tells whether rows are found by keyed hashes of the purpose.
func (p Purpose) Finds() bool { return p == Index || p == VaultIndex }

// Rotates tells whether a new version can take over what bears an old one.
func (p Purpose) Rotates() bool { return p.Seals() || p.Finds() }

// State of a version of a data key.
type State string

const (
	Next    State = "next"    // made known, so that every process knows it before it is used
	Active  State = "active"  // the one that seals
	Old     State = "old"     // opens and finds only
	Retired State = "retired" // nothing was left that it sealed; its secret is gone
)

// MaxUses is how often a data key may seal (S-074). Block is how many uses a
// process takes at a time, and has left at least half of before an act.
const (
	MaxUses = 1 << 32
	Block   = 1 << 12
)

var (
	// ErrUnknownKey tells that a box names a version that is not loaded.
	ErrUnknownKey = errors.New("seal: unknown version of a data key")
	// ErrUsedUp tells that a data key has no use left in this process.
	ErrUsedUp = errors.New("seal: data key has no use left")
	// ErrNotReady tells that an office's data keys are not loaded.
	ErrNotReady = errors.New("seal: data keys of the office are not loaded")
)

// DataKey is a version of a data key as it is stored. Version 0 has no secret of
// its own: it is derived from the file key, as all keys were once.
type DataKey struct {
	Office  string
	Purpose Purpose
	Version int
	Wrapped []byte
	State   State
	Uses    int64 // at most so many boxes were sealed with it
}

// ID names the version in boxes; version 0 bears the name of the file key.
func (d DataKey) ID() string { return fmt.Sprintf("%s/%d", d.Purpose, d.Version) }

func (d DataKey) place() Place {
	return Place{Office: d.Office, Table: "data_keys", Column: "wrapped", Row: string(d.Purpose), Version: d.Version}
}
