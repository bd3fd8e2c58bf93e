package vdsnc

import (
	"encoding/json"
	"maps"
	"slices"
	"strconv"

	"akashi/certificate"
	"akashi/passport"
)

// Compare returns the paths at which the signed data of a barcode differ from what the
// certificate says, such as "data.msg.ve[0].vd[0].lot"; members that should not be there
// are named too. Nil means that the barcode says exactly what the certificate says. It
// serves the lint before signing and the check after it, and shares no code with Draft
// that writes a value, except the rule for names.
func Compare(c certificate.Certificate, issuer string, b *Barcode) []string {
	got := map[string]any{}
	leaves(b.tree, "data", got)
	var differ []string
	for path, want := range expected(c, issuer) {
		if v, ok := got[path]; !ok || v != want {
			differ = append(differ, path)
		}
		delete(got, path)
	}
	differ = slices.AppendSeq(differ, maps.Keys(got))
	slices.Sort(differ)
	return differ
}

// leaves lists the values of a tree by path; an empty object or array is a value too.
func leaves(v any, path string, out map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			leaves(child, path+"."+name, out)
		}
		if len(v) == 0 {
			out[path] = "{}"
		}
	case []any:
		for i, child := range v {
			leaves(child, path+"["+strconv.Itoa(i)+"]", out)
		}
		if len(v) == 0 {
			out[path] = "[]"
		}
	default:
		out[path] = v
	}
}

// expected lists every value that the barcode of a certificate holds.
func expected(c certificate.Certificate, issuer string) map[string]any {
	want := map[string]any{
		"data.hdr.t":    "icao.vacc",
		"data.hdr.v":    json.Number("1"),
		"data.hdr.is":   issuer,
		"data.msg.uvci": c.ID,
	}
	if c.AI != "" {
		want["data.msg.pid.ai"] = c.AI
	}
	if p := c.Subject.Passport; p != nil {
		want["data.msg.pid.n"], _ = passport.VDSName(p.MRZName) // "" equals no name that can be read
		want["data.msg.pid.i"] = p.Number.Reveal()
		if len(p.BirthDate) == 10 && len(c.Subject.BirthDate) == 10 {
			want["data.msg.pid.dob"] = string(c.Subject.BirthDate)
		}
	}
	for i, d := range c.Doses {
		event := "data.msg.ve[" + strconv.Itoa(i) + "]."
		want[event+"des"] = d.Product.ICD11Class
		want[event+"dis"] = d.Product.Disease
		want[event+"nam"] = d.Product.Brand
		want[event+"vd[0].adm"] = "MHLW_Gov_of_JAPAN"
		want[event+"vd[0].ctr"] = d.Country
		want[event+"vd[0].dvc"] = string(d.VaccinatedOn)
		want[event+"vd[0].lot"] = d.Lot
		want[event+"vd[0].seq"] = json.Number(strconv.Itoa(d.Number))
	}
	return want
}
