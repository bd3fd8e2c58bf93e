package tree

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/merkle"
)

// partOf is a stored log in memory.
type partOf struct {
	kept
	reads *int // of tiles; nil: not counted
}

func (p partOf) LastCheckpoint(context.Context, Name) (string, time.Time, error) {
	if len(p.own) == 0 {
		return "", time.Time{}, nil
	}
	return p.own[len(p.own)-1], time.Time{}, nil
}

func (p partOf) Tiles(context.Context, Name) ([]merkle.Hash, error) { return p.tiles, nil }

func (p partOf) Leaves(_ context.Context, _ Name, from, to int64) (leaves []merkle.Hash, err error) {
	if p.reads != nil {
		*p.reads++
	}
	for _, r := range p.rows[from:min(to, int64(len(p.rows)))] {
		h, _ := merkle.HashOf(r.Leaf)
		leaves = append(leaves, h)
	}
	return leaves, nil
}

func (p partOf) Places(_ context.Context, _ string, ids []string) (map[string]int64, error) {
	places := map[string]int64{}
	for _, r := range p.rows {
		if slices.Contains(ids, r.ID) {
			places[r.ID] = r.Seq
		}
	}
	return places, nil
}

// every is each third entry of a log.
func (p partOf) every() (list []audit.Record) {
	for i := 0; i < len(p.rows); i += 3 {
		r := p.rows[i]
		list = append(list, audit.Record{Office: r.Office, ID: r.ID, At: r.Columns.At, Canonical: r.Data})
	}
	return list
}

// Issue 6: entries of one office are proven without those of others, against the one
// checkpoint that goes with them; whatever is changed in the file is found.
func TestPart(t *testing.T) {
	signer, key := keyPair(t)
	forger, _ := keyPair(t)
	k, copied := build(t, 1300, 97, signer) // over five tiles, and behind the last checkpoint
	p := partOf{kept: k}
	var b bytes.Buffer
	proven, err := WritePart(t.Context(), p, &b, "900001", p.every())
	if err != nil || proven != 1261/3+1 {
		t.Fatal(proven, err)
	}
	good := strings.SplitAfter(strings.TrimSpace(b.String()), "\n")
	report, err := ProveFile(strings.NewReader(b.String()), copied, key)
	if err != nil || !report.Sound() || !report.Part || report.Proven != int64(proven) || report.Loose != len(p.every())-proven || report.Verdict != Whole {
		t.Fatalf("ok/untouched: %+v %v", report, err)
	}
	forged, _ := build(t, 1300, 97, forger)
	for name, c := range map[string]struct {
		change func(lines []string) []string
		kind   Kind
	}{
		"edited":                {func(l []string) []string { l[5] = strings.Replace(l[5], "issue", "print", 1); return l }, Changed},
		"the path of another":   {func(l []string) []string { l[5] = pathOf(l[5], l[6]); return l }, Changed},
		"another place":         {func(l []string) []string { l[5] = strings.Replace(l[5], `"seq":12`, `"seq":13`, 1); return l }, Changed},
		"behind the checkpoint": {func(l []string) []string { l[5] = strings.Replace(l[5], `"seq":12`, `"seq":99999`, 1); return l }, Changed},
		"twice":                 {func(l []string) []string { l[6] = l[5]; return l }, Order},
		"left out":              {func(l []string) []string { return slices.Delete(l, 5, 6) }, Truncated},
		"of another key": {func(l []string) []string {
			l[0] = strings.Replace(l[0], escaped(copied[len(copied)-1]), escaped(forged.own[len(forged.own)-1]), 1)
			return l
		}, Signature},
	} {
		file := strings.Join(c.change(slices.Clone(good)), "")
		if file == b.String() {
			t.Fatalf("%s: nothing was changed", name)
		}
		r, err := ProveFile(strings.NewReader(file), nil, key)
		if err != nil || r.Verdict != Manipulated || !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Kind == c.kind }) {
			t.Errorf("error/%s: %+v %v", name, r, err)
		}
	}

	spoiled := partOf{kept: k.clone()}
	spoiled.rows[4].Leaf[0] ^= 1
	if _, err := WritePart(t.Context(), spoiled, &b, "900001", spoiled.every()); !errors.Is(err, ErrBroken) {
		t.Errorf("error/of a log that is broken: %v", err)
	}
	young := partOf{kept: kept{rows: k.rows[:7], tiles: nil}}
	b.Reset()
	if proven, err := WritePart(t.Context(), young, &b, "900001", young.every()); err != nil || proven != 0 {
		t.Errorf("ok/no checkpoint yet: %d %v", proven, err)
	}
	if r, err := ProveFile(&b, nil, key); err != nil || r.Verdict != Undecided || r.Loose != 3 {
		t.Errorf("error/nothing is proven: %+v %v", r, err)
	}
	if _, err := ProveFile(strings.NewReader(partBegins+"2}\n"), nil, key); !errors.Is(err, ErrExport) {
		t.Errorf("error/of another format: %v", err)
	}
	if _, err := ProveFile(strings.NewReader(good[0]+"x\n"), nil, key); !errors.Is(err, ErrExport) {
		t.Errorf("error/no line of one: %v", err)
	}
}

// pathOf is a line with the path of another.
func pathOf(line, other string) string {
	own, _, _ := strings.Cut(line, `"path"`)
	_, path, _ := strings.Cut(other, `"path"`)
	return own + `"path"` + path
}

// escaped is a text as it stands in JSON.
func escaped(text string) string { return strings.ReplaceAll(text, "\n", `\n`) }

// The tiles of the tree are read once each, however many entries are proven.
func TestPartReads(t *testing.T) {
	signer, _ := keyPair(t)
	k, _ := build(t, 1300, 650, signer)
	reads := 0
	log := partOf{k, &reads}
	if _, err := WritePart(t.Context(), log, &bytes.Buffer{}, "x", log.every()); err != nil || reads != 6 {
		t.Errorf("error/%d tiles read for %d entries: %v", reads, len(log.every()), err)
	}
}

func BenchmarkWritePart(b *testing.B) {
	signer, _ := keyPair(b)
	k, _ := build(b, 20_100, 20_100, signer)
	log := partOf{k, nil}
	var list []audit.Record
	for _, r := range log.rows {
		list = append(list, audit.Record{Office: r.Office, ID: r.ID, At: r.Columns.At, Canonical: r.Data})
	}
	for b.Loop() {
		if _, err := WritePart(b.Context(), places{log}, &bytes.Buffer{}, "x", list); err != nil {
			b.Fatal(err)
		}
	}
}

// places are found at once, as in a database.
type places struct{ partOf }

func (p places) Places(context.Context, string, []string) (map[string]int64, error) {
	at := make(map[string]int64, len(p.rows))
	for _, r := range p.rows {
		at[r.ID] = r.Seq
	}
	return at, nil
}
