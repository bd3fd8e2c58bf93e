package pdf

import (
	"fmt"
	"strconv"
	"unicode/utf16"

	"akashi/certificate/font"
)

// typeface is one embedded font: a subset in which every glyph stands for
// exactly one text. Code, CID and glyph number are the same.
type typeface struct {
	face   *font.Font // gives name and metrics
	subset *font.Subset
	texts  []string              // by glyph number; what ToUnicode says
	codes  map[string]font.Glyph // of what is looked up by its text
}

func newTypeface(faces font.Faces) *typeface {
	return &typeface{face: faces[0], subset: font.NewSubset(faces), texts: make([]string, 1, 128), codes: map[string]font.Glyph{}}
}

// add takes up a cluster that is not there yet. A variation selector becomes a glyph of its own,
// without outline and width, that stands for the selector alone: readers break
// when base and selector share one entry of ToUnicode.
func (t *typeface) add(c font.Cluster, face *font.Font, g font.Glyph) (first, second font.Glyph) {
	if c.Selector == 0 {
		return t.append(c.Text, face, g), 0
	}
	return t.append(string(c.Base), face, g), t.glyph(string(c.Selector), nil, 0)
}

func (t *typeface) append(text string, face *font.Font, g font.Glyph) font.Glyph {
	t.texts = append(t.texts, text)
	if face == nil {
		return t.subset.AddBlank()
	}
	return t.subset.Add(face, g)
}

// glyph returns the number of the glyph for a text, adding it at first use.
// Without a face it is blank.
func (t *typeface) glyph(text string, face *font.Font, g font.Glyph) font.Glyph {
	n, ok := t.codes[text]
	if !ok {
		n = t.append(text, face, g)
		t.codes[text] = n
	}
	return n
}

// Objects of a typeface, in order of their numbers.
const (
	type0 = iota
	cidFont
	descriptor
	program
	toUnicode
	typefaceObjects
)

// sealed is a typeface ready for writing.
type sealed struct {
	basename  string // with the subset tag
	widths    []byte
	metrics   font.Metrics
	program   []byte // as stored
	length    int    // of the program before compression
	filter    string
	toUnicode []byte
}

// seal cuts the font; the digest makes the tag before its name. The streams of a layer are stored as they are: glyph
// outlines hardly deflate, and the time is better spent elsewhere.
func (t *typeface) seal(digest []byte, best bool) (*sealed, error) {
	used := t.subset.Len()
	data, err := t.subset.TrueType()
	if err != nil {
		return nil, err
	}
	s := &sealed{basename: subsetTag(digest) + "+" + t.face.Name, metrics: perMille(t.face.Metrics), program: data, length: len(data)}
	em := t.face.Metrics.UnitsPerEm
	s.widths = append(s.widths, "[0["...)
	for g := range used {
		s.widths = append(strconv.AppendInt(s.widths, int64((t.subset.Advance(font.Glyph(g))*1000+em/2)/em), 10), ' ')
	}
	s.widths = append(s.widths, "]]"...)
	s.toUnicode = toUnicodeMap(t.texts)
	if best {
		s.program, s.toUnicode, s.filter = deflateBest(data), deflateBest(s.toUnicode), "/Filter/FlateDecode"
	}
	return s, nil
}

// perMille scales metrics to a thousand units per em, which PDF counts in.
func perMille(m font.Metrics) font.Metrics {
	for _, v := range []*int{&m.Ascent, &m.Descent, &m.CapHeight, &m.Box[0], &m.Box[1], &m.Box[2], &m.Box[3]} {
		*v = *v * 1000 / m.UnitsPerEm
	}
	return m
}

// toUnicodeMap lists the text of every glyph (ISO 32000-1, 9.10.3).
func toUnicodeMap(texts []string) []byte {
	b := make([]byte, 0, 512+7*len(texts))
	b = append(b, "/CIDInit/ProcSet findresource begin\n12 dict begin\nbegincmap\n"+
		"/CIDSystemInfo<</Registry(Adobe)/Ordering(UCS)/Supplement 0>>def\n"+
		"/CMapName/Adobe-Identity-UCS def\n/CMapType 2 def\n"+
		"1 begincodespacerange\n<0000><FFFF>\nendcodespacerange\n"...)
	for g := 1; g < len(texts); {
		end := min(len(texts), (g|0xFF)+1) // a range keeps its first byte
		b = append(b, "1 beginbfrange\n<"...)
		b = append(appendHex(b, uint16(g)), "><"...)
		b = append(appendHex(b, uint16(end-1)), ">["...)
		for ; g < end; g++ {
			b = append(b, '<')
			for _, r := range texts[g] {
				if r > 0xFFFF {
					high, low := utf16.EncodeRune(r)
					b = appendHex(appendHex(b, uint16(high)), uint16(low))
				} else {
					b = appendHex(b, uint16(r))
				}
			}
			b = append(b, '>')
		}
		b = append(b, "]\nendbfrange\n"...)
	}
	return append(b, "endcmap\nCMapName currentdict/CMap defineresource pop\nend\nend\n"...)
}

// write writes the objects of the typeface from number first on; object is a
// method of w. The font itself, which leads to the texts, stands alone.
func (s *sealed) write(w *writer, object func(int, []byte), first int) {
	w.plain(first+type0, fmt.Appendf(nil, "<</Type/Font/Subtype/Type0/BaseFont/%s/Encoding/Identity-H/DescendantFonts[%d 0 R]/ToUnicode %d 0 R>>",
		s.basename, first+cidFont, first+toUnicode))
	object(first+cidFont, fmt.Appendf(nil, "<</Type/Font/Subtype/CIDFontType2/BaseFont/%s/CIDSystemInfo<</Registry(Adobe)/Ordering(Identity)/Supplement 0>>"+
		"/FontDescriptor %d 0 R/CIDToGIDMap/Identity/DW 1000/W %s>>", s.basename, first+descriptor, s.widths))
	m := s.metrics
	object(first+descriptor, fmt.Appendf(nil, "<</Type/FontDescriptor/FontName/%s/Flags 4/ItalicAngle 0/StemV 80/Ascent %d/Descent %d/CapHeight %d/FontBBox[%d %d %d %d]/FontFile2 %d 0 R>>",
		s.basename, m.Ascent, m.Descent, m.CapHeight, m.Box[0], m.Box[1], m.Box[2], m.Box[3], first+program))
	w.stream(first+program, fmt.Sprintf("/Length1 %d%s", s.length, s.filter), s.program)
	w.stream(first+toUnicode, s.filter, s.toUnicode)
}

const hexDigits = "0123456789ABCDEF"

func appendHex(b []byte, v uint16) []byte {
	return append(b, hexDigits[v>>12], hexDigits[v>>8&15], hexDigits[v>>4&15], hexDigits[v&15])
}

// subsetTag makes the six capital letters before a subset's name from a digest.
func subsetTag(digest []byte) string {
	tag := make([]byte, 6)
	for i := range tag {
		tag[i] = 'A' + digest[i]%26
	}
	return string(tag)
}
