package store

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/seal"
	"akashi/internal/testkit"
)

// logOf returns a SQLite store with n entries in its log, written in large steps:
// AKASHI_BENCH_ENTRIES (default 20,000).
func logOf(b *testing.B) (*fixture, int) {
	n := 20_000
	if text := os.Getenv("AKASHI_BENCH_ENTRIES"); text != "" {
		n, _ = strconv.Atoi(text)
	}
	f := &fixture{config: Config{URL: filepath.Join(b.TempDir(), "akashi.db"), Ring: seal.NewRing()}, now: time.Now()}
	s, err := Open(b.Context(), f.config)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	f.Store = s
	var entries batch
	for i := range n {
		r := audit.Record{
			Office: here, ID: fmt.Sprintf("01990000-0000-7000-8000-%012d", i), At: "2026-11-22T00:00:00.000Z", Person: "01990000-0000-7000-8000-000000000001",
			Terminal: "staff:10.0.0.1", Purpose: "certificate", Case: "01990000-0000-7000-8000-000000000002", Action: "certificate.issue",
			Object: "ABCDEFGHJKLM", Concerned: "01990000-0000-7000-8000-000000000003", Result: "ok", Request: "01990000-0000-7000-8000-000000000004",
		}
		r.Canonical = fmt.Appendf(nil, `{"action":%q,"at":%q,"case":%q,"concerned":%q,"id":%q,"object":%q,"office":%q,"person":%q,"purpose":%q,"request":%q,"result":%q,"terminal":%q}`,
			r.Action, r.At, r.Case, r.Concerned, r.ID, r.Object, r.Office, r.Person, r.Purpose, r.Request, r.Result, r.Terminal)
		if entries = append(entries, logged(r)...); len(entries) == 1000 || i == n-1 {
			if err := s.enact(b.Context(), here, func(ctx context.Context) error {
				db, err := act(ctx, here)
				if err != nil {
					return err
				}
				return entries.run(db)
			}); err != nil {
				b.Fatal(err)
			}
			entries = nil
		}
	}
	return f, n
}

// Entries per second that one sequencer places.
func BenchmarkSequence(b *testing.B) {
	f, n := logOf(b)
	turn := 0
	for b.Loop() {
		turn++ // a tree of its own each time
		name := tree.Name(fmt.Sprint("log", turn))
		treeSource[name] = treeSource[tree.Log]
		began := testkit.ProcessTime(b)
		k := &tree.Sequencer{Store: f.Store, Tree: name, Holder: "a"}
		placed, _, err := k.Sweep(b.Context())
		if err != nil || placed != n {
			b.Fatalf("%d %v", placed, err)
		}
		b.ReportMetric(float64(n)/(testkit.ProcessTime(b)-began).Seconds(), "entries/cpu-s")
	}
}

// The proof of a whole log, from the database and from an export, and one
// checkpoint over it.
func BenchmarkProof(b *testing.B) {
	f, n := logOf(b)
	k := newLogKey(b)
	notary := &tree.Notary{Sequencer: tree.Sequencer{Store: f.Store, Tree: tree.Log, Holder: "a"}, Key: k}
	if err := notary.Checkpoint(b.Context()); err != nil {
		b.Fatal(err)
	}
	b.Run("database", func(b *testing.B) {
		began := testkit.ProcessTime(b)
		defer func() { b.ReportMetric(float64(b.N*n)/(testkit.ProcessTime(b)-began).Seconds(), "entries/cpu-s") }()
		for b.Loop() {
			e, err := tree.Stored(b.Context(), f.Store, tree.Log, nil, k.public)
			if err != nil {
				b.Fatal(err)
			}
			if r, err := tree.Prove(e); err != nil || !r.Sound() || r.Proven != int64(n) {
				b.Fatalf("%+v %v", r, err)
			}
		}
	})
	path := filepath.Join(b.TempDir(), "export")
	b.Run("export", func(b *testing.B) {
		out, err := os.Create(path)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := tree.Export(b.Context(), f.Store, out); err != nil {
			b.Fatal(err)
		}
		defer func() { _ = out.Close() }()
		began := testkit.ProcessTime(b)
		defer func() { b.ReportMetric(float64(b.N*n)/(testkit.ProcessTime(b)-began).Seconds(), "entries/cpu-s") }()
		for b.Loop() {
			if _, err := out.Seek(0, io.SeekStart); err != nil {
				b.Fatal(err)
			}
			e, err := tree.Exported(out, nil, k.public)
			if err != nil {
				b.Fatal(err)
			}
			if r, err := tree.Prove(e); err != nil || !r.Sound() || r.Proven != int64(n) {
				b.Fatalf("%+v %v", r, err)
			}
		}
	})
	b.Run("checkpoint", func(b *testing.B) {
		for b.Loop() {
			time.Sleep(2 * time.Millisecond) // checkpoints of one millisecond are one
			if err := notary.Checkpoint(b.Context()); err != nil {
				b.Fatal(err)
			}
		}
	})
}
