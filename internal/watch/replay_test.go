package watch_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/watch"
)

// town is an office whose log is watched by two nodes, with a clock that the test
// sets and a receiver that notes what it takes and when.
type town struct {
	*world.World
	now       time.Time
	sequencer *tree.Sequencer
	nodes     []*watch.Service
	refuse    bool // the receiver is out of order
	tried     int
	taken     []received
}

type received struct {
	watch.Message
	at   time.Time
	body string
}

// monday is 09:00 in Japan, before any real time: ids are not older than it.
var monday = time.Date(2026, 1, 5, 0, 0, 0, 0, time.UTC)

func newTown(t *testing.T, w *world.World) *town {
	t.Helper()
	f := &town{World: w, now: monday}
	fake := clock.Clock(func() time.Time { return f.now })
	week := map[string]office.Span{}
	for _, day := range []string{"mon", "tue", "wed", "thu", "fri"} {
		week[day] = office.Span{From: "08:45", To: "17:15"}
	}
	if _, err := w.ChangeOffice(t.Context(), w.Clerk.Office, func(s *office.Settings) { s.Hours = office.Hours{Week: week} }); err != nil {
		t.Fatal(err)
	}
	w.Log.Clock, w.Budget.Clock = fake, fake
	address := httptest.NewServer(http.HandlerFunc(f.take))
	t.Cleanup(address.Close)
	f.sequencer = &tree.Sequencer{Store: w.Store, Tree: tree.Log, Holder: "s", Clock: fake}
	for i := range 2 {
		to, err := watch.NewReceiver(address.URL)
		if err != nil {
			t.Fatal(err)
		}
		f.nodes = append(f.nodes, &watch.Service{
			Store: w.Store, Holder: fmt.Sprint("node ", i), Node: fmt.Sprint("node ", i), Clock: fake, IDs: idgen.Gen{}, Send: to,
			Elapsed: func() time.Duration { return f.now.Sub(monday) },
		})
	}
	f.watch(t) // what world did stands in the log
	f.taken = nil
	return f
}

func (f *town) take(w http.ResponseWriter, r *http.Request) {
	f.tried++
	if f.refuse {
		w.WriteHeader(http.StatusServiceUnavailable)
		return
	}
	var told received
	body := new(strings.Builder)
	if _, err := fmt.Fprint(body, r.Header.Get("Idempotency-Key")+" "); err != nil {
		return
	}
	if json.NewDecoder(r.Body).Decode(&told.Message) != nil {
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	text, _ := json.Marshal(told.Message)
	told.at, told.body = f.now, body.String()+string(text)
	f.taken = append(f.taken, told)
}

// watch is what every node does every minute, and here every fifth.
func (f *town) watch(t *testing.T) {
	t.Helper()
	if _, _, err := f.sequencer.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range f.nodes {
		if err := n.Step(t.Context(), slog.New(slog.DiscardHandler)); err != nil {
			t.Fatal(err)
		}
	}
}

// each lets time go until the end, by steps of five minutes, and runs fn in each.
func (f *town) each(t *testing.T, until time.Time, fn func(minute int)) {
	t.Helper()
	for minute := 0; f.now.Before(until); minute += 5 {
		fn(minute)
		f.watch(t)
		f.now = f.now.Add(5 * time.Minute)
	}
}

// act leaves an entry in the log as the use case does.
func (f *town) act(t *testing.T, by actor.Actor, action string, refused error) {
	t.Helper()
	err := f.Log.Act(t.Context(), by, audit.Entry{Action: action, Object: "x"}, func(context.Context, *audit.Entry) error { return refused })
	if (err == nil) != (refused == nil) {
		t.Fatal(err)
	}
}

// of are the alerts of a kind that were taken.
func (f *town) of(kind string) (list []received) {
	for _, a := range f.taken {
		if a.Kind == kind {
			list = append(list, a)
		}
	}
	return list
}

// once demands exactly one alert of the kind, about the subject, within 15 minutes (S-089).
func (f *town) once(t *testing.T, kind, subject string, since time.Time) received {
	t.Helper()
	list := f.of(kind)
	if len(list) != 1 || list[0].Subject != subject || list[0].at.Sub(since) > 15*time.Minute || list[0].FirstAt.Before(since) {
		t.Fatalf("%s: %+v, want one about %s within 15 minutes of %s", kind, list, subject, since)
	}
	return list[0]
}

// stored are the alerts as people list them.
func (f *town) stored(t *testing.T, office string) []watch.Alert {
	t.Helper()
	list, err := f.Store.Alerts(t.Context(), office, "", "", 100)
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// L-09: an employee's access makes about 1,000 certificates at night. A real issue
// shows that the entry replayed is the one that issuing leaves.
func TestIssuesAtNight(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		// Three usual days: 12 an hour; and an hour of three times that.
		for day := range 3 {
			for hour := range 8 {
				f.now = monday.AddDate(0, 0, day).Add(time.Duration(hour) * time.Hour)
				for range 12 {
					f.act(t, f.Clerk, "certificate.issue", nil)
				}
			}
			f.watch(t)
		}
		f.now = monday.AddDate(0, 0, 3)
		f.each(t, f.now.Add(time.Hour), func(minute int) {
			for range 3 {
				f.act(t, f.Clerk, "certificate.issue", nil)
			}
		})
		if len(f.taken) != 0 {
			t.Fatalf("ok/usual days: %+v", f.taken)
		}
		night := monday.AddDate(0, 0, 3).Add(14 * time.Hour) // 23:00 in Japan
		f.now = night
		made := 0
		f.each(t, night.Add(6*time.Hour), func(minute int) {
			if minute == 0 {
				if _, _, err := f.Issuance.Issue(t.Context(), f.Officer, f.Approved(t, certificate.Domestic)); err != nil {
					t.Fatal(err)
				}
				made++
			}
			for ; made < minute*1000/360; made++ {
				f.act(t, f.Officer, "certificate.issue", nil)
			}
			switch minute {
			case 5: // the leader's machine dies: the other goes on, from what is stored
				f.nodes = f.nodes[1:]
			case 30: // and a third process comes up
				f.nodes = append(f.nodes, &watch.Service{Store: f.Store, Holder: "node 2", Clock: f.nodes[0].Clock, Elapsed: f.nodes[0].Elapsed, Send: f.nodes[0].Send})
			}
		})
		a := f.once(t, watch.AfterHours, f.Officer.Person, night)
		f.once(t, watch.Rate, "", night)
		if len(f.taken) != 2 {
			t.Errorf("error/further alerts: %+v", f.taken)
		}
		for _, s := range f.stored(t, f.Officer.Office) {
			if s.Kind == watch.AfterHours && (s.Count != made || s.ID != a.ID || s.Delivered.IsZero()) {
				t.Errorf("ok/episode: %+v, %d certificates", s, made)
			}
		}
		for _, secret := range []string{"桜井", "SAKURAI", "1991-02-18", "0000000001"} {
			for _, got := range f.taken {
				if strings.Contains(got.body, secret) || !strings.HasPrefix(got.body, got.ID+" ") {
					t.Errorf("error/body: %s", got.body)
				}
			}
		}
		// The next night is another alert.
		f.now = night.AddDate(0, 0, 1)
		f.act(t, f.Officer, "certificate.issue", nil)
		f.watch(t)
		if len(f.of(watch.AfterHours)) != 2 {
			t.Errorf("ok/next night: %+v", f.taken)
		}
	})
}

// L-10: a robot looks up thousands with one account; the receiver is out of order
// when the first alert is raised, and gets it later, once.
func TestThousandsOfLookups(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		most := office.DefaultLookups
		began := f.now
		var soft, hard time.Time
		read, tries := 0, 0
		f.each(t, began.Add(100*time.Minute), func(minute int) {
			f.refuse = minute < 20
			for range 100 {
				tries++
				err := f.Budget.Take(t.Context(), f.Clerk, most, 1)
				if err != nil {
					if hard.IsZero() {
						hard = f.now
					}
					_ = f.Log.Refuse(t.Context(), f.Clerk, audit.Entry{Action: "application.read"}, err)
					continue
				}
				read++
				f.act(t, f.Clerk, "application.read", nil)
				if soft.IsZero() && read > most.Soft {
					soft = f.now
				}
			}
		})
		if tries != 2000 || hard.IsZero() || soft.IsZero() {
			t.Fatalf("the pattern: %d tries, %d read", tries, read)
		}
		a := f.once(t, watch.Lookups, f.Clerk.Person, soft)
		f.once(t, watch.Stopped, f.Clerk.Person, hard)
		if len(f.taken) != 2 || f.tried < 3 || a.at.Before(began.Add(20*time.Minute)) {
			t.Errorf("ok/sent until taken: %d taken in %d tries, %s", len(f.taken), f.tried, a.at)
		}
	})
}

// S-089: the other patterns of the log.
func TestPatterns(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		own := fault.New(fault.Forbidden, "second_person", "")
		robot := f.Clerk
		robot.Person, robot.Terminal = "", "robot"
		for i, c := range []struct {
			kind, subject string
			by            actor.Actor
			action        string
			refused       error
			enough        int // the first number of entries that raises it
		}{
			{watch.FourEyes, f.Officer.Person, f.Officer, "approval.approve", own, 2},
			{watch.Refusals, f.Clerk.Person, f.Clerk, "application.read", fault.New(fault.NotFound, "application", ""), 20},
			{watch.TerminalRefusals, f.Clerk.Terminal, f.Officer, "import.commit", fault.New(fault.Forbidden, "permission", ""), 20},
			{watch.Recovered, "", actor.Actor{Office: f.Clerk.Office, Person: "job:recover", Purpose: actor.Operate}, "certificate.recover", nil, 1},
			{watch.Failed, "", f.Clerk, "certificate.fail", nil, 1},
			{watch.Failed, "", f.Clerk, "certificate.issue", fault.New(fault.Internal, "lint", ""), 1},
		} {
			f.now, f.taken = monday.Add(time.Duration(i)*3*time.Hour), nil
			for n := range c.enough + 3 {
				if raised := len(f.of(c.kind)) > 0; raised != (n >= c.enough) {
					t.Fatalf("%s: raised %t after %d", c.kind, raised, n)
				}
				f.act(t, c.by, c.action, c.refused)
				f.now = f.now.Add(time.Minute)
				f.watch(t)
			}
			if list := f.of(c.kind); len(list) != 1 || list[0].Subject != c.subject {
				t.Errorf("ok/%s: %+v", c.kind, list)
			}
		}
		// As many refusals, but over a day.
		f.now, f.taken = monday.AddDate(0, 0, 2), nil
		for range 25 {
			f.act(t, f.Clerk, "application.read", fault.New(fault.NotFound, "application", ""))
			f.now = f.now.Add(10 * time.Minute)
			f.watch(t)
		}
		if len(f.taken) != 0 {
			t.Errorf("ok/few refusals an hour: %+v", f.taken)
		}
		// A process dies after it has raised alerts and before it says how far it came.
		before := f.stored(t, f.Clerk.Office)
		led, err := f.Store.Lead(t.Context(), "watch", "node 0", f.now, f.now, func(ctx context.Context) error { return f.Store.KeepWatched(ctx, 0) })
		if err != nil || !led {
			t.Fatal(led, err)
		}
		f.now = f.now.Add(time.Second)
		f.nodes = []*watch.Service{{Store: f.Store, Holder: "again", Clock: f.nodes[0].Clock, Send: f.nodes[0].Send}}
		f.watch(t)
		if after := f.stored(t, f.Clerk.Office); len(f.taken) != 0 || !reflect.DeepEqual(after, before) {
			t.Errorf("error/judged twice: %+v\n%+v\n%+v", f.taken, before, after)
		}
	})
}

// S-104: a clock that another one contradicts by more than a second is an alert, once;
// the real one of PostgreSQL agrees with this machine's, and SQLite has none.
func TestSecondClock(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		f.nodes = f.nodes[:1]
		off, broken := time.Duration(0), error(nil)
		f.nodes[0].Other = func(context.Context) (time.Time, error) { return f.now.Add(off), broken }
		for _, c := range []struct {
			off    time.Duration
			alerts int
		}{{0, 0}, {time.Second, 0}, {-time.Second, 0}, {-1500 * time.Millisecond, 1}, {time.Minute, 1}} {
			off = c.off
			f.now = f.now.Add(time.Minute)
			f.watch(t)
			if list := f.of(watch.ClockApart); len(list) != c.alerts || c.alerts == 1 && list[0].Facts["milliseconds"] != "1500" {
				t.Errorf("%s apart: %+v", c.off, list)
			}
		}
		broken = errors.New("away")
		if err := f.nodes[0].Step(t.Context(), slog.New(slog.DiscardHandler)); !errors.Is(err, broken) {
			t.Errorf("error/it does not answer: %v", err)
		}
		at, err := w.Store.ServerTime(t.Context())
		if sqlite := w.Config.DatabaseURL == ""; err != nil || sqlite != at.IsZero() || !sqlite && time.Since(at).Abs() > time.Minute {
			t.Errorf("ok/server's clock: %v %v", at, err)
		}
		if w.Watch.Other == nil {
			t.Error("nobody asks it")
		}
	})
}

// S-089: what does not stand in the log: a clock that jumps, and trouble with the
// log's proof that several nodes tell at once.
func TestInstallation(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		jump := time.Duration(0)
		passed := 2 * time.Minute
		f.nodes[1].Clock = func() time.Time { return f.now.Add(jump) }
		f.nodes[1].Elapsed = func() time.Duration { return passed }
		f.nodes = f.nodes[1:]
		f.now = f.now.Add(2 * time.Minute) // the other's lease ends
		f.watch(t)
		f.taken = nil
		for _, step := range []struct {
			jump, passed time.Duration
			alerts       int
		}{
			{0, 20 * time.Second, 0}, {900 * time.Millisecond, 20 * time.Second, 0}, {3 * time.Second, 20 * time.Second, 1}, {3 * time.Second, 20 * time.Second, 1},
		} {
			f.now, jump, passed = f.now.Add(step.passed), step.jump, passed+step.passed
			f.watch(t)
			if list := f.of(watch.ClockStep); len(list) != step.alerts {
				t.Errorf("step to %s: %+v", step.jump, list)
			}
		}
		if got := f.of(watch.ClockStep); len(got) == 1 && (got[0].Office != watch.Installation || got[0].Facts["milliseconds"] != "2100" || got[0].Subject != "node 1") {
			t.Errorf("ok/clock step: %+v", got)
		}
		for i := range 6 {
			n := f.nodes[0]
			if i%2 == 1 {
				n = &watch.Service{Store: f.Store, Holder: "other", Clock: n.Clock}
			}
			if err := n.Tell(t.Context(), watch.LogBroken, string(tree.Log), nil); err != nil {
				t.Fatal(err)
			}
			f.now = f.now.Add(time.Minute)
			f.watch(t)
		}
		if list := f.of(watch.LogBroken); len(list) != 1 {
			t.Errorf("ok/broken log: %+v", list)
		}
		if list := f.stored(t, watch.Installation); !slices.ContainsFunc(list, func(a watch.Alert) bool { return a.Kind == watch.LogBroken && a.Count == 6 }) {
			t.Errorf("ok/listed: %+v", list)
		}
	})
}

// The receiver is one host, by https: nothing is sent anywhere else.
func TestReceiver(t *testing.T) {
	for _, address := range []string{"", "http://alerts.example", "ftp://alerts.example", "alerts.example", "https://", "file:///etc/passwd"} {
		if _, err := watch.NewReceiver(address); err == nil {
			t.Errorf("error/%q: taken", address)
		}
	}
	if _, err := watch.NewReceiver("https://alerts.example/hook"); err != nil {
		t.Error(err)
	}
	world.Each(t, func(t *testing.T, w *world.World) {
		f := newTown(t, w)
		elsewhere := 0
		other := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { elsewhere++ }))
		defer other.Close()
		here := httptest.NewServer(http.RedirectHandler(other.URL, http.StatusTemporaryRedirect))
		to, err := watch.NewReceiver(here.URL)
		if err != nil {
			t.Fatal(err)
		}
		for _, n := range f.nodes {
			n.Send = to
		}
		if err := f.nodes[0].Tell(t.Context(), watch.LogBroken, "log", nil); err != nil {
			t.Fatal(err)
		}
		f.watch(t)
		if list := f.stored(t, watch.Installation); elsewhere != 0 || len(list) != 1 || !list[0].Delivered.IsZero() {
			t.Errorf("error/redirect: %d, %+v", elsewhere, list)
		}
		here.Close()
		err = f.nodes[0].Step(t.Context(), slog.New(slog.DiscardHandler))
		if err == nil || strings.Contains(err.Error(), "http://") {
			t.Errorf("error/gone: %v", err)
		}
	})
}
