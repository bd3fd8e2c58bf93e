package vdsnc

import (
	"crypto/ecdsa"
	"crypto/sha256"
	_ "crypto/sha512"
	"math/big"
)

// CheckSignature verifies the signature over the canonical data with the key of the
// embedded certificate (step 4). It says nothing about whether that
// certificate is trusted. The error is an *Error of StepSignature.
func (b *Barcode) CheckSignature() error {
	a, known := algorithms[b.Algorithm]
	key, ok := b.Signer.PublicKey.(*ecdsa.PublicKey)
	if !known || !ok || key.Curve != a.curve || !a.verify(key, b.Signed, b.Signature) {
		return fail(StepSignature, "not_valid", "sig.sigvl")
	}
	return nil
}

// Digest returns the SHA-256 of the signed bytes, by which an issuance log knows
// the code, whatever digest its signature takes.
func (b *Barcode) Digest() [sha256.Size]byte { return sha256.Sum256(b.Signed) }

// verify checks a signature of exact length; that r and s are from 1 to n-1 is checked by ecdsa.Verify.
func (a algorithm) verify(key *ecdsa.PublicKey, message, signature []byte) bool {
	size := a.size()
	if len(signature) != 2*size {
		return false
	}
	r, s := new(big.Int).SetBytes(signature[:size]), new(big.Int).SetBytes(signature[size:])
	h := a.hash.New()
	h.Write(message)
	return ecdsa.Verify(key, h.Sum(nil), r, s)
}
