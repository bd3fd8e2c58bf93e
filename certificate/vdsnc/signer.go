package vdsnc

import (
	"crypto/sha256"
	"crypto/x509"
	"slices"
	"sync"
	"time"

	"akashi/signing/pki"
)

// documentTypes are the entries of the document type list that allow a barcode of a type.
var documentTypes = map[string]string{TypeVaccination: "NV", TypeTest: "NT"}

// SignerRules tells whether a signer may sign a barcode of the given type and issuing
// state at the given time (steps 6 and 7). That the authority issued the signer's
// certificate is checked before (pki.FindAuthority), revocation after. Errors
// are *Error of StepCertificate or StepCountry.
func SignerRules(signer, authority *pki.Certificate, typ, issuerState string, at time.Time) error {
	if code := signerFault(signer, typ, at); code != "" {
		return fail(StepCertificate, code, "sig.cer")
	}
	if code := authorityFault(authority, at); code != "" {
		return fail(StepCertificate, code, "")
	}
	country := signer.Subject.Country()
	switch {
	case country == "":
		return fail(StepCountry, "no_country", "sig.cer")
	case country != authority.Subject.Country():
		return fail(StepCountry, "authority_differs", "sig.cer")
	case pki.State(country) != issuerState:
		return fail(StepCountry, "issuer_differs", "data.hdr.is")
	}
	return nil
}

func signerFault(c *pki.Certificate, typ string, at time.Time) string {
	switch {
	case c.IsCA:
		return "is_an_authority"
	case !c.HasPurpose(pki.PurposeBarcodeSigner):
		return "purpose"
	case c.HasKeyUsage && c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		return "key_usage"
	case c.HasDocumentTypes && !slices.Contains(c.DocumentTypes, documentTypes[typ]):
		return "document_type"
	case len(c.UnknownCritical) > 0:
		return "unknown_critical_extension"
	case at.Before(c.NotBefore):
		return "not_yet_valid"
	case at.After(c.NotAfter):
		return "expired"
	}
	return ""
}

func authorityFault(c *pki.Certificate, at time.Time) string {
	switch {
	case !c.IsCA:
		return "authority_is_none"
	case len(c.UnknownCritical) > 0:
		return "authority_unknown_critical_extension"
	case at.Before(c.NotBefore):
		return "authority_not_yet_valid"
	case at.After(c.NotAfter):
		return "authority_expired"
	}
	return ""
}

// maxSigners bounds how many signers are kept as parsed.
const maxSigners = 256

var signers struct {
	sync.Mutex
	parsed map[[sha256.Size]byte]*pki.Certificate
}

// parseSigner is pki.ParseCertificate; each barcode holds the certificate of its
// signer, and few signers make them all.
func parseSigner(der []byte) (*pki.Certificate, error) {
	digest := sha256.Sum256(der)
	signers.Lock()
	c := signers.parsed[digest]
	signers.Unlock()
	if c != nil {
		return c, nil
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	signers.Lock()
	defer signers.Unlock()
	if signers.parsed == nil || len(signers.parsed) >= maxSigners {
		signers.parsed = map[[sha256.Size]byte]*pki.Certificate{}
	}
	signers.parsed[digest] = c
	return c, nil
}
