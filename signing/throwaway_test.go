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
	short := [2]int{}
	for n := 0; short[0] == 0 || short[1] == 0; n++ {
		draft := []byte(strconv.Itoa(n))
		value, err := throwaway.SignDraft(draft)
		if err != nil || len(value) != 64 {
			t.Fatalf("%d bytes, %v", len(value), err)
		}
		for i := range short {
			if value[32*i] != 0 {
				continue
			}
			short[i]++
			digest := sha256.Sum256(draft)
			r, s := new(big.Int).SetBytes(value[:32]), new(big.Int).SetBytes(value[32:])
			if !ecdsa.Verify(throwaway.PublicKey(), digest[:], r, s) {
				t.Errorf("signature %x does not verify", value)
			}
		}
	}
}
