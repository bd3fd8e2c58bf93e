package certificate

import (
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/passport"
)

func sample() Certificate {
	product := catalogue.Product{
		ID: "comirnaty", Programme: "covid19", NameJA: "コミナティ", NameEN: "COMIRNATY", MakerJA: "ファイザー", MakerEN: "Pfizer",
		TypeJA: "mRNA", TypeEN: "mRNA", CVX: "208", Certifiable: true,
	}
	return Certificate{
		Office: "900001", ID: "6U5RSWMBASG2", AI: "JPN90000120211209200002", Kind: Travel, Programme: "covid19",
		IssuedAt: time.Date(2021, 12, 8, 15, 30, 0, 0, time.UTC), IssuedOn: "2021-12-09",
		Subject: Subject{
			Name: Name{Family: "宮家", Given: "翔太"}, BirthDate: "1991-02-18",
			Passport: &passport.Document{
				MRZName: passport.Name{Primary: "MIYAKE", Secondary: "SHOTA"}, Number: passport.NewNumber("TK0000000"),
				IssuingState: "JPN", Nationality: "JPN", BirthDate: "1991-02-18", Sex: "M", Expiry: "2030-01-01",
			},
		},
		Doses: []Dose{
			{Number: 1, VaccinatedOn: "2021-03-01", Product: product, Lot: "FC9880", Country: "JPN"},
			{Number: 2, VaccinatedOn: "2021-03-23", Product: product, Lot: "FE8206", Country: "JPN"},
		},
		Issuer: Issuer{Japanese: []string{"架空県証市長"}, English: []string{"Mayor of Akashi City"}},
		Test:   true, Layout: "2026-11", Catalogue: "1",
	}
}

// S-057: one negative case per rule; the finding names the field and nothing else does.
func TestLint(t *testing.T) {
	if f := sample().Lint(); len(f) != 0 {
		t.Fatalf("ok/sample: %v", f)
	}
	for name, change := range map[string]func(*Certificate){
		"id form":                                               func(c *Certificate) { c.ID = "6U5RSWMBASGO" },
		"ai form":                                               func(c *Certificate) { c.AI = "JPN9" },
		"ai differs_from_office_or_date":                        func(c *Certificate) { c.AI = "JPN90000120211208200002" },
		"office form":                                           func(c *Certificate) { c.Office, c.AI = "90001", "" },
		"kind unknown":                                          func(c *Certificate) { c.Kind = "x"; c.Subject.Passport = nil },
		"programme unknown":                                     func(c *Certificate) { c.Programme = "x" },
		"issued_at whole_seconds":                               func(c *Certificate) { c.IssuedAt = c.IssuedAt.Add(time.Millisecond) },
		"issued_on differs_from_issued_at":                      func(c *Certificate) { c.IssuedAt = c.IssuedAt.Add(-time.Hour) },
		"issuer required":                                       func(c *Certificate) { c.Issuer.English = nil },
		"layout required":                                       func(c *Certificate) { c.Layout = "" },
		"catalogue required":                                    func(c *Certificate) { c.Catalogue = "" },
		"supersedes itself":                                     func(c *Certificate) { c.Supersedes = c.ID },
		"doses required":                                        func(c *Certificate) { c.Doses = nil },
		"doses too_many":                                        func(c *Certificate) { c.Doses = append(c.Doses, c.Doses...); c.Doses = append(c.Doses, c.Doses...) },
		"more_doses doses_left_out":                             func(c *Certificate) { c.MoreDoses = 1 },
		"subject.name.family required":                          func(c *Certificate) { c.Subject.Name.Family = "" },
		"subject.name.given character":                          func(c *Certificate) { c.Subject.Name.Given = "太\u202e郎" },
		"subject.former too_long":                               func(c *Certificate) { c.Subject.Former = strings.Repeat("あ", 101) },
		"subject.name.given not_utf8":                           func(c *Certificate) { c.Subject.Name.Given = "\xe5" },
		"subject.birth_date full_date_required":                 func(c *Certificate) { c.Subject.BirthDate = "1991-02" },
		"subject.birth_date in_future":                          func(c *Certificate) { c.Subject.BirthDate = "2022-02-18" },
		"subject.passport only_for_travel":                      func(c *Certificate) { c.Kind = Domestic },
		"subject.passport.number form":                          func(c *Certificate) { c.Subject.Passport.Number = passport.NewNumber("TK 1") },
		"subject.passport.nationality form":                     func(c *Certificate) { c.Subject.Passport.Nationality = "JAPAN" },
		"subject.passport.mrz_name.primary required":            func(c *Certificate) { c.Subject.Passport.MRZName.Primary = "" },
		"subject.passport.alternative.former_surname character": func(c *Certificate) { c.Subject.Passport.Alternative.FormerSurname = "A\x00" },
		"subject.passport.expiry expired":                       func(c *Certificate) { c.Subject.Passport.Expiry = "2021-12-08" },
		"subject.passport.birth_date differs_from_register":     func(c *Certificate) { c.Subject.Passport.BirthDate = "1991-02-17" },
		"doses[1].number not_ascending":                         func(c *Certificate) { c.Doses[1].Number = 1 },
		"doses[1].vaccinated_on not_ascending":                  func(c *Certificate) { c.Doses[0].VaccinatedOn = "2021-04-01" },
		"doses[0].vaccinated_on before_programme":               func(c *Certificate) { c.Doses[0].VaccinatedOn = "2021-02-16" },
		"doses[1].vaccinated_on in_future":                      func(c *Certificate) { c.Doses[1].VaccinatedOn = "2021-12-10" },
		"doses[1].lot form":                                     func(c *Certificate) { c.Doses[1].Lot = "" },
		"doses[0].country form":                                 func(c *Certificate) { c.Doses[0].Country = "Japan" },
		"doses[0].product not_certifiable":                      func(c *Certificate) { c.Doses[0].Product.Certifiable = false },
		"doses[0].product other_programme":                      func(c *Certificate) { c.Doses[0].Product.Programme = "flu" },
		"doses[0].product.cvx required":                         func(c *Certificate) { c.Doses[0].Product.CVX = "" },
	} {
		t.Run("error/"+name, func(t *testing.T) {
			c := sample()
			change(&c)
			var got []string
			for _, f := range c.Lint() {
				got = append(got, f.String())
			}
			if !strings.Contains(strings.Join(got, ";"), name) {
				t.Errorf("findings %v", got)
			}
		})
	}
}

func TestEncode(t *testing.T) {
	c := sample()
	b, err := Encode(c)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Decode(b)
	if err != nil || !reflect.DeepEqual(c, again) {
		t.Fatalf("ok/round trip: %v", err)
	}
}

// S-091: no verb prints a person.
func TestFormat(t *testing.T) {
	c := sample()
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{c, &c, []Certificate{c}} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "MIYAKE") || strings.Contains(s, "TK0000000") || strings.Contains(s, "宮家") {
				t.Errorf("%s printed %s", verb, s)
			}
		}
	}
}

// certificate-japan.md 4: the day of issue is read back from our own form only.
func TestDayOfAI(t *testing.T) {
	for ai, want := range map[string]clock.Date{
		AIOf("900001", "2026-11-22", 7): "2026-11-22", "": "", "JPN90000120261122": "", "JPN90000120261322000007": "", "UTO90000120261122000007": "",
	} {
		if got := DayOfAI(ai); got != want {
			t.Errorf("%q: %q, want %q", ai, got, want)
		}
	}
}
