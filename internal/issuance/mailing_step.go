package issuance

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/office"
)

// Step does at most so many applications of each office that is not suspended, one by one:
// the certificate is issued unless it is there, and a copy is numbered in the same act that
// notes it. While the office is closed, those wait whose clerk may not issue then (L-09), and
// those of others go on. What fails is tried again where that may help. It returns how many it
// did, and the faults of the others (office.Work).
func (s *Mailings) Step(ctx context.Context, most int) (int, error) {
	return office.Work[ToMail]{
		Log: s.Log, Clock: s.Clock, Store: s.Store, Job: "job:mail", Needs: []office.Permission{office.Issue, office.Print},
		Open: s.Store.ToMail,
		Of: func(item ToMail) office.Item {
			return office.Item{Person: item.Person, Case: item.Mailing, Try: audit.Entry{Action: "mailing.try", Object: item.Application}}
		},
		Do: s.mail, Again: errEnded, Tries: Tries, Fail: s.Store.MailFailed,
	}.Each(ctx, most)
}

// mail issues the certificate of an application, or takes the one it has, and makes its
// copy: once, as the copy and the note of it are one act.
func (s *Mailings) mail(ctx context.Context, a actor.Actor, item ToMail) error {
	i, _, err := s.Issuance.Issue(ctx, a, item.Application)
	if underWay(err) { // a person is at it: looked at again at the next step
		return office.ErrTaken
	}
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
	return s.Issuance.eachSeen(ctx, a, []string{id}, nil, func(ctx context.Context, seen []Issue) error {
		return s.numberSeen(ctx, a, item, seen[0])
	})
}

func (s *Mailings) numberSeen(ctx context.Context, a actor.Actor, item ToMail, i Issue) error {
	id := i.Certificate.ID
	page, err := s.Issuance.page(i, i.Copies+1)
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
