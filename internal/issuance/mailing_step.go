package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Step does at most so many applications of each office that is not suspended, one by one:
// the certificate is issued unless it is there, and a copy is numbered in the same act that
// notes it. A process that dies has left each of them done or not. What fails is tried
// again where that may help, and keeps nothing else from being done; while the service is
// away nothing is counted. It returns how many it did, and the faults of the others.
func (s *Mailings) Step(ctx context.Context, most int) (n int, err error) {
	offices, err := s.Store.Offices(ctx)
	if err != nil {
		return 0, err
	}
	for _, code := range offices {
		done, failed := s.stepOffice(ctx, code, most)
		n, err = n+done, errors.Join(err, failed)
	}
	return n, err
}

func (s *Mailings) stepOffice(ctx context.Context, code string, most int) (n int, err error) {
	items, err := s.Store.ToMail(ctx, code, most)
	if err != nil {
		return 0, err
	}
	for _, item := range items {
		o, failed := s.Store.Office(ctx, code)
		if failed != nil || o.Settings.Suspended != nil {
			return n, errors.Join(err, failed)
		}
		a, failed := s.actor(ctx, code, item)
		if failed == nil {
			failed = s.mail(ctx, a, item)
		}
		switch {
		case failed == nil:
			n++
		case errors.Is(failed, errBulk) || underWay(failed): // another node or a person is at it
		default:
			err = errors.Join(err, fmt.Errorf("mail %s: %w", item.Application, failed), s.failed(ctx, a, item, failed))
			if fault.CodeOf(failed) == fault.Unavailable {
				return n, err // so would be the others
			}
		}
	}
	return n, err
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
