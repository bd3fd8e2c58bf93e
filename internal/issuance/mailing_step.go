package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Step does at most so many applications of each office that is not suspended, one by one:
// the certificate is issued unless it is there, and a copy is numbered in the same act that
// notes it. What fails is tried again where that may help. It returns how many it did, and
// the faults of the others (office.Work).
func (s *Mailings) Step(ctx context.Context, most int) (int, error) {
	w := office.Work[ToMail]{
		Office: s.Store.Office, Open: s.Store.ToMail, Failed: s.failed,
		Do: func(ctx context.Context, code string, item ToMail) (actor.Actor, error) {
			a, err := s.actor(ctx, code, item)
			if err == nil {
				err = s.mail(ctx, a, item)
			}
			if underWay(err) { // a person is at it: looked at again at the next step
				err = errBulk
			}
			return a, err
		},
		Name: func(item ToMail) string { return "mail " + item.Application },
	}
	return office.Each(ctx, s.Store.Offices, func(ctx context.Context, code string) (int, error) { return w.Step(ctx, code, most) })
}

// actor is the person who asked, as long as he may do so himself.
func (s *Mailings) actor(ctx context.Context, code string, item ToMail) (actor.Actor, error) {
	p, err := s.Store.Staff(ctx, code, item.Person)
	if err != nil {
		return job(code, item), err
	}
	a, err := p.OnBehalf(actor.Certificate, item.Mailing, s.Clock.Now(), office.Issue, office.Print)
	if err != nil {
		a = job(code, item)
	}
	return a, err
}

func job(code string, item ToMail) actor.Actor {
	return actor.Actor{Office: code, Person: "job:mail", Terminal: "jobs", Purpose: actor.Operate, Case: item.Mailing}
}

// mail issues the certificate of an application, or takes the one it has, and makes its
// copy: once, as the copy and the note of it are one act.
func (s *Mailings) mail(ctx context.Context, a actor.Actor, item ToMail) error {
	i, _, err := s.Issuance.Issue(ctx, a, item.Application)
	if err != nil {
		return err
	}
	for range printTries {
		if err = s.number(ctx, a, item, i.Certificate.ID); !errors.Is(err, errCopyTaken) {
			return err
		}
	}
	return err
}

// number makes the page first, so that what cannot be printed stands in the list.
func (s *Mailings) number(ctx context.Context, a actor.Actor, item ToMail, id string) error {
	i, page, err := s.Issuance.pageOf(ctx, a, id, 0, "certificate.read")
	if err != nil {
		return err
	}
	file, err := s.Issuance.render([]pdf.Page{page})
	if err != nil {
		return err
	}
	sum := sha256.Sum256(file)
	c := Copy{CertificateID: id, Number: page.Copy, Layout: i.Certificate.Layout, SHA256: hex.EncodeToString(sum[:])}
	c.File = c.String()
	e := audit.Entry{Action: "certificate.print", Object: c.File}
	e.Fact("copy "+id, c.SHA256)
	e.Fact("mailing", item.Mailing)
	return s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if err := s.Store.AddCopy(ctx, a.Office, c, a.Person); err != nil {
			return err
		}
		return s.Store.Mailed(ctx, a.Office, item, c)
	})
}

// failed counts a try, and all of them where only a person can help.
func (s *Mailings) failed(ctx context.Context, a actor.Actor, item ToMail, err error) error {
	tries := 1
	switch fault.CodeOf(err) {
	case fault.Unavailable:
		return nil
	case fault.Conflict, fault.NotFound, fault.Invalid, fault.Forbidden:
		if !errors.Is(err, errEnded) {
			tries = Tries
		}
	}
	return s.Log.Act(ctx, a, audit.Entry{Action: "mailing.try", Object: item.Application}, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.MailFailed(ctx, a.Office, item, audit.Result(err), tries)
	})
}
