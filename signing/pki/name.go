package pki

import (
	"encoding/asn1"
	"encoding/hex"
	"slices"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Name is a distinguished name.
type Name struct {
	Raw   []byte
	parts []relativeName
}

// relativeName is one RelativeDistinguishedName, sorted by attribute type.
type relativeName []attribute

type attribute struct {
	kind    string // object identifier
	value   string // as written
	compare string // as compared
}

const (
	typeCommonName = "2.5.4.3"
	typeCountry    = "2.5.4.6"
	typeLocality   = "2.5.4.7"
)

var typeLabels = map[string]string{
	typeCommonName: "CN", typeCountry: "C", "2.5.4.5": "serialNumber", typeLocality: "L", "2.5.4.8": "ST", "2.5.4.10": "O", "2.5.4.11": "OU",
}

// Country returns the country attribute in capital letters, "" if there is none or more than one.
func (n Name) Country() string { return strings.ToUpper(n.only(typeCountry)) }

// CommonName returns the common name, "" if there is none or more than one.
func (n Name) CommonName() string { return n.only(typeCommonName) }

// Equal compares two names by value (X.520, 8.1): string types, case and the number of
// blanks do not matter, the order of the parts does.
func (n Name) Equal(o Name) bool {
	return slices.EqualFunc(n.parts, o.parts, func(a, b relativeName) bool {
		return slices.EqualFunc(a, b, func(x, y attribute) bool { return x.kind == y.kind && x.compare == y.compare })
	})
}

// IsEmpty tells whether the name has no parts.
func (n Name) IsEmpty() bool { return len(n.parts) == 0 }

// String writes the name for people, in the order of the certificate: "C=JP, CN=The Digital Agency".
func (n Name) String() string {
	var out []string
	for _, part := range n.parts {
		for _, a := range part {
			label := typeLabels[a.kind]
			if label == "" {
				label = a.kind
			}
			out = append(out, label+"="+a.value)
		}
	}
	return strings.Map(printable, strings.Join(out, ", "))
}

// printable keeps a foreign name from moving the cursor or turning the direction of writing.
func printable(r rune) rune {
	if !unicode.IsPrint(r) {
		return unicode.ReplacementChar
	}
	return r
}

func (n Name) only(kind string) (value string) {
	found := 0
	for _, part := range n.parts {
		for _, a := range part {
			if a.kind == kind {
				value = a.value
				found++
			}
		}
	}
	if found != 1 {
		return ""
	}
	return value
}

func readName(in *cryptobyte.String) (Name, bool) {
	var raw, sequence cryptobyte.String
	if !in.ReadASN1Element(&raw, der.SEQUENCE) {
		return Name{}, false
	}
	name := Name{Raw: raw}
	if !raw.ReadASN1(&sequence, der.SEQUENCE) {
		return Name{}, false
	}
	for count := 0; !sequence.Empty(); {
		var set cryptobyte.String
		if !sequence.ReadASN1(&set, der.SET) || set.Empty() {
			return Name{}, false
		}
		var part relativeName
		for !set.Empty() {
			a, ok := readAttribute(&set)
			if count++; !ok || count > maxParts {
				return Name{}, false
			}
			part = append(part, a)
		}
		slices.SortStableFunc(part, func(a, b attribute) int {
			return strings.Compare(a.kind+"="+a.compare, b.kind+"="+b.compare)
		})
		name.parts = append(name.parts, part)
	}
	return name, true
}

func readAttribute(in *cryptobyte.String) (attribute, bool) {
	var pair, value cryptobyte.String
	var kind asn1.ObjectIdentifier
	var tag der.Tag
	if !in.ReadASN1(&pair, der.SEQUENCE) || !pair.ReadASN1ObjectIdentifier(&kind) || !pair.ReadAnyASN1(&value, &tag) || !pair.Empty() {
		return attribute{}, false
	}
	text, ok := decodeText(tag, value)
	if !ok {
		text = "#" + hex.EncodeToString(value) // compared byte by byte
	}
	compare := strings.ToLower(strings.Join(strings.Fields(text), " "))
	return attribute{kind.String(), text, compare}, true
}

// decodeText reads a directory string; false for other types and damaged strings.
func decodeText(tag der.Tag, b []byte) (string, bool) {
	const tagBMPString = der.Tag(30)
	switch tag {
	case der.UTF8String, der.PrintableString, der.IA5String:
		return string(b), utf8.Valid(b)
	case der.T61String: // ISO 8859-1 in practice
		runes := make([]rune, len(b))
		for i, c := range b {
			runes[i] = rune(c)
		}
		return string(runes), true
	case tagBMPString:
		if len(b)%2 != 0 {
			return "", false
		}
		units := make([]uint16, len(b)/2)
		for i := range units {
			units[i] = uint16(b[2*i])<<8 | uint16(b[2*i+1])
		}
		return string(utf16.Decode(units)), true
	}
	return "", false
}
