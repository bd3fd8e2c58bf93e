package tree

import (
	"crypto/rand"
	"encoding/json"
	"fmt"
	mrand "math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/gowebpki/jcs"
	"golang.org/x/mod/sumdb/note"

	"akashi/internal/audit"
	"akashi/internal/merkle"
)

const origin = "akashi.test/operation-log"

var began = time.Date(2026, 11, 22, 0, 0, 0, 0, time.UTC)

// keyPair returns a key of the log's name.
func keyPair(t testing.TB) (note.Signer, note.Verifier) {
	t.Helper()
	secret, public, err := note.GenerateKey(rand.Reader, origin)
	if err != nil {
		t.Fatal(err)
	}
	signer, _ := note.NewSigner(secret)
	verifier, _ := note.NewVerifier(public)
	return signer, verifier
}

// entry makes the row of an entry, one second after the one before it.
func entry(t testing.TB, seq int, action string) Row {
	t.Helper()
	r := audit.Record{
		Office: "900001", ID: fmt.Sprintf("01990000-0000-7000-8000-%012d", seq), At: began.Add(time.Duration(seq) * time.Second).Format("2006-01-02T15:04:05.000Z"),
		Person: "s1", Terminal: "t1", Purpose: "certificate", Action: action, Object: fmt.Sprint(seq), Result: "ok", Request: fmt.Sprint("r", seq),
	}
	return rowOf(t, seq, r)
}

func rowOf(t testing.TB, seq int, r audit.Record) Row {
	t.Helper()
	plain, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	text, err := jcs.Transform(plain)
	if err != nil {
		t.Fatal(err)
	}
	h := merkle.Leaf(text)
	return Row{Seq: int64(seq), Office: r.Office, ID: r.ID, Leaf: h[:], Data: text, Columns: &r}
}

// copyOf lets a row be changed.
func copyOf(r Row) Row {
	columns := *r.Columns
	r.Leaf, r.Data, r.Columns = slices.Clone(r.Leaf), slices.Clone(r.Data), &columns
	return r
}

// kept is a log as it is stored or exported.
type kept struct {
	rows  []Row
	tiles []merkle.Hash
	own   []string
}

func (k kept) evidence(copied []string, key note.Verifier) Evidence {
	return Evidence{Rows: func(fn func(Row) error) error {
		for _, r := range k.rows {
			if err := fn(r); err != nil {
				return err
			}
		}
		return nil
	}, Tiles: k.tiles, Copied: copied, Own: k.own, Key: key}
}

func (k kept) clone() kept {
	rows := make([]Row, len(k.rows))
	for i, r := range k.rows {
		rows[i] = copyOf(r)
	}
	return kept{rows, slices.Clone(k.tiles), slices.Clone(k.own)}
}

// settle is what an owner of the database can do without the checkpoint key:
// make leaves, places and inner nodes agree with the rows as they are now.
func (k *kept) settle() {
	var leaves []merkle.Hash
	for i := range k.rows {
		k.rows[i].Seq = int64(i)
		h := merkle.Leaf(k.rows[i].Data)
		k.rows[i].Leaf = h[:]
		leaves = append(leaves, h)
	}
	k.tiles = tilesOf(leaves)
}

// build makes a log of n entries with a checkpoint after every step of them; the
// last few stand behind the last checkpoint.
func build(t testing.TB, n, step int, by note.Signer) (k kept, copied []string) {
	t.Helper()
	var tree merkle.Tree
	for i := range n {
		k.rows = append(k.rows, entry(t, i, "certificate.issue"))
		tree.Append(merkle.Leaf(k.rows[i].Data))
		if (i+1)%step == 0 {
			text, err := merkle.Checkpoint{Origin: origin, Size: tree.Size(), Root: tree.Root(), Time: began.Add(time.Duration(i+1) * time.Second)}.Sign(by)
			if err != nil {
				t.Fatal(err)
			}
			copied = append(copied, text)
		}
	}
	k.own = slices.Clone(copied)
	k.settle()
	return k, copied
}

// manipulate changes what lies before the last checkpoint, in one of the ways of
// issue 4, section 4.
func manipulate(t testing.TB, k *kept, proven int, random *mrand.Rand) string {
	t.Helper()
	i, j := random.IntN(proven), random.IntN(proven-1)
	if j >= i {
		j++
	}
	r := &k.rows[i]
	kinds := []string{"edit", "edit columns", "edit leaf", "delete", "erase", "insert", "swap", "swap texts", "truncate", "roll back", "forget"}
	kind := kinds[random.IntN(len(kinds))]
	settled := random.IntN(2) == 0
	switch kind {
	case "edit":
		told := entry(t, int(r.Seq), "certificate.read")
		k.rows[i].Data, k.rows[i].Columns = told.Data, told.Columns
	case "edit columns":
		r.Columns.Person, settled = "s2", false
	case "edit leaf":
		r.Leaf[random.IntN(len(r.Leaf))] ^= 1 << random.IntN(8)
		settled = false
	case "delete":
		k.rows = slices.Delete(k.rows, i, i+1)
	case "erase":
		r.Data, settled = nil, false
	case "insert":
		k.rows = slices.Insert(k.rows, i, entry(t, len(k.rows), "certificate.issue"))
	case "swap":
		k.rows[i], k.rows[j] = k.rows[j], k.rows[i]
	case "swap texts":
		k.rows[i].Data, k.rows[j].Data = k.rows[j].Data, k.rows[i].Data
	case "truncate":
		k.rows = k.rows[:i]
	case "roll back": // to an earlier state, and on from there with other entries
		n := len(k.rows)
		k.rows, settled = k.rows[:i], true
		for at := i; at < n+random.IntN(5); at++ {
			k.rows = append(k.rows, entry(t, at, "certificate.print"))
		}
	case "forget": // the newest, and the checkpoints that knew them
		k.rows, settled = k.rows[:i], true
		k.own = k.own[:min(len(k.own), random.IntN(len(k.own)+1))]
	}
	if settled {
		k.settle()
		kind += ", settled"
	}
	return kind
}

// S-086, issue 4 section 4: each of 10,000 random edits, deletions, insertions,
// swaps, truncations and rollbacks is found, also when the whole tree is made
// anew and checkpoints are signed with another key.
func TestManipulations(t *testing.T) {
	signer, key := keyPair(t)
	forger, _ := keyPair(t)
	forged, _ := build(t, 1, 1, forger)
	random := mrand.New(mrand.NewPCG(4, 86))
	for _, c := range []struct{ entries, step, times int }{{24, 5, 9800}, {600, 97, 200}} {
		k, copied := build(t, c.entries, c.step, signer)
		proven := c.entries / c.step * c.step
		report, err := Prove(k.evidence(copied, key))
		if err != nil || !report.Sound() || report.Proven != int64(proven) || report.Unproven != int64(c.entries-proven) || report.Copied != len(copied) {
			t.Fatalf("ok/untouched: %+v %v", report, err)
		}
		missed := map[string]int{}
		for range c.times {
			m := k.clone()
			kind := manipulate(t, &m, proven, random)
			switch random.IntN(3) {
			case 0: // nothing of the owner's is believed but what the second place also has
				m.own = nil
			case 1:
				m.own = forged.own
			}
			report, err := Prove(m.evidence(copied, key))
			if err != nil || report.Sound() {
				missed[kind]++
			}
		}
		if len(missed) > 0 {
			t.Errorf("error/missed: %v", missed)
		}
	}
}

// What is wrong is named, with its place.
func TestFindings(t *testing.T) {
	signer, key := keyPair(t)
	k, copied := build(t, 60, 8, signer)
	for _, c := range []struct {
		name   string
		change func(k *kept, e *Evidence)
		kind   Kind
		entry  int64
	}{
		{"erased", func(k *kept, _ *Evidence) { k.rows[5].Data = nil }, Missing, 5},
		{"edited", func(k *kept, _ *Evidence) { k.rows[5].Data[9] ^= 1 }, Changed, 5},
		{"columns", func(k *kept, _ *Evidence) { k.rows[5].Columns.Person = "s2" }, Columns, 5},
		{"gap", func(k *kept, _ *Evidence) { k.rows[59].Seq = 60 }, Order, 60},
		{"settled", func(k *kept, _ *Evidence) { k.rows[9] = entry(t, 9, "other"); k.settle() }, Root, 8},
		{"cut", func(k *kept, _ *Evidence) { k.rows = k.rows[:20]; k.settle() }, Truncated, 20},
		{"backdated", func(k *kept, _ *Evidence) {
			late := entry(t, 57, "x")
			late.Columns.At = began.Add(-2 * time.Hour).Format(time.RFC3339)
			late.Data, _ = json.Marshal(late.Columns)
			k.rows[57] = late
			k.settle()
		}, Backdated, 57},
		{"outside", func(_ *kept, e *Evidence) {
			e.Loose = []audit.Record{{At: began.Add(-2 * time.Hour).Format(time.RFC3339)}}
		}, Outside, -1},
		{"foreign checkpoint", func(_ *kept, e *Evidence) {
			other, _ := keyPair(t)
			forged, _ := build(t, 8, 8, other)
			e.Copied = append(slices.Clone(e.Copied), forged.own...)
		}, Signature, -1},
		{"fork", func(_ *kept, e *Evidence) {
			fork, _ := merkle.Checkpoint{Origin: origin, Size: 8, Time: began}.Sign(signer)
			e.Own = append(slices.Clone(e.Own), fork)
		}, Fork, 8},
		{"no checkpoint", func(_ *kept, e *Evidence) { e.Own, e.Copied = nil, nil }, None, -1},
		{"inner node", func(_ *kept, e *Evidence) { e.Tiles = []merkle.Hash{{}} }, Tile, -1},
	} {
		m := k.clone()
		m.tiles = nil
		e := m.evidence(copied, key)
		c.change(&m, &e)
		e.Rows = m.evidence(nil, nil).Rows
		report, err := Prove(e)
		if err != nil || !slices.ContainsFunc(report.Findings, func(f Finding) bool { return f.Kind == c.kind && f.Entry == c.entry }) {
			t.Errorf("error/%s: %v %v", c.name, report.Findings, err)
		}
	}
}

// What cannot be noticed: entries behind the last checkpoint that was copied
// away. The report says how many there are.
func TestUnproven(t *testing.T) {
	signer, key := keyPair(t)
	k, copied := build(t, 60, 8, signer)
	k.rows = k.rows[:57]
	k.settle()
	if report, err := Prove(k.evidence(copied, key)); err != nil || !report.Sound() || report.Unproven != 1 {
		t.Errorf("ok/entries behind the last checkpoint are lost unseen, and counted: %+v %v", report, err)
	}
}

// An entry that says a time of after the checkpoint that covers it is counted, and
// the log is as proven as before; what comes later than that is unproven again.
func TestAhead(t *testing.T) {
	by, key := keyPair(t)
	k, _ := build(t, 8, 8, by)
	record := *k.rows[3].Columns
	record.At = began.Add(24 * time.Hour).Format("2006-01-02T15:04:05.000Z")
	k.rows[3] = rowOf(t, 3, record)
	k.settle()
	var whole merkle.Tree
	for _, r := range k.rows {
		whole.Append(merkle.Leaf(r.Data))
	}
	text, err := merkle.Checkpoint{Origin: origin, Size: 8, Root: whole.Root(), Time: began.Add(9 * time.Second)}.Sign(by)
	if err != nil {
		t.Fatal(err)
	}
	k.own = nil
	for name, c := range map[string]struct {
		rows    int
		verdict Verdict
	}{"ok/all under a checkpoint": {8, Whole}, "ok/one more": {9, Whole}, "error/one more of another day": {10, Part}} {
		more := k.clone()
		if c.rows > 8 {
			more.rows = append(more.rows, entry(t, 8, "certificate.issue"))
		}
		if c.rows > 9 {
			more.rows = append(more.rows, entry(t, 86400, "certificate.issue"))
		}
		more.settle()
		report, err := Prove(more.evidence([]string{text}, key))
		if err != nil || !report.Sound() || report.Verdict != c.verdict || report.Ahead != 1 {
			t.Errorf("%s: %+v %v", name, report, err)
		}
	}
}
