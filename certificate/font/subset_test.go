package font

import "testing"

// A subset beyond 128 KB has places of four bytes; one byte less in two is half.
func TestLocaTable(t *testing.T) {
	for name, c := range map[string]struct {
		last, size int
		long       bool
	}{"ok/short": {2 * 0xFFFF, 6, false}, "ok/long": {2*0xFFFF + 2, 12, true}} {
		t.Run(name, func(t *testing.T) {
			long, loca := locaTable([]int{0, 24, c.last})
			f := &Font{glyphs: 2, longLoca: long, loca: loca, glyf: make([]byte, c.last)}
			if long != c.long || len(loca) != c.size || len(f.outline(0)) != 24 || len(f.outline(1)) != c.last-24 {
				t.Errorf("long %v, %d bytes, outlines of %d and %d", long, len(loca), len(f.outline(0)), len(f.outline(1)))
			}
		})
	}
}
