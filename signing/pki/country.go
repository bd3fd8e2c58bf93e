package pki

import "golang.org/x/text/language"

// Country codes of certificates that are not ISO 3166-1, or whose Doc 9303-3 code is not.
var specialStates = map[string]string{
	"DE": "D", "EU": "EUE", "UN": "UNO", "KS": "RKS", "XK": "RKS",
	"UT": "UTO", // Utopia, for specimens and tests
}

// State returns the Doc 9303-3 code of a country as certificates name it: "JP" is
// "JPN", "DE" is "D". Unknown codes give "".
func State(country string) string {
	if special, ok := specialStates[country]; ok {
		return special
	}
	region, err := language.ParseRegion(country)
	if err != nil || len(country) != 2 || !region.IsCountry() {
		return ""
	}
	return region.ISO3()
}
