package application

import (
	"slices"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

var errOwn = fault.New(fault.Forbidden, "own_case", "")

// NotOwn refuses the actor's own case: a person of the register who is the actor
// or of its household, or somebody of the actor's very name (S-029). A namesake
// is served by another clerk.
func NotOwn(a actor.Actor, personID string, names ...certificate.Name) error {
	if personID != "" && slices.Contains(a.Kin, personID) {
		return errOwn
	}
	if a.Name == "" { // a job
		return nil
	}
	own := vaccination.LooseKey(a.Name)
	for _, n := range names {
		if n.Family != "" && vaccination.LooseKey(n.Family+n.Given) == own {
			return errOwn
		}
	}
	return nil
}

// NotOwnPerson is NotOwn for somebody of the register, under whichever ticket; the
// zero person is nobody.
func NotOwnPerson(a actor.Actor, p vaccination.Person) error {
	if slices.ContainsFunc(p.Same, func(id string) bool { return slices.Contains(a.Kin, id) }) {
		return errOwn
	}
	return NotOwn(a, p.ID, certificate.Name{Family: p.Subject.Family, Given: p.Subject.Given})
}

// NotOwnAnswer is NotOwnPerson for everybody of whom an answer tells.
func NotOwnAnswer(a actor.Actor, answer vaccination.Answer) error {
	for _, c := range answer.Candidates {
		if err := NotOwnPerson(a, c.Person); err != nil {
			return err
		}
	}
	return NotOwnPerson(a, answer.Person)
}

// NotOwnOf refuses an application of the actor's own: as the subject, of the
// household, or as the applicant for somebody else.
func (a Application) NotOwnOf(by actor.Actor) error {
	return NotOwn(by, a.Record.PersonID, a.Form.Subject.Name, a.Form.Applicant.Name)
}
