package pki

import (
	"bytes"
	"crypto/x509"
	"encoding/asn1"
	"fmt"
	"math/big"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// CRL is a certificate revocation list (RFC 5280, 5).
type CRL struct {
	Raw, RawTBS     []byte
	Issuer          Name
	ThisUpdate      time.Time
	NextUpdate      time.Time // zero if absent, which Doc 9303-12 forbids
	Number          *big.Int  // nil if absent
	AKI             []byte    // nil if absent
	UnknownCritical []asn1.ObjectIdentifier

	serials [][]byte // contents of the INTEGERs, sorted
	signed  signature
}

// ParseCRL reads one DER revocation list of at most MaxCRL bytes with nothing
// after it. Errors are ErrTooLarge or ErrMalformed.
func ParseCRL(b []byte) (*CRL, error) {
	if len(b) > MaxCRL {
		return nil, fmt.Errorf("pki: revocation list: %w", ErrTooLarge)
	}
	l := &CRL{Raw: bytes.Clone(b)}
	tbs, err := readSigned(l.Raw, &l.RawTBS, &l.signed)
	if err != nil {
		return nil, fmt.Errorf("revocation list: %w", err)
	}
	if err := l.readTBS(tbs); err != nil {
		return nil, fmt.Errorf("revocation list: %w", err)
	}
	return l, nil
}

// Lists tells whether the serial number is on the list.
func (l *CRL) Lists(serial *big.Int) bool {
	var b cryptobyte.Builder
	b.AddASN1BigInt(serial)
	element := cryptobyte.String(b.BytesOrPanic())
	var content cryptobyte.String
	if !element.ReadASN1(&content, der.INTEGER) {
		return false
	}
	_, found := slices.BinarySearchFunc(l.serials, []byte(content), bytes.Compare)
	return found
}

// Len returns the number of entries.
func (l *CRL) Len() int { return len(l.serials) }

// Current tells whether t lies between this and the next update. A list without
// next update is never current.
func (l *CRL) Current(t time.Time) bool {
	return !l.NextUpdate.IsZero() && Period{l.ThisUpdate, l.NextUpdate}.Includes(t)
}

// CheckCRL tells whether c issued the list: name, key identifier, the right to sign
// lists, signature. The error is ErrUntrusted (another issuer), ErrSignature, ErrUnsupported
// (also for lists of a kind that this package does not understand) or ErrMalformed.
func (c *Certificate) CheckCRL(l *CRL) error {
	switch {
	case !c.Subject.Equal(l.Issuer), l.AKI != nil && c.SKI != nil && !bytes.Equal(l.AKI, c.SKI):
		return fmt.Errorf("pki: revocation list: %w", ErrUntrusted)
	case !c.IsCA, c.HasKeyUsage && c.KeyUsage&x509.KeyUsageCRLSign == 0:
		return fmt.Errorf("pki: issuer may not sign revocation lists: %w", ErrUntrusted)
	case len(l.UnknownCritical) > 0:
		return unsupported("critical extension of the revocation list")
	}
	return c.check(l.RawTBS, l.signed)
}

func (l *CRL) readTBS(tbs cryptobyte.String) error {
	var algorithm cryptobyte.String
	var ok bool
	version := 0
	if tbs.PeekASN1Tag(der.INTEGER) && (!tbs.ReadASN1Integer(&version) || version != 1) {
		return malformed("version")
	}
	if !tbs.ReadASN1Element(&algorithm, der.SEQUENCE) || !bytes.Equal(algorithm, l.signed.algorithm) {
		return malformed("signature algorithm inside and outside")
	}
	if l.Issuer, ok = readName(&tbs); !ok {
		return malformed("issuer")
	}
	if !readTime(&tbs, &l.ThisUpdate) {
		return malformed("this update")
	}
	if (tbs.PeekASN1Tag(der.UTCTime) || tbs.PeekASN1Tag(der.GeneralizedTime)) && !readTime(&tbs, &l.NextUpdate) {
		return malformed("next update")
	}
	if tbs.PeekASN1Tag(der.SEQUENCE) {
		if err := l.readEntries(&tbs); err != nil {
			return err
		}
	}
	return l.readListExtensions(tbs)
}

func (l *CRL) readEntries(tbs *cryptobyte.String) error {
	var entries cryptobyte.String
	if !tbs.ReadASN1(&entries, der.SEQUENCE) {
		return malformed("entries")
	}
	for !entries.Empty() {
		var entry, serial cryptobyte.String
		var revokedAt time.Time
		if !entries.ReadASN1(&entry, der.SEQUENCE) || !entry.ReadASN1(&serial, der.INTEGER) || !minimal(serial) || !readTime(&entry, &revokedAt) {
			return malformed("entry")
		}
		if err := l.readEntryExtensions(entry); err != nil {
			return err
		}
		l.serials = append(l.serials, serial)
	}
	slices.SortFunc(l.serials, bytes.Compare)
	return nil
}

// minimal tells whether the content of an INTEGER is as short as DER demands, so
// that equal numbers have equal bytes.
func minimal(b []byte) bool {
	return len(b) == 1 || len(b) > 1 && !(b[0] == 0 && b[1] < 0x80) && !(b[0] == 0xff && b[1] >= 0x80)
}

// readEntryExtensions looks for critical ones only: such an entry may not mean
// a certificate of this issuer at all.
func (l *CRL) readEntryExtensions(entry cryptobyte.String) error {
	if entry.Empty() {
		return nil
	}
	var list cryptobyte.String
	if !entry.ReadASN1(&list, der.SEQUENCE) || !entry.Empty() {
		return malformed("extensions of an entry")
	}
	extensions, err := readExtensions(list)
	if err != nil {
		return err
	}
	for _, e := range extensions {
		if e.critical {
			l.noteUnknown(e.id)
		}
	}
	return nil
}

func (l *CRL) readListExtensions(tbs cryptobyte.String) error {
	extensions, err := readExtensionList(&tbs, 0)
	if err != nil {
		return err
	}
	for _, e := range extensions {
		ok := true
		switch {
		case e.id.Equal(oidAuthorityKeyID):
			l.AKI, ok = readAuthorityKeyID(e.value)
		case e.id.Equal(oidCRLNumber):
			l.Number = new(big.Int)
			ok = e.value.ReadASN1Integer(l.Number) && e.value.Empty()
		case e.critical:
			l.noteUnknown(e.id)
		}
		if !ok {
			return malformed("extension " + e.id.String())
		}
	}
	return nil
}

func (l *CRL) noteUnknown(id asn1.ObjectIdentifier) {
	if !slices.ContainsFunc(l.UnknownCritical, id.Equal) {
		l.UnknownCritical = append(l.UnknownCritical, id)
	}
}
