package cli

import (
	"context"
	"log/slog"
	"os"
	"time"

	"akashi/internal/audit"
	"akashi/internal/watch"
)

// watchEvery is the pause between two looks at what came into the log.
const watchEvery = 20 * time.Second

// alarmEvery is how often the same trouble of the log is told again.
const alarmEvery = time.Minute

// watchLog assembles what raises alerts (S-089).
func (a *App) watchLog() (err error) {
	node, _ := os.Hostname() // a name for people; it may be unknown
	a.Watch = &watch.Service{Store: a.Store, Holder: a.IDs.Row(), Node: node, Clock: a.Clock, Other: a.Store.ServerTime, IDs: a.IDs}
	a.Reviews = &audit.Reviews{Log: a.Log, Store: a.Store}
	a.Alerts = &watch.Lists{Log: a.Log, Store: a.Store, Clock: a.Clock}
	a.Usage = &watch.UsageReports{Log: a.Log, Store: a.Store}
	if a.Config.AlertURL != "" {
		a.Watch.Send, err = watch.NewReceiver(string(a.Config.AlertURL))
	}
	return err
}

// alarm makes an alert of trouble with the log itself, unless it was told of late.
// It is called by one goroutine.
func (a *App) alarm(logger *slog.Logger, told map[string]time.Time) func(ctx context.Context, kind string, facts map[string]string) {
	return func(ctx context.Context, kind string, facts map[string]string) {
		now, what := a.Clock.Now(), kind+" "+facts["tree"]
		if now.Sub(told[what]).Abs() < alarmEvery {
			return
		}
		if err := a.Watch.Tell(ctx, kind, facts["tree"], facts); err != nil {
			logger.Error("alert", "kind", kind, "error", err.Error())
			return
		}
		told[what] = now
	}
}
