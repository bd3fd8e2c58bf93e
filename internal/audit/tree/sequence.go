package tree

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/clock"
	"akashi/internal/merkle"
)

const (
	batch     = 512            // entries of one transaction; SQLite's acts wait meanwhile
	leaseTime = time.Minute    // after it another node takes over from a dead one
	nearPast  = time.Minute    // entries that may be committed later than a younger one
	farPast   = time.Hour      // the same, looked for before each checkpoint
	allPast   = 24 * time.Hour // how often the whole log is searched for entries without a place
)

// Sequencer gives the entries of one tree their places. One at a time does so
// over all nodes; what it knows can be lost at any moment.
type Sequencer struct {
	Store  Store
	Tree   Name
	Holder string // this process
	Clock  clock.Clock

	newest   string    // id among those placed by this process
	closed   time.Time // the time that the last checkpoint says
	searched time.Time // when the whole log was searched
}

func (s *Sequencer) lead(ctx context.Context, fn func(ctx context.Context) error) (bool, error) {
	now := s.Clock.Now()
	return s.Store.Lead(ctx, "tree:"+string(s.Tree), s.Holder, now, now.Add(leaseTime), fn)
}

// Step places what has been committed of late and returns the number of entries;
// led is false if another process does the work.
func (s *Sequencer) Step(ctx context.Context) (placed int, led bool, err error) {
	if s.newest == "" || s.Clock.Now().Sub(s.searched) >= allPast {
		return s.Sweep(ctx)
	}
	return s.place(ctx, idBefore(s.newest, nearPast))
}

// Late is how long before the last checkpoint an entry may say that it was made:
// longer than the database lets a transaction wait (store: for a lock, and between
// two statements), with as much for clocks of nodes that differ.
const Late = 2 * time.Minute

// ErrLate tells of entries that say a time long signed for: somebody may have put
// them in. They get no place, and no checkpoint of their tree is signed, until people have looked.
var ErrLate = fmt.Errorf("%w: inserted late", ErrBroken)

// Sweep places everything that has no place yet.
func (s *Sequencer) Sweep(ctx context.Context) (placed int, led bool, err error) {
	began := s.Clock.Now()
	placed, led, err = s.place(ctx, "")
	if err == nil && led {
		s.searched = began
	}
	return placed, led, err
}

func (s *Sequencer) place(ctx context.Context, since string) (placed int, led bool, err error) {
	var last Entry
	var late int
	defer func() {
		if late > 0 && err == nil {
			s.searched = time.Time{} // until it is settled
			err = fmt.Errorf("%w: %d entries", ErrLate, late)
		}
	}()
	for {
		entries, err := s.Store.Unplaced(ctx, s.Tree, since, last, batch)
		if err != nil {
			return placed, true, err
		}
		if len(entries) == 0 {
			return placed, true, nil
		}
		last = entries[len(entries)-1]
		full := len(entries) == batch
		n := len(entries)
		if entries, err = s.inTime(ctx, entries); err != nil {
			return placed, true, err
		}
		late += n - len(entries)
		if len(entries) > 0 {
			if led, err = s.lead(ctx, func(ctx context.Context) error { return s.append(ctx, entries) }); err != nil || !led {
				return placed, led, err
			}
		}
		placed += len(entries)
		for _, e := range entries {
			s.newest = max(s.newest, e.ID)
		}
		if !full {
			return placed, true, nil
		}
	}
}

// inTime leaves out entries of a time that was signed for before they came. While
// that time is still to come, since a clock was ahead, nothing can be said.
func (s *Sequencer) inTime(ctx context.Context, entries []Entry) ([]Entry, error) {
	if s.Tree != Log || s.closed.IsZero() || s.closed.After(s.Clock.Now()) {
		return entries, nil
	}
	good := make([]Entry, 0, len(entries))
	for _, e := range entries {
		admitted := !isLate(madeAt(e.Data), s.closed)
		if !admitted {
			var err error
			if admitted, err = s.Store.Admitted(ctx, e.Office, e.ID); err != nil {
				return nil, err
			}
		}
		if admitted {
			good = append(good, e)
		}
	}
	return good, nil
}

// isLate tells whether an entry of the time came after it was closed.
func isLate(at string, closed time.Time) bool {
	t, err := time.Parse(time.RFC3339, at)
	return err != nil || t.Before(closed.Add(-Late))
}

// madeAt is the time that an entry of the operation log says; empty if it says none.
func madeAt(canonical []byte) string {
	var told struct {
		At string `json:"at"`
	}
	_ = json.Unmarshal(canonical, &told) // without a time it is late
	return told.At
}

// append adds a batch at the end of the tree, older entries first.
func (s *Sequencer) append(ctx context.Context, entries []Entry) error {
	size, err := s.Store.Size(ctx, s.Tree)
	if err != nil {
		return err
	}
	begun := size - size%merkle.TileSize
	open, err := s.Store.Leaves(ctx, s.Tree, begun, size)
	if err != nil {
		return err
	}
	if int64(len(open)) != size-begun {
		return fmt.Errorf("%w: %d leaves of the open tile are stored, not %d", ErrBroken, len(open), size-begun)
	}
	entries = slices.Clone(entries)
	slices.SortStableFunc(entries, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	leaves := make([]Leaf, len(entries))
	for i, e := range entries {
		leaves[i] = Leaf{e.Office, e.ID, merkle.Leaf(e.Data)}
		open = append(open, leaves[i].Hash)
	}
	return s.Store.Place(ctx, s.Tree, size, leaves, begun/merkle.TileSize, tilesOf(open))
}

// tilesOf returns the roots of the full tiles.
func tilesOf(leaves []merkle.Hash) (roots []merkle.Hash) {
	for ; len(leaves) >= merkle.TileSize; leaves = leaves[merkle.TileSize:] {
		var t merkle.Tree
		for _, h := range leaves[:merkle.TileSize] {
			t.Append(h)
		}
		roots = append(roots, t.Root())
	}
	return roots
}

// idBefore returns the smallest UUIDv7 made the given time before this one.
func idBefore(id string, d time.Duration) string {
	if len(id) < 13 {
		return ""
	}
	ms, err := strconv.ParseInt(id[:8]+id[9:13], 16, 64)
	if err != nil {
		return ""
	}
	text := fmt.Sprintf("%012x", max(ms-d.Milliseconds(), 0))
	return text[:8] + "-" + text[8:]
}
