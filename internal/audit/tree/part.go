package tree

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"time"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"

	"akashi/internal/audit"
	"akashi/internal/merkle"
)

// A part of the log is entries of one office, each with its path to one signed
// checkpoint (RFC 6962, 2.1.1), so that they are proven without those of others. It is
// one JSON value on each line: what it is, the entries by their places, then those
// without a place or behind the checkpoint. Each of its entries is proven; that none
// was left out is not.
type partHead struct {
	Format     int    `json:"akashi_log_part"` // partFormat
	Office     string `json:"office"`
	Entries    int    `json:"entries"`
	Checkpoint string `json:"checkpoint,omitempty"` // missing while none was signed
}

type partLine struct {
	Seq   *int64   `json:"seq,omitempty"` // missing: no checkpoint covers it yet
	Entry string   `json:"entry"`         // the canonical text
	Path  []string `json:"path,omitempty"`
}

const (
	partFormat = 1
	partBegins = `{"akashi_log_part":`
)

// PartStore is what a part is proven with.
type PartStore interface {
	LastCheckpoint(ctx context.Context, tree Name) (text string, at time.Time, err error)
	Tiles(ctx context.Context, tree Name) ([]merkle.Hash, error)
	Leaves(ctx context.Context, tree Name, from, to int64) ([]merkle.Hash, error)
	// Places returns the places in the log of entries of an office that have one.
	Places(ctx context.Context, office string, ids []string) (map[string]int64, error)
}

// WritePart writes entries of an office with their proofs and tells how many are proven.
// An entry that does not lead to the signed root is ErrBroken.
func WritePart(ctx context.Context, s PartStore, w io.Writer, office string, entries []audit.Record) (proven int, err error) {
	text, _, err := s.LastCheckpoint(ctx, Log)
	if err != nil {
		return 0, err
	}
	var signed merkle.Checkpoint
	if text != "" {
		if signed, err = merkle.ReadCheckpoint(text); err != nil {
			return 0, err
		}
	}
	ids := make([]string, len(entries))
	for i, e := range entries {
		ids[i] = e.ID
	}
	places, err := s.Places(ctx, office, ids)
	if err != nil {
		return 0, err
	}
	place := func(e audit.Record) int64 {
		if seq, ok := places[e.ID]; ok && seq < signed.Size {
			return seq
		}
		return signed.Size // behind all others
	}
	entries = slices.SortedStableFunc(slices.Values(entries), func(a, b audit.Record) int { return cmp.Compare(place(a), place(b)) })
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	if err := out.Encode(partHead{partFormat, office, len(entries), text}); err != nil {
		return 0, err
	}
	paths := paths{ctx: ctx, store: s, known: map[[2]int64]merkle.Hash{}, size: signed.Size}
	if paths.tiles, err = s.Tiles(ctx, Log); err != nil {
		return 0, err
	}
	for _, e := range entries {
		line := partLine{Entry: string(e.Canonical)}
		if seq := place(e); seq < signed.Size {
			proof, err := tlog.ProveRecord(signed.Size, seq, &paths)
			if err != nil {
				return proven, err
			}
			if tlog.CheckRecord(proof, signed.Size, signed.Root, seq, merkle.Leaf(e.Canonical)) != nil {
				return proven, fmt.Errorf("%w: entry %d", ErrBroken, seq)
			}
			line.Seq, line.Path = &seq, textsOf(proof)
			proven++
		}
		if err := out.Encode(line); err != nil {
			return proven, err
		}
	}
	return proven, nil
}

func textsOf(path []merkle.Hash) []string {
	texts := make([]string, len(path))
	for i, h := range path {
		texts[i] = base64.StdEncoding.EncodeToString(h[:])
	}
	return texts
}

// paths makes the inner nodes of the stored tree as they are asked for.
type paths struct {
	ctx   context.Context
	store PartStore
	tiles []merkle.Hash
	known map[[2]int64]merkle.Hash // above the tiles, by level and number
	size  int64                    // of the signed tree
	tile  tile                     // of the entry that was asked for last
	last  tile                     // the one that is not full, to which every path leads
}

// ReadHashes implements tlog.HashReader.
func (p *paths) ReadHashes(indexes []int64) ([]merkle.Hash, error) {
	out := make([]merkle.Hash, len(indexes))
	for i, at := range indexes {
		level, n := tlog.SplitStoredHashIndex(at)
		var err error
		if out[i], err = p.node(level, n); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (p *paths) node(level int, n int64) (h merkle.Hash, err error) {
	if level < merkle.TileLevel {
		return p.below(level, n)
	}
	if level == merkle.TileLevel {
		if n >= int64(len(p.tiles)) {
			return h, fmt.Errorf("%w: no tile %d", ErrBroken, n)
		}
		return p.tiles[n], nil
	}
	key := [2]int64{int64(level), n}
	if h, known := p.known[key]; known {
		return h, nil
	}
	left, err := p.node(level-1, 2*n)
	if err != nil {
		return h, err
	}
	right, err := p.node(level-1, 2*n+1)
	p.known[key] = tlog.NodeHash(left, right)
	return p.known[key], err
}

// below is a node inside a tile, all of which are made once.
func (p *paths) below(level int, n int64) (h merkle.Hash, err error) {
	at := n << level
	first := at - at%merkle.TileSize
	t := &p.tile
	if first == p.size-p.size%merkle.TileSize {
		t = &p.last
	}
	if t.nodes == nil || t.first != first {
		leaves, err := p.store.Leaves(p.ctx, Log, first, first+merkle.TileSize)
		if err != nil {
			return h, err
		}
		*t = tileOf(first, leaves)
	}
	if n -= first >> level; level >= len(t.nodes) || n >= int64(len(t.nodes[level])) {
		return h, fmt.Errorf("%w: no leaf %d", ErrBroken, at)
	}
	return t.nodes[level][n], nil
}

// tile is the leaves below one stored root, and the whole nodes above them.
type tile struct {
	first int64
	nodes [][]merkle.Hash // by level
}

func tileOf(first int64, leaves []merkle.Hash) tile {
	t := tile{first, [][]merkle.Hash{leaves}}
	for below := leaves; len(below) > 1; below = t.nodes[len(t.nodes)-1] {
		above := make([]merkle.Hash, len(below)/2)
		for i := range above {
			above[i] = tlog.NodeHash(below[2*i], below[2*i+1])
		}
		t.nodes = append(t.nodes, above)
	}
	return t
}

// ProveFile judges an export or a part.
func ProveFile(file io.Reader, copied []string, key note.Verifier) (Report, error) {
	r := bufio.NewReader(file)
	if head, _ := r.Peek(len(partBegins)); string(head) == partBegins {
		return provePart(r, copied, key)
	}
	e, err := Exported(r, copied, key)
	if err != nil {
		return Report{}, err
	}
	return Prove(e)
}

func provePart(file io.Reader, copied []string, key note.Verifier) (Report, error) {
	r := Report{File: true, Part: true}
	lines := bufio.NewScanner(file)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	next := func(v any) error {
		if !lines.Scan() {
			return cmp.Or(lines.Err(), io.EOF)
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(v); err != nil {
			return fmt.Errorf("%w: %w", ErrExport, err)
		}
		return nil
	}
	var head partHead
	if err := next(&head); err != nil || head.Format != partFormat {
		return r, errors.Join(ErrExport, err)
	}
	e := Evidence{Copied: copied, Key: key}
	if head.Checkpoint != "" {
		e.Own = []string{head.Checkpoint}
	}
	if points := e.points(&r); len(points) > 0 && head.Checkpoint == "" {
		r.add(Finding{Kind: None, Entry: -1})
	}
	signed, err := merkle.OpenCheckpoint(head.Checkpoint, key)
	if err == nil {
		r.Last = signed.Time // the others are compared with it, and prove nothing here
	}
	p := partProver{report: &r, signed: signed, last: -1}
	for {
		var line partLine
		err := next(&line)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return r, err
		}
		p.entry(line)
	}
	if p.entries != head.Entries {
		r.add(Finding{Kind: Truncated, Entry: int64(p.entries), Until: int64(head.Entries)})
	}
	r.judge(p.newest)
	return r, nil
}

// partProver goes once through the entries of a part.
type partProver struct {
	report  *Report
	signed  merkle.Checkpoint
	last    int64
	entries int
	newest  time.Time // of those that no checkpoint covers
}

func (p *partProver) entry(l partLine) {
	p.entries++
	var told audit.Record
	_ = json.Unmarshal([]byte(l.Entry), &told)
	if l.Seq == nil {
		p.report.Loose++
		if at, err := time.Parse(time.RFC3339, told.At); err == nil && at.After(p.newest) {
			p.newest = at
		}
		if p.report.Since == "" || told.At < p.report.Since {
			p.report.Since = told.At
		}
		return
	}
	p.report.Size++
	if *l.Seq <= p.last {
		p.report.add(Finding{Kind: Order, Entry: *l.Seq, At: told.At})
		return
	}
	p.last = *l.Seq
	path := make(tlog.RecordProof, len(l.Path))
	for i, text := range l.Path {
		b, _ := base64.StdEncoding.DecodeString(text)
		path[i], _ = merkle.HashOf(b) // what is none leads nowhere
	}
	if *l.Seq >= p.signed.Size || tlog.CheckRecord(path, p.signed.Size, p.signed.Root, *l.Seq, merkle.Leaf([]byte(l.Entry))) != nil {
		p.report.add(Finding{Kind: Changed, Entry: *l.Seq, At: told.At})
		return
	}
	p.report.Proven++
}
