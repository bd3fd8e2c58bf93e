package catalogue

import (
	_ "embed"
	"encoding/json"
	"maps"
	"slices"
	"sync"
)

// Set names one of the value sets of the EU certificate (spec eu-dcc, 8).
type Set string

const (
	Disease      Set = "disease"      // tg
	Prophylaxis  Set = "prophylaxis"  // vp
	MedProduct   Set = "product"      // mp
	Manufacturer Set = "manufacturer" // ma of a vaccine
	TestType     Set = "test_type"    // tt
	TestResult   Set = "test_result"  // tr
	Country      Set = "country"      // co
)

// Coding is a code of a value set.
type Coding struct {
	Name     string `json:"name"`
	Inactive bool   `json:"inactive"` // readable, not to be issued
}

// EUVaccine is how the EU certificate writes a vaccine.
type EUVaccine struct {
	Product      string   // mp
	Manufacturer string   // ma
	Prophylaxis  []string // vp: the codes that may stand with it, the most exact one last
	Series       int      // doses of the primary series; 0 when it is none of our products
}

// ValueSets are the code lists of the EU certificate. They are immutable.
type ValueSets struct {
	version  string
	ids      map[Set]string
	sets     map[Set]map[string]Coding
	vaccines map[string]EUVaccine // by mp
	issued   map[string]EUVaccine // by product id of the catalogue
}

//go:embed data/dcc-value-sets.json
var embeddedValueSets []byte

// EUValueSets returns the value sets that ship with the program.
var EUValueSets = sync.OnceValue(func() *ValueSets {
	var file struct {
		Version string `json:"version"`
		Sets    map[Set]struct {
			ID    string            `json:"id"`
			Codes map[string]Coding `json:"codes"`
		} `json:"sets"`
		Vaccines []struct {
			Product      string   `json:"product"`
			Manufacturer string   `json:"manufacturer"`
			Prophylaxis  []string `json:"prophylaxis"`
		} `json:"vaccines"`
		Issued []struct {
			IDs     []string `json:"ids"`
			Product string   `json:"product"`
			Series  int      `json:"series"`
		} `json:"issued"`
	}
	if err := json.Unmarshal(embeddedValueSets, &file); err != nil {
		panic(err)
	}
	v := &ValueSets{version: file.Version, ids: map[Set]string{}, sets: map[Set]map[string]Coding{}, vaccines: map[string]EUVaccine{}, issued: map[string]EUVaccine{}}
	for name, set := range file.Sets {
		v.sets[name], v.ids[name] = set.Codes, set.ID
	}
	for _, one := range file.Vaccines {
		v.vaccines[one.Product] = EUVaccine{one.Product, one.Manufacturer, one.Prophylaxis, 0}
	}
	for _, one := range file.Issued {
		vaccine := v.vaccines[one.Product]
		vaccine.Series = one.Series
		for _, id := range one.IDs {
			v.issued[id] = vaccine
		}
	}
	return v
})

// Version names the edition of the value sets.
func (v *ValueSets) Version() string { return v.version }

// Codes returns the codes of every set by the name that business rules have for it, sorted.
func (v *ValueSets) Codes() map[string][]string {
	out := map[string][]string{}
	for set, codes := range v.sets {
		out[v.ids[set]] = slices.Sorted(maps.Keys(codes))
	}
	return out
}

// Lookup finds a code, also an inactive one.
func (v *ValueSets) Lookup(set Set, code string) (Coding, bool) {
	c, ok := v.sets[set][code]
	return c, ok
}

// Together tells whether the codes of product, manufacturer and prophylaxis may stand in
// one entry.
func (v *ValueSets) Together(product, manufacturer, prophylaxis string) bool {
	one, ok := v.vaccines[product]
	return ok && one.Manufacturer == manufacturer && slices.Contains(one.Prophylaxis, prophylaxis)
}

// Vaccine returns how a product of the catalogue is written; false for one that has no code.
func (v *ValueSets) Vaccine(productID string) (EUVaccine, bool) {
	one, ok := v.issued[productID]
	return one, ok
}
