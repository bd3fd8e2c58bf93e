// Package strictjson refuses JSON on which parsers disagree: duplicate names,
// invalid UTF-8, lone surrogates, trailing data, deep nesting (S-034). It decodes
// nothing: Check the text first, then read it with encoding/json.
//
// Beware when decoding into structs: encoding/json matches field names without
// regard to case, so {"n":…,"N":…} passes Check and still has two values for one
// field. Signed data should be read into map[string]any or map[string]json.RawMessage.
package strictjson

import (
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"
)

// The reasons for which Check refuses a text. They never quote the text.
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
	if !utf8.Valid(b) {
		return ErrUTF8
	}
	if !json.Valid(b) {
		return ErrSyntax
	}
	return walk(b, maxDepth)
}

// walk goes through a text whose grammar is known to be right.
func walk(b []byte, maxDepth int) error {
	var open []map[string]bool // names seen so far; nil for an array
	name := false              // the next string is a member name
	for i := 0; i < len(b); i++ {
		switch b[i] {
		case '{', '[':
			if len(open) == maxDepth {
				return ErrDepth
			}
			var names map[string]bool
			if name = b[i] == '{'; name {
				names = map[string]bool{}
			}
			open = append(open, names)
		case '}', ']':
			open = open[:len(open)-1]
		case ',':
			name = open[len(open)-1] != nil
		case '"':
			text, err := str(b[i:])
			if err != nil {
				return err
			}
			i += len(text) - 1
			if !name {
				continue
			}
			name = false
			if err := add(open[len(open)-1], text); err != nil {
				return err
			}
		}
	}
	return nil
}

// str returns the string literal at the start of b, with its quotation marks.
func str(b []byte) ([]byte, error) {
	for i := 1; ; i++ {
		switch {
		case b[i] == '"':
			return b[:i+1], nil
		case b[i] != '\\':
		case b[i+1] != 'u':
			i++
		default:
			unit := hex(b[i+2:])
			i += 5
			switch {
			case unit>>10 == 0xDC00>>10:
				return nil, ErrSurrogate
			case unit>>10 == 0xD800>>10:
				if b[i+1] != '\\' || b[i+2] != 'u' || hex(b[i+3:])>>10 != 0xDC00>>10 {
					return nil, ErrSurrogate
				}
				i += 6
			}
		}
	}
}

// hex reads the four digits of an escape.
func hex(b []byte) (unit uint16) {
	for _, c := range b[:4] {
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

func add(names map[string]bool, literal []byte) error {
	name := string(literal[1 : len(literal)-1])
	if strings.Contains(name, `\`) {
		if err := json.Unmarshal(literal, &name); err != nil {
			return ErrSyntax
		}
	}
	if names[name] {
		return ErrDuplicate
	}
	names[name] = true
	return nil
}
