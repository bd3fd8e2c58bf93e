package trust

import (
	"testing"
	"time"

	"akashi/signing"
	"akashi/signing/pki"
)

// S-067: a compromised key is out of the bundle as soon as its keys are asked for; one that
// is announced is in it before it signs, and one that is retired or over stays.
func TestOwn(t *testing.T) {
	const iss = "https://a.test"
	keys := []signing.Key{
		shcKey(t, iss, newKey(t), signing.Active), shcKey(t, iss, newKey(t), signing.Active),
		shcKey(t, iss, newKey(t), signing.Announced), shcKey(t, iss, newKey(t), signing.Retired),
	}
	keys[2].UsageFrom = now.AddDate(0, 0, 7)
	keys[3].UsageTo, keys[3].NotAfter = now.AddDate(-5, 0, 0), now.AddDate(-1, 0, 0)
	var own Own
	bundle := func(at time.Time) *Bundle {
		b, err := own.Bundle(keys, at)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := bundle(now)
	for _, k := range keys {
		if _, ok := first.Key(iss, k.ID); !ok {
			t.Errorf("ok/%s: not published", k.State)
		}
	}
	if bundle(now.Add(time.Second)) != first {
		t.Error("ok/same keys: another bundle")
	}
	if b := bundle(now.Add(maxOwnAge)); b == first || !b.MadeAt().Equal(now.Add(maxOwnAge)) {
		t.Error("ok/old: the same bundle")
	}
	keys[1].State = signing.Compromised
	if _, ok := bundle(now.Add(maxOwnAge)).Key(iss, keys[1].ID); ok {
		t.Error("error/compromised: still there")
	}
	if _, ok := bundle(now.Add(maxOwnAge)).Key(iss, keys[0].ID); !ok {
		t.Error("ok/other key: gone")
	}
}

// Of two authorities with one key, that in force at the time is found, whichever
// was found before.
func TestFindAuthorityInForce(t *testing.T) {
	ut := newState(t, "UT")
	later := now.AddDate(6, 0, 0)
	next, err := pki.CreateAuthority(pki.AuthorityTemplate{
		Country: "UT", CommonName: "CSCA", NotBefore: now.AddDate(5, 6, 0), NotAfter: now.AddDate(9, 0, 0),
	}, ut.key)
	if err != nil {
		t.Fatal(err)
	}
	keys := append(ut.keys(), signing.Key{ID: "next", Purpose: signing.Authority, Certificate: next, State: signing.Active})
	b, err := FromKeys(keys, nil, now)
	if err != nil {
		t.Fatal(err)
	}
	for _, at := range []time.Time{now, later, now, later} {
		a, err := b.FindAuthority(parse(t, ut.dsc), at)
		if err != nil || !a.Valid(at) {
			t.Errorf("ok/%s: %v", at.Format(time.DateOnly), err)
		}
	}
}
