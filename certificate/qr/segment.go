package qr

import "strings"

// Mode says how the characters of a segment are written; the values are the
// mode indicators of ISO/IEC 18004, table 2.
type Mode uint8

const (
	Numeric      Mode = 1 // digits, ten bits for three
	Alphanumeric Mode = 2 // 45 characters, eleven bits for two
	Byte         Mode = 4 // any byte
)

func (m Mode) String() string {
	switch m {
	case Numeric:
		return "numeric"
	case Alphanumeric:
		return "alphanumeric"
	case Byte:
		return "byte"
	}
	return "?"
}

// Segment is a part of the text in one mode.
type Segment struct {
	Mode Mode
	Text string
}

// alphabet holds the alphanumeric characters by value.
const alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// none marks a byte that has no alphanumeric value.
const none = 0xFF

var alphanumericValue = func() (t [256]uint8) {
	for i := range t {
		t[i] = none
		if v := strings.IndexByte(alphabet, byte(i)); v >= 0 {
			t[i] = uint8(v)
		}
	}
	return t
}()

// maxText is the number of characters that no symbol can exceed: digits in 40-L.
const maxText = 7089

// classEnds are the last versions of the three classes, which differ in the
// width of the character count.
var classEnds = [3]int{9, 26, 40}

func classOf(version int) int {
	switch {
	case version <= classEnds[0]:
		return 0
	case version <= classEnds[1]:
		return 1
	}
	return 2
}

// countBits is the width of the character count by class (ISO/IEC 18004, table 3).
func (m Mode) countBits(class int) int {
	switch m {
	case Numeric:
		return [3]int{10, 12, 14}[class]
	case Alphanumeric:
		return [3]int{9, 11, 13}[class]
	}
	return [3]int{8, 16, 16}[class]
}

// textBits returns the bits that n characters take, without the header.
func (m Mode) textBits(n int) int {
	switch m {
	case Numeric:
		return (10*n + 2) / 3
	case Alphanumeric:
		return (11*n + 1) / 2
	}
	return 8 * n
}

// check tells whether the segments can be written at all.
func check(segments []Segment) error {
	total := 0
	for _, s := range segments {
		if total += len(s.Text); total > maxText {
			return ErrTooLong
		}
		switch s.Mode {
		case Numeric:
			for i := 0; i < len(s.Text); i++ {
				if s.Text[i]-'0' > 9 {
					return ErrInput
				}
			}
		case Alphanumeric:
			for i := 0; i < len(s.Text); i++ {
				if alphanumericValue[s.Text[i]] == none {
					return ErrInput
				}
			}
		case Byte:
		default:
			return ErrInput
		}
	}
	return nil
}

// bitsOf returns the length of the segments in a version of the class.
func bitsOf(segments []Segment, class int) int {
	bits := 0
	for _, s := range segments {
		bits += 4 + s.Mode.countBits(class) + s.Mode.textBits(len(s.Text))
	}
	return bits
}

// bitWriter packs bits, most significant first.
type bitWriter struct {
	buf  []byte
	held uint64
	n    int // bits held, fewer than 8 between calls
}

func (w *bitWriter) put(v uint32, bits int) {
	w.held = w.held<<bits | uint64(v)
	for w.n += bits; w.n >= 8; {
		w.n -= 8
		w.buf = append(w.buf, byte(w.held>>w.n))
	}
}

// segment writes one segment that check has passed.
func (w *bitWriter) segment(s Segment, class int) {
	w.put(uint32(s.Mode), 4)
	w.put(uint32(len(s.Text)), s.Mode.countBits(class))
	t := s.Text
	switch s.Mode {
	case Numeric:
		for ; len(t) >= 3; t = t[3:] {
			w.put(uint32(t[0]-'0')*100+uint32(t[1]-'0')*10+uint32(t[2]-'0'), 10)
		}
		switch len(t) {
		case 2:
			w.put(uint32(t[0]-'0')*10+uint32(t[1]-'0'), 7)
		case 1:
			w.put(uint32(t[0]-'0'), 4)
		}
	case Alphanumeric:
		for ; len(t) >= 2; t = t[2:] {
			w.put(uint32(alphanumericValue[t[0]])*45+uint32(alphanumericValue[t[1]]), 11)
		}
		if len(t) == 1 {
			w.put(uint32(alphanumericValue[t[0]]), 6)
		}
	default:
		for i := 0; i < len(t); i++ {
			w.put(uint32(t[i]), 8)
		}
	}
}

// finish adds terminator and padding up to capacity bytes (ISO/IEC 18004, 7.4.9 and 7.4.10).
func (w *bitWriter) finish(capacity int) {
	w.put(0, min(4, capacity*8-len(w.buf)*8-w.n))
	if w.n > 0 {
		w.put(0, 8-w.n)
	}
	for pad := byte(0xEC); len(w.buf) < capacity; pad ^= 0xEC ^ 0x11 {
		w.buf = append(w.buf, pad)
	}
}
