package issuance_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/internal/actor"
	"akashi/internal/cli"
	"akashi/internal/issuance"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

type logReader interface {
	LogEntries(ctx context.Context, office, object string) ([][]byte, error)
}

func newWorldSQLite(t *testing.T) *world.World { return world.New(t, cli.Config{Data: t.TempDir()}) }

// otherKeys publishes the keys of another installation.
func otherKeys(t *testing.T) func(context.Context) (*trust.Bundle, error) {
	keys, err := signing.MakeTestIdentity(t.TempDir()+"/keys", time.Now())
	if err != nil {
		t.Fatal(err)
	}
	return func(context.Context) (*trust.Bundle, error) { return trust.FromKeys(keys, nil, time.Now()) }
}

// TestMain makes the test binary its own child: a process that issues one
// certificate and kills itself at a named point.
func TestMain(m *testing.M) {
	if os.Getenv("TEST_CHILD_APPLICATION") != "" {
		os.Exit(child())
	}
	os.Exit(m.Run())
}

func child() int {
	ctx := context.Background()
	c := cli.Config{
		Data: os.Getenv("TEST_CHILD_DATA"), DatabaseURL: cli.Secret(os.Getenv("TEST_CHILD_URL")), MigrateURL: cli.Secret(os.Getenv("TEST_CHILD_MIGRATE")),
		SHCIssuer: "https://issuer.akashi.test", VDSNCIssuer: "UTO", StaffOrigin: world.Origin,
	}
	app, err := cli.Open(ctx, c, world.OpenStore)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	who := actor.Actor{Office: os.Getenv("TEST_CHILD_OFFICE"), Person: "child", Terminal: "test", Purpose: actor.Certificate}
	app.Issuance.Point = func(name string) {
		if name == os.Getenv("TEST_CHILD_POINT") {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
			select {}
		}
	}
	if step := map[string]func(context.Context, int) (int, error){reissueStep: app.Reissues.Step, mailStep: app.Mailings.Step}[os.Getenv("TEST_CHILD_APPLICATION")]; step != nil {
		_, err := step(ctx, 1)
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	i, _, err := app.Issuance.Issue(ctx, who, os.Getenv("TEST_CHILD_APPLICATION"))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	fmt.Println(i.Certificate.ID)
	return 0
}

// reissueStep stands for an application: the child makes the next of many certificates again.
const reissueStep = "reissue step"

func childOf(w *world.World, application, point string) *exec.Cmd {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "TEST_CHILD_APPLICATION="+application, "TEST_CHILD_POINT="+point, "TEST_CHILD_OFFICE="+w.Clerk.Office,
		"TEST_CHILD_DATA="+w.Config.Data, "TEST_CHILD_URL="+string(w.Config.DatabaseURL), "TEST_CHILD_MIGRATE="+string(w.Config.MigrateURL))
	return cmd
}

// S-060 with least privileges: the role of the jobs finishes what a dead process
// left, and the role of the signer reads the intent for it.
func TestJobsRoleRecovers(t *testing.T) {
	d := testkit.Postgres(t)
	c := cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL)}
	w := world.New(t, c)
	id := w.Approved(t, certificate.Travel)
	if out, err := childOf(w, id, "intent_stored").CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("the child was not killed: %v %s", err, out)
	}
	c.DatabaseURL, c.MigrateURL, c.DatabaseURLSigner = cli.Secret(d.JobsURL), "", cli.Secret(d.SignerURL)
	c.SHCIssuer, c.VDSNCIssuer, c.StaffOrigin = w.Config.SHCIssuer, w.Config.VDSNCIssuer, w.Config.StaffOrigin
	jobs, err := cli.Open(t.Context(), c, world.OpenStore)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = jobs.Close() }()
	if r, err := jobs.Issuance.Recover(t.Context(), 0); err != nil || r.Finished != 1 {
		t.Fatalf("recovered %+v, %v", r, err)
	}
	after := certificates(t, w, id)
	if len(after) != 1 || after[0].State != issuance.Issued {
		t.Fatalf("after: %+v", after)
	}
	// It also makes certificates again, as two people approved (S-068).
	one, two := approvers(t, w)
	r, err := w.Reissues.Ask(t.Context(), one, issuance.Selection{Clerk: "child"}, "correction", nil)
	if err == nil {
		_, err = w.Reissues.Start(t.Context(), two, r.ID)
	}
	if err != nil {
		t.Fatal(err)
	}
	if n, err := jobs.Reissues.Step(t.Context(), 10); n != 1 || err != nil {
		t.Errorf("made again: %d %v", n, err)
	}
	oneLive(t, w, after...)
}

// points are those at which a process can be stopped while it issues, in order.
var points = []string{
	"before_intent", "intent_uncommitted", "intent_stored", "signed", "sealed", "checked", "commit_uncommitted", "committed",
}

// S-060, issue 2 section 6: kill -9 at every named point of steps 8 to 11, on
// both databases: nothing doubled, every intent finished or failed, its ID visible.
func TestKill(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		for _, point := range points {
			id := w.Approved(t, certificate.Travel)
			out, err := childOf(w, id, point).CombinedOutput()
			if err == nil || !strings.Contains(err.Error(), "killed") {
				t.Fatalf("%s: the child was not killed: %v %s", point, err, out)
			}
			before := certificates(t, w, id)
			r, err := w.Issuance.Recover(t.Context(), 0)
			if err != nil {
				t.Fatalf("%s: %v", point, err)
			}
			after := certificates(t, w, id)
			if len(before) != len(after) || len(after) > 1 {
				t.Errorf("%s: %d certificates before, %d after", point, len(before), len(after))
			}
			stored := point != "before_intent" && point != "intent_uncommitted"
			if stored != (len(after) == 1) {
				t.Errorf("%s: %d certificates", point, len(after))
			}
			if finished := stored && point != "committed"; finished != (r.Finished == 1) || r.Failed != 0 || r.Left != 0 {
				t.Errorf("%s: recovered %+v", point, r)
			}
			i, made, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			if err != nil || made == stored {
				t.Errorf("%s: issue afterwards made=%v %v", point, made, err)
			}
			if stored && i.Certificate.ID != after[0].Certificate.ID {
				t.Errorf("%s: another certificate", point)
			}
			if err := w.Issuance.SelfCheck(t.Context(), i); err != nil {
				t.Errorf("%s: %v", point, err)
			}
		}
	})
}

func certificates(t *testing.T, w *world.World, application string) []issuance.Issue {
	t.Helper()
	list, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{Application: application, Limit: 10})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// S-060: of several nodes that recover at once, one does the work.
func TestRecoverOnce(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		for range 3 {
			prepared(t, w)
		}
		other := &world.World{Config: w.Config}
		other.Open(t)
		const age = time.Second
		time.Sleep(age + 100*time.Millisecond) // the intents have to be older than a claim may be
		results := make([]issuance.Recovery, 8)
		var group sync.WaitGroup
		for n := range results {
			group.Go(func() {
				at := []*world.World{w, other}[n%2]
				var err error
				if results[n], err = at.Issuance.Recover(t.Context(), age); err != nil {
					t.Error(err)
				}
			})
		}
		group.Wait()
		finished := 0
		for _, r := range results {
			finished += r.Finished
		}
		if finished != 3 {
			t.Errorf("%d finished, want 3", finished)
		}
		if r, err := w.Issuance.Recover(t.Context(), 0); err != nil || r != (issuance.Recovery{}) {
			t.Errorf("afterwards %+v %v", r, err)
		}
	})
}

// A key that was retired between intent and recovery signs nothing: the intent
// fails, its ID stays visible, and the application can be issued again.
func TestRecoverWithoutKey(t *testing.T) {
	w := newWorldSQLite(t)
	i := prepared(t, w)
	w.Issuance.Signer = refusing{}
	r, err := w.Issuance.Recover(t.Context(), 0)
	if err != nil || r.Failed != 1 {
		t.Fatalf("%+v %v", r, err)
	}
	got, err := w.Issuance.Get(t.Context(), w.Clerk, i.Certificate.ID)
	if err != nil || got.State != issuance.Failed || got.Reason != "key_not_active" {
		t.Errorf("%v %v %v", got.State, got.Reason, err)
	}
}

type refusing struct{ issuance.Signer }

func (refusing) Sign(context.Context, string, string) ([]signing.Signature, error) {
	return nil, &signing.KeyError{KeyID: "k", Code: "not_active"}
}

// L-08: parallel calls in one process make one certificate.
func TestParallel(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		id := w.Approved(t, certificate.Domestic)
		var group sync.WaitGroup
		var mu sync.Mutex
		ids, made := map[string]int{}, 0
		for range 200 {
			group.Go(func() {
				i, m, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
				mu.Lock()
				defer mu.Unlock()
				if err != nil {
					t.Error(err)
				}
				ids[i.Certificate.ID]++
				if m {
					made++
				}
			})
		}
		group.Wait()
		if len(ids) != 1 || made != 1 || len(certificates(t, w, id)) != 1 {
			t.Errorf("%d ids, %d made, %d stored", len(ids), made, len(certificates(t, w, id)))
		}
	})
}
