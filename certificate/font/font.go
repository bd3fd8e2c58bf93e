// Package font reads TrueType fonts and cuts subsets from them, for embedding in
// certificates.
//
// A Font is immutable and shared by goroutines. A character may carry a
// variation selector; a sequence that the font does not know is reported as
// missing and never drawn as its base character, because on a name that would be
// another character. No shaping is done, so scripts that need it count as missing.
package font

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"regexp"
)

// MaxSize is the largest font file that Parse reads; IPAmj Mincho has 46 MB.
const MaxSize = 64 << 20

// ErrFormat is wrapped by all errors of Parse.
var ErrFormat = errors.New("font: not a usable TrueType font")

func malformed(format string, args ...any) error {
	return fmt.Errorf("%w: %s", ErrFormat, fmt.Sprintf(format, args...))
}

// Glyph is a glyph number of one font. 0 is the glyph for "no such character".
type Glyph uint16

// Metrics of a font in units of the em square, y upwards.
type Metrics struct {
	UnitsPerEm                 int
	Ascent, Descent, CapHeight int // Descent is negative
	Box                        [4]int
}

// Font is a parsed TrueType font.
type Font struct {
	Name    string // for PDF, such as "NotoSansJP-Regular"
	Metrics Metrics

	glyphs   int
	hmetrics int // glyphs with an advance of their own
	longLoca bool
	head     []byte
	hmtx     []byte
	loca     []byte
	glyf     []byte
	chars    charMap
	variants []byte // cmap subtable of format 14; may be empty
}

// Parse reads a TrueType font (glyf outlines, Unicode cmap). It keeps data and
// never changes it. An empty name stands for the font's own PostScript name.
// Errors wrap ErrFormat.
func Parse(name string, data []byte) (*Font, error) {
	if len(data) > MaxSize {
		return nil, malformed("larger than %d bytes", MaxSize)
	}
	tables, err := readDirectory(data)
	if err != nil {
		return nil, err
	}
	f := &Font{Name: name, head: tables["head"], hmtx: tables["hmtx"], loca: tables["loca"], glyf: tables["glyf"]}
	if name == "" {
		if f.Name, err = postScriptName(tables["name"]); err != nil {
			return nil, err
		}
	}
	if err := f.readMetrics(tables); err != nil {
		return nil, err
	}
	f.chars, f.variants, err = readCmap(tables["cmap"])
	if err != nil {
		return nil, err
	}
	return f, nil
}

// readDirectory returns the tables of a font file by tag.
func readDirectory(data []byte) (map[string][]byte, error) {
	const entry = 16
	if len(data) < 12 || binary.BigEndian.Uint32(data) != 0x00010000 {
		return nil, malformed("no TrueType header")
	}
	n := int(binary.BigEndian.Uint16(data[4:]))
	if n > 64 || len(data) < 12+n*entry {
		return nil, malformed("table directory")
	}
	tables := make(map[string][]byte, n)
	for i := range n {
		e := data[12+i*entry:]
		tag, start, size := string(e[:4]), uint64(binary.BigEndian.Uint32(e[8:])), uint64(binary.BigEndian.Uint32(e[12:]))
		if start+size > uint64(len(data)) {
			return nil, malformed("table %q outside the file", tag)
		}
		tables[tag] = data[start : start+size : start+size]
	}
	return tables, nil
}

func (f *Font) readMetrics(tables map[string][]byte) error {
	for tag, size := range map[string]int{"head": 54, "hhea": 36, "maxp": 6, "hmtx": 4} {
		if len(tables[tag]) < size {
			return malformed("table %q missing or short", tag)
		}
	}
	head, hhea := tables["head"], tables["hhea"]
	f.glyphs = int(u16(tables["maxp"], 4))
	f.hmetrics = int(u16(hhea, 34))
	f.longLoca = i16(head, 50) == 1
	m := &f.Metrics
	m.UnitsPerEm = int(u16(head, 18))
	m.Ascent, m.Descent = i16(hhea, 4), i16(hhea, 6)
	m.Box = [4]int{i16(head, 36), i16(head, 38), i16(head, 40), i16(head, 42)}
	m.CapHeight = m.Ascent
	if os2 := tables["OS/2"]; len(os2) >= 90 {
		m.CapHeight = i16(os2, 88)
	}
	offset := 2
	if f.longLoca {
		offset = 4
	}
	switch {
	case m.UnitsPerEm < 16 || m.UnitsPerEm > 16384:
		return malformed("%d units per em", m.UnitsPerEm)
	case f.glyphs == 0 || len(f.loca) < (f.glyphs+1)*offset:
		return malformed("table %q missing or short", "loca")
	case f.hmetrics == 0 || f.hmetrics > f.glyphs || len(f.hmtx) < 4*f.hmetrics+2*(f.glyphs-f.hmetrics):
		return malformed("table %q missing or short", "hmtx")
	}
	return nil
}

var plainName = regexp.MustCompile(`^[A-Za-z0-9-]{1,63}$`)

// postScriptName reads entry 6 of the name table (OpenType, name), in Unicode or
// in the Macintosh's Roman letters.
func postScriptName(t []byte) (string, error) {
	const postScript, record = 6, 12
	if len(t) < 6 || len(t) < 6+record*int(u16(t, 2)) {
		return "", malformed("table %q missing or short", "name")
	}
	for i := range int(u16(t, 2)) {
		r := t[6+record*i:]
		start, size := int(u16(t, 4))+int(u16(r, 10)), int(u16(r, 8))
		if u16(r, 6) != postScript || start+size > len(t) {
			continue
		}
		letters := t[start : start+size]
		if u16(r, 0) != 1 {
			letters = bytes.ReplaceAll(letters, []byte{0}, nil)
		}
		if plainName.Match(letters) {
			return string(letters), nil
		}
	}
	return "", malformed("no PostScript name")
}

// Advance returns the width of a glyph in units of the em square.
func (f *Font) Advance(g Glyph) int {
	return int(u16(f.hmtx, 4*min(int(g), f.hmetrics-1)))
}

// bearing returns the left side bearing of a glyph.
func (f *Font) bearing(g Glyph) uint16 {
	if int(g) < f.hmetrics {
		return u16(f.hmtx, 4*int(g)+2)
	}
	return u16(f.hmtx, 4*f.hmetrics+2*(int(g)-f.hmetrics))
}

// outline returns the glyf entry of a glyph; empty for a blank and for an entry
// that lies outside the table.
func (f *Font) outline(g Glyph) []byte {
	if int(g) >= f.glyphs {
		return nil
	}
	var start, end uint64
	if f.longLoca {
		start, end = uint64(binary.BigEndian.Uint32(f.loca[4*int(g):])), uint64(binary.BigEndian.Uint32(f.loca[4*int(g)+4:]))
	} else {
		start, end = 2*uint64(u16(f.loca, 2*int(g))), 2*uint64(u16(f.loca, 2*int(g)+2))
	}
	if start >= end || end > uint64(len(f.glyf)) {
		return nil
	}
	return f.glyf[start:end]
}

func u16(b []byte, at int) uint16 { return binary.BigEndian.Uint16(b[at:]) }
func i16(b []byte, at int) int    { return int(int16(binary.BigEndian.Uint16(b[at:]))) }
func u24(b []byte, at int) uint32 { return uint32(b[at])<<16 | uint32(u16(b, at+1)) }
func u32(b []byte, at int) uint32 { return binary.BigEndian.Uint32(b[at:]) }
