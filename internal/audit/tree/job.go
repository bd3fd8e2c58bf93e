package tree

import (
	"context"
	"errors"
)

// Job keeps the trees of an installation. It may run on every node; one leads.
type Job struct {
	Notaries []*Notary
	// Alarm is told what people must look at; nil: the program's log only.
	Alarm func(ctx context.Context, kind string, facts map[string]string)
}

// Kinds of alarm.
const (
	AlarmBroken = "log_broken"     // stored rows are not what was signed
	AlarmLate   = "log_late"       // an entry says a time that was signed for without it
	AlarmFailed = "log_checkpoint" // no checkpoint could be made or copied
)

// Step places what is new and signs a checkpoint where one is due.
func (j *Job) Step(ctx context.Context) error {
	var errs []error
	for _, n := range j.Notaries {
		if err := n.step(ctx); err != nil && ctx.Err() == nil {
			j.tell(ctx, n.Tree, err)
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

func (n *Notary) step(ctx context.Context) error {
	if n.closed.IsZero() { // what this process places first is judged, too
		last, err := n.last(ctx)
		if err != nil {
			return err
		}
		n.closed = last.Time
	}
	if _, led, err := n.Step(ctx); err != nil || !led {
		return err
	}
	due, err := n.Due(ctx)
	if err == nil && due {
		err = n.Checkpoint(ctx)
	}
	return err
}

func (j *Job) tell(ctx context.Context, tree Name, err error) {
	kind := AlarmFailed
	switch {
	case errors.Is(err, ErrLate):
		kind = AlarmLate
	case errors.Is(err, ErrBroken):
		kind = AlarmBroken
	}
	if j.Alarm != nil {
		j.Alarm(ctx, kind, map[string]string{"tree": string(tree)})
	}
}
