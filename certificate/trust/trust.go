// Package trust holds what a verifier trusts: the keys of health card issuers,
// country authorities (CSCA), known signers and revocation lists.
//
// A Bundle comes from a trust directory (Load), from a published list (ImportVCI, ImportDCC, ImportGDHCN)
// or from the keys of this installation (FromKeys), and is never fetched because
// a certificate names an address. It knows no clock: how old its parts are is
// told, judged elsewhere. What a bundle trusts never changes once it is built, and
// many may use it at once.
package trust

import (
	"bytes"
	"crypto/ecdsa"
	"net/url"
	"slices"
	"strings"
	"time"

	"akashi/signing"
	"akashi/signing/pki"
)

// Bundle is a set of trusted parties. The zero Bundle trusts nobody.
type Bundle struct {
	madeAt      time.Time
	issuers     map[string]issuer
	authorities []*pki.Certificate // those given and those of the master lists, each once
	given       []*pki.Certificate // one by one, by the operator
	masters     []*masterList
	signers     []*pki.Certificate
	lists       []*pki.CRL // each signed by one of the authorities, newest first
	issuances   []*IssuanceLog
	statuses    []*StatusList
	health      map[string][]HealthSigner // by key id
	issued      links                     // who signed whom, as far as it was asked
}

// issuer is an issuer of health cards.
type issuer struct {
	jwks   []byte // usable keys only
	keys   map[string]signing.PublicJWK
	lists  map[string]*CardList // by key id
	listed time.Time            // when the list was made that has it
}

// clone is the same bundle, to which more is then added.
func (b *Bundle) clone() *Bundle {
	return &Bundle{
		madeAt: b.madeAt, issuers: b.issuers, authorities: b.authorities, given: b.given, masters: b.masters, signers: b.signers, lists: b.lists,
		issuances: b.issuances, statuses: b.statuses, health: b.health,
	}
}

// MadeAt returns when the bundle was put together; zero if that is not known.
func (b *Bundle) MadeAt() time.Time { return b.madeAt }

// Issuers returns the trusted issuers of health cards, sorted.
func (b *Bundle) Issuers() []string {
	out := make([]string, 0, len(b.issuers))
	for iss := range b.issuers {
		out = append(out, iss)
	}
	slices.Sort(out)
	return out
}

// HasIssuer tells whether an issuer of health cards is trusted. It is compared
// as written: no part of an address is folded.
func (b *Bundle) HasIssuer(iss string) bool {
	_, ok := b.issuers[iss]
	return ok
}

// Key finds a key of an issuer. There is no look-up by key id alone, for several
// issuers may share an id (spec smart-health-cards, 8; L-12).
func (b *Bundle) Key(iss, kid string) (signing.PublicJWK, bool) {
	k, ok := b.issuers[iss].keys[kid]
	return k, ok
}

// CardList returns the revocation list of a key of an issuer; nil if there is none.
func (b *Bundle) CardList(iss, kid string) *CardList { return b.issuers[iss].lists[kid] }

// JWKS returns the usable keys of an issuer as a key set, nil for a stranger.
func (b *Bundle) JWKS(iss string) []byte { return bytes.Clone(b.issuers[iss].jwks) }

// KeyIDs returns the thumbprints of all keys of the bundle that a status list can
// cover: of health cards, and of the known signers of bar codes and HC1 codes on P-256.
func (b *Bundle) KeyIDs() (ids []string) {
	for _, of := range b.issuers {
		for _, k := range of.keys {
			ids = append(ids, signing.Thumbprint(k.Public))
		}
	}
	for _, c := range b.signers {
		if key, ok := c.PublicKey.(*ecdsa.PublicKey); ok {
			ids = append(ids, signing.Thumbprint(key))
		}
	}
	for _, list := range b.health {
		for _, s := range list {
			if key, ok := s.Key.(*ecdsa.PublicKey); ok {
				ids = append(ids, signing.Thumbprint(key))
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// Signers returns the known signers of bar codes.
func (b *Bundle) Signers() []*pki.Certificate { return slices.Clone(b.signers) }

// CRLs returns the revocation lists of an authority, newest first. Their
// signatures were checked when the bundle was built, against the trusted
// authorities of the same name: after a change of keys a country signs one
// list with the new key for the certificates of both (Doc 9303-12).
func (b *Bundle) CRLs(authority *pki.Certificate) []*pki.CRL {
	var out []*pki.CRL
	for _, l := range b.lists {
		if l.Issuer.Equal(authority.Subject) {
			out = append(out, l)
		}
	}
	return out
}

// IsTest tells whether an issuer, by its iss or its Doc 9303-3 code, belongs to
// nobody and issues specimens: a host under .test, or Utopia (design 3.7, S-072).
func IsTest(issuer string) bool {
	if issuer == signing.TestState {
		return true
	}
	u, err := url.Parse(issuer)
	return err == nil && strings.HasSuffix(u.Hostname(), ".test")
}
