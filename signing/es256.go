package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/sha256"
	"errors"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// signES256 returns r then s, 32 bytes each. The same key and digest give the
// same signature (RFC 6979), so that what is signed again has the same bytes.
func signES256(key *ecdsa.PrivateKey, digest [sha256.Size]byte) ([]byte, error) {
	der, err := key.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return nil, err
	}
	return fixed(der)
}

// fixed turns a DER signature into r then s, 32 bytes each (RFC 7518, 3.4).
func fixed(der []byte) ([]byte, error) {
	var r, s []byte
	text, value := cryptobyte.String(der), cryptobyte.String(nil)
	if !text.ReadASN1(&value, asn1.SEQUENCE) || !value.ReadASN1Integer(&r) || !value.ReadASN1Integer(&s) || len(r) > 32 || len(s) > 32 {
		return nil, errors.New("signing: not an ECDSA signature")
	}
	out := make([]byte, 64)
	copy(out[32-len(r):], r)
	copy(out[64-len(s):], s)
	return out, nil
}
