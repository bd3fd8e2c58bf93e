package torture

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"akashi/certificate/trust"
)

// issued is a certificate that the service has acknowledged.
type issued struct {
	person      person
	travel      bool
	id          string
	application string
	mu          sync.Mutex
	copies      map[int][32]byte // what was acknowledged of each copy
}

func (i *issued) holds(copy int) holds { return holds{i.person, i.travel, i.id, copy} }

// printed notes a copy and tells whether its bytes are those of before.
func (i *issued) printed(number int, file []byte) bool {
	i.mu.Lock()
	defer i.mu.Unlock()
	sum := sha256.Sum256(file)
	before, known := i.copies[number]
	i.copies[number] = sum
	return !known || before == sum
}

// load is many people at many counters at once.
type load struct {
	nodes   func() string // staff face of some node; empty while there is none
	who     staff
	people  []person
	bundle  *trust.Bundle
	delay   time.Duration // longest wait before a request
	rude    float64       // share of the clients that give up, and of those that go away
	look    float64       // share of the pages that are taken apart
	excused bool          // any refusal is, as long as no answer is wrong

	mu           sync.Mutex
	acknowledged map[string]*issued
	list         []*issued
	asked        atomic.Int64 // requests
	answered     atomic.Int64 // with success
	pages        atomic.Int64 // taken apart
	refusals     sync.Map     // "status code" to *atomic.Int64
	wrong        []error
}

func newLoad(t *testing.T, n *node, who staff, people []person) *load {
	t.Helper()
	return &load{
		nodes: func() string { return n.faces["staff"] + "/api/v1" }, who: who, people: people, bundle: published(t, n), look: 1,
		acknowledged: map[string]*issued{},
	}
}

func (l *load) exception(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrong = append(l.wrong, err)
}

func (l *load) acknowledge(i *issued) *issued {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known := l.acknowledged[i.id]; known != nil {
		if known.application != i.application {
			l.wrong = append(l.wrong, fmt.Errorf("%s was given to two applications", i.id))
		}
		return known
	}
	i.copies = map[int][32]byte{}
	l.acknowledged[i.id] = i
	l.list = append(l.list, i)
	return i
}

// some is any acknowledged certificate; nil if there is none yet.
func (l *load) some() *issued {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.list) == 0 {
		return nil
	}
	return l.list[rand.IntN(len(l.list))]
}

// call sends one request as a hurried, impatient or vanishing client would. A
// refusal must be one that the moment explains.
func (l *load) call(ctx context.Context, by sign, method, path string, body string) (reply, bool) {
	base := l.nodes()
	if base == "" {
		time.Sleep(5 * time.Millisecond)
		return reply{}, false
	}
	if l.delay > 0 {
		time.Sleep(rand.N(l.delay))
	}
	switch dice := rand.Float64(); {
	case dice < l.rude:
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, rand.N(50*time.Millisecond))
		defer cancel()
	case dice < 2*l.rude:
		var cancel context.CancelFunc
		ctx, cancel = context.WithCancel(ctx)
		time.AfterFunc(rand.N(20*time.Millisecond), cancel)
	}
	media := ""
	if body != "" {
		media = "application/json"
	}
	l.asked.Add(1)
	r, err := ask(ctx, by, method, base+path, media, []byte(body))
	switch {
	case err != nil:
		l.count("no answer")
		time.Sleep(5 * time.Millisecond)
		return r, false
	case r.ok():
		l.answered.Add(1)
		return r, true
	}
	l.count(fmt.Sprint(r.status, " ", r.get("code")))
	if r.get("code") == "step_up" && l.who.again != nil {
		l.who.again(strings.TrimSuffix(base, "/api/v1"))
		return r, false
	}
	if r.status == 503 {
		time.Sleep(5 * time.Millisecond)
	}
	if !l.excused && r.status != 409 && r.status != 503 {
		l.exception(fmt.Errorf("%s %s: %w: %s", method, path, r.problem(), r.body))
	}
	return r, false
}

func (l *load) count(what string) {
	n, _ := l.refusals.LoadOrStore(what, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
}

func (l *load) tally() map[string]int64 {
	all := map[string]int64{}
	l.refusals.Range(func(k, v any) bool { all[k.(string)] = v.(*atomic.Int64).Load(); return true })
	return all
}

// issue takes a person from the form to the certificate, at times asking twice.
func (l *load) issue(ctx context.Context) {
	p, travel := l.people[rand.IntN(len(l.people))], rand.IntN(2) == 0
	made, ok := l.call(ctx, l.who.clerk, "POST", "/applications", string(p.application(travel)))
	if !ok {
		return
	}
	application := made.get("id")
	if submitted, ok := l.call(ctx, l.who.clerk, "POST", "/applications/"+application+"/submit", ""); !ok {
		return
	} else if submitted.get("state") != "approved" {
		l.exception(fmt.Errorf("%s is %s", p.ticket, submitted.body))
		return
	}
	if rand.IntN(10) == 0 { // cancelled at the counter, perhaps while the other clerk issues
		l.call(ctx, l.who.clerk, "POST", "/applications/"+application+"/withdraw", "")
	}
	for range 1 + rand.IntN(2) {
		r, ok := l.call(ctx, l.who.clerk, "POST", "/applications/"+application+"/certificate", "")
		if !ok {
			continue
		}
		i := l.acknowledge(&issued{person: p, travel: travel, id: r.get("id"), application: r.get("application")})
		if i.application != application {
			l.exception(fmt.Errorf("asked for application %s, got %s", application, r.body))
		}
	}
}

func (l *load) print(ctx context.Context, i *issued) {
	r, ok := l.call(ctx, l.who.clerk, "POST", "/certificates/"+i.id+"/prints", "")
	if ok {
		l.sheets(r, []*issued{i})
	}
}

func (l *load) printTwo(ctx context.Context, i *issued) {
	other := l.some()
	if other == i {
		return
	}
	r, ok := l.call(ctx, l.who.clerk, "POST", "/prints", fmt.Sprintf(`{"certificates":[%q,%q]}`, i.id, other.id))
	if ok {
		l.sheets(r, []*issued{i, other})
	}
}

func (l *load) reprint(ctx context.Context, i *issued) {
	i.mu.Lock()
	number := 0
	for n := range i.copies {
		number = n
	}
	i.mu.Unlock()
	if number == 0 {
		return
	}
	r, ok := l.call(ctx, l.who.clerk, "GET", fmt.Sprintf("/certificates/%s/prints/%d", i.id, number), "")
	if ok {
		l.sheets(r, []*issued{i})
	}
}

// sheets checks a file: header, bytes and every page.
func (l *load) sheets(r reply, want []*issued) {
	copies := strings.Split(r.header.Get("Certificate-Copies"), ", ")
	if len(copies) != len(want) {
		l.exception(fmt.Errorf("copies %q of %d certificates", copies, len(want)))
		return
	}
	expected := make([]holds, len(want))
	for n, c := range copies {
		var id string
		var number int
		if _, err := fmt.Sscanf(strings.Replace(c, "/", " ", 1), "%s %d", &id, &number); err != nil || id != want[n].id {
			l.exception(fmt.Errorf("asked for %s, got %s", want[n].id, c))
			return
		}
		expected[n] = want[n].holds(number)
		// A page of a file of several is a file of its own when it is asked for alone.
		if len(want) == 1 && !want[n].printed(number, r.body) {
			l.exception(fmt.Errorf("copy %s has other bytes than before", c))
		}
	}
	if rand.Float64() >= l.look {
		return
	}
	l.pages.Add(int64(len(want)))
	if err := checkSheets(r.body, expected, l.people, l.bundle); err != nil {
		l.exception(err)
	}
}

func (l *load) codes(ctx context.Context, i *issued) {
	r, ok := l.call(ctx, l.who.clerk, "GET", "/certificates/"+i.id+"/codes", "")
	if !ok {
		return
	}
	if _, err := checkCodes(r.body, i.holds(0), l.bundle); err != nil {
		l.exception(err)
		return
	}
	card, ok := l.call(ctx, l.who.clerk, "GET", "/certificates/"+i.id+"/card", "")
	if ok && !bytes.Contains(card.body, []byte("verifiableCredential")) {
		l.exception(fmt.Errorf("card of %s: %.200s", i.id, card.body))
	}
}

func (l *load) end(ctx context.Context, i *issued) {
	if rand.IntN(2) == 0 {
		l.call(ctx, l.who.officer, "POST", "/certificates/"+i.id+"/revoke", `{"reason":"wrong_content"}`)
		return
	}
	r, ok := l.call(ctx, l.who.clerk, "POST", "/certificates/"+i.id+"/reissue", `{"reason":"lost"}`)
	if !ok {
		return
	}
	if r.get("supersedes") != i.id || r.get("application") != i.application {
		l.exception(fmt.Errorf("reissue of %s: %s", i.id, r.body))
	}
	l.acknowledge(&issued{person: i.person, travel: i.travel, id: r.get("id"), application: r.get("application")})
}

// act does one thing of those that people do.
func (l *load) act(ctx context.Context) {
	i, dice := l.some(), rand.IntN(100)
	switch {
	case i == nil || dice < 30:
		l.issue(ctx)
	case dice < 60:
		l.print(ctx, i)
	case dice < 75:
		l.reprint(ctx, i)
	case dice < 85:
		l.codes(ctx, i)
	case dice < 93:
		l.printTwo(ctx, i)
	default:
		l.end(ctx, i)
	}
}

// run keeps the clients busy until the context ends or so many requests were sent.
func (l *load) run(ctx context.Context, clients int, requests int64) {
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for ctx.Err() == nil && l.asked.Load() < requests {
				l.act(ctx)
			}
		})
	}
	group.Wait()
}

// report fails the test for everything that must not be, with what the nodes said of it.
func (l *load) report(t *testing.T, nodes ...*node) {
	t.Helper()
	for _, n := range nodes {
		for line := range strings.Lines(n.log.String()) {
			if strings.Contains(line, `"code":"internal"`) || strings.Contains(line, `"msg":"panic"`) {
				t.Log(line)
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.wrong) > 0 {
		t.Errorf("%d exceptions: %v", len(l.wrong), errors.Join(l.wrong[:min(len(l.wrong), 5)]...))
	}
}
