package verify

import (
	"bytes"
	"encoding/json"
	"errors"
	"path"
	"strings"
	"time"

	"akashi/certificate"
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

// Text judges the text of one code: a health card (shc:/ and digits, or its
// compact JWS) or a VDS-NC bar code (JSON). White space around it does not matter.
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

// The forms in which a code comes.
type kind int

const (
	kindUnknown kind = iota
	kindNumeric
	kindJWS
	kindJSON
	kindOther // a family that is known but not read here
)

func kindOf(text string) kind {
	switch {
	case strings.HasPrefix(text, "shc:"):
		return kindNumeric
	case strings.HasPrefix(text, "{"), strings.HasPrefix(text, "["):
		return kindJSON
	case strings.HasPrefix(text, "HC1:"), strings.HasPrefix(text, "shlink:/"), strings.Contains(text, "#shlink:/"):
		return kindOther
	case strings.Count(text, ".") >= 2 && !strings.ContainsAny(text, " \t\r\n/:"):
		return kindJWS
	}
	return kindUnknown
}

// File judges all certificates of a file: a card file (.smart-health-card), the
// answer of $health-cards-issue (FHIR Parameters), the text of a code, several shc:/ lines (the parts of one card, or one card each), or a
// picture of one code (PNG or JPEG). There is at least one verdict. What the file
// is, is seen from its content; the name matters for broken card files only.
func File(name string, content []byte, b *trust.Bundle, at time.Time) []Verdict {
	if isPicture(content) {
		return []Verdict{picture(content, b, at)}
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
	}
	return []Verdict{Text(string(content), b, at)}
}

func isPicture(content []byte) bool {
	return bytes.HasPrefix(content, []byte("\x89PNG\r\n\x1a\n")) || bytes.HasPrefix(content, []byte("\xff\xd8\xff"))
}

func picture(content []byte, b *trust.Bundle, at time.Time) Verdict {
	reading, err := qr.ReadImage(bytes.NewReader(content))
	switch {
	case err == nil && kindOf(reading.Text) == kindNumeric:
		return numericVerdict([]string{reading.Text}, b, at, shc.SymbolNotes(reading)...)
	case err == nil:
		return Text(reading.Text, b, at)
	case errors.Is(err, qr.ErrImageTooLarge):
		return unreadable("", b, at, TooLong)
	case errors.Is(err, qr.ErrNotFound):
		return unreadable("", b, at, ImageWithoutCode)
	}
	return unreadable("", b, at, ImageUnreadable)
}

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

func lines(text string, b *trust.Bundle, at time.Time) []Verdict {
	list := strings.Fields(text)
	switch {
	case len(list) > maxLines:
		return []Verdict{unreadable(certificate.SHC, b, at, TooLong)}
	case len(list) == 1:
		return []Verdict{Text(text, b, at)}
	case strings.Contains(strings.TrimPrefix(list[0], shc.Scheme), "/"):
		return []Verdict{Texts(list, b, at)}
	}
	out := make([]Verdict, 0, len(list))
	for _, line := range list {
		out = append(out, Text(line, b, at))
	}
	return out
}
