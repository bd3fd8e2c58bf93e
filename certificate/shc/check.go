package shc

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"math/big"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gowebpki/jcs"
)

// CheckIssuer checks the form of iss (step 7): https, a host name in ASCII, no
// user, no query, no trailing slash. Whether the issuer is
// trusted is for the caller; keys are looked up by (iss, kid).
func (c *Card) CheckIssuer() error {
	if code := checkIssuerURL(c.Issuer); code != "" {
		return fail(StepIssuer, code, "iss")
	}
	return nil
}

// checkIssuerURL returns the code of the first fault, or "".
func checkIssuerURL(iss string) string {
	u, err := url.Parse(iss)
	switch {
	case err != nil || len(iss) > 2048:
		return "not_a_url"
	case u.Scheme != "https":
		return "not_https"
	case strings.HasSuffix(iss, "/"):
		return "trailing_slash"
	case strings.ContainsAny(iss, "?#@"):
		return "not_plain"
	case u.Hostname() == "" || !isHostName(u.Hostname()):
		return "not_a_host_name"
	}
	return ""
}

// isHostName refuses addresses and letters outside ASCII, which look alike.
func isHostName(s string) bool {
	if _, err := netip.ParseAddr(s); err == nil {
		return false
	}
	return alphabet(strings.ReplaceAll(s, ".", ""))
}

// CheckSignature checks the ES256 signature over the text as received (step 9).
// The key comes from the issuer's key set, never from the card.
func (c *Card) CheckSignature(public *ecdsa.PublicKey) error {
	return checkES256(public, []byte(c.signed), c.signature)
}

// Digest returns the SHA-256 of the signed bytes, by which an issuance log knows
// the card.
func (c *Card) Digest() [sha256.Size]byte { return sha256.Sum256([]byte(c.signed)) }

// checkES256 takes r then s, 32 bytes each, both at least 1 and below the order
// of the group (S-065).
func checkES256(public *ecdsa.PublicKey, message, signature []byte) error {
	if public == nil || public.Curve != elliptic.P256() {
		return fail(StepSignature, "key_not_p256", "")
	}
	if len(signature) != 64 {
		return fail(StepSignature, "signature_length", "")
	}
	n := public.Curve.Params().N
	r, s := new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:])
	if r.Sign() == 0 || s.Sign() == 0 || r.Cmp(n) >= 0 || s.Cmp(n) >= 0 {
		return fail(StepSignature, "out_of_range", "")
	}
	digest := sha256.Sum256(message)
	if !ecdsa.Verify(public, digest[:], r, s) {
		return fail(StepSignature, "does_not_verify", "")
	}
	return nil
}

// CheckTime checks nbf and exp at a point in time (step 10). skew is how far
// nbf may lie ahead, for clocks that are not quite right.
func (c *Card) CheckTime(at time.Time, skew time.Duration) error {
	switch {
	case c.NotBefore.After(at.Add(skew)):
		return fail(StepTime, "not_yet_valid", "nbf")
	case c.Expires.IsZero():
		return nil
	case c.Expires.Before(c.NotBefore):
		return fail(StepTime, "expires_before_issue", "exp")
	case !at.Before(c.Expires):
		return fail(StepTime, "expired", "exp")
	}
	return nil
}

// BundleHash returns the digest by which a revocation list of the method hash-fhir
// names the card: the first 8 bytes of SHA-256 over the base64url text of the
// bundle in canonical form (RFC 8785), base64url (spec, 7).
func (c *Card) BundleHash() (string, error) {
	bundle := json.RawMessage(c.Claims)
	for _, name := range []string{"vc", "credentialSubject", "fhirBundle"} {
		var members map[string]json.RawMessage // not a struct, which would fold names
		if json.Unmarshal(bundle, &members) != nil {
			return "", fail(StepClaims, "not_an_object", name)
		}
		bundle = members[name]
	}
	return bundleHash(bundle)
}

func bundleHash(bundle []byte) (string, error) {
	canonical, err := jcs.Transform(bundle)
	if err != nil {
		return "", fail(StepClaims, "not_canonical", "fhirBundle")
	}
	digest := sha256.Sum256([]byte(base64.RawURLEncoding.EncodeToString(canonical)))
	return base64.RawURLEncoding.EncodeToString(digest[:8]), nil
}

// Content judges what a reader would show (step 12). A Fatal finding means that
// the card proves no vaccination of the person named. A good card without doses
// but with other resources (a laboratory result) gets a warning.
func (c *Card) Content() []Finding {
	var out []Finding
	add := func(s Severity, code, path string) { out = append(out, Finding{s, code, path}) }
	switch {
	case len(c.Bundle.Patients) == 0:
		add(Fatal, "no_patient", "fhirBundle")
	case len(c.Bundle.Patients) > 1:
		add(Fatal, "several_patients", "fhirBundle")
	case len(c.Bundle.Patients[0].Names) == 0:
		add(Fatal, "no_name", "patient")
	}
	switch {
	case len(c.Bundle.Immunizations) > 0:
	case len(c.Bundle.Others) > 0:
		add(Warning, "no_immunization", "fhirBundle")
	default:
		add(Fatal, "no_immunization", "fhirBundle")
	}
	for i, d := range c.Bundle.Immunizations {
		for _, code := range c.doseFaults(d) {
			add(Fatal, code, index("immunization", i))
		}
	}
	return out
}

func (c *Card) doseFaults(d Immunization) (codes []string) {
	if d.Status != "completed" {
		codes = append(codes, "status_not_completed")
	}
	if d.Subpotent {
		codes = append(codes, "subpotent")
	}
	if len(d.Codes) == 0 || d.Codes[0].Code == "" {
		codes = append(codes, "no_code")
	}
	if d.Date == "" {
		codes = append(codes, "no_date")
	}
	ofPatient := func(p Patient) bool { return p.url != "" && p.url == d.patient }
	if !slices.ContainsFunc(c.Bundle.Patients, ofPatient) {
		codes = append(codes, "broken_reference")
	}
	return codes
}
