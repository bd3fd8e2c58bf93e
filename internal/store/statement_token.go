package store

import (
	"slices"
	"strconv"
	"strings"
)

type kind int

const (
	end kind = iota
	name
	literal
	param
	other
)

type token struct {
	kind        kind
	text, upper string
	quoted      bool
	ordinal     int // of a parameter that says which
}

func (t token) word(words ...string) bool {
	return t.kind == name && !t.quoted && slices.Contains(words, t.upper)
}

func (t token) punct(s string) bool { return t.kind == other && t.text == s }

func (t token) lower() string { return strings.ToLower(t.text) }

// tokenize splits a statement; comments are left out.
func tokenize(s string) (list []token) {
	for i := 0; i < len(s); {
		c := s[i]
		rest := s[i:]
		switch {
		case strings.ContainsRune(" \t\r\n", rune(c)):
			i++
		case strings.HasPrefix(rest, "--"):
			i += until(rest, "\n", 2)
		case strings.HasPrefix(rest, "/*"):
			i += until(rest, "*/", 2)
		case c == '\'':
			n := quotedLength(rest)
			list = append(list, token{kind: literal, text: strings.ReplaceAll(strings.Trim(rest[:n], "'"), "''", "'")})
			i += n
		case c == '"' || c == '`':
			n := quotedLength(rest)
			list = append(list, token{kind: name, text: strings.Trim(rest[:n], string(c)), quoted: true})
			i += n
		case c == '?' || c == '$' || c == '@' || c == ':':
			n := 1 + wordLength(rest[1:])
			t := token{kind: param}
			if n > 1 {
				if t.ordinal, _ = strconv.Atoi(rest[1:n]); t.ordinal == 0 {
					t.ordinal = -1 // by name: not understood
				}
			}
			list = append(list, t)
			i += n
		case wordLength(rest) > 0:
			n := wordLength(rest)
			list = append(list, token{kind: name, text: rest[:n], upper: strings.ToUpper(rest[:n])})
			i += n
		default:
			list = append(list, token{kind: other, text: string(c)})
			i++
		}
	}
	return list
}

func until(s, mark string, from int) int {
	if n := strings.Index(s[from:], mark); n >= 0 {
		return from + n + len(mark)
	}
	return len(s)
}

// quotedLength is that of what begins with a quote; a doubled quote does not end it.
func quotedLength(s string) int {
	for i := 1; i < len(s); i++ {
		if s[i] != s[0] {
			continue
		}
		if i+1 < len(s) && s[i+1] == s[0] {
			i++
			continue
		}
		return i + 1
	}
	return len(s)
}

func wordLength(s string) (n int) {
	for n < len(s) && (s[n] == '_' || s[n] >= 0x80 || s[n] >= '0' && s[n] <= '9' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
		n++
	}
	return n
}
