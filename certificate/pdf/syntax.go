package pdf

import (
	"bytes"
	"encoding/hex"
	"errors"
	"strconv"
)

// Values of PDF syntax (ISO 32000-1, 7.3) as the lexer returns them: int,
// float64, bool, nil, literal, name, array, dict, ref, and operator in content.
type (
	name     string
	literal  string // a string object, decoded
	operator string
	array    []any
	dict     map[name]any
	ref      int // object number; the generation is always 0 here
)

var errSyntax = errors.New("pdf: syntax error")

// lexer reads the syntax of the files that fpdf and this package write. It is
// no general PDF reader.
type lexer struct {
	data    []byte
	at      int
	decoded []byte // the string of the last token
}

const maxNesting = 16

func isSpace(c byte) bool {
	return c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == '\f' || c == 0
}
func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func (l *lexer) skipSpace() {
	for l.at < len(l.data) {
		switch c := l.data[l.at]; {
		case isSpace(c):
			l.at++
		case c == '%':
			for l.at < len(l.data) && l.data[l.at] != '\n' && l.data[l.at] != '\r' {
				l.at++
			}
		default:
			return
		}
	}
}

// done tells whether only white space is left.
func (l *lexer) done() bool { l.skipSpace(); return l.at >= len(l.data) }

// has skips a fixed text and tells whether it was there.
func (l *lexer) has(s string) bool {
	if bytes.HasPrefix(l.data[min(l.at, len(l.data)):], []byte(s)) {
		l.at += len(s)
		return true
	}
	return false
}

// value reads the next object or operator.
func (l *lexer) value(depth int) (any, error) {
	if depth > maxNesting || l.done() {
		return nil, errSyntax
	}
	switch l.data[l.at] {
	case '<':
		if l.has("<<") {
			return l.dict(depth)
		}
		l.at++
		return l.hex()
	case '[':
		l.at++
		return l.array(depth)
	case '(':
		l.at++
		return l.literal()
	case '/':
		l.at++
		return name(l.word()), nil
	}
	w := l.word()
	if len(w) == 0 {
		return nil, errSyntax
	}
	if isNumeric(w[0]) {
		if bytes.IndexByte(w, '.') < 0 {
			n, err := strconv.Atoi(string(w))
			return l.refOr(n), err
		}
		return strconv.ParseFloat(string(w), 64)
	}
	switch string(w) {
	case "true", "false":
		return string(w) == "true", nil
	case "null":
		return nil, nil
	}
	return operator(w), nil
}

func (l *lexer) word() []byte {
	start := l.at
	for l.at < len(l.data) && !isSpace(l.data[l.at]) && !isDelimiter(l.data[l.at]) {
		l.at++
	}
	return l.data[start:l.at]
}

// refOr returns the reference "n 0 R", or n itself when no reference follows.
func (l *lexer) refOr(n int) any {
	rest := l.data[l.at:]
	if n > 0 && bytes.HasPrefix(rest, []byte(" 0 R")) && (len(rest) == 4 || isSpace(rest[4]) || isDelimiter(rest[4])) {
		l.at += 4
		return ref(n)
	}
	return n
}

func (l *lexer) array(depth int) (array, error) {
	var a array
	for {
		if l.done() {
			return nil, errSyntax
		}
		if l.has("]") {
			return a, nil
		}
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		a = append(a, v)
	}
}

func (l *lexer) dict(depth int) (dict, error) {
	d := dict{}
	for {
		if l.done() {
			return nil, errSyntax
		}
		if l.has(">>") {
			return d, nil
		}
		if !l.has("/") {
			return nil, errSyntax
		}
		key := name(l.word())
		v, err := l.value(depth + 1)
		if err != nil {
			return nil, err
		}
		d[key] = v
	}
}

func (l *lexer) literal() (literal, error) {
	out, err := l.appendLiteral(nil)
	return literal(out), err
}

// appendLiteral decodes the string in round brackets whose first one was read.
func (l *lexer) appendLiteral(out []byte) ([]byte, error) {
	for depth := 1; l.at < len(l.data); l.at++ {
		c := l.data[l.at]
		switch c {
		case '\\':
			l.at++
			if l.at == len(l.data) {
				return nil, errSyntax
			}
			switch c = l.data[l.at]; c {
			case 'r':
				c = '\r'
			case '\\', '(', ')':
			default: // fpdf writes no others
				return nil, errSyntax
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				l.at++
				return out, nil
			}
		}
		out = append(out, c)
	}
	return nil, errSyntax
}

func (l *lexer) hex() (literal, error) {
	var few [32]byte
	out, err := l.appendHex(few[:0])
	return literal(out), err
}

// appendHex decodes the string in angle brackets whose first one was read.
func (l *lexer) appendHex(out []byte) ([]byte, error) {
	end := bytes.IndexByte(l.data[l.at:], '>')
	if end < 0 || end%2 != 0 {
		return nil, errSyntax
	}
	out, err := hex.AppendDecode(out, l.data[l.at:l.at+end])
	if err != nil {
		return nil, errSyntax
	}
	l.at += end + 1
	return out, nil
}

// Kinds of a token. Numbers and brackets are of the kind other.
const (
	other = iota
	nameToken
	stringToken
	operatorToken
)

// token reads the next piece of a content stream or a table of texts, without
// making values of them: of the dictionaries and arrays in it each bracket and each
// member is a token. The text holds until the next token.
func (l *lexer) token() (kind int, text []byte, err error) {
	if l.done() {
		return other, nil, errSyntax
	}
	c, next := l.data[l.at], byte(0)
	if l.at+1 < len(l.data) {
		next = l.data[l.at+1]
	}
	l.at++
	switch c {
	case '(':
		l.decoded, err = l.appendLiteral(l.decoded[:0])
		return stringToken, l.decoded, err
	case '/':
		return nameToken, l.word(), nil
	case '[', ']':
		return other, nil, nil
	case '<', '>':
		if next == c {
			l.at++
			return other, nil, nil
		}
		if c == '<' {
			l.decoded, err = l.appendHex(l.decoded[:0])
			return stringToken, l.decoded, err
		}
	}
	l.at--
	switch text = l.word(); {
	case len(text) == 0:
		return other, nil, errSyntax
	case isNumeric(c):
		return other, nil, nil
	}
	return operatorToken, text, nil
}

func isNumeric(c byte) bool { return c >= '0' && c <= '9' || c == '-' || c == '+' || c == '.' }
