package verify

import (
	"encoding/base64"
	"time"

	"akashi/certificate/catalogue"
	"akashi/certificate/certlogic"
	"akashi/certificate/hcert"
)

// RuleResult is what became of one business rule.
type RuleResult struct {
	Identifier  string           `json:"identifier"`
	Country     string           `json:"country"`
	Result      certlogic.Result `json:"result"`
	Description string           `json:"description"` // what the rule demands, in its own words
}

// Rules applies the business rules of a destination (two letters) and of the issuing country
// to an EU certificate that is shown at a time (spec eu-dcc, 13). They are policy: they say
// whether a country lets it count, not whether it is authentic, and are asked for apart from
// the verdict. The languages are those of the descriptions, in order of preference. Nil
// for what is no EU certificate.
func (v Verdict) Rules(rules certlogic.Rules, destination string, at time.Time, languages ...string) []RuleResult {
	code := v.health
	if code == nil || code.DCC == nil || code.Fault != nil {
		return nil
	}
	kind := "Vaccination"
	switch {
	case code.DCC.Test != nil:
		kind = "Test"
	case code.DCC.Recovery != nil:
		kind = "Recovery"
	}
	external, payload := surroundings(code, destination, at), code.Payload()
	out := []RuleResult{}
	for _, r := range rules.For(destination, code.Issuer, kind, at) {
		out = append(out, RuleResult{r.Identifier, r.Country, r.Check(payload, external), r.Describe(languages...)})
	}
	return out
}

// surroundings is what rules may know beside the content.
func surroundings(code *hcert.Code, destination string, at time.Time) map[string]any {
	sets := map[string]any{}
	for name, codes := range catalogue.EUValueSets().Codes() {
		list := make([]any, len(codes))
		for i, c := range codes {
			list[i] = c
		}
		sets[name] = list
	}
	return map[string]any{
		"validationClock": at.UTC().Format(time.RFC3339), "valueSets": sets, "countryCode": destination,
		"exp": code.Expires.Format(time.RFC3339), "iat": code.IssuedAt.Format(time.RFC3339),
		"issuerCountryCode": code.Issuer, "kid": base64.StdEncoding.EncodeToString(code.KeyID), "region": "",
	}
}
