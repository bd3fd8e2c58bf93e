package pdf

import (
	"errors"
	"slices"
	"testing"
)

// tiny returns the smallest file with a layer that says "証 A".
func tiny(table bool) []byte {
	w := newWriter(table, &memo{})
	n := w.reserve(7)
	w.object(n, []byte("<</Type/Catalog/Pages 2 0 R>>"))
	w.object(n+1, []byte("<</Type/Pages/Kids[3 0 R]/Count 1>>"))
	w.object(n+2, []byte("<</Type/Page/Parent 2 0 R/Contents[4 0 R 5 0 R]/Resources<</Font<</L 6 0 R>>>>>>"))
	w.stream(n+3, "", []byte("q Q"))
	w.deflated(n+4, []byte("/Span<</MCID 0>>BDC BT 1.5 -2 Td /L 9 Tf <00010002>Tj <0003>Tj ET EMC"))
	w.object(n+5, []byte("<</Type/Font/Note(a\\)\\\\(b))/X[true false null -1 .5]/ToUnicode 7 0 R>>"))
	w.stream(n+6, "", toUnicodeMap([]string{"", "証", " ", "A"}))
	return w.finish(n, n+1, make([]byte, 16))
}

func TestText(t *testing.T) {
	for _, table := range []bool{false, true} {
		pages, err := Text(tiny(table))
		if err != nil || len(pages) != 1 || !slices.Equal(pages[0], []string{"証 A"}) {
			t.Errorf("table %v: %q, %v", table, pages, err)
		}
	}
	file := tiny(true)
	for name, broken := range map[string][]byte{
		"error/empty":       nil,
		"error/no header":   file[4:],
		"error/cut off":     file[:len(file)-30],
		"error/no xref":     slices.Replace(slices.Clone(file), len(file)-12, len(file)-6, []byte("999999")...),
		"error/two updates": append(slices.Clone(file), "startxref\n99999999\n%%EOF\n"...),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := Text(broken); !errors.Is(err, errSyntax) {
				t.Errorf("error %v", err)
			}
		})
	}
}

// FuzzText changes small files of both kinds: reading back never panics.
func FuzzText(f *testing.F) {
	f.Add(tiny(true), uint32(0), byte('%'))
	f.Add(tiny(false), uint32(100), byte('<'))
	f.Fuzz(func(_ *testing.T, file []byte, at uint32, value byte) {
		file = slices.Clone(file)
		if int(at) < len(file) {
			file[at] = value
		}
		_, _ = Text(file)
	})
}
