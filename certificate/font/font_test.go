package font_test

import (
	"encoding/binary"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"akashi/certificate/font"
	"akashi/internal/testkit"
	"akashi/templates"
)

func load(t testing.TB, name string) *font.Font {
	t.Helper()
	data, err := templates.Fonts.ReadFile("fonts/" + name + ".ttf")
	if err != nil {
		t.Fatal(err)
	}
	f, err := font.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func faces(t testing.TB) font.Faces {
	t.Helper()
	fs, err := font.NewFaces(load(t, "NotoSansJP-Regular"), load(t, "NotoSans-Regular"))
	if err != nil {
		t.Fatal(err)
	}
	return fs
}

// OpenType cmap formats 12 and 14: a sequence has its own glyph, the usual
// glyph, or is unknown.
func TestLookup(t *testing.T) {
	f := load(t, "NotoSansJP-Regular")
	glyph := func(r, selector rune) font.Glyph { g, _ := f.Lookup(r, selector); return g }
	for name, c := range map[string]struct {
		r, selector rune
		ok          bool
	}{
		"ok/ascii":                      {'A', 0, true},
		"ok/kanji":                      {'証', 0, true},
		"ok/hashigo-taka":               {'髙', 0, true},
		"ok/tatsu-saki":                 {'﨑', 0, true},
		"ok/above U+FFFF":               {'𠮷', 0, true},
		"ok/sequence 辻 E0100":           {'辻', 0xE0100, true},
		"ok/sequence 葛 E0100":           {'葛', 0xE0100, true},
		"error/sequence 辻 E0101":        {'辻', 0xE0101, false},
		"error/selector unknown":        {'辻', 0xE01EF, false},
		"error/selector on latin":       {'A', 0xE0100, false},
		"error/not in the font":         {0x1F600, 0, false},
		"error/above Unicode":           {0x110000, 0, false},
		"error/private use":             {0xE000, 0, false},
		"error/last character of plane": {0xFFFF, 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			g, ok := f.Lookup(c.r, c.selector)
			if ok != c.ok || ok != (g != 0) {
				t.Errorf("glyph %d, ok %v; want ok %v", g, ok, c.ok)
			}
		})
	}
	if glyph('辻', 0xE0100) == glyph('辻', 0) {
		t.Error("辻 U+E0100 (one dot) is drawn as plain 辻")
	}
	if a, b := f.Advance(glyph('証', 0)), f.Advance(glyph('i', 0)); a != 1000 || b >= 400 {
		t.Errorf("advance of 証 %d, of i %d", a, b)
	}
}

func TestClusters(t *testing.T) {
	for text, want := range map[string][]string{
		"":                  nil,
		"山田":                {"山", "田"},
		"辻\U000E0100子":      {"辻\U000E0100", "子"},
		"e\u0301a":          {"e\u0301", "a"},
		"か\u309Aが":          {"か\u309A", "が"},
		"\U000E0100x":       {"\U000E0100", "x"},
		"\u0301x":           {"\u0301", "x"},
		"a\xE5b":            {"a", "\xE5", "b"},
		"辻\U000E0100\uFE00": {"辻\U000E0100\uFE00"},
	} {
		var got []string
		for c := range font.Clusters(text) {
			got = append(got, c.Text)
		}
		if !slices.Equal(got, want) {
			t.Errorf("%+q: %+q, want %+q", text, got, want)
		}
	}
}

func TestMissing(t *testing.T) {
	fs := faces(t)
	for _, c := range []struct {
		name, text string
		want       []string
	}{
		{"ok/names", "髙﨑𠮷辻\U000E0100子（佐藤）", nil},
		{"ok/passport diacritics", "ŁĐẶČĞŐßØÆŒÞÐŠŽǍỨ", nil},
		{"ok/kana", "ヴァィガぱゔヷ・ー　", nil},
		{"ok/half-width kana", "ﾔﾏﾀﾞ", nil},
		{"ok/decomposed", "e\u0301か\u3099", nil},
		{"error/sequence", "辻\U000E0101子辻\U000E0101", []string{"辻\U000E0101"}},
		{"error/mark without composed form", "か\u309A", []string{"か\u309A"}},
		{"error/script that needs shaping", "कम\u0627", []string{"क", "म", "\u0627"}},
		{"error/controls", "a\tb\u202Ec\u200B\u00AD", []string{"\t", "\u202E", "\u200B", "\u00AD"}},
		{"error/private use", "\uE000\U000F0000", []string{"\uE000", "\U000F0000"}},
		{"error/not UTF-8", "a\xE5", []string{"\xE5"}},
		{"error/lone selector", "\U000E0100", []string{"\U000E0100"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			if got := fs.Missing(c.text); !slices.Equal(got, c.want) {
				t.Errorf("%+q, want %+q", got, c.want)
			}
		})
	}
}

// A subset is a font again: every glyph keeps its width and its outline, and
// parts of composites come along under new numbers.
func TestSubset(t *testing.T) {
	fs := faces(t)
	s := font.NewSubset(fs)
	text := "証髙﨑𠮷辻\U000E0100 ŁĐẶČĞŐ"
	for c := range font.Clusters(text) {
		f, g, ok := fs.Find(c)
		if !ok {
			t.Fatalf("%+q not found", c.Text)
		}
		if n := s.Add(f, g); s.Advance(n) != f.Advance(g) {
			t.Errorf("%+q: width changed", c.Text)
		}
	}
	blank := s.AddBlank()
	added := s.Len()
	data, err := s.TrueType()
	if err != nil {
		t.Fatal(err)
	}
	if s.Advance(blank) != 0 || s.Len() == added {
		t.Errorf("blank is %d wide; %d glyphs of %d added: no parts of composites", s.Advance(blank), s.Len(), added)
	}
	if len(data) > 20_000 {
		t.Errorf("%d bytes", len(data))
	}
	again, err := s.TrueType()
	if err != nil || !slices.Equal(data, again) {
		t.Errorf("second cut differs: %v", err)
	}
}

func TestParse(t *testing.T) {
	data, err := templates.Fonts.ReadFile("fonts/NotoSans-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	broken := func(change func(b []byte) []byte) []byte { return change(slices.Clone(data)) }
	for name, b := range map[string][]byte{
		"error/empty":          nil,
		"error/not a font":     []byte("%PDF-1.7 this is something else"),
		"error/cut off":        data[:len(data)/2],
		"error/no tables":      broken(func(b []byte) []byte { b[4], b[5] = 0, 0; return b }),
		"error/too many":       broken(func(b []byte) []byte { b[4], b[5] = 0xFF, 0xFF; return b }),
		"error/table outside":  broken(func(b []byte) []byte { b[12+8] = 0xFF; return b }),
		"error/OpenType (CFF)": broken(func(b []byte) []byte { copy(b, "OTTO"); return b }),
		"error/too large":      make([]byte, font.MaxSize+1),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := font.Parse("x", b); !errors.Is(err, font.ErrFormat) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// A font without a name is called what it calls itself.
func TestPostScriptName(t *testing.T) {
	data, err := templates.Fonts.ReadFile("fonts/NotoSans-Regular.ttf")
	if err != nil {
		t.Fatal(err)
	}
	if f, err := font.Parse("", data); err != nil || f.Name != "NotoSans-Regular" {
		t.Errorf("%v, %v", f, err)
	}
	name := func(platform, id byte, letters string) []byte {
		table := append([]byte{0, 0, 0, 1, 0, 18, 0, platform, 0, 0, 0, 0, 0, id, 0, byte(len(letters)), 0, 0}, letters...)
		return withTable(data, "name", table)
	}
	for want, broken := range map[string][]byte{
		"Abc-Def": name(3, 6, "\x00A\x00b\x00c\x00-\x00D\x00e\x00f"),
		"Mac":     name(1, 6, "Mac"),
		"":        name(3, 4, "\x00A"),
		" ":       name(1, 6, "A (B)/C"),
		"  ":      name(1, 6, "")[:len(data)],
	} {
		f, err := font.Parse("", broken)
		if want = strings.TrimSpace(want); want == "" && !errors.Is(err, font.ErrFormat) || want != "" && (err != nil || f.Name != want) {
			t.Errorf("%q: %v", want, err)
		}
	}
}

// withTable appends a table and lets the directory entry of its tag point there.
func withTable(data []byte, tag string, table []byte) []byte {
	out := append(slices.Clone(data), table...)
	for at := 12; ; at += 16 {
		if string(out[at:at+4]) == tag {
			binary.BigEndian.PutUint32(out[at+8:], uint32(len(data)))
			binary.BigEndian.PutUint32(out[at+12:], uint32(len(table)))
			return out
		}
	}
}

// A subset of a hinted font has no instructions: they would call programs that
// the subset lacks.
func TestSubsetWithoutHints(t *testing.T) {
	const ipamj = "/usr/share/fonts/truetype/ipamj/ipamjm.ttf"
	data, err := os.ReadFile(ipamj)
	if err != nil {
		testkit.Missing(t, ipamj)
	}
	f, err := font.Parse("", data)
	if err != nil || f.Name != "IPAmjMincho" || f.Metrics.UnitsPerEm != 2048 {
		t.Fatalf("%v, %v", f, err)
	}
	s := font.NewSubset(font.Faces{f})
	for _, sequence := range [][2]rune{{'辻', 0xE0102}, {0x20003, 0}, {'邉', 0xE010F}} {
		g, ok := f.Lookup(sequence[0], sequence[1])
		if !ok {
			t.Fatalf("%U not found", sequence)
		}
		s.Add(f, g)
	}
	cut, err := s.TrueType()
	if err != nil {
		t.Fatal(err)
	}
	tables := map[string][]byte{}
	for at := 12; len(tables) < int(cut[5]); at += 16 {
		start, size := binary.BigEndian.Uint32(cut[at+8:]), binary.BigEndian.Uint32(cut[at+12:])
		tables[string(cut[at:at+4])] = cut[start : start+size]
	}
	for g := range s.Len() {
		outline := tables["glyf"][2*int(binary.BigEndian.Uint16(tables["loca"][2*g:])):]
		contours := int(binary.BigEndian.Uint16(outline))
		if n := binary.BigEndian.Uint16(outline[10+2*contours:]); contours == 0 || contours > 100 || n != 0 {
			t.Errorf("glyph %d: %d contours, %d bytes of instructions", g, contours, n)
		}
	}
}

func TestFacesOfUnequalSize(t *testing.T) {
	a := load(t, "NotoSans-Regular")
	b := *a
	b.Metrics.UnitsPerEm = 2048
	if _, err := font.NewFaces(a, &b); err == nil {
		t.Error("1000 and 2048 units per em accepted in one subset")
	}
}

// FuzzParse changes bytes of a small real font: parsing, looking up and cutting
// never panic.
func FuzzParse(f *testing.F) {
	s := font.NewSubset(faces(f))
	for c := range font.Clusters("AẶ辻\U000E0100") {
		face, g, _ := faces(f).Find(c)
		s.Add(face, g)
	}
	seed, err := s.TrueType()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(seed, uint16(0), byte(0))
	f.Add(withCmap(seed), uint16(40), byte(9))
	f.Fuzz(func(t *testing.T, data []byte, at uint16, value byte) {
		if len(data) > 1<<16 {
			return
		}
		data = slices.Clone(data)
		if int(at) < len(data) {
			data[at] = value
		}
		_, _ = font.Parse("", data)
		face, err := font.Parse("fuzz", data)
		if err != nil {
			return
		}
		for _, r := range []rune{0, 'A', 'Ặ', '辻', '𠮷', 0xFFFF, 0x10FFFF} {
			for _, selector := range []rune{0, 0xFE00, 0xE0100} {
				g, _ := face.Lookup(r, selector)
				face.Advance(g)
				cut := font.NewSubset(font.Faces{face})
				cut.Add(face, g)
				_, _ = cut.TrueType()
			}
		}
	})
}

// withCmap adds a cmap table with formats 4, 12 and 14 to a font that has none.
func withCmap(data []byte) []byte {
	be := func(words ...uint16) (b []byte) {
		for _, w := range words {
			b = append(b, byte(w>>8), byte(w))
		}
		return b
	}
	format4 := be(4, 32, 0, 4, 4, 1, 0, 'A', 0xFFFF, 0, 'A', 0xFFFF, 0xFFC0, 1, 0, 0)
	format12 := be(12, 0, 0, 28, 0, 0, 0, 1, 0, 'A', 0, 'B', 0, 1)
	format14 := append(be(14, 0, 34, 0, 1), 0x0E, 0x01, 0x00, 0, 0, 0, 21, 0, 0, 0, 29)
	format14 = append(format14, 0, 0, 0, 1, 0, 0, 'A', 0, 0, 0, 0, 1, 0, 0x8F, 0xBB, 0, 1)
	table := be(0, 3, 0, 3, 0, 28, 0, 4, 0, uint16(28+len(format4)), 0, 5, 0, uint16(28+len(format4)+len(format12)))
	table = slices.Concat(table, format4, format12, format14)
	n := int(data[5])
	entry := slices.Concat([]byte("cmap"), be(0, 0, 0, uint16(len(data)+16), 0, uint16(len(table))))
	out := slices.Concat(data[:12+16*n], entry, data[12+16*n:], table)
	out[5]++
	for i := range n { // the tables moved by one directory entry
		at := 12 + 16*i + 8
		v := uint32(out[at])<<24 | uint32(out[at+1])<<16 | uint32(out[at+2])<<8 | uint32(out[at+3])
		v += 16
		out[at], out[at+1], out[at+2], out[at+3] = byte(v>>24), byte(v>>16), byte(v>>8), byte(v)
	}
	return out
}

func TestFormat4And14(t *testing.T) {
	s := font.NewSubset(faces(t))
	face, g, _ := faces(t).Find(font.Cluster{Text: "A", Base: 'A'})
	s.Add(face, g)
	data, err := s.TrueType()
	if err != nil {
		t.Fatal(err)
	}
	f, err := font.Parse("made", withCmap(data))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		r, selector rune
		want        font.Glyph
	}{{'A', 0, 1}, {'B', 0, 0}, {'A', 0xE0100, 1}, {'辻', 0xE0100, 1}, {'辻', 0, 0}, {'A', 0xE0101, 0}} {
		if g, _ := f.Lookup(c.r, c.selector); g != c.want {
			t.Errorf("U+%04X U+%04X: glyph %d, want %d", c.r, c.selector, g, c.want)
		}
	}
}

// Every letter of CP932 (JIS X 0208 and the NEC and IBM extensions, with 髙 and
// 﨑), which municipal files use, has a glyph.
func TestCP932(t *testing.T) {
	fs := faces(t)
	decoder := japanese.ShiftJIS.NewDecoder()
	kanji := 0
	var missing []string
	for lead := 0x81; lead <= 0xFC; lead++ {
		for trail := 0x40; trail <= 0xFC; trail++ {
			text, err := decoder.String(string([]byte{byte(lead), byte(trail)}))
			r, size := utf8.DecodeRuneInString(text)
			if err != nil || size != len(text) || !unicode.IsLetter(r) {
				continue
			}
			if unicode.Is(unicode.Han, r) {
				kanji++
			}
			missing = append(missing, fs.Missing(text)...)
		}
	}
	if kanji < 6355+360 || len(missing) != 0 {
		t.Errorf("%d kanji, missing %+q", kanji, missing)
	}
}
