package hcert

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/clock"
	"akashi/passport"
)

var issuedAt = time.Date(2026, 11, 20, 3, 0, 0, 0, time.UTC)

// specimen is an invented person with doses of the given products.
func specimen(t testing.TB, products ...string) certificate.Certificate {
	t.Helper()
	c := certificate.Certificate{
		Office: "900001", ID: "ABCDEFGHJKLM", Kind: certificate.Travel, Programme: "covid19",
		IssuedAt: issuedAt, IssuedOn: clock.DateOf(issuedAt),
		Subject: certificate.Subject{
			BirthDate: "1980-01-23",
			Passport: &passport.Document{
				MRZName:      passport.Name{Primary: "KAKUU VAN DE", Secondary: "HANAKO"},
				DataPageName: passport.Name{Primary: "Kakuu van de", Secondary: "Hanako\u0301"},
				Number:       passport.NewNumber("XS1234567"), Nationality: "JPN", BirthDate: "1980-01-23",
			},
		},
	}
	for i, id := range products {
		p, err := catalogue.Default().Product(id, "2024-01-01")
		if err != nil {
			t.Fatal(err)
		}
		day := clock.Date("2021-07-07").AddDays(30 * i)
		c.Doses = append(c.Doses, certificate.Dose{Number: i + 1, VaccinatedOn: day, Product: p, Lot: "3000", Country: "JPN"})
	}
	return c
}

func options() Options {
	return Options{
		Country: "JP", Authority: "Ministry of Health, Labour and Welfare", KeyID: KeyID([]byte("a certificate")),
		TokenID: bytes.Repeat([]byte{7}, 16), Expires: issuedAt.AddDate(1, 0, 0),
	}
}

// eu-dcc, 4, 5, 7 to 10: one entry, deterministic, without a finding of our own strict lint.
func TestDraftDCC(t *testing.T) {
	maker := newForger(t)
	c := specimen(t, "comirnaty", "spikevax", "nuvaxovid", "jcovden", "comirnaty-xbb-6m-4")
	for dose := range c.Doses {
		signed, err := DraftDCC(c, dose, options())
		if err != nil {
			t.Fatal(err)
		}
		code := must(Parse(must(Seal(signed, maker.sign(t, signed)))))
		if err := code.CheckSignature(&maker.key.PublicKey); err != nil || code.Fault != nil || len(code.DCC.Findings) > 0 || len(code.Notes) > 0 {
			t.Errorf("ok/dose %d: %v, %v, %v, %v", dose, err, code.Fault, code.DCC.Findings, code.Notes)
		}
		if err := code.CheckTime(issuedAt.Add(time.Hour), 0); err != nil || code.DCC.CheckEvent(issuedAt) != nil || !UVCIHolds(code.DCC.ID) {
			t.Errorf("ok/dose %d: %v, %s", dose, err, code.DCC.ID)
		}
		if paths := CompareDCC(c, dose, options(), code); paths != nil {
			t.Errorf("ok/dose %d differs at %v", dose, paths)
		}
		if again := must(DraftDCC(c, dose, options())); !bytes.Equal(again, signed) {
			t.Error("ok/the same arguments give other bytes")
		}
	}
	code := must(Parse(must(Seal(must(DraftDCC(c, 2, options())), make([]byte, 64)))))
	d := code.DCC
	if d.Name != (DCCName{"Kakuu van de", "Hanakó", "KAKUU<VAN<DE", "HANAKO"}) || d.BirthDate != "1980-01-23" || d.ID[:28] != "URN:UVCI:01:JP:ABCDEFGHJKLM/" {
		t.Errorf("ok/person: %+v", d)
	}
	if v := *d.Vaccination; v != (DCCVaccination{"1162643001", "EU/1/21/1618", "ORG-100032020", 3, 3, "2021-09-05"}) || d.Country != "JP" || code.Issuer != "JP" {
		t.Errorf("ok/a booster is 3 of 3: %+v", v)
	}
	for name, change := range map[string]func(*certificate.Certificate, *Options){
		"draft not_for_travel":         func(c *certificate.Certificate, _ *Options) { c.Subject.Passport = nil },
		"draft missing":                func(c *certificate.Certificate, _ *Options) { c.Doses = nil },
		"draft no_code":                func(c *certificate.Certificate, _ *Options) { c.Doses[0].Product.ID = "daichirona-xbb" },
		"draft form":                   func(_ *certificate.Certificate, o *Options) { o.Country = "japan" },
		"draft too_short":              func(_ *certificate.Certificate, o *Options) { o.TokenID = nil },
		"draft expires_before_issue":   func(_ *certificate.Certificate, o *Options) { o.Expires = issuedAt },
		"draft too_long":               func(_ *certificate.Certificate, o *Options) { o.Authority = strings.Repeat("x", 81) },
		"draft key_id":                 func(_ *certificate.Certificate, o *Options) { o.KeyID = nil },
		"draft not_in_value_set":       func(c *certificate.Certificate, _ *Options) { c.Doses[0].Country = "UTO" },
		"draft form (nam.fnt)":         func(c *certificate.Certificate, _ *Options) { c.Subject.Passport.MRZName.Primary = "Kakuu" },
		"draft missing (subject.dob)":  func(c *certificate.Certificate, _ *Options) { c.Subject.BirthDate = "" },
		"draft missing (authority)":    func(_ *certificate.Certificate, o *Options) { o.Authority = "" },
		"draft form (v[0].dt)":         func(c *certificate.Certificate, _ *Options) { c.Doses[0].VaccinatedOn = "2021-07" },
		"draft form (v[0].dn)":         func(c *certificate.Certificate, _ *Options) { c.Doses[0].Number = 0 },
		"draft missing (no name)":      func(c *certificate.Certificate, _ *Options) { c.Subject.Passport.MRZName = passport.Name{} },
		"draft form (a birth of 1830)": func(c *certificate.Certificate, _ *Options) { c.Subject.BirthDate = "1830-01-01" },
	} {
		t.Run("error/"+name, func(t *testing.T) {
			c, o := specimen(t, "comirnaty"), options()
			change(&c, &o)
			want, _, _ := strings.Cut(name, " (")
			if _, err := DraftDCC(c, 0, o); reason(err) != want {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
}

// S-057: each field that differs is named.
func TestCompareDCC(t *testing.T) {
	code := must(Parse(must(Seal(must(DraftDCC(specimen(t, "comirnaty"), 0, options())), make([]byte, 64)))))
	for want, change := range map[string]func(*certificate.Certificate, *Options){
		"claims.-260.1.dob":     func(c *certificate.Certificate, _ *Options) { c.Subject.BirthDate = "1980-01-24" },
		"claims.-260.1.nam.fnt": func(c *certificate.Certificate, _ *Options) { c.Subject.Passport.MRZName.Primary = "OTHER" },
		"claims.-260.1.v[0].dt": func(c *certificate.Certificate, _ *Options) { c.Doses[0].VaccinatedOn = "2021-07-08" },
		"claims.-260.1.v[0].dn": func(c *certificate.Certificate, _ *Options) { c.Doses[0].Number = 2 },
		"claims.-260.1.v[0].mp": func(c *certificate.Certificate, _ *Options) { c.Doses[0].Product.ID = "spikevax" },
		"claims.-260.1.v[0].co": func(c *certificate.Certificate, _ *Options) { c.Doses[0].Country = "DEU" },
		"claims.-260.1.v[0].ci": func(c *certificate.Certificate, _ *Options) { c.ID = "ABCDEFGHJKLN" },
		"claims.-260.1.v[0].is": func(_ *certificate.Certificate, o *Options) { o.Authority = "x" },
		"claims.1":              func(_ *certificate.Certificate, o *Options) { o.Country = "DE" },
		"claims.4":              func(_ *certificate.Certificate, o *Options) { o.Expires = issuedAt.AddDate(2, 0, 0) },
		"claims.6":              func(c *certificate.Certificate, _ *Options) { c.IssuedAt = issuedAt.Add(time.Second) },
		"claims.7":              func(_ *certificate.Certificate, o *Options) { o.TokenID = []byte("12345678") },
		"claims.-260.1.v[0].sd": func(c *certificate.Certificate, _ *Options) { c.Doses[0].Product.ID = "jcovden" },
		"claims.-260.1.nam.gn":  func(c *certificate.Certificate, _ *Options) { c.Subject.Passport.DataPageName.Secondary = "Hana" },
		"claims.-260.1.nam.gnt": func(c *certificate.Certificate, _ *Options) { c.Subject.Passport.MRZName.Secondary = "HANA" },
	} {
		c, o := specimen(t, "comirnaty"), options()
		change(&c, &o)
		if got := strings.Join(CompareDCC(c, 0, o, code), ";"); !strings.Contains(got, want) {
			t.Errorf("error/%s: %q", want, got)
		}
	}
}

// eu-dcc, 11: what is well signed and proves nothing at a time.
func TestCheckEvent(t *testing.T) {
	at := time.Date(2021, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		d    DCC
		want string
	}{
		"ok/dose today":                {DCC{Vaccination: &DCCVaccination{Date: "2021-06-01"}}, ""},
		"ok/dose where it is tomorrow": {DCC{Vaccination: &DCCVaccination{Date: "2021-06-02"}}, ""},
		"error/dose in future":         {DCC{Vaccination: &DCCVaccination{Date: "2021-06-03"}}, "content future_event"},
		"ok/test":                      {DCC{Test: &DCCTest{Result: resultNotDetected, SampledAt: at}}, ""},
		"error/test in future":         {DCC{Test: &DCCTest{Result: resultNotDetected, SampledAt: at.Add(1)}}, "content future_event"},
		"error/positive":               {DCC{Test: &DCCTest{Result: ResultDetected, SampledAt: at}}, "content positive"},
		"error/no result":              {DCC{Test: &DCCTest{SampledAt: at}}, "content not_negative"},
		"ok/recovery":                  {DCC{Recovery: &DCCRecovery{"2021-05-01", "2021-05-12", "2021-06-01"}}, ""},
		"error/recovery before":        {DCC{Recovery: &DCCRecovery{"2021-05-01", "2021-06-03", "2021-07-01"}}, "content recovery_not_yet"},
		"error/recovery over":          {DCC{Recovery: &DCCRecovery{"2021-05-01", "2021-05-12", "2021-05-30"}}, "content recovery_over"},
		"error/recovery in future":     {DCC{Recovery: &DCCRecovery{"2021-06-05", "2021-05-12", "2021-07-30"}}, "content future_event"},
	} {
		if err := c.d.CheckEvent(at); reason(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// eu-dcc, 7: what is to be rejected, and what is not.
func TestReadDCC(t *testing.T) {
	entry := func() table { return table{"dt": "2021-02-03", "tg": "x"} }
	base := func(change func(table)) table {
		c := table{"ver": "1.3.0", "nam": table{"fnt": "A"}, "dob": "", "v": []any{entry()}}
		change(c)
		return c
	}
	for name, c := range map[string]struct {
		content any
		want    string
	}{
		"ok/as it should be":   {base(func(table) {}), ""},
		"ok/null groups":       {base(func(c table) { c["t"], c["r"] = nil, nil }), ""},
		"ok/empty groups":      {base(func(c table) { c["t"] = []any{} }), ""},
		"ok/no version":        {base(func(c table) { delete(c, "ver") }), ""},
		"ok/version 1.9.9":     {base(func(c table) { c["ver"] = "1.9.9" }), ""},
		"ok/a name only":       {base(func(c table) { c["nam"] = table{"gn": "a"} }), ""},
		"error/version 2":      {base(func(c table) { c["ver"] = "2.0.0" }), "content unsupported_version"},
		"error/two kinds":      {base(func(c table) { c["r"] = []any{entry()} }), "content multiple_entries"},
		"error/two entries":    {base(func(c table) { c["v"] = []any{entry(), entry()} }), "content multiple_entries"},
		"error/none":           {base(func(c table) { delete(c, "v") }), "content no_entry"},
		"error/no map":         {[]any{}, "content not_a_map"},
		"error/entry no map":   {base(func(c table) { c["v"] = []any{"x"} }), "content wrong_type"},
		"error/group no list":  {base(func(c table) { c["v"] = entry() }), "content wrong_type"},
		"error/nobody":         {base(func(c table) { delete(c, "nam") }), "content missing"},
		"error/blank name":     {base(func(c table) { c["nam"] = table{"fn": "  "} }), "content missing"},
		"error/no date":        {base(func(c table) { c["v"] = []any{table{}} }), "content not_a_date"},
		"error/date of none":   {base(func(c table) { c["v"] = []any{table{"dt": "2021-02-30"}} }), "content not_a_date"},
		"error/recovery dates": {base(func(c table) { delete(c, "v"); c["r"] = []any{table{"fr": "2021-02-03", "df": "2021-02-14"}} }), "content not_a_date"},
	} {
		if _, err := readDCC(c.content); reason(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}
