package certlogic

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/strictjson"
)

// Rule is a business rule as States publish it.
type Rule struct {
	Identifier      string
	Type            string // Acceptance or Invalidation
	Country         string // two letters, or EU
	Region          string
	Version         string
	SchemaVersion   string
	Engine          string
	EngineVersion   string
	CertificateType string // General, Vaccination, Test or Recovery
	Description     []struct{ Lang, Desc string }
	ValidFrom       time.Time
	ValidTo         time.Time
	AffectedFields  []string
	Logic           any
}

// Result is what became of a rule.
type Result string

const (
	Passed Result = "passed"
	Failed Result = "failed"
	Open   Result = "open" // cannot be said: a person has to look
)

// EngineVersion is the version of the language that is evaluated here.
const EngineVersion = "1.3.3"

const (
	maxRule   = 64 << 10 // bytes
	maxLevels = 32       // of JSON
)

// ParseRule reads the JSON of a rule.
func ParseRule(b []byte) (r Rule, err error) {
	if len(b) > maxRule {
		return r, errors.New("certlogic: rule is too large")
	}
	tree, err := strictjson.Parse(b, maxLevels)
	if err != nil {
		return r, fmt.Errorf("certlogic: %w", err)
	}
	if err := json.Unmarshal(b, &r); err != nil {
		return r, errors.New("certlogic: not a rule")
	}
	members, ok := tree.(map[string]any)
	if r.Logic = members["Logic"]; !ok || r.Identifier == "" || r.Logic == nil {
		return r, errors.New("certlogic: not a rule")
	}
	return r, nil
}

// Describe returns what the rule demands, in one of the languages asked for, else in English,
// else in any that it has.
func (r Rule) Describe(languages ...string) string {
	for _, want := range append(languages, "en") {
		for _, d := range r.Description {
			if d.Lang == want {
				return d.Desc
			}
		}
	}
	if len(r.Description) > 0 {
		return r.Description[0].Desc
	}
	return ""
}

// Check applies the rule to the content of a certificate. external holds what is known
// around it: validationClock, valueSets, countryCode, exp, iat, issuerCountryCode, kid,
// region. A rule of a newer language or schema, one that has no value, and one whose
// value is neither true nor false are open.
func (r Rule) Check(payload, external map[string]any) Result {
	version, _ := payload["ver"].(string)
	if r.Engine != "CERTLOGIC" || compareVersions(r.EngineVersion, EngineVersion) > 0 || version != "" && compareVersions(r.SchemaVersion, version) > 0 {
		return Open
	}
	switch value, err := Evaluate(r.Logic, map[string]any{"payload": payload, "external": external}); {
	case err != nil:
		return Open
	case value == true:
		return Passed
	case value == false:
		return Failed
	}
	return Open
}

// Rules are those of several States.
type Rules []Rule

// For returns the rules for a certificate of a kind (Vaccination, Test or Recovery) that
// is shown at a time: the acceptance rules of the destination and the invalidation rules
// of the issuing country. Of one identifier the highest version in force counts. Sorted by identifier.
func (rules Rules) For(destination, issuer, kind string, at time.Time) []Rule {
	newest := map[string]Rule{}
	for _, r := range rules {
		concerned := r.Type == "Acceptance" && r.Country == destination || r.Type == "Invalidation" && r.Country == issuer
		if !concerned || r.CertificateType != "General" && r.CertificateType != kind || at.Before(r.ValidFrom) || at.After(r.ValidTo) {
			continue
		}
		if old, ok := newest[r.Identifier]; !ok || compareVersions(r.Version, old.Version) > 0 {
			newest[r.Identifier] = r
		}
	}
	return slices.SortedFunc(maps.Values(newest), func(a, b Rule) int { return strings.Compare(a.Identifier, b.Identifier) })
}

// compareVersions compares versions of three numbers; a part that is none counts as 0.
func compareVersions(a, b string) int {
	x, y := strings.SplitN(a, ".", 3), strings.SplitN(b, ".", 3)
	for i := range 3 {
		if c := cmp.Compare(part(x, i), part(y, i)); c != 0 {
			return c
		}
	}
	return 0
}

func part(version []string, i int) int {
	if i >= len(version) {
		return 0
	}
	n, _ := strconv.Atoi(version[i])
	return n
}
