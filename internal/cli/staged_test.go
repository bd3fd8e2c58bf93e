package cli_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"testing"
	"time"

	acts "akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
)

const newcomer = "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n900001,7700000001,,架空,人,,,1990-01-01,9,resident,\n"

// a file of subjects or of staff that nobody applies is erased after two days, by the
// role of the jobs (S-002), and the log says so; what was applied in time stays.
func TestStagedExpires(t *testing.T) {
	d := testkit.Postgres(t)
	w := world.New(t, cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL)})
	jobs := w.OpenJobs(t, d)
	now := time.Now()
	jobs.Imports.Clock = func() time.Time { return now }
	jobs.Rosters.Clock = jobs.Imports.Clock
	expire := func() {
		t.Helper()
		all := jobs.Jobs()
		if err := all[slices.IndexFunc(all, func(j cli.Job) bool { return j.Name == "staged" })].Run(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
	clerk, officer := w.Clerk, w.Officer
	i, err := w.Imports.Stage(t.Context(), clerk, vaccination.Subjects, []byte(newcomer), nil)
	if err != nil || i.State != vaccination.ImportStaged {
		t.Fatal(i.State, err)
	}
	r, err := w.Rosters.Stage(t.Context(), officer, []byte("user_id,name,unit\n"+cli.TestOffice+"-nobody,架空,課\n"), nil)
	if err != nil {
		t.Fatal(err)
	}
	state := func(imported vaccination.ImportState, roster office.RosterState, kept bool) {
		t.Helper()
		got, _, err := w.Imports.Get(t.Context(), clerk, i.ID)
		list, failed := w.Rosters.Get(t.Context(), officer, r.ID)
		if errors.Join(err, failed) != nil || got.State != imported || list.State != roster {
			t.Errorf("error/%s %s, want %s %s: %v %v", got.State, list.State, imported, roster, err, failed)
		}
		_ = w.Log.Act(t.Context(), officer, acts.Entry{Action: "import.read"}, func(ctx context.Context, _ *acts.Entry) error {
			file, err := w.Imports.Store.StagedFile(ctx, officer.Office, i.ID)
			staff, failed := w.Rosters.Store.RosterFile(ctx, officer.Office, r.ID)
			if (err == nil && len(file) > 0) != kept || (failed == nil && len(staff) > 0) != kept {
				t.Errorf("error/files kept, want %v: %d %v, %d %v", kept, len(file), err, len(staff), failed)
			}
			return nil
		})
	}
	now = now.Add(office.StagedLasts - time.Hour)
	expire()
	state(vaccination.ImportStaged, office.RosterStaged, true)
	now = now.Add(2 * time.Hour)
	expire()
	expire() // once
	state(vaccination.ImportExpired, office.RosterExpired, false)
	if _, err := w.Imports.Commit(t.Context(), officer, i.ID); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("error/applied all the same: %v", err)
	}
	if _, err := w.Rosters.Commit(t.Context(), officer, r.ID); fault.CodeOf(err) != fault.Conflict {
		t.Errorf("error/applied all the same: %v", err)
	}
	var told []string
	for _, action := range []string{"import.expire", "roster.expire"} {
		found, err := w.Reviews.Read(t.Context(), officer, acts.Query{Action: action, Limit: 10})
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range found {
			told = append(told, e.Object)
		}
	}
	if !slices.Equal(told, []string{i.ID, r.ID}) {
		t.Errorf("error/the log tells of %q", told)
	}
}
