package qr

import (
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

func TestReadClean(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for version := 1; version <= MaxVersion; version++ {
		for level := L; level <= H; level++ {
			segments := filled(r, (version+int(level))%3, version, level)
			mask := r.IntN(8)
			got, err := Read(draw(segments, level, version, mask))
			if err != nil {
				t.Fatalf("%d-%v: %v", version, level, err)
			}
			if got.Version != version || got.Level != level || got.Mask != mask || got.Corrected != 0 ||
				got.Text != textOf(segments) || !slices.Equal(got.Segments, segments) {
				t.Errorf("%d-%v: read as %d-%v with %d segments, %d corrected",
					version, level, got.Version, got.Level, len(got.Segments), got.Corrected)
			}
		}
	}
}

// damage inverts one module in each of n codewords of block i.
func damage(m *Matrix, r *rand.Rand, i, n int) *Matrix {
	b := blocksOf(m.Version, m.Level)
	l := layoutOf(m.Version)
	for _, j := range r.Perm(b.length(i) + b.correction)[:n] {
		p := int(l.order[8*b.at(i, j)+r.IntN(8)])
		m = m.Flip(p%(64*l.stride), p/(64*l.stride))
	}
	return m
}

// Each block is repaired up to the limit of ISO/IEC 18004, table 9, and not beyond.
func TestReadDamaged(t *testing.T) {
	r := rand.New(rand.NewPCG(11, 12))
	for _, version := range []int{1, 2, 3, 5, 7, 14, 22, 33, 40} {
		for level := L; level <= H; level++ {
			segments := filled(r, version%3, version, level)
			m := draw(segments, level, version, anyMask)
			b := blocksOf(version, level)
			limit := repairable(version, level, b.correction)
			worn := m
			for i := range b.count {
				worn = damage(worn, r, i, limit)
			}
			got, err := Read(worn)
			if err != nil || got.Corrected != limit*b.count || got.Text != textOf(segments) {
				t.Errorf("%d-%v, %d errors in each of %d blocks: corrected %d, %v", version, level, limit, b.count, got.Corrected, err)
			}
			// Beyond the limit the nearest word may be another one (the seed avoids that
			// for one error more); the text as it was never comes back.
			broken := damage(m, r, r.IntN(b.count), 2*limit+1)
			if got, err := Read(broken); err == nil && got.Text == textOf(segments) {
				t.Errorf("%d-%v: %d errors in a block went unnoticed", version, level, 2*limit+1)
			}
			if _, err := Read(damage(m, r, 0, limit+1)); err != ErrDamaged {
				t.Errorf("%d-%v: %d errors in a block: %v, want ErrDamaged", version, level, limit+1, err)
			}
		}
	}
}

// ISO/IEC 18004, 7.9: three errors in the better copy of the format information are repaired.
func TestReadFormatDamaged(t *testing.T) {
	m := draw([]Segment{{Byte, "akashi"}}, Q, 2, 5)
	places := layoutOf(2).format
	flip := func(m *Matrix, copy, n int) *Matrix {
		for _, p := range places[copy][:n] {
			m = m.Flip(int(p)%64, int(p)/64)
		}
		return m
	}
	for name, c := range map[string]struct {
		first, second int
		err           error
	}{
		"ok/three in both":     {3, 3, nil},
		"ok/first copy worse":  {6, 0, nil},
		"ok/second copy worse": {0, 6, nil},
		"error/four in both":   {4, 4, ErrDamaged},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := Read(flip(flip(m, 0, c.first), 1, c.second))
			if err != c.err {
				t.Fatalf("error %v, want %v", err, c.err)
			}
			if err == nil && (got.Level != Q || got.Mask != 5 || got.Text != "akashi") {
				t.Errorf("read %v, mask %d", got.Level, got.Mask)
			}
		})
	}
}

func TestReadNoSymbol(t *testing.T) {
	for name, m := range map[string]*Matrix{"error/nil": nil, "error/zero": {}, "error/white": newMatrix(7)} {
		t.Run(name, func(t *testing.T) {
			if _, err := Read(m); err != ErrDamaged {
				t.Errorf("error %v, want ErrDamaged", err)
			}
		})
	}
}

func TestParse(t *testing.T) {
	bits := func(pairs ...int) []byte {
		w := bitWriter{}
		for i := 0; i < len(pairs); i += 2 {
			w.put(uint32(pairs[i]), pairs[i+1])
		}
		w.finish(19)
		return w.buf
	}
	for name, c := range map[string]struct {
		data []byte
		text string
		ok   bool
	}{
		"ok/no terminator":           {[]byte{0x41, 0x6B}[:0], "", true},
		"ok/eci for UTF-8":           {bits(7, 4, 26, 8, 4, 4, 2, 8, 0xC3, 8, 0xA9, 8), "é", true},
		"error/eci for Shift JIS":    {bits(7, 4, 20, 8, 4, 4, 1, 8, 'a', 8), "", false},
		"error/kanji":                {bits(8, 4, 1, 8, 1, 13), "", false},
		"error/structured append":    {bits(3, 4, 0, 16), "", false},
		"error/count beyond the end": {bits(4, 4, 200, 8), "", false},
		"error/count cut off":        {[]byte{0x40}, "", false},
		"error/1000 as three digits": {bits(1, 4, 3, 10, 1000, 10), "", false},
		"error/100 as two digits":    {bits(1, 4, 2, 10, 100, 7), "", false},
		"error/10 as one digit":      {bits(1, 4, 1, 10, 10, 4), "", false},
		"error/2025 as two letters":  {bits(2, 4, 2, 9, 2025, 11), "", false},
		"error/45 as one letter":     {bits(2, 4, 1, 9, 45, 6), "", false},
	} {
		t.Run(name, func(t *testing.T) {
			segments, ok := parse(c.data, 0)
			if ok != c.ok || textOf(segments) != c.text {
				t.Errorf("%q, %v; want %q, %v", textOf(segments), ok, c.text, c.ok)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte{1}, uint8(0), uint8(0))
	f.Add([]byte("a random matrix"), uint8(6), uint8(3))
	f.Fuzz(func(t *testing.T, modules []byte, version, format uint8) {
		m := newMatrix(1 + int(version)%MaxVersion)
		for i, l := 0, layoutOf(m.Version); i < min(len(modules), len(l.order)/8); i++ {
			for j, p := range l.order[8*i:][:8] {
				m.rows[p>>6] |= uint64(modules[i]>>j&1) << (p & 63)
			}
		}
		putFormat(m.rows, &layoutOf(m.Version).format, formatBits(Level(format&3), int(format>>2&7)))
		_, _ = Read(m)
		parse(modules, int(version)%3)
	})
}

func FuzzEncodeRead(f *testing.F) {
	f.Add("shc:/5676290952432060346029243740446031222959532654603460292540772804", uint8(1), uint16(0), uint16(0))
	f.Add("HC1:6BFOXN%TSMAHN-H3YS1IK47ES6IXJR4E47X5*T917VF+UOGIS1RYZV:X9", uint8(2), uint16(7), uint16(900))
	f.Add("証明書 {\"data\":1234567890123}", uint8(3), uint16(400), uint16(401))
	f.Fuzz(func(t *testing.T, text string, level uint8, a, b uint16) {
		m, err := EncodeText(text, Level(level%4), MaxVersion)
		if err == ErrTooLong && len(text) > 1273 {
			return
		}
		if err != nil {
			t.Fatal(err)
		}
		got, err := Read(m)
		if err != nil || got.Text != text || got.Corrected != 0 {
			t.Fatalf("%d-%v: %v, %d corrected", m.Version, m.Level, err, got.Corrected)
		}
		if m.Version < 2 { // 1-Q and 1-H included, all others repair two errors
			return
		}
		order := layoutOf(m.Version).order
		for _, i := range []uint16{a, b} {
			p := int(order[int(i)%len(order)])
			m = m.Flip(p%(64*m.stride), p/(64*m.stride))
		}
		if got, err = Read(m); err != nil || got.Text != text {
			t.Fatalf("%d-%v with two modules inverted: %v", m.Version, m.Level, err)
		}
	})
}

func TestSegments(t *testing.T) {
	for name, c := range map[string]struct {
		text string
		want []Segment
	}{
		"ok/empty":              {"", nil},
		"ok/digits":             {"0123", []Segment{{Numeric, "0123"}}},
		"ok/health card":        {"shc:/567629095243206", []Segment{{Byte, "shc:/"}, {Numeric, "567629095243206"}}},
		"ok/HC1":                {"HC1:6BFOXN", []Segment{{Alphanumeric, "HC1:6BFOXN"}}},
		"ok/few digits stay":    {"abc12def", []Segment{{Byte, "abc12def"}}},
		"ok/many digits do not": {"abc" + strings.Repeat("7", 40), []Segment{{Byte, "abc"}, {Numeric, strings.Repeat("7", 40)}}},
		"ok/Japanese":           {"証明書", []Segment{{Byte, "証明書"}}},
		"ok/longer than any":    {strings.Repeat("1", 7090), []Segment{{Byte, strings.Repeat("1", 7090)}}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Segments(c.text); !slices.Equal(got, c.want) {
				t.Errorf("%d segments, want %d", len(got), len(c.want))
			}
		})
	}
}

// No division of a short text is shorter than the one found: all are tried.
func TestSegmentsOptimal(t *testing.T) {
	r := rand.New(rand.NewPCG(13, 14))
	const alphabet = "0123456789012345678901234567890123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ:/abc"
	usable := func(m Mode, c byte) bool { return check([]Segment{{m, string(c)}}) == nil }
	for range 60 {
		b := make([]byte, 24)
		kind := alphabet[:40]
		for i := range b {
			if r.IntN(8) == 0 {
				kind = [3]string{alphabet[:40], alphabet[:68], alphabet}[r.IntN(3)]
			}
			b[i] = kind[r.IntN(len(kind))]
		}
		text := string(b)
		for class := range classEnds {
			// cheapest[i]: bits for the first i characters, over all last segments
			cheapest := make([]int, len(text)+1)
			for end := 1; end <= len(text); end++ {
				cheapest[end] = 1 << 30
				for _, m := range modes {
					for start := end - 1; start >= 0 && usable(m, text[start]); start-- {
						c := cheapest[start] + bitsOf([]Segment{{m, text[start:end]}}, class)
						cheapest[end] = min(cheapest[end], c)
					}
				}
			}
			got := segmentsFor(text, class)
			if textOf(got) != text || check(got) != nil || bitsOf(got, class) != cheapest[len(text)] {
				t.Errorf("class %d, %q: %d bits, want %d", class, text, bitsOf(got, class), cheapest[len(text)])
			}
		}
	}
}

func TestEncodeText(t *testing.T) {
	text := "shc:/" + strings.Repeat("7", 2390)
	m, err := EncodeText(text, L, 40)
	if err != nil || m.Version != 22 {
		t.Fatal(m, err)
	}
	for _, c := range []struct {
		text string
		max  int
		err  error
	}{{text, 21, ErrTooLong}, {text, 9, ErrTooLong}, {text, 0, ErrInput}, {text, 41, ErrInput}, {strings.Repeat("a", 2954), 40, ErrTooLong}} {
		if _, err := EncodeText(c.text, L, c.max); err != c.err {
			t.Errorf("%d bytes up to version %d: %v, want %v", len(c.text), c.max, err, c.err)
		}
	}
}
