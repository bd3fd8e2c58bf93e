package office

import "testing"

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
