package certificate

import (
	"fmt"
	"reflect"
	"slices"
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

// international is a yellow card of an invented child with two doses against polio, or of an
// adult with one against yellow fever.
func international(programme string) Certificate {
	c := sample()
	c.Kind, c.Programme, c.Participant, c.Subject.Sex = International, programme, "UTO", SexOf("M")
	c.IssuedAt, c.IssuedOn, c.AI = time.Date(2026, 11, 22, 1, 0, 0, 0, time.UTC), "2026-11-22", "JPN90000120261122200002"
	c.Subject.Passport.Expiry = "2030-01-01"
	name, dates := "Eupolio Inj. 5", []clock.Date{"2026-09-01", "2026-11-22"}
	if programme == catalogue.YellowFeverProgramme {
		name, dates = "STAMARIL", []clock.Date{"2026-11-20"}
	}
	code := map[string]string{"STAMARIL": "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0", "Eupolio Inj. 5": "PolioVaccineInactivatedSProduct031f63df3184acdf0cb82f90f316b6c3"}[name]
	product, err := catalogue.Default().Product(code, c.IssuedOn)
	if err != nil {
		panic(err)
	}
	c.Doses = nil
	for i, on := range dates {
		from, _ := catalogue.ICVPProducts().ValidFrom(product.Disease, on)
		c.Doses = append(c.Doses, Dose{Number: i + 1, VaccinatedOn: on, Product: product, Lot: "LOT-1", Country: "JPN", Clinician: "Dr A. Example", ValidFrom: from})
	}
	if programme == catalogue.PolioProgramme {
		c.Subject.BirthDate, c.Subject.Passport.BirthDate, c.Subject.Guardian = "2020-05-05", "2020-05-05", "MIYAKE Jiro"
	}
	return c
}

// spec who-icvp-gdhcn, 2 to 4: one negative case per rule of an international certificate.
func TestLintInternational(t *testing.T) {
	for _, programme := range []string{catalogue.YellowFeverProgramme, catalogue.PolioProgramme} {
		if f := international(programme).Lint(); len(f) != 0 {
			t.Fatalf("ok/%s: %v", programme, f)
		}
	}
	for name, change := range map[string]func(*Certificate){
		"programme unknown":                              func(c *Certificate) { c.Programme = "covid19"; c.Doses = nil },
		"kind only_international":                        func(c *Certificate) { c.Kind, c.Programme, c.Doses = Travel, "covid19", nil },
		"eu only_for_travel":                             func(c *Certificate) { c.EU = true },
		"subject.passport only_for_travel":               func(c *Certificate) { c.Subject.Passport = nil },
		"subject.passport.name not_latin":                func(c *Certificate) { c.Subject.Passport.MRZName.Primary = "宮家" },
		"subject.sex form":                               func(c *Certificate) { c.Subject.Sex = "X" },
		"subject.passport.nationality form":              func(c *Certificate) { c.Subject.Passport.Nationality = "JP" },
		"subject.guardian required":                      func(c *Certificate) { c.Subject.Guardian = "" },
		"subject.guardian not_latin":                     func(c *Certificate) { c.Subject.Guardian = "宮家 次郎" },
		"subject.birth_date full_date_required":          func(c *Certificate) { c.Subject.BirthDate = "2020-05" },
		"participant form":                               func(c *Certificate) { c.Participant = "" },
		"doses[0].product.icvp product_not_in_catalogue": func(c *Certificate) { c.Doses[0].Product.ICVP = "x" },
		"doses[1].product.icvp product_not_in_catalogue": func(c *Certificate) { c.Doses[1].Product.ICVP = "FVP-P-63" },
		"doses[0].vaccinated_on before_approval":         func(c *Certificate) { c.Doses[0].VaccinatedOn = "2020-12-20" },
		"doses[0].vaccinated_on full_date_required":      func(c *Certificate) { c.Doses[0].VaccinatedOn = "2026-09" },
		"doses[0].lot form":                              func(c *Certificate) { c.Doses[0].Lot = "A " },
		"doses[0].clinician not_latin":                   func(c *Certificate) { c.Doses[0].Clinician = "医師" },
		"doses[1].valid_from differs_from_rule":          func(c *Certificate) { c.Doses[1].ValidFrom = "2026-12-02" },
		"doses[0].product other_programme":               func(c *Certificate) { c.Programme = catalogue.YellowFeverProgramme },
		"doses[0] only_international":                    func(c *Certificate) { c.Kind, c.Programme = Travel, "covid19" },
	} {
		c := international(catalogue.PolioProgramme)
		change(&c)
		if !slices.ContainsFunc(c.Lint(), func(f Finding) bool { return f.String() == name }) {
			t.Errorf("error/%s: %v", name, c.Lint())
		}
	}
}

// What the passport says becomes what the yellow card says.
func TestTravelDocument(t *testing.T) {
	c := international(catalogue.YellowFeverProgramme)
	if c.Subject.TravelName() != "MIYAKE SHOTA" || c.Subject.Nationality() != "JPN" {
		t.Errorf("ok/zone: %s %s", c.Subject.TravelName(), c.Subject.Nationality())
	}
	c.Subject.Passport.DataPageName = passport.Name{Primary: "MÜLLER-LÜDENSCHEIDT", Secondary: "ZOË"}
	c.Subject.Passport.Nationality = "D"
	if c.Subject.TravelName() != "MÜLLER-LÜDENSCHEIDT ZOË" || c.Subject.Nationality() != "DEU" {
		t.Errorf("ok/data page: %s %s", c.Subject.TravelName(), c.Subject.Nationality())
	}
	c.Subject.Passport.DataPageName.Secondary, c.Subject.Passport.Nationality = "Зоя", "GBN"
	if c.Subject.TravelName() != "MIYAKE SHOTA" || c.Subject.Nationality() != "GBR" {
		t.Errorf("ok/not Latin: %s %s", c.Subject.TravelName(), c.Subject.Nationality())
	}
	for letter, want := range map[string]Sex{"M": Male, "F": Female, "X": Unknown, "": Unknown} {
		if SexOf(letter) != want {
			t.Errorf("ok/sex %q: %s", letter, SexOf(letter))
		}
	}
	if !Minor("2008-11-23", "2026-11-22") || Minor("2008-11-22", "2026-11-22") || Minor("2008", "2009-01-01") {
		t.Error("ok/minor")
	}
}

// One code per dose of a yellow card; the EU certificate of the latest dose beside those of travel.
func TestCodes(t *testing.T) {
	polio, travel, domestic := international(catalogue.PolioProgramme), sample(), sample()
	domestic.Kind = Domestic
	for want, c := range map[string]Certificate{"[{icvp 1} {icvp 2}]": polio, "[{vdsnc 0} {shc 0}]": travel, "[{shc 0}]": domestic} {
		if got := fmt.Sprint(c.Codes()); got != want {
			t.Errorf("ok/%s: %s", want, got)
		}
	}
	travel.EU = true
	if got := fmt.Sprint(travel.Codes()); got != "[{vdsnc 0} {shc 0} {dcc 2}]" || len(travel.Lint()) > 0 {
		t.Errorf("ok/eu: %s %v", got, travel.Lint())
	}
}
