package hcert

import (
	"bytes"
	"testing"

	"akashi/internal/strictjson"
)

// What is read must not fall over, and what passes must be stable.
func FuzzParse(f *testing.F) {
	maker := newForger(f)
	f.Add(maker.code(f, table{claimIssuer: "XX", claimIssuedAt: 1.5, claimHealth: table{1: table{}}}))
	f.Add(Prefix)
	f.Add(Prefix + ":::")
	f.Fuzz(func(t *testing.T, text string) {
		if c, err := Parse(text); err == nil {
			_ = c.CheckSignature(&maker.key.PublicKey)
			_ = c.Digest()
		}
	})
}

func FuzzBase45(f *testing.F) {
	f.Add("QED8WEX0")
	f.Add("GGW")
	f.Fuzz(func(t *testing.T, text string) {
		if b, err := decodeBase45(text); err == nil && encodeBase45(b) != text {
			t.Errorf("%q became %q", text, encodeBase45(b))
		}
	})
}

// FuzzMessage takes the inflated bytes, so that the fuzzer need not find zlib and base45.
func FuzzMessage(f *testing.F) {
	maker := newForger(f)
	f.Add(maker.message(f, table{labelAlgorithm: -7, labelKeyID: []byte("12345678")}, table{}, must(encode(table{claimIssuedAt: 1}))))
	f.Add([]byte{0xd8, 61, 0xd2, 0x84, 0x40, 0xa1, 1, 0x26, 0x40, 0x40})
	f.Fuzz(func(t *testing.T, b []byte) {
		if m, err := parseMessage(b); err == nil {
			if _, err := m.signed(); err != nil {
				t.Error(err)
			}
			_, _ = Parse(pack(b))
		}
	})
}

// FuzzDecode: a tree that was read is written in one form, which reads as the same tree.
func FuzzDecode(f *testing.F) {
	f.Add([]byte{0xa2, 1, 2, 0x61, 'a', 0x9f, 0xf6, 0xff})
	f.Add([]byte{0xc0, 0x61, '1'})
	f.Fuzz(func(t *testing.T, b []byte) {
		v, err := decode(b)
		if err != nil {
			return
		}
		once, err := encode(v)
		if err != nil {
			t.Fatal(err)
		}
		again, err := decode(once)
		if err != nil {
			t.Fatal(err)
		}
		if twice := must(encode(again)); !bytes.Equal(once, twice) {
			t.Errorf("%x, then %x", once, twice)
		}
	})
}

// FuzzContent takes the bytes of the claims: every kind of content, from any tree.
func FuzzContent(f *testing.F) {
	for _, v := range []any{
		table{claimHealth: table{1: table{"ver": "1.3.0", "nam": table{"fnt": "A"}, "dob": "", "v": []any{table{"dt": "2021-02-03"}}}}},
		table{claimHealth: table{-6: table{"n": "A", "dob": "1990-01-01", "vx": table{"dv": "2026-04-20"}}}},
		table{claimHealth: table{5: []any{table{"u": "shlink:/e30"}}}},
		table{"name": "A", "vaccine": table{}, "date": nil},
	} {
		f.Add(must(encode(v)))
	}
	at := issuedAt
	f.Fuzz(func(t *testing.T, claims []byte) {
		m := message{protected: must(encode(table{labelAlgorithm: -7})), payload: claims, signature: make([]byte, 64)}
		c, err := Parse(pack(must(m.write())))
		if err != nil {
			return
		}
		_ = c.CheckTime(at, 0)
		if c.DCC != nil {
			_ = c.DCC.CheckEvent(at)
		}
		if c.ICVP != nil {
			_ = c.ICVP.CheckDose(at)
		}
		for _, l := range c.Links {
			_ = l.Warnings(at)
		}
	})
}

func FuzzDIVOC(f *testing.F) {
	f.Add([]byte(`{"credentialSubject":{"name":"A"},"evidence":[{"vaccine":"B","dose":1.5}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		_, _ = ParseDIVOC(string(b))
		if values, err := strictjson.Parse(b, divocLevels); err == nil {
			if top, ok := numbers(values).(table); ok {
				_, _ = readDIVOC(fields{"", top})
			}
		}
	})
}
