package qr

import (
	"bytes"
	"errors"
	"math/bits"
	"math/rand/v2"
	"strings"
	"testing"

	skip2 "github.com/skip2/go-qrcode"
)

// filled returns text for a kind of content that fills most of a symbol, in a
// form that the oracle divides into the same segments.
func filled(r *rand.Rand, kind, version int, level Level) []Segment {
	class, room := classOf(version), 8*capacities[level][version]
	random := func(alphabet string, n int) string {
		b := make([]byte, n)
		for i := range b {
			b[i] = alphabet[r.IntN(len(alphabet))]
		}
		return string(b)
	}
	fit := func(m Mode, room int) int {
		n := 0
		for 4+m.countBits(class)+m.textBits(n+1) <= room {
			n++
		}
		return n - r.IntN(1+n/4)
	}
	switch kind {
	case 0:
		if left := room - (4 + Byte.countBits(class) + 8*5); class > 0 { // the shape of a health card; below, the oracle refuses it
			return []Segment{{Byte, "shc:/"}, {Numeric, random("0123456789", fit(Numeric, left))}}
		}
		return []Segment{{Numeric, random("0123456789", fit(Numeric, room))}}
	case 1:
		return []Segment{{Alphanumeric, random("ABCXYZ $%*+-./:", fit(Alphanumeric, room))}}
	}
	return []Segment{{Byte, random("abcdefghijklmnopqrstuvwxyz{}\",", fit(Byte, room))}}
}

func textOf(segments []Segment) string {
	var b strings.Builder
	for _, s := range segments {
		b.WriteString(s.Text)
	}
	return b.String()
}

// Every version and level against an independent encoder, at the oracle's mask.
func TestMatricesEqualOracle(t *testing.T) {
	oracleLevel := [4]skip2.RecoveryLevel{skip2.Low, skip2.Medium, skip2.High, skip2.Highest}
	r := rand.New(rand.NewPCG(1, 2))
	compared := 0
	for version := 1; version <= MaxVersion; version++ {
		for level := L; level <= H; level++ {
			segments := filled(r, (version+int(level))%3, version, level)
			oracle, err := skip2.NewWithForcedVersion(textOf(segments), version, oracleLevel[level])
			if err != nil {
				t.Fatalf("%d-%v: oracle: %v", version, level, err)
			}
			oracle.DisableBorder = true
			bitmap := oracle.Bitmap()
			want := newMatrix(version)
			if len(bitmap) != want.Size() {
				t.Fatalf("%d-%v: oracle has %d modules, want %d", version, level, len(bitmap), want.Size())
			}
			for y, row := range bitmap {
				for x, black := range row {
					if black {
						want.set(x, y)
					}
				}
			}
			gotLevel, mask, ok := readFormat(want.rows, &layoutOf(version).format)
			if !ok || gotLevel != level {
				t.Fatalf("%d-%v: oracle's format information reads %v, %v", version, level, gotLevel, ok)
			}
			if got := draw(segments, level, version, mask); different(got, want) != 0 {
				t.Errorf("%d-%v mask %d: %d modules differ", version, level, mask, different(got, want))
			}
			compared++
		}
	}
	if compared != 160 {
		t.Fatalf("compared %d combinations, want 160", compared)
	}
}

func different(a, b *Matrix) int {
	n := 0
	for i := range a.rows {
		n += bits.OnesCount64(a.rows[i] ^ b.rows[i])
	}
	return n
}

// ISO/IEC 18004, annex I: "01234567" in 1-M.
func TestStandardExample(t *testing.T) {
	segments := []Segment{{Numeric, "01234567"}}
	w := bitWriter{}
	w.segment(segments[0], 0)
	w.finish(16)
	data := []byte{0x10, 0x20, 0x0C, 0x56, 0x61, 0x80, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11, 0xEC, 0x11}
	if !bytes.Equal(w.buf, data) {
		t.Errorf("data codewords % X", w.buf)
	}
	all := append(data, 0xA5, 0x24, 0xD4, 0xC1, 0xED, 0x36, 0xC7, 0x87, 0x2C, 0x55)
	if got := interleave(make([]byte, 0, 26), data, 1, M); !bytes.Equal(got, all) {
		t.Errorf("codewords % X", got)
	}
	if m, err := Encode(segments, M, 40); err != nil || m.Version != 1 {
		t.Errorf("version %v, %v; want 1", m, err)
	}
	if got := formatBits(M, 5); got != 0b100000011001110 { // 7.9.1
		t.Errorf("format information %015b", got)
	}
	if got := versionBits(7); got != 0b000111110010010100 { // 7.10
		t.Errorf("version information %018b", got)
	}
}

// The longest health cards of version 22 (SMART Health Cards, QR codes).
func TestHealthCardCapacity(t *testing.T) {
	for level, n := range map[Level]int{L: 1195, M: 927, Q: 670, H: 519} {
		for _, c := range []struct{ chars, version int }{{n, 22}, {n + 1, 23}} {
			segments := healthCard(c.chars)
			m, err := Encode(segments, level, 40)
			if err != nil || m.Version != c.version {
				t.Errorf("%v, %d characters: %v, want version %d", level, c.chars, err, c.version)
			}
			if got := Segments(textOf(segments)); len(got) != 2 || got[0] != segments[0] || got[1] != segments[1] {
				t.Errorf("%d characters are divided into %d segments", c.chars, len(got))
			}
		}
		if _, err := Encode(healthCard(n+1), level, 22); err != ErrTooLong {
			t.Errorf("%v, %d characters within version 22: %v", level, n+1, err)
		}
	}
}

// healthCard returns the segments of a card whose JWS has n characters.
func healthCard(n int) []Segment {
	r := rand.New(rand.NewPCG(3, uint64(n)))
	digits := make([]byte, 0, 2*n)
	for range n {
		v := r.IntN(78)
		digits = append(digits, '0'+byte(v/10), '0'+byte(v%10))
	}
	return []Segment{{Byte, "shc:/"}, {Numeric, string(digits)}}
}

// ISO/IEC 18004, table 7: characters in the largest and the smallest symbols.
func TestCapacity(t *testing.T) {
	for _, c := range []struct {
		version int
		level   Level
		mode    Mode
		chars   int
	}{
		{1, L, Numeric, 41}, {1, H, Numeric, 17}, {1, L, Alphanumeric, 25}, {1, H, Byte, 7},
		{40, L, Numeric, 7089}, {40, L, Alphanumeric, 4296}, {40, L, Byte, 2953},
		{40, M, Byte, 2331}, {40, Q, Byte, 1663}, {40, H, Byte, 1273}, {40, H, Numeric, 3057},
	} {
		fits := []Segment{{c.mode, strings.Repeat("1", c.chars)}}
		if m, err := Encode(fits, c.level, c.version); err != nil || m.Version != c.version {
			t.Errorf("%d-%v %v %d characters: %v", c.version, c.level, c.mode, c.chars, err)
		}
		more := []Segment{{c.mode, fits[0].Text + "1"}}
		if _, err := Encode(more, c.level, c.version); err != ErrTooLong {
			t.Errorf("%d-%v %v %d characters: %v, want ErrTooLong", c.version, c.level, c.mode, c.chars+1, err)
		}
	}
}

func TestEncode(t *testing.T) {
	for name, c := range map[string]struct {
		segments []Segment
		levels   []Level
		version  int
		level    Level
		err      error
	}{
		"ok/nothing":                {nil, []Level{H}, 1, H, nil},
		"ok/empty segment":          {[]Segment{{Byte, ""}}, []Level{H}, 1, H, nil},
		"ok/first level fits":       {healthCard(927), []Level{M, L}, 22, M, nil},
		"ok/second level fits":      {healthCard(928), []Level{M, L}, 22, L, nil},
		"error/no level fits":       {healthCard(1196), []Level{M, L}, 22, 0, ErrTooLong},
		"error/no level":            {nil, nil, 22, 0, ErrInput},
		"error/unknown level":       {nil, []Level{4}, 22, 0, ErrInput},
		"error/unknown level first": {nil, []Level{4, L}, 22, 0, ErrInput},
		"error/version 0":           {nil, []Level{L}, 0, 0, ErrInput},
		"error/version 41":          {nil, []Level{L}, 41, 0, ErrInput},
		"error/letter as digit":     {[]Segment{{Numeric, "12a"}}, []Level{M, L}, 22, 0, ErrInput},
		"error/lower case":          {[]Segment{{Alphanumeric, "a"}}, []Level{M, L}, 22, 0, ErrInput},
		"error/unknown mode":        {[]Segment{{8, "1"}}, []Level{M, L}, 22, 0, ErrInput},
		"error/longer than any":     {[]Segment{{Numeric, strings.Repeat("1", 7090)}}, []Level{L}, 40, 0, ErrTooLong},
		"error/many empty segments": {make([]Segment, 10000), []Level{L}, 40, 0, ErrInput},
	} {
		t.Run(name, func(t *testing.T) {
			m, err := EncodeBest(c.segments, c.levels, c.version)
			if !errors.Is(err, c.err) || (err == nil) != (c.err == nil) {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && m.Level != c.level {
				t.Errorf("level %v, want %v", m.Level, c.level)
			}
		})
	}
}

// The mask has the lowest penalty of the eight, by the plain reading of the rules.
func TestMaskIsBest(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	for i := range 200 {
		version := 1 + i%4 // where two masks come closest
		if i < MaxVersion {
			version = 1 + i
		}
		level := Level(r.IntN(4))
		segments := filled(r, i%3, version, level)
		best, lowest := 0, 1<<30
		for mask := range 8 {
			if p := plainPenalty(draw(segments, level, version, mask)); p < lowest {
				best, lowest = mask, p
			}
		}
		if got := draw(segments, level, version, anyMask); got.Mask != best {
			t.Errorf("%d-%v: mask %d, want %d", version, level, got.Mask, best)
		} else if different(got, draw(segments, level, version, best)) != 0 {
			t.Errorf("%d-%v: the symbol is not that of its mask", version, level)
		}
	}
}

func TestMatrix(t *testing.T) {
	m, err := Encode([]Segment{{Byte, "akashi"}}, M, 40)
	if err != nil || m.Size() != 21 {
		t.Fatal(m, err)
	}
	flipped := m.Flip(20, 3)
	if different(m, flipped) != 1 || m.Black(20, 3) == flipped.Black(20, 3) {
		t.Error("Flip must invert one module of a copy")
	}
	for _, at := range [][2]int{{-1, 0}, {0, -1}, {21, 0}, {0, 21}} {
		if m.Black(at[0], at[1]) || different(m, m.Flip(at[0], at[1])) != 0 {
			t.Errorf("%v is outside the symbol", at)
		}
	}
	for _, at := range [][2]int{{0, 0}, {20, 0}, {0, 20}, {8, 13}} { // finders and the dark module
		if !m.Black(at[0], at[1]) {
			t.Errorf("%v must be black", at)
		}
	}
}
