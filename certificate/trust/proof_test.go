package trust

import (
	"bytes"
	"errors"
	"testing"

	"akashi/certificate/jsonld"
	"akashi/internal/testkit"
)

func whoSigner(t testing.TB) *jsonld.Key {
	t.Helper()
	k, err := ParseListKey(testkit.Read(t, "who/trust/who-dev-list-signing-key.did.json"))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

// who/README and issue 5, 3: a list is taken by its proof, with the same signers as by its
// digest; one whose proof does not hold is refused, unless its digest was approved.
func TestProof(t *testing.T) {
	key, lists := whoSigner(t), 0
	for name, signers := range map[string]int{
		"v2_trustlist_PH4H_CHL_DSC.did.json": 5, "v2_trustlist_PH4H_CHL.did.json": 5, "v2_trustlist_DCC_XXU_DSC.did.json": 4, "v2_trustlist_DCC_XXU_SCA.did.json": 0,
		"v2_trustlist_IPS-PILGRIMAGE.did.json": 1, "v2_trustlist-ref.did.json": 0, "v2_trustlist-ref_PH4H_CHL.did.json": 0, "v2_trustlist-ref_PH4H_CHL_DSC.did.json": 0,
	} {
		d := document(t, name)
		b, report, err := ImportGDHCN(DIDDocument{Content: d.Content, Signer: key})
		if err != nil || len(signersOf(b)) != signers || problemsOf(report)[TakenByProof] != 1 || problemsOf(report)["not_signed"] != 0 {
			t.Errorf("ok/%s: %v %v", name, report, err)
			continue
		}
		lists++
		changed := bytes.Replace(d.Content, []byte(`"id":"did:web:tng`), []byte(`"id":"did:web:tnx`), 1)
		if _, _, err := ImportGDHCN(DIDDocument{Content: changed, Signer: key}); !errors.Is(err, ErrNoProof) {
			t.Errorf("error/%s changed: %v", name, err)
		}
		if _, _, err := ImportGDHCN(DIDDocument{Content: changed, Signer: key, Digest: d.Digest}); !errors.Is(err, ErrNotPinned) {
			t.Errorf("error/%s changed, with the digest of the good one: %v", name, err)
		}
		if _, report, err := ImportGDHCN(DIDDocument{Content: d.Content, Digest: d.Digest}); err != nil || problemsOf(report)[TakenByDigest] != 1 {
			t.Errorf("ok/%s by digest: %v %v", name, report, err)
		}
	}
	if lists != 8 {
		t.Errorf("%d lists, want 8", lists)
	}
	v1 := document(t, "dev-v1-xcl.json")
	if _, _, err := ImportGDHCN(DIDDocument{Content: v1.Content, Signer: key}); !errors.Is(err, ErrNoProof) {
		t.Errorf("error/no proof: %v", err)
	}
	v1.Signer = key
	if _, report, err := ImportGDHCN(v1); err != nil || problemsOf(report)[TakenByDigest] != 1 {
		t.Errorf("ok/no proof, but approved: %v %v", report, err)
	}
}

// A stranger's entry in a signed list, of which nothing was signed, is not taken (L-19).
func TestUnsignedEntry(t *testing.T) {
	d := document(t, "v2_trustlist_PH4H_CHL_DSC.did.json")
	start := bytes.Index(d.Content, []byte(`{"id":"did:web:tng-cdn-dev.who.int:v2:trustlist:PH4H:CHL:DSC#`))
	end := start + bytes.Index(d.Content[start:], []byte(`},{"id"`)) + 1
	planted := bytes.Replace(d.Content[start:end], []byte(`"id":"did:web:tng-cdn-dev.who.int:v2:trustlist:PH4H:CHL:DSC#`), []byte(`"id":"#`), 1)
	content := bytes.Join([][]byte{d.Content[:end], planted, d.Content[end+1:]}, []byte(","))
	b, report, err := ImportGDHCN(DIDDocument{Content: content, Signer: whoSigner(t)})
	if err != nil || len(signersOf(b)) != 5 || problemsOf(report)["not_signed"] != 1 {
		t.Errorf("%v, %v, %v", err, report, signersOf(b))
	}
}
