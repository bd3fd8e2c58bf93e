package server

import (
	"testing"
	"time"

	"akashi/internal/exchange"
	"akashi/internal/issuance"
	"akashi/internal/office"
)

// What is done for many, told by how far it is.
func TestProgress(t *testing.T) {
	at := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		p    office.Progress
		want string
	}{
		"ok/asked for":        {office.Progress{Count: 3}, "requested"},
		"ok/waits":            {office.Progress{Count: 3, Asked: office.Pending}, "requested"},
		"ok/approved":         {office.Progress{Count: 3, Asked: office.Approved}, "approved"},
		"ok/used":             {office.Progress{Count: 3, Started: at, Asked: office.Used}, "running"},
		"ok/nothing done":     {office.Progress{Count: 3, Started: at}, "running"},
		"ok/under way":        {office.Progress{Count: 3, Started: at, Done: 1, Failed: 1}, "running"},
		"ok/all":              {office.Progress{Count: 3, Started: at, Done: 3}, "finished"},
		"ok/stopped too late": {office.Progress{Count: 3, Started: at, Stopped: at, Done: 3}, "finished"},
		"error/not approved":  {office.Progress{Count: 3, Asked: office.Expired}, "expired"},
		"error/some failed":   {office.Progress{Count: 3, Started: at, Done: 2, Failed: 1}, "finished_with_failures"},
		"error/stopped":       {office.Progress{Count: 3, Started: at, Stopped: at, Done: 2, Failed: 1}, "stopped"},
		"error/taken back":    {office.Progress{Count: 3, Stopped: at, Asked: office.Expired}, "stopped"},
	} {
		if got := c.p.State(); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for want, b := range map[string]exchange.Batch{
		"judged":                 {Count: 3, Accepted: 2},
		"requested":              {Count: 3, Accepted: 2, Approval: "a"},
		"approved":               {Count: 3, Accepted: 2, Approval: "a", Asked: office.Approved},
		"refused":                {Count: 3, Accepted: 2, Approval: "a", Asked: office.Refused},
		"running":                {Count: 3, Accepted: 2, StartedAt: at, Done: 1},
		"finished":               {Count: 3, Accepted: 2, Approval: "a", StartedAt: at, Done: 2},
		"finished_with_failures": {Count: 3, Accepted: 2, StartedAt: at, Done: 1, Failed: 1},
		"closed":                 {Count: 3, Accepted: 2, StartedAt: at, Done: 2, ClosedAt: at},
	} {
		if got := batchState(b); got != want {
			t.Errorf("batch %s: %s", want, got)
		}
	}
	b := bulkOf(issuance.Bulk{Count: 3, StartedAt: at, Done: 2, Failed: 1, Failures: []issuance.Failure{{CertificateID: "x", Fault: "internal"}}})
	if b.State != "finished_with_failures" || b.Failed != 1 || len(b.Failures) != 1 {
		t.Errorf("run: %+v", b)
	}
}
