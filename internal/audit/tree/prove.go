package tree

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
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
	File   bool                           // an export: no checkpoint covers what has no place, so Loose may have lost some
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
	ID    string `json:"id,omitempty"` // office and id, of Backdated and Outside
}

// Report says what was proven.
type Report struct {
	Verdict  Verdict   `json:"verdict"`
	Size     int64     `json:"size"`            // entries in the tree
	Proven   int64     `json:"proven"`          // entries under a checkpoint that agrees
	Unproven int64     `json:"unproven"`        // entries behind the last checkpoint
	Loose    int       `json:"loose"`           // entries that wait for their place
	Since    string    `json:"since,omitempty"` // time of the first of unproven and loose
	Admitted int       `json:"admitted"`        // entries that came late and were let in by people
	Ahead    int       `json:"ahead"`           // entries that say a time of more than Late after the checkpoint that covers them
	Pruned   int       `json:"pruned"`          // entries removed after their time; their hashes are proven
	Points   int       `json:"points"`          // checkpoints that were compared
	Copied   int       `json:"copied"`          // of them from the second place
	Last     time.Time `json:"last"`            // of the last one; zero if none
	Findings []Finding `json:"findings"`        // at most maxFindings
	More     int       `json:"more"`            // findings that are not listed
	File     bool      `json:"file"`            // of an export: whether entries without a place were left out is not proven
	Part     bool      `json:"part"`            // of a part: nor is whether any was left out
}

const maxFindings = 100

// Sound tells whether nothing is wrong.
func (r Report) Sound() bool { return len(r.Findings) == 0 }

// Verdict says how far a log is proven.
type Verdict string

const (
	Whole       Verdict = "proven"         // but for what came since the last checkpoint, in the ordinary course
	Part        Verdict = "proven_in_part" // and more came since than a checkpoint waits for
	Manipulated Verdict = "changed"
	Undecided   Verdict = "undecided" // nothing stands under a checkpoint
)

// judge sets the verdict; newest is the latest time among unproven and loose entries.
func (r *Report) judge(newest time.Time) {
	none := slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == None })
	switch {
	case !r.Sound() && (!none || len(r.Findings)+r.More > 1):
		r.Verdict = Manipulated
	case none || r.Proven == 0 && r.Size > 0:
		r.Verdict = Undecided
	case r.Unproven+int64(r.Loose) > Entries || newest.Sub(r.Last) > ReadOnly:
		r.Verdict = Part
	default:
		r.Verdict = Whole
	}
}

func (r *Report) add(f Finding) {
	if len(r.Findings) >= maxFindings {
		r.More++
		return
	}
	r.Findings = append(r.Findings, f)
}

// Prove compares a log with the checkpoints that were signed of it. An error
// tells that the rows could not be read; what is wrong with them is in the report.
func Prove(e Evidence) (Report, error) {
	r := Report{File: e.File}
	points := e.points(&r)
	p := prover{report: &r, all: points, points: points, admitted: map[string]bool{}}
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
	all    []merkle.Checkpoint
	points []merkle.Checkpoint // those not reached yet
	tree   merkle.Tree
	tile   merkle.Tree
	tiles  []merkle.Hash
	closed time.Time // of the last checkpoint passed; zero while a clock was put back
	agreed int64     // size up to which the tree is the signed one
	parted bool      // a checkpoint did not agree
	since  string    // time of the first entry behind the last checkpoint that agreed
	newest time.Time // of the entries behind that checkpoint

	late     []Finding
	gone     []place
	pruned   []pruning
	admitted map[string]bool // entries that people let in, by office and id
}

// place is that of an entry that is gone.
type place struct {
	seq    int64
	office string
}

// pruning is what an entry log.prune says: that entries of its office before a
// place were removed at a time.
type pruning struct {
	office string
	until  int64
	at     time.Time
}

// PruneAction is what the entry says by which entries were removed (S-087); its
// fact PrunedUntil is the place before which.
const (
	PruneAction = "log.prune"
	PrunedUntil = "until"
)

// MinKept is how long every entry is kept.
const MinKept = 365 * 24 * time.Hour

// PrunedBy is the place that the entry of a pruning names; 0 if none.
func PrunedBy(canonical []byte) (until int64) {
	var told struct {
		Facts map[string]string `json:"facts"`
	}
	if json.Unmarshal(canonical, &told) == nil {
		until, _ = strconv.ParseInt(told.Facts[PrunedUntil], 10, 64)
	}
	return until
}

func (p *prover) row(row Row) error {
	p.pass()
	kind, record := row.check()
	if row.Seq != p.tree.Size() {
		kind = Order
	}
	if kind == Missing {
		p.gone = append(p.gone, place{row.Seq, row.Office})
		kind = ""
	}
	if kind != "" {
		p.report.add(Finding{Kind: kind, Entry: row.Seq, At: atOf(row)})
	}
	if record != nil {
		p.time(row.Seq, *record, row.Data)
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

// time judges when an entry says that it was made.
func (p *prover) time(seq int64, r audit.Record, canonical []byte) {
	if p.since == "" || r.At < p.since {
		p.since = r.At
	}
	at, err := time.Parse(time.RFC3339, r.At)
	if err == nil && at.After(p.newest) {
		p.newest = at
	}
	if err == nil && len(p.points) > 0 && at.After(p.points[0].Time.Add(Late)) {
		p.report.Ahead++
	}
	if r.Action == PruneAction && r.Result == "ok" {
		p.pruned = append(p.pruned, pruning{r.Office, PrunedBy(canonical), at})
	}
	if r.Action == AdmitAction && r.Result == "ok" {
		p.admitted[r.Office+"/"+r.Object] = true
	}
	if !p.closed.IsZero() && isLate(r.At, p.closed) {
		p.late = append(p.late, Finding{Kind: Backdated, Entry: seq, At: r.At, ID: r.Office + "/" + r.ID})
	}
}

// AdmitAction is what the entry says by which people let in another one, its
// object, that came late.
const AdmitAction = "log.admit"

// pass compares the tree with the checkpoints of its present size.
func (p *prover) pass() {
	size := p.tree.Size()
	for len(p.points) > 0 && p.points[0].Size == size {
		c := p.points[0]
		p.points = p.points[1:]
		p.closed = c.Time
		if len(p.points) > 0 && p.points[0].Time.Before(c.Time) {
			p.closed = time.Time{} // the clock was put back: the next checkpoint says so
		}
		if p.tree.Root() == c.Root {
			if !p.parted {
				p.agreed, p.since, p.newest = size, "", time.Time{}
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
		late := len(p.late)
		p.time(-1, record, record.Canonical)
		if len(p.late) > late {
			p.late[late].Kind = Outside
		}
	}
	for _, f := range p.late {
		if p.admitted[f.ID] {
			r.Admitted++
		} else {
			r.add(f)
		}
	}
	p.judgeGone()
	r.Since = p.since
	r.judge(p.newest)
}

// judgeGone counts the entries that were removed as an entry says, at least
// MinKept after a checkpoint covered them; the others are missing.
func (p *prover) judgeGone() {
	for _, g := range p.gone {
		i, _ := slices.BinarySearchFunc(p.all, g.seq+1, func(c merkle.Checkpoint, size int64) int { return cmp.Compare(c.Size, size) })
		if i < len(p.all) && slices.ContainsFunc(p.pruned, func(x pruning) bool {
			return x.office == g.office && g.seq < x.until && !p.all[i].Time.After(x.at.Add(-MinKept))
		}) {
			p.report.Pruned++
			continue
		}
		p.report.add(Finding{Kind: Missing, Entry: g.seq})
	}
}

// looseOf returns those entries of the operation log that have no place yet.
func looseOf(ctx context.Context, s Store) (records []audit.Record, err error) {
	err = unplaced(ctx, s, func(e Entry) error {
		records = append(records, e.record())
		return nil
	})
	return records, err
}

// unplaced calls fn for the entries of the operation log that have no place yet.
func unplaced(ctx context.Context, s Store, fn func(Entry) error) error {
	var last Entry
	for {
		entries, err := s.Unplaced(ctx, Log, "", last, batch)
		if err != nil || len(entries) == 0 {
			return err
		}
		for _, e := range entries {
			if err := fn(e); err != nil {
				return err
			}
		}
		last = entries[len(entries)-1]
	}
}

// record reads an entry; without a time it is a finding.
func (e Entry) record() (r audit.Record) {
	_ = json.Unmarshal(e.Data, &r)
	r.Office, r.ID, r.Canonical = e.Office, e.ID, e.Data
	return r
}

func atOf(r Row) string {
	if r.Columns == nil {
		return ""
	}
	return r.Columns.At
}

func (f Finding) String() string { return fmt.Sprintf("%s %d", f.Kind, f.Entry) }
