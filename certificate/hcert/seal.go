package hcert

import (
	"bytes"

	"akashi/certificate/qr"
	"akashi/signing/pki"
)

// KeyIDSize is the length of the key ids that we write, in bytes.
const KeyIDSize = pki.HealthKeyIDSize

// KeyID returns the identifier of a signer: the first 8 bytes of the SHA-256 of its
// certificate in DER (eu-dcc, 6).
func KeyID(der []byte) []byte {
	return pki.HealthKeyID(der)
}

// toSign returns the bytes to sign of claims, which the key of that id is to sign with
// ES256: algorithm and key id in the protected header, everything in deterministic CBOR.
func toSign(claims table, keyID []byte) ([]byte, error) {
	if len(keyID) != KeyIDSize {
		return nil, fail(StepDraft, "key_id", "key_id")
	}
	var m message
	var err error
	if m.protected, err = encode(table{labelAlgorithm: ES256, labelKeyID: keyID}); err != nil {
		return nil, err
	}
	if m.payload, err = encode(claims); err != nil {
		return nil, err
	}
	return m.signed()
}

// Seal joins the bytes of a draft and their ES256 signature (64 bytes, r then s) to the
// text of the code.
func Seal(signed, signature []byte) (text string, err error) {
	if len(signature) != sizeES256 {
		return "", fail(StepDraft, "signature_length", "")
	}
	m, err := reopen(signed)
	if err != nil {
		return "", err
	}
	m.signature = signature
	b, err := m.write()
	if err != nil {
		return "", err
	}
	text = Prefix + encodeBase45(deflate(b))
	if len(text) > maxText || len(b) > maxInflated {
		return "", fail(StepDraft, "too_long", "")
	}
	return text, nil
}

// reopen reads the bytes of a draft. Bytes that no draft gives are refused.
func reopen(signed []byte) (m message, err error) {
	refused := fail(StepDraft, "not_a_draft", "")
	tree, err := decode(signed)
	if err != nil {
		return m, refused
	}
	parts, ok := tree.([]any)
	if !ok || len(parts) != 4 || parts[0] != "Signature1" {
		return m, refused
	}
	var isBytes [2]bool
	m.protected, isBytes[0] = parts[1].([]byte)
	m.payload, isBytes[1] = parts[3].([]byte)
	if isBytes != [2]bool{true, true} || !isDeterministic(m.payload) || m.readHeaders(nil) != nil || m.algorithm != ES256 || len(m.keyID) != KeyIDSize {
		return m, refused
	}
	again, err := m.signed()
	if err != nil || !bytes.Equal(again, signed) {
		return m, refused
	}
	return m, nil
}

// Segments returns the segments of the symbol: the whole text in alphanumeric mode.
func Segments(text string) []qr.Segment { return []qr.Segment{{Mode: qr.Alphanumeric, Text: text}} }
