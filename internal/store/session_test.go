package store

import (
	"context"
	"errors"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
)

// L-13: asking for a session that is not there takes the same way whether there is
// such an office or not: it writes nothing, and waits for nobody who does.
func TestUnknownSession(t *testing.T) {
	on(t, databases()[:1], func(t *testing.T, f *fixture) {
		by := actor.Actor{Office: here, Person: "job:test", Terminal: "test", Purpose: actor.Operate}
		err := f.log.Act(t.Context(), by, audit.Entry{Action: "test"}, func(context.Context, *audit.Entry) error { // which holds the one writer
			for _, code := range []string{here, "900028"} {
				done := make(chan error, 1)
				go func() {
					_, _, err := f.Session(t.Context(), code, "none")
					done <- err
				}()
				select {
				case err := <-done:
					wantKey(t, code, err, "session")
				case <-time.After(10 * time.Second):
					return errors.New(code + " waits")
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	})
}
