// Package audit is the one way to write, and to read about a person: an act and
// its log entry stand in one transaction, so that what is not in the log did not
// happen (S-083, S-084, R-170, R-171).
//
// A refused act leaves an entry of its own with the reason's code. A look that an
// act follows has its entry stored with that act, or else before anything is
// answered. Entries hold internal keys and codes, never a name, a date of birth or a
// number.
package audit

import (
	"context"
	"errors"
	"fmt"

	"akashi/internal/actor"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// Entry says what is done. The function that runs inside the act completes it.
type Entry struct {
	Action string            // such as "application.submit"
	Object string            // row id or certificate id acted on
	Person string            // internal key of the person concerned; may be empty
	Facts  map[string]string // codes and counts only
	Once   *Once             // set when the caller gave an idempotency key
}

// Fact adds a code or count.
func (e *Entry) Fact(name, value string) {
	if e.Facts == nil {
		e.Facts = map[string]string{}
	}
	e.Facts[name] = value
}

// Once makes an act happen once per office, route and key within 24 hours.
type Once struct {
	Route string
	Key   string // as given by the client; the book stores its hash
	Body  []byte // SHA-256 of the request body
}

// Record is an entry as it is stored.
type Record struct {
	Office    string `json:"office"`
	ID        string `json:"id"`
	At        string `json:"at"`       // RFC 3339, UTC, milliseconds
	Person    string `json:"person"`   // who acted
	Terminal  string `json:"terminal"` // and where
	Purpose   string `json:"purpose"`
	Case      string `json:"case"`
	Action    string `json:"action"`
	Object    string `json:"object"`
	Concerned string `json:"concerned"`
	Result    string `json:"result"`
	Request   string `json:"request"`
	Canonical []byte `json:"-"` // RFC 8785 of all of the above and the facts
}

// Book stores acts.
type Book interface {
	// Act opens one transaction for the office, runs fn in it, and stores the records
	// that fn returns with it, or nothing at all. Once is kept in the same transaction,
	// with the object of the last record; a second act with the same key is refused
	// with ErrRepeated.
	Act(ctx context.Context, office string, fn func(ctx context.Context) ([]Record, *Once, error)) error
	// Look runs fn, which reads and can write nothing. What follows from what was
	// read goes by the context that is returned.
	Look(ctx context.Context, office string, fn func(ctx context.Context) error) (context.Context, error)
}

// ErrRepeated tells that an act with this idempotency key was already done.
var ErrRepeated = fault.New(fault.Conflict, "idempotency_repeated", "Idempotency-Key")

// Log performs acts.
type Log struct {
	Book  Book
	Clock clock.Clock
	IDs   idgen.Gen
}

// Act runs fn inside a transaction together with its log entry. When fn fails,
// everything it wrote is undone, the refusal is logged, and its error returned.
func (l *Log) Act(ctx context.Context, a actor.Actor, e Entry, fn func(ctx context.Context, e *Entry) error) error {
	if err := e.check(a); err != nil {
		return err
	}
	err := l.act(ctx, a.Office, func(ctx context.Context) (Record, *Once, error) {
		if err := fn(ctx, &e); err != nil {
			return Record{}, nil, err
		}
		r, err := l.record(a, e, "ok")
		return r, e.Once, err
	})
	if err == nil || errors.Is(err, ErrRepeated) {
		return err
	}
	return l.Refuse(ctx, a, e, err)
}

func (e Entry) check(a actor.Actor) error {
	if err := a.Check(); err != nil {
		return err
	}
	if e.Action == "" {
		return errors.New("audit: entry without action")
	}
	return nil
}

// Refuse logs an act that was not done and returns why, marked as logged. Without
// an entry not even the reason is told: the log's own failure comes first (S-084).
func (l *Log) Refuse(ctx context.Context, a actor.Actor, e Entry, cause error) error {
	return logged{errors.Join(l.Refused(ctx, a, e, cause), cause)}
}

// logged marks an error whose refusal stands in the log.
type logged struct{ error }

func (l logged) Unwrap() error { return l.error }

// IsLogged tells whether the refusal stands in the log already.
func IsLogged(err error) bool {
	var l logged
	return errors.As(err, &l)
}

// Refused logs an act that was not done, even when the caller has gone away.
func (l *Log) Refused(ctx context.Context, a actor.Actor, e Entry, cause error) error {
	return l.act(context.WithoutCancel(ctx), a.Office, func(context.Context) (Record, *Once, error) {
		r, err := l.record(a, e, Result(cause))
		return r, nil, err
	})
}

// Result is the code and key of a refusal; the text of an unknown error stays out of the log.
func Result(err error) string {
	var f *fault.Error
	if errors.As(err, &f) {
		return string(f.Code) + ":" + f.Key
	}
	return string(fault.Internal)
}

func (l *Log) record(a actor.Actor, e Entry, result string) (Record, error) {
	r := Record{
		Office: a.Office, ID: l.IDs.Row(), At: l.Clock.Now().Format("2006-01-02T15:04:05.000Z"),
		Person: a.Person, Terminal: a.Terminal, Purpose: string(a.Purpose), Case: a.Case,
		Action: e.Action, Object: e.Object, Concerned: e.Person, Result: result, Request: a.Request,
	}
	var err error
	if r.Canonical, err = canonical(r, e.Facts); err != nil {
		return r, fmt.Errorf("audit: %w", err)
	}
	return r, nil
}
