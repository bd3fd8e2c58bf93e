package cli

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"akashi/internal/actor"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

func job(name, office string) actor.Actor {
	return actor.Actor{Office: office, Person: "job:" + name, Terminal: "command", Purpose: actor.Operate}
}

// Job is something that the service does by itself, at once and then at intervals.
type Job struct {
	Name  string
	Every time.Duration
	Run   func(ctx context.Context, logger *slog.Logger) error
}

// Jobs are all jobs. Each may run on several nodes at a time.
func (a *App) Jobs() []Job {
	jobs := []Job{
		{"recover", min(time.Minute, max(a.Config.RecoverAge, time.Second)), a.recover},
		{"reseal", time.Minute, a.reseal},
		{"log", treeStep, a.keepLog()},
		{"watch", watchEvery, a.Watch.Step},
		{"retention", retentionEvery, a.retain},
		{"revoke", manyEvery, many(a.Revocations)},
		{"reissue", manyEvery, many(a.Reissues)},
		{"mail", manyEvery, a.mail},
		{"batch", manyEvery, a.batch},
		{"lists", time.Minute, a.makeLists},
		{"staged", staleEvery, a.expire},
	}
	if a.Config.RosterDir != "" {
		reader := &rosterReader{app: a, read: map[string]rosterRead{}}
		jobs = append(jobs, Job{"roster", rosterEvery, reader.round})
	}
	return jobs
}

// makeLists publishes what has ended since.
func (a *App) makeLists(ctx context.Context, _ *slog.Logger) error { return a.Lists.Step(ctx) }

// reseal goes on with a change of keys that was begun.
func (a *App) reseal(ctx context.Context, logger *slog.Logger) error {
	done, err := a.Custody.Resume(ctx, func(office string) actor.Actor { return job("reseal", office) })
	for _, r := range done {
		logger.Info("resealed", "office", r.Office, "purpose", string(r.Purpose), "version", r.Version, "rows", r.Rows)
	}
	return err
}

// Many certificates are revoked, or made again, at a pace that leaves room for the counter.
const (
	manyEvery  = 2 * time.Second
	manyAtOnce = 50
)

// many goes on with what was approved to be done with many certificates.
func many(m *issuance.Many) func(context.Context, *slog.Logger) error {
	return func(ctx context.Context, logger *slog.Logger) error {
		n, err := m.Step(ctx, manyAtOnce)
		if n > 0 {
			logger.Info("many", "act", string(m.Act), "certificates", n)
		}
		return err
	}
}

// mail goes on with what was asked to be printed for many applications.
func (a *App) mail(ctx context.Context, logger *slog.Logger) error {
	n, err := a.Mailings.Step(ctx, manyAtOnce)
	if n > 0 {
		logger.Info("mailed", "copies", n)
	}
	return err
}

// batch goes on with files of applications.
func (a *App) batch(ctx context.Context, logger *slog.Logger) error {
	n, err := a.Batches.Step(ctx, manyAtOnce)
	if n > 0 {
		logger.Info("batch", "applications", n)
	}
	return err
}

// staleEvery is how often files are looked for that nobody applied in time.
const staleEvery = time.Hour

// expire erases files of records, subjects and staff that nobody applied in time.
func (a *App) expire(ctx context.Context, logger *slog.Logger) error {
	n, err := office.Each(ctx, a.Store.Offices, func(ctx context.Context, code string) (int, error) {
		imports, err := a.Imports.Expire(ctx, job("staged", code))
		rosters, failed := a.Rosters.Expire(ctx, job("staged", code))
		return imports + rosters, errors.Join(err, failed)
	})
	if n > 0 {
		logger.Info("erased files that nobody applied", "files", n)
	}
	return err
}

// recover finishes or fails what a dead process left.
func (a *App) recover(ctx context.Context, logger *slog.Logger) error {
	r, err := a.Issuance.Recover(ctx, a.Config.RecoverAge)
	if r.Finished+r.Failed > 0 || r.Left > 0 {
		logger.Warn("recovered", "finished", r.Finished, "failed", r.Failed, "left", r.Left)
	}
	return err
}

// Work runs the jobs until the context ends; the channel closes after the last run.
func (a *App) Work(ctx context.Context, logger *slog.Logger) <-chan struct{} {
	done := make(chan struct{})
	var running sync.WaitGroup
	for _, j := range a.Jobs() {
		running.Go(func() { j.repeat(ctx, logger) })
	}
	go func() { running.Wait(); close(done) }()
	return done
}

// repeat runs the job until the context ends. What goes wrong is told when it
// begins, when it becomes something else, and when it is over.
func (j Job) repeat(ctx context.Context, logger *slog.Logger) {
	tick := time.NewTicker(j.Every)
	defer tick.Stop()
	wrong := ""
	for {
		now := ""
		if err := j.Run(ctx, logger); err != nil {
			now = err.Error()
		}
		if now != wrong && ctx.Err() == nil {
			if now != "" {
				logger.Error("job", "name", j.Name, "error", now)
			} else {
				logger.Info("job works again", "name", j.Name)
			}
			wrong = now
		}
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
	}
}
