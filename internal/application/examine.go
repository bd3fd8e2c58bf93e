package application

import (
	"context"
	"slices"
	"strconv"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

// Examination is an application with what the register says of it now, for whoever
// works on it.
type Examination struct {
	Application
	Asked    bool // the register was asked; otherwise nothing below is said
	Answer   vaccination.Answer
	Changed  bool     // it is another record than the one that was checked
	Withheld bool     // the person is protected, and the actor may not decide about that
	Choices  []Choice // the people among whom a clerk may choose
}

// Choice is one of several people who fit an application.
type Choice struct {
	Answer   vaccination.Answer
	Reasons  []Reason // with which the application would be held for this person
	Withheld bool     // as for an examination
}

// recordStates are those in which a record is of use: it was asked for, and a
// certificate may be made from it, or made again.
var recordStates = []State{NeedsInfo, Review, Approved, Fulfilled}

// MayShowRecord tells whether the record is of use for the application.
func (a Application) MayShowRecord() bool { return slices.Contains(recordStates, a.State) }

// Examine is Get for somebody who may see records: it asks the register again for
// the doses, which are not kept with an application, or for the people who fit.
// Anybody else gets what Get gives.
func (s *Service) Examine(ctx context.Context, a actor.Actor, id string) (x Examination, err error) {
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return x, err
	}
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "application.read", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if x.Application, err = s.Store.Application(ctx, a.Office, id); err != nil {
			return err
		}
		e.Person = x.Record.PersonID
		if err := x.NotOwnOf(a); err != nil {
			return err
		}
		kept := x.Record.Outcome == vaccination.Found.String() || x.Record.Outcome == vaccination.Ambiguous.String()
		if !kept || !x.MayShowRecord() || !a.May(string(office.ReadRecords)) {
			return nil
		}
		return s.examine(ctx, a, o, &x, e)
	})
	if err != nil {
		return Examination{}, err
	}
	return x, nil
}

func (s *Service) examine(ctx context.Context, a actor.Actor, o office.Office, x *Examination, e *audit.Entry) error {
	now, err := s.gather(ctx, s.Store.Register(x.Office), o, x.Application)
	if err != nil {
		return err
	}
	if err := NotOwnAnswer(a, now.answer); err != nil {
		return err
	}
	x.Asked, x.Answer = true, now.answer
	e.Fact("record", now.answer.Outcome.String())
	switch {
	case now.answer.Outcome == vaccination.Unavailable:
	case now.answer.Outcome.String() != x.Record.Outcome:
		x.Changed = true
	case now.answer.Outcome == vaccination.Found:
		x.Changed = now.answer.Person.ID != x.Record.PersonID || !slices.Equal(Refs(now.answer.Doses), x.Record.Doses)
		x.Withheld = withheld(a, now.answer)
	default:
		for _, c := range now.answer.Candidates {
			now.answer = c
			x.Choices = append(x.Choices, Choice{c, now.reasons(), withheld(a, c)})
		}
		e.Fact("candidates", strconv.Itoa(len(x.Choices)))
	}
	return nil
}

func withheld(a actor.Actor, answer vaccination.Answer) bool {
	return answer.Person.Subject.Status == vaccination.Protected && !a.May(string(office.Override))
}

// choose lets an application rest on the record of one of those who fit, as it was
// shown: fault Conflict "candidate" where the register says otherwise by now.
func (s *Service) choose(ctx context.Context, a actor.Actor, o office.Office, app *Application, mark string) error {
	e, err := s.gather(ctx, s.Store.Register(app.Office), o, *app)
	if err != nil {
		return err
	}
	if e.answer.Outcome == vaccination.Unavailable {
		return fault.New(fault.Unavailable, "record_unavailable", "")
	}
	at := slices.IndexFunc(e.answer.Candidates, func(c vaccination.Answer) bool { return c.Mark() == mark })
	if at < 0 || app.State != Review {
		return fault.New(fault.Conflict, "candidate", "candidate")
	}
	if err := NotOwnAnswer(a, e.answer); err != nil {
		return err
	}
	e.answer = e.answer.Candidates[at]
	return s.rest(a, app, e)
}
