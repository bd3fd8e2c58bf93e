package store

import (
	"bytes"
	"context"
	"errors"
	"strconv"
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
		reviews := &audit.Reviews{Log: f.log, Store: whileRead{f.Store, func() {
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			defer cancel()
			if err := f.log.Act(ctx, person("b"), audit.Entry{Action: "test.act"}, func(context.Context, *audit.Entry) error { return nil }); err != nil {
				t.Errorf("error/others wait while the log is read: %v", err)
			}
		}}}
		var file bytes.Buffer
		var proven, all int
		if err := reviews.Export(t.Context(), person("a"), f.now.Add(-time.Hour), f.now.Add(time.Hour), func(ctx context.Context, list []audit.Record) (_ string, err error) {
			all = len(list)
			proven, err = tree.WritePart(ctx, f.Store, &file, here, list)
			return "digest", err
		}); err != nil || proven < 350 || all-proven != 2 {
			t.Fatalf("ok/written: %d of %d, %v", proven, all, err)
		}
		told, err := (&audit.Reviews{Log: f.log, Store: f.Store}).Read(t.Context(), person("a"), audit.Query{Action: "log.export", Limit: 1})
		if err != nil || len(told) != 1 || told[0].Facts["sha256"] != "digest" || told[0].Facts["entries"] != strconv.Itoa(all) {
			t.Errorf("ok/logged what was exported: %+v %v", told, err)
		}
		if bytes.Contains(file.Bytes(), []byte(there)) {
			t.Error("error/it holds entries of another office")
		}
		report, err := tree.ProveFile(&file, nil, k.public)
		if err != nil || report.Verdict != tree.Whole || report.Proven != int64(proven) || report.Loose != 2 {
			t.Errorf("ok/proven: %+v %v", report, err)
		}
		given := func(_ context.Context, list []audit.Record) (string, error) {
			all = len(list)
			return "", nil
		}
		if err := reviews.Export(t.Context(), person("a"), f.now.Add(time.Hour), f.now.Add(2*time.Hour), given); err != nil || all != 0 {
			t.Errorf("ok/of other days: %d %v", all, err)
		}
		reviews.Log = &audit.Log{Book: mute{f.Store}, Clock: f.log.Clock, IDs: f.log.IDs}
		if err := reviews.Export(t.Context(), person("a"), f.now.Add(-time.Hour), f.now.Add(time.Hour), given); err == nil { // S-084
			t.Error("error/exported without a log")
		}
	})
}

// whileRead does something while entries are being read.
type whileRead struct {
	audit.ReviewStore
	do func()
}

func (w whileRead) Entries(ctx context.Context, code string, q audit.Query) ([]audit.Record, error) {
	list, err := w.ReviewStore.Entries(ctx, code, q)
	w.do()
	return list, err
}

// mute is a log that stores nothing.
type mute struct{ audit.Book }

func (mute) Act(context.Context, string, func(context.Context) ([]audit.Record, *audit.Once, error)) error {
	return errors.New("no log")
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
