package issuance

import (
	"cmp"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/passport"
)

// Preview is what would be issued for an application now, or why nothing would be. It has
// no identifier, no key and no bytes that anybody could sign.
type Preview struct {
	ApplicationID string
	Version       int                     // of the application that was looked at
	Digest        string                  // of what it would say, keyed; empty where there are findings
	Certificate   certificate.Certificate // without ID and AI; as far as it could be composed
	Sizes         []int                   // modules on a side of each code; none where there are findings
	RenewBy       time.Time               // when the first of its codes would expire; zero: none would
	Rows          []Row
	Findings      []Finding // none: it would be issued
	Standing      []Standing
}

// Standing is a valid certificate of the same kind, holder and passport under another
// application: it may be printed or made again instead.
type Standing struct {
	ID       string
	IssuedOn clock.Date
}

// Format keeps a preview out of logs.
func (p Preview) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "preview %s %d findings", p.ApplicationID, len(p.Findings))
}

// Finding is why a certificate would not be issued.
type Finding struct {
	Field string // of the comparison; empty: of none
	Dose  int    // its number; 0: of none
	Fault *fault.Error
}

// Preview composes and lints what Issue would make of an approved application, up to the
// point where it would be stored, and compares it with passport and register. The look-up
// is logged; nothing else is written, no number is taken and no signer is asked
// (docs/adr/0032-preview.md).
func (s *Service) Preview(ctx context.Context, a actor.Actor, applicationID string) (p Preview, err error) {
	var b basis
	var standing []Standing
	e := audit.Entry{Action: "certificate.preview", Object: applicationID}
	err = s.Log.Act(ctx, a.For(applicationID), e, func(ctx context.Context, e *audit.Entry) (err error) {
		if b, err = s.approved(ctx, a, e); err != nil {
			return err
		}
		standing, err = s.standing(ctx, b)
		e.Fact("standing", strconv.Itoa(len(standing)))
		return err
	})
	if err == nil {
		p, err = s.preview(ctx, b)
	}
	if err != nil {
		return Preview{}, err
	}
	p.Standing = standing
	return p, nil
}

// PreviewPaper is the paper of a preview: marked on every page, with frames for codes. It
// is refused as Issue would be.
func (s *Service) PreviewPaper(ctx context.Context, a actor.Actor, applicationID string) ([]byte, error) {
	p, err := s.Preview(ctx, a, applicationID)
	if err != nil {
		return nil, err
	}
	if len(p.Findings) > 0 {
		return nil, p.Findings[0].Fault
	}
	draft := pdf.Draft{Certificate: p.Certificate, Sizes: p.Sizes, RenewBy: p.RenewBy}
	file, err := s.Renderer.Preview(draft)
	if err == nil {
		err = s.Renderer.VerifyPreview(file, draft)
	}
	if err != nil {
		return nil, fault.New(fault.Internal, "page_check", "").Because(err)
	}
	return file, nil
}

// approved reads an approved application and its record as they are now.
func (s *Service) approved(ctx context.Context, a actor.Actor, e *audit.Entry) (b basis, err error) {
	app, o, reg, err := s.Store.Basis(ctx, a.Office, e.Object)
	if err != nil {
		return b, err
	}
	b.app, b.office, e.Person = app, o, app.Record.PersonID
	if err := app.NotOwnOf(a); err != nil {
		return b, err
	}
	if app.State != application.Approved {
		return b, notApproved(app)
	}
	if b.busy, err = s.Store.InProgress(ctx, a.Office, app.ID); err != nil {
		return b, err
	}
	if b.now, err = s.Applications.Recheck(ctx, reg, o, app); err != nil {
		return b, err
	}
	return b, application.NotOwnPerson(a, b.now.Answer.Person)
}

// standing are the valid certificates that the one of an application would stand beside.
func (s *Service) standing(ctx context.Context, b basis) (list []Standing, err error) {
	if b.app.Record.PersonID == "" {
		return nil, nil
	}
	all, err := s.Store.Issues(ctx, b.app.Office, Filter{
		Persons: append([]string{b.app.Record.PersonID}, b.now.Answer.Person.Same...), State: Issued, Limit: maxVersions,
	})
	if err != nil {
		return nil, err
	}
	for _, i := range all {
		if i.ApplicationID == b.app.ID || i.Certificate.Kind != b.app.Form.Kind || i.Certificate.Programme != b.app.Form.Programme {
			continue
		}
		full, err := s.Store.Issue(ctx, b.app.Office, i.Certificate.ID)
		switch {
		case errors.Is(err, errErased):
		case err != nil:
			return nil, err
		case samePassport(full.Certificate.Subject.Passport, b.now.Passport):
			list = append(list, Standing{i.Certificate.ID, i.Certificate.IssuedOn})
		}
	}
	return list, nil
}

// samePassport tells whether a certificate shows the passport that was read; a domestic one shows none.
func samePassport(shown *passport.Document, read *passport.Reading) bool {
	if shown == nil || read == nil {
		return shown == nil && read == nil
	}
	return shown.Number == read.Document.Number && shown.IssuingState == read.Document.IssuingState
}

func (s *Service) preview(ctx context.Context, b basis) (Preview, error) {
	p := Preview{ApplicationID: b.app.ID, Version: b.app.Version}
	c, _, composed := s.content(b, "")
	p.Certificate = c
	i := Issue{Certificate: c}
	// What the rules look at is there, and for the sizes as random as it will be; it ends here.
	i.Certificate.ID, i.Certificate.AI = s.IDs.CertificateID(), certificate.AIOf(c.Office, c.IssuedOn, 0)
	err := errors.Join(p.find(b.stands(false)), p.find(composed))
	if b.busy {
		err = errors.Join(err, p.find(errInProgress))
	}
	if composed == nil {
		for _, f := range i.Certificate.Lint() {
			err = cmp.Or(err, p.find(fault.New(fault.Conflict, "content_"+f.Code, f.Field)))
		}
		err = cmp.Or(err, p.find(s.printable(i.Certificate)))
	}
	if err == nil && len(p.Findings) == 0 {
		err = p.find(s.draftAll(ctx, &i))
	}
	if err == nil && len(p.Findings) == 0 {
		p.RenewBy = i.RenewBy
		p.Sizes, err = s.sizes(ctx, i)
	}
	if err == nil && len(p.Findings) == 0 {
		var digests []string
		if digests, err = s.digests(p.ApplicationID, c); err == nil {
			p.Digest = digests[0]
		}
	}
	p.Rows = compare(b, c)
	return p, err
}

// draftAll makes and lints the bytes that would be signed.
func (s *Service) draftAll(ctx context.Context, i *Issue) error {
	if err := s.draftCodes(ctx, i); err != nil {
		return err
	}
	return s.lint(ctx, *i)
}

// find notes why nothing would be issued, once each; any other error is one.
func (p *Preview) find(err error) error {
	var f *fault.Error
	if err == nil || !errors.As(err, &f) {
		return err
	}
	for _, known := range p.Findings {
		if known.Fault.Key == f.Key && known.Fault.Field == f.Field {
			return nil
		}
	}
	field, dose := rowOf(f, p.Certificate)
	p.Findings = append(p.Findings, Finding{field, dose, f})
	return nil
}

// digests are those of what a certificate of an application says on paper and in its codes,
// whenever it is issued and whatever it is called: keyed, so that nobody can search for the
// content that has one.
func (s *Service) digests(applicationID string, c certificate.Certificate) ([]string, error) {
	c.ID, c.AI, c.IssuedAt, c.IssuedOn, c.Catalogue, c.Supersedes = "", "", time.Time{}, "", "", ""
	content, err := certificate.Encode(c)
	if err != nil {
		return nil, err
	}
	keyed := s.Digests(c.Office, applicationID+"\n"+string(content))
	list := make([]string, len(keyed))
	for n, d := range keyed {
		list[n] = base64.RawURLEncoding.EncodeToString(d)
	}
	return list, nil
}

// asSeen refuses a certificate that says something else than the preview that was seen.
func (s *Service) asSeen(seen, applicationID string, c certificate.Certificate) error {
	if seen == "" {
		return nil
	}
	digests, err := s.digests(applicationID, c)
	if err == nil && !slices.Contains(digests, seen) {
		err = fault.New(fault.Conflict, "preview_changed", "preview")
	}
	return err
}

// filler is as long as a signature and as hard to compress. It goes into a text that is
// measured and then lost.
var filler = sha512.Sum512([]byte("no signature"))

// sizes measures the symbols that the drafts would get, signed.
func (s *Service) sizes(ctx context.Context, i Issue) (sizes []int, err error) {
	for _, p := range i.Payloads {
		f, key, err := s.means(ctx, p)
		if err != nil {
			return nil, err
		}
		text, err := f.seal(p.ToSign, filler[:], key)
		if err != nil {
			return nil, err
		}
		version, _, err := qr.Fit(f.segments(text), levels, f.maxVersion())
		if err != nil {
			return nil, err
		}
		sizes = append(sizes, 17+4*version)
	}
	return sizes, nil
}
