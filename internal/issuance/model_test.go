package issuance_test

import (
	"context"
	"encoding/json"
	"math/rand/v2"
	"slices"
	"testing"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
)

// modelled is an application as the plan (design.md 2) has it, written down here a
// second time: where it stands, and its certificates.
type modelled struct {
	id           string
	form         application.Form
	checked      application.State // where the check by rule takes it
	state        application.State
	certificates []string // oldest first
	states       map[string]issuance.State
	acts         map[string]int // what the log must have of it
}

func (m *modelled) is(list ...application.State) bool { return slices.Contains(list, m.state) }

// live is the certificate in force.
func (m *modelled) live() string {
	for _, id := range m.certificates {
		if m.states[id] == issuance.Issued {
			return id
		}
	}
	return ""
}

// model does things that the plan allows and things that it does not, and knows of each
// whether it must be refused.
type model struct {
	*testing.T
	w    *world.World
	dice *rand.Rand
	all  []*modelled
	done map[string]int // what was done, and what was refused
}

// did demands that an act was allowed or refused, and notes it.
func (m *model) did(a *modelled, action string, allowed bool, err error) bool {
	m.Helper()
	if allowed != (err == nil) {
		m.Fatalf("%s in state %s with %v: %v", action, a.state, a.states, err)
	}
	if allowed {
		a.acts[action]++
		m.done[action]++
	} else {
		m.done["refused "+action]++
	}
	return allowed
}

func (m *model) create() {
	f, checked := world.Form(certificate.Domestic), application.Approved
	switch m.dice.IntN(4) {
	case 0:
		f.Subject.Former, checked = "古川", application.Review
	case 1:
		f.Applicant = application.Applicant{Relationship: application.Parent, Name: certificate.Name{Family: "桜井", Given: "薫"}}
		checked = application.NeedsInfo
	}
	app, err := m.w.Applications.Create(m.Context(), m.w.Clerk, f, nil)
	a := &modelled{id: app.ID, form: f, checked: checked, state: application.Draft, states: map[string]issuance.State{}, acts: map[string]int{}}
	m.did(a, "application.create", true, err)
	m.all = append(m.all, a)
}

func (m *model) submit(a *modelled) {
	_, err := m.w.Applications.Submit(m.Context(), m.w.Clerk, a.id)
	if m.did(a, "application.submit", a.is(application.Draft, application.NeedsInfo, application.Review, application.Approved), err) {
		a.state = a.checked
	}
}

func (m *model) answer(a *modelled) {
	f, checked := a.form, a.checked
	if checked == application.NeedsInfo && m.dice.IntN(2) == 0 {
		f.Applicant.Proof, checked = "power_of_attorney", application.Approved
	}
	_, err := m.w.Applications.Answer(m.Context(), m.w.Clerk, a.id, f, 0)
	if m.did(a, "application.answer", a.is(application.Draft, application.NeedsInfo, application.Review, application.Approved), err) {
		a.form, a.checked = f, checked
		if a.state != application.Draft {
			a.state = checked
		}
	}
}

func (m *model) decide(a *modelled) {
	outcome := []string{"approve", "reject", "ask"}[m.dice.IntN(3)]
	_, err := m.w.Applications.Decide(m.Context(), m.w.Clerk, a.id, application.Verdict{Outcome: outcome, Reason: "確認した"})
	allowed := a.is(application.Review) || outcome == "reject" && a.is(application.NeedsInfo)
	if m.did(a, "application.decide", allowed, err) {
		a.state = map[string]application.State{"approve": application.Approved, "reject": application.Rejected, "ask": application.NeedsInfo}[outcome]
	}
}

func (m *model) withdraw(a *modelled) {
	_, err := m.w.Applications.Withdraw(m.Context(), m.w.Clerk, a.id)
	if m.did(a, "application.withdraw", !a.is(application.Fulfilled, application.Rejected, application.Withdrawn), err) {
		a.state = application.Withdrawn
	}
}

func (m *model) issue(a *modelled) {
	i, made, err := m.w.Issuance.Issue(m.Context(), m.w.Clerk, a.id)
	live := a.live()
	if !m.did(a, "issue", a.is(application.Approved) || live != "", err) {
		return
	}
	if made != (live == "") || !made && i.Certificate.ID != live {
		m.Fatalf("issue: made %t, %s, in force was %q", made, i.Certificate.ID, live)
	}
	if made {
		a.state = application.Fulfilled
		m.made(a, i.Certificate.ID)
	}
}

func (m *model) made(a *modelled, id string) {
	a.certificates = append(a.certificates, id)
	a.states[id] = issuance.Issued
}

// some is any certificate of the application.
func (m *model) some(a *modelled) string {
	if len(a.certificates) == 0 {
		return ""
	}
	return a.certificates[m.dice.IntN(len(a.certificates))]
}

func (m *model) reissue(a *modelled) {
	id := m.some(a)
	i, err := m.w.Issuance.Reissue(m.Context(), m.w.Clerk, id, "lost")
	if m.did(a, "reissue", a.states[id] == issuance.Issued, err) {
		a.states[id] = issuance.Superseded
		m.made(a, i.Certificate.ID)
	}
}

func (m *model) revoke(a *modelled) {
	id := m.some(a)
	_, err := m.w.Issuance.Revoke(m.Context(), m.w.Officer, id, "wrong_content")
	if m.did(a, "revoke", a.states[id] == issuance.Issued || a.states[id] == issuance.Superseded, err) {
		a.states[id] = issuance.Revoked
	}
}

func (m *model) print(a *modelled) {
	id := m.some(a)
	_, _, err := m.w.Issuance.Print(m.Context(), m.w.Clerk, []string{id}, nil)
	m.did(a, "print", a.states[id] == issuance.Issued, err)
}

// restart ends the process and starts another over the same data.
func (m *model) restart() {
	if err := m.w.Close(); err != nil {
		m.Fatal(err)
	}
	m.w.Open(m.T)
	m.done["restart"]++
}

// compare holds an application in the store, its certificates and its entries in the
// log against the model.
func (m *model) compare(a *modelled) {
	m.Helper()
	app, err := m.w.Applications.Get(m.Context(), m.w.Clerk, a.id)
	if err != nil || app.State != a.state {
		m.Fatalf("application: %s, want %s; %v", app.State, a.state, err)
	}
	list, err := m.w.Issuance.List(m.Context(), m.w.Clerk, issuance.Filter{Application: a.id, Limit: 50})
	if err != nil || len(list) != len(a.certificates) {
		m.Fatalf("%d certificates, want %d; %v", len(list), len(a.certificates), err)
	}
	for _, i := range list {
		if i.State != a.states[i.Certificate.ID] {
			m.Fatalf("certificate: %s, want %s", i.State, a.states[i.Certificate.ID])
		}
	}
	entries, err := m.w.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(m.Context(), m.w.Clerk.Office, a.id)
	if err != nil {
		m.Fatal(err)
	}
	logged := map[string]int{}
	for _, e := range entries {
		var r struct{ Action, Result string }
		if err := json.Unmarshal(e, &r); err != nil {
			m.Fatal(err)
		}
		if r.Result == "ok" {
			logged[r.Action]++
		}
	}
	for _, action := range []string{"create", "submit", "answer", "decide", "withdraw"} {
		if action = "application." + action; logged[action] != a.acts[action] {
			m.Fatalf("%d entries %s, want %d", logged[action], action, a.acts[action])
		}
	}
}

// S-050: only the arrows of the plan, each with one entry in the log, whatever is
// tried in whatever order, and over restarts.
func TestModel(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		seed := rand.Uint64()
		t.Logf("seed %d", seed)
		m := &model{T: t, w: w, dice: rand.New(rand.NewPCG(seed, 0)), done: map[string]int{}}
		acts := []func(*modelled){
			m.submit, m.submit, m.submit, m.answer, m.answer, m.decide, m.decide, m.decide, m.decide, m.withdraw, m.issue, m.issue, m.issue, m.reissue, m.reissue, m.revoke, m.print, m.print,
		}
		for step := range 600 {
			switch {
			case len(m.all) < 4 || step%12 == 0:
				m.create()
			case step%100 == 99:
				m.restart()
			default:
				a := m.all[len(m.all)-1-m.dice.IntN(4)]
				acts[m.dice.IntN(len(acts))](a)
				m.compare(a)
			}
		}
		for _, a := range m.all {
			m.compare(a)
		}
		for _, want := range []string{"application.submit", "application.answer", "application.decide", "application.withdraw", "issue", "restart"} {
			if m.done[want] == 0 {
				t.Errorf("never done: %s", want)
			}
			if m.done["refused "+want] == 0 && want != "restart" {
				t.Errorf("never refused: %s", want)
			}
		}
		t.Log(m.done)
	})
}
