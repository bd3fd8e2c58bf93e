package shc

import (
	"encoding/json"
	"strconv"

	"akashi/certificate"
	"akashi/internal/strictjson"
)

// Compare returns the paths at which a card differs from what the certificate
// and the options say, each in the notation "vc.rid" or
// "vc.credentialSubject.fhirBundle.entry[1].resource.lotNumber"; members that
// should not be there are named too. Nil means that the card says exactly what
// the certificate says. It serves the lint before signing and the check after
// it, and shares no code with Draft that writes a value.
func Compare(c certificate.Certificate, card *Card, o Options) []string {
	if card.tree == nil {
		return []string{"claims"}
	}
	header := tree{"alg": card.Header.Algorithm, "zip": card.Header.Compression, "kid": card.Header.KeyID}
	differ := strictjson.Differences(header, tree{"alg": "ES256", "zip": "DEF", "kid": o.KeyID}, "header")
	return append(differ, strictjson.Differences(card.tree, expected(c, o), "")...)
}

type (
	tree = map[string]any
	list = []any
)

// expected is the claims of the card of a certificate, as they are read.
func expected(c certificate.Certificate, o Options) tree {
	types := list{"https://smarthealth.cards#health-card", "https://smarthealth.cards#immunization"}
	if c.Programme == "covid19" {
		types = append(types, "https://smarthealth.cards#covid19")
	}
	entries := list{tree{"fullUrl": "resource:0", "resource": expectedPatient(c)}}
	for i, n := range chronological(c.Doses) {
		entries = append(entries, tree{"fullUrl": "resource:" + strconv.Itoa(i+1), "resource": expectedDose(c.Doses[n])})
	}
	bundle := tree{"resourceType": "Bundle", "type": "collection", "entry": entries}
	return tree{
		"iss": o.Issuer,
		"nbf": json.Number(strconv.FormatInt(c.IssuedAt.Unix(), 10)),
		"vc": tree{
			"rid":               o.RevocationID,
			"type":              types,
			"credentialSubject": tree{"fhirVersion": "4.0.1", "fhirBundle": bundle},
		},
	}
}

func expectedPatient(c certificate.Certificate) tree {
	var names list
	if c.Kind == certificate.Travel && c.Subject.Passport != nil {
		names = append(names, expectedName(c.Subject.Passport.MRZName.Primary, c.Subject.Passport.MRZName.Secondary))
	}
	names = append(names, expectedName(c.Subject.Name.Family, c.Subject.Name.Given))
	resource := tree{"resourceType": "Patient", "name": names}
	if c.Subject.BirthDate != "" {
		resource["birthDate"] = string(c.Subject.BirthDate)
	}
	return resource
}

func expectedName(family, given string) tree {
	if given == "" {
		return tree{"text": family}
	}
	return tree{"family": family, "given": list{given}}
}

func expectedDose(d certificate.Dose) tree {
	resource := tree{
		"resourceType":       "Immunization",
		"status":             "completed",
		"vaccineCode":        tree{"coding": list{tree{"system": "http://hl7.org/fhir/sid/cvx", "code": d.Product.CVX}}},
		"patient":            tree{"reference": "resource:0"},
		"occurrenceDateTime": string(d.VaccinatedOn),
		"performer":          list{tree{"actor": tree{"display": "MHLW_Gov_of_JAPAN"}}},
	}
	if d.Lot != "" {
		resource["lotNumber"] = d.Lot
	}
	return resource
}
