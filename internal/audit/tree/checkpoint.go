package tree

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/merkle"
)

// Times of S-086.
const (
	Every   = 5 * time.Minute // between checkpoints
	Entries = 1000            // or as many new entries
	reread  = 400             // tiles of old entries that a checkpoint reads again, besides all new ones
)

// ErrBroken tells that stored rows are not what was signed: no checkpoint of
// that tree is signed until people have looked.
var ErrBroken = errors.New("tree: the stored log is not what was signed")

// Signer signs checkpoints of one log.
type Signer interface {
	SignCheckpoint(c merkle.Checkpoint) (text string, err error)
	Verifier() note.Verifier
}

// Copies is the second place, run by others.
type Copies interface {
	Keep(c merkle.Checkpoint, text string) error
	Last() (text string, err error) // empty if there is none
}

// Notary signs checkpoints of a tree.
type Notary struct {
	Sequencer
	Key    Signer
	Copies Copies // nil: no second place
	// Also returns further lines of the checkpoint; nil: none.
	Also func(ctx context.Context, c merkle.Checkpoint) (lines []string, err error)
	// Eager is the time after a checkpoint when the next is due as soon as there is an
	// entry; 0: none before Every.
	Eager time.Duration

	next int64 // the old tile to be read again next
}

// Due tells whether a checkpoint is to be signed now.
func (n *Notary) Due(ctx context.Context) (bool, error) {
	text, at, err := n.Store.LastCheckpoint(ctx, n.Tree)
	if err != nil || text == "" {
		return true, err
	}
	age := n.Clock.Now().Sub(at).Abs()
	if age >= Every {
		return true, nil
	}
	last, err := merkle.OpenCheckpoint(text, n.Key.Verifier())
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrBroken, err)
	}
	size, err := n.Store.Size(ctx, n.Tree)
	fresh := size - last.Size
	return fresh >= Entries || n.Eager > 0 && fresh > 0 && age >= n.Eager, err
}

// Checkpoint places what is left, reads the stored rows again, and signs. It
// does nothing if another process leads.
func (n *Notary) Checkpoint(ctx context.Context) error {
	last, err := n.last(ctx)
	if err != nil {
		return err
	}
	n.closed = last.Time
	if _, led, err := n.place(ctx, idBefore(n.newest, farPast)); err != nil || !led {
		return err
	}
	if led, err := n.lead(ctx, func(context.Context) error { return nil }); err != nil || !led {
		return err
	}
	c, err := n.read(ctx, last)
	if err != nil {
		return err
	}
	if n.Also != nil {
		if c.Also, err = n.Also(ctx, c); err != nil {
			return err
		}
	}
	text, err := n.Key.SignCheckpoint(c)
	if err != nil {
		return err
	}
	if n.Copies != nil {
		if err := n.Copies.Keep(c, text); err != nil {
			return err
		}
	}
	led, err := n.lead(ctx, func(ctx context.Context) error { return n.Store.KeepCheckpoint(ctx, n.Tree, c, text) })
	if err == nil && led {
		n.closed = c.Time
	}
	return err
}

// last returns the newest checkpoint that is known, here or at the second place.
func (n *Notary) last(ctx context.Context) (last merkle.Checkpoint, err error) {
	text, _, err := n.Store.LastCheckpoint(ctx, n.Tree)
	if err != nil {
		return last, err
	}
	texts := []string{text}
	if n.Copies != nil {
		if text, err = n.Copies.Last(); err != nil {
			return last, err
		}
		texts = append(texts, text)
	}
	for _, text := range texts {
		if text == "" {
			continue
		}
		c, err := merkle.OpenCheckpoint(text, n.Key.Verifier())
		if err != nil {
			return last, fmt.Errorf("%w: %w", ErrBroken, err)
		}
		if c.Size >= last.Size {
			last = c
		}
	}
	return last, nil
}

// read computes the tree from stored rows: all since the last checkpoint, and in
// turn some older ones, under the roots of the tiles.
func (n *Notary) read(ctx context.Context, last merkle.Checkpoint) (c merkle.Checkpoint, err error) {
	c = merkle.Checkpoint{Origin: n.Key.Verifier().Name(), Time: n.Clock.Now().Truncate(time.Millisecond)}
	tiles, err := n.Store.Tiles(ctx, n.Tree)
	if err != nil {
		return c, err
	}
	if c.Size, err = n.Store.Size(ctx, n.Tree); err != nil {
		return c, err
	}
	if c.Size < last.Size || int64(len(tiles)) < c.Size/merkle.TileSize {
		return c, fmt.Errorf("%w: %s, %d entries in %d tiles, %d signed", ErrBroken, Truncated, c.Size, len(tiles), last.Size)
	}
	var whole merkle.Tree
	full := c.Size / merkle.TileSize
	from := n.next
	for i := range full {
		fresh := (i+1)*merkle.TileSize > last.Size
		turn := i >= from && i < from+reread
		if fresh || turn {
			if err := n.readTile(ctx, i, tiles[i], whole, last); err != nil {
				return c, err
			}
		}
		if err := whole.AppendTile(tiles[i]); err != nil {
			return c, err
		}
	}
	if n.next = from + reread; n.next >= full {
		n.next = 0
	}
	rest, err := n.readRows(ctx, full*merkle.TileSize, c.Size, whole, last)
	c.Root = rest.Root()
	return c, err
}

func (n *Notary) readTile(ctx context.Context, number int64, root merkle.Hash, before merkle.Tree, last merkle.Checkpoint) error {
	from := number * merkle.TileSize
	if _, err := n.readRows(ctx, from, from+merkle.TileSize, before, last); err != nil {
		return err
	}
	leaves, err := n.Store.Leaves(ctx, n.Tree, from, from+merkle.TileSize)
	if err != nil {
		return err
	}
	if got := tilesOf(leaves); len(got) != 1 || got[0] != root {
		return fmt.Errorf("%w: %s %d", ErrBroken, Tile, number)
	}
	return nil
}

// readRows checks rows and returns the tree with them; on the way it must be the
// last checkpoint's.
func (n *Notary) readRows(ctx context.Context, from, to int64, t merkle.Tree, last merkle.Checkpoint) (merkle.Tree, error) {
	t = t.Clone()
	signed := func() error {
		if last.Size > 0 && t.Size() == last.Size && t.Root() != last.Root {
			return fmt.Errorf("%w: %s at %d", ErrBroken, Root, last.Size)
		}
		return nil
	}
	if err := signed(); err != nil {
		return t, err
	}
	next := from
	var pruned map[string]int64
	err := n.Store.Rows(ctx, n.Tree, from, to, func(r Row) (err error) {
		kind, _ := r.check()
		if kind == Missing {
			if pruned == nil {
				if pruned, err = n.Store.Pruned(ctx); err != nil {
					return err
				}
			}
			if n.Tree == Log && r.Seq < pruned[r.Office] {
				kind = ""
			}
		}
		if r.Seq != next || kind != "" {
			return fmt.Errorf("%w: %s, entry %d", ErrBroken, kind, next)
		}
		next++
		h, _ := merkle.HashOf(r.Leaf)
		t.Append(h)
		return signed()
	})
	if err == nil && next != to {
		err = fmt.Errorf("%w: %s, entry %d", ErrBroken, Order, next)
	}
	return t, err
}
