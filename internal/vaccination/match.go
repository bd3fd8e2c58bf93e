package vaccination

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"akashi/internal/clock"
	"akashi/internal/fault"
)

// ErrUnavailable is what a Register returns when it cannot be asked now.
var ErrUnavailable = errors.New("vaccination: register cannot be asked now")

// KeyKind says by which search key a name is looked for.
type KeyKind string

const (
	ExactName KeyKind = "exact" // ExactKey of family and given name
	LooseName KeyKind = "loose" // LooseKey of family and given name
	LooseKana KeyKind = "kana"  // LooseKey of family and given kana
)

// SearchKey is one key under which a subject is found by name.
type SearchKey struct {
	Kind KeyKind
	Key  string
}

// SearchKeys returns the keys of a subject, to be indexed together with the
// birth date. They are personal data: store keyed hashes only.
func (s Subject) SearchKeys() []SearchKey {
	return searchKeys(s.Family+s.Given, s.FamilyKana+s.GivenKana)
}

func searchKeys(name, kana string) []SearchKey {
	var keys []SearchKey
	for _, k := range []SearchKey{{ExactName, ExactKey(name)}, {LooseName, LooseKey(name)}, {LooseKana, LooseKey(kana)}} {
		if k.Key != "" {
			keys = append(keys, k)
		}
	}
	return keys
}

// Person is one subject of a register with every recorded dose.
type Person struct {
	ID      string // the register's own key of the subject
	Subject Subject
	Doses   []Record  // all programmes, any order
	Source  string    // which register answers
	AsOf    time.Time // state of the data, UTC
	Same    []string  // ids of the same person under other tickets, whose doses are joined
}

// Register is one office's register, opened for one actor. Each look-up returns
// everyone who fits, none without error when nobody does, and ErrUnavailable
// (wrapped) when it cannot be asked.
type Register interface {
	FindByTicket(ctx context.Context, ticket string) ([]Person, error)
	FindByAddress(ctx context.Context, address string) ([]Person, error)
	FindByName(ctx context.Context, key SearchKey, birth clock.Date) ([]Person, error)
}

// Enquiry says who is looked for: by ticket number, by address number, or by
// name and birth date. Everything given must agree.
type Enquiry struct {
	Programme  string
	Ticket     string // 接種券番号
	Address    string // 宛名番号
	Family     string
	Given      string
	FamilyKana string
	GivenKana  string
	BirthDate  clock.Date
	Sex        Sex    // empty: not asked
	Elsewhere  bool   // other doses lie with another municipality or abroad
	Chosen     string // id of the one whom a clerk chose among several who fit; empty: nobody was
}

// LookUp is the outcome of a look-up. The zero value is Unavailable, so that a forgotten
// answer can never be read as "no record".
type LookUp int

const (
	Unavailable LookUp = iota // could not be asked now: says nothing about the person
	None                      // asked, and there is no record
	Found                     // one person with at least one dose
	Ambiguous                 // several people fit, or one who contradicts the enquiry and has no record
)

var lookUps = [...]string{"unavailable", "none", "found", "ambiguous"}

func (o LookUp) String() string {
	if o < 0 || int(o) >= len(lookUps) {
		return lookUps[Unavailable]
	}
	return lookUps[o]
}

// MarshalText writes the name of the outcome.
func (o LookUp) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// UnmarshalText reads the name of an outcome.
func (o *LookUp) UnmarshalText(b []byte) error {
	i := slices.Index(lookUps[:], string(b))
	if i < 0 {
		return fmt.Errorf("vaccination: unknown outcome")
	}
	*o = LookUp(i)
	return nil
}

// Certainty says how sure it is that the person found is the one meant.
type Certainty string

const (
	Exact     Certainty = "exact"     // identifier or sex, exact name and birth date all agree
	Loose     Certainty = "loose"     // nothing contradicts, but something was not given or agrees only loosely
	Candidate Certainty = "candidate" // something contradicts, or only the kana fit: a person decides
)

// Answer is the result of a look-up.
type Answer struct {
	Outcome    LookUp
	Person     Person   // of Found; of None when the person is known: for staff only
	Candidates []Answer // of Ambiguous, at most ten: what it would be with each; for staff only
	Chosen     bool     // of several who fit, by the enquiry
	Doses      []Record // of Found: all of the programme, ascending by number
	Source     string
	AsOf       time.Time
	Certainty  Certainty // of Found
	Evidence   []string
	Anomalies  []Anomaly
}

// Automatic tells whether no person has to look: one exact match of an
// unprotected living person without any anomaly.
func (a Answer) Automatic() bool {
	s := a.Person.Subject.Status
	return a.Outcome == Found && a.Certainty == Exact && len(a.Anomalies) == 0 && (s == Resident || s == MovedOut)
}

// Match asks the register for the person of an enquiry and judges the answer. An
// error says that the enquiry cannot be asked at all; when the register fails,
// the outcome is Unavailable and the error, if it is not ErrUnavailable, tells why.
func Match(ctx context.Context, reg Register, e Enquiry, rules Rules, today clock.Date) (Answer, error) {
	if e.Ticket == "" && e.Address == "" && (len(e.keys()) == 0 || !e.BirthDate.Full()) {
		return Answer{}, fault.New(fault.Invalid, "enquiry_incomplete", "enquiry")
	}
	m := &matcher{ctx: ctx, reg: reg, e: e, rules: rules, today: today, seen: map[string]bool{}}
	a, err := m.answer()
	if errors.Is(err, ErrUnavailable) || errors.Is(err, context.DeadlineExceeded) {
		return Answer{Outcome: Unavailable}, nil
	}
	return a, err
}

func (e Enquiry) keys() []SearchKey {
	return searchKeys(e.Family+e.Given, FoldKana(e.FamilyKana+e.GivenKana))
}

type matcher struct {
	ctx   context.Context
	reg   Register
	e     Enquiry
	rules Rules
	today clock.Date

	people []Person        // who fits, each person once
	seen   map[string]bool // ids taken over
	how    []string        // by what the people were found
	part   bool            // what was given points to different people or to nobody
	shared bool            // one ticket has two subjects
}

// search collects who fits: by the identifiers given, else by name.
func (m *matcher) search() error {
	if err := m.byIdentifiers(); err != nil {
		return err
	}
	contradicted := m.contradicted()
	m.part = m.part || contradicted && len(m.people) == 1
	if len(m.people) == 0 || contradicted {
		return m.byName()
	}
	return nil
}

func (m *matcher) byIdentifiers() error {
	if m.e.Ticket != "" {
		found, err := m.reg.FindByTicket(m.ctx, m.e.Ticket)
		if err != nil {
			return err
		}
		m.note(len(found) > 0, byTicket, ticketUnknown)
		m.add(found)
		m.shared = len(m.people) > 1
	}
	if m.e.Address != "" {
		before := len(m.people)
		found, err := m.reg.FindByAddress(m.ctx, m.e.Address)
		if err != nil {
			return err
		}
		m.note(len(found) > 0, byAddress, addressUnknown)
		m.add(found)
		if before > 0 && len(found) > 0 && len(m.people) > before {
			m.how, m.part = append(m.how, identifiersPart), true
		}
	}
	return nil
}

// note records that an identifier was found or not; one that was given and is
// unknown contradicts whatever else is found.
func (m *matcher) note(found bool, code, unknown string) {
	if found {
		m.how = append(m.how, code)
		return
	}
	m.how, m.part = append(m.how, unknown), true
}

// contradicted tells whether the person found by identifiers differs from the enquiry.
func (m *matcher) contradicted() bool {
	return slices.ContainsFunc(m.people, func(p Person) bool {
		_, differs := m.e.compare(p.Subject)
		return differs
	})
}

// byName looks for exact, then loose name, then kana, each with the birth date.
func (m *matcher) byName() error {
	if !m.e.BirthDate.Full() {
		return nil
	}
	for _, key := range m.e.keys() {
		found, err := m.reg.FindByName(m.ctx, key, m.e.BirthDate)
		if err != nil {
			return err
		}
		if len(found) > 0 {
			m.add(found)
			return nil
		}
	}
	return nil
}

// add takes people over, each subject once. A subject of the same address number
// who can be the same person is joined: the doses of all tickets belong together.
func (m *matcher) add(found []Person) {
	for _, p := range found {
		if m.seen[p.ID] {
			continue
		}
		m.seen[p.ID] = true
		if i := slices.IndexFunc(m.people, func(q Person) bool { return q.Subject.Reissued(p.Subject) }); i >= 0 {
			m.people[i] = m.people[i].join(p)
			continue
		}
		m.people = append(m.people, p)
	}
}

// Reissued tells that two subjects are one person who got two tickets; the name
// may have changed between them.
func (s Subject) Reissued(other Subject) bool {
	return s.Address != "" && s.Address == other.Address && s.Ticket != other.Ticket &&
		s.BirthDate.Full() && s.BirthDate == other.BirthDate
}

// whole brings in the other tickets of a person found.
func (m *matcher) whole(p Person) (Person, error) {
	if p.Subject.Address == "" {
		return p, nil
	}
	found, err := m.reg.FindByAddress(m.ctx, p.Subject.Address)
	for _, q := range found {
		if !m.seen[q.ID] && p.Subject.Reissued(q.Subject) {
			p = p.join(q)
		}
	}
	return p, err
}

// join adds what is recorded under another ticket of the same person.
func (p Person) join(q Person) Person {
	p.Doses = slices.Concat(p.Doses, q.Doses)
	p.Same = append(slices.Clone(p.Same), q.ID)
	return p
}

func (m *matcher) answer() (Answer, error) {
	if err := m.search(); err != nil {
		return Answer{}, err
	}
	chosen := slices.IndexFunc(m.people, func(p Person) bool { return m.e.Chosen != "" && p.ID == m.e.Chosen })
	switch {
	case len(m.people) == 0:
		return Answer{Outcome: None, Evidence: append(m.how, personUnknown)}, nil
	case len(m.people) > 1 && chosen >= 0:
		return m.candidate(m.people[chosen])
	case len(m.people) > 1:
		return m.ambiguous(m.how)
	}
	evidence, differs := m.e.compare(m.people[0].Subject)
	differs = differs || m.part
	a, err := m.judge(m.people[0], slices.Concat(m.how, evidence), differs)
	switch {
	case err != nil:
		return Answer{}, err
	case a.Outcome == None && differs: // not the person meant, perhaps: that nobody has a record cannot be said
		return m.ambiguous(a.Evidence)
	case a.Outcome == Found:
		a.Certainty = m.sure(evidence, differs)
	}
	return a, nil
}

// judge says what is recorded of one person and what looks wrong about it.
func (m *matcher) judge(p Person, evidence []string, differs bool) (Answer, error) {
	p, err := m.whole(p)
	if err != nil {
		return Answer{}, err
	}
	a := Answer{Outcome: Found, Person: p, Source: p.Source, AsOf: p.AsOf, Evidence: evidence}
	for _, d := range ascending(p.Doses) {
		if d.Programme == m.e.Programme {
			a.Doses = append(a.Doses, d)
		}
	}
	if len(a.Doses) == 0 {
		a.Outcome, a.Evidence = None, append(a.Evidence, noDoses)
		return a, nil
	}
	if differs {
		a.Anomalies = append(a.Anomalies, Anomaly{"identity_mismatch", Block, 0})
	}
	a.Anomalies = append(a.Anomalies, m.rules.Check(Case{m.e.Programme, p.Subject, a.Doses, m.e.Elsewhere}, m.today)...)
	return a, nil
}
