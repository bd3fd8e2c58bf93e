package trust

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"encoding/base64"
	"errors"
	"maps"
	"slices"
	"strings"
	"time"

	"akashi/signing"
	"akashi/signing/pki"
)

// HealthSigner is a signer of HC1 codes (DSC) that stands on a list. To be on it is
// what makes it valid: who is withdrawn is taken off (spec eu-dcc, 6; who-icvp-gdhcn, 7).
type HealthSigner struct {
	KeyID       []byte           // as the list states it; it need not be a digest, and need not be unique
	Participant string           // of two or three letters, as the list states it
	Domain      string           // of the GDHCN, such as "DCC"; empty where the list knows none
	Certificate *pki.Certificate // nil where the list has a bare key
	Key         crypto.PublicKey // P-256 or RSA
	Listed      time.Time        // when the list was made; zero where it does not say
}

// HealthSigners returns the signers with a key id: all have to be tried.
func (b *Bundle) HealthSigners(keyID []byte) []HealthSigner {
	if len(keyID) == 0 {
		return nil
	}
	return slices.Clone(b.health[string(keyID)])
}

// AllHealthSigners returns all signers, in an order that does not depend on how they came.
func (b *Bundle) AllHealthSigners() (out []HealthSigner) {
	for _, id := range slices.Sorted(maps.Keys(b.health)) {
		out = append(out, b.health[id]...)
	}
	return out
}

// HasParticipant tells whether any signer of a participant is listed, by the code that
// the list has. Then a key that is not there was withdrawn, or never was.
func (b *Bundle) HasParticipant(code string) bool {
	for _, list := range b.health {
		if slices.ContainsFunc(list, func(s HealthSigner) bool { return s.Of(code) }) {
			return true
		}
	}
	return false
}

// Participant is one that has signers of HC1 codes.
type Participant struct {
	Code    string // as the list has it
	Signers int
}

// Participants returns those that have signers of HC1 codes, sorted.
func (b *Bundle) Participants() (out []Participant) {
	count := map[string]int{}
	for _, list := range b.health {
		for _, s := range list {
			count[s.Participant]++
		}
	}
	for _, code := range slices.Sorted(maps.Keys(count)) {
		out = append(out, Participant{code, count[code]})
	}
	return out
}

// Of tells whether a code of two or three letters is that of the signer's participant.
func (s HealthSigner) Of(code string) bool {
	if s.Participant == "" || code == "" {
		return false
	}
	return s.Participant == code || alpha3(s.Participant) == alpha3(code)
}

// alpha3 returns the Doc 9303 code of a country of two letters, and other texts as they are.
func alpha3(code string) string {
	return cmp.Or(pki.State(code), map[string]string{"DEU": "D"}[code], code)
}

// healthSigner takes a signer of a list. The key is that of the certificate, where there is one.
func (w *builder) healthSigner(source string, s HealthSigner) {
	s.Listed = w.listed
	if s.Certificate != nil {
		s.Key = s.Certificate.PublicKey
	}
	switch key := s.Key.(type) {
	case *ecdsa.PublicKey:
		if key.Curve != elliptic.P256() {
			w.problem(source, "key_not_supported")
			return
		}
	case *rsa.PublicKey:
	default:
		w.problem(source, "key_not_supported")
		return
	}
	switch list := w.b.health[string(s.KeyID)]; {
	case len(s.KeyID) == 0:
		w.problem(source, "no_key_id")
	case slices.ContainsFunc(list, s.same):
	default:
		if w.b.health == nil {
			w.b.health = map[string][]HealthSigner{}
		}
		w.b.health[string(s.KeyID)] = append(list, s)
	}
}

// ownHealthSigner takes a signer of this installation. The key id is that of its certificate
// (spec eu-dcc, 6).
func (w *builder) ownHealthSigner(k signing.Key) {
	c, err := pki.ParseCertificate(k.Certificate)
	if err != nil {
		w.problem("key "+k.ID, codeOf(err))
		return
	}
	w.healthSigner("key "+k.ID, HealthSigner{KeyID: pki.HealthKeyID(k.Certificate), Participant: k.Issuer, Certificate: c})
}

// same tells whether two entries say the same.
func (s HealthSigner) same(o HealthSigner) bool {
	key, ok := s.Key.(interface{ Equal(crypto.PublicKey) bool })
	return ok && key.Equal(o.Key) && s.Participant == o.Participant && s.Domain == o.Domain && bytes.Equal(raw(s), raw(o))
}

func raw(s HealthSigner) []byte {
	if s.Certificate == nil {
		return nil
	}
	return s.Certificate.Raw
}

// manifestHealth is a signer of HC1 codes in a trust directory.
type manifestHealth struct {
	KeyID       string `json:"kid"` // standard base64
	Participant string `json:"participant"`
	Domain      string `json:"domain,omitempty"`
	Certificate string `json:"certificate"` // file, DER
}

// healthSigners reads those of a manifest. The key id of an entry counts, not the
// digest of its certificate, as lists have ids of other kinds.
func (r *fileReader) healthSigners(list []manifestHealth) {
	for _, entry := range list {
		der, ok := r.read(entry.Certificate)
		if !ok {
			continue
		}
		c, err := pki.ParseCertificate(der)
		if err != nil {
			r.builder.problem(entry.Certificate, codeOf(err))
			continue
		}
		id, err := base64.StdEncoding.DecodeString(entry.KeyID)
		if err != nil {
			r.builder.problem(entry.Certificate, "no_key_id")
			continue
		}
		r.builder.healthSigner(entry.Certificate, HealthSigner{KeyID: id, Participant: entry.Participant, Domain: entry.Domain, Certificate: c})
	}
}

// errBareKeys says that a bundle has keys without certificates, which no directory holds.
var errBareKeys = errors.New("trust: a signer without certificate cannot be written")

// healthEntries writes the signers in an order that does not depend on how they came.
func (b *Bundle) healthEntries(w fileSet) (out []manifestHealth, err error) {
	for id, list := range b.health {
		for _, s := range list {
			if s.Certificate == nil {
				return nil, errBareKeys
			}
			name := w.named("health", ".der", s.Certificate.Raw)
			out = append(out, manifestHealth{base64.StdEncoding.EncodeToString([]byte(id)), s.Participant, s.Domain, name})
		}
	}
	slices.SortFunc(out, func(a, b manifestHealth) int {
		return cmp.Or(strings.Compare(a.Participant, b.Participant), strings.Compare(a.KeyID, b.KeyID),
			strings.Compare(a.Domain, b.Domain), strings.Compare(a.Certificate, b.Certificate))
	})
	return out, nil
}
