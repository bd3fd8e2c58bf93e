package office

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"time"

	"akashi/internal/fault"
)

// Limits of S-015.
const (
	freeFailures = 5
	longestWait  = 15 * time.Minute
	lockAfter    = 100
)

// waitAfter is how long nothing is tried after so many failures in a row: 1 s
// after the fifth, then twice as long each time, up to 15 minutes.
func waitAfter(failures int) time.Duration {
	if failures < freeFailures {
		return 0
	}
	return min(longestWait, time.Second<<min(failures-freeFailures, 20))
}

// AttemptStore counts failures in a row, by subject.
type AttemptStore interface {
	// Attempt counts a failure for each subject before it is known whether there
	// is one, unless a subject has to wait: then it counts nothing and returns for
	// how long. It returns the failures of the first subject.
	Attempt(ctx context.Context, office string, now time.Time, wait func(failures int) time.Duration, subjects [][]byte) (failures int, left time.Duration, err error)
	// ForgetAttempts begins to count anew; inside an act.
	ForgetAttempts(ctx context.Context, office string, subjects [][]byte) error
	// KnownTerminal tells whether the person signed in from the terminal since then.
	KnownTerminal(ctx context.Context, office string, hash []byte, staff string, since time.Time) (bool, error)
	KnowTerminal(ctx context.Context, office string, hash []byte, staff string, at time.Time) error
}

func subject(kind, value string) []byte {
	sum := sha256.Sum256([]byte(kind + " " + value))
	return sum[:]
}

func accountSubject(user string) []byte { return subject("account", user) }

// knownFor is how long a terminal stays known after a sign-in.
const knownFor = unusedLimit

// subjects are what a failure counts against. Strangers share a count for the
// account and one for their address; a terminal from which the person has signed
// in before has a count of its own, so that no outsider can lock it out (S-015).
func (a *Accounts) subjects(ctx context.Context, t Try, s Staff) (list [][]byte, known bool, err error) {
	if t.Terminal != "" {
		known, err = a.Store.KnownTerminal(ctx, officeOf(t.User), hash(t.Terminal), s.ID, a.Clock.Now().Add(-knownFor))
	}
	if known || err != nil {
		return [][]byte{subject("terminal", t.User+" "+t.Terminal)}, known, err
	}
	return [][]byte{accountSubject(t.User), subject("address", t.Address)}, false, nil
}

// count refuses a try that comes too early, and counts it as failed until it succeeds.
func (a *Accounts) count(ctx context.Context, office string, subjects [][]byte) (failures int, err error) {
	failures, left, err := a.Store.Attempt(ctx, office, a.Clock.Now(), waitAfter, subjects)
	if err == nil && left > 0 {
		err = fault.New(fault.Unavailable, "sign_in_wait", "").With("seconds", fmt.Sprint(math.Ceil(left.Seconds())))
	}
	return failures, err
}
