package application

import (
	"slices"

	"akashi/internal/fault"
)

// State of an application. Names are stored and shown as they are here.
type State string

const (
	Draft     State = "draft"      // being filled in
	Submitted State = "submitted"  // handed in, not yet looked at
	Checking  State = "checking"   // passport and record are being asked; stays here while they cannot be
	NeedsInfo State = "needs_info" // the applicant has to supply something
	Review    State = "review"     // a person has to decide
	Approved  State = "approved"   // a certificate may be issued
	Rejected  State = "rejected"
	Withdrawn State = "withdrawn"
	Fulfilled State = "fulfilled" // a certificate was issued
)

// transitions is every legal step; nothing else changes a state.
var transitions = map[State][]State{
	Draft:     {Submitted, Withdrawn},
	Submitted: {Checking, Withdrawn},
	Checking:  {Checking, NeedsInfo, Review, Approved, Withdrawn},
	NeedsInfo: {Submitted, Rejected, Withdrawn},
	Review:    {Approved, Rejected, NeedsInfo, Submitted, Withdrawn},
	Approved:  {Fulfilled, Submitted, Withdrawn},
	Fulfilled: {},
	Rejected:  {},
	Withdrawn: {},
}

// Waiting are the states in which an application waits for a decision, for the
// applicant, or for a register that could not be asked.
func Waiting() []State { return []State{Checking, NeedsInfo, Review} }

// Correctable tells whether what was handed in may still be corrected.
func (s State) Correctable() bool {
	return s == Draft || s == Checking || slices.Contains(transitions[s], Submitted)
}

// States lists every state.
func States() []State {
	return []State{Draft, Submitted, Checking, NeedsInfo, Review, Approved, Rejected, Withdrawn, Fulfilled}
}

// Move changes the state, or refuses with the fault "transition".
func (a *Application) Move(to State) error {
	if slices.Contains(transitions[a.State], to) {
		a.State = to
		return nil
	}
	return fault.New(fault.Conflict, "transition", "state").With("from", string(a.State)).With("to", string(to))
}
