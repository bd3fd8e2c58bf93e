package verify

import (
	"encoding/json"
	"testing"
	"time"

	"akashi/certificate/certlogic"
	"akashi/internal/testkit"
)

// Issue 5, 2: the rules of a chosen country and date, with the rule's own description of
// what failed.
func TestBusinessRules(t *testing.T) {
	var rules certlogic.Rules
	for _, name := range []string{"DE/RR-DE-0002", "EU/GR-EU-0000", "EU/RR-EU-0000", "EU/TR-EU-0000", "EU/VR-EU-0000", "EU/VR-EU-0001"} {
		r, err := certlogic.ParseRule(testkit.Read(t, "dcc/certlogic/rules/"+name+"/rule.json"))
		if err != nil {
			t.Fatal(err)
		}
		rules = append(rules, r)
	}
	read := func(name string) Verdict {
		var c struct {
			Code string `json:"PREFIX"`
		}
		if err := json.Unmarshal(testkit.Read(t, "dcc/cases/"+name+".json"), &c); err != nil {
			t.Fatal(err)
		}
		return Text(c.Code, nil, now)
	}
	recovered := read("AT/2")
	positive := recovered.health.DCC.Recovery.FirstPositive.Time()
	const demand = "Der positive NAA-Test (z.B. PCR) darf maximal 6 Monate zurückliegen."
	since := time.Date(2021, 8, 1, 0, 0, 0, 0, time.UTC) // the rule is in force
	for name, c := range map[string]struct {
		at   time.Time
		want certlogic.Result
	}{"ok/in time": {since, certlogic.Passed}, "error/too old": {positive.AddDate(0, 0, 181), certlogic.Failed}} {
		got := recovered.Rules(rules, "DE", c.at, "de")
		if len(got) != 1 || got[0].Result != c.want || got[0].Description != demand || got[0].Identifier != "RR-DE-0002" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	if got := read("AT/1").Rules(rules, "EU", since); len(got) != 3 || got[0].Result != certlogic.Passed || got[1].Result != certlogic.Passed || got[2].Result != certlogic.Passed {
		t.Errorf("ok/vaccination: %+v", got)
	}
	known := certlogic.Rule{Identifier: "VR-XX-1", Type: "Acceptance", Country: "XX", CertificateType: "Vaccination", Engine: "CERTLOGIC", EngineVersion: "1.0.0", ValidTo: since.AddDate(1, 0, 0), Logic: map[string]any{
		"in": []any{map[string]any{"var": "payload.v.0.mp"}, map[string]any{"var": "external.valueSets.vaccines-covid-19-names"}},
	}}
	if got := read("AT/1").Rules(certlogic.Rules{known}, "XX", since); len(got) != 1 || got[0].Result != certlogic.Passed {
		t.Errorf("ok/value sets: %+v", got)
	}
	if Text("HC1:", nil, now).Rules(rules, "EU", since) != nil {
		t.Error("rules for what is no EU certificate")
	}
}
