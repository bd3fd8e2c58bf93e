package catalogue

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"

	"akashi/internal/clock"
)

// maxList bounds the list that Load reads, in bytes.
const maxList = 1 << 20

type list struct {
	Version    string      `json:"version"`
	Programmes []Programme `json:"programmes"`
	Types      []kind      `json:"types"`
	Makers     []maker     `json:"makers"`
	Products   []listed    `json:"products"`
}

type kind struct {
	ID         string `json:"id"`
	NameJA     string `json:"name_ja"`
	NameEN     string `json:"name_en"`
	ICD11Class string `json:"icd11_class"`
}

type maker struct {
	ID      string   `json:"id"`
	NameJA  string   `json:"name_ja"`
	NameEN  string   `json:"name_en"`
	Aliases []string `json:"aliases"`
	Default string   `json:"default"` // product meant when only the maker is recorded
}

type listed struct {
	ID             string     `json:"id"`
	Programme      string     `json:"programme"`
	Maker          string     `json:"maker"`
	NameJA         string     `json:"name_ja"`
	NameEN         string     `json:"name_en"`
	Type           string     `json:"type"`
	Brand          string     `json:"brand"`
	ICD11Product   string     `json:"icd11_product"`
	Certifiable    bool       `json:"certifiable"`
	Aliases        []string   `json:"aliases"`
	Approved       clock.Date `json:"approved"`
	GivenFrom      clock.Date `json:"given_from"`
	AgeFromMonths  int        `json:"age_from_months"`
	AgeBelowMonths int        `json:"age_below_months"`
	MinDays        int        `json:"min_days"`
	Lot            string     `json:"lot"`
	CVX            []code     `json:"cvx"`
	Note           string     `json:"note"`
}

// code is a vaccine code and the dates on which it holds, both inclusive.
type code struct {
	Code string     `json:"code"`
	From clock.Date `json:"from"`
	To   clock.Date `json:"to"`
}

type entry struct {
	product Product
	maker   string
	codes   []code
	rules   Rules

	international bool // the codes are of the international catalogue
}

// Characters of VDS-NC strings (icao-vds-nc.md 1.3), brand names in capitals.
var (
	brandForm = regexp.MustCompile("^[A-Z0-9 .'-]{1,40}$")
	codeForm  = regexp.MustCompile(`^[0-9]{1,4}$`)
)

// Load reads a product list in the form of data/products.json, at most 1 MiB,
// and refuses one that contradicts itself. The error names the entry.
func Load(r io.Reader) (*Catalogue, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxList+1))
	if err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	if len(data) > maxList {
		return nil, errors.New("catalogue: list is larger than 1 MiB")
	}
	var l list
	if err := decode(data, &l); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	c := &Catalogue{
		version:    l.Version,
		programmes: map[string]Programme{},
		products:   map[string]entry{},
		names:      map[nameKey]named{},
		makers:     map[string][]maker{},
	}
	if err := c.fill(l); err != nil {
		return nil, fmt.Errorf("catalogue: %w", err)
	}
	return c, nil
}

func (c *Catalogue) fill(l list) error {
	if l.Version == "" {
		return errors.New("no version")
	}
	for _, p := range l.Programmes {
		if p.ID == "" || c.programmes[p.ID].ID != "" {
			return fmt.Errorf("programme %q: no id or listed twice", p.ID)
		}
		if err := dates(p.FirstDose, p.LastDose); err != nil {
			return fmt.Errorf("programme %q: %w", p.ID, err)
		}
		c.programmes[p.ID] = p
	}
	types, makers := map[string]kind{}, map[string]maker{}
	for _, t := range l.Types {
		types[t.ID] = t
	}
	for _, m := range l.Makers {
		if m.ID == "" || makers[m.ID].ID != "" {
			return fmt.Errorf("maker %q: no id or listed twice", m.ID)
		}
		makers[m.ID] = m
		c.addMaker(m)
	}
	for _, p := range l.Products {
		if err := c.add(p, types[p.Type], makers[p.Maker]); err != nil {
			return fmt.Errorf("product %q: %w", p.ID, err)
		}
	}
	for _, m := range l.Makers {
		if m.Default != "" && c.products[m.Default].maker != m.ID {
			return fmt.Errorf("maker %q: default is not a product of this maker", m.ID)
		}
	}
	for id, e := range c.products {
		e.rules.RivalFrom = c.rivalFrom(id)
		c.products[id] = e
	}
	return nil
}

// rivalFrom finds the first date on which another product of the same maker was
// given to ages of this one.
func (c *Catalogue) rivalFrom(id string) clock.Date {
	var first clock.Date
	own := c.products[id]
	overlap := func(a, b Rules) bool { return a.AgeBelowMonths == 0 || b.AgeFromMonths < a.AgeBelowMonths }
	for other, e := range c.products {
		if other == id || e.maker != own.maker || e.product.Programme != own.product.Programme ||
			!overlap(own.rules, e.rules) || !overlap(e.rules, own.rules) {
			continue
		}
		if first == "" || e.rules.GivenFrom < first {
			first = e.rules.GivenFrom
		}
	}
	return first
}

func (c *Catalogue) addMaker(m maker) {
	seen := map[string]bool{}
	for _, label := range append([]string{m.NameJA, m.NameEN}, m.Aliases...) {
		if f := fold(label); f != "" && !seen[f] {
			seen[f] = true
			c.makers[f] = append(c.makers[f], m)
		}
	}
}

func (c *Catalogue) add(p listed, t kind, m maker) error {
	programme, known := c.programmes[p.Programme]
	switch {
	case p.ID == "" || c.products[p.ID].product.ID != "":
		return errors.New("no id or listed twice")
	case !known:
		return errors.New("unknown programme")
	case t.ID == "":
		return errors.New("unknown type")
	case m.ID == "":
		return errors.New("unknown maker")
	case p.NameJA == "" || p.NameEN == "":
		return errors.New("no name in both languages")
	case !brandForm.MatchString(p.Brand):
		return errors.New("brand is not in the characters of a VDS-NC")
	case p.AgeBelowMonths != 0 && p.AgeBelowMonths <= p.AgeFromMonths:
		return errors.New("ages are the wrong way round")
	}
	if err := errors.Join(dates(p.Approved, ""), dates(p.GivenFrom, ""), periods(p.CVX)); err != nil {
		return err
	}
	rules := Rules{Approved: p.Approved, GivenFrom: p.GivenFrom, AgeFromMonths: p.AgeFromMonths, AgeBelowMonths: p.AgeBelowMonths, MinDays: p.MinDays}
	if p.Lot != "" {
		form, err := regexp.Compile(p.Lot)
		if err != nil {
			return errors.New("lot is not a pattern")
		}
		rules.Lot = form
	}
	c.products[p.ID] = entry{maker: m.ID, codes: p.CVX, rules: rules, product: Product{
		ID: p.ID, Programme: p.Programme, NameJA: p.NameJA, NameEN: p.NameEN,
		MakerJA: m.NameJA, MakerEN: m.NameEN, TypeJA: t.NameJA, TypeEN: t.NameEN,
		Disease: programme.Disease, ICD11Class: t.ICD11Class, ICD11Product: p.ICD11Product,
		Brand: p.Brand, Certifiable: p.Certifiable,
	}}
	return c.addNames(p)
}

func (c *Catalogue) addNames(p listed) error {
	labels := []struct {
		text string
		how  How
	}{{p.NameJA, ByName}, {p.NameEN, ByName}}
	for _, a := range p.Aliases {
		labels = append(labels, struct {
			text string
			how  How
		}{a, ByAlias})
	}
	for _, l := range labels {
		key := nameKey{p.Programme, fold(l.text)}
		if other, taken := c.names[key]; taken && other.id != p.ID {
			return fmt.Errorf("name %q also means %q", l.text, other.id)
		} else if !taken {
			c.names[key] = named{p.ID, l.how}
		}
	}
	return nil
}

// periods checks that codes have a form and that their dates follow one another.
func periods(codes []code) error {
	for i, c := range codes {
		switch {
		case !codeForm.MatchString(c.Code):
			return errors.New("code is not a number")
		case !c.From.Full():
			return errors.New("code has no first date")
		case i > 0 && (codes[i-1].To == "" || codes[i-1].To >= c.From):
			return errors.New("periods of the codes overlap")
		}
		if err := dates(c.From, c.To); err != nil {
			return err
		}
	}
	return nil
}

func dates(from, to clock.Date) error {
	for _, d := range []clock.Date{from, to} {
		if d == "" {
			continue
		}
		if _, err := clock.ParseDate(string(d)); err != nil || !d.Full() {
			return errors.New("date is not a full date")
		}
	}
	if from != "" && to != "" && from > to {
		return errors.New("dates are the wrong way round")
	}
	return nil
}

// decode reads exactly one JSON value and refuses unknown members.
func decode(data []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if d.More() {
		return errors.New("more than one value")
	}
	return nil
}
