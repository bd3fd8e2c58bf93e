package issuance

import (
	"context"

	"akashi/internal/actor"
	"akashi/internal/audit"
)

// Lint and SelfCheck give the tests the two gates of an issue.
func (s *Service) Lint(ctx context.Context, i Issue) error      { return s.lint(ctx, i) }
func (s *Service) SelfCheck(ctx context.Context, i Issue) error { return s.selfCheck(ctx, i) }

// IssueUnchecked issues without the two gates, for measuring what they cost.
func (s *Service) IssueUnchecked(ctx context.Context, a actor.Actor, applicationID string) (Issue, error) {
	b, _, err := s.ask(ctx, a, applicationID, false)
	if err != nil {
		return Issue{}, err
	}
	i, err := s.draft(ctx, b, "")
	if err != nil {
		return i, err
	}
	if err := s.Log.Act(ctx, a, audit.Entry{Action: "certificate.prepare"}, func(ctx context.Context, _ *audit.Entry) error {
		return s.Store.Prepare(ctx, i, b.app.Version)
	}); err != nil {
		return i, err
	}
	if err := s.sign(ctx, &i); err != nil {
		return i, err
	}
	return s.commit(ctx, a, i)
}
