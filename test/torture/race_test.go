package torture

import (
	"math/rand/v2"
	"syscall"
	"testing"
	"time"
)

// T-RACE (L-01, L-02, S-058): people at many counters ask at once for certificates,
// copies, earlier copies and cancellations, some give up, some go away, the storage
// fails, a process is suspended in the middle; and every page and every code belongs
// to the one who asked.
func TestRace(t *testing.T) {
	together(t)
	t.Run("sqlite", func(t *testing.T) { race(t, database{}, 1) })
	if full() {
		t.Run("postgres/one node", func(t *testing.T) { race(t, onPostgres(t), 1) })
	}
	t.Run("postgres/two nodes", func(t *testing.T) { race(t, onPostgres(t), 2) })
}

func race(t *testing.T, d database, count int) {
	data := t.TempDir()
	var nodes []*node
	for range count {
		n := newNode(t, data, d.environ...)
		n.start(t)
		nodes = append(nodes, n)
	}
	who, people := signIn(t, nodes[0]), invent(of(60, 400))
	bring(t, nodes[0].faces["staff"]+"/api/v1", who, people)
	d.widen(t, data)
	l := newLoad(t, nodes[0], who, people)
	l.nodes = func() string { return nodes[rand.IntN(count)].faces["staff"] + "/api/v1" }
	l.delay, l.rude = of(20*time.Millisecond, 2*time.Second), 0.01
	requests := of[int64](300, 10_000)
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		l.run(t.Context(), of(32, 500), requests)
	}()
	started, suspended := time.Now(), false
	for failing := time.NewTicker(of(100*time.Millisecond, 300*time.Millisecond)); ; {
		select {
		case <-failing.C:
			fail(t, d, nodes[0])
		case <-ended:
			failing.Stop()
			l.report(t, nodes...)
			db := d.open(t, data)
			b := checkBooks(t, db, l.acknowledged)
			verified := checkAll(t, nodes[0].faces["staff"]+"/api/v1", who.clerk, db, l.acknowledged, l.bundle)
			t.Logf("%d requests in %v: %d answered, %d pages taken apart, %d certificates acknowledged, %d verified at the end; refused %v; books %+v",
				l.asked.Load(), time.Since(started).Round(time.Second), l.answered.Load(), l.pages.Load(), len(l.acknowledged), verified, l.tally(), b)
			if !suspended || l.pages.Load() == 0 {
				t.Errorf("suspended %v, %d pages seen", suspended, l.pages.Load())
			}
			return
		}
		if !suspended && l.asked.Load() > requests/2 {
			suspended = true
			nodes[0].signal(syscall.SIGSTOP)
			time.Sleep(of(1500*time.Millisecond, 35*time.Second))
			nodes[0].signal(syscall.SIGCONT)
		}
	}
}

// fail makes the storage fail for a moment: the disk is full, or the connections
// to the database are cut.
func fail(t *testing.T, d database, n *node) {
	if d.wire != nil {
		if d.wire.cutOne(); rand.IntN(50) == 0 {
			d.wire.cut()
		}
		return
	}
	if rand.IntN(4) > 0 {
		return
	}
	n.starve(t, 0)
	time.Sleep(time.Millisecond)
	n.starve(t, -1)
}
