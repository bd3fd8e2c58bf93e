package office

import "time"

// Progress is how far something is that is done for many, one by one.
type Progress struct {
	Count, Done, Failed int
	Started, Stopped    time.Time // zero: not yet
	Ended               string    // state of an approval that nobody can use any more: refused, withdrawn, expired
}

// State is requested, running, finished, finished_with_failures, stopped, or what became of the approval.
func (p Progress) State() string {
	switch {
	case !p.Started.IsZero() && p.Done == p.Count:
		return "finished"
	case !p.Stopped.IsZero():
		return "stopped"
	case p.Ended != "":
		return p.Ended
	case p.Started.IsZero():
		return "requested"
	case p.Done+p.Failed < p.Count:
		return "running"
	}
	return "finished_with_failures"
}
