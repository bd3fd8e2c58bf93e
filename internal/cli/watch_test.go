package cli_test

import (
	"context"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"akashi/internal/cli"
	"akashi/internal/testkit/world"
	"akashi/internal/watch"
)

// S-089: what goes wrong with the log's checkpoints becomes an alert, and the jobs
// of the service include the one that judges the log.
func TestLogTrouble(t *testing.T) {
	gone := func(t *testing.T, c *cli.Config) { c.LogCopy = filepath.Join(t.TempDir(), "gone") }
	world.EachWith(t, gone, func(t *testing.T, w *world.World) {
		ctx, stop := context.WithTimeout(t.Context(), time.Minute)
		defer stop()
		done := w.Work(ctx, discard)
		var list []watch.Alert
		for len(list) == 0 && ctx.Err() == nil {
			var err error
			if list, err = w.Store.Alerts(ctx, watch.Installation, "", "", 10); err != nil {
				t.Fatal(err)
			}
			time.Sleep(10 * time.Millisecond)
		}
		stop()
		<-done
		if len(list) == 0 || list[0].Kind != watch.LogCheckpoint {
			t.Errorf("ok/no second place: %+v", list)
		}
		if !slices.ContainsFunc(w.Jobs(), func(j cli.Job) bool { return j.Name == "watch" && j.Every <= time.Minute }) {
			t.Error("error/nobody watches")
		}
	})
}
