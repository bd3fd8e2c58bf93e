package catalogue

import (
	_ "embed"
	"encoding/json"
	"sync"

	"akashi/internal/clock"
)

// Diseases for which an international certificate is known, by ICD-11 code (spec
// who-icvp-gdhcn, 3).
const (
	YellowFever = "1D47"
	Polio       = "1C81"
)

// Prophylactic is a product that an international certificate (ICVP) may name.
type Prophylactic struct {
	Disease      string // ICD-11: YellowFever or Polio
	Type         string // such as "Yellow Fever"
	Name         string // trade name; may be empty
	Manufacturer string
	Presentation string     // such as "Ampoule"
	Doses        int        // in one of them
	Prequalified clock.Date // when WHO approved it; empty when that is not known
	Code         string     // the one to write
}

// Prophylactics are the products of all published lists. They are immutable.
type Prophylactics struct {
	version  string
	products map[string]prophylactic // by code and by alias
}

type prophylactic struct {
	product Prophylactic
	listed  clock.Date // when the list of this code came out
}

//go:embed data/icvp-products.json
var embeddedICVP []byte

// ICVPProducts returns the products that ship with the program.
var ICVPProducts = sync.OnceValue(func() *Prophylactics {
	var file struct {
		Version  string                `json:"version"`
		Lists    map[string]clock.Date `json:"lists"`
		Products []struct {
			Disease      string     `json:"disease"`
			Type         string     `json:"type"`
			Name         string     `json:"name"`
			Manufacturer string     `json:"manufacturer"`
			Presentation string     `json:"presentation"`
			Doses        int        `json:"doses"`
			Prequalified clock.Date `json:"prequalified"`
			Codes        []struct {
				Code  string `json:"code"`
				List  string `json:"list"`
				Alias string `json:"alias"`
			} `json:"codes"`
		} `json:"products"`
	}
	if err := json.Unmarshal(embeddedICVP, &file); err != nil {
		panic(err)
	}
	diseases := map[string]string{"yellow-fever": YellowFever, "poliomyelitis": Polio}
	p := &Prophylactics{version: file.Version, products: map[string]prophylactic{}}
	for _, one := range file.Products {
		product := Prophylactic{
			diseases[one.Disease], one.Type, one.Name, one.Manufacturer, one.Presentation, one.Doses, one.Prequalified, one.Codes[0].Code,
		}
		for _, code := range one.Codes {
			entry := prophylactic{product, file.Lists[code.List]}
			p.products[code.Code] = entry
			if code.Alias != "" {
				p.products[code.Alias] = entry
			}
		}
	}
	return p
})

// Version names the newest list.
func (p *Prophylactics) Version() string { return p.version }

// Find returns a product by any of its codes or aliases, and when the list that has this
// code came out.
func (p *Prophylactics) Find(code string) (product Prophylactic, listed clock.Date, ok bool) {
	entry, ok := p.products[code]
	return entry.product, entry.listed, ok
}
