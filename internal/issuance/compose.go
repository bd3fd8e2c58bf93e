package issuance

import (
	"context"
	"fmt"
	"strings"
	"sync"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/paper"
	"akashi/internal/vaccination"
	"akashi/passport"
)

// compose makes the certificate of an application (step 5).
func (s *Service) compose(ctx context.Context, b basis, supersedes string) (certificate.Certificate, []application.DoseRef, error) {
	c, doses, err := s.content(b, supersedes)
	if err != nil {
		return c, nil, err
	}
	if err := s.asSeen(b.seen, b.app.ID, c); err != nil {
		return c, nil, err
	}
	number, err := s.numbers.next(ctx, s.Store, c.Office, string(c.IssuedOn))
	if err != nil {
		return c, nil, err
	}
	c.ID, c.AI = s.IDs.CertificateID(), certificate.AIOf(c.Office, c.IssuedOn, number)
	if broken := c.Lint(); len(broken) > 0 {
		return c, nil, fault.New(fault.Invalid, "content", broken[0].Field).With("findings", join(broken))
	}
	return c, doses, s.printable(c)
}

// content is a certificate without its identifiers: the name as registered, the
// passport as read, the latest five doses with the numbers they have, and the
// issuer's names of today.
func (s *Service) content(b basis, supersedes string) (certificate.Certificate, []application.DoseRef, error) {
	o, app, answer := b.office, b.app, b.now.Answer
	now := s.Clock.Now().Truncate(time.Second)
	c := certificate.Certificate{
		Office: o.Code, Kind: app.Form.Kind, Programme: app.Form.Programme,
		IssuedAt: now, IssuedOn: clock.DateOf(now), Issuer: o.Issuer, Test: s.Identity.Test,
		Layout: pdf.Layout, Catalogue: s.Catalogue.Version(), Supersedes: supersedes,
	}
	person := answer.Person.Subject
	c.Subject = certificate.Subject{
		Name:      certificate.Name{Family: person.Family, Given: person.Given},
		BirthDate: person.BirthDate, Former: app.Form.Subject.Former,
	}
	if c.Kind.ShowsPassport() {
		document, err := document(b.now.Passport)
		if err != nil {
			return c, nil, err
		}
		c.Subject.Passport = document
	}
	if c.Kind == certificate.International {
		c.Subject.Sex, c.Subject.Guardian = certificate.SexOf(c.Subject.Passport.Sex), app.Form.Subject.Guardian
		c.Participant = s.Identity.VDSNCIssuer
	}
	var err error
	if c.Doses, err = s.doses(answer.Doses, c); err != nil {
		return c, nil, err
	}
	listed := answer.Doses
	if more := len(listed) - certificate.MaxDoses; more > 0 {
		c.MoreDoses, c.Doses, listed = more, c.Doses[more:], listed[more:]
	}
	if c.Kind == certificate.Travel && o.Settings.EU {
		_, c.EU = catalogue.EUValueSets().Vaccine(c.Doses[len(c.Doses)-1].Product.ID)
	}
	return c, application.Refs(listed), nil
}

func join(findings []certificate.Finding) string {
	words := make([]string, len(findings))
	for i, f := range findings {
		words[i] = f.String()
	}
	return strings.Join(words, "; ")
}

// document is that of a passport as read just now: it may have expired since the decision.
func document(reading *passport.Reading) (*passport.Document, error) {
	if reading == nil {
		return nil, fault.New(fault.Conflict, "passport_missing", "passport")
	}
	for _, f := range reading.Findings {
		if f.Severity == passport.Refuse {
			return nil, fault.New(fault.Conflict, "passport_refused", "passport.mrz").With("finding", f.Code)
		}
	}
	return &reading.Document, nil
}

func (s *Service) doses(records []vaccination.Record, c certificate.Certificate) ([]certificate.Dose, error) {
	var doses []certificate.Dose
	for _, r := range records {
		product, _, err := s.Catalogue.Resolve(r.Programme, r.Maker, r.Product, c.IssuedOn)
		if err != nil {
			return nil, fault.New(fault.Conflict, "dose_not_certifiable", fmt.Sprintf("doses[%d]", r.DoseNumber)).Because(err)
		}
		d := certificate.Dose{Number: r.DoseNumber, VaccinatedOn: r.VaccinatedOn, Product: product, Lot: r.Lot, Country: "JPN"}
		if c.Kind == certificate.International {
			d.ValidFrom, _ = catalogue.ICVPProducts().ValidFrom(product.Disease, d.VaccinatedOn)
			if certificate.IsLatin(r.Doctor) {
				d.Clinician = r.Doctor
			}
		}
		doses = append(doses, d)
	}
	return doses, nil
}

// printable refuses a certificate that cannot be printed as written: characters
// that no font has, listed, or a field without room.
func (s *Service) printable(c certificate.Certificate) error { return paper.Fault(s.Renderer.Check(c)) }

// blockSize is how many numbers of a day one process takes at a time; what it
// does not use stays a gap.
const blockSize = 32

// numberBlocks hands out the six digits of pid.ai without a write for each.
type numberBlocks struct {
	mu   sync.Mutex
	open map[string]*block // by office
}

type block struct {
	day       string
	next, end int
}

func (n *numberBlocks) next(ctx context.Context, store Store, office, day string) (int, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.open == nil {
		n.open = map[string]*block{}
	}
	b := n.open[office]
	if b == nil || b.day != day || b.next == b.end {
		first, err := store.TakeNumbers(ctx, office, "ai "+day, blockSize)
		if err != nil {
			return 0, err
		}
		b = &block{day: day, next: first, end: first + blockSize}
		n.open[office] = b
	}
	number := b.next
	if number > 999_999 {
		return 0, fault.New(fault.Unavailable, "numbers_of_day_used", "")
	}
	b.next++
	return number, nil
}
