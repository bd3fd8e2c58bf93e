// Package office knows the municipalities that issue, their settings, their
// staff, who may do what, and who is it: accounts, their credentials, sessions.
//
// It promises that nobody is signed in without a second factor (S-010), that an
// account's end, suspension or change of role counts at the next request
// (S-019), and that nothing of a password, token or link can be read back from
// what is stored.
package office

import (
	"cmp"
	"slices"
	"strings"

	"akashi/certificate"
	"akashi/internal/fault"
)

// Office is a municipality that issues certificates.
type Office struct {
	Code     string // six digits with check digit, such as 900001
	NameJA   string // 架空県証市
	NameEN   string // Akashi City
	Issuer   certificate.Issuer
	Settings Settings
	Version  int
}

// Settings are an office's own rules.
type Settings struct {
	// Open lists the kinds that the office offers at present: others are not applied for,
	// and what was applied for before is held.
	Open []certificate.Kind `json:"open"`
	// EU adds an EU certificate of the latest dose to those for travel, where its vaccine has a code there.
	EU bool `json:"eu_certificates,omitempty"`
	// AutoApprove lets an exact, anomaly-free match be approved without a clerk.
	AutoApprove bool `json:"auto_approve"`
	// NumberRule says when an applicant may be asked for the individual number.
	NumberRule NumberRule `json:"number_rule"`
	// Lookups is the budget of each account (L-10).
	Lookups Lookups `json:"lookups"`
	// Hours are when the office works; issuing outside them needs a permission.
	Hours Hours `json:"hours"`
	// Keep is for how long what is kept; zero members are the default.
	Keep Keeping `json:"keep,omitzero"`
	// Suspended is set while all work of the office is stopped.
	Suspended *Suspension `json:"suspended,omitempty"`
}

// Keeping is for how many years since the last that happened what is kept; then it
// is listed, and erased with an approval (R-230, R-232, S-077).
type Keeping struct {
	Records      int `json:"records" minimum:"0" doc:"persons of the register with their doses: 5 or more by decree; 0: 20"`
	Applications int `json:"applications" minimum:"0" doc:"with passport data and the content of certificates; 0: 5"`
	Log          int `json:"log" minimum:"0" doc:"entries of the operation log: 1 or more; 0: 7"`
}

// OrDefault fills what is not set.
func (k Keeping) OrDefault() Keeping {
	return Keeping{cmp.Or(k.Records, 20), cmp.Or(k.Applications, 5), cmp.Or(k.Log, 7)}
}

// check refuses to keep shorter than decree and R-172 demand, or for ever.
func (k Keeping) check() error {
	k = k.OrDefault()
	if k.Records < 5 || k.Applications < 1 || k.Log < 1 || max(k.Records, k.Applications, k.Log) > 100 {
		return fault.New(fault.Invalid, "keep", "keep")
	}
	return nil
}

// NumberRule is the difference between the two assessments.
type NumberRule string

const (
	// NumberWhenNeeded: only after the record was not found otherwise (Sapporo).
	NumberWhenNeeded NumberRule = "when_needed"
	// NumberWithApplication: whenever there is an application (Hitachinaka).
	NumberWithApplication NumberRule = "with_application"
)

// Known tells whether the rule exists.
func (r NumberRule) Known() bool { return r == NumberWhenNeeded || r == NumberWithApplication }

// MayAsk tells whether the individual number may be asked for, given that an
// open application exists and whether its record was found without the number.
func (r NumberRule) MayAsk(found bool) bool { return r == NumberWithApplication || !found }

// DefaultSettings are those of a new office.
func DefaultSettings() Settings {
	return Settings{
		Open:        []certificate.Kind{certificate.Domestic, certificate.Travel},
		AutoApprove: true, NumberRule: NumberWhenNeeded, Lookups: DefaultLookups,
	}
}

// IsOpen tells whether the office issues certificates of the kind at present.
func (s Settings) IsOpen(kind certificate.Kind) bool {
	return slices.Contains(s.Open, kind)
}

// CheckCode refuses a municipality code of the wrong form or check digit
// (codes-and-files.md 1).
func CheckCode(code string) error {
	bad := fault.New(fault.Invalid, "municipality_code", "office")
	if len(code) != 6 || strings.Trim(code, "0123456789") != "" {
		return bad
	}
	sum := 0
	for i := range 5 {
		sum += int(code[i]-'0') * (6 - i)
	}
	if sum == 0 || int(code[5]-'0') != (11-sum%11)%10 {
		return bad
	}
	return nil
}

// Invented tells whether the office does not exist in reality (prefectures 90 to 99).
func Invented(code string) bool { return strings.HasPrefix(code, "9") }

// New makes an office with issuer lines of the published form.
func New(code, nameJA, nameEN string) (Office, error) {
	if err := CheckCode(code); err != nil {
		return Office{}, err
	}
	if nameJA == "" || nameEN == "" {
		return Office{}, fault.New(fault.Invalid, "required", "name")
	}
	return Office{
		Code: code, NameJA: nameJA, NameEN: nameEN, Settings: DefaultSettings(), Version: 1,
		Issuer: certificate.Issuer{
			Japanese: []string{nameJA + "長", "日本国厚生労働大臣"},
			English:  []string{"Mayor of " + nameEN, "Minister of Health, Labour and Welfare, Government of Japan"},
		},
	}, nil
}
