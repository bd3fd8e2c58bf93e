package issuance

import (
	"cmp"
	"context"
	"errors"
	"regexp"
	"slices"

	"akashi/certificate"
	"akashi/certificate/shc"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
)

// Reasons for which a certificate is revoked, and for which it is made again.
var (
	revokeReasons  = []string{"wrong_content", "wrong_person", "record_withdrawn", "holder_request", "issued_by_mistake", "fraud", KeyCompromised}
	reissueReasons = []string{"new_dose", "correction", "lost", "new_name", "record_withdrawn", Renewal, KeyCompromised}
)

// Reasons returns the codes for which a certificate is made again and revoked.
func Reasons() (reissue, revoke []string) {
	return slices.Clone(reissueReasons), slices.Clone(revokeReasons)
}

// Renewal is the reason for which a certificate is made again before its codes expire.
const Renewal = "renewal"

// KeyCompromised is the reason where the key that signed is known to others, or may be.
const KeyCompromised = "key_compromised"

// stateConflict says that a certificate is not in the state that is needed.
func stateConflict(i Issue) error {
	return fault.New(fault.Conflict, "certificate_state", "").With("state", string(i.State)).With("certificate", i.Certificate.ID)
}

// Get reads a certificate; the look-up is logged.
func (s *Service) Get(ctx context.Context, a actor.Actor, id string) (i Issue, err error) {
	return s.read(ctx, a, id, "certificate.read")
}

var idForm = regexp.MustCompile(`^[2-9A-HJ-NP-Z]{12}$`)

func (s *Service) read(ctx context.Context, a actor.Actor, id, action string) (Issue, error) {
	return s.readWith(ctx, a, id, action, func(context.Context) error { return nil })
}

// readWith reads a certificate and, in the same act, what belongs to it.
func (s *Service) readWith(ctx context.Context, a actor.Actor, id, action string, more func(context.Context) error) (i Issue, err error) {
	if !idForm.MatchString(id) {
		return i, errNoCertificate
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: action, Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if i, err = s.permitted(ctx, a, id); err != nil {
			return err
		}
		return more(ctx)
	})
	if err != nil {
		return Issue{}, err
	}
	return i, nil
}

var errNoCertificate = fault.New(fault.NotFound, "certificate", "")

// permitted reads a certificate, unless it is of the actor's own case.
func (s *Service) permitted(ctx context.Context, a actor.Actor, id string) (Issue, error) {
	i, err := s.Store.Issue(ctx, a.Office, id)
	if err == nil {
		err = notOwn(ctx, s.Store, a, i)
	}
	return i, err
}

type applications interface {
	Application(ctx context.Context, office, id string) (application.Application, error)
}

// notOwn refuses a certificate of the actor's own case (S-029): by the printed
// name, and by the application while there is one.
func notOwn(ctx context.Context, store applications, a actor.Actor, i Issue) error {
	if isNobody(a) {
		return nil
	}
	if err := application.NotOwn(a, "", i.Certificate.Subject.Name); err != nil {
		return err
	}
	app, err := store.Application(ctx, a.Office, i.ApplicationID)
	if fault.CodeOf(err) == fault.NotFound { // erased
		return nil
	}
	return cmp.Or(err, app.NotOwnOf(a))
}

// isNobody tells that who acts is a job or a command, which have no case of their own.
func isNobody(a actor.Actor) bool { return a.Name == "" && len(a.Kin) == 0 }

// List returns certificates without content, by descending ID.
func (s *Service) List(ctx context.Context, a actor.Actor, f Filter) (list []Issue, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "certificate.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Issues(ctx, a.Office, f)
		return err
	})
	return list, err
}

// Reissuable tells whether a certificate may be made again: one that was revoked, which
// it stays, only where that was for its key and nobody has made it again since.
func (i Issue) Reissuable() bool {
	return i.State == Issued || i.State == Revoked && i.Reason == KeyCompromised && i.SupersededBy == ""
}

// Reissue makes a new certificate from the record as it is now; it supersedes
// the old one in the same commit. Of two at once one makes it, and the other is told
// which: fault Conflict "reissued".
func (s *Service) Reissue(ctx context.Context, a actor.Actor, id, reason string) (Issue, error) {
	for try := 0; ; try++ {
		i, err := s.reissue(ctx, a, id, reason)
		if !errors.Is(err, errInProgress) || try == waitTries {
			return i, err
		}
		if err := wait(ctx); err != nil {
			return Issue{}, err
		}
	}
}

var errReissued = fault.New(fault.Conflict, "reissued", "")

// reissue is Reissue that waits for nobody.
func (s *Service) reissue(ctx context.Context, a actor.Actor, id, reason string) (Issue, error) {
	if err := fault.OneOf("reason", reason, reissueReasons...); err != nil {
		return Issue{}, err
	}
	old, err := s.read(ctx, a, id, "certificate.read")
	if err != nil {
		return Issue{}, err
	}
	switch {
	case old.SupersededBy != "":
		return Issue{}, fault.New(fault.Conflict, errReissued.Key, "").With("instead", old.SupersededBy)
	case !old.Reissuable():
		return Issue{}, stateConflict(old)
	}
	made, _, err := s.issueNew(context.WithoutCancel(ctx), a.For(old.ApplicationID), old.ApplicationID, "", id, reason)
	return made, err
}

// Revoke ends one certificate with a reason, also one whose person was erased.
// Other certificates are not touched.
func (s *Service) Revoke(ctx context.Context, a actor.Actor, id, reason string) (i Issue, err error) {
	if err := fault.OneOf("reason", reason, revokeReasons...); err != nil {
		return i, err
	}
	e := audit.Entry{Action: "certificate.revoke", Object: id}
	e.Fact("reason", reason)
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if i, err = s.Store.Issue(ctx, a.Office, id); err != nil && !errors.Is(err, errErased) {
			return err
		}
		if err := notOwn(ctx, s.Store, a, i); err != nil {
			return err
		}
		if !CanMove(i.State, Revoked) {
			return stateConflict(i)
		}
		return s.Store.CloseIssue(ctx, a.Office, id, []State{i.State}, Revoked, reason)
	})
	if err == nil {
		i.State, i.Reason, i.ClosedAt = Revoked, reason, s.Clock.Now()
	}
	return i, err
}

// Codes reads the exact texts of a certificate's codes.
func (s *Service) Codes(ctx context.Context, a actor.Actor, id string) (Issue, error) {
	i, err := s.read(ctx, a, id, "certificate.codes")
	if err == nil && i.State != Issued {
		err = stateConflict(i)
	}
	return i, err
}

// Card returns the certificate's health card as a .smart-health-card file.
func (s *Service) Card(ctx context.Context, a actor.Actor, id string) ([]byte, error) {
	i, err := s.Codes(ctx, a, id)
	if err != nil {
		return nil, err
	}
	for _, p := range i.Payloads {
		if p.Family == certificate.SHC {
			return CardFile(p.Text)
		}
	}
	return nil, fault.New(fault.NotFound, "card", "")
}

// CardFile turns the text of a health card's code into a card file.
func CardFile(text string) ([]byte, error) {
	jws, _, err := shc.FromNumeric(text)
	if err != nil {
		return nil, err
	}
	return shc.File(jws), nil
}
