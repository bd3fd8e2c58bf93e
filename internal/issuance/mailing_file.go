package issuance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/paper"
)

// Say is a sentence for a fault of an item, in Japanese and English.
type Say func(fault string) (ja, en string)

// Printable tells why the person does not get the file of the mailing as it is: to be asked
// before people are taken from a budget.
func (m Mailing) Printable(a actor.Actor, now time.Time) error {
	switch {
	case m.Count > FewMailing && a.Person != m.RequestedBy:
		return fault.New(fault.Forbidden, "mailing_of_another", "")
	case m.Open(), m.Done == 0:
		return fault.New(fault.Conflict, "mailing_open", "")
	case now.Sub(m.RequestedAt) > MailingLasts:
		return fault.New(fault.Conflict, "mailing_closed", "")
	}
	return nil
}

// File makes the file of a mailing: a list, the certificates, and the addresses. The file
// is not kept; copies and order are, so that the same bytes come again, as long as no
// certificate has ended since: that one then stands in the list with the reason. Each person
// whose certificate is in it is logged. More than FewMailing go only to the one who asked for them
// (fault Forbidden "mailing_of_another"). Faults Conflict "mailing_open", "mailing_closed".
func (s *Mailings) File(ctx context.Context, a actor.Actor, id string, say Say) ([]byte, error) {
	var m Mailing
	var o office.Office
	err := s.Log.Act(ctx, a, audit.Entry{Action: "mailing.print", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if m, err = s.Store.Mailing(ctx, a.Office, id); err != nil {
			return err
		}
		if o, err = s.Store.Office(ctx, a.Office); err != nil {
			return err
		}
		e.Fact("copies", strconv.Itoa(m.Done))
		return m.Printable(a, s.now())
	})
	if err != nil {
		return nil, err
	}
	renderer, around := s.Issuance.Renderer, paper.Mailing{ID: m.ID, Office: o, RequestedAt: m.RequestedAt}
	b := renderer.NewBatch(paper.MailingTitle, m.Office+" "+m.ID, m.RequestedAt, paper.MailingLists(m.Count))
	defer b.Free()
	for _, item := range m.Items {
		line := paper.MailingLine{Number: item.Number, Application: item.Application}
		if item.Copy > 0 {
			if item.Fault, err = s.page(ctx, a, b, item, &line); err != nil {
				return nil, err
			}
		}
		if line.Copy == 0 {
			line.JA, line.EN = say(cmp.Or(item.Fault, "conflict:mailing_left"))
		}
		around.Lines = append(around.Lines, line)
	}
	for _, sheet := range around.Sheets(renderer.Printable) {
		if err := b.Sheet(sheet, s.Issuance.Identity.Test); err != nil {
			return nil, fault.New(fault.Internal, "page_check", "").Because(err)
		}
	}
	file, err := b.Finish()
	if err != nil {
		return nil, fault.New(fault.Internal, "page_check", "").Because(err)
	}
	return file, nil
}

// page puts one copy into the file and into its line, or tells why it is not there.
func (s *Mailings) page(ctx context.Context, a actor.Actor, b *pdf.Batch, item MailingItem, line *paper.MailingLine) (left string, err error) {
	var i Issue
	sent := *line
	e := audit.Entry{Action: "certificate.reprint", Object: Copy{CertificateID: item.Certificate, Number: item.Copy}.String()}
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) (err error) {
		if i, err = s.Store.Issue(ctx, a.Office, item.Certificate); err != nil {
			return err
		}
		app, err := s.Store.Application(ctx, a.Office, item.Application)
		if err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if i.State != Issued {
			return stateConflict(i)
		}
		sent.Certificate, sent.Copy, sent.Postal = item.Certificate, item.Copy, addressed(app.Form)
		sent.Name = i.Certificate.Subject.Name.Family + "\u3000" + i.Certificate.Subject.Name.Given
		return cmp.Or(application.NotOwn(a, "", i.Certificate.Subject.Name), app.NotOwnOf(a))
	})
	if err == nil {
		var page pdf.Page
		if page, err = s.Issuance.page(i, item.Copy); err == nil {
			*line = sent
			return "", b.Add(page)
		}
	}
	switch fault.CodeOf(err) {
	case fault.Conflict, fault.NotFound, fault.Forbidden: // ended, erased or of the actor's own since
		return audit.Result(err), nil
	}
	return "", errors.Join(fmt.Errorf("mailing: certificate %s", item.Certificate), err)
}

// addressed is where a certificate is sent, and to whom; empty where an envelope came with
// the application.
func addressed(f application.Form) paper.MailingAddress {
	if f.Postal == nil {
		return paper.MailingAddress{}
	}
	p := paper.MailingAddress{Code: f.Postal.PostalCode(), Address: f.Postal.Address, Name: f.Postal.Name}
	if p.Name == "" {
		to := f.Applicant.Name
		if to.Family == "" {
			to = f.Subject.Name
		}
		p.Name = to.Family + "\u3000" + to.Given
	}
	return p
}
