package issuance

import (
	"errors"
	"fmt"

	"akashi/certificate"
	"akashi/certificate/qr"
	"akashi/certificate/shc"
	"akashi/certificate/vdsnc"
	"akashi/signing"
)

// family is one kind of signed code, as the steps need it.
type family interface {
	purpose() signing.Purpose
	// draft returns the bytes to sign.
	draft(c certificate.Certificate, key signing.Key, statusID string) ([]byte, error)
	// seal joins what was signed and its signature to the text of the code.
	seal(toSign, signature []byte, key signing.Key) (string, error)
	// compare reads a text back and names what differs from the certificate.
	compare(c certificate.Certificate, text string, key signing.Key, statusID string) ([]string, error)
	segments(text string) []qr.Segment
	maxVersion() int
}

func (s *Service) family(f certificate.Family) (family, error) {
	switch f {
	case certificate.SHC:
		return healthCard{s.Identity.SHCIssuer}, nil
	case certificate.VDSNC:
		return visibleSeal{s.Identity.VDSNCIssuer}, nil
	}
	return nil, fmt.Errorf("issuance: no family %q", f)
}

// symbol draws the code: level M where it fits, else L; never split (issue paper rules).
func symbol(f family, text string) (*qr.Matrix, error) {
	return qr.EncodeBest(f.segments(text), []qr.Level{qr.M, qr.L}, f.maxVersion())
}

type healthCard struct{ issuer string }

func (healthCard) purpose() signing.Purpose { return signing.SHC }

func (h healthCard) options(key signing.Key, statusID string) shc.Options {
	return shc.Options{Issuer: h.issuer, KeyID: key.ID, RevocationID: statusID}
}

func (h healthCard) draft(c certificate.Certificate, key signing.Key, statusID string) ([]byte, error) {
	return shc.Draft(c, h.options(key, statusID))
}

func (healthCard) seal(toSign, signature []byte, _ signing.Key) (string, error) {
	jws, err := shc.Seal(toSign, signature)
	if err != nil {
		return "", err
	}
	return shc.Numeric(jws)
}

func (h healthCard) compare(c certificate.Certificate, text string, key signing.Key, statusID string) ([]string, error) {
	jws, notes, err := shc.FromNumeric(text)
	if err != nil {
		return nil, err
	}
	card, err := shc.Parse(jws)
	if err != nil {
		return nil, err
	}
	differ := append(shc.Compare(c, card, h.options(key, statusID)), notes...)
	for _, f := range shc.LintClaims(card.Claims) {
		if f.Severity == shc.Fatal {
			differ = append(differ, f.Path+" "+f.Code)
		}
	}
	return differ, nil
}

func (healthCard) segments(text string) []qr.Segment { return shc.Segments(text) }
func (healthCard) maxVersion() int                   { return 22 }

type visibleSeal struct{ issuer string }

func (visibleSeal) purpose() signing.Purpose { return signing.VDSNC }

func (v visibleSeal) draft(c certificate.Certificate, _ signing.Key, _ string) ([]byte, error) {
	return vdsnc.Draft(c, v.issuer)
}

func (visibleSeal) seal(toSign, signature []byte, key signing.Key) (string, error) {
	if len(key.Certificate) == 0 {
		return "", errors.New("issuance: bar code key without certificate")
	}
	return vdsnc.Seal(toSign, signature, key.Certificate)
}

func (v visibleSeal) compare(c certificate.Certificate, text string, key signing.Key, _ string) ([]string, error) {
	b, err := vdsnc.Parse(text)
	if err != nil {
		return nil, err
	}
	differ := append(vdsnc.Compare(c, v.issuer, b), b.Notes...)
	if string(b.Signer.Raw) != string(key.Certificate) {
		differ = append(differ, "sig.cer")
	}
	return differ, nil
}

func (visibleSeal) segments(text string) []qr.Segment { return vdsnc.Segments(text) }
func (visibleSeal) maxVersion() int                   { return 40 }
