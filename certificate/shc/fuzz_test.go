package shc

import (
	"testing"

	"akashi/certificate"
)

// What is read must not fall over, and what passes must be stable.
func FuzzParse(f *testing.F) {
	maker := newForger(f)
	good := maker.issue(f, specimen(certificate.Travel, 2), options(maker))
	f.Add(maker.header(), good.Claims)
	f.Add(`{}`, []byte(`{"iss":"https://a.example","nbf":1.5,"vc":{}}`))
	f.Fuzz(func(t *testing.T, header string, claims []byte) {
		if len(claims) > maxInflated {
			return
		}
		if c, err := Parse(maker.card(t, header, claims)); err == nil {
			_ = c.Content()
			_ = Compare(specimen(certificate.Travel, 2), c, options(maker))
			if err := c.CheckSignature(&maker.key.PublicKey); err != nil {
				t.Errorf("own signature: %v", err)
			}
		}
		_ = LintClaims(claims)
		_ = LintBundle(claims)
	})
}

func FuzzFromNumeric(f *testing.F) {
	f.Add("shc:/00770152450312")
	f.Add("shc:/1/1/0077")
	f.Add(" shc:/12\n")
	f.Fuzz(func(t *testing.T, text string) {
		jws, notes, err := FromNumeric(text)
		if err != nil || len(notes) > 0 {
			return
		}
		if back, err := Numeric(jws); err != nil || back != text {
			t.Errorf("%q became %q, %v", text, back, err)
		}
		_, _ = Parse(jws)
	})
}

func FuzzParseFile(f *testing.F) {
	f.Add([]byte(`{"verifiableCredential":["a.b.c"]}`))
	f.Add([]byte(`{"resourceType":"Parameters","parameter":[{"name":"verifiableCredential","valueString":"a.b.c"}]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		if list, _, err := ParseFile(b); err == nil {
			if again, _, err := ParseFile(File(list...)); err != nil || len(again) != len(list) {
				t.Errorf("not stable: %v", err)
			}
		}
		_, _, _ = ParseParameters(b)
	})
}
