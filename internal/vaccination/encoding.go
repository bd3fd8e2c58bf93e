package vaccination

import (
	"bytes"
	"unicode/utf8"

	"golang.org/x/text/encoding/japanese"

	"akashi/internal/fault"
)

// Encodings of files (codes-and-files.md 6.5).
const (
	ASCII   = "ascii"
	UTF8    = "utf-8"
	UTF8BOM = "utf-8-bom"
	CP932   = "cp932" // Windows-31J
)

var mark = []byte{0xEF, 0xBB, 0xBF}

// detect tells the encoding of a file and returns it without its mark: a mark
// means UTF-8, valid text with multibyte characters is UTF-8, the rest CP932. A
// file that is mostly UTF-8 but broken is refused: read as CP932 it would give
// names that look like names and are none.
func detect(file []byte) (encoding string, text []byte, err error) {
	switch {
	case bytes.HasPrefix(file, mark):
		if !utf8.Valid(file) {
			return "", nil, fault.New(fault.Invalid, "encoding_broken", "")
		}
		return UTF8BOM, file[len(mark):], nil
	case bytes.HasPrefix(file, []byte{0xFF, 0xFE}), bytes.HasPrefix(file, []byte{0xFE, 0xFF}):
		return "", nil, fault.New(fault.Invalid, "encoding_unknown", "")
	}
	long, broken, ascii := census(file)
	switch {
	case ascii:
		return ASCII, file, nil
	case broken == 0:
		return UTF8, file, nil
	case long > broken:
		return "", nil, fault.New(fault.Invalid, "encoding_broken", "")
	}
	return CP932, file, nil
}

// census counts the characters of three and four bytes, which CP932 text hardly
// ever forms by chance, and the bytes that are not UTF-8.
func census(file []byte) (long, broken int, ascii bool) {
	ascii = true
	for i := 0; i < len(file); {
		if file[i] < utf8.RuneSelf {
			i++
			continue
		}
		ascii = false
		r, n := utf8.DecodeRune(file[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			broken++
		case n >= 3:
			long++
		}
		i += n
	}
	return long, broken, ascii
}

// ReadText returns a file as UTF-8 with the encoding that it had; fault Invalid
// "file_empty", "encoding_broken" or "encoding_unknown".
func ReadText(file []byte) (encoding string, text []byte, err error) {
	if len(bytes.TrimSpace(file)) == 0 {
		return "", nil, fault.New(fault.Invalid, "file_empty", "")
	}
	if encoding, text, err = detect(file); err != nil {
		return "", nil, err
	}
	text, ok := decode(encoding, text)
	if !ok {
		return "", nil, fault.New(fault.Invalid, "encoding_broken", "")
	}
	return encoding, text, nil
}

// decode turns one line of a file into UTF-8; ok is false when a byte has no meaning.
func decode(encoding string, line []byte) (text []byte, ok bool) {
	if encoding != CP932 {
		return line, true
	}
	text, err := japanese.ShiftJIS.NewDecoder().Bytes(line)
	return text, err == nil && !bytes.ContainsRune(text, utf8.RuneError)
}
