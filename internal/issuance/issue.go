package issuance

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"time"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/signing"
)

// waits for another node's intent on the same application before answering "in progress".
const (
	waitTries = 25
	waitStep  = 200 * time.Millisecond
)

// Issue makes the certificate of an approved application, or returns the one it
// has: however often and from wherever it is called, there is one live
// certificate. made tells whether this call made it.
func (s *Service) Issue(ctx context.Context, a actor.Actor, applicationID string) (i Issue, made bool, err error) {
	return s.IssueSeen(ctx, a, applicationID, "")
}

// IssueSeen is Issue for somebody who looked at a preview with this digest. Fault Conflict
// "preview_changed" if the certificate says something else than the preview did.
func (s *Service) IssueSeen(ctx context.Context, a actor.Actor, applicationID, seen string) (i Issue, made bool, err error) {
	a = a.For(applicationID)
	for try := 0; ; try++ {
		// Calls within one process share one attempt; the context of the first
		// must not decide for all. The others read the result under their own name.
		mine := false
		_, err, _ = s.single.Do(a.Office+"/"+applicationID+"/"+seen, func() (any, error) {
			mine = true
			var err error
			i, made, err = s.issueNew(context.WithoutCancel(ctx), a, applicationID, seen, "", "")
			return nil, err
		})
		if err == nil && !mine {
			i, made, err = s.issueNew(ctx, a, applicationID, seen, "", "")
		}
		// Another node was faster, or the application changed under our hands: look again.
		busy := errors.Is(err, errInProgress) || errors.Is(err, errVersion)
		switch {
		case err == nil:
			return i, made, nil
		case !busy || try == waitTries:
			return Issue{}, false, err
		}
		if err := wait(ctx); err != nil {
			return Issue{}, false, err
		}
	}
}

func wait(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(waitStep):
		return nil
	}
}

var errVersion = fault.New(fault.Conflict, "version", "")

// issueNew runs steps 5 to 11 once, or returns the certificate that the
// application has. With the digest of a preview seen, it must say the same. With
// supersedes, the named certificate is replaced for the reason given and the record is
// taken as it is now. The look at application and record is logged with the intent, or
// with whatever else comes of it.
func (s *Service) issueNew(ctx context.Context, a actor.Actor, applicationID, seen, supersedes, reason string) (i Issue, made bool, err error) {
	var b basis
	var live *Issue
	e := audit.Entry{Action: "certificate.compose", Object: applicationID}
	err = s.Log.Look(ctx, a, e, func(ctx context.Context, e *audit.Entry) (err error) {
		b, live, err = s.ask(ctx, a, e, supersedes != "")
		return err
	}, func(ctx context.Context) error {
		if live != nil {
			i = *live
			return s.asSeen(seen, applicationID, i.Certificate)
		}
		b.seen = seen
		ctx, leave, err := s.Signer.Reserve(ctx)
		if err != nil {
			return fault.New(fault.Unavailable, "signing_busy", "").Because(err)
		}
		defer leave()
		draft, err := s.prepare(ctx, a, b, supersedes, reason)
		if err == nil {
			i, err = s.finish(ctx, a, draft, &b.app)
		}
		if errors.Is(err, errNotPrepared) {
			i, err = s.elsewhere(ctx, a, draft.Certificate.ID)
		}
		made = err == nil
		return err
	})
	if err != nil {
		return Issue{}, false, err
	}
	return i, made, nil
}

// basis is what a certificate is made from.
type basis struct {
	office office.Office
	app    application.Application
	now    application.Recheck
	seen   string // digest of a preview that it must say the same as; empty: of none
	busy   bool   // its certificate is half made; looked at by Preview alone, as storing the intent asks again
}

// prepare composes, drafts and lints, and stores the intent (steps 5 to 8).
func (s *Service) prepare(ctx context.Context, a actor.Actor, b basis, supersedes, reason string) (Issue, error) {
	i, err := s.draft(ctx, b, supersedes)
	i.Cause = reason
	if err == nil {
		err = s.lint(ctx, i)
	}
	if err != nil {
		return Issue{}, s.Log.Refuse(ctx, a, audit.Entry{Action: "certificate.prepare", Object: b.app.ID}, err)
	}
	s.point("before_intent")
	e := audit.Entry{Action: "certificate.prepare", Object: i.Certificate.ID, Person: b.app.Record.PersonID}
	e.Fact("kind", string(i.Certificate.Kind))
	if supersedes != "" {
		e.Fact("reason", reason)
		e.Fact("supersedes", supersedes)
	}
	err = s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error {
		if err := s.Store.Prepare(ctx, i, b.app.Version); err != nil {
			return err
		}
		s.point("intent_uncommitted")
		return nil
	})
	if err == nil {
		s.point("intent_stored")
	}
	return i, err
}

// ask reads the application and its record and refuses what may not be issued. An
// application whose certificate is made gives that instead: one that is approved
// never had one, as being fulfilled is final.
func (s *Service) ask(ctx context.Context, a actor.Actor, e *audit.Entry, again bool) (b basis, live *Issue, err error) {
	var reg vaccination.Register
	if b.app, b.office, reg, err = s.Store.Basis(ctx, a.Office, e.Object); err != nil {
		return b, nil, err
	}
	e.Person = b.app.Record.PersonID
	if err := b.app.NotOwnOf(a); err != nil {
		return b, nil, err
	}
	switch {
	case b.app.State == application.Approved, again && b.app.State == application.Fulfilled:
		if b.now, err = s.Applications.Recheck(ctx, reg, b.office, b.app); err != nil {
			return b, nil, err
		}
		return b, nil, cmp.Or(b.stands(again), application.NotOwnPerson(a, b.now.Answer.Person))
	case b.app.State == application.Fulfilled:
		i, err := s.Store.LiveIssue(ctx, a.Office, b.app.ID)
		if fault.CodeOf(err) == fault.NotFound {
			err = fault.New(fault.Conflict, "application_fulfilled", "state") // its certificate was revoked
		}
		if err != nil {
			return b, nil, err
		}
		e.Action, e.Object = "certificate.read", i.Certificate.ID
		return b, &i, nil
	}
	return b, nil, notApproved(b.app)
}

func notApproved(app application.Application) error {
	return fault.New(fault.Conflict, "not_approved", "state").With("state", string(app.State))
}

// stands refuses what may not be issued from passport and record as they are now: the
// record must still be the one that was approved; a reissue takes it as it is.
func (b basis) stands(again bool) error {
	answer := b.now.Answer
	switch {
	case answer.Outcome == vaccination.Unavailable:
		return fault.New(fault.Unavailable, "record_unavailable", "")
	case answer.Outcome != vaccination.Found && !again:
		return fault.New(fault.Conflict, "record_changed", "")
	case answer.Outcome != vaccination.Found:
		return fault.New(fault.Conflict, "needs_decision", "").With("reason", "record_not_found")
	case answer.Person.ID != b.app.Record.PersonID, !again && !slices.Equal(application.Refs(answer.Doses), b.app.Record.Doses):
		return fault.New(fault.Conflict, "record_changed", "")
	case len(b.now.Uncleared) > 0:
		return fault.New(fault.Conflict, "needs_decision", "").With("reason", b.now.Uncleared[0].Code).With("detail", b.now.Uncleared[0].Detail)
	}
	return nil
}

// draft makes certificate and bytes to sign (steps 5 and 6).
func (s *Service) draft(ctx context.Context, b basis, supersedes string) (Issue, error) {
	c, doses, err := s.compose(ctx, b, supersedes)
	if err != nil {
		return Issue{}, err
	}
	i := Issue{Certificate: c, ApplicationID: b.app.ID, PersonKey: b.app.PersonKey, State: Prepared, Doses: doses}
	return i, s.draftCodes(ctx, &i)
}

// draftCodes makes the bytes to sign of every code.
func (s *Service) draftCodes(ctx context.Context, i *Issue) error {
	c := i.Certificate
	for n, wanted := range c.Codes() {
		f, err := s.family(wanted.Family)
		if err != nil {
			return err
		}
		key, err := s.activeKey(ctx, f.purpose())
		if err != nil {
			return err
		}
		p := Payload{Number: n + 1, Family: wanted.Family, Dose: wanted.Dose, KeyID: key.ID}
		if wanted.Family.HasStatus() {
			p.StatusID = s.IDs.Token(8)
		}
		if p.ToSign, err = f.draft(c, key, p); err != nil {
			return fault.New(fault.Conflict, "draft", string(wanted.Family)).Because(err)
		}
		if end := f.expires(c, key); !end.IsZero() && (i.RenewBy.IsZero() || end.Before(i.RenewBy)) {
			i.RenewBy = end
		}
		i.Payloads = append(i.Payloads, p)
	}
	return nil
}

// finish signs, seals, checks and commits an intent (steps 9 to 11); app is its
// application as the intent was made from it, or nil where that is not known. What must
// not be released, and what can no longer be, is closed as failed with its ID
// visible; a signer that cannot be reached, or a service that is stopping,
// leaves the intent open for Recover.
func (s *Service) finish(ctx context.Context, a actor.Actor, i Issue, app *application.Application) (Issue, error) {
	err := s.sign(ctx, &i)
	if err == nil {
		err = s.selfCheck(ctx, i)
	}
	if err == nil {
		s.point("checked")
		i, err = s.commit(ctx, a, i, app)
		if app != nil && errors.Is(err, errVersion) {
			i, err = s.commit(ctx, a, i, nil) // it changed since: what it is now decides
		}
		if err == nil {
			return i, nil
		}
	}
	id := i.Certificate.ID
	code := ending(err)
	switch {
	case errors.Is(err, errNotPrepared) || fault.CodeOf(err) == fault.NotFound:
		return i, errNotPrepared // another node has ended it
	case code == "":
		return i, fault.New(fault.Unavailable, "signing_later", "").With("certificate", id).Because(err)
	}
	ended := fault.New(fault.Conflict, "issue_ended", "").With("certificate", id).With("reason", code).Because(err)
	var wrong *wrongResult
	if errors.As(err, &wrong) {
		ended.Code, ended.Key = fault.Internal, "self_check"
	}
	err = s.fail(ctx, a, i, code)
	if errors.Is(err, errState) {
		return i, errNotPrepared
	}
	return i, errors.Join(ended, err)
}

// ending is the code with which an error ends an intent; empty when trying again
// may help.
func ending(err error) string {
	var wrong *wrongResult
	var key *signing.KeyError
	var f *fault.Error
	switch {
	case errors.As(err, &wrong):
		return wrong.code
	case errors.As(err, &key):
		return "key_" + key.Code
	case errors.As(err, &f) && f.Code == fault.Conflict && f.Key != errVersion.Key:
		return f.Key // the application or the predecessor moved on
	}
	return ""
}

func (s *Service) commit(ctx context.Context, a actor.Actor, i Issue, known *application.Application) (Issue, error) {
	e := audit.Entry{Action: "certificate.issue", Object: i.Certificate.ID}
	err := s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) (err error) {
		var app application.Application
		if known != nil {
			app = *known
		} else if app, err = s.Store.Application(ctx, a.Office, i.ApplicationID); err != nil {
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
