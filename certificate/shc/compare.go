package shc

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"akashi/certificate"
)

// Compare returns the paths at which a card differs from what the certificate
// and the options say, each in the notation "vc.rid" or
// "vc.credentialSubject.fhirBundle.entry[1].resource.lotNumber"; members that
// should not be there are named too. Nil means that the card says exactly what
// the certificate says. It serves the lint before signing and the check after
// it, and shares no code with Draft that writes a value.
func Compare(c certificate.Certificate, card *Card, o Options) []string {
	want := expected(c, o)
	got := map[string]any{"header.alg": card.Header.Algorithm, "header.zip": card.Header.Compression, "header.kid": card.Header.KeyID}
	if card.tree == nil {
		return []string{"claims"}
	}
	leaves(card.tree, "", got)
	var differ []string
	for path, v := range want {
		if g, ok := got[path]; !ok || g != v {
			differ = append(differ, path)
		}
		delete(got, path)
	}
	differ = slices.AppendSeq(differ, maps.Keys(got))
	slices.Sort(differ)
	return differ
}

// leaves lists the values of a tree by path. An empty object or array is a
// value too.
func leaves(v any, path string, out map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			leaves(child, join(path, name), out)
		}
		if len(v) == 0 {
			out[path] = "{}"
		}
	case []any:
		for i, child := range v {
			leaves(child, index(path, i), out)
		}
		if len(v) == 0 {
			out[path] = "[]"
		}
	default:
		out[path] = v
	}
}

// expected lists every value that the card of a certificate holds.
func expected(c certificate.Certificate, o Options) map[string]any {
	const subject = "vc.credentialSubject."
	const entries = subject + "fhirBundle.entry"
	want := map[string]any{
		"header.alg":                        "ES256",
		"header.zip":                        "DEF",
		"header.kid":                        o.KeyID,
		"iss":                               o.Issuer,
		"nbf":                               json.Number(strconv.FormatInt(c.IssuedAt.Unix(), 10)),
		"vc.rid":                            o.RevocationID,
		"vc.type[0]":                        "https://smarthealth.cards#health-card",
		"vc.type[1]":                        "https://smarthealth.cards#immunization",
		subject + "fhirVersion":             "4.0.1",
		subject + "fhirBundle.resourceType": "Bundle",
		subject + "fhirBundle.type":         "collection",
	}
	if c.Programme == "covid19" {
		want["vc.type[2]"] = "https://smarthealth.cards#covid19"
	}
	expectPatient(c, index(entries, 0), want)
	for i, n := range chronological(c.Doses) {
		expectDose(c.Doses[n], i+1, index(entries, i+1), want)
	}
	return want
}

func expectPatient(c certificate.Certificate, path string, want map[string]any) {
	want[path+".fullUrl"] = "resource:0"
	resource := path + ".resource."
	want[resource+"resourceType"] = "Patient"
	if c.Subject.BirthDate != "" {
		want[resource+"birthDate"] = string(c.Subject.BirthDate)
	}
	names := [][2]string{}
	if c.Kind == certificate.Travel && c.Subject.Passport != nil {
		names = append(names, [2]string{c.Subject.Passport.MRZName.Primary, c.Subject.Passport.MRZName.Secondary})
	}
	names = append(names, [2]string{c.Subject.Name.Family, c.Subject.Name.Given})
	for i, n := range names {
		at := index(resource+"name", i)
		if n[1] == "" {
			want[at+".text"] = n[0]
			continue
		}
		want[at+".family"] = n[0]
		want[at+".given[0]"] = n[1]
	}
}

func expectDose(d certificate.Dose, number int, path string, want map[string]any) {
	want[path+".fullUrl"] = "resource:" + strconv.Itoa(number)
	resource := path + ".resource."
	want[resource+"resourceType"] = "Immunization"
	want[resource+"status"] = "completed"
	want[resource+"vaccineCode.coding[0].system"] = "http://hl7.org/fhir/sid/cvx"
	want[resource+"vaccineCode.coding[0].code"] = d.Product.CVX
	want[resource+"patient.reference"] = "resource:0"
	want[resource+"occurrenceDateTime"] = string(d.VaccinatedOn)
	want[resource+"performer[0].actor.display"] = "MHLW_Gov_of_JAPAN"
	if d.Lot != "" {
		want[resource+"lotNumber"] = d.Lot
	}
}
