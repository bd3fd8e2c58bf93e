package vdsnc

import (
	"bytes"

	"github.com/gowebpki/jcs"
)

// canonical returns the canonical form (RFC 8785) of an object in valid JSON and
// UTF-8. What Japan and we write has that form already and is only looked at.
func canonical(b []byte) ([]byte, error) {
	if isCanonical(b) {
		return b, nil
	}
	return jcs.Transform(b)
}

// level is an array or object that is still open.
type level struct {
	object bool
	last   []byte // the name before, of an object
}

// isCanonical tells whether an object in valid JSON and UTF-8 surely is its own
// canonical form: no white space, no escapes, names of ASCII in order, and whole
// numbers of so few digits that they have one notation. Of all others jcs knows.
func isCanonical(b []byte) bool {
	if !bytes.HasPrefix(b, []byte("{")) {
		return false
	}
	var open []level
	isName := false // the next string is a name
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case c == '{', c == '[':
			isName = c == '{'
			open = append(open, level{object: isName})
		case c == '}', c == ']':
			open = open[:len(open)-1]
		case c == ',':
			isName = open[len(open)-1].object
		case c == '"':
			s := b[i+1 : i+1+bytes.IndexByte(b[i+1:], '"')]
			i += 1 + len(s)
			if bytes.IndexByte(s, '\\') >= 0 || isName && !open[len(open)-1].follows(s) {
				return false
			}
			isName = false
		case c == '-', '0' <= c && c <= '9':
			n := wholeNumber(b[i:])
			if n == 0 {
				return false
			}
			i += n - 1
		case bytes.IndexByte([]byte(" \t\r\n"), c) >= 0:
			return false
		}
	}
	return true
}

// follows tells whether a name may come next in an object, and remembers it. Only
// in ASCII is the order of bytes surely that of UTF-16.
func (l *level) follows(name []byte) bool {
	first := l.last == nil
	ascii := bytes.IndexFunc(name, func(r rune) bool { return r >= 0x80 }) < 0
	ok := ascii && (first || bytes.Compare(l.last, name) < 0)
	l.last = name
	return ok
}

// wholeNumber returns the length of the number at the start of b, or 0 if it
// could be written otherwise.
func wholeNumber(b []byte) int {
	n := len(b) - len(bytes.TrimLeft(b, "-0123456789"))
	if n > 15 || bytes.HasPrefix(b, []byte("-0")) || n < len(b) && bytes.IndexByte([]byte(".eE"), b[n]) >= 0 {
		return 0
	}
	return n
}
