package office_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/office"
)

var sunday = time.Date(2026, 11, 22, 3, 0, 0, 0, time.UTC)

// oneOffice is closed on sundays, and has clerks and one officer.
type oneOffice struct{ office.WorkStore }

func (oneOffice) Office(context.Context, string) (office.Office, error) {
	return office.Office{Settings: office.Settings{Hours: office.Hours{Week: map[string]office.Span{"mon": {From: "09:00", To: "17:00"}}}}}, nil
}

func (oneOffice) Staff(_ context.Context, code, id string) (office.Staff, error) {
	role := office.Clerk
	if id == "officer" {
		role = office.Officer
	}
	return office.Staff{Office: code, ID: id, Role: role, State: office.ActiveAccount, Used: sunday}, nil
}

// L-09: however much waits for the morning, what may be done now is done by the next step,
// and no more is read for it.
func TestManyWaiting(t *testing.T) {
	type item struct {
		person string
		number int
	}
	var items []item
	for n := range 3000 {
		items = append(items, item{fmt.Sprint("clerk ", n%3), n})
	}
	items = append(items, item{"officer", 3000}, item{"officer", 3001})
	var done []int
	asked := 0
	w := office.Work[item]{
		Clock: func() time.Time { return sunday }, Store: oneOffice{}, Job: "job:test", Needs: []office.Permission{office.Issue},
		Open: func(_ context.Context, _ string, waiting []string, most int) (list []item, _ error) {
			asked++
			for _, i := range items {
				if !slices.Contains(waiting, i.person) && !slices.Contains(done, i.number) && len(list) < most {
					list = append(list, i)
				}
			}
			return list, nil
		},
		Of: func(i item) office.Item { return office.Item{Person: i.person} },
		Do: func(_ context.Context, a actor.Actor, i item) error {
			if a.Person != "officer" {
				t.Errorf("error/done for %s", a.Person)
			}
			done = append(done, i.number)
			return nil
		},
	}
	for want := range 3 {
		want, asked = min(want+1, 2), 0
		if _, err := w.Step(t.Context(), "900001", 1); err != nil || len(done) != want {
			t.Errorf("error/starved: %v done, %v", done, err)
		}
		if asked > 8 {
			t.Errorf("error/asked %d times", asked)
		}
	}
}
