package issuance

import (
	"context"
	"testing"

	"akashi/internal/actor"
	"akashi/internal/audit"
)

// Lint and SelfCheck give the tests the two gates of an issue.
func (s *Service) Lint(ctx context.Context, i Issue) error      { return s.lint(ctx, i) }
func (s *Service) SelfCheck(ctx context.Context, i Issue) error { return s.selfCheck(ctx, i) }

// IssueUnchecked issues without the two gates, for measuring what they cost.
func (s *Service) IssueUnchecked(ctx context.Context, a actor.Actor, applicationID string) (Issue, error) {
	var b basis
	var i Issue
	err := s.Log.Look(ctx, a, audit.Entry{Action: "certificate.compose", Object: applicationID}, func(ctx context.Context, e *audit.Entry) (err error) {
		b, _, err = s.ask(ctx, a, e, false)
		return err
	}, func(ctx context.Context) (err error) {
		if i, err = s.draft(ctx, b, ""); err != nil {
			return err
		}
		if err := s.Log.Act(ctx, a, audit.Entry{Action: "certificate.prepare"}, func(ctx context.Context, _ *audit.Entry) error {
			return s.Store.Prepare(ctx, i, b.app.Version)
		}); err != nil {
			return err
		}
		if err := s.sign(ctx, &i); err != nil {
			return err
		}
		i, err = s.commit(ctx, a, i, &b.app)
		return err
	})
	return i, err
}

// SymbolSize is how large the symbol of a code is.
func SymbolSize(t testing.TB, p Payload) int {
	t.Helper()
	f, err := (&Service{}).family(p.Family)
	if err != nil {
		t.Fatal(err)
	}
	m, err := symbol(f, p.Text)
	if err != nil {
		t.Fatal(err)
	}
	return m.Size()
}
