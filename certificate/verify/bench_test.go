package verify

import (
	"testing"

	"akashi/internal/testkit"
	"akashi/signing"
)

// BenchmarkIssueCode: draft, signature and text of a code of two doses.
func BenchmarkIssueCode(b *testing.B) {
	cards, barcodes := newCardIssuer(b, signing.TestIssuer), newCountry(b, signing.TestState, signing.TestCountry, nil)
	b.Run("shc", func(b *testing.B) { testkit.InSignUnits(b, func() { cards.issue(b) }) })
	b.Run("vdsnc", func(b *testing.B) { testkit.InSignUnits(b, func() { barcodes.issue(b) }) })
}

// BenchmarkVerify: a whole verdict on such a code; the authority's signature under the
// signer was checked before, as it is once for a bundle.
func BenchmarkVerify(b *testing.B) {
	cards, barcodes := newCardIssuer(b, signing.TestIssuer), newCountry(b, signing.TestState, signing.TestCountry, nil)
	trusted := bundle(b, append([]signing.Key{cards.registered(b)}, barcodes.registered()...), barcodes.current(b))
	for name, text := range map[string]string{"shc": cards.issue(b), "vdsnc": barcodes.issue(b)} {
		b.Run(name, func(b *testing.B) {
			if v := Text(text, trusted, now); v.Outcome != Valid {
				b.Fatal(v)
			}
			testkit.InSignUnits(b, func() { Text(text, trusted, now) })
		})
	}
}
