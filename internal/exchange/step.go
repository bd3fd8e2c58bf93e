package exchange

import (
	"context"
	"errors"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// jobName is who acts where nobody has asked, or whoever asked may not any more.
const jobName = "job:batch"

// Step makes applications of at most so many rows of each office that is not suspended, one
// by one, as the person who brought the file, and erases the rows of old batches. A row's
// application has its id before it is made, so that it is made once whoever dies. It returns
// how many rows are done, and the faults of the others (office.Work).
func (s *Batches) Step(ctx context.Context, most int) (int, error) {
	w := office.Work[OpenRow]{
		Log: s.Log, Clock: s.Clock, Store: s.Store, Job: jobName, Needs: []office.Permission{office.WriteApplications},
		Open: func(ctx context.Context, code string, _ []string, most int) ([]OpenRow, error) {
			return s.Store.OpenRows(ctx, code, most) // applying has no hours
		},
		Do: s.row, Tries: Tries, Fail: s.Store.RowFailed,
		Of: func(r OpenRow) office.Item {
			return office.Item{Person: r.Person, Case: r.Batch, Try: audit.Entry{Action: "batch.try", Object: r.Application}}
		},
	}
	return office.Each(ctx, s.Store.Offices, func(ctx context.Context, code string) (int, error) {
		n, err := w.Step(ctx, code, most)
		return n, errors.Join(err, s.closeOld(ctx, code))
	})
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
			return office.ErrTaken
		} else if err != nil {
			return err
		}
	}
	e := audit.Entry{Action: "batch.row", Object: r.Application}
	return s.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error { return s.Store.RowDone(ctx, a.Office, r) })
}

// errVersion: a clerk found the row's application in the list, and changed it.
var errVersion = fault.New(fault.Conflict, "version", "")

// orTaken is why an application could not be made, unless another node has made it.
func (s *Batches) orTaken(ctx context.Context, a actor.Actor, r OpenRow, err error) error {
	if state, failed := s.Store.ApplicationState(ctx, a.Office, r.Application); failed == nil && state != "" {
		return office.ErrTaken
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

// closeOld erases the rows of batches that were kept long enough.
func (s *Batches) closeOld(ctx context.Context, code string) error {
	old, err := s.Store.OldBatches(ctx, code, s.now().Add(-Kept))
	for _, id := range old {
		job := actor.Actor{Office: code, Person: jobName, Terminal: "jobs", Purpose: actor.Operate, Case: id}
		err = errors.Join(err, s.Log.Act(ctx, job, audit.Entry{Action: "batch.close", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
			return s.Store.CloseBatch(ctx, code, id)
		}))
	}
	return err
}
