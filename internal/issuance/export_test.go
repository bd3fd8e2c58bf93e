package issuance

import "context"

// Lint and SelfCheck give the tests the two gates of an issue.
func (s *Service) Lint(ctx context.Context, i Issue) error      { return s.lint(ctx, i) }
func (s *Service) SelfCheck(ctx context.Context, i Issue) error { return s.selfCheck(ctx, i) }
