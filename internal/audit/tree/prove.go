package tree

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/audit"
	"akashi/internal/merkle"
)

// Evidence is what a log is proven with.
type Evidence struct {
	Rows   func(fn func(Row) error) error // all, in the order in which they are stored
	Tiles  []merkle.Hash                  // stored inner nodes; nil where there are none to check
	Loose  []audit.Record                 // entries of the log without a place
	Copied []string                       // checkpoints from the second place
	Own    []string                       // checkpoints from the database or export
	Key    note.Verifier                  // pinned
}

// Stored is the evidence of a live database, which goes on growing meanwhile.
func Stored(ctx context.Context, s Store, tree Name, copied []string, key note.Verifier) (e Evidence, err error) {
	e = Evidence{Copied: copied, Key: key}
	if e.Own, err = s.Checkpoints(ctx, tree); err != nil {
		return e, err
	}
	size, err := s.Size(ctx, tree)
	if err != nil {
		return e, err
	}
	if e.Tiles, err = s.Tiles(ctx, tree); err != nil && !errors.Is(err, ErrBroken) {
		return e, err
	}
	e.Tiles = append([]merkle.Hash{}, e.Tiles[:min(int64(len(e.Tiles)), size/merkle.TileSize)]...)
	e.Rows = func(fn func(Row) error) error { return s.Rows(ctx, tree, 0, size, fn) }
	if tree == Log {
		e.Loose, err = looseOf(ctx, s)
	}
	return e, err
}

// Finding is one thing that is wrong.
type Finding struct {
	Kind  Kind   `json:"kind"`
	Entry int64  `json:"entry"`          // place in the tree, from 0; -1 where none is meant
	Until int64  `json:"until,omitzero"` // of Root: the place before which the change lies
	At    string `json:"at,omitempty"`
}

// Report says what was proven.
type Report struct {
	Size     int64     `json:"size"`     // entries in the tree
	Proven   int64     `json:"proven"`   // entries under a checkpoint that agrees
	Unproven int64     `json:"unproven"` // entries behind the last checkpoint
	Loose    int       `json:"loose"`    // entries that wait for their place
	Points   int       `json:"points"`   // checkpoints that were compared
	Copied   int       `json:"copied"`   // of them from the second place
	Last     time.Time `json:"last"`     // of the last one; zero if none
	Findings []Finding `json:"findings"` // at most maxFindings
	More     int       `json:"more"`     // findings that are not listed
}

const maxFindings = 100

// Sound tells whether nothing is wrong.
func (r Report) Sound() bool { return len(r.Findings) == 0 }

func (r *Report) add(f Finding) {
	if len(r.Findings) >= maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, f)
}

// late is how much older than the checkpoint before it an entry may say it is: a
// transaction that waited.
const late = time.Hour

// Prove compares a log with the checkpoints that were signed of it. An error
// tells that the rows could not be read; what is wrong with them is in the report.
func Prove(e Evidence) (Report, error) {
	var r Report
	points := e.points(&r)
	p := prover{report: &r, points: points}
	if err := e.Rows(p.row); err != nil {
		return r, err
	}
	p.end(e)
	return r, nil
}

// points opens the checkpoints, smallest first.
func (e Evidence) points(r *Report) (points []merkle.Checkpoint) {
	known := map[string]bool{}
	for i, texts := range [][]string{e.Copied, e.Own} {
		for _, text := range texts {
			if known[text] {
				continue
			}
			known[text] = true
			c, err := merkle.OpenCheckpoint(text, e.Key)
			if err != nil {
				r.add(Finding{Kind: Signature, Entry: -1})
				continue
			}
			points = append(points, c)
			if i == 0 {
				r.Copied++
			}
		}
	}
	slices.SortFunc(points, func(a, b merkle.Checkpoint) int { return cmp.Or(cmp.Compare(a.Size, b.Size), a.Time.Compare(b.Time)) })
	for i, c := range points {
		if i > 0 && c.Size == points[i-1].Size && c.Root != points[i-1].Root {
			r.add(Finding{Kind: Fork, Entry: c.Size})
		}
		if c.Time.After(r.Last) {
			r.Last = c.Time
		}
	}
	r.Points = len(points)
	if len(points) == 0 {
		r.add(Finding{Kind: None, Entry: -1})
	}
	return points
}

// prover goes once through the rows.
type prover struct {
	report *Report
	points []merkle.Checkpoint // those not reached yet
	tree   merkle.Tree
	tile   merkle.Tree
	tiles  []merkle.Hash
	closed time.Time // of the last checkpoint passed
	agreed int64     // size up to which the tree is the signed one
	parted bool      // a checkpoint did not agree
}

func (p *prover) row(row Row) error {
	p.pass()
	kind, record := row.check()
	if row.Seq != p.tree.Size() {
		kind = Order
	}
	if kind != "" {
		p.report.add(Finding{Kind: kind, Entry: row.Seq, At: atOf(row)})
	}
	if record != nil && !p.closed.IsZero() {
		if at, err := time.Parse(time.RFC3339, record.At); err != nil || at.Before(p.closed.Add(-late)) {
			p.report.add(Finding{Kind: Backdated, Entry: row.Seq, At: record.At})
		}
	}
	leaf, ok := merkle.HashOf(row.Leaf)
	if !ok && kind == "" {
		p.report.add(Finding{Kind: Changed, Entry: row.Seq})
	}
	p.tree.Append(leaf)
	p.tile.Append(leaf)
	if p.tile.Size() == merkle.TileSize {
		p.tiles = append(p.tiles, p.tile.Root())
		p.tile = merkle.Tree{}
	}
	return nil
}

// pass compares the tree with the checkpoints of its present size.
func (p *prover) pass() {
	size := p.tree.Size()
	for len(p.points) > 0 && p.points[0].Size == size {
		c := p.points[0]
		p.points = p.points[1:]
		if c.Time.After(p.closed) {
			p.closed = c.Time
		}
		if p.tree.Root() == c.Root {
			if !p.parted {
				p.agreed = size
			}
		} else if !p.parted {
			p.parted = true
			p.report.add(Finding{Kind: Root, Entry: p.agreed, Until: size, At: c.Time.Format(time.RFC3339)})
		}
	}
}

func (p *prover) end(e Evidence) {
	p.pass()
	r := p.report
	r.Size, r.Proven, r.Loose = p.tree.Size(), p.agreed, len(e.Loose)
	r.Unproven = r.Size - r.Proven
	if n := len(p.points); n > 0 {
		r.add(Finding{Kind: Truncated, Entry: r.Size, Until: p.points[n-1].Size})
	}
	if e.Tiles != nil && !slices.Equal(e.Tiles, p.tiles) {
		r.add(Finding{Kind: Tile, Entry: -1})
	}
	for _, record := range e.Loose {
		if at, err := time.Parse(time.RFC3339, record.At); err != nil || at.Before(r.Last.Add(-late)) {
			r.add(Finding{Kind: Outside, Entry: -1, At: record.At})
		}
	}
}

// looseOf returns the records of those entries of the operation log that have no
// place yet, with their time only.
func looseOf(ctx context.Context, s Store) (records []audit.Record, err error) {
	var last Entry
	for {
		entries, err := s.Unplaced(ctx, Log, "", last, batch)
		if err != nil || len(entries) == 0 {
			return records, err
		}
		for _, e := range entries {
			var told struct {
				At string `json:"at"`
			}
			_ = json.Unmarshal(e.Data, &told) // without a time it is a finding
			records = append(records, audit.Record{Office: e.Office, ID: e.ID, At: told.At})
		}
		last = entries[len(entries)-1]
	}
}

func atOf(r Row) string {
	if r.Columns == nil {
		return ""
	}
	return r.Columns.At
}

func (f Finding) String() string { return fmt.Sprintf("%s %d", f.Kind, f.Entry) }
