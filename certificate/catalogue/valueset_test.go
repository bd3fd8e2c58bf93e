package catalogue

import (
	"encoding/json"
	"testing"

	"akashi/internal/testkit"
)

// spec eu-dcc, 8: the embedded sets are those of ehn-dcc-valuesets, code by code.
func TestValueSets(t *testing.T) {
	v := EUValueSets()
	for set, want := range map[Set]struct {
		file  string
		codes int
	}{
		Disease: {"disease-agent-targeted", 1}, Prophylaxis: {"vaccine-prophylaxis", 9}, MedProduct: {"vaccine-medicinal-product", 39},
		Manufacturer: {"vaccine-mah-manf", 31}, TestType: {"test-type", 2}, TestResult: {"test-result", 2}, Country: {"country-2-codes", 250},
	} {
		var file struct {
			Values map[string]struct {
				Display string
				Active  bool
			} `json:"valueSetValues"`
		}
		if err := json.Unmarshal(testkit.Read(t, "dcc/valuesets/"+want.file+".json"), &file); err != nil {
			t.Fatal(err)
		}
		if len(file.Values) != want.codes || len(v.sets[set]) != want.codes {
			t.Errorf("%s: %d codes, %d here, want %d", set, len(file.Values), len(v.sets[set]), want.codes)
		}
		for code, one := range file.Values {
			if got, ok := v.Lookup(set, code); !ok || got.Name != one.Display || got.Inactive == one.Active {
				t.Errorf("ok/%s %s: %+v", set, code, got)
			}
		}
	}
	if codes := v.Codes(); len(codes) != 7 || len(codes["vaccines-covid-19-names"]) != 39 || codes["covid-19-lab-result"][0] != "260373001" {
		t.Errorf("ok/codes: %d sets", len(codes))
	}
	if v.Version() != "2.12.0" {
		t.Error(v.Version())
	}
	if _, ok := v.Lookup(Country, "XY"); ok {
		t.Error("error/unknown country")
	}
}

// What we issue goes together, is active, and belongs to a product of ours; each that can be
// certified has a code or is known to have none.
func TestEUVaccines(t *testing.T) {
	v := EUValueSets()
	without := map[string]bool{"daichirona-xbb": true}
	for id, one := range Default().products {
		if one.international {
			continue
		}
		vaccine, ok := v.Vaccine(id)
		if ok == (without[id] || !one.product.Certifiable) {
			t.Errorf("%s: has a code: %v", id, ok)
		}
		if !ok {
			continue
		}
		exact := vaccine.Prophylaxis[len(vaccine.Prophylaxis)-1]
		product, _ := v.Lookup(MedProduct, vaccine.Product)
		if !v.Together(vaccine.Product, vaccine.Manufacturer, exact) || product.Inactive || vaccine.Series < 1 {
			t.Errorf("%s: %+v", id, vaccine)
		}
	}
	for id := range v.issued {
		if _, ok := Default().products[id]; !ok {
			t.Errorf("%s is no product", id)
		}
	}
	if v.Together("EU/1/20/1528", "ORG-100031184", "1119349007") || v.Together("none", "", "") {
		t.Error("error/another maker")
	}
}
