package vaccination

import (
	"slices"
)

// Evidence of a match or of why there is none, for staff.
const (
	byTicket        = "ticket"
	byAddress       = "address"
	nameExact       = "name_exact"
	nameLoose       = "name_loose"
	kanaLoose       = "kana_loose"
	birthEqual      = "birth_date"
	birthPartly     = "birth_date_partly"
	sexEqual        = "sex"
	nameDiffers     = "name_differs"
	birthDiffers    = "birth_date_differs"
	sexDiffers      = "sex_differs"
	ticketDiffers   = "ticket_differs"
	addressDiffers  = "address_differs"
	ticketUnknown   = "ticket_unknown"
	addressUnknown  = "address_unknown"
	identifiersPart = "identifiers_differ"
	personUnknown   = "person_unknown"
	noDoses         = "person_without_record"
	tooManyFit      = "too_many_fit"
)

// EvidenceCodes lists all codes of evidence.
func EvidenceCodes() []string {
	return []string{
		byTicket, byAddress, nameExact, nameLoose, kanaLoose, birthEqual, birthPartly, sexEqual, nameDiffers, birthDiffers, sexDiffers,
		ticketDiffers, addressDiffers, ticketUnknown, addressUnknown, identifiersPart, personUnknown, noDoses, tooManyFit,
	}
}

// compare says what of the enquiry agrees with a subject and whether something contradicts.
func (e Enquiry) compare(s Subject) (evidence []string, differs bool) {
	note := func(code string, bad bool) {
		evidence = append(evidence, code)
		differs = differs || bad
	}
	switch {
	case e.BirthDate == "":
	case e.BirthDate == s.BirthDate:
		note(birthEqual, false)
	case !before(e.BirthDate, s.BirthDate) && !before(s.BirthDate, e.BirthDate):
		note(birthPartly, false)
	default:
		note(birthDiffers, true)
	}
	name, own := e.Family+e.Given, s.Family+s.Given
	kana, ownKana := LooseKey(FoldKana(e.FamilyKana+e.GivenKana)), LooseKey(s.FamilyKana+s.GivenKana)
	switch {
	case name != "" && ExactKey(name) == ExactKey(own):
		note(nameExact, false)
	case name != "" && LooseKey(name) == LooseKey(own):
		note(nameLoose, false)
	case name != "":
		note(nameDiffers, true)
	}
	if kana != "" && ownKana != "" && kana == ownKana {
		note(kanaLoose, false)
	}
	switch known := func(x Sex) bool { return x == Male || x == Female }; {
	case !known(e.Sex) || !known(s.Sex):
	case e.Sex == s.Sex:
		note(sexEqual, false)
	default:
		note(sexDiffers, true)
	}
	return evidence, differs
}

// sure grades a match of one person by its evidence.
func (m *matcher) sure(evidence []string, differs bool) Certainty {
	has := func(code string) bool { return slices.Contains(evidence, code) }
	identified := slices.Contains(m.how, byTicket) || slices.Contains(m.how, byAddress)
	switch {
	case differs:
		return Candidate
	case has(birthEqual) && has(nameExact) && (identified || has(sexEqual)):
		return Exact
	case identified, has(birthEqual) && (has(nameExact) || has(nameLoose)):
		return Loose
	}
	return Candidate
}
