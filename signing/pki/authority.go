package pki

import (
	"bytes"
	"crypto/x509"
	"errors"
	"fmt"
)

// FindAuthority returns the one of the trusted authorities that issued the
// certificate, in one step and without intermediates (Doc 9303-12): the key
// identifiers are equal (without one in the certificate, the names decide), the
// issuer's name is the authority's, the authority may sign certificates, the
// signature verifies. All candidates are tried, as a link certificate has the same
// key and perhaps the same name.
//
// The error is ErrUntrusted when there is no such authority, ErrUnsupported when it was
// there but its key or algorithm is not known here. Dates are not looked at.
func FindAuthority(signed *Certificate, trusted []*Certificate) (*Certificate, error) {
	failure := fmt.Errorf("pki: %w", ErrUntrusted)
	for _, authority := range trusted {
		if !authority.mayHaveIssued(signed) {
			continue
		}
		err := authority.CheckSignature(signed)
		if err == nil {
			return authority, nil
		}
		if errors.Is(err, ErrUnsupported) {
			failure = err
		}
	}
	return nil, failure
}

func (c *Certificate) mayHaveIssued(signed *Certificate) bool {
	if signed.AKI != nil && !bytes.Equal(c.SKI, signed.AKI) {
		return false
	}
	return c.IsCA && (!c.HasKeyUsage || c.KeyUsage&x509.KeyUsageCertSign != 0) && c.Subject.Equal(signed.Issuer)
}
