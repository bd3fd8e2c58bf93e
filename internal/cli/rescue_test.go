package cli_test

import (
	"testing"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// S-011, R-160: an office keeps its last officer, and one with fewer than two is
// rescued by the operator, not by one person alone.
func TestLastOfficer(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		code := w.Officer.Office
		operator := actor.Actor{Office: code, Person: "operator:command", Terminal: "command", Purpose: actor.Operate}
		more := office.Staff{Office: code, User: code + "-third", Name: "課長 三 / San Kacho", Unit: "健康課", Role: office.Officer, Ends: w.Clock.Now().AddDate(1, 0, 0)}
		w.SignIn(t, code+"-second", office.Officer)
		w.SignIn(t, code+"-first", office.Officer)
		if _, err := w.AccountRequests.Rescue(t.Context(), operator, more); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/rescued with two officers: %v", err)
		}
		all, err := w.Store.ListStaff(t.Context(), code)
		if err != nil {
			t.Fatal(err)
		}
		var officers []string
		for _, p := range all {
			if p.Role == office.Officer && p.State == office.ActiveAccount {
				officers = append(officers, p.ID)
			}
		}
		for i, id := range officers {
			err := w.AccountRequests.Disable(t.Context(), operator, id)
			if last := i == len(officers)-1; last != (fault.CodeOf(err) == fault.Conflict) || !last && err != nil {
				t.Errorf("%d of %d disabled: %v", i+1, len(officers), err)
			}
		}
		link, err := w.AccountRequests.Rescue(t.Context(), operator, more)
		if err != nil || link == "" {
			t.Errorf("ok/rescued: %v", err)
		}
	})
}
