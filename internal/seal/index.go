package seal

import (
	"crypto/hmac"
	"crypto/sha256"
)

// Index returns the search key of a value: 16 bytes, different for each office
// and kind of value. The caller normalises the value first.
func (r *Ring) Index(office, kind, value string) []byte {
	return r.versions(office, Index)[0].index(kind, value)
}

// Indexes returns the search keys of a value under every version that rows may
// bear while the key is being changed; else it is one.
func (r *Ring) Indexes(office string, p Purpose, kind, value string) [][]byte {
	versions := r.versions(office, p)
	list := make([][]byte, len(versions))
	for i, h := range versions {
		list[i] = h.index(kind, value)
	}
	return list
}

func (h *held) index(kind, value string) []byte {
	mac := hmac.New(sha256.New, h.kind(kind))
	mac.Write([]byte(value))
	return mac.Sum(nil)[:16]
}

// maxKinds bounds the kinds of values of one office; they are a few names in the code.
const maxKinds = 64

func (h *held) kind(kind string) []byte {
	h.mu.Lock()
	defer h.mu.Unlock()
	if secret := h.kinds[kind]; secret != nil {
		return secret
	}
	if len(h.kinds) >= maxKinds {
		clear(h.kinds)
	}
	secret := derive(h.secret, h.Office, "index "+kind)
	h.kinds[kind] = secret
	return secret
}
