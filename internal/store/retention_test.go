package store

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/custody"
	"akashi/internal/fault"
	"akashi/internal/watch"
)

// asJobs opens the fixture's database as the role of the jobs.
func (f *fixture) asJobs(t *testing.T) *Store {
	t.Helper()
	if !f.postgres {
		return f.Store
	}
	c := f.config
	c.URL = strings.Replace(c.URL, "akashi_staff", "akashi_jobs", 1)
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// failing is a store whose process dies at the n-th step of a pruning.
type failing struct {
	*Store
	left *int
}

func (s failing) PruneLog(ctx context.Context, office string, before time.Time, from, to int64) (int, error) {
	if *s.left--; *s.left < 0 {
		return 0, errStopped
	}
	return s.Store.PruneLog(ctx, office, before, from, to)
}

// keepLog sets for how many years the office keeps entries of the log.
func (f *fixture) keepLog(t *testing.T, years int) {
	t.Helper()
	if err := f.act(t, here, func(ctx context.Context) error {
		o, err := f.Office(ctx, here)
		if err != nil {
			return err
		}
		o.Settings.Keep.Log = years
		return f.SaveOffice(ctx, o)
	}); err != nil {
		t.Fatal(err)
	}
}

// S-087: entries on an approved list are judged anew when they are erased: what
// was to be archived does not go without an archive, nor what the office keeps
// for longer by then.
func TestPruneJudgesAnew(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		n := f.notary(k, "a", tree.Folder(t.TempDir()).Of("akashi.test/operation-log"))
		today := time.Now().UTC().Truncate(time.Millisecond)
		for _, years := range []int{3, 0} {
			f.now = today.AddDate(-years, 0, 0)
			f.write(t, 40)
			f.now = f.now.Add(tree.Every)
			if err := n.Checkpoint(ctx); err != nil {
				t.Fatal(err)
			}
		}
		jobs, a, archived := f.asJobs(t), approvals{}, 0
		retention := &custody.Retention{Service: f.custody(t, a), Kept: jobs, Now: f.clock().Now, IDs: func() string { return f.ids.Row() }}
		retention.Log = &audit.Log{Book: jobs, Clock: f.clock()}
		archive := func(context.Context, string, int64) error { archived++; return nil }
		f.keepLog(t, 1)
		listed := func() custody.Run {
			t.Helper()
			retention.Archive = archive
			run, err := retention.List(ctx, who(here))
			if err != nil || len(run.Items) != 1 || run.Items[0].Class != custody.LogEntries {
				t.Fatalf("ok/list: %+v %v", run, err)
			}
			a["retention.erase "+run.ID] = 1
			return run
		}
		old := func() (n int64) {
			t.Helper()
			if err := f.look(ctx, here, func(db *gorm.DB) error {
				return db.Table("log").Where("office = ? AND at < ?", here, logTime(today.AddDate(-1, 0, 0))).Count(&n).Error
			}); err != nil {
				t.Fatal(err)
			}
			return n
		}
		before := old()
		outcome := func(run custody.Run) string {
			t.Helper()
			items, err := jobs.RunItems(ctx, here, run.ID, false, 9)
			if err != nil || len(items) != 1 {
				t.Fatalf("%+v %v", items, err)
			}
			return items[0].Outcome
		}

		run := listed()
		retention.Archive = nil // a restart without AKASHI_BACKUP_RECIPIENT
		for range 2 {
			if err := retention.Erase(ctx, who(here), run.ID); !errors.Is(err, custody.ErrNoArchive) || old() != before || outcome(run) != "" {
				t.Errorf("error/no archive: %v, %d of %d left, %q", err, old(), before, outcome(run))
			}
		}
		f.keepLog(t, 7)
		if err := retention.Erase(ctx, who(here), run.ID); err != nil || old() != before || outcome(run) != custody.Changed {
			t.Errorf("ok/no archive, kept longer: %v, %d of %d left, %q", err, old(), before, outcome(run))
		}
		f.keepLog(t, 1)
		run = listed()
		f.keepLog(t, 7)
		if err := retention.Erase(ctx, who(here), run.ID); err != nil || old() != before || archived != 0 || outcome(run) != custody.Changed {
			t.Errorf("ok/kept longer: %v, %d of %d left, %q", err, old(), before, outcome(run))
		}
		f.keepLog(t, 1)
		run = listed()
		if err := retention.Erase(ctx, who(here), run.ID); err != nil || old() >= before || archived != 1 || outcome(run) != custody.Erased {
			t.Errorf("ok/as listed: %v, %d of %d left, %q", err, old(), before, outcome(run))
		}
	})
}

// S-087: entries that were kept long enough go, with an approval, by the role of
// the jobs alone; their hashes stay, and the log is proven as before. What is
// younger than a year stays whatever anybody writes, or is found missing.
func TestPruneLog(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		ctx, k := t.Context(), newLogKey(t)
		folder := tree.Folder(t.TempDir()).Of("akashi.test/operation-log")
		today := time.Now().UTC().Truncate(time.Millisecond)
		n := f.notary(k, "a", folder)
		checkpoint := func(what string) {
			t.Helper()
			f.now = f.now.Add(tree.Every)
			if err := n.Checkpoint(ctx); err != nil {
				t.Fatalf("%s: %v", what, err)
			}
		}
		f.now = today.AddDate(-9, 0, 0)
		f.write(t, 300)
		checkpoint("long ago")
		f.now = today.AddDate(-3, 0, 0)
		f.write(t, 40)
		checkpoint("not so long ago")
		f.now = today
		f.write(t, 20)
		checkpoint("now")
		if err := f.Alerting(ctx, here, func(ctx context.Context) error {
			old := watch.Alert{Office: here, ID: "old", Kind: watch.Refusals, LastAt: today.AddDate(-9, 0, 0)}
			young := watch.Alert{Office: here, ID: "young", Kind: watch.Refusals, LastAt: today, FirstMark: 1}
			return errors.Join(f.SaveAlert(ctx, old), f.SaveAlert(ctx, young))
		}); err != nil {
			t.Fatal(err)
		}
		before := f.rows(t, here, "log")

		jobs := f.asJobs(t)
		dies := 0
		archived := ""
		a := approvals{}
		retention := &custody.Retention{Service: f.custody(t, a), Kept: failing{jobs, &dies}, Now: f.clock().Now, IDs: func() string { return f.ids.Row() }}
		retention.Log = &audit.Log{Book: jobs, Clock: f.clock()}
		run, err := retention.List(ctx, who(here))
		if err != nil || len(run.Items) != 1 || run.Items[0].Class != custody.LogEntries || run.Items[0].Object != "302" {
			t.Fatalf("ok/list: %+v %v", run, err)
		}
		if err := retention.Erase(ctx, who(here), run.ID); fault.CodeOf(err) != fault.Forbidden || f.rows(t, here, "log") < before {
			t.Errorf("error/no approval: %v", err)
		}
		a["retention.erase "+run.ID] = 1
		if err := retention.Erase(ctx, who(here), run.ID); !errors.Is(err, errStopped) {
			t.Errorf("error/stopped: %v", err)
		}
		checkpoint("begun") // while what goes is still there
		if r := f.prove(t, k, folder); !r.Sound() || r.Pruned != 0 {
			t.Errorf("ok/begun: %+v", r)
		}
		dies = 100
		retention.Archive = func(_ context.Context, office string, until int64) error {
			archived = fmt.Sprint(office, until)
			return nil
		}
		if err := retention.Erase(ctx, who(here), run.ID); err != nil {
			t.Fatalf("ok/goes on: %v", err)
		}
		if err := retention.Erase(ctx, who(here), run.ID); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/again: %v", err)
		}
		checkpoint("pruned")
		r := f.prove(t, k, folder)
		if !r.Sound() || r.Pruned != 150 || r.Proven != r.Size || f.rows(t, there, "log") < 151 {
			t.Errorf("ok/pruned: %+v", r)
		}
		if list, err := f.Alerts(ctx, here, "", "", 9); err != nil || len(list) != 1 || list[0].ID != "young" {
			t.Errorf("ok/alerts: %+v %v", list, err)
		}
		// With an archive, what is three years old may go as soon as the office wants.
		f.keepLog(t, 1)
		if run, err = retention.List(ctx, who(here)); err != nil || len(run.Items) != 1 || run.Items[0].Object != "342" {
			t.Fatalf("ok/list with archive: %+v %v", run, err)
		}
		a["retention.erase "+run.ID] = 1
		if err := retention.Erase(ctx, who(here), run.ID); err != nil || archived != here+"342" {
			t.Errorf("ok/archive: %q %v", archived, err)
		}
		checkpoint("pruned again")
		if r := f.prove(t, k, folder); !r.Sound() || r.Pruned != 170 {
			t.Errorf("ok/pruned again: %+v", r)
		}

		// Neither the service nor the owner removes what is younger, nor what says what went.
		for name, s := range map[string]*Store{"staff": f.Store, "jobs": jobs, "owner": f.owner(t)} {
			for _, what := range []string{"at > '" + logTime(today.AddDate(0, -11, 0)) + "'", "action = 'log.prune'"} {
				err := s.transact(ctx, here, func(ctx context.Context) error {
					db, err := act(ctx, here)
					if err != nil {
						return err
					}
					return db.Exec("DELETE FROM log WHERE office = ? AND "+what, here).Error
				})
				if err == nil {
					t.Errorf("error/%s deletes where %s", name, what)
				}
			}
		}
		db := f.disarm(t)
		if err := db.Exec("DELETE FROM log WHERE id IN (SELECT entry_id FROM tree_leaves WHERE seq BETWEEN 350 AND 353)").Error; err != nil {
			t.Fatal(err)
		}
		e := audit.Entry{Action: tree.PruneAction}
		e.Fact(tree.PrunedUntil, "355")
		for _, code := range []string{here, there} {
			if err := f.log.Act(ctx, actor.Actor{Office: code, Person: "owner", Terminal: "t", Purpose: actor.Operate}, e, func(context.Context, *audit.Entry) error { return nil }); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := n.Step(ctx); err != nil {
			t.Fatal(err)
		}
		if r := f.prove(t, k, folder); slices.IndexFunc(r.Findings, func(x tree.Finding) bool { return x.Kind == tree.Missing && x.Entry == 350 }) < 0 || len(r.Findings) != 4 {
			t.Errorf("error/young entries hidden by a false entry: %+v", r)
		}
	})
}
