package chip

import (
	"bytes"
	"crypto"
	"encoding/asn1"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"akashi/signing/pki"
)

// MaxFile is the longest file of a chip that is read, in bytes.
const MaxFile = 64 << 10

// Data groups are numbered from 1 to maxGroups (Doc 9303-10).
const maxGroups = 16

// Tags of files and of the zone in DG1 (Doc 9303-10, 4.6 and 4.7).
const (
	tagSOD  = 0x77
	tagDG1  = 0x61
	tagZone = "\x5f\x1f"
)

var securityObject = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 1}

// contentTypes are those that states are known to write in place of Doc 9303's (spec
// mrz-and-emrtd, 9, step 2). They count for these states only.
var contentTypes = map[string][]asn1.ObjectIdentifier{
	"BEL": {{1, 3, 27, 1, 1, 1}},
	"FRA": {{1, 3, 27, 1, 1, 1}},
	"NLD": {{1, 2, 528, 1, 1006, 1, 20, 1}},
	"CHN": {{1, 2, 840, 113549, 1, 7, 1}},
}

// object is EF.SOD: a signed list of the hashes of data groups.
type object struct {
	signed *pki.SignedData
	hash   crypto.Hash
	groups map[int][]byte
	notes  []string
}

// openSOD reads EF.SOD (steps 1 and 3). Nothing in it is to be trusted yet.
func openSOD(file []byte) (o *object, code string) {
	if len(file) > MaxFile {
		return nil, TooLong
	}
	o = &object{groups: map[int][]byte{}}
	message, rest, ok := pki.ReadElement(file, tagSOD)
	if !ok {
		return nil, NotSOD
	}
	switch {
	case len(rest) == 0:
	case len(bytes.Trim(rest, "\x00")) == 0:
		o.notes = append(o.notes, Padded)
	default:
		return nil, TrailingBytes
	}
	var err error
	if o.signed, err = pki.ParseSignedData(message); err != nil {
		return nil, MessageMalformed
	}
	return o, o.readList(o.signed.Content)
}

// readList reads LDSSecurityObject (Doc 9303-10, 4.6.2.3).
func (o *object) readList(b cryptobyte.String) (code string) {
	var list, identifier, groups cryptobyte.String
	var version int
	if !b.ReadASN1(&list, der.SEQUENCE) || !b.Empty() || !list.ReadASN1Integer(&version) ||
		!list.ReadASN1Element(&identifier, der.SEQUENCE) || !list.ReadASN1(&groups, der.SEQUENCE) {
		return ListMalformed
	}
	switch { // version 1 adds the version of the data structure, which changes nothing here
	case version == 0 && list.Empty():
	case version == 1 && list.SkipASN1(der.SEQUENCE) && list.Empty():
	default:
		return ListMalformed
	}
	var known bool
	if o.hash, known = pki.HashOf(identifier); !known {
		return HashNotSupported
	}
	for !groups.Empty() {
		var pair, sum cryptobyte.String
		var n int
		if !groups.ReadASN1(&pair, der.SEQUENCE) || !pair.ReadASN1Integer(&n) || !pair.ReadASN1(&sum, der.OCTET_STRING) || !pair.Empty() {
			return ListMalformed
		}
		if _, twice := o.groups[n]; twice || n < 1 || n > maxGroups || len(sum) != o.hash.Size() {
			return ListMalformed
		}
		o.groups[n] = sum
	}
	if len(o.groups) < 2 {
		return ListMalformed
	}
	return ""
}

func (o *object) sum(group []byte) []byte {
	h := o.hash.New()
	h.Write(group)
	return h.Sum(nil)
}

func (o *object) weak() bool { return o.hash == crypto.SHA1 || o.signed.Weak() }

// typeFits tells whether the message is of the type that Doc 9303 wants, or that the state is known to write.
func (o *object) typeFits(state string) bool {
	t := o.signed.ContentType
	return t.Equal(securityObject) || slices.ContainsFunc(contentTypes[state], t.Equal)
}

// readDG1 returns the characters of the zone, without line ends.
func readDG1(file []byte) (text string, ok bool) {
	content, rest, ok := pki.ReadElement(file, tagDG1)
	if !ok || len(rest) > 0 || !bytes.HasPrefix(content, []byte(tagZone)) {
		return "", false
	}
	// The length after a tag of two bytes is written like any other.
	zone, rest, ok := pki.ReadElement(append([]byte{byte(der.OCTET_STRING)}, content[len(tagZone):]...), byte(der.OCTET_STRING))
	return string(zone), ok && len(rest) == 0
}
