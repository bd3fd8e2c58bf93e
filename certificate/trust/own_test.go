package trust

import (
	"testing"
	"time"

	"akashi/signing"
)

// S-067: a compromised key is out of the bundle as soon as its keys are asked for.
func TestOwn(t *testing.T) {
	const iss = "https://a.test"
	keys := []signing.Key{shcKey(t, iss, newKey(t), signing.Active), shcKey(t, iss, newKey(t), signing.Active)}
	var own Own
	bundle := func(at time.Time) *Bundle {
		b, err := own.Bundle(keys, at)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	first := bundle(now)
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
