package signing

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"math/big"
	"strconv"
	"testing"
)

// Both halves of a signature have 32 bytes, also where r or s begins with a zero byte.
func TestSignatureHalves(t *testing.T) {
	throwaway, err := NewThrowaway()
	if err != nil {
		t.Fatal(err)
	}
	var short [2]bool
	for n := 0; !short[0] || !short[1]; n++ {
		draft := []byte(strconv.Itoa(n))
		value, err := throwaway.SignDraft(draft)
		if err != nil || len(value) != 64 {
			t.Fatalf("%d bytes, %v", len(value), err)
		}
		digest := sha256.Sum256(draft)
		r, s := new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:])
		if !ecdsa.Verify(throwaway.PublicKey(), digest[:], r, s) {
			t.Fatalf("signature %x does not verify", value)
		}
		short[0], short[1] = short[0] || value[0] == 0, short[1] || value[32] == 0
	}
}
