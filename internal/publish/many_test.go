package publish

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"testing"
	"testing/fstest"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/signing"
)

// manyEnded is with how many ended certificates the lists are made: a hundredth of a million,
// or AKASHI_ENDED.
func manyEnded(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AKASHI_ENDED")
	if text == "" {
		return 10_000
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("AKASHI_ENDED: %q", text)
	}
	return n
}

// aCardKey is a key of health cards of the workshop's issuer.
func aCardKey(t *testing.T) signing.Key {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	return signing.Key{ID: signing.Thumbprint(&key.PublicKey), Purpose: signing.SHC, Issuer: "https://issuer.example", Algorithm: "ES256", Public: der, State: signing.Active}
}

// S-068, S-069 at a hundredth of a million: of so many certificates, each with a card, a bar code and an
// EU certificate, every list names every one of its own that ended, and no other, as whoever
// loads the published files reads them.
func TestManyEnded(t *testing.T) {
	s, m, lists, now := workshop(t)
	eu := aSigner(t, *now)
	s.keys = []signing.Key{eu}
	count := manyEnded(t)
	const inList = 400_000 // of a key
	for range count/inList + 1 {
		s.keys = append(s.keys, aCardKey(t))
	}
	key := func(n int) string { return s.keys[1+n/inList].ID }
	id := func(n int) (rid, uvci, cti string) {
		return fmt.Sprintf("%011d", n), fmt.Sprintf("UVCI%08d", n), fmt.Sprintf("CTI%08d", n)
	}
	why := func(n int) trust.Ended { return []trust.Ended{trust.Superseded, trust.Revoked}[n%2] }
	for n := range count {
		rid, uvci, cti := id(n)
		for family, code := range map[certificate.Family]EndedCode{
			certificate.SHC: {KeyID: key(n)}, certificate.VDSNC: {KeyID: "barcode"}, certificate.DCC: {KeyID: eu.ID, Dose: 2},
		} {
			code.EndedCode = trust.EndedCode{Family: family, ID: map[certificate.Family]string{certificate.SHC: rid, certificate.VDSNC: uvci, certificate.DCC: cti}[family], Why: why(n)}
			code.Certificate, code.At = uvci, *now
			s.ended = append(s.ended, code)
		}
	}
	if err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}

	// What a stranger loads.
	b, err := trust.FromKeys(s.keys, nil, *now)
	if err == nil {
		b, err = lists.Add(t.Context(), b, []string{key(0)})
	}
	if err != nil {
		t.Fatal(err)
	}
	files, err := b.Files()
	if err != nil {
		t.Fatal(err)
	}
	fsys := fstest.MapFS{}
	for name, content := range files {
		fsys[name] = &fstest.MapFile{Data: content}
	}
	loaded, report, err := trust.Load(fsys)
	if err != nil || len(report) > 0 {
		t.Fatal(err, report)
	}
	status := loaded.Status(key(0))
	file := func(name string) []byte {
		t.Helper()
		content, found, err := lists.WithdrawnFile(t.Context(), name)
		if err != nil || !found {
			t.Fatalf("%s: %v %v", name, found, err)
		}
		return content
	}
	var index []withdrawnIndex
	if err := json.Unmarshal(file(WithdrawnIndex), &index); err != nil || len(index) != 1 {
		t.Fatal(err, index)
	}
	filter, err := hcert.ParseFilter(file(index[0].Filter))
	if err != nil {
		t.Fatal(err)
	}
	hashes, err := hcert.ParseHashList(file(index[0].Hashes))
	if err != nil {
		t.Fatal(err)
	}
	var texts []json.RawMessage
	if err := json.Unmarshal(file(index[0].Batches), &texts); err != nil {
		t.Fatal(err)
	}
	batched := map[hcert.Mark]bool{}
	for _, text := range texts {
		b, err := hcert.ParseBatch(text)
		if err != nil {
			t.Fatal(err)
		}
		for _, mark := range b.Marks {
			batched[mark] = true
		}
	}
	wrong := [2]int{} // of the filter and the hashes, which may name a good one
	for n := range 2 * count {
		rid, uvci, cti := id(n)
		ended, want := n < count, trust.Ended("")
		if ended {
			want = why(n)
		}
		card := loaded.CardList("https://issuer.example", key(min(n, count-1)))
		mark := hcert.IDMark(hcert.UVCI("UT", uvci, 2))
		if status.Why(certificate.SHC, rid) != want || status.Why(certificate.VDSNC, uvci) != want || status.Why(certificate.DCC, cti) != want ||
			card == nil || card.Lists(rid, *now) != ended || batched[mark] != ended || ended && !(filter.Has(mark) && hashes.Has(mark)) {
			t.Fatalf("certificate %d, ended: %v", n, ended)
		}
		for i, named := range []bool{filter.Has(mark), hashes.Has(mark)} {
			if named && !ended {
				wrong[i]++
			}
		}
	}
	if wrong[0] > 3+count/2000 || wrong[1] > 3 {
		t.Errorf("of %d good ones the filter names %d, the hashes %d", count, wrong[0], wrong[1])
	}
	t.Logf("%d certificates: %d bytes of marks, %d cards in the first list, %d batches, filter %d, hashes %d bytes",
		count, len(status.Marks), loaded.CardList("https://issuer.example", key(0)).Len(), len(texts), len(file(index[0].Filter)), len(file(index[0].Hashes)))
}

// More cards of a key than its list can name do not keep the others from being made; it is
// told at each step.
func TestFullCardList(t *testing.T) {
	s, m, lists, now := workshop(t)
	s.end("AAAAAAAAAAA", *now)
	if err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	good := s.lists[CardListName("k")]
	m.codes = map[codeID]trust.Ended{}
	for n := range trust.MaxCardList + 1 {
		m.codes[codeID{certificate.SHC, "k", fmt.Sprintf("%011d", n)}] = trust.Revoked
	}
	last := fmt.Sprintf("%011d", trust.MaxCardList)
	s.end("BBBBBBBBBBB", *now)
	for range 2 {
		if err := m.Step(t.Context()); !errors.Is(err, ErrFull) {
			t.Errorf("error/full: %v", err)
		}
	}
	b, err := lists.Add(t.Context(), &trust.Bundle{}, []string{"k"})
	if err != nil || b.Status("k").Why(certificate.SHC, last) != trust.Revoked || s.lists[CardListName("k")].Version != good.Version {
		t.Errorf("ok/the others: %v", err)
	}
}
