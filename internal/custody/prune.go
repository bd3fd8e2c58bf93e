package custody

import (
	"context"
	"strconv"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
)

// stillPrunable judges entries of the log anew, by the setting in force and by
// what archives them now.
func (r *Retention) stillPrunable(ctx context.Context, office string, d Due, until int64) (bool, error) {
	o, err := r.Kept.Office(ctx, office)
	if err != nil {
		return false, err
	}
	now, years := r.Now(), o.Settings.Keep.OrDefault().Log
	if r.Archive == nil && years < ArchiveYears && d.Since.After(before(now, ArchiveYears)) {
		return false, ErrNoArchive
	}
	covered, err := r.Kept.CheckpointBefore(ctx, before(now, years))
	return err == nil && until <= covered && !d.Since.After(before(now, years)), err
}

// prune removes entries of the log that are still due; what says so is written
// first and stays, and a process after it goes on by that.
func (r *Retention) prune(ctx context.Context, a actor.Actor, run Run, d Due) error {
	until, err := strconv.ParseInt(d.Object, 10, 64)
	if err != nil {
		return err
	}
	if d.Outcome != Begun {
		still, err := r.stillPrunable(ctx, a.Office, d, until)
		if err != nil {
			return err
		}
		if !still {
			d.Outcome = Changed
			e := audit.Entry{Action: "retention.erase", Object: d.Object}
			e.Fact("class", string(d.Class))
			e.Fact("outcome", d.Outcome)
			return r.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error { return r.Kept.Handled(ctx, a.Office, run.ID, d) })
		}
		if r.Archive != nil {
			if err := r.Archive(ctx, a.Office, until); err != nil {
				return err
			}
		}
		e := audit.Entry{Action: tree.PruneAction, Object: run.ID}
		e.Fact(tree.PrunedUntil, d.Object)
		d.Outcome = Begun
		if err := r.Log.Act(ctx, a, e, func(ctx context.Context, _ *audit.Entry) error { return r.Kept.Handled(ctx, a.Office, run.ID, d) }); err != nil {
			return err
		}
	}
	for from := int64(0); from < until; from += pruneStep {
		if _, err := r.Kept.PruneLog(ctx, a.Office, d.Since, from, min(from+pruneStep, until)); err != nil {
			return err
		}
	}
	if err := r.Kept.PruneAlerts(ctx, a.Office, d.Since); err != nil {
		return err
	}
	d.Outcome = Erased
	return r.Log.Act(ctx, a, audit.Entry{Action: "log.pruned", Object: run.ID}, func(ctx context.Context, _ *audit.Entry) error {
		return r.Kept.Handled(ctx, a.Office, run.ID, d)
	})
}
