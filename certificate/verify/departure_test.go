package verify

import (
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"slices"
	"strings"
	"testing"

	"akashi/certificate/hcert"
	"akashi/internal/clock"
	"akashi/passport"
)

// Spec who-icvp-gdhcn, 4: the standing recommendation about polio, for the day on which a
// journey begins. One dose of a person is enough, and never that of another.
func TestDeparture(t *testing.T) {
	const polio, stamaril = "PolioVaccineInactivatedSProduct031f63df3184acdf0cb82f90f316b6c3", "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"
	key := newKey(t)
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Signer"}, NotBefore: issuedAt.AddDate(-1, 0, 0), NotAfter: issuedAt.AddDate(3, 0, 0),
	}, &x509.Certificate{Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Signer"}}, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	list := listOf(t, signerOf(t, der))
	made := func(name, product string, day clock.Date) Verdict {
		t.Helper()
		draft, err := hcert.DraftICVP(hcert.ICVP{
			Generation: 3, Template: hcert.TemplateVersion, Name: name, BirthDate: "1990-01-02", Sex: "female", Nationality: "UTO",
			DocumentType: hcert.PassportDocument, DocumentNumber: passport.NewNumber("L898902C3"), Product: product, Date: day, Batch: "1", Clinician: "Dr A",
		}, issuedAt, hcert.Options{Country: "UT", KeyID: hcert.KeyID(der), TokenID: []byte("12345678"), Expires: issuedAt.AddDate(1, 0, 0)})
		if err != nil {
			t.Fatal(err)
		}
		text, err := hcert.Seal(draft, sign(t, key, draft))
		if err != nil {
			t.Fatal(err)
		}
		v := Text(text, list, now)
		if v.Outcome != Valid {
			t.Fatalf("%s %s", v.Outcome, shown(v))
		}
		return v
	}
	old, fresh, other := made("KAKUU HANAKO", polio, "2025-12-01"), made("KAKUU HANAKO", polio, "2026-11-10"), made("KAKUU TAROU", polio, "2026-11-10")
	fever := made("KAKUU HANAKO", stamaril, "2026-04-20")
	broken, unknown := fresh, fresh
	broken.Outcome, unknown.Outcome = NotValid, Undecided
	for name, c := range map[string]struct {
		verdicts []Verdict
		day      clock.Date
		want     string
	}{
		"ok/twelve months":               {[]Verdict{old}, "2026-12-01", "ok polio_in_window"},
		"ok/four weeks":                  {[]Verdict{fresh}, "2026-12-08", "ok polio_in_window"},
		"ok/one dose of two":             {[]Verdict{old, fresh}, "2026-12-08", "not_applicable polio_other_dose, ok polio_in_window"},
		"ok/the other order":             {[]Verdict{fresh, old}, "2026-12-08", "ok polio_in_window, not_applicable polio_other_dose"},
		"ok/urgent but covered":          {[]Verdict{fresh, old}, "2026-11-30", "not_applicable polio_other_dose, ok polio_in_window"},
		"ok/yellow fever":                {[]Verdict{fever, fresh}, "2026-12-08", "not_applicable no_departure_rule, ok polio_in_window"},
		"ok/another family":              {[]Verdict{Text("shc:/", nil, now)}, "2026-12-08", "not_applicable no_departure_rule"},
		"error/a day too old":            {[]Verdict{old}, "2026-12-02", "failed polio_too_old"},
		"error/a day too near":           {[]Verdict{fresh}, "2026-12-07", "unknown polio_if_urgent"},
		"error/urgent, and one too old":  {[]Verdict{old, fresh}, "2026-12-07", "not_applicable polio_other_dose, unknown polio_if_urgent"},
		"error/on a journey":             {[]Verdict{fresh}, "2026-11-09", "failed polio_after_departure"},
		"error/the dose of another":      {[]Verdict{old, other}, "2026-12-08", "failed polio_too_old, ok polio_in_window"},
		"error/of an unknown signer":     {[]Verdict{old, unknown}, "2026-12-08", "failed polio_too_old, unknown not_checked"},
		"error/not valid settles no one": {[]Verdict{old, broken}, "2026-12-08", "failed polio_too_old, unknown not_checked"},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, f := range Departure(c.verdicts, c.day) {
				got = append(got, string(f.Result)+" "+f.Code)
				if f.Name != "departure" || slices.ContainsFunc(Languages, func(l string) bool { return f.Sentence(l) == "" || f.Next(l) == "" }) {
					t.Errorf("not explained: %+v", f)
				}
			}
			if s := strings.Join(got, ", "); s != c.want {
				t.Errorf("%s, want %s", s, c.want)
			}
		})
	}
}
