package issuance

import (
	"context"
	"errors"
	"slices"
	"time"

	"golang.org/x/sync/singleflight"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

type flights = singleflight.Group

func (s *Service) dateOf(t time.Time) clock.Date { return clock.DateOf(t) }

// waits for another node's intent on the same application before answering "in progress".
const (
	waitTries = 25
	waitStep  = 200 * time.Millisecond
)

// Issue makes the certificate of an approved application, or returns the one it
// has: however often and from wherever it is called, there is one live
// certificate. made tells whether this call made it.
func (s *Service) Issue(ctx context.Context, a actor.Actor, applicationID string) (i Issue, made bool, err error) {
	a = a.For(applicationID)
	for try := 0; ; try++ {
		i, err = s.live(ctx, a, applicationID)
		if err == nil || fault.CodeOf(err) != fault.NotFound {
			return i, made, err
		}
		// Calls within one process share one attempt; the context of the first
		// must not decide for all.
		_, err, _ = s.single.Do(a.Office+"/"+applicationID, func() (any, error) {
			_, err := s.issueNew(context.WithoutCancel(ctx), a, applicationID, "", nil)
			made = err == nil
			return nil, err
		})
		// Another node was faster, or the application changed under our hands: look again.
		busy := errors.Is(err, errInProgress) || errors.Is(err, errExists) || errors.Is(err, errVersion)
		if err != nil && (!busy || try == waitTries) {
			return Issue{}, false, err
		}
		if busy {
			select {
			case <-ctx.Done():
				return Issue{}, false, ctx.Err()
			case <-time.After(waitStep):
			}
		}
	}
}

var (
	errExists  = fault.New(fault.Conflict, "certificate_exists", "")
	errVersion = fault.New(fault.Conflict, "version", "")
)

// live returns the live certificate of an application, if it has one.
func (s *Service) live(ctx context.Context, a actor.Actor, applicationID string) (i Issue, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "certificate.read", Object: applicationID}, func(ctx context.Context, e *audit.Entry) (err error) {
		if i, err = s.Store.LiveIssue(ctx, a.Office, applicationID); err == nil {
			e.Object = i.Certificate.ID
		}
		if fault.CodeOf(err) == fault.NotFound {
			i, err = Issue{}, nil // asking is not a refusal
		}
		return err
	})
	if err == nil && i.Certificate.ID == "" {
		err = fault.New(fault.NotFound, "certificate", "")
	}
	return i, err
}

// change is what a reissue brings that the application does not have.
type change struct{ reason string }

// issueNew runs steps 5 to 11 once. With supersedes, the named certificate is
// replaced and the record is taken as it is now.
func (s *Service) issueNew(ctx context.Context, a actor.Actor, applicationID, supersedes string, c *change) (Issue, error) {
	draft, err := s.prepare(ctx, a, applicationID, supersedes, c)
	if err != nil {
		return Issue{}, err
	}
	return s.finish(ctx, a, draft)
}

// prepare composes, drafts and lints, and stores the intent (steps 5 to 8).
func (s *Service) prepare(ctx context.Context, a actor.Actor, applicationID, supersedes string, why *change) (Issue, error) {
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return Issue{}, err
	}
	app, answer, err := s.ask(ctx, o, a, applicationID, supersedes != "")
	if err != nil {
		return Issue{}, err
	}
	i, err := s.draft(ctx, o, app, answer, supersedes)
	if err != nil {
		return Issue{}, errors.Join(err, s.Log.Refused(ctx, a, audit.Entry{Action: "certificate.prepare", Object: applicationID}, err))
	}
	s.point("before_intent")
	e := audit.Entry{Action: "certificate.prepare", Object: i.Certificate.ID, Person: app.Record.PersonID}
	e.Fact("kind", string(i.Certificate.Kind))
	if why != nil {
		e.Fact("reason", why.reason)
		e.Fact("supersedes", supersedes)
	}
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if err := s.Store.Prepare(ctx, i); err != nil { // locks the application
			return err
		}
		now, err := s.Store.Application(ctx, a.Office, applicationID)
		if err != nil {
			return err
		}
		if now.Version != app.Version {
			return errVersion
		}
		s.point("intent_uncommitted")
		return nil
	})
	if err == nil {
		s.point("intent_stored")
	}
	return i, err
}

// ask reads the application and its record in one logged look-up and refuses
// what may not be issued.
func (s *Service) ask(ctx context.Context, o office.Office, a actor.Actor, applicationID string, again bool) (app application.Application, answer vaccination.Answer, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "certificate.compose", Object: applicationID}, func(ctx context.Context, e *audit.Entry) (err error) {
		if app, err = s.Store.Application(ctx, a.Office, applicationID); err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		allowed := app.State == application.Approved || (again && app.State == application.Fulfilled)
		if !allowed {
			if _, err := s.Store.LiveIssue(ctx, a.Office, applicationID); err == nil {
				return errExists
			}
			return fault.New(fault.Conflict, "not_approved", "state").With("state", string(app.State))
		}
		answer, err = s.Applications.Record(ctx, app)
		if err != nil {
			return err
		}
		switch answer.Outcome {
		case vaccination.Unavailable:
			return fault.New(fault.Unavailable, "record_unavailable", "")
		case vaccination.Found:
		default:
			return fault.New(fault.Conflict, "record_changed", "")
		}
		if answer.Person.ID != app.Record.PersonID || (!again && !slices.Equal(refs(answer.Doses), app.Record.Doses)) {
			return fault.New(fault.Conflict, "record_changed", "")
		}
		if open := s.Applications.Uncleared(o, app, answer); len(open) > 0 {
			return fault.New(fault.Conflict, "needs_decision", "").With("reason", open[0].Code)
		}
		return nil
	})
	return app, answer, err
}

func refs(records []vaccination.Record) []application.DoseRef {
	var list []application.DoseRef
	for _, r := range records {
		list = append(list, application.DoseRef{ID: r.Ref.ID, Version: r.Ref.Version, Number: r.DoseNumber})
	}
	return list
}

// draft makes certificate and bytes to sign, and lints them with a throw-away
// key (steps 5 to 7).
func (s *Service) draft(ctx context.Context, o office.Office, app application.Application, answer vaccination.Answer, supersedes string) (Issue, error) {
	c, doses, err := s.compose(ctx, o, app, answer, supersedes)
	if err != nil {
		return Issue{}, err
	}
	i := Issue{Certificate: c, ApplicationID: app.ID, PersonKey: app.PersonKey, State: Prepared, Doses: doses}
	for n, name := range c.Kind.Families() {
		f, err := s.family(name)
		if err != nil {
			return i, err
		}
		key, err := s.activeKey(ctx, f.purpose())
		if err != nil {
			return i, err
		}
		p := Payload{Number: n + 1, Family: name, KeyID: key.ID}
		if name.HasStatus() {
			p.StatusID = s.IDs.Token(8)
		}
		if p.ToSign, err = f.draft(c, key, p.StatusID); err != nil {
			return i, fault.New(fault.Conflict, "draft", string(name)).Because(err)
		}
		i.Payloads = append(i.Payloads, p)
	}
	return i, s.lint(ctx, i)
}

// finish signs, seals, checks and commits an intent (steps 9 to 11). When the
// result must not be released, the intent is closed as failed and its ID stays
// visible.
func (s *Service) finish(ctx context.Context, a actor.Actor, i Issue) (Issue, error) {
	err := s.sign(ctx, &i)
	if err == nil {
		err = s.selfCheck(ctx, i)
	}
	if err != nil {
		// A service that is stopping, or a signer that cannot be reached, leaves
		// the intent open for Recover; a result that is wrong ends it.
		var wrong *wrongResult
		if !errors.As(err, &wrong) {
			return i, fault.New(fault.Unavailable, "signing_later", "").With("certificate", i.Certificate.ID).Because(err)
		}
		return i, errors.Join(
			fault.New(fault.Internal, "self_check", "").With("certificate", i.Certificate.ID).Because(err),
			s.fail(ctx, a, i, wrong.code))
	}
	s.point("checked")
	return s.commit(ctx, a, i)
}

func (s *Service) commit(ctx context.Context, a actor.Actor, i Issue) (Issue, error) {
	e := audit.Entry{Action: "certificate.issue", Object: i.Certificate.ID}
	err := s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) error {
		app, err := s.Store.Application(ctx, a.Office, i.ApplicationID)
		if err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if err := s.Store.Commit(ctx, i); err != nil {
			return err
		}
		if app.State != application.Fulfilled {
			if err := app.Move(application.Fulfilled); err != nil {
				return err
			}
			app.UpdatedAt = s.Clock.Now()
			if err := s.Store.SaveApplication(ctx, &app); err != nil {
				return err
			}
		}
		s.point("commit_uncommitted")
		return nil
	})
	if err != nil {
		return i, err
	}
	i.State = Issued
	s.point("committed")
	return i, nil
}

// fail closes an intent whose result must not be released.
func (s *Service) fail(ctx context.Context, a actor.Actor, i Issue, code string) error {
	e := audit.Entry{Action: "certificate.fail", Object: i.Certificate.ID}
	e.Fact("reason", code)
	return s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.CloseIssue(ctx, a.Office, i.Certificate.ID, []State{Prepared}, Failed, code)
	})
}
