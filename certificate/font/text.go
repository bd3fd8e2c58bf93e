package font

import (
	"fmt"
	"iter"
	"slices"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// Cluster is one character as it is drawn: a base, and perhaps a variation
// selector or combining marks after it.
type Cluster struct {
	Text     string // as written
	Base     rune
	Selector rune // variation selector, or 0
	Marks    bool // combining marks follow the base
}

// IsSelector tells whether r is a variation selector (FE00-FE0F, E0100-E01EF).
func IsSelector(r rune) bool { return r >= 0xFE00 && r <= 0xFE0F || r >= 0xE0100 && r <= 0xE01EF }

const firstMark = 0x300 // the lowest combining mark

// Clusters splits a text into its drawn characters. Bytes that are not UTF-8
// come as clusters of U+FFFD.
func Clusters(s string) iter.Seq[Cluster] {
	return func(yield func(Cluster) bool) {
		for len(s) > 0 {
			base, size := utf8.DecodeRuneInString(s)
			c := Cluster{Base: base}
			for size < len(s) {
				r, n := utf8.DecodeRuneInString(s[size:])
				if IsSelector(r) && c.Selector == 0 && !c.Marks {
					c.Selector = r
				} else if r >= firstMark && unicode.Is(unicode.M, r) {
					c.Marks = true
				} else {
					break
				}
				size += n
			}
			c.Text, s = s[:size], s[size:]
			if !yield(c) {
				return
			}
		}
	}
}

// drawable are the scripts that need no shaping: one character, one glyph.
var drawable = []*unicode.RangeTable{unicode.Han, unicode.Hiragana, unicode.Katakana, unicode.Latin, unicode.Greek, unicode.Cyrillic, unicode.Common}

// Faces is a list of fonts in order of preference. All have the same units per
// em, so that their glyphs can share one subset.
type Faces []*Font

// NewFaces checks that the fonts can be used together.
func NewFaces(fonts ...*Font) (Faces, error) {
	for _, f := range fonts {
		if f.Metrics.UnitsPerEm != fonts[0].Metrics.UnitsPerEm {
			return nil, fmt.Errorf("font: %s has %d units per em, %s has %d", f.Name, f.Metrics.UnitsPerEm, fonts[0].Name, fonts[0].Metrics.UnitsPerEm)
		}
	}
	return fonts, nil
}

// Find returns the first face that has a glyph for the cluster. A base with
// combining marks is found when Unicode has one composed character for it.
func (fs Faces) Find(c Cluster) (face *Font, g Glyph, ok bool) {
	base := c.Base
	if c.Marks {
		composed := []rune(norm.NFC.String(c.Text))
		if len(composed) != 1 || c.Selector != 0 {
			return nil, 0, false
		}
		base = composed[0]
	}
	if base == utf8.RuneError || !unicode.IsGraphic(base) || !unicode.In(base, drawable...) {
		return nil, 0, false
	}
	for _, f := range fs {
		if g, ok := f.Lookup(base, c.Selector); ok {
			return f, g, true
		}
	}
	return nil, 0, false
}

// Missing returns the clusters of text that no face can draw, each once, in
// order of appearance.
func (fs Faces) Missing(text string) []string {
	var missing []string
	for c := range Clusters(text) {
		if _, _, ok := fs.Find(c); !ok && !slices.Contains(missing, c.Text) {
			missing = append(missing, c.Text)
		}
	}
	return missing
}
