// Package tree makes a log provable: it gives each committed entry a place in a
// Merkle tree, signs the tree's size and root at short intervals after reading
// the stored rows again, and proves a log against what was signed (S-086, L-22).
//
// An act waits for none of this: its entry is committed with it, and one
// sequencer gives it a place afterwards. What an owner of the database changes
// behind the last checkpoint that was copied away cannot be noticed; everything
// before it can.
//
// Three words about time. A time is closed when a checkpoint says that one or a
// later one (Sequencer.closed). An entry is late when it says a time of more than
// Late before the one closed when it came (isLate). The log is fresh while its
// newest checkpoint is younger than ReadOnly, and stale from then on (Freshness).
package tree

import (
	"context"
	"errors"
	"time"

	"akashi/internal/audit"
	"akashi/internal/merkle"
)

// Name is that of a tree.
type Name string

const (
	Log      Name = "log"      // entries of the operation log
	Issuance Name = "issuance" // digests of what was signed (docs/issuance-log.md)
)

// Entry is a row that has no place yet.
type Entry struct {
	Office, ID string
	Data       []byte // what the leaf is the hash of
}

// Leaf is an entry's place to be.
type Leaf struct {
	Office, Entry string
	Hash          merkle.Hash
}

// Row is a leaf with the entry that stands in the log today.
type Row struct {
	Seq        int64
	Office, ID string
	Leaf       []byte
	Data       []byte        // nil if the entry is gone
	Columns    *audit.Record // as its columns read; nil where there are none
}

// Store is the database.
type Store interface {
	// Unplaced returns entries without a place, by office and id, of those with
	// an id above since and behind the one named; an empty since means all.
	Unplaced(ctx context.Context, tree Name, since string, after Entry, limit int) ([]Entry, error)
	// Lead runs fn in a transaction while holder has the lease, which it takes or
	// renews until the given time; it tells false if another holds it.
	Lead(ctx context.Context, lease, holder string, now, until time.Time, fn func(ctx context.Context) error) (bool, error)
	// Place adds leaves and the roots of the tiles that they fill, inside Lead.
	Place(ctx context.Context, tree Name, from int64, leaves []Leaf, firstTile int64, tiles []merkle.Hash) error
	Size(ctx context.Context, tree Name) (int64, error)
	Leaves(ctx context.Context, tree Name, from, to int64) ([]merkle.Hash, error)
	Tiles(ctx context.Context, tree Name) ([]merkle.Hash, error)
	// Rows calls fn for the rows from ≤ seq < to in order.
	Rows(ctx context.Context, tree Name, from, to int64, fn func(Row) error) error
	// KeepCheckpoint adds one, inside Lead.
	KeepCheckpoint(ctx context.Context, tree Name, c merkle.Checkpoint, text string) error
	// LastCheckpoint returns the newest; an empty text if there is none.
	LastCheckpoint(ctx context.Context, tree Name) (text string, at time.Time, err error)
	// Pruned returns for each office below which place its entries may be gone (log.prune).
	Pruned(ctx context.Context) (map[string]int64, error)
	// Admitted tells whether people let in an entry that came late (log.admit).
	Admitted(ctx context.Context, office, id string) (bool, error)
	// Checkpoints returns all, oldest first.
	Checkpoints(ctx context.Context, tree Name) ([]string, error)
}

// ErrMoved tells that the tree grew while a place was being given.
var ErrMoved = errors.New("tree: another sequencer has placed entries")
