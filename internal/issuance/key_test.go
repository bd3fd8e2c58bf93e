package issuance_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/fault"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

// Issue 5, section 5: a key is selected to sign only where exactly one may; the fault
// names what there is.
func TestOneKey(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx := t.Context()
		keys, err := w.Store.SigningKeys(ctx)
		at := slices.IndexFunc(keys, func(k signing.Key) bool { return k.Purpose == signing.SHC })
		if err != nil || at < 0 {
			t.Fatal(err)
		}
		key := keys[at]
		other := func(change func(*signing.Key)) signing.Key {
			private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
			if err != nil {
				t.Fatal(err)
			}
			k := key
			k.ID, k.Handle = signing.Thumbprint(&private.PublicKey), "other"
			if k.Public, err = x509.MarshalPKIXPublicKey(&private.PublicKey); err != nil {
				t.Fatal(err)
			}
			change(&k)
			w.Act(t, w.Clerk.Office, func(ctx context.Context) error {
				return w.Store.RegisterKeys(ctx, w.Clerk.Office, []signing.Key{k})
			})
			return k
		}
		move := func(k signing.Key, to signing.State) {
			w.Act(t, w.Clerk.Office, func(ctx context.Context) error { return w.Store.MoveKey(ctx, w.Clerk.Office, k, to) })
		}
		issue := func(name, want string, named ...string) {
			t.Helper()
			i, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.Domestic))
			var f *fault.Error
			switch {
			case want == "" && (err != nil || i.Payloads[0].KeyID != key.ID):
				t.Errorf("ok/%s: %v", name, err)
			case want != "" && (!errors.As(err, &f) || f.Code != fault.Unavailable || f.Key != want || f.Field != "shc"):
				t.Errorf("error/%s: %v", name, err)
			case want != "" && f.Args["keys"] != strings.Join(named, " "):
				t.Errorf("error/%s names %v", name, f.Args)
			}
		}
		other(func(k *signing.Key) { k.State = signing.Announced })
		other(func(k *signing.Key) { k.State = signing.Retired })
		other(func(k *signing.Key) { k.State = signing.Compromised })
		other(func(k *signing.Key) { k.Purpose = signing.Paper })
		other(func(k *signing.Key) { k.UsageTo = time.Now().Add(-time.Hour) })
		other(func(k *signing.Key) { k.UsageFrom = time.Now().Add(time.Hour) })
		issue("one among others that may not", "")
		two := other(func(*signing.Key) {})
		issue("two", "several_active_keys", key.ID, two.ID)
		move(two, signing.Retired)
		issue("one again", "")
		move(key, signing.Retired)
		issue("none: announced, retired, compromised, over and not yet", "no_active_key")
	})
}
