// Package exchange takes files of applications from elsewhere: a clerk's spreadsheet, one
// application a row.
//
// All rows are judged first, as one application would be but without asking the register,
// and nothing but the batch itself is written; the same file comes back with what is wrong
// with each row. Then all rows become applications, or the accepted ones: by a job that
// goes on after a kill, each row once. The rows are sealed, and erased when the batch is
// closed, 14 days after it came at the latest.
package exchange

import (
	"bytes"
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
	"akashi/internal/office"
	"akashi/internal/vaccination"
)

// Limits of a batch (adr/0033).
const (
	// FewRows is how many one person may bring in without a second one.
	FewRows = 100
	// Kept is how long the rows of a batch are kept, whatever became of them.
	Kept = 14 * 24 * time.Hour
	// Tries is how often a row is tried before the others go on without it.
	Tries = 5
)

// Batch is one file of applications.
type Batch struct {
	Office, ID string
	SHA256     string
	Encoding   string // as vaccination names it
	Notice     string // version of the privacy notice that the applicants have been shown
	Header     []string
	Count      int
	Accepted   int
	CreatedBy  string
	CreatedAt  time.Time
	Approval   string // id; empty: none asked for
	StartedBy  string
	StartedAt  time.Time            // zero: not yet
	ClosedAt   time.Time            // zero: its rows are there
	Asked      office.ApprovalState // what its approval is worth, until it is started
	Done       int                  // rows that are applications
	Failed     int                  // of the accepted, left for a person
	Rows       []Row                // by line; not in a list
}

// Row is one line of a file.
type Row struct {
	Line        int
	Cells       []string // sealed; not read but for the file and for its application
	Findings    []Finding
	Accepted    bool
	Application string // id, from when the batch was started
	Done        bool
	Fault       string // of the last try: a code and a key, as the log has it
}

// Finding is one thing that is wrong with a row, or that a person will have to confirm.
type Finding struct {
	Column string            `json:"column,omitempty"` // as the header has it
	Key    string            `json:"key"`
	Args   map[string]string `json:"args,omitempty"` // of the sentence; never from the row
	Reason bool              `json:"reason,omitempty"`
	Note   bool              `json:"note,omitempty"` // does not keep the row from being accepted
}

// Open tells whether rows are still to become applications.
func (b Batch) Open() bool {
	return !b.StartedAt.IsZero() && b.ClosedAt.IsZero() && b.Done+b.Failed < b.Accepted
}

// Store keeps batches; its methods run inside an act unless they say otherwise.
type Store interface {
	office.WorkStore
	// AddBatch keeps one; fault Conflict "batch_repeated" where one of the same file is open or
	// was started, though it came at the same moment.
	AddBatch(ctx context.Context, b Batch) error
	Batch(ctx context.Context, office, id string) (Batch, error) // without cells; fault NotFound "batch"
	Batches(ctx context.Context, office, before string, limit int) ([]Batch, error)
	BatchCells(ctx context.Context, office, id string) (map[int][]string, error) // by line; erased ones are not there
	AskBatch(ctx context.Context, office, id, approval string) error             // fault Conflict "bulk_state"
	// StartBatch gives each accepted row the id of its application; fault Conflict "bulk_state".
	StartBatch(ctx context.Context, b Batch, id func() string) error
	CloseBatch(ctx context.Context, office, id string) error // erases the rows with their key
	// OldBatches returns open ones of before a time; needs no act.
	OldBatches(ctx context.Context, office string, before time.Time) ([]string, error)
	// OpenRows returns rows still to become applications, in order; needs no act.
	OpenRows(ctx context.Context, office string, most int) ([]OpenRow, error)
	RowCells(ctx context.Context, office string, r OpenRow) (header, cells []string, notice string, err error) // fault NotFound "erased"
	// ApplicationState is empty where there is none; needs no act.
	ApplicationState(ctx context.Context, office, id string) (application.State, error)
	RowDone(ctx context.Context, office string, r OpenRow) error // fault Conflict "bulk_state"
	RowFailed(ctx context.Context, office string, r OpenRow, fault string, tries int) error
}

// OpenRow is a row of a batch that was started.
type OpenRow struct {
	Batch               string
	Line                int
	Application, Person string // who brought the file
}

// Approvals is the four-eyes rule, as office.Approvals has it.
type Approvals interface {
	Ask(ctx context.Context, a actor.Actor, kind office.Kind, object string, parameters map[string]string) (office.Approval, error)
	UseOrApprove(ctx context.Context, a actor.Actor, kind office.Kind, object string, digest []byte) error
}

// Batches is the use cases.
type Batches struct {
	Log          *audit.Log
	Store        Store
	Applications *application.Service
	Approvals    Approvals
	Clock        clock.Clock
	IDs          idgen.Gen
}

// Stage reads a file, judges all rows and keeps them. notice is the version of the privacy
// notice that the applicants have been shown. Fault Conflict "batch_repeated" for a file
// that is there already.
func (s *Batches) Stage(ctx context.Context, a actor.Actor, file []byte, notice string, once *audit.Once) (b Batch, err error) {
	t, err := read(file)
	if err != nil {
		return b, s.Log.Refuse(ctx, a, audit.Entry{Action: "batch.stage"}, err)
	}
	o, err := s.Store.Office(ctx, a.Office)
	if err != nil {
		return b, err
	}
	b = Batch{
		Office: a.Office, ID: s.IDs.Row(), SHA256: t.sha256, Encoding: t.encoding, Notice: notice, Header: t.header, Count: len(t.rows), CreatedBy: a.Person, CreatedAt: s.now(),
	}
	first := map[string]bool{}
	for _, r := range t.rows {
		row := s.judge(o, a, t.header, r, notice)
		if row.Accepted {
			f := formOf(t.header, r.cells, notice)
			same := strings.Join([]string{string(f.Kind), f.Programme, f.Subject.Ticket, f.Subject.Name.Family, f.Subject.Name.Given, string(f.Subject.BirthDate)}, "\x00")
			if first[same] {
				row.Accepted, row.Findings = false, append(row.Findings, Finding{Key: "batch_line_repeated"})
			}
			first[same] = true
		}
		if row.Accepted {
			b.Accepted++
		}
		b.Rows = append(b.Rows, row)
	}
	e := audit.Entry{Action: "batch.stage", Object: b.ID, Once: once}
	e.Fact("rows", strconv.Itoa(b.Count))
	e.Fact("accepted", strconv.Itoa(b.Accepted))
	return b, s.Log.Act(ctx, a.For(b.ID), e, func(ctx context.Context, _ *audit.Entry) error { return s.Store.AddBatch(ctx, b) })
}

// judge is the judgement of one application, without the register.
func (s *Batches) judge(o office.Office, a actor.Actor, header []string, r tableRow, notice string) Row {
	row := Row{Line: r.line, Cells: r.cells, Accepted: true}
	find := func(f Finding) {
		row.Findings, row.Accepted = append(row.Findings, f), row.Accepted && f.Note
	}
	if r.fault != "" {
		find(Finding{Key: r.fault})
		return row
	}
	f := formOf(header, r.cells, notice)
	if f.Subject.Ticket != "" && !ticket(f.Subject.Ticket) { // a spreadsheet takes its zeros away
		find(Finding{Column: columnAt(header, "subject.ticket_number"), Key: "ticket_form"})
	}
	if h, allowed := unknownWord(header, r.cells); h != "" {
		find(Finding{Column: h, Key: "unknown_value", Args: map[string]string{"allowed": allowed}})
	}
	reasons, err := s.Applications.Judge(o, a, f)
	for _, bad := range fault.All(err) {
		find(Finding{Column: columnAt(header, bad.Field), Key: bad.Key, Args: bad.Args})
	}
	if err != nil && row.Accepted {
		find(Finding{Key: "internal"})
	}
	for _, reason := range reasons {
		find(Finding{
			Key: reason.Code, Args: map[string]string{"detail": reason.Detail}, Reason: true,
			Note: reason.Weight == application.Confirm || reason.Weight == application.Override,
		})
	}
	return row
}

func ticket(text string) bool {
	text = vaccination.FoldWidth(text)
	return len(text) == 10 && strings.Trim(text, "0123456789") == ""
}

// Get reads a batch with its rows, without what stands in them.
func (s *Batches) Get(ctx context.Context, a actor.Actor, id string) (b Batch, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "batch.read", Object: id}, func(ctx context.Context, _ *audit.Entry) (err error) {
		b, err = s.Store.Batch(ctx, a.Office, id)
		return err
	})
	return b, err
}

// List returns batches, newest first.
func (s *Batches) List(ctx context.Context, a actor.Actor, before string, limit int) (list []Batch, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "batch.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		list, err = s.Store.Batches(ctx, a.Office, before, limit)
		return err
	})
	return list, err
}

// Say is a sentence for a finding, in Japanese and English.
type Say func(f Finding) (ja, en string)

// File is the file as it came, with its lines' numbers, what is wrong with them and what a
// person will have to confirm, in the encoding in which it came: for the one who brought it.
// Lines that were erased are empty.
func (s *Batches) File(ctx context.Context, a actor.Actor, id string, say Say) (file []byte, err error) {
	var b Batch
	var cells map[int][]string
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "batch.file", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if b, err = s.Store.Batch(ctx, a.Office, id); err != nil {
			return err
		}
		switch {
		case b.CreatedBy != a.Person:
			return fault.New(fault.Forbidden, "batch_of_another", "")
		case !b.ClosedAt.IsZero():
			return fault.New(fault.Conflict, "batch_closed", "")
		}
		e.Fact("rows", strconv.Itoa(b.Count))
		cells, err = s.Store.BatchCells(ctx, a.Office, id)
		return err
	})
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	out.Write(line(append(slices.Clone(b.Header), lineColumn, errorColumn, noteColumn)))
	for _, r := range b.Rows {
		all := make([]string, len(b.Header))
		surplus := cells[r.Line][copy(all, cells[r.Line]):] // has no column, so that it comes last
		wrong, notes := r.sentences(say)
		out.Write(line(slices.Concat(all, []string{strconv.Itoa(r.Line), wrong, notes}, surplus)))
	}
	return encoded(out.Bytes(), b.Encoding)
}

// sentences are what is wrong with a row, and what is to be confirmed.
func (r Row) sentences(say Say) (wrong, notes string) {
	var lists [2][]string
	for _, f := range r.Findings {
		ja, en := say(f)
		text := ja + " / " + en
		if f.Column != "" {
			text = f.Column + ": " + text
		}
		i := 0
		if f.Note {
			i = 1
		}
		lists[i] = append(lists[i], text)
	}
	if r.Fault != "" {
		_, key, _ := strings.Cut(r.Fault, ":")
		ja, en := say(Finding{Key: key})
		lists[0] = append(lists[0], ja+" / "+en)
	}
	return strings.Join(lists[0], " | "), strings.Join(lists[1], " | ")
}

// parameters bind the approval to this very file.
func (b Batch) parameters() map[string]string {
	return map[string]string{"sha256": b.SHA256, "count": strconv.Itoa(b.Count), "accepted": strconv.Itoa(b.Accepted)}
}

// Committable tells why the person may not commit the batch as it is: to be asked before rows
// are taken from a budget.
func (b Batch) Committable(a actor.Actor, whole bool, now time.Time) error {
	switch {
	case b.CreatedBy != a.Person:
		return fault.New(fault.Forbidden, "batch_of_another", "")
	case !b.ClosedAt.IsZero():
		return fault.New(fault.Conflict, "batch_closed", "")
	case !b.StartedAt.IsZero() || b.Approval != "" && b.Asked.Open():
		return fault.New(fault.Conflict, "bulk_state", "")
	case b.Accepted == 0 || whole && b.Accepted < b.Count:
		return fault.New(fault.Conflict, "batch_not_whole", "")
	case b.Accepted > FewRows && !a.SteppedUpBy(now): // as Approvals.Ask has it
		return fault.New(fault.Forbidden, "step_up", "")
	}
	return nil
}

// Commit lets the jobs make applications of the rows: of all, or not at all (whole; fault
// Conflict "batch_not_whole" where one was not accepted), or of the accepted ones. More than
// FewRows wait for another person.
func (s *Batches) Commit(ctx context.Context, a actor.Actor, id string, whole bool) (b Batch, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "batch.commit", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if b, err = s.Store.Batch(ctx, a.Office, id); err != nil {
			return err
		}
		if err := b.Committable(a, whole, s.now()); err != nil {
			return err
		}
		e.Fact("accepted", strconv.Itoa(b.Accepted))
		if b.Accepted > FewRows {
			p, err := s.Approvals.Ask(ctx, a, office.BatchBulk, id, b.parameters())
			if err != nil {
				return err
			}
			b.Approval, b.Asked = p.ID, office.Pending
			return s.Store.AskBatch(ctx, a.Office, id, p.ID)
		}
		b.StartedBy, b.StartedAt = a.Person, s.now()
		return s.Store.StartBatch(ctx, b, s.IDs.Row)
	})
	return b, err
}

// Start lets the jobs do what somebody else has asked for: with this very file.
func (s *Batches) Start(ctx context.Context, a actor.Actor, id string) (b Batch, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "batch.start", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if b, err = s.Store.Batch(ctx, a.Office, id); err != nil {
			return err
		}
		e.Fact("accepted", strconv.Itoa(b.Accepted))
		if err := s.Approvals.UseOrApprove(ctx, a, office.BatchBulk, id, office.Digest(b.parameters())); err != nil {
			return err
		}
		b.StartedBy, b.StartedAt = a.Person, s.now()
		return s.Store.StartBatch(ctx, b, s.IDs.Row)
	})
	return b, err
}

// NotOwn refuses a batch with a row about the actor (S-029).
func (s *Batches) NotOwn(ctx context.Context, a actor.Actor, id string) error {
	b, err := s.Store.Batch(ctx, a.Office, id)
	if err != nil {
		return err
	}
	cells, err := s.Store.BatchCells(ctx, a.Office, id)
	if err != nil {
		return err
	}
	for _, row := range cells {
		if err := (application.Application{Form: formOf(b.Header, row, "")}).NotOwnOf(a); err != nil {
			return err
		}
	}
	return nil
}

// Close erases the rows of a batch: what became applications stays. Fault Conflict
// "batch_open" while rows are still becoming applications.
func (s *Batches) Close(ctx context.Context, a actor.Actor, id string) (b Batch, err error) {
	err = s.Log.Act(ctx, a.For(id), audit.Entry{Action: "batch.close", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		if b, err = s.Store.Batch(ctx, a.Office, id); err != nil {
			return err
		}
		switch {
		case !b.ClosedAt.IsZero():
			return fault.New(fault.Conflict, "batch_closed", "")
		case b.Open():
			return fault.New(fault.Conflict, "batch_open", "")
		}
		b.ClosedAt = s.now()
		return s.Store.CloseBatch(ctx, a.Office, id)
	})
	return b, err
}

func (s *Batches) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }
