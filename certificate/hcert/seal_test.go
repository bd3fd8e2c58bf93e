package hcert

import (
	"bytes"
	"strings"
	"testing"

	"akashi/certificate/qr"
)

// A draft, sealed, is read back as it was; the bytes are of the profile of an issuer.
func TestSeal(t *testing.T) {
	maker := newForger(t)
	id := KeyID([]byte("a certificate"))
	claims := table{claimIssuer: "JP", claimIssuedAt: 1000, claimExpires: 2000, claimID: bytes.Repeat([]byte{7}, 16)}
	signed := must(toSign(claims, id))
	text := must(Seal(signed, maker.sign(t, signed)))
	c, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.CheckSignature(&maker.key.PublicKey); err != nil || !bytes.Equal(c.Signed, signed) || !bytes.Equal(c.KeyID, id) || len(c.Notes) != 0 {
		t.Errorf("ok/read back: %+v, %v", c, err)
	}
	if b := must(unpack(text)); b[0] != 0xd2 || !isDeterministic(b[1:]) {
		t.Errorf("ok/tag 18 and deterministic: % x", b[:3])
	}
	again := must(toSign(claims, id))
	if !bytes.Equal(again, signed) {
		t.Error("ok/the same claims give other bytes")
	}
	if m, err := qr.Encode(Segments(text), qr.Q, 20); err != nil || m.Version > 20 {
		t.Errorf("ok/symbol: %v", err)
	}

	foreign := message{protected: must(encode(table{labelAlgorithm: -7})), payload: must(encode(claims))}
	ps256 := message{protected: must(encode(table{labelAlgorithm: -37, labelKeyID: id})), payload: must(encode(claims))}
	loose := message{protected: must(encode(table{labelAlgorithm: -7, labelKeyID: id})), payload: []byte{0x18, 0}}
	for name, b := range map[string][]byte{
		"nothing": nil, "other bytes": []byte("hello"), "a payload": must(encode(claims)), "no key id": must(foreign.signed()), "PS256": must(ps256.signed()),
		"not deterministic": must(loose.signed()), "bytes more": append(bytes.Clone(signed), 0), "another context": must(encode([]any{"Signature", []byte{}, []byte{}, []byte{}})),
	} {
		if _, err := Seal(b, make([]byte, 64)); reason(err) != "draft not_a_draft" {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	if _, err := Seal(signed, make([]byte, 63)); reason(err) != "draft signature_length" {
		t.Errorf("error/signature: %v", err)
	}
	if _, err := toSign(claims, id[:7]); reason(err) != "draft key_id" {
		t.Errorf("error/key id: %v", err)
	}
	huge := must(toSign(table{claimIssuer: strings.Repeat("x", maxInflated)}, id))
	if _, err := Seal(huge, make([]byte, 64)); reason(err) != "draft too_long" {
		t.Errorf("error/too long: %v", err)
	}
}
