package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"math/big"
	"strconv"
	"testing"
)

// Both halves of a signature have 32 bytes, also where r or s begins with a zero byte.
func TestSignatureHalves(t *testing.T) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	var short [2]bool
	for n := 0; !short[0] || !short[1]; n++ {
		digest := sha256.Sum256([]byte(strconv.Itoa(n)))
		value, err := signES256(key, digest)
		if err != nil || len(value) != 64 {
			t.Fatalf("%d bytes, %v", len(value), err)
		}
		r, s := new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:])
		if !ecdsa.Verify(&key.PublicKey, digest[:], r, s) {
			t.Fatalf("signature %x does not verify", value)
		}
		short[0], short[1] = short[0] || value[0] == 0, short[1] || value[32] == 0
	}
}
