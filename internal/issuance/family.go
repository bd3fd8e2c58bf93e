package issuance

import (
	"errors"
	"fmt"
	"time"

	"akashi/certificate"
	"akashi/certificate/qr"
	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/certificate/vdsnc"
	"akashi/certificate/verify"
	"akashi/signing"
)

// family is one kind of signed code, as the steps need it.
type family interface {
	purpose() signing.Purpose
	// draft returns the bytes to sign.
	draft(c certificate.Certificate, key signing.Key, p Payload) ([]byte, error)
	// expires is when a code has to be made anew; zero: never.
	expires(c certificate.Certificate, key signing.Key) time.Time
	// seal joins what was signed and its signature to the text of the code.
	seal(toSign, signature []byte, key signing.Key) (string, error)
	// read reads a text back as a stranger would.
	read(text string) (code, error)
	segments(text string) []qr.Segment
	maxVersion() int
}

// code is a text of a family that was read back.
type code interface {
	// compare names what differs from the certificate.
	compare(c certificate.Certificate, key signing.Key, p Payload) []string
	// broken names the rules for issuers that it breaks.
	broken() []string
	verdict(b *trust.Bundle, at time.Time) verify.Verdict
}

func (s *Service) family(f certificate.Family) (family, error) {
	switch f {
	case certificate.SHC:
		return healthCard{s.Identity.SHCIssuer}, nil
	case certificate.VDSNC:
		return visibleSeal{s.Identity.VDSNCIssuer}, nil
	case certificate.ICVP:
		return yellowCard{healthCode{s.Identity.VDSNCIssuer}}, nil
	case certificate.DCC:
		return euCertificate{healthCode{s.Identity.VDSNCIssuer}}, nil
	}
	return nil, fmt.Errorf("issuance: no family %q", f)
}

// levels of a symbol: M where it fits, else L; never split (icao-vds-nc 3).
var levels = []qr.Level{qr.M, qr.L}

// fits tells whether a symbol holds the text.
func fits(f family, text string) error {
	_, _, err := qr.Fit(f.segments(text), levels, f.maxVersion())
	return err
}

func symbol(f family, text string) (*qr.Matrix, error) {
	return qr.EncodeBest(f.segments(text), levels, f.maxVersion())
}

type healthCard struct{ issuer string }

func (healthCard) purpose() signing.Purpose { return signing.SHC }

func (h healthCard) options(key signing.Key, statusID string) shc.Options {
	return shc.Options{Issuer: h.issuer, KeyID: key.ID, RevocationID: statusID}
}

func (h healthCard) draft(c certificate.Certificate, key signing.Key, p Payload) ([]byte, error) {
	return shc.Draft(c, h.options(key, p.StatusID))
}

func (healthCard) expires(certificate.Certificate, signing.Key) time.Time { return time.Time{} }

func (healthCard) seal(toSign, signature []byte, _ signing.Key) (string, error) {
	jws, err := shc.Seal(toSign, signature)
	if err != nil {
		return "", err
	}
	return shc.Numeric(jws)
}

func (h healthCard) read(text string) (code, error) {
	jws, notes, err := shc.FromNumeric(text)
	if err != nil {
		return nil, err
	}
	card, err := shc.Parse(jws)
	return healthCardCode{h, card, notes}, err
}

type healthCardCode struct {
	healthCard
	card  *shc.Card
	notes []string
}

func (h healthCardCode) compare(c certificate.Certificate, key signing.Key, p Payload) []string {
	return append(shc.Compare(c, h.card, h.options(key, p.StatusID)), h.notes...)
}

func (h healthCardCode) broken() (rules []string) {
	for _, f := range h.card.Lint() {
		if f.Severity == shc.Fatal {
			rules = append(rules, f.Path+" "+f.Code)
		}
	}
	return rules
}

func (h healthCardCode) verdict(b *trust.Bundle, at time.Time) verify.Verdict {
	return verify.Card(h.card, h.notes, b, at)
}

func (healthCard) segments(text string) []qr.Segment { return shc.Segments(text) }
func (healthCard) maxVersion() int                   { return 22 }

type visibleSeal struct{ issuer string }

func (visibleSeal) purpose() signing.Purpose { return signing.VDSNC }

func (v visibleSeal) draft(c certificate.Certificate, _ signing.Key, _ Payload) ([]byte, error) {
	return vdsnc.Draft(c, v.issuer)
}

func (visibleSeal) expires(certificate.Certificate, signing.Key) time.Time { return time.Time{} }

func (visibleSeal) seal(toSign, signature []byte, key signing.Key) (string, error) {
	if len(key.Certificate) == 0 {
		return "", errors.New("issuance: bar code key without certificate")
	}
	return vdsnc.Seal(toSign, signature, key.Certificate)
}

func (v visibleSeal) read(text string) (code, error) {
	barcode, err := vdsnc.Parse(text)
	return visibleSealCode{v, barcode}, err
}

type visibleSealCode struct {
	visibleSeal
	barcode *vdsnc.Barcode
}

func (v visibleSealCode) compare(c certificate.Certificate, key signing.Key, _ Payload) []string {
	differ := append(vdsnc.Compare(c, v.issuer, v.barcode), v.barcode.Notes...)
	if string(v.barcode.Signer.Raw) != string(key.Certificate) {
		differ = append(differ, "sig.cer")
	}
	return differ
}

// broken names none: reading a bar code takes nothing else than the rules allow.
func (visibleSealCode) broken() []string { return nil }

func (v visibleSealCode) verdict(b *trust.Bundle, at time.Time) verify.Verdict {
	return verify.Barcode(v.barcode, b, at)
}

func (visibleSeal) segments(text string) []qr.Segment { return vdsnc.Segments(text) }
func (visibleSeal) maxVersion() int                   { return 40 }
