package pki

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	_ "crypto/sha1" //nolint:gosec // old passports; reported as weak
	_ "crypto/sha256"
	_ "crypto/sha512"
	"encoding/asn1"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// signature is an algorithm identifier with its parameters, and the value.
type signature struct {
	algorithm []byte // DER of the AlgorithmIdentifier
	value     []byte
}

type scheme int

const (
	schemeECDSA scheme = iota
	schemePKCS1
	schemePSS
)

// algorithm is what an AlgorithmIdentifier stands for.
type algorithm struct {
	scheme scheme
	hash   crypto.Hash
	salt   int // PSS only, bytes
}

// algorithms with SHA-1 are known so that they can be told apart; only the proof of a
// message is checked with them, and called weak (SignedData.Weak).
var algorithms = map[string]algorithm{
	"1.2.840.10045.4.1":     {schemeECDSA, crypto.SHA1, 0},
	"1.2.840.10045.4.3.1":   {schemeECDSA, crypto.SHA224, 0},
	"1.2.840.10045.4.3.2":   {schemeECDSA, crypto.SHA256, 0},
	"1.2.840.10045.4.3.3":   {schemeECDSA, crypto.SHA384, 0},
	"1.2.840.10045.4.3.4":   {schemeECDSA, crypto.SHA512, 0},
	"1.2.840.113549.1.1.5":  {schemePKCS1, crypto.SHA1, 0},
	"1.2.840.113549.1.1.14": {schemePKCS1, crypto.SHA224, 0},
	"1.2.840.113549.1.1.11": {schemePKCS1, crypto.SHA256, 0},
	"1.2.840.113549.1.1.12": {schemePKCS1, crypto.SHA384, 0},
	"1.2.840.113549.1.1.13": {schemePKCS1, crypto.SHA512, 0},
}

var hashes = map[string]crypto.Hash{
	"1.3.14.3.2.26":          crypto.SHA1,
	"2.16.840.1.101.3.4.2.4": crypto.SHA224,
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

// readAlgorithm reads an AlgorithmIdentifier. Parameters that are NULL where they
// should be absent, and the reverse, are accepted: Japan's CSCA writes them so.
func readAlgorithm(b []byte) (algorithm, error) {
	in := cryptobyte.String(b)
	var sequence cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&sequence, der.SEQUENCE) || !sequence.ReadASN1ObjectIdentifier(&id) {
		return algorithm{}, malformed("signature algorithm")
	}
	if id.Equal(oidRSAPSS) {
		return readPSS(sequence)
	}
	known, ok := algorithms[id.String()]
	if !ok {
		return algorithm{}, unsupported("signature algorithm " + id.String())
	}
	if !isNullOrAbsent(sequence) {
		return algorithm{}, malformed("parameters of the signature algorithm")
	}
	return known, nil
}

func isNullOrAbsent(s cryptobyte.String) bool { return s.Empty() || bytes.Equal(s, []byte{5, 0}) }

// readPSS reads RSASSA-PSS-params (RFC 4055, 3.1), whose defaults mean SHA-1.
func readPSS(in cryptobyte.String) (algorithm, error) {
	var params, field cryptobyte.String
	if !in.ReadASN1(&params, der.SEQUENCE) || !in.Empty() {
		return algorithm{}, malformed("parameters of RSASSA-PSS")
	}
	tag := func(n uint8) der.Tag { return der.Tag(n).Constructed().ContextSpecific() }
	var hashed, masked bool
	if !params.ReadOptionalASN1(&field, &hashed, tag(0)) {
		return algorithm{}, malformed("hash of RSASSA-PSS")
	}
	hash, hashOK := crypto.SHA1, true
	if hashed {
		hash, hashOK = HashOf(field)
	}
	if !params.ReadOptionalASN1(&field, &masked, tag(1)) {
		return algorithm{}, malformed("mask generation of RSASSA-PSS")
	}
	mask, maskOK := crypto.SHA1, true
	if masked {
		mask, maskOK = readMask(field)
	}
	var salt, trailer int
	if !params.ReadOptionalASN1Integer(&salt, tag(2), 20) || !params.ReadOptionalASN1Integer(&trailer, tag(3), 1) ||
		!params.Empty() || salt < 0 || trailer != 1 {
		return algorithm{}, malformed("parameters of RSASSA-PSS")
	}
	if !hashOK || !maskOK || hash != mask {
		return algorithm{}, unsupported("hash of RSASSA-PSS")
	}
	return algorithm{schemePSS, hash, salt}, nil
}

// HashOf returns the hash that an AlgorithmIdentifier in DER names; false if it is
// none that is known here.
func HashOf(identifier []byte) (crypto.Hash, bool) {
	in := cryptobyte.String(identifier)
	var sequence cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&sequence, der.SEQUENCE) || !in.Empty() || !sequence.ReadASN1ObjectIdentifier(&id) || !isNullOrAbsent(sequence) {
		return 0, false
	}
	h, ok := hashes[id.String()]
	return h, ok
}

func readMask(in cryptobyte.String) (crypto.Hash, bool) {
	oidMGF1 := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 1, 8}
	var sequence cryptobyte.String
	var id asn1.ObjectIdentifier
	if !in.ReadASN1(&sequence, der.SEQUENCE) || !in.Empty() || !sequence.ReadASN1ObjectIdentifier(&id) || !id.Equal(oidMGF1) {
		return 0, false
	}
	return HashOf(sequence)
}

// CheckSignature tells whether c's key signed the certificate. It looks at nothing but
// the signature: neither names, nor dates, nor what c may sign. The error is
// ErrSignature, ErrUnsupported or ErrMalformed.
func (c *Certificate) CheckSignature(signed *Certificate) error {
	return c.check(signed.RawTBS, signed.signed)
}

func (c *Certificate) check(message []byte, s signature) error {
	a, err := readAlgorithm(s.algorithm)
	if err != nil {
		return err
	}
	if a.hash == crypto.SHA1 {
		return unsupported("SHA-1 under a certificate or list")
	}
	return c.verify(message, a, s.value)
}

// verify checks a signature, whatever the strength of its algorithm.
func (c *Certificate) verify(message []byte, a algorithm, value []byte) error {
	if c.keyErr != nil {
		return c.keyErr
	}
	h := a.hash.New()
	h.Write(message)
	digest := h.Sum(nil)
	valid := false
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		valid = a.scheme == schemeECDSA && ecdsa.VerifyASN1(key, digest, value)
	case *rsa.PublicKey:
		switch a.scheme {
		case schemePKCS1:
			valid = rsa.VerifyPKCS1v15(key, a.hash, digest, value) == nil
		case schemePSS:
			valid = rsa.VerifyPSS(key, a.hash, digest, value, &rsa.PSSOptions{SaltLength: a.salt}) == nil
		}
	}
	if !valid {
		return fmt.Errorf("pki: %w", ErrSignature)
	}
	return nil
}
