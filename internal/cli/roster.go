package cli

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"akashi/internal/actor"
	"akashi/internal/office"
)

// rosterEvery is how often the directory of rosters is looked into, so that
// somebody who has left is out within a minute (S-019).
const rosterEvery = 20 * time.Second

// maxRosterBytes is far more than the staff of any municipality.
const maxRosterBytes = 2 << 20

// rosterReader remembers what it has read of each office, and when: what nobody applied in
// time is offered again.
type rosterReader struct {
	app  *App
	read map[string]rosterRead
}

type rosterRead struct {
	sum [sha256.Size]byte
	at  time.Time
}

// rosterJob is the staff system that put a file into the directory.
func rosterJob(code string) actor.Actor {
	a := job("roster", code)
	a.Permissions = map[string]bool{string(office.WriteRoster): true}
	return a
}

// round compares every office that has a file "900001.csv" in the directory.
func (r *rosterReader) round(ctx context.Context, _ *slog.Logger) error {
	codes, err := r.app.Store.Offices(ctx)
	if err != nil {
		return err
	}
	var errs []error
	for _, code := range codes {
		if err := r.one(ctx, code); err != nil {
			errs = append(errs, fmt.Errorf("roster of %s: %w", code, err))
		}
	}
	return errors.Join(errs...)
}

func (r *rosterReader) one(ctx context.Context, code string) error {
	path := filepath.Join(r.app.Config.RosterDir, code+".csv")
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Size() > maxRosterBytes:
		return errors.New("the file is too large")
	}
	file, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	sum := sha256.Sum256(file)
	now := r.app.Clock.Now()
	if last := r.read[code]; last.sum == sum && now.Sub(last.at) <= office.StagedLasts {
		return nil
	}
	_, err = r.app.Rosters.Arrive(ctx, rosterJob(code), file)
	if err == nil {
		r.read[code] = rosterRead{sum, now}
	}
	return err
}
