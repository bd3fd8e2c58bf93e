package cli

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"regexp"
	"slices"
	"testing"
	"time"
)

// Trouble of a job is told when it changes, not each time.
func TestJobTellsChanges(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	late, gone := errors.New("late"), errors.New("gone")
	runs := []error{nil, late, late, late, gone, gone, nil, nil, late, late}
	var out bytes.Buffer
	job := Job{"log", time.Millisecond, func(context.Context, *slog.Logger) error {
		if len(runs) == 0 {
			stop()
			return ctx.Err()
		}
		err := runs[0]
		runs = runs[1:]
		return err
	}}
	job.repeat(ctx, slog.New(slog.NewTextHandler(&out, nil)))
	told := regexp.MustCompile(`level=.*`).FindAllString(out.String(), -1)
	want := []string{
		"level=ERROR msg=job name=log error=late", "level=ERROR msg=job name=log error=gone",
		`level=INFO msg="job works again" name=log`, "level=ERROR msg=job name=log error=late",
	}
	if !slices.Equal(told, want) {
		t.Errorf("told %q, want %q", told, want)
	}
}
