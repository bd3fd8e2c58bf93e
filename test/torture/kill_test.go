package torture

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// T-KILL (S-060, S-061): the service, or its database, is killed with SIGKILL at
// random moments under load, again and again. Nothing that was acknowledged is lost
// or doubled, no intent stays without an end, and the log has an entry for each step.
func TestKill(t *testing.T) {
	together(t)
	t.Run("sqlite", func(t *testing.T) {
		kill(t, database{}, of(8, 400), (*node).kill)
	})
	t.Run("postgres/service", func(t *testing.T) {
		kill(t, onPostgres(t), of(8, 400), (*node).kill)
	})
	t.Run("postgres/database", func(t *testing.T) {
		server := testkit.OwnPostgres(t)
		d := database{[]string{"AKASHI_DATABASE_URL=" + server.StaffURL, "AKASHI_MIGRATE_URL=" + server.OwnerURL}, nil, server.OwnerURL}
		kill(t, d, of(3, 200), func(*node) {
			server.Kill(t)
			server.Start(t)
		})
	})
}

func kill(t *testing.T, d database, rounds int, strike func(*node)) {
	data := t.TempDir()
	n := newNode(t, data, d.environ...)
	n.start(t)
	who, people := signIn(t, n), invent(of(40, 400))
	bring(t, n.faces["staff"]+"/api/v1", who, people)
	d.widen(t, data)
	l := newLoad(t, n, who, people)
	l.look = 0.2
	var base atomic.Pointer[string]
	show := func() {
		at := n.faces["staff"] + "/api/v1"
		base.Store(&at)
	}
	show()
	l.nodes = func() string { return *base.Load() }
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(ctx, 8, 1<<40)
	}()
	started := time.Now()
	for round := range rounds {
		after, latest := l.answered.Load()+rand.Int64N(60), time.Now().Add(3*time.Second)
		for l.answered.Load() < after && time.Now().Before(latest) {
			time.Sleep(time.Millisecond)
		}
		time.Sleep(rand.N(10 * time.Millisecond))
		strike(n)
		if n.cmd == nil {
			base.Store(new(string))
			if err := n.up(); err != nil {
				t.Fatalf("round %d: %v", round, err)
			}
			show()
		}
	}
	time.Sleep(500 * time.Millisecond)
	stop()
	<-ended
	l.report(t, n)
	db := d.open(t, data)
	b := checkBooks(t, db, l.acknowledged)
	verified := checkAll(t, l.nodes(), who.clerk, db, l.acknowledged, l.bundle)
	t.Logf("%d kills in %v: %d requests, %d answered, %d pages taken apart, %d certificates acknowledged, %d verified at the end; refused %v; books %+v",
		rounds, time.Since(started).Round(time.Second), l.asked.Load(), l.answered.Load(), l.pages.Load(), len(l.acknowledged), verified, l.tally(), b)
	if verified == 0 || l.tally()["no answer"]+l.tally()["503 store"] == 0 {
		t.Errorf("%d verified, and nobody noticed a kill", verified)
	}
}
