// Package actor says who acts: an argument of every write and look-up.
package actor

import (
	"errors"
	"time"
)

// Purpose is why personal data is touched; there is no default.
type Purpose string

const (
	Certificate Purpose = "certificate" // P3: look up and certify for an application
	Import      Purpose = "import"      // register subjects and records
	Verify      Purpose = "verify"      // check a code; nothing is looked up
	Operate     Purpose = "operate"     // recovery, keys, offices: no person is looked up
	Audit       Purpose = "audit"       // read the log
)

// StepUpLasts is how long a step-up counts (S-018).
const StepUpLasts = 5 * time.Minute

// Actor is the acting person or job.
type Actor struct {
	Office      string  // six-digit municipality code
	Person      string  // row id of the staff member, or a job's name such as "job:recover"
	Terminal    string  // registered terminal or listener, for the log
	Purpose     Purpose // why
	Case        string  // application or import this belongs to; may be empty before one exists
	Request     string  // request id, for the log
	Role        string  // of office.Role; empty for a job
	Permissions map[string]bool
	SteppedUp   time.Time // when the person last proved anew who it is (S-018); zero: not yet
	Name        string    // of the person, to find its own case; never logged
	Kin         []string  // rows of persons whose cases are the actor's own (S-029)
}

// May tells whether the actor holds the permission.
func (a Actor) May(permission string) bool { return a.Permissions[permission] }

// SteppedUpBy tells whether the person has stepped up recently enough (S-018).
func (a Actor) SteppedUpBy(now time.Time) bool {
	return !a.SteppedUp.IsZero() && now.Sub(a.SteppedUp) <= StepUpLasts
}

// Check refuses an actor that cannot be written into the log.
func (a Actor) Check() error {
	switch {
	case len(a.Office) != 6:
		return errors.New("actor: no office")
	case a.Person == "":
		return errors.New("actor: no person")
	case a.Purpose == "":
		return errors.New("actor: no purpose")
	}
	return nil
}

// For returns a copy of the actor with the case set.
func (a Actor) For(caseID string) Actor { a.Case = caseID; return a }
