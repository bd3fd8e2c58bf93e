package hcert

import (
	"strings"
	"time"

	"akashi/internal/clock"
)

// DCC is an EU Digital COVID Certificate (spec eu-dcc, 7). One of Vaccination, Test and
// Recovery is set. Texts are as signed; partial dates are as far as they are known.
type DCC struct {
	Version   string // of the schema
	Name      DCCName
	BirthDate string // YYYY-MM-DD, YYYY-MM, YYYY or empty
	Target    string // tg: the disease
	Country   string // co: of the event
	Authority string // is
	ID        string // ci: UVCI, in any form

	Vaccination *DCCVaccination
	Test        *DCCTest
	Recovery    *DCCRecovery

	Findings []Finding // where it breaks schema 1.3.3 or the value sets
}

// DCCName is a name as written, and transliterated as in a passport.
type DCCName struct{ Surname, Forename, SurnameT, ForenameT string }

// DCCVaccination is a dose. Dose may exceed Series: both 3/2 and 3/3 mean a booster.
type DCCVaccination struct {
	Prophylaxis, Product, Manufacturer string
	Dose, Series                       int
	Date                               clock.Date
}

// DCCTest is a test result.
type DCCTest struct {
	Type, Name, Device, Result, Centre string
	SampledAt                          time.Time
}

// ResultDetected is the result of a test that found the virus: authentic, and never a pass.
const ResultDetected = "260373001"

// DCCRecovery is a recovery from an infection.
type DCCRecovery struct{ FirstPositive, From, Until clock.Date }

// Systems of the codes of products.
const (
	SystemEU   = "https://ec.europa.eu/health/documents/community-register/html/"
	SystemICVP = "http://smart.who.int/pcmt-vaxprequal/CodeSystem/PreQualProductIds"
)

// The entry groups of a DCC.
var dccGroups = [...]string{"v", "t", "r"}

// readDCC reads sub-claim 1, leniently (eu-dcc, 7). The error says why it can prove
// nothing: no or several entries, an unknown major version, nobody named, no date.
func readDCC(v any) (*DCC, error) {
	values, ok := v.(table)
	if !ok {
		return nil, fail(StepContent, "not_a_map", "")
	}
	top := fields{"", values}
	name := top.child("nam")
	d := &DCC{
		Version: top.text("ver"), BirthDate: top.day("dob"), Findings: lintDCC(values),
		Name: DCCName{name.text("fn"), name.text("gn"), name.text("fnt"), name.text("gnt")},
	}
	if major, _, _ := strings.Cut(d.Version, "."); major != "1" && major != "" {
		return d, fail(StepContent, "unsupported_version", "ver")
	}
	group, entry, err := onlyEntry(top)
	if err != nil {
		return d, err
	}
	d.Target, d.Country, d.Authority, d.ID = entry.text("tg"), entry.text("co"), entry.text("is"), entry.text("ci")
	if d.Name == (DCCName{}) {
		return d, fail(StepContent, "missing", "nam")
	}
	return d, d.readEntry(group, entry)
}

// onlyEntry finds the one entry of the one group.
func onlyEntry(top fields) (group string, entry fields, err error) {
	for _, name := range dccGroups {
		if !top.has(name) {
			continue
		}
		list, ok := top.values[name].([]any)
		switch {
		case !ok:
			return "", entry, fail(StepContent, "wrong_type", name)
		case len(list) == 0:
			continue
		case len(list) > 1 || group != "":
			return "", entry, fail(StepContent, "multiple_entries", name)
		}
		group, entry.path = name, name+"[0]."
		if entry.values, ok = list[0].(table); !ok {
			return "", entry, fail(StepContent, "wrong_type", name+"[0]")
		}
	}
	if group == "" {
		return "", entry, fail(StepContent, "no_entry", "")
	}
	return group, entry, nil
}

func (d *DCC) readEntry(group string, entry fields) error {
	dated := true
	day := func(name string) clock.Date {
		date, err := clock.ParseDate(entry.day(name))
		dated = dated && err == nil && date.Full()
		return date
	}
	field := "dt"
	switch group {
	case "v":
		d.Vaccination = &DCCVaccination{
			Prophylaxis: entry.text("vp"), Product: entry.text("mp"), Manufacturer: entry.text("ma"),
			Dose: entry.number("dn"), Series: entry.number("sd"), Date: day("dt"),
		}
	case "t":
		d.Test = &DCCTest{
			Type: entry.text("tt"), Name: entry.text("nm"), Device: entry.text("ma"), Result: entry.text("tr"), Centre: entry.text("tc"),
			SampledAt: entry.moment("sc"),
		}
		field, dated = "sc", !d.Test.SampledAt.IsZero()
	case "r":
		d.Recovery = &DCCRecovery{FirstPositive: day("fr"), From: day("df"), Until: day("du")}
		field = "fr"
	}
	if !dated {
		return fail(StepContent, "not_a_date", entry.path+field)
	}
	return nil
}

// Payload returns sub-claim 1 as it was signed, in the form of JSON, for business rules;
// nil when there is none.
func (c *Code) Payload() map[string]any {
	health, _ := c.token[claimHealth].(table)
	payload, _ := tree(health[int64(1)]).(map[string]any)
	return payload
}

// kind returns what the certificate is about, for the key usage of its signer.
func (d *DCC) kind() contentKind {
	switch {
	case d.Test != nil:
		return kindTestResult
	case d.Recovery != nil:
		return kindRecovered
	}
	return kindDose
}

// Dates are of a place that is not stated, so a day has begun when it has anywhere, and
// lasts until it is over everywhere.
const (
	earliestZone = 14 * time.Hour
	latestZone   = 12 * time.Hour
)

// CheckEvent tells why the entry proves nothing at a time although it is well formed
// (eu-dcc, 11). The error is an *Error of StepContent: future_event, positive (a
// test that found the virus), not_negative (one without a known result),
// recovery_not_yet or recovery_over.
func (d *DCC) CheckEvent(at time.Time) error {
	latest := clock.Date(at.UTC().Add(earliestZone).Format(time.DateOnly))
	earliest := clock.Date(at.UTC().Add(-latestZone).Format(time.DateOnly))
	switch v, t, r := d.Vaccination, d.Test, d.Recovery; {
	case v != nil && v.Date > latest:
		return fail(StepContent, "future_event", "v[0].dt")
	case t != nil && t.SampledAt.After(at):
		return fail(StepContent, "future_event", "t[0].sc")
	case t != nil && t.Result == ResultDetected:
		return fail(StepContent, "positive", "t[0].tr")
	case t != nil && t.Result != resultNotDetected:
		return fail(StepContent, "not_negative", "t[0].tr")
	case r != nil && r.FirstPositive > latest:
		return fail(StepContent, "future_event", "r[0].fr")
	case r != nil && r.From > latest:
		return fail(StepContent, "recovery_not_yet", "r[0].df")
	case r != nil && r.Until < earliest:
		return fail(StepContent, "recovery_over", "r[0].du")
	}
	return nil
}

const resultNotDetected = "260415000"
