package vaccination

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"

	"akashi/internal/clock"
)

// L-05: of 2,000 invented people 5 % carry one seeded fault. Recall over all
// must be at least 99 %; of the classes "impossible order" and "wrong person" none
// may pass. Sound people are held back rarely.
func TestSeededFaults(t *testing.T) {
	const people = 2_000
	seeds := []uint64{1, 2, 3, 4, 5}
	for _, seed := range seeds {
		c := newCorpus(seed, people)
		faulty := c.seed(people / 20)
		var seeded, caught, sound, held int
		for i, p := range c.people {
			a, err := Match(t.Context(), c, c.ask[i], rules, today)
			if err != nil {
				t.Fatal(err)
			}
			class, bad := faulty[i]
			switch {
			case bad && !a.Automatic():
				seeded, caught = seeded+1, caught+1
			case bad:
				seeded++
				if class.critical {
					t.Errorf("seed %d: %s passed", seed, class.name)
				}
			default:
				sound++
				if !a.Automatic() {
					held++
					t.Logf("seed %d: sound person %s held: %v %v %v", seed, p.ID, a.Outcome, a.Evidence, a.Anomalies)
				}
			}
		}
		if seeded != people/20 || float64(caught) < 0.99*float64(seeded) {
			t.Errorf("seed %d: %d of %d faults found", seed, caught, seeded)
		}
		if held*100 > sound {
			t.Errorf("seed %d: %d of %d sound people held", seed, held, sound)
		}
	}
}

type corpus struct {
	memory
	byTicket map[string][]int
	ask      []Enquiry
	rand     *rand.Rand
}

// FindByTicket answers from an index, for speed.
func (c *corpus) FindByTicket(_ context.Context, ticket string) ([]Person, error) {
	var found []Person
	for _, i := range c.byTicket[ticket] {
		found = append(found, c.people[i])
	}
	return found, nil
}

func newCorpus(seed uint64, n int) *corpus {
	c := &corpus{byTicket: map[string][]int{}, rand: rand.New(rand.NewPCG(seed, 53))}
	families, givens := []rune("桜森池島原林堀関辻岡谷沢浜橋崎"), []rune("澪翠誠健修凪渚陽望光")
	for i := range n {
		s := Subject{
			Ticket: fmt.Sprintf("%010d", 7_000_000+i*11), Family: pick(c, families, 2), Given: pick(c, givens, 2),
			BirthDate: clock.Date("1930-01-01").AddDays(c.rand.IntN(74 * 365)), Sex: []Sex{Male, Female}[c.rand.IntN(2)], Status: Resident,
		}
		p := Person{ID: fmt.Sprint(i), Subject: s, Doses: c.doses(s.Ticket)}
		c.people = append(c.people, p)
		c.byTicket[s.Ticket] = append(c.byTicket[s.Ticket], i)
		c.ask = append(c.ask, Enquiry{Programme: "covid19", Ticket: s.Ticket, Family: s.Family, Given: s.Given, BirthDate: s.BirthDate, Sex: s.Sex})
	}
	return c
}

func pick(c *corpus, letters []rune, n int) string {
	out := make([]rune, n)
	for i := range out {
		out[i] = letters[c.rand.IntN(len(letters))]
	}
	return string(out)
}

// doses makes two to five sound doses of adults' products.
func (c *corpus) doses(ticket string) []Record {
	maker := []struct{ maker, product, lot string }{{"ファイザー", "コミナティ", "ZA%04d"}, {"武田／モデルナ", "COVID-19ワクチンモデルナ", "90%05d"}}[c.rand.IntN(2)]
	on := clock.Date("2021-06-01").AddDays(c.rand.IntN(120))
	var list []Record
	for k := range 2 + c.rand.IntN(4) {
		list = append(list, Record{
			Programme: "covid19", Ticket: ticket, DoseNumber: k + 1, VaccinatedOn: on, Maker: maker.maker, Product: maker.product, Lot: fmt.Sprintf(maker.lot, c.rand.IntN(9999)),
		})
		on = on.AddDays(21 + c.rand.IntN(14))
		if k > 0 {
			on = on.AddDays(120 + c.rand.IntN(60))
		}
	}
	return list
}

// class is one class of fault; critical ones may never pass.
type class struct {
	name     string
	critical bool
	make     func(c *corpus, i int)
}

var classes = []class{
	{"order: second before first", true, func(c *corpus, i int) {
		d := c.people[i].Doses
		d[0].VaccinatedOn, d[1].VaccinatedOn = d[1].VaccinatedOn, d[0].VaccinatedOn
	}},
	{"order: two doses on one day", true, func(c *corpus, i int) { c.people[i].Doses[1].VaccinatedOn = c.people[i].Doses[0].VaccinatedOn }},
	{"order: last before first", true, func(c *corpus, i int) {
		d := c.people[i].Doses
		d[len(d)-1].VaccinatedOn = d[0].VaccinatedOn.AddDays(-1 - c.rand.IntN(60))
	}},
	{"order: before birth", true, func(c *corpus, i int) {
		c.people[i].Subject.BirthDate = c.people[i].Doses[1].VaccinatedOn.AddDays(-1)
		c.ask[i].BirthDate = c.people[i].Subject.BirthDate
	}},
	{"order: after death", true, func(c *corpus, i int) {
		c.people[i].Subject.Status, c.people[i].Subject.StatusDate = Deceased, c.people[i].Doses[0].VaccinatedOn.AddDays(1)
	}},
	{"order: before the programme", true, func(c *corpus, i int) {
		c.people[i].Doses[0].VaccinatedOn = clock.Date("2021-02-16").AddDays(-c.rand.IntN(400))
	}},
	{"order: in the future", true, func(c *corpus, i int) {
		d := c.people[i].Doses
		d[len(d)-1].VaccinatedOn = today.AddDays(1 + c.rand.IntN(30))
	}},
	{"person: ticket misread by one digit", true, func(c *corpus, i int) { c.ask[i].Ticket = c.people[(i+1)%len(c.people)].Subject.Ticket }},
	{"person: ticket of nobody", true, func(c *corpus, i int) { c.ask[i].Ticket = "9999999999" }},
	{"person: one ticket for two", true, func(c *corpus, i int) {
		other := (i + 1) % len(c.people)
		c.byTicket[c.people[i].Subject.Ticket] = append(c.byTicket[c.people[i].Subject.Ticket], other)
	}},
	{"person: another's dose of the same number", true, func(c *corpus, i int) {
		extra := c.people[(i+1)%len(c.people)].Doses[0]
		extra.Ticket = c.people[i].Subject.Ticket
		c.people[i].Doses = append(c.people[i].Doses, extra)
	}},
	{"person: another's later dose", true, func(c *corpus, i int) { // 1 read as 4: the number leaves a gap
		extra := c.people[i].Doses[0]
		extra.DoseNumber = len(c.people[i].Doses) + 2
		extra.VaccinatedOn = "2023-06-01"
		c.people[i].Doses = append(c.people[i].Doses, extra)
	}},
	{"person: other birth date", true, func(c *corpus, i int) { c.ask[i].BirthDate = c.ask[i].BirthDate.AddDays(1 + c.rand.IntN(300)) }},
	{"person: other given name", true, func(c *corpus, i int) { c.ask[i].Given = "一二" }},
	{"first dose missing", false, func(c *corpus, i int) { c.people[i].Doses = c.people[i].Doses[1:] }},
	{"dose number wrong", false, func(c *corpus, i int) {
		d := c.people[i].Doses
		d[len(d)-1].DoseNumber += 1 + c.rand.IntN(3)
	}},
	{"lot of another maker", false, func(c *corpus, i int) {
		d := &c.people[i].Doses[1]
		if d.Maker == "ファイザー" {
			d.Lot = "3004001"
		} else {
			d.Lot = "ZA1001"
		}
	}},
	{"lot missing", false, func(c *corpus, i int) { c.people[i].Doses[1].Lot = "" }},
	{"maker and product differ", false, func(c *corpus, i int) { c.people[i].Doses[0].Maker = "アストラゼネカ" }},
	{"product unknown", false, func(c *corpus, i int) { c.people[i].Doses[0].Product = "コミナテイ" }},
	{"product before it was in use", false, func(c *corpus, i int) {
		c.people[i].Doses[0].Maker, c.people[i].Doses[0].Product = "ファイザー", "コミナティ（BA.4-5）"
	}},
	{"children's product", false, func(c *corpus, i int) {
		d := c.people[i].Doses
		d[len(d)-1].Maker, d[len(d)-1].Product, d[len(d)-1].VaccinatedOn = "ファイザー", "コミナティ（5〜11歳用）", "2024-01-10"
	}},
	{"two makers in the first two doses", false, func(c *corpus, i int) {
		d := &c.people[i].Doses[1]
		d.Maker, d.Product, d.Lot = "アストラゼネカ", "バキスゼブリア", "A1001"
		if c.people[i].Doses[0].Maker == "アストラゼネカ" {
			d.Maker, d.Product = "ファイザー", "コミナティ"
		}
	}},
	{"date missing", false, func(c *corpus, i int) { c.people[i].Doses[0].VaccinatedOn = "" }},
	{"no interval", false, func(c *corpus, i int) {
		d := c.people[i].Doses
		d[1].VaccinatedOn = d[0].VaccinatedOn.AddDays(1 + c.rand.IntN(14))
	}},
}

// seed gives n different people one fault each, the classes in turn.
func (c *corpus) seed(n int) map[int]class {
	faulty := map[int]class{}
	for _, i := range c.rand.Perm(len(c.people)) {
		if len(faulty) == n {
			break
		}
		// A neighbour that lends a dose or a ticket stays sound.
		if _, before := faulty[i-1]; before {
			continue
		}
		if _, after := faulty[i+1]; after {
			continue
		}
		k := classes[len(faulty)%len(classes)]
		k.make(c, i)
		faulty[i] = k
	}
	return faulty
}
