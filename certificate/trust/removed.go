package trust

import (
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"slices"
	"strings"

	"akashi/signing/pki"
)

// Removal is a party, or a list about one, that a bundle no longer has.
type Removal struct {
	Kind string
	Name string // whose, with key id or digest; a stranger's text
}

// Removed names what a bundle no longer has of the one whose place it takes, sorted. The keys of an
// issuer that has ended are not named besides.
func (b *Bundle) Removed(old *Bundle) (out []Removal) {
	now := b.parties()
	for kind, parties := range old.parties() {
		for id, name := range parties {
			if _, there := now[kind][id]; there || kind.list != "" {
				continue
			}
			if iss, _, of := strings.Cut(id, " "); of && (kind.name == KindIssuerKey || kind.name == KindCardList) && !b.HasIssuer(iss) {
				continue
			}
			out = append(out, Removal{kind.name, name})
		}
	}
	slices.SortFunc(out, func(x, y Removal) int { return strings.Compare(x.Kind+" "+x.Name, y.Kind+" "+y.Name) })
	return out
}

// Shrinkage is a kind of which much was removed at once.
type Shrinkage struct {
	Kind            string // such as "csca", or "csca of the list D"
	Before, Removed int
}

func (s Shrinkage) String() string {
	return fmt.Sprintf("%s: %d of %d removed", s.Kind, s.Removed, s.Before)
}

// Shrunk names the kinds of which a fifth or more were removed since the bundle whose place one
// takes, however many came instead: a list that shrinks so, or is another one altogether, is
// looked at first (spec who-icvp-gdhcn, 7). Each master list counts for itself.
func (b *Bundle) Shrunk(old *Bundle) (out []Shrinkage) {
	now := b.parties()
	for kind, before := range old.parties() {
		removed := 0
		for id := range before {
			if _, there := now[kind][id]; !there {
				removed++
			}
		}
		if removed > 0 && removed*5 >= len(before) {
			out = append(out, Shrinkage{kind.String(), len(before), removed})
		}
	}
	slices.SortFunc(out, func(x, y Shrinkage) int { return strings.Compare(x.Kind, y.Kind) })
	return out
}

// partyKind is a kind of party; list is the source of the master list that has it, empty for
// all of the kind.
type partyKind struct{ name, list string }

func (k partyKind) String() string {
	if k.list == "" {
		return k.name
	}
	return k.name + " of the list " + k.list
}

// parties are all that a bundle has, by kind and what tells it from others, with a name for people.
func (b *Bundle) parties() map[partyKind]map[string]string {
	out := map[partyKind]map[string]string{}
	add := func(kind partyKind, id, name string) {
		if out[kind] == nil {
			out[kind] = map[string]string{}
		}
		out[kind][id] = name
	}
	for iss, of := range b.issuers {
		add(partyKind{name: KindIssuer}, iss, iss)
		for kid := range of.keys {
			add(partyKind{name: KindIssuerKey}, iss+" "+kid, iss+" "+kid)
		}
		for kid := range of.lists {
			add(partyKind{name: KindCardList}, iss+" "+kid, iss+" "+kid)
		}
	}
	for _, s := range b.AllHealthSigners() {
		name := fmt.Sprintf("%s key %s sha256:%x", s.Participant, base64.StdEncoding.EncodeToString(s.KeyID), sha256.Sum256(raw(s)))
		add(partyKind{name: KindSigners}, name, name)
	}
	certificates := func(kind partyKind, list []*pki.Certificate) {
		for _, c := range list {
			name := fmt.Sprintf("%s sha256:%x", c.Subject.Country(), sha256.Sum256(c.Raw))
			add(kind, name, name)
		}
	}
	certificates(partyKind{name: KindAuthority}, b.authorities)
	certificates(partyKind{name: KindBarSigners}, b.signers)
	for _, l := range b.masters {
		add(partyKind{name: KindMasterList}, l.source, l.source)
		certificates(partyKind{KindAuthority, l.source}, l.authorities)
	}
	for _, l := range b.lists {
		name := fmt.Sprintf("%s authority key %x", l.Issuer.Country(), l.AKI)
		add(partyKind{name: KindCRL}, string(l.Issuer.Raw)+name, name)
	}
	for _, l := range b.statuses {
		add(partyKind{name: KindStatus}, l.Key, origin(l.Key))
	}
	for _, l := range b.issuances {
		add(partyKind{name: KindIssuances}, l.Key, origin(l.Key))
	}
	return out
}
