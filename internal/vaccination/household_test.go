package vaccination

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"akashi/internal/clock"
)

// town is a register of households, as the number checks of 2023 met them: members
// share a family name, twins a birth date, and here and there lives a namesake.
type town struct {
	people    []Person
	household []int
	twin      map[int]int // the other one
	namesake  map[int]int
	byTicket  map[string][]int
	byAddress map[string][]int
	byName    map[nameKey][]int
}

type nameKey struct {
	SearchKey
	birth clock.Date
}

func (w *town) all(list []int) (found []Person, err error) {
	for _, i := range list {
		found = append(found, w.people[i])
	}
	return found, nil
}

func (w *town) FindByTicket(_ context.Context, ticket string) ([]Person, error) {
	return w.all(w.byTicket[ticket])
}

func (w *town) FindByAddress(_ context.Context, address string) ([]Person, error) {
	return w.all(w.byAddress[address])
}

func (w *town) FindByName(_ context.Context, key SearchKey, birth clock.Date) ([]Person, error) {
	return w.all(w.byName[nameKey{key, birth}])
}

func (w *town) add(household int, s Subject) int {
	i := len(w.people)
	s.Ticket, s.Address, s.Status = fmt.Sprintf("%010d", 7_000_000+i*11), fmt.Sprint(100_000+i), Resident
	list := doses()
	for n := range list {
		list[n].Ticket = s.Ticket
	}
	w.people = append(w.people, Person{ID: fmt.Sprint(i), Subject: s, Doses: list})
	w.household = append(w.household, household)
	w.byTicket[s.Ticket] = append(w.byTicket[s.Ticket], i)
	w.byAddress[s.Address] = append(w.byAddress[s.Address], i)
	for _, k := range s.SearchKeys() {
		k := nameKey{k, s.BirthDate}
		w.byName[k] = append(w.byName[k], i)
	}
	return i
}

func newTown(seed uint64, households int) *town {
	w := &town{twin: map[int]int{}, namesake: map[int]int{}, byTicket: map[string][]int{}, byAddress: map[string][]int{}, byName: map[nameKey][]int{}}
	dice := rand.New(rand.NewPCG(seed, 52))
	pick := func(from string, n int) (out string) {
		runes := []rune(from)
		for range n {
			out += string(runes[dice.IntN(len(runes))])
		}
		return out
	}
	for h := range households {
		family := pick("桜森池島原林堀関辻岡谷沢浜橋崎", 2)
		given := map[string]bool{} // nobody in a household has another's name
		for range 2 + dice.IntN(4) {
			s := Subject{Family: family, Given: pick("澪翠誠健修凪渚陽望光", 2), BirthDate: clock.Date("1930-01-01").AddDays(dice.IntN(74 * 365)), Sex: []Sex{Male, Female}[dice.IntN(2)]}
			if given[s.Given] {
				continue
			}
			given[s.Given] = true
			i := w.add(h, s)
			if dice.IntN(20) == 0 {
				other := s
				if other.Given = pick("一二三四五六七八九十", 2); dice.IntN(2) == 0 {
					other.Sex = Male
				}
				j := w.add(h, other)
				w.twin[i], w.twin[j] = j, i
			}
			if dice.IntN(50) == 0 {
				j := w.add(households+i, s)
				w.namesake[i], w.namesake[j] = j, i
			}
		}
	}
	return w
}

// member is another one of the household; -1 if there is none.
func (w *town) member(i int) int {
	for j := range w.people {
		if j != i && w.household[j] == w.household[i] && w.people[j].Subject.Given != w.people[i].Subject.Given {
			return j
		}
		if w.household[j] > w.household[i] && j > i+8 {
			break
		}
	}
	return -1
}

// L-04, S-052: what is on the form belongs to two people of one household, to twins
// or to namesakes. Nobody else than the one who is meant is taken without a person
// looking, whichever item is the wrong one; sound forms are seldom held.
func TestHouseholds(t *testing.T) {
	mixes := map[string]func(e *Enquiry, other Subject){
		"ticket":          func(e *Enquiry, o Subject) { e.Ticket = o.Ticket },
		"address":         func(e *Enquiry, o Subject) { e.Ticket, e.Address = "", o.Address },
		"both numbers":    func(e *Enquiry, o Subject) { e.Ticket, e.Address = o.Ticket, o.Address },
		"one of two":      func(e *Enquiry, o Subject) { e.Address = o.Address },
		"birth date":      func(e *Enquiry, o Subject) { e.BirthDate = o.BirthDate },
		"given name":      func(e *Enquiry, o Subject) { e.Given = o.Given },
		"name, no number": func(e *Enquiry, o Subject) { e.Ticket, e.Given = "", o.Given },
		"name and birth":  func(e *Enquiry, o Subject) { e.Given, e.BirthDate = o.Given, o.BirthDate },
	}
	tried, sound, held := map[string]int{}, 0, 0
	for seed := range uint64(3) {
		w := newTown(seed, 600)
		ask := func(i int) Enquiry {
			s := w.people[i].Subject
			return Enquiry{Programme: "covid19", Ticket: s.Ticket, Family: s.Family, Given: s.Given, BirthDate: s.BirthDate, Sex: s.Sex}
		}
		match := func(e Enquiry) Answer {
			a, err := Match(t.Context(), w, e, rules, today)
			if err != nil {
				t.Fatal(err)
			}
			return a
		}
		for i, p := range w.people {
			if a := match(ask(i)); !a.Automatic() || a.Person.ID != p.ID {
				held++
			}
			sound++
			others := map[string]int{"member": w.member(i)}
			if j, ok := w.twin[i]; ok {
				others["twin"] = j
			}
			for who, j := range others {
				if j < 0 {
					continue
				}
				o := w.people[j].Subject
				for what, mix := range mixes {
					e := ask(i)
					mix(&e, o)
					if mine := ask(i); e == mine || !contradicts(e, p.Subject) && !contradicts(e, o) {
						continue // of twins: nothing is mixed
					}
					tried[who+" "+what]++
					if a := match(e); a.Automatic() && contradicts(e, a.Person.Subject) {
						t.Errorf("seed %d: %s of a %s passed: %v", seed, what, who, a.Evidence)
					} else if a.Automatic() && a.Person.ID != p.ID && what != "name, no number" {
						t.Errorf("seed %d: with %s of a %s the other one was taken: %v", seed, what, who, a.Evidence)
					}
				}
			}
			if _, ok := w.namesake[i]; ok {
				tried["namesake"]++
				e := ask(i)
				e.Ticket = ""
				if a := match(e); a.Automatic() || a.Outcome != Ambiguous {
					t.Errorf("seed %d: one of two namesakes: %v %v", seed, a.Outcome, a.Evidence)
				}
			}
		}
	}
	if held*100 > sound {
		t.Errorf("%d of %d sound forms held", held, sound)
	}
	for what := range mixes {
		if tried["member "+what] < 1000 {
			t.Errorf("%s of a member: %d tried", what, tried["member "+what])
		}
	}
	if tried["namesake"] < 50 || tried["twin ticket"] < 50 {
		t.Errorf("tried %v", tried)
	}
	t.Logf("%d sound forms, %d held; tried %v", sound, held, tried)
}

// contradicts tells whether an item of the form is another than the person's.
func contradicts(e Enquiry, s Subject) bool {
	return !slices.Contains([]string{"", s.Ticket}, e.Ticket) || !slices.Contains([]string{"", s.Address}, e.Address) ||
		e.Given != s.Given || e.Family != s.Family || e.BirthDate != s.BirthDate || e.Sex != s.Sex
}
