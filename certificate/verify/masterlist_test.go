package verify

import (
	"testing"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/testkit"
)

// Issue 5, 3: an authority that came by a master list vouches for the bar codes of its own
// state, with its revocation list, and for no other's.
func TestAuthorityOfMasterList(t *testing.T) {
	at := time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)
	publisher := testkit.NewCountry(t, "DE", at.AddDate(-1, 0, 0), at.AddDate(9, 0, 0))
	signer, key := publisher.MasterListSigner()
	held, _, err := trust.ImportCSCA([]trust.File{{Name: "de", Content: publisher.Certificate}}, nil, at)
	if err != nil {
		t.Fatal(err)
	}
	take := func(certificates ...string) *trust.Bundle {
		t.Helper()
		var list [][]byte
		for _, name := range certificates {
			list = append(list, testkit.Read(t, "vdsnc/"+name))
		}
		m := testkit.Message{Type: testkit.MasterListType, Content: testkit.MasterList(t, list...), Signer: signer, Key: key, At: at}
		b, report, err := trust.ImportMasterList(trust.MasterList{Content: m.Sign(t)}, held, at)
		if err != nil || len(report) > 0 {
			t.Fatal(err, report)
		}
		return b
	}
	b := take("synthetic/csca-jpn-test.der")
	verdict := func(name string, b *trust.Bundle) Verdict {
		return File(name, testkit.Read(t, "vdsnc/synthetic/"+name), b, at)[0]
	}
	expect{Undecided, Issuer, Unknown, IssuerUnknown}.check(t, verdict("syn-01-valid-two-doses.json", held))
	expect{Undecided, Revocation, Unknown, ListMissing}.check(t, verdict("syn-01-valid-two-doses.json", b))
	b, report, err := trust.ImportCRL([]trust.File{{Name: "jpn.crl", Content: testkit.Read(t, "vdsnc/synthetic/jpn.crl")}}, b, at)
	if err != nil || len(report) > 0 {
		t.Fatal(err, report)
	}
	for name, want := range map[string]expect{
		"syn-01-valid-two-doses.json":  {Valid, Key, OK, SignerAllowed},
		"syn-04-valid-es384.json":      {Valid, Key, OK, SignerAllowed},
		"syn-48-revoked.json":          {NotValid, Revocation, Failed, SignerRevoked},
		"syn-49-unknown-csca.json":     {Undecided, Issuer, Unknown, IssuerUnknown},
		"syn-51-country-mismatch.json": {NotValid, Key, Failed, CountryDiffers},
		"syn-52-issuer-mismatch.json":  {NotValid, Key, Failed, CountryDiffers},
	} {
		t.Run(name, func(t *testing.T) { want.check(t, verdict(name, b)) })
	}
	t.Run("real, Japan by its roots and links", func(t *testing.T) {
		b := take("trust/jpn-csca-e3-root-p384-explicit.der", "trust/jpn-csca-e5-link-rsapss.der", "trust/aus-csca-16f2.der")
		v := File("jpn-three-doses.json", testkit.Read(t, "vdsnc/real/jpn-three-doses.json"), b, at)[0]
		if v.Facet(Issuer).Code != IssuerKnown || v.Facet(Key).Code != SignerAllowed || v.Facet(Signature).Code != SignatureGood {
			t.Errorf("%+v", v.Facets)
		}
	})
}
