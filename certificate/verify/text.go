package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"strconv"
	"strings"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/qr"
	"akashi/certificate/shc"
	"akashi/certificate/trust"
)

// Limits that act before anything is decoded (S-040).
const (
	maxCode  = 4296     // bytes of the text of one code
	maxJWS   = 64 << 10 // bytes of a health card without its code
	maxFile  = 1 << 20  // bytes of a file that is no image
	maxLines = 100      // codes in one text file
)

// Text judges the text of one code: a health card (shc:/ and digits, or its compact
// JWS), a VDS-NC bar code (JSON), an HC1 code (EU certificate, yellow card and others) or
// a DIVOC code. White space around it does not matter, but after an HC1 code only line
// ends do not.
func Text(text string, b *trust.Bundle, at time.Time) Verdict {
	trimmed := strings.TrimSpace(text)
	switch kind := kindOf(trimmed); {
	case len(text) > maxJWS, kind != kindJWS && len(trimmed) > maxCode:
		return unreadable("", b, at, TooLong)
	case kind == kindNumeric:
		return numericVerdict([]string{text}, b, at)
	case kind == kindJWS:
		return cardVerdict(text, nil, b, at)
	case kind == kindJSON:
		return barcodeVerdict(trimmed, b, at)
	case kind == kindHC1:
		return healthVerdict(text, b, at) // a space at its end is a symbol
	case kind == kindDIVOC:
		return divocVerdict(trimmed, b, at)
	case kind == kindOther:
		return unreadable("", b, at, FamilyNotSupported)
	}
	return unreadable("", b, at, NotRecognised)
}

// Texts judges the texts of all codes of one health card that was split over
// several (deprecated in December 2022), in any order.
func Texts(texts []string, b *trust.Bundle, at time.Time) Verdict {
	if len(texts) == 1 {
		return Text(texts[0], b, at)
	}
	for _, t := range texts {
		if len(t) > maxCode {
			return unreadable("", b, at, TooLong)
		}
	}
	return numericVerdict(texts, b, at)
}

// MaxPicture is the size in bytes of the largest picture that File reads.
const MaxPicture = qr.MaxImageFile

// The forms in which a code comes.
type kind int

const (
	kindUnknown kind = iota
	kindNumeric
	kindJWS
	kindJSON
	kindHC1
	kindDIVOC
	kindOther // a family that is known but not read here
)

func kindOf(text string) kind {
	switch {
	case strings.HasPrefix(text, "shc:"):
		return kindNumeric
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return kindJSON
	case isHC(text):
		return kindHC1
	case hcert.IsDIVOC(text):
		return kindDIVOC
	case strings.HasPrefix(text, "shlink:/"), strings.Contains(text, "#shlink:/"):
		return kindOther
	case strings.Count(text, ".") >= 2 && !strings.ContainsAny(text, " \t\r\n/:"):
		return kindJWS
	}
	return kindUnknown
}

// isHC tells whether a text has the context identifier of a health certificate, of any version.
func isHC(text string) bool {
	return len(text) >= len(hcert.Prefix) && text[:2] == hcert.Prefix[:2] && text[3] == ':' &&
		(text[2] >= '1' && text[2] <= '9' || text[2] >= 'A' && text[2] <= 'Z')
}

// File judges all certificates of a file: a card file (.smart-health-card), the
// answer of $health-cards-issue (FHIR Parameters), the text of a code, several shc:/
// lines (the parts of one card, or one card each), several HC1 lines, or a picture of one or more codes
// (PNG or JPEG, such as a scanned page of A4 at up to 300 dpi). There is at least one
// verdict, and one for each code. What the file is, is seen from its content; the
// name matters for broken card files only.
func File(name string, content []byte, b *trust.Bundle, at time.Time) []Verdict {
	if isPicture(content) {
		return picture(content, b, at)
	}
	if len(content) > maxFile {
		return []Verdict{unreadable("", b, at, TooLong)}
	}
	trimmed := bytes.TrimSpace(content)
	switch {
	case bytes.HasPrefix(trimmed, []byte("%PDF-")):
		return []Verdict{unreadable("", b, at, FileNotSupported)}
	case path.Ext(name) == shc.FileExtension, cardReader(trimmed) != nil:
		return cardFile(content, b, at)
	case bytes.HasPrefix(trimmed, []byte(shc.Scheme)):
		return lines(string(content), b, at)
	case bytes.HasPrefix(trimmed, []byte(hcert.Prefix)):
		return healthLines(string(content), b, at)
	}
	return []Verdict{Text(string(content), b, at)}
}

func isPicture(content []byte) bool {
	return bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")) || bytes.HasPrefix(content, []byte("\xff\xd8\xff"))
}

// picture judges every code of a picture. One that is seen but cannot be read is a
// verdict of its own: a code that nobody judged must not hide beside a good one.
func picture(content []byte, b *trust.Bundle, at time.Time) []Verdict {
	readings, unread, err := qr.ReadImages(bytes.NewReader(content))
	switch {
	case errors.Is(err, qr.ErrImageTooLarge):
		return []Verdict{unreadable("", b, at, TooLong)}
	case errors.Is(err, qr.ErrNotFound):
		return []Verdict{unreadable("", b, at, ImageWithoutCode)}
	case err != nil || len(readings) == 0:
		return []Verdict{unreadable("", b, at, ImageUnreadable)}
	}
	out := symbols(readings, b, at)
	if unread > 0 {
		out = append(out, unreadable("", b, at, SymbolUnread, "symbols", strconv.Itoa(unread)))
	}
	return out
}

// symbols judges what was read; the parts of a split card are one.
func symbols(readings []qr.Reading, b *trust.Bundle, at time.Time) (out []Verdict) {
	var parts, flaws []string
	for _, r := range readings {
		switch {
		case kindOf(r.Text) != kindNumeric:
			out = append(out, Text(r.Text, b, at))
		case isPart(r.Text):
			parts, flaws = append(parts, r.Text), append(flaws, shc.SymbolNotes(r)...)
		default:
			out = append(out, numericVerdict([]string{r.Text}, b, at, shc.SymbolNotes(r)...))
		}
	}
	if len(parts) > 0 {
		out = append(out, numericVerdict(parts, b, at, flaws...))
	}
	return out
}

// isPart tells whether a numeric text says that it is one of several (shc:/1/2/…).
func isPart(text string) bool { return strings.Contains(strings.TrimPrefix(text, shc.Scheme), "/") }

// cardReader returns what reads the cards of a JSON file; nil for others.
func cardReader(content []byte) func([]byte) (jws, notes []string, err error) {
	var file struct {
		Cards json.RawMessage `json:"verifiableCredential"`
		Kind  string          `json:"resourceType"`
	}
	switch {
	case json.Unmarshal(content, &file) != nil:
		return nil
	case file.Kind == "Parameters":
		return shc.ParseParameters
	case file.Cards != nil:
		return shc.ParseFile
	}
	return nil
}

func cardFile(content []byte, b *trust.Bundle, at time.Time) []Verdict {
	read := cardReader(content)
	if read == nil {
		read = shc.ParseFile // says what is wrong
	}
	cards, notes, err := read(content)
	if err != nil {
		return []Verdict{refusedCard(err, b, at)}
	}
	out := make([]Verdict, 0, len(cards))
	for _, jws := range cards {
		out = append(out, cardVerdict(jws, notes, b, at))
	}
	return out
}

// healthLines judges HC1 codes, one a line: each dose of a person has its own. Spaces are
// symbols, so only line ends part them.
func healthLines(text string, b *trust.Bundle, at time.Time) (out []Verdict) {
	list := strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == '\r' })
	if len(list) > maxLines {
		return []Verdict{unreadable(certificate.HCERT, b, at, TooLong)}
	}
	for _, line := range list {
		if strings.TrimSpace(line) != "" {
			out = append(out, Text(line, b, at))
		}
	}
	return out
}

func lines(text string, b *trust.Bundle, at time.Time) []Verdict {
	list := strings.Fields(text)
	switch {
	case len(list) > maxLines:
		return []Verdict{unreadable(certificate.SHC, b, at, TooLong)}
	case len(list) == 1:
		return []Verdict{Text(text, b, at)}
	case isPart(list[0]):
		return []Verdict{Texts(list, b, at)}
	}
	out := make([]Verdict, 0, len(list))
	for _, line := range list {
		out = append(out, Text(line, b, at))
	}
	return out
}
