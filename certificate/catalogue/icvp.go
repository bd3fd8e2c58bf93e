package catalogue

import (
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
	"sync"

	"akashi/internal/clock"
)

// Diseases for which an international certificate is known, by ICD-11 code (spec
// who-icvp-gdhcn, 3).
const (
	YellowFever = "1D47"
	Polio       = "1C81"
)

// Their programmes.
const (
	YellowFeverProgramme = "yellow_fever"
	PolioProgramme       = "polio"
)

// IsInternational tells whether doses of a programme are certified by an international
// certificate.
func IsInternational(programme string) bool {
	return programme == YellowFeverProgramme || programme == PolioProgramme
}

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
	file     icvpFile
}

type prophylactic struct {
	product Prophylactic
	listed  clock.Date // when the list of this code came out
}

// icvpFile is data/icvp-products.json.
type icvpFile struct {
	Version    string                `json:"version"`
	Lists      map[string]clock.Date `json:"lists"`
	Programmes []Programme           `json:"programmes"`
	Rules      []icvpRule            `json:"rules"`
	Names      map[string][]string   `json:"names"`  // by trade name
	Makers     map[string][]string   `json:"makers"` // by manufacturer
	Products   []icvpProduct         `json:"products"`
}

// icvpRule is from which day on a dose counts. There is no last one.
type icvpRule struct {
	Disease string     `json:"disease"`
	Days    int        `json:"days"` // after the dose
	From    clock.Date `json:"dose_from"`
	To      clock.Date `json:"dose_to"` // that day too
	Source  string     `json:"source"`
}

type icvpProduct struct {
	Disease      string     `json:"disease"`
	Type         string     `json:"type"`
	Name         string     `json:"name"`
	Manufacturer string     `json:"manufacturer"`
	Presentation string     `json:"presentation"`
	Doses        int        `json:"doses"`
	Prequalified clock.Date `json:"prequalified"`
	Codes        []struct {
		Code  string     `json:"code"`
		List  string     `json:"list"`
		Alias string     `json:"alias"`
		To    clock.Date `json:"to"` // last day on which it may be written
	} `json:"codes"`
}

//go:embed data/icvp-products.json
var embeddedICVP []byte

// ICVPProducts returns the products that ship with the program.
var ICVPProducts = sync.OnceValue(func() *Prophylactics {
	p := &Prophylactics{products: map[string]prophylactic{}}
	if err := json.Unmarshal(embeddedICVP, &p.file); err != nil {
		panic(err)
	}
	p.version = p.file.Version
	for _, one := range p.file.Products {
		product := Prophylactic{
			one.Disease, one.Type, one.Name, one.Manufacturer, one.Presentation, one.Doses, one.Prequalified, one.Codes[0].Code,
		}
		for _, code := range one.Codes {
			entry := prophylactic{product, p.file.Lists[code.List]}
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

// ValidFrom returns the first day on which a dose against a disease counts (decision tables
// ICVP.DT.1 and DT.2); false where no rule is known.
func (p *Prophylactics) ValidFrom(disease string, dose clock.Date) (clock.Date, bool) {
	for _, r := range p.file.Rules {
		if r.Disease == disease && dose.Full() && r.From <= dose && (r.To == "" || dose <= r.To) {
			return dose.AddDays(r.Days), true
		}
	}
	return "", false
}

// addInternational adds the programmes and products of international certificates. A product
// is meant by each of its codes, and by its trade name where no other has that.
func (c *Catalogue) addInternational(p *Prophylactics) error {
	types := map[string]Programme{}
	for _, programme := range p.file.Programmes {
		if !IsInternational(programme.ID) || c.programmes[programme.ID].ID != "" {
			return fmt.Errorf("programme %q: unknown or listed twice", programme.ID)
		}
		c.programmes[programme.ID], types[programme.Disease] = programme, programme
	}
	makers := map[string]bool{}
	for _, one := range p.file.Products {
		programme, known := types[one.Disease]
		if !known {
			return fmt.Errorf("product %q: no programme", one.Codes[0].Code)
		}
		if !makers[one.Manufacturer] {
			makers[one.Manufacturer] = true
			c.addMaker(maker{ID: one.Manufacturer, NameEN: one.Manufacturer, Aliases: p.file.Makers[one.Manufacturer]})
		}
		c.addProphylactic(one, programme, p)
	}
	c.version += "/" + p.version
	return nil
}

func (c *Catalogue) addProphylactic(one icvpProduct, programme Programme, p *Prophylactics) {
	name := one.Name
	if name == "" {
		name = one.Type
	}
	e := entry{maker: one.Manufacturer, international: true, rules: Rules{Approved: one.Prequalified, GivenFrom: one.Prequalified}, product: Product{
		ID: one.Codes[0].Code, Programme: programme.ID, NameJA: name, NameEN: name, MakerJA: one.Manufacturer, MakerEN: one.Manufacturer,
		TypeJA: programme.TypeJA, TypeEN: one.Type, Disease: programme.Disease, Certifiable: true,
	}}
	first := one.Codes[0]
	e.codes = []code{{Code: first.Code, From: p.file.Lists[first.List], To: first.To}}
	if local := p.file.Names[one.Name]; len(local) > 0 {
		e.product.NameJA = local[0]
	}
	if local := p.file.Makers[one.Manufacturer]; len(local) > 0 {
		e.product.MakerJA = local[0]
	}
	c.products[first.Code] = e
	for _, code := range one.Codes {
		c.names[nameKey{programme.ID, fold(code.Code)}] = named{first.Code, ByName}
		if code.Alias != "" {
			c.names[nameKey{programme.ID, fold(code.Alias)}] = named{first.Code, ByAlias}
		}
	}
	for _, label := range append([]string{strings.TrimSpace(name)}, p.file.Names[one.Name]...) {
		key := nameKey{programme.ID, fold(label)}
		if other, taken := c.names[key]; taken && other.id != first.Code {
			c.names[key] = named{"", ByName} // several presentations: only a code tells them apart
		} else {
			c.names[key] = named{first.Code, ByName}
		}
	}
}
