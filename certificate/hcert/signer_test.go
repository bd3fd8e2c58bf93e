package hcert

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"testing"
	"time"

	"akashi/signing/pki"
)

// eu-dcc, 6; who-icvp-gdhcn, 7: what a signer of ours has to be.
func TestCheckSigner(t *testing.T) {
	from := time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)
	made := func(country, name string, curve elliptic.Curve, bars bool) (signer, authority *pki.Certificate) {
		t.Helper()
		root, key := must(ecdsa.GenerateKey(elliptic.P256(), rand.Reader)), must(ecdsa.GenerateKey(curve, rand.Reader))
		ca := must(pki.CreateAuthority(pki.AuthorityTemplate{Country: country, CommonName: "SCA", NotBefore: from, NotAfter: from.AddDate(4, 0, 0)}, root))
		create := pki.CreateHealthSigner
		if bars {
			create = pki.CreateBarcodeSigner
		}
		der := must(create(pki.SignerTemplate{Country: country, CommonName: name, NotBefore: from, NotAfter: from.AddDate(2, 0, 0)}, &key.PublicKey, ca, root))
		return must(pki.ParseCertificate(der)), must(pki.ParseCertificate(ca))
	}
	good, authority := made("JP", "DSC", elliptic.P256(), false)
	_, other := made("JP", "DSC", elliptic.P256(), false)
	for name, c := range map[string]struct {
		want              string
		signer, authority *pki.Certificate
		state             string
	}{
		"ok/signer":            {"", good, authority, "JPN"},
		"error/state":          {"signer country", good, authority, "UTO"},
		"error/authority":      {"signer not_of_authority", good, other, "JPN"},
		"error/is a authority": {"signer authority", authority, authority, "JPN"},
	} {
		if got := reason(CheckSigner(c.signer, c.authority, c.state)); got != c.want {
			t.Errorf("%s: %s", name, got)
		}
	}
	if s, a := made("JP", "", elliptic.P256(), false); reason(CheckSigner(s, a, "JPN")) != "signer common_name" {
		t.Error("error/no name")
	}
	if s, a := made("JP", "DSC", elliptic.P384(), false); reason(CheckSigner(s, a, "JPN")) != "signer key" {
		t.Error("error/curve")
	}
	s, a := made("JP", "DSC", elliptic.P256(), true)
	if CheckSigner(s, a, "JPN") != nil { // its purpose is none of health certificates
		t.Error("ok/other purposes are ignored")
	}
	s.ExtKeyUsage = append(s.ExtKeyUsage, purposes[kindTestResult][0])
	if reason(CheckSigner(s, a, "JPN")) != "signer purpose" {
		t.Error("error/of tests")
	}
	s.KeyUsage = 0
	if reason(CheckSigner(s, a, "JPN")) != "signer key_usage" {
		t.Error("error/key usage")
	}
}
