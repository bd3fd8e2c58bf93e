package office

import "time"

// Progress is how far something is that is done for many, one by one.
type Progress struct {
	Count, Done, Failed int
	Started, Stopped    time.Time     // zero: not yet
	Asked               ApprovalState // what its approval is worth, until it is started
}

// State is requested, approved, running, finished, finished_with_failures, stopped; refused,
// withdrawn or expired if that became of the approval.
func (p Progress) State() string {
	switch {
	case !p.Started.IsZero() && p.Done == p.Count:
		return "finished"
	case !p.Stopped.IsZero():
		return "stopped"
	case p.Started.IsZero() && (p.Asked == "" || p.Asked == Pending):
		return "requested"
	case p.Started.IsZero():
		return string(p.Asked)
	case p.Done+p.Failed < p.Count:
		return "running"
	}
	return "finished_with_failures"
}
