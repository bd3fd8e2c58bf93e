package vdsnc

import (
	"encoding/json"
	"strconv"

	"akashi/certificate"
	"akashi/internal/strictjson"
	"akashi/passport"
)

// Compare returns the paths at which the signed data of a barcode differ from what the
// certificate says, such as "data.msg.ve[0].vd[0].lot"; members that should not be there
// are named too. Nil means that the barcode says exactly what the certificate says. It
// serves the lint before signing and the check after it, and shares no code with Draft
// that writes a value, except the rule for names.
func Compare(c certificate.Certificate, issuer string, b *Barcode) []string {
	return strictjson.Differences(b.tree, expected(c, issuer), "data")
}

type (
	tree = map[string]any
	list = []any
)

// expected is the data of the barcode of a certificate, as they are read.
func expected(c certificate.Certificate, issuer string) tree {
	person := tree{}
	if c.AI != "" {
		person["ai"] = c.AI
	}
	if p := c.Subject.Passport; p != nil {
		person["n"], _ = passport.VDSName(p.MRZName) // "" equals no name that can be read
		person["i"] = p.Number.Reveal()
		if len(p.BirthDate) == 10 && len(c.Subject.BirthDate) == 10 {
			person["dob"] = string(c.Subject.BirthDate)
		}
	}
	var events list
	for _, d := range c.Doses {
		events = append(events, tree{
			"des": d.Product.ICD11Class,
			"dis": d.Product.Disease,
			"nam": d.Product.Brand,
			"vd": list{tree{
				"adm": "MHLW_Gov_of_JAPAN",
				"ctr": d.Country,
				"dvc": string(d.VaccinatedOn),
				"lot": d.Lot,
				"seq": json.Number(strconv.Itoa(d.Number)),
			}},
		})
	}
	return tree{
		"hdr": tree{"t": "icao.vacc", "v": json.Number("1"), "is": issuer},
		"msg": tree{"uvci": c.ID, "pid": person, "ve": events},
	}
}
