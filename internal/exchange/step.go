package exchange

import (
	"context"
	"errors"
	"fmt"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Step makes applications of at most so many rows of each office that is not suspended, one
// by one, as the person who brought the file, and erases the rows of old batches. A row's
// application has its id before it is made, so that it is made once whoever dies. It returns
// how many rows are done, and the faults of the others (office.Work).
func (s *Batches) Step(ctx context.Context, most int) (int, error) {
	w := office.Work[OpenRow]{
		Office: s.Store.Office, Open: s.Store.OpenRows, Failed: s.failed,
		Do: func(ctx context.Context, code string, r OpenRow) (actor.Actor, error) {
			a, err := s.actor(ctx, code, r)
			if err == nil {
				err = s.row(ctx, a, r)
			}
			return a, err
		},
		Name: func(r OpenRow) string { return fmt.Sprintf("batch %s line %d", r.Batch, r.Line) },
	}
	return office.Each(ctx, s.Store.Offices, func(ctx context.Context, code string) (int, error) {
		n, err := w.Step(ctx, code, most)
		return n, errors.Join(err, s.closeOld(ctx, code))
	})
}

// actor is the person who brought the file, as long as he may do so himself.
func (s *Batches) actor(ctx context.Context, code string, r OpenRow) (actor.Actor, error) {
	p, err := s.Store.Staff(ctx, code, r.Person)
	if err != nil {
		return job(code, r.Batch), err
	}
	a, err := p.OnBehalf(actor.Certificate, r.Batch, s.Clock.Now(), office.WriteApplications)
	if err != nil {
		a = job(code, r.Batch)
	}
	return a, err
}

func job(code, batch string) actor.Actor {
	return actor.Actor{Office: code, Person: "job:batch", Terminal: "jobs", Purpose: actor.Operate, Case: batch}
}

// row makes the application of a row and hands it in, unless that was done.
func (s *Batches) row(ctx context.Context, a actor.Actor, r OpenRow) error {
	state, err := s.Store.ApplicationState(ctx, a.Office, r.Application)
	if err != nil {
		return err
	}
	if state == "" {
		f, err := s.form(ctx, a, r)
		if err == nil {
			_, err = s.Applications.CreateAs(ctx, a, r.Application, f)
		}
		if err != nil {
			return s.orTaken(ctx, a, r, err)
		}
		state = application.Draft
	}
	if state == application.Draft || state == application.Checking {
		if _, err := s.Applications.Submit(ctx, a, r.Application); errors.Is(err, errVersion) {
			return errTaken
		} else if err != nil {
			return err
		}
	}
	e := audit.Entry{Action: "batch.row", Object: r.Application}
	return s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error { return s.Store.RowDone(ctx, a.Office, r) })
}

// Somebody else is at the row, which is looked at again at the next step: another node, or
// a clerk who found its application in the list.
var (
	errTaken   = fault.New(fault.Conflict, "bulk_state", "")
	errVersion = fault.New(fault.Conflict, "version", "")
)

// orTaken is why an application could not be made, unless another node has made it.
func (s *Batches) orTaken(ctx context.Context, a actor.Actor, r OpenRow, err error) error {
	if state, failed := s.Store.ApplicationState(ctx, a.Office, r.Application); failed == nil && state != "" {
		return errTaken
	}
	return err
}

// form reads the row; that is a look at a person, and stands in the log.
func (s *Batches) form(ctx context.Context, a actor.Actor, r OpenRow) (f application.Form, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "batch.read_row", Object: r.Application}, func(ctx context.Context, _ *audit.Entry) error {
		header, cells, notice, err := s.Store.RowCells(ctx, a.Office, r)
		if err == nil {
			f = formOf(header, cells, notice)
		}
		return err
	})
	return f, err
}

// failed counts a try, and all of them where only a person can help.
func (s *Batches) failed(ctx context.Context, a actor.Actor, r OpenRow, err error) error {
	tries := 1
	switch fault.CodeOf(err) {
	case fault.Unavailable:
		return nil
	case fault.Conflict, fault.NotFound, fault.Invalid, fault.Forbidden:
		tries = Tries
	}
	return s.Log.Act(ctx, a, audit.Entry{Action: "batch.try", Object: r.Application}, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.RowFailed(ctx, a.Office, r, audit.Result(err), tries)
	})
}

// closeOld erases the rows of batches that were kept long enough.
func (s *Batches) closeOld(ctx context.Context, code string) error {
	old, err := s.Store.OldBatches(ctx, code, s.now().Add(-Kept))
	for _, id := range old {
		err = errors.Join(err, s.Log.Act(ctx, job(code, id), audit.Entry{Action: "batch.close", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
			return s.Store.CloseBatch(ctx, code, id)
		}))
	}
	return err
}
