package pki

import (
	"crypto/x509"
	"encoding/asn1"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// extension is one Extension of RFC 5280, 4.1.
type extension struct {
	id       asn1.ObjectIdentifier
	critical bool
	value    cryptobyte.String
}

// readExtensionList reads the rest of a signed part: unique identifiers, which
// nobody uses, and the extensions under the given tag. A kind of extension must
// not occur twice (RFC 5280, 4.2).
func readExtensionList(in *cryptobyte.String, tag uint8) ([]extension, error) {
	for _, unique := range []uint8{1, 2} {
		if !in.SkipOptionalASN1(der.Tag(unique).ContextSpecific()) {
			return nil, malformed("unique identifier")
		}
	}
	var field, list cryptobyte.String
	var present bool
	if !in.ReadOptionalASN1(&field, &present, der.Tag(tag).Constructed().ContextSpecific()) || !in.Empty() {
		return nil, malformed("extensions")
	}
	if !present {
		return nil, nil
	}
	if !field.ReadASN1(&list, der.SEQUENCE) || !field.Empty() {
		return nil, malformed("extensions")
	}
	return readExtensions(list)
}

func readExtensions(list cryptobyte.String) ([]extension, error) {
	var out []extension
	seen := map[string]bool{}
	for !list.Empty() {
		var e extension
		var one cryptobyte.String
		if !list.ReadASN1(&one, der.SEQUENCE) || !one.ReadASN1ObjectIdentifier(&e.id) ||
			!readDefaultFalse(&one, &e.critical) || !one.ReadASN1(&e.value, der.OCTET_STRING) || !one.Empty() {
			return nil, malformed("extension")
		}
		if id := e.id.String(); seen[id] || len(out) == maxParts {
			return nil, malformed("extensions: one twice, or too many")
		} else {
			seen[id] = true
		}
		out = append(out, e)
	}
	return out, nil
}

// readDefaultFalse reads BOOLEAN DEFAULT FALSE, also with FALSE spelt out, as some authorities do.
func readDefaultFalse(in *cryptobyte.String, out *bool) bool {
	return !in.PeekASN1Tag(der.BOOLEAN) || in.ReadASN1Boolean(out)
}

func (c *Certificate) readExtensions(tbs cryptobyte.String) error {
	list, err := readExtensionList(&tbs, 3)
	if err != nil {
		return err
	}
	if len(list) > 0 && c.Version != 3 {
		return malformed("extensions before version 3")
	}
	for _, e := range list {
		known, ok := c.readExtension(e)
		if !ok {
			return malformed("extension " + e.id.String())
		}
		if !known && e.critical {
			c.UnknownCritical = append(c.UnknownCritical, e.id)
		}
	}
	return nil
}

func (c *Certificate) readExtension(e extension) (known, ok bool) {
	v := e.value
	switch {
	case e.id.Equal(oidSubjectKeyID):
		var id cryptobyte.String
		ok = v.ReadASN1(&id, der.OCTET_STRING) && v.Empty()
		c.SKI = id
	case e.id.Equal(oidAuthorityKeyID):
		c.AKI, ok = readAuthorityKeyID(v)
	case e.id.Equal(oidBasicConstraints):
		var sequence cryptobyte.String
		ok = v.ReadASN1(&sequence, der.SEQUENCE) && v.Empty() && readDefaultFalse(&sequence, &c.IsCA)
	case e.id.Equal(oidKeyUsage):
		var bits asn1.BitString
		ok = v.ReadASN1BitString(&bits) && v.Empty()
		c.HasKeyUsage, c.KeyUsageCritical = true, e.critical
		for i := range 9 {
			c.KeyUsage |= x509.KeyUsage(bits.At(i) << i)
		}
	case e.id.Equal(oidExtKeyUsage):
		c.ExtKeyUsageCritical = e.critical
		c.ExtKeyUsage, ok = readPurposes(v)
	case e.id.Equal(oidDocumentTypes):
		c.HasDocumentTypes = true
		c.DocumentTypes, ok = readDocumentTypes(v)
	case e.id.Equal(oidPrivateKeyUsage):
		c.PrivateKeyUsage, ok = readPrivateKeyUsage(v)
	case e.id.Equal(oidSubjectAltName):
		c.Localities = readLocalities(v)
		return false, true // who marks it critical wants all of it understood
	default:
		return false, true
	}
	return true, ok
}

func readAuthorityKeyID(v cryptobyte.String) ([]byte, bool) {
	var sequence, id cryptobyte.String
	var present bool
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() ||
		!sequence.ReadOptionalASN1(&id, &present, der.Tag(0).ContextSpecific()) {
		return nil, false
	}
	return id, true
}

func readPurposes(v cryptobyte.String) (purposes []asn1.ObjectIdentifier, ok bool) {
	var sequence cryptobyte.String
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() {
		return nil, false
	}
	for !sequence.Empty() {
		var purpose asn1.ObjectIdentifier
		if !sequence.ReadASN1ObjectIdentifier(&purpose) {
			return nil, false
		}
		purposes = append(purposes, purpose)
	}
	return purposes, true
}

// readDocumentTypes reads SEQUENCE {version INTEGER 0, SET OF PrintableString} (Doc 9303-12, 7.1.1.6),
// and SEQUENCE OF PrintableString, as the Philippines write it.
func readDocumentTypes(v cryptobyte.String) (types []string, ok bool) {
	var sequence, set cryptobyte.String
	var version int
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() {
		return nil, false
	}
	if sequence.PeekASN1Tag(der.PrintableString) {
		set = sequence
	} else if !sequence.ReadASN1Integer(&version) || version != 0 || !sequence.ReadASN1(&set, der.SET) || !sequence.Empty() {
		return nil, false
	}
	for !set.Empty() {
		var one cryptobyte.String
		if !set.ReadASN1(&one, der.PrintableString) {
			return nil, false
		}
		types = append(types, string(one))
	}
	return types, true
}

// readLocalities reads the localities of directory names (Doc 9303-12, 7.1.1.2) and passes
// over all else, for other kinds of names are written in many wrong ways.
func readLocalities(v cryptobyte.String) (out []string) {
	directoryName := der.Tag(4).Constructed().ContextSpecific()
	var names, one cryptobyte.String
	var tag der.Tag
	if !v.ReadASN1(&names, der.SEQUENCE) {
		return nil
	}
	for len(out) < maxParts && names.ReadAnyASN1(&one, &tag) {
		if tag != directoryName {
			continue
		}
		if name, ok := readName(&one); ok && name.only(typeLocality) != "" {
			out = append(out, name.only(typeLocality))
		}
	}
	return out
}

func readPrivateKeyUsage(v cryptobyte.String) (p Period, ok bool) {
	var sequence cryptobyte.String
	if !v.ReadASN1(&sequence, der.SEQUENCE) || !v.Empty() {
		return p, false
	}
	for tag, t := range []*time.Time{&p.From, &p.To} {
		var field cryptobyte.String
		var present bool
		if !sequence.ReadOptionalASN1(&field, &present, der.Tag(tag).ContextSpecific()) {
			return p, false
		}
		if present && !parseGeneralized(field, t) {
			return p, false
		}
	}
	return p, sequence.Empty()
}

// parseGeneralized reads the content of a GeneralizedTime in the form of RFC 5280: YYYYMMDDHHMMSSZ.
func parseGeneralized(b []byte, t *time.Time) bool {
	const layout = "20060102150405Z"
	parsed, err := time.Parse(layout, string(b))
	*t = parsed
	return err == nil && parsed.Format(layout) == string(b)
}
