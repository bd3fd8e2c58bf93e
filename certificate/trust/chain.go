package trust

import (
	"crypto/sha256"
	"errors"
	"slices"
	"sync"
	"time"

	"akashi/signing/pki"
)

// Authorities returns the trusted authorities that may have issued a
// certificate: those whose key identifier is the one that it names, or, when it names
// none, those of the issuer's name (spec icao-vds-nc, 7, step 5). Whether one of
// them did is for FindAuthority.
func (b *Bundle) Authorities(signed *pki.Certificate) []*pki.Certificate {
	var out []*pki.Certificate
	for _, a := range b.authorities {
		if signed.AKI != nil && string(a.SKI) == string(signed.AKI) ||
			signed.AKI == nil && a.Subject.Equal(signed.Issuer) {
			out = append(out, a)
		}
	}
	return out
}

// FindAuthority returns the trusted authority that issued a certificate, with the
// errors of pki.FindAuthority. A root and its link certificates have one key: the
// one in force at the time is preferred. That an authority issued a certificate
// is found out once; with the lists checked when the bundle was built, a signer
// seen before costs no signature.
func (b *Bundle) FindAuthority(signed *pki.Certificate, at time.Time) (*pki.Certificate, error) {
	candidates := b.Authorities(signed)
	slices.SortStableFunc(candidates, func(x, y *pki.Certificate) int { return rank(x, at) - rank(y, at) })
	digest := sha256.Sum256(signed.Raw)
	_, failure := pki.FindAuthority(signed, nil)
	for _, a := range candidates { // in order: one that is remembered must not hide a better one
		if b.issued.has(link{digest, a}) {
			return a, nil
		}
		_, err := pki.FindAuthority(signed, []*pki.Certificate{a})
		switch {
		case err == nil:
			b.issued.add(link{digest, a})
			return a, nil
		case errors.Is(err, pki.ErrUnsupported):
			failure = err
		}
	}
	return nil, failure
}

func rank(c *pki.Certificate, at time.Time) int {
	if c.Valid(at) {
		return 0
	}
	return 1
}

// link is a certificate, by its SHA-256, and an authority that signed it.
type link struct {
	signed    [sha256.Size]byte
	authority *pki.Certificate
}

// links remembers links, up to maxLinks of them; then it starts anew. Only what holds is
// remembered, so that strangers' certificates take no room.
type links struct {
	mu  sync.RWMutex
	set map[link]struct{}
}

const maxLinks = 4096

func (l *links) has(k link) bool {
	l.mu.RLock()
	defer l.mu.RUnlock()
	_, ok := l.set[k]
	return ok
}

func (l *links) add(k link) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.set == nil || len(l.set) >= maxLinks {
		l.set = map[link]struct{}{}
	}
	l.set[k] = struct{}{}
}
