package keys_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509/pkix"
	"errors"
	"testing"
	"time"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/keys"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/signing"
	"akashi/signing/pki"
)

// soft stands for a token; that keys stay in a real one is shown by internal/cli.TestProductionKeys.
type soft map[string]*ecdsa.PrivateKey

func (s soft) Generate(label string) (*ecdsa.PublicKey, error) {
	if s[label] == nil {
		s[label], _ = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	}
	return &s[label].PublicKey, nil
}

func (s soft) Public(label string) (*ecdsa.PublicKey, error) {
	if s[label] == nil {
		return nil, signing.ErrNoSuchKey
	}
	return &s[label].PublicKey, nil
}

func (s soft) Request(label string, _ pkix.Name) ([]byte, error) { return []byte(label), nil }

// S-029, S-067: one key at a time signs for a purpose and issuer, a week after
// it was announced and within its year, and two people said so.
func TestLife(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, now := t.Context(), time.Now()
		w.Keys.Clock = func() time.Time { return now }
		operator := actor.Actor{
			Office: w.Officer.Office, Person: "job:test", Terminal: "command", Purpose: actor.Operate,
			Permissions: map[string]bool{string(office.CarryOutKeys): true},
		}
		is := func(err error, code fault.Code, key string) {
			t.Helper()
			if !errors.Is(err, fault.New(code, key, "")) {
				t.Errorf("got %v, want %s %s", err, code, key)
			}
		}
		wanted := keys.Wanted{Purpose: signing.SHC, Label: "shc-next"}
		_, err := w.Keys.Make(ctx, operator, wanted)
		is(err, fault.Conflict, "no_token")
		w.Keys.Token = soft{}
		for _, wrong := range []struct {
			wanted keys.Wanted
			key    string
		}{
			{keys.Wanted{Purpose: signing.Authority, Label: "a"}, "unknown_value"},
			{keys.Wanted{Purpose: signing.SHC}, "key_label"},
			{keys.Wanted{Purpose: signing.SHC, Label: "../a"}, "key_label"},
			{keys.Wanted{Purpose: signing.VDSNC, Label: "a", Subject: pkix.Name{CommonName: "AK"}}, "key_subject"},
			{keys.Wanted{Purpose: signing.VDSNC, Label: "a", Subject: pkix.Name{Country: []string{"UTO"}, CommonName: "AK"}}, "key_subject"},
		} {
			_, err := w.Keys.Make(ctx, operator, wrong.wanted)
			is(err, fault.Invalid, wrong.key)
		}
		w.Approve(t, office.GenerateKey, "shc/another")
		_, err = w.Keys.Make(ctx, operator, wanted) // approved was another
		is(err, fault.Forbidden, "approval_needed")
		w.Approve(t, office.GenerateKey, "shc/shc-next")
		made, err := w.Keys.Make(ctx, operator, wanted)
		if err != nil {
			t.Fatal(err)
		}
		id := made.Key.ID
		first, err := w.Store.SigningKeys(ctx)
		if err != nil {
			t.Fatal(err)
		}
		published := func(when string) {
			t.Helper()
			b, err := w.Published.Bundle(ctx)
			if err != nil {
				t.Fatal(err)
			}
			for _, k := range first {
				if _, ok := b.Key(k.Issuer, k.ID); k.Purpose == signing.SHC && !ok {
					t.Errorf("ok/%s: %s is not published", when, k.ID)
				}
			}
		}
		published("announced, before it signs")

		is(w.Keys.Activate(ctx, operator, id), fault.Forbidden, "approval_needed")
		w.Approve(t, office.ActivateKey, id)
		now = made.Key.UsageFrom.Add(-time.Second)
		is(w.Keys.Activate(ctx, operator, id), fault.Conflict, "key_announced")
		now = made.Key.UsageTo
		is(w.Keys.Activate(ctx, operator, id), fault.Conflict, "key_over")
		now = made.Key.UsageFrom
		if err := w.Keys.Activate(ctx, operator, id); err != nil {
			t.Fatal(err)
		}
		states := map[signing.State]int{}
		known, err := w.Store.SigningKeys(ctx)
		for _, k := range known {
			if k.Purpose == signing.SHC {
				states[k.State]++
			}
		}
		if err != nil || states[signing.Active] != 1 || states[signing.Retired] != 1 {
			t.Errorf("ok/one signs, the one before is retired: %v %v", states, err)
		}
		published("retired, while its certificates are shown")
		w.Approve(t, office.ActivateKey, id)
		is(w.Keys.Activate(ctx, operator, id), fault.Conflict, "key_state")
		w.Approve(t, office.RetireKey, id)
		if err := w.Keys.Withdraw(ctx, operator, id); err != nil {
			t.Fatal(err)
		}
		for _, k := range first { // compromised and retired
			if k.Purpose != signing.SHC {
				continue
			}
			if k.ID != id { // that approval was not used
				w.Approve(t, office.ActivateKey, k.ID)
			}
			is(w.Keys.Activate(ctx, operator, k.ID), fault.Conflict, "key_state")
		}
	})
}

// eu-dcc, 6; S-067: a signer of HC1 codes is announced when its certificate came back from the
// authority and is that of a signer of doses of this state, and its codes can then be verified.
func TestHealthSigner(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx := t.Context()
		operator := actor.Actor{
			Office: w.Officer.Office, Person: "job:test", Terminal: "command", Purpose: actor.Operate,
			Permissions: map[string]bool{string(office.CarryOutKeys): true},
		}
		token := soft{}
		w.Keys.Token = token
		wanted := keys.Wanted{Purpose: signing.DSC, Label: "dsc-next", Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Akashi TEST"}}
		w.Approve(t, office.GenerateKey, "dsc/dsc-next")
		made, err := w.Keys.Make(ctx, operator, wanted)
		if err != nil || string(made.Request) != "dsc-next" {
			t.Fatal(err)
		}
		now := time.Now().UTC().Truncate(time.Second)
		root, _ := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		authority := func(country string) []byte {
			der, err := pki.CreateAuthority(pki.AuthorityTemplate{Country: country, CommonName: "SCA", NotBefore: now, NotAfter: now.AddDate(4, 0, 0)}, root)
			if err != nil {
				t.Fatal(err)
			}
			return der
		}
		certify := func(country string) error {
			ca := authority(country)
			der, err := pki.CreateHealthSigner(pki.SignerTemplate{Country: country, CommonName: "DSC", NotBefore: now, NotAfter: now.AddDate(2, 0, 0)}, &token["dsc-next"].PublicKey, ca, root)
			if err != nil {
				t.Fatal(err)
			}
			_, err = w.Keys.Certify(ctx, operator, keys.Certified{Purpose: signing.DSC, Label: "dsc-next", Certificate: der, Authority: ca})
			return err
		}
		if err := certify("JP"); !errors.Is(err, fault.New(fault.Invalid, "key_profile", "certificate")) {
			t.Errorf("error/another state: %v", err)
		}
		if err := certify("UT"); err != nil {
			t.Fatal(err)
		}
		bundle, err := w.Issuance.Published(ctx)
		if err != nil || len(bundle.Participants()) != 1 || bundle.Participants()[0].Signers != 2 {
			t.Errorf("ok/announced is published: %v %v", bundle.Participants(), err)
		}
	})
}
