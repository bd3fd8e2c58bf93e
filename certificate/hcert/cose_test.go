package hcert

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/hex"
	"encoding/json"
	"path"
	"path/filepath"
	"slices"
	"testing"

	"akashi/internal/testkit"
)

// coseCases say what becomes of each published example. The profile refuses what is
// right under RFC 9052 but is no HC1: other messages, algorithms and curves, and an
// empty protected header that is not the empty string, or data outside the message.
var coseCases = map[string]string{
	"CWT/A_4.json": "cose tag", "CWT/A_5.json": "cose tag", "CWT/A_7.json": "cose tag",
	"ecdsa-examples/ecdsa-01.json": "cose tag", "ecdsa-examples/ecdsa-02.json": "cose tag", "ecdsa-examples/ecdsa-04.json": "cose tag",
	"ecdsa-examples/ecdsa-sig-01.json": "",
	"ecdsa-examples/ecdsa-sig-03.json": "signature algorithm", "ecdsa-examples/ecdsa-sig-04.json": "signature algorithm",
	"sign1-tests/sign-fail-01.json": "cose tag", "sign1-tests/sign-fail-02.json": "signature not_valid",
	"sign1-tests/sign-fail-04.json": "signature algorithm", "sign1-tests/sign-fail-06.json": "signature not_valid",
	"sign1-tests/sign-pass-01.json": "signature not_valid", "sign1-tests/sign-pass-02.json": "signature not_valid",
}

// cose-wg/Examples: every file kept has its outcome, and what must fail does.
func TestCOSEExamples(t *testing.T) {
	files, err := filepath.Glob(testkit.Shared(t, "security/cose") + "/*/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		name := path.Join(filepath.Base(filepath.Dir(file)), filepath.Base(file))
		t.Run(name, func(t *testing.T) {
			var example struct {
				Fail  bool
				Input struct {
					Sign0 struct{ Key struct{ Crv, X, Y string } }
				}
				Output struct{ CBOR string }
			}
			if err := json.Unmarshal(testkit.Read(t, "security/cose/"+name), &example); err != nil {
				t.Fatal(err)
			}
			want, known := coseCases[name]
			m, err := parseMessage(must(hex.DecodeString(example.Output.CBOR)))
			if err == nil {
				c := &Code{Algorithm: m.algorithm, Signed: must(m.signed()), Signature: m.signature}
				err = c.CheckSignature(keyOf(example.Input.Sign0.Key.Crv, example.Input.Sign0.Key.X, example.Input.Sign0.Key.Y))
			}
			if !known || reason(err) != want || example.Fail && err == nil {
				t.Errorf("%v, want %s", err, want)
			}
		})
	}
	if len(files) != len(coseCases) || len(files) != 15 {
		t.Errorf("%d files, %d known, want 15", len(files), len(coseCases))
	}
}

func keyOf(curve, x, y string) *ecdsa.PublicKey {
	curves := map[string]elliptic.Curve{"P-256": elliptic.P256(), "P-521": elliptic.P521()}
	return must(ecdsa.ParseUncompressedPublicKey(curves[curve], slices.Concat([]byte{4}, rawURL(x), rawURL(y))))
}

// S-066: Wycheproof's ECDSA cases in the form r‖s, by the check that reads codes.
func TestWycheproofES256(t *testing.T) {
	var list struct {
		NumberOfTests int
		Groups        []struct {
			Key struct {
				Uncompressed string
			} `json:"publicKey"`
			Tests []struct {
				ID               int `json:"tcId"`
				Msg, Sig, Result string
			}
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/ecdsa_p256_sha256_p1363.json"), &list); err != nil {
		t.Fatal(err)
	}
	ran, valid := 0, 0
	for _, g := range list.Groups {
		key, err := ecdsa.ParseUncompressedPublicKey(elliptic.P256(), must(hex.DecodeString(g.Key.Uncompressed)))
		if err != nil {
			t.Fatal(err)
		}
		for _, one := range g.Tests {
			ran++
			err := ES256.check(key, must(hex.DecodeString(one.Msg)), must(hex.DecodeString(one.Sig)))
			if (err == nil) != (one.Result == "valid") {
				t.Errorf("%d: %v, want %s", one.ID, err, one.Result)
			}
			if err == nil {
				valid++
			}
		}
	}
	if ran != 175 || valid == 0 || valid == ran {
		t.Errorf("%d cases ran, want 175; %d valid", ran, valid)
	}
}

// eu-dcc, 4: which header counts, and which algorithm goes with which key.
func TestHeaders(t *testing.T) {
	maker := newForger(t)
	payload := must(encode(table{claimIssuer: "XX"}))
	right, wrong := []byte("12345678"), []byte("87654321")
	for name, c := range map[string]struct {
		inside, outside table
		id              string
		unprotected     bool
	}{
		"both inside":                     {table{labelAlgorithm: -7, labelKeyID: right}, table{}, "12345678", false},
		"key outside":                     {table{labelAlgorithm: -7}, table{labelKeyID: right}, "12345678", true},
		"both, the protected one (CO21)":  {table{labelAlgorithm: -7, labelKeyID: right}, table{labelKeyID: wrong}, "12345678", false},
		"both outside (CO20)":             {nil, table{labelAlgorithm: -7, labelKeyID: right}, "12345678", true},
		"algorithm outside":               {table{labelKeyID: right}, table{labelAlgorithm: -7}, "12345678", true},
		"an algorithm outside as well":    {table{labelAlgorithm: -7, labelKeyID: right}, table{labelAlgorithm: -37}, "12345678", false},
		"no key":                          {table{labelAlgorithm: -7}, table{}, "", false},
		"others, such as a content type":  {table{labelAlgorithm: -7, labelKeyID: right, 3: 61, "x": 1}, table{}, "12345678", false},
		"an empty protected header, read": {table{}, table{labelAlgorithm: -7, labelKeyID: right}, "12345678", true},
	} {
		t.Run("ok/"+name, func(t *testing.T) {
			got, err := Parse(pack(maker.message(t, c.inside, c.outside, payload)))
			if err != nil || string(got.KeyID) != c.id || (got.Notes[0] == NoteHeaderUnprotected) != c.unprotected {
				t.Fatalf("%+v, %v", got, err)
			}
			if err := got.CheckSignature(&maker.key.PublicKey); err != nil {
				t.Error(err)
			}
			if err := got.CheckSignature(&maker.rsa.PublicKey); reason(err) != "signature algorithm" {
				t.Errorf("under a key of another kind: %v", err)
			}
		})
	}
	for name, c := range map[string]struct {
		inside, outside table
		want            string
	}{
		"no algorithm":            {table{labelKeyID: right}, table{}, "cose no_algorithm"},
		"algorithm null":          {table{labelAlgorithm: nil}, table{}, "cose no_algorithm"},
		"key id that is text":     {table{labelAlgorithm: -7, labelKeyID: "12345678"}, table{}, "cose key_id"},
		"a condition that counts": {table{labelAlgorithm: -7, labelCritical: []any{99}, 99: 1}, table{}, "cose critical_header"},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if _, err := Parse(pack(maker.message(t, c.inside, c.outside, payload))); reason(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	for _, a := range []any{-35, -36, -8, 5, 0, "ES256", -7.0} {
		got, err := Parse(pack(maker.message(t, table{labelAlgorithm: a}, table{}, payload)))
		if err != nil {
			t.Fatal(err)
		}
		if err := got.CheckSignature(&maker.key.PublicKey); reason(err) != "signature algorithm" {
			t.Errorf("error/algorithm %v: %v", a, err)
		}
	}
}

// eu-dcc, 4: tags around a message.
func TestTags(t *testing.T) {
	maker := newForger(t)
	bare := maker.message(t, table{labelAlgorithm: -7}, table{}, must(encode(table{})))
	tagged := append([]byte{0xd2}, bare...)
	for name, b := range map[string][]byte{"none": bare, "18": tagged, "61 and 18 (CO28)": append([]byte{0xd8, 61}, tagged...), "61": append([]byte{0xd8, 61}, bare...)} {
		if _, err := parseMessage(b); err != nil {
			t.Errorf("ok/%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"17": append([]byte{0xd1}, bare...), "18 twice": append([]byte{0xd2}, tagged...), "18 around 61": append([]byte{0xd2, 0xd8, 61}, bare...),
		"61 twice": append([]byte{0xd8, 61, 0xd8, 61}, bare...), "98": append([]byte{0xd8, 98}, bare...),
	} {
		if _, err := parseMessage(b); reason(err) != "cose tag" {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	for name, b := range map[string][]byte{
		"five parts": must(encode([]any{[]byte{}, table{}, []byte{}, []byte{}, 1})), "a payload apart": must(encode([]any{[]byte{}, table{}, nil, []byte{}})),
		"a header that is no map": must(encode([]any{[]byte{}, []any{}, []byte{}, []byte{}})), "a map": must(encode(table{})), "protected text": must(encode([]any{"", table{}, []byte{}, []byte{}})),
	} {
		if _, err := parseMessage(b); reason(err) != "cose not_sign1" {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	if _, err := parseMessage(must(encode([]any{[]byte{0x80}, table{}, []byte{}, []byte{}}))); reason(err) != "cose not_a_header" {
		t.Errorf("error/protected array: %v", err)
	}
}

// S-066: signatures of another form, key or length, and PS256 with another salt.
func TestCheckSignature(t *testing.T) {
	maker := newForger(t)
	signed := []byte("signed")
	good := maker.sign(t, signed)
	flip := func(b []byte) []byte { b = bytes.Clone(b); b[len(b)-1] ^= 1; return b }
	short := must(rsa.GenerateKey(rand.Reader, 1024))
	p384 := must(ecdsa.GenerateKey(elliptic.P384(), rand.Reader))
	der := must(maker.key.Sign(rand.Reader, make([]byte, 32), crypto.SHA256))
	for name, c := range map[string]struct {
		algorithm Algorithm
		key       crypto.PublicKey
		signature []byte
		want      string
	}{
		"ok/ES256":              {ES256, &maker.key.PublicKey, good, ""},
		"ok/PS256":              {PS256, &maker.rsa.PublicKey, maker.signPSS(t, signed, 32), ""},
		"error/flipped":         {ES256, &maker.key.PublicKey, flip(good), "signature not_valid"},
		"error/zero":            {ES256, &maker.key.PublicKey, make([]byte, 64), "signature not_valid"},
		"error/DER (CO24)":      {ES256, &maker.key.PublicKey, der, "signature length"},
		"error/three bytes":     {ES256, &maker.key.PublicKey, []byte{1, 2, 3}, "signature length"},
		"error/96 bytes":        {ES256, &maker.key.PublicKey, make([]byte, 96), "signature length"},
		"error/P-384":           {ES256, &p384.PublicKey, make([]byte, 96), "signature algorithm"},
		"error/another":         {PS256, &maker.key.PublicKey, good, "signature algorithm"},
		"error/RSA as ES256":    {ES256, &maker.rsa.PublicKey, good, "signature algorithm"},
		"error/RSA 1024":        {PS256, &short.PublicKey, make([]byte, 128), "signature algorithm"},
		"error/salt of 20":      {PS256, &maker.rsa.PublicKey, maker.signPSS(t, signed, 20), "signature not_valid"},
		"error/PS256 flipped":   {PS256, &maker.rsa.PublicKey, flip(maker.signPSS(t, signed, 32)), "signature not_valid"},
		"error/no key":          {ES256, nil, good, "signature algorithm"},
		"error/a private key":   {ES256, maker.key, good, "signature algorithm"},
		"error/empty signature": {PS256, &maker.rsa.PublicKey, nil, "signature not_valid"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.algorithm.check(c.key, signed, c.signature); reason(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
}
