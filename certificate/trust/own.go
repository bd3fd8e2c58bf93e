package trust

import (
	"slices"
	"sync"
	"time"

	"akashi/signing"
)

// maxOwnAge bounds how long Own hands out one bundle, for its date to stay true.
const maxOwnAge = time.Minute

// Own keeps the bundle of an installation's own keys, and makes it again each
// minute and when the keys are not the same any more.
type Own struct {
	// Lists reads the revocation lists of the country authority, DER; nil: there are
	// none. Those that were good are kept while what it reads is not.
	Lists func() ([][]byte, error)

	mu     sync.Mutex
	keys   []signing.Key
	good   [][]byte
	bundle *Bundle
}

// Bundle returns the bundle of the keys, as FromKeys makes it.
func (o *Own) Bundle(keys []signing.Key, now time.Time) (*Bundle, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.bundle != nil && now.Sub(o.bundle.MadeAt()).Abs() < maxOwnAge && slices.EqualFunc(o.keys, keys, signing.Key.Equal) {
		return o.bundle, nil
	}
	b, err := o.make(keys, now)
	if err == nil {
		o.keys, o.bundle = slices.Clone(keys), b
	}
	return b, err
}

func (o *Own) make(keys []signing.Key, now time.Time) (b *Bundle, err error) {
	var lists [][]byte
	if o.Lists != nil {
		lists, err = o.Lists()
	}
	if err == nil {
		b, err = FromKeys(keys, lists, now)
	}
	switch {
	case err == nil:
		o.good = lists
	case o.good != nil:
		b, err = FromKeys(keys, o.good, now)
	}
	return b, err
}
