package catalogue

import (
	"bytes"
	_ "embed"
	"regexp"
	"strings"
	"sync"

	"golang.org/x/text/unicode/norm"

	"akashi/internal/clock"
)

// Reason says why a product could not be resolved. It is an error and a stable code.
type Reason string

const (
	Unknown        Reason = "product_unknown"         // no product or maker of that name in the programme
	Ambiguous      Reason = "product_ambiguous"       // the maker alone does not determine the product
	MakerMismatch  Reason = "maker_mismatch"          // the product is not of that maker
	NotCertifiable Reason = "product_not_certifiable" // known, but certificates do not name it
	NoCode         Reason = "product_no_code"         // no vaccine code holds on the date
)

func (r Reason) Error() string { return "catalogue: " + string(r) }

// How says by what a product was found.
type How string

const (
	ByName  How = "name"  // the printed name in Japanese or English
	ByAlias How = "alias" // another name of the same product
	ByMaker How = "maker" // only the maker was given: its default product
)

// Rules are the facts of a product against which a recorded dose is held.
// Zero values mean that nothing is known.
type Rules struct {
	Approved       clock.Date     // approved in Japan
	GivenFrom      clock.Date     // first date in the programme
	AgeFromMonths  int            // youngest age
	AgeBelowMonths int            // first age that is too old
	MinDays        int            // shortest usual interval after the dose before
	Lot            *regexp.Regexp // form of the maker's lot numbers, after folding
	RivalFrom      clock.Date     // since then the maker has another product for the same ages, so that its name alone no longer means this one
}

// Programme is a vaccination programme. FirstDose and LastDose bound the
// doses that can be certified, both inclusive; empty when there is no bound.
type Programme struct {
	ID        string     `json:"id"`
	NameJA    string     `json:"name_ja"`
	NameEN    string     `json:"name_en"`
	NameFR    string     `json:"name_fr"` // international only, as is the type of its vaccines
	TypeJA    string     `json:"type_ja"`
	FirstDose clock.Date `json:"first_dose"`
	LastDose  clock.Date `json:"last_dose"`
	Disease   string     `json:"disease"` // ICD-11
}

// Catalogue is one version of the product list. It is immutable.
type Catalogue struct {
	version    string
	programmes map[string]Programme
	products   map[string]entry
	names      map[nameKey]named
	makers     map[string][]maker // folded label to makers; 武田 sold for two
}

type nameKey struct{ programme, folded string }

type named struct {
	id  string // empty: of several products
	how How
}

//go:embed data/products.json
var embedded []byte

// Default returns the catalogue that ships with the program.
var Default = sync.OnceValue(func() *Catalogue {
	c, err := Load(bytes.NewReader(embedded))
	if err == nil {
		err = c.addInternational(ICVPProducts())
	}
	if err != nil {
		panic(err)
	}
	return c
})

// Version names this edition of the list; certificates store it.
func (c *Catalogue) Version() string { return c.version }

// Programme returns a programme by its id.
func (c *Catalogue) Programme(id string) (Programme, bool) {
	p, ok := c.programmes[id]
	return p, ok
}

// Rules returns what is known about a product by its id.
func (c *Catalogue) Rules(id string) (Rules, bool) {
	e, ok := c.products[id]
	return e.rules, ok
}

// Product returns a product by its id with the codes that hold on a date, which
// is the issue date of the certificate (certificate-japan.md 6.4). The error is
// a Reason; with NotCertifiable and NoCode the product is returned as well.
func (c *Catalogue) Product(id string, on clock.Date) (Product, error) {
	e, ok := c.products[id]
	if !ok {
		return Product{}, Unknown
	}
	p := e.product
	if !p.Certifiable {
		return p, NotCertifiable
	}
	for _, code := range e.codes {
		if code.From <= on && (code.To == "" || on <= code.To) {
			if e.international {
				p.ICVP = code.Code
			} else {
				p.CVX = code.Code
			}
			return p, nil
		}
	}
	return p, NoCode
}

// Resolve finds the product meant by the recorded maker and product texts, with
// the codes that hold on a date. Either text may be empty; blanks, brackets,
// width, case and the many dashes do not matter. The error is a Reason.
func (c *Catalogue) Resolve(programme, makerText, productText string, on clock.Date) (Product, How, error) {
	id, how, err := c.find(programme, fold(makerText), fold(productText))
	if err != nil {
		return Product{}, how, err
	}
	p, err := c.Product(id, on)
	return p, how, err
}

func (c *Catalogue) find(programme, maker, product string) (string, How, error) {
	if product == "" || maker == product {
		return c.findAlone(programme, maker)
	}
	n, ok := c.names[nameKey{programme, product}]
	if !ok {
		// A maker written into both columns in two spellings is still only a maker.
		if maker == "" || sharesMaker(c.makers[maker], c.makers[product]) {
			return c.findAlone(programme, product)
		}
		return "", "", Unknown
	}
	if n.id == "" {
		return "", n.how, Ambiguous
	}
	if maker != "" && !c.madeBy(programme, n.id, maker) {
		return "", n.how, MakerMismatch
	}
	return n.id, n.how, nil
}

// findAlone reads one text that names a product or only its maker.
func (c *Catalogue) findAlone(programme, text string) (string, How, error) {
	if n, ok := c.names[nameKey{programme, text}]; ok && n.id == "" {
		return "", n.how, Ambiguous
	} else if ok {
		return n.id, n.how, nil
	}
	var found string
	for _, m := range c.makers[text] {
		if c.products[m.Default].product.Programme != programme {
			continue
		}
		if found != "" {
			return "", ByMaker, Ambiguous
		}
		found = m.Default
	}
	if found == "" {
		return "", "", Unknown
	}
	return found, ByMaker, nil
}

func (c *Catalogue) madeBy(programme, id, makerText string) bool {
	for _, m := range c.makers[makerText] {
		if m.ID == c.products[id].maker {
			return true
		}
	}
	n, ok := c.names[nameKey{programme, makerText}] // such as ファイザー（BA.1） as the maker
	return ok && n.id == id
}

func sharesMaker(a, b []maker) bool {
	for _, x := range a {
		for _, y := range b {
			if x.ID == y.ID {
				return true
			}
		}
	}
	return false
}

// fold brings a label into the form by which labels are compared; it is never printed.
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		switch r {
		case '~', '\u301C', '-', '\u2010', '\u2011', '\u2012', '\u2013', '\u2014', '\u2015', '\u2212':
			return '-'
		case ' ', '(', ')', '[', ']', '・', '「', '」':
			return -1
		case 'ヵ', 'ヶ', 'か', 'カ', 'ケ':
			return 'カ'
		}
		return r
	}, strings.ToUpper(norm.NFKC.String(s)))
}
