package office

import (
	"context"
	"testing"
	"time"

	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// codes-and-files.md 1 and 10.
func TestCheckCode(t *testing.T) {
	for _, code := range []string{"011002", "011011", "082210", "011100", "131016", "900001"} {
		if err := CheckCode(code); err != nil {
			t.Errorf("ok/%s: %v", code, err)
		}
	}
	for _, code := range []string{"011003", "08221", "０１１００２", "000000", "000001", "90000a", ""} {
		if CheckCode(code) == nil {
			t.Errorf("error/%s: accepted", code)
		}
	}
}

// Sapporo asks only when the record was not found, Hitachinaka with each application.
func TestNumberRule(t *testing.T) {
	for _, c := range []struct {
		rule        NumberRule
		found, want bool
	}{
		{NumberWhenNeeded, true, false}, {NumberWhenNeeded, false, true},
		{NumberWithApplication, true, true}, {NumberWithApplication, false, true},
	} {
		if got := c.rule.MayAsk(c.found); got != c.want {
			t.Errorf("%s found=%v: %v", c.rule, c.found, got)
		}
	}
}

type directory map[string]Staff

func (d directory) StaffByKey(_ context.Context, office string, hash []byte) (Staff, error) {
	if s, ok := d[office+string(hash)]; ok {
		return s, nil
	}
	return Staff{}, fault.New(fault.NotFound, "staff_key", "")
}

func TestAuthenticate(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	key, ended := NewStaffKey(idgen.Gen{}, "900001"), NewStaffKey(idgen.Gen{}, "900001")
	d := directory{
		"900001" + string(HashStaffKey(key)):   {ID: "s1", Office: "900001", Role: Clerk},
		"900001" + string(HashStaffKey(ended)): {ID: "s2", Office: "900001", Role: Clerk, Ends: now},
	}
	if s, err := Authenticate(t.Context(), d, key, now); err != nil || s.ID != "s1" {
		t.Fatalf("ok: %v %v", s, err)
	}
	for name, bad := range map[string]string{
		"empty": "", "form": "abc", "unknown": NewStaffKey(idgen.Gen{}, "900001"),
		"foreign office": "akashi_900010_" + key[14:], "ended": ended, "long": key + string(make([]byte, 300)),
	} {
		if _, err := Authenticate(t.Context(), d, bad, now); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/%s: %v", name, err)
		}
	}
}
