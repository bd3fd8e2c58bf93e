package watch

import (
	"context"
	"strconv"
	"time"
)

// maxStep is how far a clock may jump without anybody looking (S-089).
const maxStep = time.Second

// beat is what the two clocks said the last time.
type beat struct {
	wall    time.Time
	elapsed time.Duration
}

var started = time.Now()

// checkClock compares how far the time of day went with how much time has passed.
func (s *Service) checkClock(ctx context.Context) error {
	elapsed := s.Elapsed
	if elapsed == nil {
		elapsed = func() time.Duration { return time.Since(started) }
	}
	last := s.beat
	now := beat{s.Clock.Now().Round(0), elapsed()} // Round drops the reading of the other clock
	step := now.wall.Sub(last.wall) - (now.elapsed - last.elapsed)
	if !last.wall.IsZero() && step.Abs() > maxStep {
		if err := s.Tell(ctx, ClockStep, s.Node, map[string]string{"milliseconds": strconv.FormatInt(step.Milliseconds(), 10)}); err != nil {
			return err // and compare with the same beat again
		}
	}
	s.beat = now
	return nil
}

// compareClock asks a second clock (S-104): what it says must lie between what this
// one said before and after, but for maxStep.
func (s *Service) compareClock(ctx context.Context) error {
	if s.Other == nil {
		return nil
	}
	before := s.Clock.Now()
	other, err := s.Other(ctx)
	if err != nil || other.IsZero() {
		return err
	}
	apart := max(before.Sub(other), other.Sub(s.Clock.Now()))
	if apart <= maxStep {
		return nil
	}
	return s.Tell(ctx, ClockApart, s.Node, map[string]string{"milliseconds": strconv.FormatInt(before.Sub(other).Milliseconds(), 10)})
}
