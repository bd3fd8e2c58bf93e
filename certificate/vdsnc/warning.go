package vdsnc

import (
	"strings"
	"time"

	"akashi/internal/clock"
)

// Warnings on the content of a barcode (step 9).
const (
	WarnDoseBeforeBirth   = "dose_before_birth"
	WarnFutureDate        = "future_date"
	WarnBeforeVaccine     = "dose_before_first_vaccine"
	WarnRepeatedNumber    = "repeated_dose_number"
	WarnSigningPeriodOver = "private_key_usage_period_over"
)

// firstVaccine is the month in which vaccination against COVID-19 (ICD-11 RA01) began.
const firstVaccine, covid19 = clock.Date("2020-12-01"), "RA01"

// aheadOfUTC is the earliest time zone of the world: a date is in the future only when it is so everywhere.
const aheadOfUTC = 14 * time.Hour

// Warnings returns what a person should look at, each code once, in the order of
// the constants. None of them makes a barcode invalid.
func (b *Barcode) Warnings(at time.Time) []string {
	today := clock.Date(at.UTC().Add(aheadOfUTC).Format(time.DateOnly))
	born := string(b.Person.BirthDate)
	found := map[string]bool{
		WarnFutureDate:        future(b.Person.BirthDate, today),
		WarnSigningPeriodOver: b.signingPeriodOver(at),
	}
	type course struct {
		disease string
		number  int
	}
	seen := map[course]bool{}
	for _, v := range b.Vaccinations {
		for _, d := range v.Doses {
			found[WarnDoseBeforeBirth] = found[WarnDoseBeforeBirth] || string(d.Date)[:len(born)] < born
			found[WarnFutureDate] = found[WarnFutureDate] || d.Date > today
			found[WarnBeforeVaccine] = found[WarnBeforeVaccine] || strings.HasPrefix(v.Disease, covid19) && d.Date < firstVaccine
			key := course{v.Disease, d.Number}
			found[WarnRepeatedNumber] = found[WarnRepeatedNumber] || seen[key]
			seen[key] = true
		}
	}
	if t := b.Test; t != nil {
		found[WarnFutureDate] = found[WarnFutureDate] || t.SampledAt.After(at) || t.ReportedAt.After(at)
	}
	var out []string
	for _, code := range []string{WarnDoseBeforeBirth, WarnFutureDate, WarnBeforeVaccine, WarnRepeatedNumber, WarnSigningPeriodOver} {
		if found[code] {
			out = append(out, code)
		}
	}
	return out
}

// future compares a date, of which only a part may be known.
func future(d, today clock.Date) bool { return d > today[:len(d)] }

func (b *Barcode) signingPeriodOver(at time.Time) bool {
	end := b.Signer.PrivateKeyUsage.To
	return !end.IsZero() && at.After(end)
}
