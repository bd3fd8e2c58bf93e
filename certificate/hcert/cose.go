package hcert

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"math/big"

	"github.com/fxamacker/cbor/v2"
)

// Tags in front of a message (RFC 9052, 2; RFC 8392, 6).
const (
	tagSign1 = 18
	tagCWT   = 61
)

// Header labels (RFC 9052, 3.1).
const (
	labelAlgorithm int64 = 1
	labelCritical  int64 = 2
	labelKeyID     int64 = 4
)

// message is a COSE_Sign1 (RFC 9052, 4.2).
type message struct {
	algorithm   Algorithm // 0 where it is none of the allowed
	keyID       []byte    // nil when none is named
	unprotected bool      // the protected header lacks one of the two
	protected   []byte
	payload     []byte
	signature   []byte
}

// parseMessage reads a COSE_Sign1 that ends with b: tagged 18, also within 61, or bare.
func parseMessage(b []byte) (message, error) {
	if err := reader.Wellformed(b); err != nil {
		return message{}, cborError(err)
	}
	body, err := untag(b)
	if err != nil {
		return message{}, err
	}
	tree, err := decode(body)
	if err != nil {
		return message{}, err
	}
	parts, ok := tree.([]any)
	if !ok || len(parts) != 4 {
		return message{}, fail(StepCOSE, "not_sign1", "")
	}
	var m message
	outside, isMap := parts[1].(table)
	var isBytes [3]bool
	m.protected, isBytes[0] = parts[0].([]byte)
	m.payload, isBytes[1] = parts[2].([]byte)
	m.signature, isBytes[2] = parts[3].([]byte)
	if !isMap || isBytes != [3]bool{true, true, true} {
		return message{}, fail(StepCOSE, "not_sign1", "")
	}
	return m, m.readHeaders(outside)
}

func untag(b []byte) ([]byte, error) {
	for _, allowed := range []uint64{tagCWT, tagSign1} {
		if b[0]>>5 != kindTag {
			break
		}
		tag, err := as[cbor.RawTag](b)
		if err != nil {
			return nil, cborError(err)
		}
		if tag.Number == allowed {
			b = tag.Content
		}
	}
	if b[0]>>5 == kindTag {
		return nil, fail(StepCOSE, "tag", "")
	}
	return b, nil
}

// readHeaders sets algorithm and key id.
func (m *message) readHeaders(outside table) error {
	inside := table{}
	if len(m.protected) > 0 {
		tree, err := decode(m.protected)
		if err != nil {
			return err
		}
		var ok bool
		if inside, ok = tree.(table); !ok {
			return fail(StepCOSE, "not_a_header", "")
		}
	}
	if _, ok := inside[labelCritical]; ok {
		return fail(StepCOSE, "critical_header", "")
	}
	stated, safe := header(inside, outside, labelAlgorithm)
	number, isNumber := stated.(int64)
	switch a := Algorithm(number); {
	case stated == nil:
		return fail(StepCOSE, "no_algorithm", "")
	case isNumber && (a == ES256 || a == PS256):
		m.algorithm = a
	}
	named, safeID := header(inside, outside, labelKeyID)
	if id, ok := named.([]byte); ok {
		m.keyID = id
	} else if named != nil {
		return fail(StepCOSE, "key_id", "")
	}
	m.unprotected = !safe || named != nil && !safeID
	return nil
}

// header finds a member, in the protected header first.
func header(inside, outside table, label int64) (v any, protected bool) {
	if v, protected = inside[label]; protected {
		return v, true
	}
	return outside[label], false
}

// signed returns the bytes that the signature covers (RFC 9052, 4.4): the headers and
// the payload as received.
func (m *message) signed() ([]byte, error) {
	return encode([]any{"Signature1", m.protected, []byte{}, m.payload})
}

// write puts the message together, tagged.
func (m *message) write() ([]byte, error) {
	return encode(cbor.Tag{Number: tagSign1, Content: []any{m.protected, table{}, m.payload, m.signature}})
}

// sizeES256 is the length of an ES256 signature: r, then s.
const sizeES256 = 64

// RSA keys outside these sizes are refused: too weak, or a way to burn time.
const minRSABits, maxRSABits = 2048, 4096

// check verifies a signature over bytes. Each algorithm goes with one kind of key.
func (a Algorithm) check(key crypto.PublicKey, signed, signature []byte) error {
	digest := sha256.Sum256(signed)
	switch key := key.(type) {
	case *ecdsa.PublicKey:
		switch {
		case a != ES256 || key.Curve != elliptic.P256():
			return fail(StepSignature, "algorithm", "")
		case len(signature) != sizeES256:
			return fail(StepSignature, "length", "")
		}
		r, s := new(big.Int).SetBytes(signature[:sizeES256/2]), new(big.Int).SetBytes(signature[sizeES256/2:])
		if ecdsa.Verify(key, digest[:], r, s) {
			return nil
		}
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); a != PS256 || bits < minRSABits || bits > maxRSABits {
			return fail(StepSignature, "algorithm", "")
		}
		options := &rsa.PSSOptions{SaltLength: sha256.Size, Hash: crypto.SHA256}
		if rsa.VerifyPSS(key, crypto.SHA256, digest[:], signature, options) == nil {
			return nil
		}
	default:
		return fail(StepSignature, "algorithm", "")
	}
	return fail(StepSignature, "not_valid", "")
}
