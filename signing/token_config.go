package signing

import "errors"

// TokenConfig says where a PKCS#11 token is.
type TokenConfig struct {
	Module   string // path of the PKCS#11 library
	Label    string // of the token
	PIN      string // of its user
	Sessions int    // signatures at once, at least 1
}

// ErrTokenAway is returned while the token cannot be reached; trying again later helps.
var ErrTokenAway = errors.New("signing: the token cannot be reached")

// ErrNoSuchKey tells that the token has no key with a label.
var ErrNoSuchKey = errors.New("signing: no such key in the token")

// ErrNoTokens is returned by a build without PKCS#11.
var ErrNoTokens = errors.New("signing: this build has no PKCS#11: it needs cgo and -tags pkcs11")
