package shc

import (
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
)

// Spec, 3 and 5: each rule for issuers, by one change to a clean card.
func TestLintRules(t *testing.T) {
	f := newForger(t)
	card := f.issue(t, specimen(certificate.Domestic, 2), options(f))
	clean := string(card.Claims)
	if got := LintClaims(card.Claims); len(got) > 0 {
		t.Fatalf("clean card has findings %v", got)
	}
	const bundle = "vc.credentialSubject.fhirBundle"
	const person, dose = bundle + ".entry[0].resource", bundle + ".entry[1].resource"
	for name, v := range map[string]struct {
		old, new string
		want     Finding
	}{
		"iss":                 {`akashi.test"`, `akashi.test/"`, Finding{Fatal, "trailing_slash", "iss"}},
		"nbf fraction":        {`"nbf":1795136523`, `"nbf":1795136523.5`, Finding{Warning, "fraction", "nbf"}},
		"nbf milliseconds":    {`"nbf":1795136523`, `"nbf":1795136523000`, Finding{Fatal, "out_of_range", "nbf"}},
		"exp":                 {`"nbf":`, `"exp":1795136523,"nbf":`, Finding{Fatal, "expires_before_issue", "exp"}},
		"unknown claim":       {`"nbf":`, `"sub":"a","nbf":`, Finding{Warning, "unexpected_member", "sub"}},
		"rid":                 {`vwAjHdarZuc`, `vwAjHdarZuc=`, Finding{Fatal, "not_a_revocation_id", "vc.rid"}},
		"no health card":      {`#health-card`, `#card`, Finding{Fatal, "not_a_health_card", "vc.type"}},
		"fhirVersion":         {`"4.0.1"`, `"3.0.2"`, Finding{Fatal, "fhir_version", "vc.credentialSubject.fhirVersion"}},
		"bundle type":         {`"collection"`, `"batch"`, Finding{Fatal, "bundle_type", bundle + ".type"}},
		"bundle id":           {`"type":"collection"`, `"type":"collection","id":"a"`, Finding{Fatal, "resource_id", bundle + ".id"}},
		"bundle timestamp":    {`"type":"collection"`, `"type":"collection","timestamp":"a"`, Finding{Warning, "unexpected_member", bundle + ".timestamp"}},
		"full url":            {`"fullUrl":"resource:1"`, `"fullUrl":"urn:uuid:1"`, Finding{Fatal, "full_url", bundle + ".entry[1].fullUrl"}},
		"full url twice":      {`"fullUrl":"resource:2"`, `"fullUrl":"resource:1"`, Finding{Fatal, "full_url", bundle + ".entry[2].fullUrl"}},
		"reference":           {`"reference":"resource:0"`, `"reference":"resource:9"`, Finding{Fatal, "broken_reference", dose + ".patient.reference"}},
		"reference to a dose": {`"reference":"resource:0"`, `"reference":"resource:2"`, Finding{Fatal, "broken_reference", dose + ".patient.reference"}},
		"second patient":      {`"resourceType":"Immunization"`, `"resourceType":"Patient"`, Finding{Fatal, "not_one_patient", bundle}},
		"laboratory too":      {`"resourceType":"Immunization"`, `"resourceType":"Observation"`, Finding{Fatal, "mixed_content", bundle}},
		"gender":              {`"birthDate"`, `"gender":"female","birthDate"`, Finding{Fatal, "gender", person + ".gender"}},
		"identifier":          {`"birthDate"`, `"identifier":[{"value":"a"}],"birthDate"`, Finding{Warning, "privacy", person + ".identifier"}},
		"birth date":          {`1980-01-23`, `1980-02-30`, Finding{Fatal, "not_a_date", person + ".birthDate"}},
		"name and text":       {`"family"`, `"text":"a","family"`, Finding{Fatal, "name_form", person + ".name[0]"}},
		"family alone":        {`,"given":["花子"]`, ``, Finding{Fatal, "name_form", person + ".name[0]"}},
		"given alone":         {`"family":"架空",`, ``, Finding{Fatal, "name_form", person + ".name[0]"}},
		"use":                 {`"family"`, `"use":"official","family"`, Finding{Fatal, "name_use", person + ".name[0].use"}},
		"no name":             {`"name":[{"family":"架空","given":["花子"]}],`, ``, Finding{Fatal, "no_name", person + ".name"}},
		"meta":                {`"status"`, `"meta":{"profile":["a"]},"status"`, Finding{Fatal, "meta", dose + ".meta"}},
		"assurance":           {`"status"`, `"meta":{"security":[{"system":"https://smarthealth.cards/ial","code":"IAL1"}]},"status"`, Finding{Fatal, "identity_assurance", dose + ".meta.security"}},
		"narrative":           {`"status"`, `"text":{"div":"a"},"status"`, Finding{Fatal, "text", dose + ".text"}},
		"concept text":        {`"vaccineCode":{`, `"vaccineCode":{"text":"a",`, Finding{Fatal, "text", dose + ".vaccineCode.text"}},
		"display":             {`"code":"207"`, `"code":"207","display":"a"`, Finding{Fatal, "display", dose + ".vaccineCode.coding[0].display"}},
		"status":              {`"completed"`, `"not-done"`, Finding{Fatal, "status_not_completed", dose + ".status"}},
		"status case":         {`"completed"`, `"Completed"`, Finding{Fatal, "status_not_completed", dose + ".status"}},
		"code system":         {`fhir/sid/cvx`, `fhir/sid/cvx-TEMPORARY`, Finding{Fatal, "code_system", dose + ".vaccineCode.coding[0]"}},
		"code":                {`"code":"207"`, `"code":"XM0GQ8"`, Finding{Fatal, "not_a_code", dose + ".vaccineCode.coding[0]"}},
		"no code":             {`,"code":"207"`, ``, Finding{Fatal, "no_code", dose + ".vaccineCode.coding[0]"}},
		"two codes":           {`"coding":[`, `"coding":[{"system":"http://snomed.info/sct","code":"840534001"},`, Finding{Warning, "several_codes", dose + ".vaccineCode"}},
		"dose number":         {`"status"`, `"protocolApplied":[{"doseNumberPositiveInt":1}],"status"`, Finding{Fatal, "not_allowed", dose + ".protocolApplied"}},
		"date as text":        {`"status"`, `"occurrenceString":"May","status"`, Finding{Fatal, "not_allowed", dose + ".occurrenceString"}},
		"time of day":         {`2021-07-07`, `2021-07-07T00:00:00+09:00`, Finding{Warning, "time_of_day", dose + ".occurrenceDateTime"}},
		"half a date":         {`2021-07-07`, `2021-07`, Finding{Fatal, "not_a_date", dose + ".occurrenceDateTime"}},
		"long lot":            {`"3000099"`, `"30000993000099300009"`, Finding{Warning, "too_long", dose + ".lotNumber"}},
		"lot word":            {`"3000099"`, `"Lot 3000099"`, Finding{Warning, "lot_word", dose + ".lotNumber"}},
		"placeholder":         {`"3000099"`, `"Unknown"`, Finding{Fatal, "placeholder", dose + ".lotNumber"}},
		"lot number":          {`"3000099"`, `3000099`, Finding{Fatal, "wrong_type", dose + ".lotNumber"}},
		"empty lot":           {`"3000099"`, `""`, Finding{Fatal, "empty_value", dose + ".lotNumber"}},
		"null":                {`"3000099"`, `null`, Finding{Fatal, "empty_value", dose + ".lotNumber"}},
		"two performers":      {`"performer":[`, `"performer":[{"actor":{"display":"a"}},`, Finding{Fatal, "several_performers", dose + ".performer"}},
		"performer reference": {`"actor":{`, `"actor":{"type":"a",`, Finding{Warning, "unexpected_member", dose + ".performer[0].actor.type"}},
		"not subpotent":       {`"status"`, `"isSubpotent":false,"status"`, Finding{Fatal, "subpotent_not_true", dose + ".isSubpotent"}},
		"site":                {`"status"`, `"site":{"coding":[{"code":"LA"}]},"status"`, Finding{Warning, "unexpected_member", dose + ".site"}},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			changed := strings.Replace(clean, v.old, v.new, 1)
			if changed == clean {
				t.Fatal("nothing was changed")
			}
			if got := LintClaims([]byte(changed)); !slices.Contains(got, v.want) {
				t.Errorf("findings %v, want %v", got, v.want)
			}
		})
	}
}
