package publish

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/signing"
	"akashi/signing/pki"
)

// aSigner is a signer of EU certificates of the state UT.
func aSigner(t *testing.T, now time.Time) signing.Key {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	csca, err := pki.CreateAuthority(pki.AuthorityTemplate{Country: "UT", CommonName: "x", NotBefore: now, NotAfter: now.AddDate(5, 0, 0)}, authority)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.CreateHealthSigner(pki.SignerTemplate{Country: "UT", CommonName: "x", NotBefore: now, NotAfter: now.AddDate(2, 0, 0)}, &key.PublicKey, csca, authority)
	if err != nil {
		t.Fatal(err)
	}
	return signing.Key{ID: "eu", Purpose: signing.DSC, State: signing.Active, Certificate: der, NotAfter: now.AddDate(2, 0, 0)}
}

// checkSigners takes the list of signers as a stranger does who has the key of it.
func checkSigners(t *testing.T, list, public []byte, key signing.Key, now time.Time) {
	t.Helper()
	b, report, err := trust.ImportDCC(list, public, now)
	if err != nil || len(report) != 0 || len(b.HealthSigners(hcert.KeyID(key.Certificate))) != 1 {
		t.Fatalf("ok/signers: %v %v", err, report)
	}
	list[len(list)-3] ^= 1
	if _, _, err := trust.ImportDCC(list, public, now); !errors.Is(err, trust.ErrNotSigned) {
		t.Errorf("error/a changed list: %v", err)
	}
	list[len(list)-3] ^= 1
}

// Issue 5, section 4: whoever verifies EU certificates finds ours that ended in batches,
// a filter and a list of cut hashes, by the kid of their key.
func TestWithdrawn(t *testing.T) {
	s, m, lists, now := workshop(t)
	key := aSigner(t, *now)
	s.keys = append(s.keys, key)
	kid := base64.RawURLEncoding.EncodeToString(hcert.KeyID(key.Certificate))
	file := func(name string) []byte {
		t.Helper()
		b, found, err := lists.WithdrawnFile(t.Context(), name)
		if err != nil || !found {
			t.Fatalf("%s: %v %v", name, found, err)
		}
		return b
	}
	step := func() {
		t.Helper()
		*now = now.Add(time.Minute)
		if err := m.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	listKey, err := signing.OpenListKey(dir)
	if err != nil {
		t.Fatal(err)
	}
	m.Signers = listKey
	step()
	checkSigners(t, file(SignersFile), listKey.Public(), key, *now)
	if got := string(file(WithdrawnIndex)); got != "[]" {
		t.Errorf("ok/nothing ended: %s", got)
	}
	end := func(n int) hcert.Mark {
		id := fmt.Sprintf("CERTIF%06d", n)
		s.ended = append(s.ended, EndedCode{
			EndedCode: trust.EndedCode{Family: certificate.DCC, ID: "cti" + id, Why: trust.Superseded}, KeyID: "eu", Certificate: id, Dose: 3, At: *now,
		})
		return hcert.IDMark(hcert.UVCI("UT", id, 3))
	}
	var marks []hcert.Mark
	for n := range 1500 {
		marks = append(marks, end(n))
	}
	step()
	var index []withdrawnIndex
	if err := json.Unmarshal(file(WithdrawnIndex), &index); err != nil || len(index) != 1 || index[0].KeyID != kid {
		t.Fatalf("ok/index: %v %+v", err, index)
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(file(index[0].Batches), &texts); err != nil || len(texts) != 2 {
		t.Fatalf("ok/batches: %v, %d", err, len(texts))
	}
	var all []hcert.Batch
	for _, text := range texts {
		b, err := hcert.ParseBatch(text)
		if err != nil || !bytes.Equal(b.KeyID, hcert.KeyID(key.Certificate)) || b.Country != "UT" || !b.Expires.Equal(key.NotAfter) {
			t.Fatalf("ok/batch: %v %+v", err, b)
		}
		all = append(all, b)
	}
	filter, err := hcert.ParseFilter(file(index[0].Filter))
	if err != nil || filter.Used != 1500 {
		t.Fatal(err)
	}
	hashes, err := hcert.ParseHashList(file(index[0].Hashes))
	if err != nil {
		t.Fatal(err)
	}
	for _, mark := range marks {
		if !all[0].Has(mark) && !all[1].Has(mark) || !filter.Has(mark) || !hashes.Has(mark) {
			t.Fatal("error/an ended certificate is missing")
		}
	}
	if other := hcert.IDMark("URN:UVCI:01:UT:OTHER"); all[0].Has(other) || all[1].Has(other) {
		t.Error("error/a good certificate is named")
	}
	step()
	if again := index[0].Version; json.Unmarshal(file(WithdrawnIndex), &index) != nil || index[0].Version != again {
		t.Error("ok/nothing ended since: a new version")
	}
	end(1500)
	step()
	if before := index[0].Version; json.Unmarshal(file(WithdrawnIndex), &index) != nil || index[0].Version <= before {
		t.Error("error/one more ended: no new version")
	}
	if _, found, _ := lists.WithdrawnFile(t.Context(), "none.json"); found {
		t.Error("error/a file that is none")
	}
	// A signer that was withdrawn is off the list with the next round, the last one too.
	s.keys[len(s.keys)-1].State = signing.Compromised
	step()
	if got := file(SignersFile); !bytes.HasSuffix(got, []byte(`{"certificates":[]}`)) {
		t.Errorf("error/withdrawn signer: %s", got)
	}
	s.keys[len(s.keys)-1].State = signing.Active
	damaged := s.lists[WithdrawnName("eu")]
	damaged.Content, damaged.Version = []byte(`[{}]`), damaged.Version+1
	s.lists[WithdrawnName("eu")] = damaged
	if b, found, err := lists.WithdrawnFile(t.Context(), index[0].Batches); !found || err == nil || len(b) < 1500*20 {
		t.Errorf("error/damaged: the list of before is not kept: %v %v", found, err)
	}
}
