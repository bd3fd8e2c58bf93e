package trust

import (
	"slices"
	"sync"
	"time"

	"akashi/signing"
)

// maxOwnAge bounds how long Own hands out one bundle, for its date to stay true.
const maxOwnAge = time.Minute

// Own keeps the bundle of an installation's own keys, and makes it again when
// the keys are not the same any more.
type Own struct {
	Lists [][]byte // of the country authority, DER

	mu     sync.Mutex
	keys   []signing.Key
	bundle *Bundle
}

// Bundle returns the bundle of the keys, as FromKeys makes it.
func (o *Own) Bundle(keys []signing.Key, now time.Time) (*Bundle, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bundle != nil && now.Sub(o.bundle.MadeAt()).Abs() < maxOwnAge && slices.EqualFunc(o.keys, keys, signing.Key.Equal) {
		return o.bundle, nil
	}
	b, err := FromKeys(keys, o.Lists, now)
	if err == nil {
		o.keys, o.bundle = slices.Clone(keys), b
	}
	return b, err
}
