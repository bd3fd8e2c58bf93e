package server

import (
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
)

// S-031: there is no search for people: no route takes a parameter about a
// person, and the register is asked for an application only, with a date of birth
// and an identifier or a name.
func TestNoSearch(t *testing.T) {
	f := newFixture(t)
	known := []string{"cursor", "limit", "id", "state", "application", "kind", "object", "on", "staff", "concerned", "day", "action", "scope", "renew_within", "from", "to", "until", "part", "order", "corrected"} // internal keys, days and codes
	for _, r := range f.routes() {
		for _, name := range r.query {
			if !slices.Contains(known, name) {
				t.Errorf("%s takes %q: is it a search for people?", r.path, name)
			}
		}
	}
	for _, text := range []string{"*", "%", "_", "桜*", "桜%"} {
		body := strings.Replace(strings.Replace(form(certificate.Domestic), `"0000000001"`, `""`, 1), `"桜井"`, `"`+text+`"`, 1)
		r := f.do(f.clerk, "POST", "/applications", body)
		if r.status == 201 {
			path := r.header.Get("Location")[len(prefix):]
			if r = f.do(f.clerk, "POST", path+"/submit", ""); r.status == 200 && !strings.Contains(string(r.body), "record_not_found") {
				t.Errorf("error/%q found somebody: %s", text, r.body)
			}
		}
	}
	born, named := `"birth_date":"1991-02-18"`, `"family":"桜井","given":"澪"`
	for _, left := range []string{born, named} { // what is left out of a form with a ticket, or of one with a name
		body := strings.Replace(form(certificate.Domestic), left, strings.NewReplacer("1991-02-18", "", "桜井", "", "澪", "").Replace(left), 1)
		f.want(t, f.do(f.clerk, "POST", "/applications", body), 400, "required")
	}
}
