package hcert

import (
	"testing"

	"akashi/internal/testkit"
)

func BenchmarkIssueDCC(b *testing.B) {
	maker, c, o := newForger(b), specimen(b, "comirnaty"), options()
	testkit.InSignUnits(b, func() {
		signed := must(DraftDCC(c, 0, o))
		_ = must(Seal(signed, maker.sign(b, signed)))
	})
}

func BenchmarkIssueICVP(b *testing.B) {
	maker, o := newForger(b), options()
	testkit.InSignUnits(b, func() {
		signed := must(DraftICVP(sample(), issuedAt, o))
		_ = must(Seal(signed, maker.sign(b, signed)))
	})
}

func BenchmarkVerifyDCC(b *testing.B) {
	maker := newForger(b)
	signed := must(DraftDCC(specimen(b, "comirnaty"), 0, options()))
	text := must(Seal(signed, maker.sign(b, signed)))
	testkit.InSignUnits(b, func() { _ = must(Parse(text)).CheckSignature(&maker.key.PublicKey) })
}

func BenchmarkVerifyICVP(b *testing.B) {
	maker := newForger(b)
	signed := must(DraftICVP(sample(), issuedAt, options()))
	text := must(Seal(signed, maker.sign(b, signed)))
	testkit.InSignUnits(b, func() { _ = must(Parse(text)).CheckSignature(&maker.key.PublicKey) })
}
