package hcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/asn1"
	"slices"
	"time"

	"akashi/signing/pki"
)

// contentKind is what a signer may be limited to.
type contentKind int

const (
	kindAny contentKind = iota // not limited: health links and what has no purpose of its own
	kindTestResult
	kindDose
	kindRecovered
)

// purposes are the extended key usages that limit a signer to a kind of content, each in
// the two spellings in use (eu-dcc, 6): 355 of 544 samples have the one with a 0.
var purposes = map[contentKind][]asn1.ObjectIdentifier{
	kindTestResult: {{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 1}, {1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1, 1}},
	kindDose:       {{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 2}, {1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1, 2}},
	kindRecovered:  {{1, 3, 6, 1, 4, 1, 1847, 2021, 1, 3}, {1, 3, 6, 1, 4, 1, 0, 1847, 2021, 1, 3}},
}

// SignerRules tells whether a signer may sign the content of a code: none of the purposes
// of health certificates, or that of this content, and digital signatures. Dates and
// whether it is listed are not looked at; a country that lists its authority as a signer
// (ES/501) has said so. The error is an *Error of StepSigner.
func (c *Code) SignerRules(signer *pki.Certificate) error {
	if signer.HasKeyUsage && signer.KeyUsage&x509.KeyUsageDigitalSignature == 0 {
		return fail(StepSigner, "key_usage", "")
	}
	limited := false
	for kind, list := range purposes {
		if !slices.ContainsFunc(list, signer.HasPurpose) {
			continue
		}
		if limited = true; kind == c.kind() {
			return nil
		}
	}
	if limited && c.kind() != kindAny {
		return fail(StepSigner, "purpose", "")
	}
	return nil
}

// CheckSigner tells whether a certificate can be that of our signer of doses (eu-dcc, 6;
// who-icvp-gdhcn, 7): a P-256 key, a country of the state and a name, digital signatures, no
// other purpose of health certificates, and signed by the authority. The error is an *Error
// of StepSigner.
func CheckSigner(signer, authority *pki.Certificate, state string) error {
	key, isEC := signer.PublicKey.(*ecdsa.PublicKey)
	_, issued := pki.FindAuthority(signer, []*pki.Certificate{authority})
	for _, rule := range []struct {
		ok   bool
		code string
	}{
		{isEC && key.Curve == elliptic.P256(), "key"},
		{pki.State(signer.Subject.Country()) == state, "country"},
		{signer.Subject.CommonName() != "", "common_name"},
		{!signer.IsCA, "authority"},
		{signer.HasKeyUsage && signer.KeyUsage&x509.KeyUsageDigitalSignature != 0, "key_usage"},
		{(&Code{ICVP: &ICVP{}}).SignerRules(signer) == nil, "purpose"},
		{issued == nil && len(signer.AKI) > 0 && authority.Subject.Country() == signer.Subject.Country(), "not_of_authority"},
	} {
		if !rule.ok {
			return fail(StepSigner, rule.code, "")
		}
	}
	return nil
}

// CheckTime holds the claims against a time: not before iat and nbf, not after exp. skew
// is how far the issuer's clock may be ahead. The error is an *Error of StepClaims:
// not_yet_valid, expired or expires_before_issue; no_expiry for an EU certificate, while
// others without one have a note only.
func (c *Code) CheckTime(at time.Time, skew time.Duration) error {
	starts := c.IssuedAt
	field := "claim 6"
	if c.NotBefore.After(starts) {
		starts, field = c.NotBefore, "claim 5"
	}
	switch {
	case c.Expires.IsZero() && c.DCC != nil:
		return fail(StepClaims, "no_expiry", "claim 4")
	case !c.Expires.IsZero() && c.Expires.Before(starts):
		return fail(StepClaims, "expires_before_issue", "claim 4")
	case starts.After(at.Add(skew)):
		return fail(StepClaims, "not_yet_valid", field)
	case !c.Expires.IsZero() && at.After(c.Expires):
		return fail(StepClaims, "expired", "claim 4")
	}
	return nil
}
