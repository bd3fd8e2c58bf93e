package signing

import (
	"crypto/ecdsa"
	"crypto/x509"
	"errors"
	"fmt"
	"time"
)

// TokenConfig says where a PKCS#11 token is.
type TokenConfig struct {
	Module   string // path of the PKCS#11 library
	Label    string // of the token
	PIN      string // of its user
	Sessions int    // signatures at once, at least 1
}

const (
	tokenPatience = 5 * time.Second // for a session
	tokenPause    = time.Second     // between two looks for a token that is away
)

// ErrTokenAway is returned while the token cannot be reached; trying again later helps.
var ErrTokenAway = errors.New("signing: the token cannot be reached")

// ErrNoTokens is returned by a build without PKCS#11.
var ErrNoTokens = errors.New("signing: this build has no PKCS#11: it needs cgo and -tags pkcs11")

// checkCertificate refuses a certificate of another key.
func (k Key) checkCertificate() error {
	if len(k.Certificate) == 0 {
		return nil
	}
	certificate, err := x509.ParseCertificate(k.Certificate)
	if err != nil {
		return fmt.Errorf("signing: the certificate of %s does not parse", k.ID)
	}
	if public, ok := certificate.PublicKey.(*ecdsa.PublicKey); !ok || Thumbprint(public) != k.ID {
		return fmt.Errorf("signing: the certificate of %s is of another key", k.ID)
	}
	return nil
}
