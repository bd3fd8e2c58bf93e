package shc

import (
	"slices"
	"strconv"
	"strings"

	"akashi/certificate/qr"
)

// Scheme opens the text of a card's QR code.
const Scheme = "shc:/"

// Notes that reading may leave: flaws that do not spoil a card.
const (
	NoteWhiteSpace  = "white_space"  // around the text, the file or the claims
	NoteChunks      = "chunks"       // split over several codes, deprecated in December 2022
	NoteChunkHeader = "chunk_header" // 1/1 on a single code

	NoteSymbolVersion  = "symbol_version"  // the QR symbol is larger than version 22
	NoteSymbolSegments = "symbol_segments" // the QR symbol has other segments than Segments
)

const maxSymbolVersion = 22

// Numeric returns the text of a card's QR code: the scheme and two digits for
// each character of the JWS, its ASCII code less 45 (spec, 6).
func Numeric(jws string) (string, error) {
	out := make([]byte, 0, len(Scheme)+2*len(jws))
	out = append(out, Scheme...)
	for i := range len(jws) {
		c := jws[i]
		if c < '-' || c > 'z' {
			return "", fail(StepDigits, "character_out_of_range", "")
		}
		out = append(out, '0'+(c-'-')/10, '0'+(c-'-')%10)
	}
	return string(out), nil
}

// Segments returns the two segments that the standard demands for the text made
// by Numeric: the scheme as bytes, the rest as digits. A single byte segment
// would decode to the same text in a far larger symbol.
func Segments(numeric string) []qr.Segment {
	return []qr.Segment{
		{Mode: qr.Byte, Text: Scheme},
		{Mode: qr.Numeric, Text: strings.TrimPrefix(numeric, Scheme)},
	}
}

// SymbolNotes names what the QR symbol of a single code has against the standard
// (spec, 6). A reader takes it all the same.
func SymbolNotes(r qr.Reading) (notes []string) {
	if r.Version > maxSymbolVersion {
		notes = append(notes, NoteSymbolVersion)
	}
	if !slices.Equal(r.Segments, Segments(r.Text)) {
		notes = append(notes, NoteSymbolSegments)
	}
	return notes
}

// FromNumeric reads the text of one QR code, or all texts of a card that was
// split in the deprecated way (shc:/C/N/…), in any order. Notes name flaws that
// do not spoil the card.
func FromNumeric(texts ...string) (jws string, notes []string, err error) {
	if len(texts) == 0 || len(texts) > maxChunks {
		return "", nil, fail(StepDigits, "chunk_count", "")
	}
	parts := make([]string, len(texts))
	spaced, single := false, false
	total := 0
	for _, text := range texts {
		trimmed := strings.TrimSpace(text)
		spaced = spaced || trimmed != text
		c, err := readChunk(trimmed)
		if err != nil {
			return "", nil, err
		}
		if c.of != len(texts) {
			return "", nil, fail(StepDigits, "chunk_count", "")
		}
		if parts[c.number-1] != "" {
			return "", nil, fail(StepDigits, "chunk_twice", "")
		}
		if total += len(c.digits) / 2; total > maxJWS {
			return "", nil, fail(StepDigits, "too_long", "")
		}
		if parts[c.number-1], err = fromDigits(c.digits); err != nil {
			return "", nil, err
		}
		single = c.header && c.of == 1
	}
	if spaced {
		notes = append(notes, NoteWhiteSpace)
	}
	if len(texts) > 1 {
		notes = append(notes, NoteChunks)
	}
	if single {
		notes = append(notes, NoteChunkHeader)
	}
	return strings.Join(parts, ""), notes, nil
}

type chunk struct {
	number, of int
	header     bool
	digits     string
}

func readChunk(text string) (chunk, error) {
	digits, ok := strings.CutPrefix(text, Scheme)
	if !ok {
		return chunk{}, fail(StepScheme, "not_shc", "")
	}
	fields := strings.Split(digits, "/")
	switch len(fields) {
	case 1:
		return chunk{1, 1, false, digits}, nil
	case 3:
		c := chunk{chunkNumber(fields[0]), chunkNumber(fields[1]), true, fields[2]}
		if c.number == 0 || c.of == 0 || c.number > c.of {
			return chunk{}, fail(StepDigits, "chunk_index", "")
		}
		return c, nil
	}
	return chunk{}, fail(StepDigits, "chunk_header", "")
}

// chunkNumber reads 1 to maxChunks as written by strconv.Itoa; 0 otherwise.
func chunkNumber(s string) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 || n > maxChunks || strconv.Itoa(n) != s {
		return 0
	}
	return n
}

func fromDigits(s string) (string, error) {
	if s == "" {
		return "", fail(StepDigits, "empty", "")
	}
	if len(s)%2 != 0 {
		return "", fail(StepDigits, "odd_count", "")
	}
	out := make([]byte, len(s)/2)
	for i := range out {
		tens, ones := s[2*i]-'0', s[2*i+1]-'0'
		if tens > 9 || ones > 9 {
			return "", fail(StepDigits, "not_a_digit", "")
		}
		pair := tens*10 + ones
		if pair > 'z'-'-' {
			return "", fail(StepDigits, "pair_above_77", "")
		}
		out[i] = '-' + pair
	}
	return string(out), nil
}
