package vaccination

import (
	"context"
	"errors"
	"strconv"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/office"
)

// ImportState of a file.
type ImportState string

const (
	ImportStaged    ImportState = "staged"    // read, nothing applied
	ImportRefused   ImportState = "refused"   // cannot be applied
	ImportCommitted ImportState = "committed" // applied; the file is erased
	ImportWithdrawn ImportState = "withdrawn" // what it brought no longer counts
	ImportExpired   ImportState = "expired"   // nobody applied it in time; the file is erased
)

// Import is one file handed in, with what was found in it. The file itself is
// sealed and kept only until it is applied, office.StagedLasts at most.
type Import struct {
	Office, ID             string
	State                  ImportState
	Report                 Report
	Outcome                Outcome
	CreatedBy, CommittedBy string
	WithdrawnBy            string
	CreatedAt, CommittedAt time.Time
	WithdrawnAt            time.Time
}

// Outcome counts what applying a file did.
type Outcome struct {
	New       int    `json:"new"`
	Changed   int    `json:"changed"`             // became a new version
	Unchanged int    `json:"unchanged"`           // the same file twice is all of these
	Orphans   int    `json:"orphans,omitempty"`   // doses whose ticket belongs to nobody yet
	Conflicts []Line `json:"conflicts,omitempty"` // a person must look
}

// ImportStore keeps imports; its methods run inside an act.
type ImportStore interface {
	AddImport(ctx context.Context, i Import, file []byte) error
	Import(ctx context.Context, office, id string) (Import, error)
	// Imports returns them newest first; before is the id cursor of the last page.
	Imports(ctx context.Context, office, before string, limit int) ([]Import, error)
	StagedFile(ctx context.Context, office, id string) ([]byte, error)
	// ApplyBatch stores subjects or records of an import: what is new, and what
	// changed as a new version; it never overwrites.
	ApplyBatch(ctx context.Context, office, importID string, b Batch) (Outcome, error)
	SaveImport(ctx context.Context, i Import, from ImportState) error // fault Conflict "import_state"; erases the file
	// WithdrawBatch makes the versions of an import stop counting, and those
	// before them count again; it returns the certificates made from them.
	WithdrawBatch(ctx context.Context, office, importID string) (certificates []string, err error)
	CertificatesFrom(ctx context.Context, office, importID string) ([]string, error)
	// StaleImports returns those that are staged since before a time; needs no act.
	StaleImports(ctx context.Context, office string, before time.Time) ([]string, error)
	ExpireImport(ctx context.Context, office, id string) error // fault Conflict "import_state"; erases the file
}

// Imports is the use cases around files of subjects and records.
type Imports struct {
	Log       *audit.Log
	Store     ImportStore
	Approvals *office.Approvals
	Clock     clock.Clock
	IDs       idgen.Gen
}

// parameters are what the approval of an import is bound to, and what the
// second person sees.
func (i Import) parameters() map[string]string {
	return map[string]string{"sha256": i.Report.SHA256, "layout": i.Report.Layout, "accepted": strconv.Itoa(i.Report.Accepted)}
}

// Stage reads a file and stores its report; nothing is applied (S-038). A file
// that can be applied waits for another person's approval.
func (s *Imports) Stage(ctx context.Context, a actor.Actor, kind Kind, file []byte, once *audit.Once) (Import, error) {
	layout, err := LayoutOf(kind, file)
	if err != nil {
		return Import{}, err
	}
	_, report := Read(layout, a.Office, file, s.Clock.Today())
	i := Import{
		Office: a.Office, ID: s.IDs.Row(), State: ImportStaged, Report: report, CreatedBy: a.Person,
		CreatedAt: s.Clock.Now(),
	}
	if report.Refused || report.Accepted == 0 {
		i.State, file = ImportRefused, nil
	}
	e := audit.Entry{Action: "import.stage", Object: i.ID, Once: once}
	e.Fact("layout", report.Layout)
	e.Fact("state", string(i.State))
	return i, s.Log.Act(ctx, a.For(i.ID), e, func(ctx context.Context, _ *audit.Entry) error {
		if err := s.Store.AddImport(ctx, i, file); err != nil || i.State != ImportStaged {
			return err
		}
		_, err := s.Approvals.Ask(ctx, a, office.CommitImport, i.ID, i.parameters())
		return err
	})
}

// Commit applies a staged file that somebody else has approved than the one who
// handed it in; whoever may approve it does so by committing it.
func (s *Imports) Commit(ctx context.Context, a actor.Actor, id string) (Import, error) {
	var i Import
	err := s.Log.Act(ctx, a.For(id), audit.Entry{Action: "import.commit", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if i, err = s.Store.Import(ctx, a.Office, id); err != nil {
			return err
		}
		if i.State != ImportStaged {
			return fault.New(fault.Conflict, "import_state", "").With("state", string(i.State))
		}
		if err := s.Approvals.UseOrApprove(ctx, a, office.CommitImport, id, office.Digest(i.parameters())); err != nil {
			return err
		}
		file, err := s.Store.StagedFile(ctx, a.Office, id)
		if err != nil {
			return err
		}
		layout, err := LayoutByID(i.Report.Layout)
		if err != nil {
			return err
		}
		batch, _ := Read(layout, a.Office, file, s.Clock.Today())
		if i.Outcome, err = s.Store.ApplyBatch(ctx, a.Office, id, batch); err != nil {
			return err
		}
		i.State, i.CommittedBy, i.CommittedAt = ImportCommitted, a.Person, s.Clock.Now()
		e.Fact("layout", i.Report.Layout)
		return s.Store.SaveImport(ctx, i, ImportStaged)
	})
	return i, err
}

// Withdraw ends a staged import, or makes what a committed one brought stop
// counting and lists the certificates that were made from it. The latter is an
// act on many people at once: one person asks for it, another does it.
func (s *Imports) Withdraw(ctx context.Context, a actor.Actor, id string) (i Import, certificates []string, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "import.withdraw", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if i, err = s.Store.Import(ctx, a.Office, id); err != nil {
			return err
		}
		if i.State != ImportCommitted && i.State != ImportStaged {
			return fault.New(fault.Conflict, "import_state", "").With("state", string(i.State))
		}
		from := i.State
		if from == ImportCommitted {
			if err := s.Approvals.UseOrApprove(ctx, a, office.WithdrawImport, id, office.Digest(nil)); err != nil {
				return err
			}
			if certificates, err = s.Store.WithdrawBatch(ctx, a.Office, id); err != nil {
				return err
			}
		}
		i.State, i.WithdrawnBy, i.WithdrawnAt = ImportWithdrawn, a.Person, s.Clock.Now()
		return s.Store.SaveImport(ctx, i, from)
	})
	return i, certificates, err
}

// List returns imports, newest first, with their counts and without their findings.
func (s *Imports) List(ctx context.Context, a actor.Actor, before string, limit int) (list []Import, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "import.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Imports(ctx, a.Office, before, limit)
		for i := range list {
			list[i].Report.Findings, list[i].Outcome.Conflicts = nil, nil
		}
		return err
	})
	return list, err
}

// Discard ends a staged import of one's own, whose file is erased.
func (s *Imports) Discard(ctx context.Context, a actor.Actor, id string) (i Import, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "import.discard", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if i, err = s.Store.Import(ctx, a.Office, id); err != nil {
			return err
		}
		switch {
		case i.CreatedBy != a.Person:
			return fault.New(fault.Forbidden, "import_of_another", "")
		case i.State != ImportStaged:
			return fault.New(fault.Conflict, "import_state", "").With("state", string(i.State))
		}
		if err := s.Approvals.Drop(ctx, a, office.CommitImport, id); err != nil {
			return err
		}
		i.State, i.WithdrawnBy, i.WithdrawnAt = ImportWithdrawn, a.Person, s.Clock.Now()
		return s.Store.SaveImport(ctx, i, ImportStaged)
	})
	return i, err
}

// Expire ends what nobody applied in time, and erases its file. It returns how many.
func (s *Imports) Expire(ctx context.Context, a actor.Actor) (n int, err error) {
	old, err := s.Store.StaleImports(ctx, a.Office, s.Clock.Now().Add(-office.StagedLasts))
	for _, id := range old {
		failed := s.Log.Act(ctx, a.For(id), audit.Entry{Action: "import.expire", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
			return s.Store.ExpireImport(ctx, a.Office, id)
		})
		if err = errors.Join(err, failed); failed == nil {
			n++
		}
	}
	return n, err
}

// Get returns an import and the certificates made from what it brought.
func (s *Imports) Get(ctx context.Context, a actor.Actor, id string) (i Import, certificates []string, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "import.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if i, err = s.Store.Import(ctx, a.Office, id); err != nil {
			return err
		}
		certificates, err = s.Store.CertificatesFrom(ctx, a.Office, id)
		return err
	})
	return i, certificates, err
}
