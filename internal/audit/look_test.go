package audit

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"akashi/internal/fault"
)

// results are the entries of a book in order, as "action result".
func (b *book) results() (list []string) {
	for _, r := range b.records {
		list = append(list, r.Action+" "+r.Result)
	}
	return list
}

// S-083, S-084: however use ends, the look is in the log before Look returns: with the
// first act, or alone.
func TestLook(t *testing.T) {
	refusal := fault.New(fault.Conflict, "refused", "")
	act := func(l *Log, err error) func(context.Context) error {
		return func(ctx context.Context) error {
			return l.Act(ctx, clerk, Entry{Action: "act"}, func(context.Context, *Entry) error { return err })
		}
	}
	again := func(l *Log, read error, use func(context.Context) error) func(context.Context) error {
		return func(ctx context.Context) error {
			return l.Look(ctx, clerk, Entry{Action: "again"}, func(context.Context, *Entry) error { return read }, use)
		}
	}
	nothing := func(context.Context) error { return nil }
	for name, c := range map[string]struct {
		read error
		use  func(l *Log) func(context.Context) error
		want []string
		err  error
	}{
		"ok/with the act":      {use: func(l *Log) func(context.Context) error { return act(l, nil) }, want: []string{"look ok", "act ok"}},
		"ok/without an act":    {use: func(*Log) func(context.Context) error { return func(context.Context) error { return nil } }, want: []string{"look ok"}},
		"error/act refused":    {use: func(l *Log) func(context.Context) error { return act(l, refusal) }, want: []string{"look ok", "act conflict:refused"}, err: refusal},
		"error/before the act": {use: func(*Log) func(context.Context) error { return func(context.Context) error { return refusal } }, want: []string{"look ok"}, err: refusal},
		"error/logged as act": {use: func(l *Log) func(context.Context) error {
			return func(ctx context.Context) error { return l.Refuse(ctx, clerk, Entry{Action: "act"}, refusal) }
		}, want: []string{"look ok", "act conflict:refused"}, err: refusal},
		"error/nothing was read": {read: refusal, want: []string{"look conflict:refused"}, err: refusal},
		"ok/two acts": {use: func(l *Log) func(context.Context) error {
			return func(ctx context.Context) error { return errors.Join(act(l, nil)(ctx), act(l, nil)(ctx)) }
		}, want: []string{"look ok", "act ok", "act ok"}},
		"ok/a look within":                 {use: func(l *Log) func(context.Context) error { return again(l, nil, act(l, nil)) }, want: []string{"look ok", "again ok", "act ok"}},
		"ok/a look within, without an act": {use: func(l *Log) func(context.Context) error { return again(l, nil, nothing) }, want: []string{"look ok", "again ok"}},
		"ok/a look after the act": {use: func(l *Log) func(context.Context) error {
			return func(ctx context.Context) error { return errors.Join(act(l, nil)(ctx), again(l, nil, nothing)(ctx)) }
		}, want: []string{"look ok", "act ok", "again ok"}},
		"error/act after a look within": {use: func(l *Log) func(context.Context) error { return again(l, nil, act(l, refusal)) }, want: []string{"look ok", "again ok", "act conflict:refused"}, err: refusal},
		"error/nothing was read within": {use: func(l *Log) func(context.Context) error { return again(l, refusal, act(l, nil)) }, want: []string{"look ok", "again conflict:refused"}, err: refusal},
		"ok/an act of another office": {use: func(l *Log) func(context.Context) error {
			return func(ctx context.Context) error {
				other := clerk
				other.Office = "900010"
				return l.Act(ctx, other, Entry{Action: "act"}, func(context.Context, *Entry) error { return nil })
			}
		}, want: []string{"act ok", "look ok"}},
	} {
		t.Run(name, func(t *testing.T) {
			b := &book{}
			l := log(b)
			used := func(context.Context) error { t.Error("used"); return nil }
			if c.use != nil {
				used = c.use(l)
			}
			err := l.Look(t.Context(), clerk, Entry{Action: "look"}, func(_ context.Context, e *Entry) error { e.Person = "p1"; return c.read }, used)
			if !errors.Is(err, c.err) || !slices.Equal(b.results(), c.want) || !slices.ContainsFunc(b.records, func(r Record) bool { return r.Concerned == "p1" }) {
				t.Errorf("%v %v", b.results(), err)
			}
			if !slices.IsSortedFunc(b.records, func(x, y Record) int { return strings.Compare(x.ID, y.ID) }) {
				t.Error("the entries stand in another order than their ids")
			}
		})
	}
}

// S-084: a look whose entry cannot be stored fails, whatever use has made of it, and
// one that ends in a panic, or whose caller has gone away, keeps its entry.
func TestLookWithoutLog(t *testing.T) {
	full := errors.New("log is full")
	b := &book{}
	l := log(b)
	read := func(context.Context, *Entry) error { return nil }
	if err := l.Look(t.Context(), clerk, Entry{Action: "look"}, read, func(context.Context) error { b.broken = full; return nil }); !errors.Is(err, full) {
		t.Errorf("error/log broken: %v", err)
	}
	if err := l.Look(t.Context(), clerk, Entry{Action: "look"}, read, func(ctx context.Context) error {
		return l.Act(ctx, clerk, Entry{Action: "act"}, read)
	}); !errors.Is(err, full) || len(b.records) != 0 {
		t.Errorf("error/log broken, with an act: %v", err)
	}
	b.broken = nil
	func() {
		defer func() { _ = recover() }()
		_ = l.Look(t.Context(), clerk, Entry{Action: "look"}, read, func(context.Context) error { panic("broken use") })
	}()
	ctx, cancel := context.WithCancel(t.Context())
	if err := l.Look(ctx, clerk, Entry{Action: "look"}, read, func(context.Context) error { cancel(); return nil }); err != nil {
		t.Errorf("ok/caller gone: %v", err)
	}
	if !slices.Equal(b.results(), []string{"look ok", "look ok"}) {
		t.Errorf("%v", b.results())
	}
	if err := l.Look(t.Context(), clerk, Entry{}, read, func(context.Context) error { return nil }); err == nil {
		t.Error("error/no action: done")
	}
}
