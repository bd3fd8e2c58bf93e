package vaccination

import (
	"slices"
	"testing"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
)

var rules = Rules{catalogue.Default()}

// person is an invented adult without any anomaly.
func person() Subject {
	return Subject{Ticket: "0000000001", Address: "100001", Family: "桜井", Given: "澪", FamilyKana: "サクライ", GivenKana: "ミオ", BirthDate: "1991-02-18", Sex: Female, Status: Resident}
}

func dose(number int, on clock.Date) Record {
	return Record{Programme: "covid19", Ticket: "0000000001", DoseNumber: number, VaccinatedOn: on, Maker: "ファイザー", Product: "コミナティ", Lot: "ZA1001"}
}

func doses() []Record {
	return []Record{dose(1, "2021-06-21"), dose(2, "2021-07-12"), dose(3, "2022-02-14")}
}

// certificate-japan.md 9, S-053: each rule finds its fault and nothing else.
func TestCheck(t *testing.T) {
	t.Run("ok/no anomaly", func(t *testing.T) {
		if got := rules.Check(Case{"covid19", person(), doses(), false}, today); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	t.Run("ok/any order of rows", func(t *testing.T) {
		d := doses()
		slices.Reverse(d)
		if got := rules.Check(Case{"covid19", person(), d, false}, today); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	t.Run("ok/begins with dose 3, the others elsewhere", func(t *testing.T) {
		if got := rules.Check(Case{"covid19", person(), doses()[2:], true}, today); len(got) != 0 {
			t.Errorf("%v", got)
		}
	})
	born := func(d clock.Date) func(*Case) { return func(c *Case) { c.Subject.BirthDate = d } }
	first := func(change func(*Record)) func(*Case) {
		return func(c *Case) { c.Doses = c.Doses[:1]; change(&c.Doses[0]) }
	}
	for name, c := range map[string]struct {
		change func(*Case)
		want   []Anomaly
	}{
		"birth date incomplete":  {born("1991-02"), []Anomaly{{"birth_date_incomplete", Block, 0}}},
		"birth date unknown":     {born(""), []Anomaly{{"birth_date_incomplete", Block, 0}}},
		"date missing":           {first(func(d *Record) { d.VaccinatedOn = "" }), []Anomaly{{"date_missing", Block, 1}}},
		"future":                 {func(c *Case) { c.Doses[2].VaccinatedOn = "2026-11-22" }, []Anomaly{{"date_future", Block, 3}, {"date_after_programme", Block, 3}}},
		"before the programme":   {first(func(d *Record) { d.VaccinatedOn = "2021-02-16" }), []Anomaly{{"date_before_programme", Block, 1}, {"product_not_yet", Block, 1}}},
		"after the programme":    {func(c *Case) { c.Doses[2].VaccinatedOn = "2024-04-01" }, []Anomaly{{"date_after_programme", Block, 3}}},
		"before birth":           {born("2021-06-22"), []Anomaly{{"date_before_birth", Block, 1}, {"product_age", Block, 2}, {"product_age", Block, 3}}},
		"after death":            {func(c *Case) { c.Subject.Status, c.Subject.StatusDate = Deceased, "2022-01-01" }, []Anomaly{{"date_after_death", Block, 3}}},
		"after moving out":       {func(c *Case) { c.Subject.Status, c.Subject.StatusDate = MovedOut, "2022-01-01" }, []Anomaly{{"date_after_move", Warning, 3}}},
		"second before first":    {func(c *Case) { c.Doses[1].VaccinatedOn = "2021-06-20" }, []Anomaly{{"date_order", Block, 2}}},
		"two doses on one day":   {func(c *Case) { c.Doses[1].VaccinatedOn = "2021-06-21" }, []Anomaly{{"date_order", Block, 2}}},
		"third before first":     {func(c *Case) { c.Doses[2].VaccinatedOn = "2021-06-01" }, []Anomaly{{"date_order", Block, 3}}},
		"same number twice":      {func(c *Case) { c.Doses[2].DoseNumber = 2 }, []Anomaly{{"number_duplicate", Block, 2}}},
		"number missing between": {func(c *Case) { c.Doses[2].DoseNumber = 4 }, []Anomaly{{"number_gap", Block, 4}}},
		"first dose missing":     {func(c *Case) { c.Doses = c.Doses[1:] }, []Anomaly{{"number_gap", Block, 2}}},
		"17 days":                {func(c *Case) { c.Doses[1].VaccinatedOn = "2021-07-08" }, []Anomaly{{"interval_short", Warning, 2}}},
		"other maker": {func(c *Case) {
			c.Doses[1].Maker, c.Doses[1].Product, c.Doses[1].Lot = "モデルナ", "スパイクバックス", "3004001"
		}, []Anomaly{{"maker_changed", Warning, 2}}},
		"nothing of the product":  {first(func(d *Record) { d.Maker, d.Product = "", "" }), []Anomaly{{"product_missing", Block, 1}}},
		"unknown product":         {first(func(d *Record) { d.Product = "無名" }), []Anomaly{{"product_unknown", Block, 1}}},
		"ambiguous maker":         {first(func(d *Record) { d.Maker, d.Product = "武田", "" }), []Anomaly{{"product_ambiguous", Block, 1}}},
		"wrong maker":             {first(func(d *Record) { d.Maker = "モデルナ" }), []Anomaly{{"maker_mismatch", Block, 1}}},
		"not certifiable":         {first(func(d *Record) { d.Maker, d.Product, d.VaccinatedOn = "", "コスタイベ", "2024-10-02" }), []Anomaly{{"date_after_programme", Block, 1}, {"product_not_certifiable", Block, 1}}},
		"maker alone, one":        {first(func(d *Record) { d.Product = "" }), nil},
		"maker alone, several":    {first(func(d *Record) { d.Product, d.VaccinatedOn = "", "2022-09-20" }), []Anomaly{{"product_assumed", Block, 1}}},
		"before approval":         {first(func(d *Record) { d.Product = "コミナティ（BA.1）" }), []Anomaly{{"product_not_yet", Block, 1}}},
		"child, adults' product":  {born("2012-06-22"), []Anomaly{{"product_age", Block, 1}, {"product_age", Block, 2}, {"product_age", Block, 3}}},
		"adult, child's product":  {first(func(d *Record) { d.Product, d.VaccinatedOn = "コミナティ（5〜11歳用）", "2022-03-01" }), []Anomaly{{"product_age", Block, 1}}},
		"no lot":                  {first(func(d *Record) { d.Lot = "" }), []Anomaly{{"lot_missing", Block, 1}}},
		"lot of another maker":    {first(func(d *Record) { d.Lot = "3004001" }), []Anomaly{{"lot_maker", Warning, 1}}},
		"lot in small letters ok": {first(func(d *Record) { d.Lot = "za 1001" }), nil},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			k := Case{"covid19", person(), doses(), false}
			c.change(&k)
			if got := rules.Check(k, today); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
	t.Run("error/no code today", func(t *testing.T) {
		d := dose(1, "2022-10-01")
		d.Product = "コミナティ（BA.1）"
		got := rules.Check(Case{"covid19", person(), []Record{d}, false}, "2022-01-01")
		if !slices.Contains(got, Anomaly{"product_no_code", Block, 1}) {
			t.Errorf("%v", got)
		}
	})
}

// An age is reached on the day before the birthday; who begins with the
// children's product may finish with it.
func TestCheckAges(t *testing.T) {
	child := dose(1, "2022-03-19")
	child.Product = "コミナティ（5〜11歳用）"
	for born, want := range map[clock.Date]string{
		"2014-08-17": "", "2017-03-20": "", "2017-03-21": "product_age", // five on 2022-03-19, and one day too young
		"2010-03-21": "", "2010-03-20": "product_age_edge", "2009-03-21": "product_age_edge", "2009-03-20": "product_age",
		"2012-02-29": "",
	} {
		s := person()
		s.BirthDate = born
		got := rules.Check(Case{"covid19", s, []Record{child}, false}, today)
		if (want == "") != (len(got) == 0) || want != "" && got[0].Code != want {
			t.Errorf("born %s: %v, want %q", born, got, want)
		}
	}
}

func TestReplacesAndSamePerson(t *testing.T) {
	was := dose(1, "2021-06-21")
	corrected, another := was, was
	corrected.VaccinatedOn = "2021-06-22"
	another.VaccinatedOn, another.Lot = "2021-08-01", "ZA9999"
	if corrected.Replaces(was) || was.Replaces(was) || !another.Replaces(was) {
		t.Error("a correction and another person's dose are not told apart")
	}
	a := person()
	married, stranger := a, a
	married.Family = "森"
	stranger.Family, stranger.Given, stranger.BirthDate = "池田", "陽菜", "2014-08-17"
	if !a.SamePerson(married) || a.SamePerson(stranger) {
		t.Error("a new name and another person are not told apart")
	}
}

// Content is equal exactly when nothing but the source line differs.
func TestContent(t *testing.T) {
	a := dose(1, "2021-06-21")
	b := a
	b.SourceLine = "7"
	if string(a.Content()) != string(b.Content()) {
		t.Error("the source line changes the content")
	}
	for i, change := range []func(*Record){
		func(r *Record) { r.Programme = "x" }, func(r *Record) { r.Ticket = "x" }, func(r *Record) { r.DoseNumber = 9 }, func(r *Record) { r.VaccinatedOn = "x" },
		func(r *Record) { r.Maker = "x" }, func(r *Record) { r.Product = "x" }, func(r *Record) { r.Lot = "x" }, func(r *Record) { r.Place = "x" },
		func(r *Record) { r.Doctor = "x" }, func(r *Record) { r.Origin = "x" },
	} {
		b := a
		if change(&b); string(a.Content()) == string(b.Content()) {
			t.Errorf("change %d does not show", i)
		}
	}
}
