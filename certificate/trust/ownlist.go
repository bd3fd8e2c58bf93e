package trust

import (
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"akashi/signing"
)

// MakeCardList writes the revocation list of a key in the form of the specification
// (smart-health-cards, 7). The ids are put in an order that tells nothing.
func MakeCardList(key string, counter int, ids []string) ([]byte, error) {
	sorted := append([]string{}, ids...)
	slices.Sort(sorted)
	return json.Marshal(struct {
		KeyID   string   `json:"kid"`
		Method  string   `json:"method"`
		Counter int      `json:"ctr"`
		IDs     []string `json:"rids"`
	}{key, MethodID, counter, slices.Compact(sorted)})
}

// WithCardLists returns a bundle in which the keys that the lists are for promise
// them (crlVersion). A list of an unknown key is left out.
func (b *Bundle) WithCardLists(lists ...*CardList) (*Bundle, error) {
	c := b.clone()
	c.issuers = map[string]issuer{}
	for iss, of := range b.issuers {
		own := issuer{keys: map[string]signing.PublicJWK{}, lists: map[string]*CardList{}, listed: of.listed}
		maps.Copy(own.keys, of.keys)
		maps.Copy(own.lists, of.lists)
		promised := map[string]int{}
		for _, l := range lists {
			if k, ok := own.keys[l.KeyID]; ok {
				k.ListVersion = l.Counter
				own.keys[l.KeyID], own.lists[l.KeyID], promised[l.KeyID] = k, l, l.Counter
			}
		}
		var err error
		if own.jwks, err = promise(of.jwks, promised); err != nil {
			return nil, err
		}
		c.issuers[iss] = own
	}
	return c, nil
}

// promise writes crlVersion into the keys of a set.
func promise(jwks []byte, versions map[string]int) ([]byte, error) {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		return nil, errors.New("trust: own key set")
	}
	for _, k := range set.Keys {
		if id, ok := k["kid"].(string); ok && versions[id] > 0 {
			k["crlVersion"] = versions[id]
		}
	}
	return json.Marshal(set)
}
