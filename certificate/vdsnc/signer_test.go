package vdsnc

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"errors"
	"math/big"
	"testing"
	"time"

	"akashi/signing/pki"
)

func TestCheckSignatureErrors(t *testing.T) {
	signer := newSigner(t)
	good, err := Parse(signer.seal(t, specimen()))
	if err != nil {
		t.Fatal(err)
	}
	order := elliptic.P256().Params().N
	cases := map[string]func(b *Barcode){
		"a changed byte":      func(b *Barcode) { b.Signed[100] ^= 1 },
		"a changed signature": func(b *Barcode) { b.Signature[63] ^= 1 },
		"r is 0":              func(b *Barcode) { clear(b.Signature[:32]) },
		"s is 0":              func(b *Barcode) { clear(b.Signature[32:]) },
		"r plus n":            func(b *Barcode) { new(big.Int).Add(order, big.NewInt(1)).FillBytes(b.Signature[:32]) },
		"one byte less":       func(b *Barcode) { b.Signature = b.Signature[:63] },
		"one byte more":       func(b *Barcode) { b.Signature = append(b.Signature, 0) },
		"another algorithm":   func(b *Barcode) { b.Algorithm = "ES384" },
		"another signer":      func(b *Barcode) { b.Signer = signer.authority },
	}
	for name, change := range cases {
		t.Run("error/"+name, func(t *testing.T) {
			b := *good
			b.Signed, b.Signature = bytes.Clone(good.Signed), bytes.Clone(good.Signature)
			change(&b)
			if err := b.CheckSignature(); stepOf(err) != StepSignature {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Spec icao-vds-nc, 7, steps 6 and 7.
func TestSignerRules(t *testing.T) {
	signer := newSigner(t)
	certificate, err := pki.ParseCertificate(signer.der)
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	type state struct {
		signer, authority pki.Certificate
		typ, issuer       string
		at                time.Time
	}
	cases := map[string]struct {
		change func(s *state)
		step   Step
		code   string
	}{
		"ok/as made":                    {func(*state) {}, "", ""},
		"ok/no document types":          {func(s *state) { s.signer.HasDocumentTypes, s.signer.DocumentTypes = false, nil }, "", ""},
		"ok/no key usage":               {func(s *state) { s.signer.HasKeyUsage, s.signer.KeyUsage = false, 0 }, "", ""},
		"error/authority as signer":     {func(s *state) { s.signer = s.authority }, StepCertificate, "is_an_authority"},
		"error/purpose":                 {func(s *state) { s.signer.ExtKeyUsage = nil }, StepCertificate, "purpose"},
		"error/key usage":               {func(s *state) { s.signer.KeyUsage = x509.KeyUsageKeyAgreement }, StepCertificate, "key_usage"},
		"error/test by vaccine signer":  {func(s *state) { s.typ = TypeTest }, StepCertificate, "document_type"},
		"error/empty document types":    {func(s *state) { s.signer.DocumentTypes = nil }, StepCertificate, "document_type"},
		"error/critical":                {func(s *state) { s.signer.UnknownCritical = s.signer.ExtKeyUsage }, StepCertificate, "unknown_critical_extension"},
		"error/early":                   {func(s *state) { s.at = s.signer.NotBefore.Add(-time.Second) }, StepCertificate, "not_yet_valid"},
		"error/late":                    {func(s *state) { s.at = s.signer.NotAfter.Add(time.Second) }, StepCertificate, "expired"},
		"error/authority is none":       {func(s *state) { s.authority = s.signer }, StepCertificate, "authority_is_none"},
		"error/authority ended":         {func(s *state) { s.authority.NotAfter = at.Add(-1) }, StepCertificate, "authority_expired"},
		"error/authority not yet valid": {func(s *state) { s.authority.NotBefore = at.Add(1) }, StepCertificate, "authority_not_yet_valid"},
		"error/issuer":                  {func(s *state) { s.issuer = "JPN" }, StepCountry, "issuer_differs"},
		"error/authority's country":     {func(s *state) { s.authority.Subject = readCertificate(t, "trust/aus-csca-16f2.der").Subject }, StepCountry, "authority_differs"},
		"error/no country":              {func(s *state) { s.signer.Subject = pki.Name{} }, StepCountry, "no_country"},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			s := state{*certificate, *signer.authority, TypeVaccination, issuer, at}
			c.change(&s)
			err := SignerRules(&s.signer, &s.authority, s.typ, s.issuer, s.at)
			var e *Error
			if stepOf(err) != c.step || errors.As(err, &e) && e.Code != c.code {
				t.Errorf("got %v, want %s %s", err, c.step, c.code)
			}
		})
	}
}
