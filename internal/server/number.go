package server

import (
	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

// numberBody is an individual number with the four items of the card that was
// shown. Its request takes no Idempotency-Key: a stored hash of it could be tried
// for all numbers.
type numberBody struct {
	IndividualNumber string           `json:"individual_number" minLength:"12" maxLength:"12" doc:"twelve digits; it is never shown again"`
	Name             certificate.Name `json:"name"`
	BirthDate        clock.Date       `json:"birth_date" maxLength:"10"`
	Sex              string           `json:"sex" enum:"0,1,2,9" doc:"ISO 5218"`
	AddressNumber    string           `json:"address_number" maxLength:"20" doc:"宛名番号"`
}

type numberAnswer struct {
	Number      string           `json:"individual_number" doc:"masked, always"`
	Found       bool             `json:"found" doc:"whether it is the number of somebody in the register"`
	Kept        bool             `json:"kept" doc:"whether it was stored for the person of the application"`
	Application *applicationBody `json:"application,omitempty" doc:"for who may read applications"`
}

func (s *Server) enterNumber(c *call) (answer, error) {
	id, err := s.row(c, "application")
	if err != nil {
		return answer{}, err
	}
	b, err := decode[numberBody](c)
	if err != nil {
		return answer{}, err
	}
	n, err := vault.Parse(b.IndividualNumber)
	if err != nil {
		return answer{}, err
	}
	shown := vaccination.Subject{
		Family: b.Name.Family, Given: b.Name.Given, BirthDate: b.BirthDate, Sex: vaccination.Sex(b.Sex), Address: b.AddressNumber,
	}
	app, found, err := s.Applications.EnterNumber(c.ctx, c.actor, id, vault.Entry{Number: n, Items: shown.Items()})
	if err != nil {
		return answer{}, err
	}
	out := numberAnswer{Number: vault.Masked, Found: found.PersonID != "", Kept: found.Kept}
	if c.actor.May(string(office.ReadApplications)) {
		shown := s.applicationOf(app)
		out.Application = &shown
	}
	return value(out)
}
