package cli_test

import (
	"bytes"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// R-016, S-011: two officers want an account, the operator at the command line
// makes it, once.
func TestAccountCarryOut(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	second := w.Person(t, cli.TestOffice+"-officer9", office.Officer).Actor(actor.Operate, "test", "", w.Clock.Now())
	r, err := w.AccountRequests.Ask(t.Context(), w.Officer, office.AccountRequest{
		User: cli.TestOffice + "-new", Name: "新人 一", Unit: "健康推進課", Role: office.Clerk, Ends: w.Clock.Today().AddDays(100),
		Trained: w.Clock.Today(), SectionHead: "健康推進課長", SystemOwner: "情報政策課長",
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	do := func(args ...string) (int, string) {
		var o, e bytes.Buffer
		status := cli.Run(t.Context(), append([]string{"office", "account"}, args...), strings.NewReader(""), &o, &e, adapters("AKASHI_DATA="+w.Config.Data))
		return status, o.String() + e.String()
	}
	if status, out := do("carry-out", cli.TestOffice, r.ID); status != 1 || !strings.Contains(out, "approval_needed") {
		t.Errorf("error/not approved: %d %s", status, out)
	}
	if status, out := do("requests", cli.TestOffice); status != 0 || !strings.Contains(out, r.ID) || !strings.Contains(out, "pending") {
		t.Errorf("ok/requests: %d %s", status, out)
	}
	if _, err := w.Approvals.Approve(t.Context(), second, r.Approval, ""); err != nil {
		t.Fatal(err)
	}
	if status, out := do("carry-out", cli.TestOffice, r.ID); status != 0 || !strings.Contains(out, "/setup#"+cli.TestOffice+".") {
		t.Errorf("ok/carried out: %d %s", status, out)
	}
	if status, out := do("carry-out", cli.TestOffice, r.ID); status != 1 || !strings.Contains(out, "approval_used") {
		t.Errorf("error/twice: %d %s", status, out)
	}
	if status, _ := do("carry-out", "900002", r.ID); status != cli.UsageStatus {
		t.Errorf("error/no office: %d", status)
	}
}

// S-019, R-160: within a minute of the roster's arrival whoever left is out.
func TestRosterJob(t *testing.T) {
	dir := t.TempDir()
	w := world.New(t, cli.Config{Data: t.TempDir(), RosterDir: dir})
	var round func() error
	for _, j := range w.Jobs() {
		if j.Name == "roster" {
			if j.Every > 30*time.Second {
				t.Errorf("error/only every %v", j.Every)
			}
			round = func() error { return j.Run(t.Context(), slog.New(slog.DiscardHandler)) }
		}
	}
	if round == nil {
		t.Fatal("there is no job")
	}
	if err := round(); err != nil { // no file yet
		t.Errorf("ok/nothing there: %v", err)
	}
	cookie := w.SignIn(t, world.ClerkUser, office.Clerk)
	people, err := w.Store.ListStaff(t.Context(), cli.TestOffice)
	if err != nil {
		t.Fatal(err)
	}
	file := "user_id,name,unit\n"
	for _, p := range people {
		if p.User != world.ClerkUser {
			file += p.User + ",氏名," + p.Unit + "\n"
		}
	}
	if _, err := w.Accounts.Sessions.Open(t.Context(), cookie); err != nil {
		t.Fatalf("ok/before: %v", err)
	}
	if err := os.WriteFile(filepath.Join(dir, cli.TestOffice+".csv"), []byte(file), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := round(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Accounts.Sessions.Open(t.Context(), cookie); err == nil {
		t.Error("error/the session of somebody who left is still open")
	}
	list, err := w.Rosters.List(t.Context(), w.Officer, "", 10)
	if err != nil || len(list) != 1 || len(list[0].Result.Leavers) != 1 || list[0].CommittedBy != "job:roster" {
		t.Errorf("ok/record: %+v %v", list, err)
	}
	if err := round(); err != nil {
		t.Error(err)
	}
	if list, _ := w.Rosters.List(t.Context(), w.Officer, "", 10); len(list) != 1 {
		t.Errorf("error/the same file was read %d times", len(list))
	}
}
