package pki

import "testing"

// Spec icao-vds-nc, 7: JP and JPN name the same state, and Germany is D.
func TestState(t *testing.T) {
	for country, want := range map[string]string{
		"JP": "JPN", "AU": "AUS", "DE": "D", "GB": "GBR", "LU": "LUX", "KR": "KOR", "TW": "TWN", "UT": "UTO", "XK": "RKS", "EU": "EUE",
		"": "", "ZZ": "", "JPN": "", "jp!": "", "001": "", "--": "",
	} {
		if got := State(country); got != want {
			t.Errorf("%q is %q, want %q", country, got, want)
		}
	}
}
