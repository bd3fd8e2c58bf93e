package passport

import (
	"strings"
	"unicode/utf8"
)

// CompareZones lists where a zone typed or scanned from the data page differs from that
// of the chip, field by field. Read is what was typed, Expected what the chip says.
func CompareZones(chip, typed Reading) Findings {
	findings := compareField(FieldDocumentCode, typed.Code, chip.Code)
	findings = append(findings, compareFields(chip.Document, typed.Document)...)
	if typed.Document.MRZName != chip.Document.MRZName {
		findings = append(findings, Finding{
			Code: CodeTypedDiffers, Field: FieldName, Severity: Refuse, Read: typed.Document.MRZName.line(), Expected: chip.Document.MRZName.line(),
		})
	}
	optional := func(r Reading) string { return strings.Join(r.Optional, " ") }
	if typed, chip := optional(typed), optional(chip); typed != chip {
		findings = append(findings, Finding{Code: CodeTypedDiffers, Field: FieldOptional, Severity: Refuse, Read: typed, Expected: chip})
	}
	return findings
}

func compareFields(mrz, typed Document) Findings {
	var findings Findings
	for _, f := range []struct{ field, typed, mrz string }{
		{FieldIssuingState, typed.IssuingState, mrz.IssuingState},
		{FieldNumber, typed.Number.Reveal(), mrz.Number.Reveal()},
		{FieldNationality, typed.Nationality, mrz.Nationality},
		{FieldBirthDate, string(typed.BirthDate), string(mrz.BirthDate)},
		{FieldSex, typed.Sex, mrz.Sex},
		{FieldExpiry, string(typed.Expiry), string(mrz.Expiry)},
	} {
		findings = append(findings, compareField(f.field, tidy(f.typed), f.mrz)...)
	}
	return findings
}

func compareField(field, typed, mrz string) Findings {
	switch typed {
	case mrz:
		return nil
	case "":
		return Findings{{Code: CodeTypedMissing, Field: field, Severity: Warn, Expected: mrz}}
	}
	return Findings{{
		Code: CodeTypedDiffers, Field: field, Severity: Refuse, Read: typed, Expected: mrz, Repairs: alikes(field, typed, mrz),
	}}
}

// line writes the name with a comma between its parts.
func (n Name) line() string { return strings.Trim(n.Primary+", "+n.Secondary, ", ") }

// tidy removes blanks and brings letters and digits to upper-case ASCII.
func tidy(s string) string {
	return strings.Map(func(r rune) rune {
		if isBlank(r) {
			return -1
		}
		r, _ = ascii(r)
		if r >= 'a' && r <= 'z' {
			r += 'A' - 'a'
		}
		return r
	}, s)
}

// alikes proposes repairs when look-alikes are all that differs.
func alikes(field, typed, mrz string) []Repair {
	if len(typed) != len(mrz) || strings.ContainsFunc(typed, func(r rune) bool { return r >= utf8.RuneSelf }) {
		return nil
	}
	var repairs []Repair
	for i := range len(typed) {
		from, to := typed[i], mrz[i]
		if from == to {
			continue
		}
		if numeric.alike[from] != to && alphabetic.alike[from] != to {
			return nil
		}
		repairs = append(repairs, Repair{Field: field, Position: i + 1, From: string(from), To: string(to)})
	}
	return repairs
}
