// Package strictjson refuses JSON on which parsers disagree: duplicate names,
// invalid UTF-8, lone surrogates, trailing data, deep nesting (S-034). Parse reads
// what Check accepts; the grammar itself is judged by encoding/json.
//
// Beware when decoding into structs: encoding/json matches field names without
// regard to case, so {"n":…,"N":…} passes Check and still has two values for one
// field. Signed data should be read by Parse or into map[string]json.RawMessage.
package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// The reasons for which a text is refused. They never quote the text.
var (
	ErrSyntax    = errors.New("not one JSON value")
	ErrUTF8      = errors.New("invalid UTF-8")
	ErrSurrogate = errors.New("half of a surrogate pair")
	ErrDuplicate = errors.New("duplicate member name")
	ErrDepth     = errors.New("nested too deeply")
)

// Check tells whether b is exactly one JSON value (RFC 8259) with at most
// maxDepth levels of arrays and objects, unique member names in each object,
// and nothing but white space after it. Names are compared after decoding, so
// "\u0061" is "a".
func Check(b []byte, maxDepth int) error {
	_, err := Parse(b, maxDepth)
	return err
}

// Parse returns the value of a text that Check accepts: a map[string]any, []any,
// string, json.Number, bool or nil, as encoding/json decodes it with UseNumber.
func Parse(b []byte, maxDepth int) (any, error) {
	return parse(&parser{text: string(b), depth: maxDepth}, b)
}

// Members is Parse that also gives the members of the first object as they are
// written, without the white space around them: signatures cover texts.
func Members(b []byte, maxDepth int) (value any, texts map[string]string, err error) {
	texts = map[string]string{}
	value, err = parse(&parser{text: string(b), depth: maxDepth, texts: texts}, b)
	return value, texts, err
}

// Values returns how many values a text may have, its own ones and those within: no more than
// that, whether it is JSON or not. It allocates nothing, so that a limit can be set before
// a text is read, which takes about a hundred bytes for each value.
func Values(b []byte) int {
	count, quoted := 1, false
	for i := 0; i < len(b); i++ {
		switch c := b[i]; {
		case quoted && c == '\\':
			i++
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == '[' || c == '{'):
			count++
		}
	}
	return count
}

func parse(p *parser, b []byte) (any, error) {
	if !utf8.Valid(b) {
		return nil, ErrUTF8
	}
	if !json.Valid(b) {
		return nil, ErrSyntax
	}
	return p.value()
}

// parser reads a text whose grammar is known to be right. Strings are parts of it.
type parser struct {
	text  string
	at    int
	depth int // levels that may still be opened

	texts map[string]string // where the next object notes its members' texts, or nil
}

func (p *parser) value() (any, error) {
	start := p.next()
	switch p.text[start] {
	case '{':
		return p.object()
	case '[':
		return p.array()
	case '"':
		return p.str()
	}
	for p.at < len(p.text) && !strings.ContainsRune(",]} \t\r\n", rune(p.text[p.at])) {
		p.at++
	}
	switch p.text[start] {
	case 't':
		return true, nil
	case 'f':
		return false, nil
	case 'n':
		return nil, nil
	}
	return json.Number(p.text[start:p.at]), nil
}

// next goes to the next character that is not white space.
func (p *parser) next() int {
	for strings.IndexByte(" \t\r\n", p.text[p.at]) >= 0 {
		p.at++
	}
	return p.at
}

// more tells whether another item comes before the end of an array or object,
// and steps over what stands between.
func (p *parser) more() bool {
	c := p.text[p.next()]
	if c != ']' && c != '}' && c != ',' {
		return true // the first item
	}
	p.at++
	return c == ','
}

func (p *parser) enter() error {
	if p.depth == 0 {
		return ErrDepth
	}
	p.depth--
	p.at++
	return nil
}

func (p *parser) object() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	members := map[string]any{}
	texts := p.texts
	p.texts = nil
	for p.more() {
		p.next()
		name, err := p.str()
		if err != nil {
			return nil, err
		}
		if _, twice := members[name]; twice {
			return nil, ErrDuplicate
		}
		p.next()
		p.at++ // the colon
		start := p.next()
		if members[name], err = p.value(); err != nil {
			return nil, err
		}
		if texts != nil {
			texts[name] = p.text[start:p.at]
		}
	}
	p.depth++
	return members, nil
}

func (p *parser) array() (any, error) {
	if err := p.enter(); err != nil {
		return nil, err
	}
	items := []any{}
	for p.more() {
		item, err := p.value()
		if err != nil {
			return nil, err
		}
		items = append(items, item)
	}
	p.depth++
	return items, nil
}

// str reads a string; one with escapes is left to encoding/json.
func (p *parser) str() (text string, err error) {
	length, escaped, err := literal(p.text[p.at:])
	if err != nil {
		return "", err
	}
	quoted := p.text[p.at : p.at+length]
	p.at += length
	if !escaped {
		return quoted[1 : length-1], nil
	}
	if json.Unmarshal([]byte(quoted), &text) != nil {
		return "", ErrSyntax
	}
	return text, nil
}

// literal measures the string literal at the start of s, with its quotation
// marks, and tells whether it has escapes.
func literal(s string) (length int, escaped bool, err error) {
	for i := 1; ; i++ {
		switch {
		case s[i] == '"':
			return i + 1, escaped, nil
		case s[i] != '\\':
			continue
		}
		escaped = true
		if s[i+1] != 'u' {
			i++
			continue
		}
		unit := hex(s[i+2:])
		i += 5
		switch {
		case unit>>10 == 0xDC00>>10:
			return 0, false, ErrSurrogate
		case unit>>10 == 0xD800>>10:
			if s[i+1] != '\\' || s[i+2] != 'u' || hex(s[i+3:])>>10 != 0xDC00>>10 {
				return 0, false, ErrSurrogate
			}
			i += 6
		}
	}
}

// hex reads the four digits of an escape.
func hex(s string) (unit uint16) {
	for _, c := range []byte(s[:4]) {
		switch {
		case c >= 'a':
			c -= 'a' - 10
		case c >= 'A':
			c -= 'A' - 10
		default:
			c -= '0'
		}
		unit = unit<<4 | uint16(c)
	}
	return unit
}
