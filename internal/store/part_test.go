package store

import (
	"bytes"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

// Issue 6: an office takes its own entries of some days out of the log of all, and they
// are proven without the others.
func TestPart(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		k := newLogKey(t)
		f.now = time.Now().UTC().Truncate(time.Millisecond) // as the ids of entries say
		f.write(t, 700)
		if err := f.notary(k, "a", tree.Folder(t.TempDir()).Of("akashi.test/operation-log")).Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		f.write(t, 4)
		reviews := &audit.Reviews{Log: f.log, Store: f.Store}
		entries, err := reviews.Export(t.Context(), person("a"), f.now.Add(-time.Hour), f.now.Add(time.Hour))
		if err != nil || len(entries) < 352 {
			t.Fatal(len(entries), err)
		}
		var file bytes.Buffer
		proven, err := tree.WritePart(t.Context(), f.Store, &file, here, entries)
		if err != nil || proven < 350 || len(entries)-proven != 2 {
			t.Fatalf("ok/written: %d of %d, %v", proven, len(entries), err)
		}
		if bytes.Contains(file.Bytes(), []byte(there)) {
			t.Error("error/it holds entries of another office")
		}
		report, err := tree.ProveFile(&file, nil, k.public)
		if err != nil || report.Verdict != tree.Whole || report.Proven != int64(proven) || report.Loose != 2 {
			t.Errorf("ok/proven: %+v %v", report, err)
		}
		if none, err := reviews.Export(t.Context(), person("a"), f.now.Add(time.Hour), f.now.Add(2*time.Hour)); err != nil || len(none) != 0 {
			t.Errorf("ok/of other days: %d %v", len(none), err)
		}
	})
}

// Imports are listed newest first, those of the own office, without what was found in
// them; one that is given up is gone with its file, and its request for approval too.
func TestImportsListedAndGivenUp(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		bad, err := f.imports().Stage(t.Context(), person("a"), vaccination.Records, []byte("x\n"), nil)
		if err != nil {
			t.Fatal(err)
		}
		i, err := f.imports().Stage(t.Context(), person("a"), vaccination.Subjects, sample(t, "subjects.csv"), nil)
		if err != nil {
			t.Fatal(err)
		}
		list, err := f.imports().List(t.Context(), person("a"), "", 50)
		if err != nil || len(list) != 2 || list[0].ID != i.ID || list[1].ID != bad.ID || list[1].Report.Findings != nil || list[0].Report.Accepted != i.Report.Accepted {
			t.Errorf("ok/listed: %+v %v", list, err)
		}
		if older, err := f.imports().List(t.Context(), person("a"), i.ID, 50); err != nil || len(older) != 1 || older[0].ID != bad.ID {
			t.Errorf("ok/older: %v %v", older, err)
		}
		if other, err := f.imports().List(t.Context(), who(there), "", 50); err != nil || len(other) != 0 {
			t.Errorf("error/of another office: %v %v", other, err)
		}
		if _, err := f.imports().Discard(t.Context(), person("b"), i.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/by another: %v", err)
		}
		if _, err := f.imports().Discard(t.Context(), person("a"), i.ID); err != nil {
			t.Errorf("ok/given up: %v", err)
		}
		if _, err := f.imports().Commit(t.Context(), person("b"), i.ID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/applied all the same: %v", err)
		}
	})
}
