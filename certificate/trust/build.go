package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"akashi/signing"
	"akashi/signing/pki"
)

// FromKeys makes the bundle of an installation from its registered keys: those
// that are published (announced, active, retired), never a compromised one. The
// lists are those of its country authority, in DER. Anything that cannot be used
// is an error here, for these are our own keys.
//
// A compromised signer of bar codes cannot be kept out, as its certificate is in
// each of its codes: put it on the list.
func FromKeys(keys []signing.Key, crls [][]byte, madeAt time.Time) (*Bundle, error) {
	w := newBuilder(madeAt)
	shc := map[string][]signing.Key{}
	for _, k := range keys {
		switch {
		case k.State == signing.Compromised:
		case k.Purpose == signing.SHC:
			shc[k.Issuer] = append(shc[k.Issuer], k)
		case k.Purpose == signing.Authority:
			w.authority("key "+k.ID, k.Certificate)
		case k.Purpose == signing.VDSNC:
			w.signer("key "+k.ID, k.Certificate)
		case k.Purpose == signing.DSC:
			w.ownHealthSigner(k)
		}
	}
	for iss, list := range shc {
		jwks, err := signing.JWKS(list, signing.SHC)
		if err != nil {
			return nil, err
		}
		w.issuer(iss, iss, jwks, chainRefused)
	}
	for i, der := range crls {
		w.list(fmt.Sprintf("crl %d", i), der)
	}
	b, report := w.finish()
	if len(report) > 0 {
		return nil, fmt.Errorf("trust: %s", report)
	}
	return b, nil
}

// Problem is a part of a bundle that is not used, and why.
type Problem struct {
	Source string // file in the trust directory, "key ID", "crl 0" or an iss
	Code   string // such as "malformed", "no_authority", "key 2: private"; stable
}

// Report lists what of a bundle is not used. The rest is.
type Report []Problem

func (r Report) String() string {
	var lines []string
	for _, p := range r {
		lines = append(lines, p.Source+": "+p.Code)
	}
	return strings.Join(lines, "; ")
}

// builder collects the parts of a bundle.
type builder struct {
	b      *Bundle
	report Report
	lists  []pendingList // until all authorities are known
	listed time.Time     // date of what is being read; zero: not stated
}

type pendingList struct {
	source string
	crl    *pki.CRL
}

func newBuilder(madeAt time.Time) *builder {
	at := madeAt.UTC().Truncate(time.Second)
	return &builder{b: &Bundle{madeAt: at, issuers: map[string]issuer{}}, listed: at}
}

// begin starts a part that has a date of its own: the oldest is that of the bundle.
func (w *builder) begin(madeAt time.Time) {
	w.listed = madeAt.UTC().Truncate(time.Second)
	if w.b.madeAt.IsZero() || !w.listed.IsZero() && w.listed.Before(w.b.madeAt) {
		w.b.madeAt = w.listed
	}
}

func (w *builder) problem(source, code string) { w.report = append(w.report, Problem{source, code}) }

// chainPolicy says what becomes of a key whose certificate (x5c) names another
// issuer. SMART Health Cards demands that a verifier who uses the chain finds iss
// as a URI in the leaf.
type chainPolicy int

const (
	chainRefused chainPolicy = iota // the key is not used
	chainDropped                    // the key is, without the chain: somebody else vouches for it
)

func (w *builder) issuer(source, iss string, jwks []byte, policy chainPolicy) {
	if !strings.HasPrefix(iss, "https://") || strings.HasSuffix(iss, "/") {
		w.problem(source, "not_an_issuer")
		return
	}
	if w.b.HasIssuer(iss) {
		w.problem(source, "issuer_twice")
		return
	}
	keys, problems, err := signing.ParseJWKS(jwks)
	if err != nil {
		w.problem(source, "malformed")
		return
	}
	edit := jwksEdit{refuse: map[int]bool{}, drop: map[int]bool{}}
	for _, p := range problems {
		w.problem(source, p.String())
		edit.refuse[p.Index] = true
	}
	usable := issuer{keys: map[string]signing.PublicJWK{}, lists: map[string]*CardList{}, listed: w.listed}
	for _, k := range keys {
		if len(k.Chain) > 0 && !k.NamesIssuer(iss) {
			w.problem(source, signing.Problem{Index: k.Index, Code: "chain_names_another_issuer"}.String())
			if policy == chainRefused {
				edit.refuse[k.Index] = true
				continue
			}
			edit.drop[k.Index] = true
			k.Chain, k.Certified = nil, pki.Period{}
		}
		usable.keys[k.ID] = k
	}
	if usable.jwks, err = edit.apply(jwks); err != nil {
		w.problem(source, "malformed")
		return
	}
	w.b.issuers[iss] = usable
}

// jwksEdit leaves keys out of a set, by index, or their chains. A key that is
// refused may be private.
type jwksEdit struct{ refuse, drop map[int]bool }

func (e jwksEdit) apply(jwks []byte) ([]byte, error) {
	var set struct {
		Keys []json.RawMessage `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, err
	}
	kept := []json.RawMessage{}
	for i, key := range set.Keys {
		if e.drop[i] {
			var members map[string]json.RawMessage
			if err := json.Unmarshal(key, &members); err != nil {
				return nil, err
			}
			delete(members, "x5c")
			var err error
			if key, err = json.Marshal(members); err != nil {
				return nil, err
			}
		}
		if !e.refuse[i] {
			kept = append(kept, key)
		}
	}
	set.Keys = kept
	return json.Marshal(set)
}

// cardList takes a revocation list of an issuer that is known already.
func (w *builder) cardList(source, iss string, b []byte) {
	l, err := ParseCardList(b)
	if err != nil {
		w.problem(source, err.Error())
		return
	}
	of, ok := w.b.issuers[iss]
	if !ok {
		w.problem(source, "no_issuer")
		return
	}
	key, ok := of.keys[l.KeyID]
	switch {
	case !ok:
		w.problem(source, "no_key")
	case key.ListVersion != l.Counter:
		w.problem(source, "another_version")
	case of.lists[l.KeyID] != nil:
		w.problem(source, "list_twice")
	default:
		of.lists[l.KeyID] = l
	}
}

// authority takes one that the operator gives.
func (w *builder) authority(source string, der []byte) {
	if c := w.authorityIn(source, der); c != nil && !has(w.b.given, c) {
		w.b.given = append(w.b.given, c)
	}
}

// authorityIn reads one; nil, and a problem, where it is none.
func (w *builder) authorityIn(source string, der []byte) *pki.Certificate {
	c, err := pki.ParseCertificate(der)
	switch {
	case err != nil:
		w.problem(source, codeOf(err))
		return nil
	case !c.IsCA:
		w.problem(source, "not_an_authority")
		return nil
	}
	return c
}

func (w *builder) signer(source string, der []byte) {
	c, err := pki.ParseCertificate(der)
	switch {
	case err != nil:
		w.problem(source, codeOf(err))
	case !has(w.b.signers, c):
		w.b.signers = append(w.b.signers, c)
	}
}

func has(list []*pki.Certificate, c *pki.Certificate) bool {
	return slices.ContainsFunc(list, func(o *pki.Certificate) bool { return bytes.Equal(o.Raw, c.Raw) })
}

func (w *builder) list(source string, der []byte) {
	l, err := pki.ParseCRL(der)
	if err != nil {
		w.problem(source, codeOf(err))
		return
	}
	w.lists = append(w.lists, pendingList{source, l})
}

func codeOf(err error) string {
	if errors.Is(err, pki.ErrTooLarge) {
		return "too_large"
	}
	return "malformed"
}

// finish checks the lists, which needs all authorities, and puts everything in
// an order that does not depend on how it came.
func (w *builder) finish() (*Bundle, Report) {
	w.b.gather()
	for _, p := range w.lists {
		if w.issued(p.crl) {
			w.b.lists = append(w.b.lists, p.crl)
		} else {
			w.problem(p.source, "no_authority")
		}
	}
	byContent := func(a, b *pki.Certificate) int { return bytes.Compare(a.Raw, b.Raw) }
	slices.SortFunc(w.b.authorities, byContent)
	slices.SortFunc(w.b.given, byContent)
	slices.SortFunc(w.b.signers, byContent)
	slices.SortFunc(w.b.lists, func(a, b *pki.CRL) int {
		if c := b.ThisUpdate.Compare(a.ThisUpdate); c != 0 {
			return c
		}
		return bytes.Compare(a.Raw, b.Raw)
	})
	return w.b, w.report
}

// gather puts together all authorities.
func (b *Bundle) gather() {
	b.authorities = slices.Clone(b.given)
	for _, l := range b.masters {
		for _, c := range l.authorities {
			if !has(b.authorities, c) {
				b.authorities = append(b.authorities, c)
			}
		}
	}
}

func (w *builder) issued(l *pki.CRL) bool {
	return slices.ContainsFunc(w.b.authorities, func(a *pki.Certificate) bool { return a.CheckCRL(l) == nil })
}
