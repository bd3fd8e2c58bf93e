// Package signing keeps the keys that certificates are signed with: their life
// from announcement to retirement, the published key set, and the signer.
//
// The signer takes the name of a certificate and nothing else: it fetches the
// bytes that were committed for it (Intents), checks that the key may sign now,
// and signs. No exported function takes bytes or a digest and signs them (S-062).
//
// Private keys stay in a backend: files for the TEST identity and small
// installations, a hardware module behind a build tag.
package signing

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"errors"
	"slices"
	"time"
)

// Purpose is what a key signs. One key has one purpose (S-067).
type Purpose string

const (
	SHC       Purpose = "shc"   // SMART Health Cards
	VDSNC     Purpose = "vdsnc" // ICAO bar codes
	DSC       Purpose = "dsc"   // HC1 codes: yellow cards and EU certificates
	Authority Purpose = "csca"  // certificates of the signers above and their revocation list
	Paper     Purpose = "paper" // printed pages of one office
)

// certifies tells whether keys of this purpose sign certificates' codes.
func (p Purpose) certifies() bool { return p == SHC || p == VDSNC || p == DSC }

// PurposeOf returns what the keys of a family of codes are for.
func PurposeOf(family string) Purpose {
	switch family {
	case "dcc", "icvp":
		return DSC
	}
	return Purpose(family)
}

// Certifies tells whether keys of the purpose sign certificates' codes, which the lists of
// what was issued and of what has ended are of.
func (k Key) Certifies() bool { return k.Purpose.certifies() }

// inService tells whether this program signs with keys of this purpose.
func (p Purpose) inService() bool { return p.certifies() || p == Paper }

// State is a stage in the life of a key.
type State string

const (
	Announced   State = "announced"   // published, not yet signing
	Active      State = "active"      // signing
	Retired     State = "retired"     // published, signs no more
	Compromised State = "compromised" // withdrawn: what it signed is not to be trusted
)

var transitions = map[State][]State{
	Announced: {Active, Compromised},
	Active:    {Retired, Compromised},
	Retired:   {Compromised},
}

// CanBecome tells whether a key may go from s to next.
func (s State) CanBecome(next State) bool { return slices.Contains(transitions[s], next) }

// ES256 is the one algorithm that certificates are signed with (S-064).
const ES256 = "ES256"

// Key is a key as registered: public parts only.
type Key struct {
	ID          string    `json:"id"` // RFC 7638 thumbprint; of a country's authority, SHA-256 of the certificate, base64url
	Purpose     Purpose   `json:"purpose"`
	Issuer      string    `json:"issuer"`                // iss of health cards; state code of bar codes and HC1 codes; office of paper
	Algorithm   string    `json:"algorithm"`             // ES256
	Public      []byte    `json:"public"`                // PKIX, DER
	Certificate []byte    `json:"certificate,omitempty"` // DER, or none
	State       State     `json:"state"`
	NotBefore   time.Time `json:"not_before"` // validity of the public key
	NotAfter    time.Time `json:"not_after"`
	UsageFrom   time.Time `json:"usage_from"` // period in which the private key signs
	UsageTo     time.Time `json:"usage_to"`
	Test        bool      `json:"test"`
	Handle      string    `json:"handle"` // the backend's name of the private key
}

// Equal tells whether two keys are registered alike.
func (k Key) Equal(o Key) bool {
	return k.ID == o.ID && k.State == o.State && k.Purpose == o.Purpose && k.Issuer == o.Issuer && k.Algorithm == o.Algorithm &&
		k.Test == o.Test && k.Handle == o.Handle && bytes.Equal(k.Public, o.Public) && bytes.Equal(k.Certificate, o.Certificate) &&
		k.NotBefore.Equal(o.NotBefore) && k.NotAfter.Equal(o.NotAfter) && k.UsageFrom.Equal(o.UsageFrom) && k.UsageTo.Equal(o.UsageTo)
}

// PublicKey decodes the public key.
func (k Key) PublicKey() (*ecdsa.PublicKey, error) {
	public, err := x509.ParsePKIXPublicKey(k.Public)
	if err != nil {
		return nil, errors.New("signing: public key does not parse")
	}
	key, ok := public.(*ecdsa.PublicKey)
	if !ok {
		return nil, errors.New("signing: public key is not elliptic")
	}
	return key, nil
}

// Thumbprint returns the RFC 7638 SHA-256 thumbprint, base64url without
// padding; empty for a key that is not a point of P-256, P-384 or P-521.
func Thumbprint(public *ecdsa.PublicKey) string {
	x, y := coordinates(public)
	if x == "" {
		return ""
	}
	return thumbprint(public.Params().Name, x, y)
}

// thumbprint takes curve and coordinates as the key writes them.
func thumbprint(curve, x, y string) string {
	members := `{"crv":"` + curve + `","kty":"EC","x":"` + x + `","y":"` + y + `"}`
	sum := sha256.Sum256([]byte(members))
	return base64.RawURLEncoding.EncodeToString(sum[:])
}

// coordinates returns x and y at the full length of the curve, base64url.
func coordinates(public *ecdsa.PublicKey) (x, y string) {
	if public == nil || !slices.Contains([]elliptic.Curve{elliptic.P256(), elliptic.P384(), elliptic.P521()}, public.Curve) {
		return "", ""
	}
	point, err := public.Bytes()
	if err != nil {
		return "", ""
	}
	half := len(point) / 2
	encode := base64.RawURLEncoding.EncodeToString
	return encode(point[1 : 1+half]), encode(point[1+half:])
}
