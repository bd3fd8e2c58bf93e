package store

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"sync"
	"testing"
	"time"

	"akashi/internal/office"
)

// terminalCertificate is what a machine shows, PEM.
func terminalCertificate(t *testing.T, ends time.Time) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "counter"}, NotAfter: ends}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// S-004, R-087: a terminal is let in by two people, once, and shut out by one; who
// signed in there last is told, by time and account.
func TestTerminals(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		s, ctx := &office.Terminals{Log: f.log, Store: f.Store, Approvals: f.approvals(), Clock: f.clock()}, t.Context()
		a, b := person("a"), person("b")
		_, err := s.AskAdd(ctx, a, "窓口1", terminalCertificate(t, f.now.Add(-time.Second)))
		wantKey(t, "expired", err, "terminal_expired")
		p, err := s.AskAdd(ctx, a, " 窓口1 ", terminalCertificate(t, f.now.Add(time.Hour)))
		if err != nil || p.Parameters["terminal"] != "窓口1" {
			t.Fatalf("ok/ask: %v %v", p, err)
		}
		_, err = s.Add(ctx, a, p.ID)
		wantKey(t, "alone", err, "second_person")

		var done sync.WaitGroup
		failed := make([]error, 2)
		for i := range failed { // two who carry it out at once register one
			done.Go(func() { _, failed[i] = s.Add(ctx, b, p.ID) })
		}
		done.Wait()
		if (failed[0] == nil) == (failed[1] == nil) {
			t.Errorf("ok/two at once: %v", failed)
		}
		list, last, err := s.List(ctx, a)
		if err != nil || len(list) != 1 || list[0].Name != "窓口1" || !list[0].Registered.Equal(f.now) || last[0] != (office.SignIn{}) {
			t.Fatalf("ok/list: %v %v %v", list, last, err)
		}
		one := list[0].ID
		sum := sha256.Sum256([]byte(one))
		err = f.act(t, here, func(ctx context.Context) error {
			for i, id := range []string{"second", "first"} {
				p := office.Staff{Office: here, ID: id, User: here + "-" + id, Name: id, Unit: "x", Role: office.Clerk, State: office.ActiveAccount, Used: f.now, Epoch: 1}
				if err := f.AddStaff(ctx, p); err != nil {
					return err
				}
				if err := f.KnowTerminal(ctx, here, sum[:], id, f.now.Add(-time.Duration(i)*time.Hour)); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		if _, last, err = s.List(ctx, a); err != nil || last[0] != (office.SignIn{At: f.now, Staff: "second"}) {
			t.Errorf("ok/last sign-in: %v %v", last, err)
		}
		wantKey(t, "another's", s.Revoke(ctx, member("x", office.Officer), "nobody"), "terminal")
		if err := s.Revoke(ctx, b, one); err != nil {
			t.Fatal(err)
		}
		wantKey(t, "twice", s.Revoke(ctx, b, one), "terminal_revoked")
	})
}
