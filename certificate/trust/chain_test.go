package trust

import (
	"crypto/sha256"
	"errors"
	"testing"

	"akashi/signing/pki"
)

// A signer seen before costs no signature, and none that was refused counts as seen.
func TestFindAuthority(t *testing.T) {
	ut, other := newState(t, "UT"), newState(t, "UT")
	b, err := FromKeys(ut.keys(), nil, now)
	if err != nil {
		t.Fatal(err)
	}
	signer, stranger := parse(t, ut.dsc), parse(t, other.dsc)
	for range 2 {
		if a, err := b.FindAuthority(signer, now); err != nil || string(a.Raw) != string(ut.csca) {
			t.Errorf("ok/signer: %v", err)
		}
		if _, err := b.FindAuthority(stranger, now); !errors.Is(err, pki.ErrUntrusted) {
			t.Errorf("error/stranger: %v", err)
		}
	}
	if n := len(b.issued.set); n != 1 {
		t.Errorf("%d links remembered, want 1", n)
	}
	// Only a link that is remembered makes a stranger pass: nothing else was computed.
	planted := link{sha256.Sum256(stranger.Raw), b.authorities[0]}
	b.issued.add(planted)
	twin := *stranger
	twin.AKI = signer.AKI
	if _, err := b.FindAuthority(&twin, now); err != nil {
		t.Errorf("what is remembered was computed again: %v", err)
	}
	delete(b.issued.set, planted)
	if _, err := b.FindAuthority(&twin, now); !errors.Is(err, pki.ErrUntrusted) {
		t.Errorf("error/forgotten: %v", err)
	}
	var none Bundle
	if _, err := none.FindAuthority(signer, now); !errors.Is(err, pki.ErrUntrusted) {
		t.Errorf("error/empty bundle: %v", err)
	}
}

func TestLinksAreBounded(t *testing.T) {
	var l links
	a := &pki.Certificate{}
	for i := range maxLinks + 10 {
		l.add(link{[32]byte{byte(i), byte(i >> 8)}, a})
	}
	if len(l.set) != 10 || !l.has(link{[32]byte{1, maxLinks >> 8}, a}) || l.has(link{[32]byte{1}, a}) {
		t.Errorf("%d links", len(l.set))
	}
}
