package trust

import (
	"bytes"
	"cmp"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"
	"time"

	"akashi/signing/pki"
)

// ErrNothingTaken says that an import found nothing that can be used; its report tells why.
var ErrNothingTaken = errors.New("trust: nothing in it can be used")

// maxAhead is how far a list may be dated ahead of the clock that takes it.
const maxAhead = time.Hour

// File is a file that an operator gives.
type File struct {
	Name    string
	Content []byte
}

// ImportCSCA adds country authorities, each a DER or PEM file that the operator got from
// somewhere it trusts, to what is held; nil holds nothing. One that is its own issuer must
// have signed itself.
func ImportCSCA(files []File, held *Bundle, at time.Time) (*Bundle, Report, error) {
	w := continued(held, at)
	count := 0
	for _, f := range files {
		der, ok := derOf(f.Content, "CERTIFICATE")
		if !ok {
			w.problem(f.Name, "malformed")
		} else if c := w.country(f.Name, der); c != nil {
			count++
			if !has(w.b.given, c) {
				w.b.given = append(w.b.given, c)
			}
		}
	}
	return w.taken(count)
}

// ImportCRL adds revocation lists, each a DER or PEM file, to what is held. A list must verify
// under an authority that is held, and takes the place of the one of the same key.
// One that is older is refused: it may be a replay from before a revocation.
func ImportCRL(files []File, held *Bundle, at time.Time) (*Bundle, Report, error) {
	w := continued(held, at)
	count := 0
	for _, f := range files {
		der, ok := derOf(f.Content, "X509 CRL")
		if !ok {
			w.problem(f.Name, "malformed")
			continue
		}
		l, err := pki.ParseCRL(der)
		if err != nil {
			w.problem(f.Name, codeOf(err))
			continue
		}
		if code := w.replace(l, at); code != "" {
			w.problem(f.Name, code)
			continue
		}
		count++
		if !l.Current(at) {
			w.problem(f.Name, "not_current")
		}
	}
	return w.taken(count)
}

// replace takes a list in place of that of the same authority and key.
func (w *builder) replace(l *pki.CRL, at time.Time) (problem string) {
	switch {
	case !w.issued(l):
		return "no_authority"
	case l.ThisUpdate.After(at.Add(maxAhead)):
		return "in_the_future"
	}
	kept := make([]*pki.CRL, 0, len(w.b.lists)+1)
	for _, o := range w.b.lists {
		switch {
		case !o.Issuer.Equal(l.Issuer) || !bytes.Equal(o.AKI, l.AKI):
			kept = append(kept, o)
		case bytes.Equal(o.Raw, l.Raw):
			return "held_already"
		case older(l, o):
			return "older"
		}
	}
	w.b.lists = append(kept, l)
	return ""
}

// older goes by the number, which only grows (RFC 5280, 5.2.3), and the date.
func older(l, than *pki.CRL) bool {
	if l.Number != nil && than.Number != nil && l.Number.Cmp(than.Number) < 0 {
		return true
	}
	return l.ThisUpdate.Before(than.ThisUpdate)
}

// country reads an authority of a state; nil, and a problem, where it is none.
func (w *builder) country(source string, der []byte) *pki.Certificate {
	c := w.authorityIn(source, der)
	switch {
	case c == nil:
		return nil
	case pki.State(c.Subject.Country()) == "":
		w.problem(source, "no_country")
		return nil
	case isRoot(c) && errors.Is(c.CheckSignature(c), pki.ErrSignature):
		w.problem(source, "signature_wrong")
		return nil
	}
	return c
}

// isRoot tells whether a certificate says that its own key signed it. A link certificate, which
// may have the same name twice, names another key.
func isRoot(c *pki.Certificate) bool {
	return c.Issuer.Equal(c.Subject) && (c.AKI == nil || bytes.Equal(c.AKI, c.SKI))
}

// continued is a builder that goes on with what is held. A bundle is as old as its oldest part.
func continued(held *Bundle, at time.Time) *builder {
	w := newBuilder(at)
	if held == nil {
		return w
	}
	made := w.b.madeAt
	w.b = held.clone()
	w.b.given, w.b.masters = slices.Clone(held.given), slices.Clone(held.masters)
	w.b.signers, w.b.lists = slices.Clone(held.signers), slices.Clone(held.lists)
	if made.Before(held.madeAt) {
		w.b.madeAt = made
	}
	return w
}

// taken ends an import; one that took nothing changes nothing.
func (w *builder) taken(count int) (*Bundle, Report, error) {
	b, report := w.finish()
	if count == 0 {
		return nil, report, ErrNothingTaken
	}
	if len(b.authorities) > maxEntries || len(b.lists) > maxEntries {
		return nil, report, fmt.Errorf("trust: authorities or lists: %w", errTooLarge)
	}
	return b, report, nil
}

// derOf returns the content of one PEM block of a kind, or a file that is none as it is.
func derOf(file []byte, kind string) ([]byte, bool) {
	block, rest := pem.Decode(file)
	if block == nil {
		return file, !bytes.HasPrefix(bytes.TrimSpace(file), []byte("-----"))
	}
	return block.Bytes, block.Type == kind && len(bytes.TrimSpace(rest)) == 0
}

// State is what a bundle has of the authorities of a state.
type State struct {
	Code        string // Doc 9303-3
	Authorities int
	Lists       int
}

// States returns those whose authorities are trusted, sorted.
func (b *Bundle) States() []State {
	var out []State
	of := func(name pki.Name) *State {
		code := cmp.Or(pki.State(name.Country()), "?")
		i := slices.IndexFunc(out, func(s State) bool { return s.Code == code })
		if i < 0 {
			i, out = len(out), append(out, State{Code: code})
		}
		return &out[i]
	}
	for _, c := range b.authorities {
		of(c.Subject).Authorities++
	}
	for _, l := range b.lists {
		of(l.Issuer).Lists++
	}
	slices.SortFunc(out, func(x, y State) int { return cmp.Compare(x.Code, y.Code) })
	return out
}
