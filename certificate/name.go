package certificate

import (
	"strings"

	"akashi/passport"
)

// PrintedName is the name as registered, as it is printed: 山田（佐藤）　花子.
func (s Subject) PrintedName() string {
	name := s.Name.Family
	if s.Former != "" {
		name += "（" + s.Former + "）"
	}
	if s.Name.Given != "" {
		name += "\u3000" + s.Name.Given
	}
	return name
}

// PassportName is the name as the data page of the passport has it, as it is printed, the
// names in brackets included; without a data page name it is the zone's.
func (s Subject) PassportName() string {
	d := s.Passport
	if d == nil {
		return ""
	}
	name := d.DataPageName
	if name == (passport.Name{}) {
		name = d.MRZName
	}
	parts := []string{name.Primary}
	for _, alternative := range []string{d.Alternative.FormerSurname, d.Alternative.Surname} {
		if alternative != "" {
			parts = append(parts, "("+alternative+")")
		}
	}
	if name.Secondary != "" {
		parts = append(parts, name.Secondary)
	}
	if d.Alternative.GivenName != "" {
		parts = append(parts, "("+d.Alternative.GivenName+")")
	}
	return strings.Join(parts, " ")
}

// WholeName is both parts of a name with a blank between.
func WholeName(n passport.Name) string { return strings.TrimSpace(n.Primary + " " + n.Secondary) }
