package audit

import (
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/fault"
)

// book keeps records in memory; broken refuses every entry.
type book struct {
	records []Record
	broken  error
}

func (b *book) Act(ctx context.Context, _ string, fn func(context.Context) ([]Record, *Once, error)) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	records, _, err := fn(ctx)
	if err == nil {
		err = b.broken
	}
	if err == nil {
		b.records = append(b.records, records...)
	}
	return err
}

func (b *book) Look(ctx context.Context, _ string, fn func(context.Context) error) (context.Context, error) {
	return ctx, fn(ctx)
}

func log(b *book) *Log {
	return &Log{Book: b, Clock: func() time.Time { return time.Date(2026, 11, 21, 1, 2, 3, 4_000_000, time.UTC) }}
}

var clerk = actor.Actor{Office: "900001", Person: "s1", Terminal: "t1", Purpose: actor.Certificate, Case: "c1", Request: "r1"}

// S-083, R-171: who, where, when, what, whose, why, result; as canonical JSON.
func TestEntry(t *testing.T) {
	b := &book{}
	err := log(b).Act(t.Context(), clerk, Entry{Action: "test"}, func(_ context.Context, e *Entry) error {
		e.Object, e.Person = "o1", "p1"
		e.Fact("state", "approved")
		return nil
	})
	if err != nil || len(b.records) != 1 {
		t.Fatalf("ok: %v", err)
	}
	id := b.records[0].ID
	want := `{"action":"test","at":"2026-11-21T01:02:03.004Z","case":"c1","concerned":"p1","facts":{"state":"approved"},"id":"` + id +
		`","object":"o1","office":"900001","person":"s1","purpose":"certificate","request":"r1","result":"ok","terminal":"t1"}`
	if got := string(b.records[0].Canonical); got != want {
		t.Errorf("ok/canonical:\n%s\n%s", got, want)
	}
}

// S-084: a refusal has an entry of its own with the code and nothing of the text,
// and it is written even when the caller has gone away.
func TestRefusal(t *testing.T) {
	for name, c := range map[string]struct {
		err    error
		result string
	}{
		"error/fault": {fault.New(fault.Conflict, "transition", "state"), "conflict:transition"},
		"error/other": {errors.New("name 桜井 leaked into an error"), "internal"},
	} {
		b := &book{}
		ctx, cancel := context.WithCancel(t.Context())
		err := log(b).Act(ctx, clerk, Entry{Action: "test"}, func(context.Context, *Entry) error { cancel(); return c.err })
		if !errors.Is(err, c.err) || len(b.records) != 1 || b.records[0].Result != c.result {
			t.Fatalf("%s: %v %+v", name, err, b.records)
		}
		if strings.Contains(string(b.records[0].Canonical), "桜井") || !json.Valid(b.records[0].Canonical) {
			t.Errorf("%s: %s", name, b.records[0].Canonical)
		}
	}
}

func TestActRefuses(t *testing.T) {
	never := func(context.Context, *Entry) error { t.Error("the act ran"); return nil }
	for name, a := range map[string]actor.Actor{
		"office": {Person: "s", Purpose: actor.Certificate}, "person": {Office: "900001", Purpose: actor.Certificate}, "purpose": {Office: "900001", Person: "s"},
	} {
		if err := log(&book{}).Act(t.Context(), a, Entry{Action: "test"}, never); err == nil {
			t.Errorf("error/no %s: done", name)
		}
	}
	if err := log(&book{}).Act(t.Context(), clerk, Entry{}, never); err == nil {
		t.Error("error/no action: done")
	}
	broken := errors.New("log is full")
	if err := log(&book{broken: broken}).Act(t.Context(), clerk, Entry{Action: "test"}, func(context.Context, *Entry) error { return nil }); !errors.Is(err, broken) {
		t.Errorf("error/log broken: %v", err)
	}
}

// many is a log of more entries than are asked for.
type many struct{}

func (many) Entries(_ context.Context, _ string, q Query) ([]Record, error) {
	return make([]Record, q.Limit), nil
}

// Issue 6: what is taken out of the log at once has a bound, and a refusal leaves an entry too.
func TestExportBound(t *testing.T) {
	b := &book{}
	r := &Reviews{Log: log(b), Store: many{}}
	err := r.Export(t.Context(), clerk, time.Time{}, time.Time{}, func(context.Context, []Record) (string, error) {
		t.Error("error/given")
		return "", nil
	})
	if fault.CodeOf(err) != fault.TooLarge {
		t.Errorf("error/too many: %v", err)
	}
	if len(b.records) != 1 || b.records[0].Action != "log.export" || b.records[0].Result != "too_large:export_too_many" {
		t.Errorf("ok/logged: %+v", b.records)
	}
}
