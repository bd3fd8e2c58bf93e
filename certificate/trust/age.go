package trust

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Kinds of what a bundle holds that grows old.
const (
	KindIssuer     = "issuer"      // of health cards, on a list of issuers
	KindCardList   = "card_list"   // revocation list of a key of health cards
	KindSigners    = "hc1_signers" // of a participant
	KindCRL        = "crl"         // of a country authority
	KindStatus     = "status_list"
	KindIssuances  = "issuance_log"
	KindAuthority  = "csca"
	KindBarSigners = "bar_code_signers"
	KindIssuerKey  = "issuer_key"  // of an issuer of health cards
	KindMasterList = "master_list" // that has brought authorities
)

// Entry is a part of a bundle, and its date.
type Entry struct {
	Kind string
	Name string    // of whom it is; a stranger's text
	At   time.Time // when it was made, or listed; zero: not stated
	Next time.Time // when the next one is due; zero: not stated
}

// Entries returns what of a bundle grows old, sorted by kind and name.
func (b *Bundle) Entries() (out []Entry) {
	for _, iss := range b.Issuers() {
		of := b.issuers[iss]
		out = append(out, Entry{Kind: KindIssuer, Name: iss, At: of.listed})
		for _, kid := range slices.Sorted(maps.Keys(of.lists)) {
			out = append(out, Entry{Kind: KindCardList, Name: iss + " " + kid, At: of.listed})
		}
	}
	oldest := map[string]time.Time{}
	for _, list := range b.health {
		for _, s := range list {
			if at, known := oldest[s.Participant]; !known || s.Listed.Before(at) {
				oldest[s.Participant] = s.Listed
			}
		}
	}
	for code, at := range oldest {
		out = append(out, Entry{Kind: KindSigners, Name: code, At: at})
	}
	for _, l := range b.masters {
		out = append(out, Entry{Kind: KindMasterList, Name: l.source, At: l.madeAt})
	}
	for _, l := range b.lists {
		out = append(out, Entry{Kind: KindCRL, Name: l.Issuer.Country(), At: l.ThisUpdate.UTC(), Next: l.NextUpdate.UTC()})
	}
	for _, l := range b.statuses {
		out = append(out, Entry{Kind: KindStatus, Name: origin(l.Key), At: l.MadeAt})
	}
	for _, l := range b.issuances {
		out = append(out, Entry{Kind: KindIssuances, Name: origin(l.Key), At: l.Through})
	}
	slices.SortFunc(out, func(x, y Entry) int {
		if c := strings.Compare(x.Kind, y.Kind); c != 0 {
			return c
		}
		if c := strings.Compare(x.Name, y.Name); c != 0 {
			return c
		}
		return y.At.Compare(x.At)
	})
	return out
}

// origin is the name in a key of a signed note.
func origin(key string) string {
	name, _, _ := strings.Cut(key, "+")
	return name
}

// Listed returns when the list was made that has an issuer of health cards; zero where
// it does not say.
func (b *Bundle) Listed(iss string) time.Time { return b.issuers[iss].listed }
