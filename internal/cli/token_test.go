//go:build pkcs11

package cli_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/verify"
	"akashi/internal/actor"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/keys"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
	"akashi/signing"
	"akashi/signing/pki"
)

// csca is a country's authority: not of this installation, and invented.
type csca struct {
	key *ecdsa.PrivateKey
	der []byte
}

func newCSCA(t *testing.T, country string) csca {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.CreateAuthority(pki.AuthorityTemplate{
		Country: country, Organization: "an invented authority", CommonName: "CSCA", NotBefore: time.Now().AddDate(-1, 0, 0), NotAfter: time.Now().AddDate(10, 0, 0),
	}, key)
	if err != nil {
		t.Fatal(err)
	}
	return csca{key, der}
}

// certify makes the certificate of a bar code signer out of its request.
func (c csca) certify(t *testing.T, request []byte, country string, types ...string) []byte {
	t.Helper()
	csr, err := x509.ParseCertificateRequest(request)
	if err != nil {
		t.Fatal(err)
	}
	der, err := pki.CreateBarcodeSigner(pki.SignerTemplate{
		Country: country, CommonName: csr.Subject.CommonName, NotBefore: time.Now().AddDate(0, 0, -20), NotAfter: time.Now().AddDate(5, 0, 0), DocumentTypes: types,
	}, csr.PublicKey.(*ecdsa.PublicKey), c.der, c.key)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

// publish puts the authority's empty revocation list where an operator does.
func (c csca) publish(t *testing.T, data string) {
	t.Helper()
	list, err := pki.CreateCRL(c.der, c.key, 1, nil, time.Now().Add(-time.Hour), time.Now().AddDate(0, 3, 0))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(data, "keys", signing.CRLFile), list, 0o600); err != nil {
		t.Fatal(err)
	}
}

// production is the service as it starts in production, on PostgreSQL with its
// keys in a token.
func production(t *testing.T) *world.World {
	t.Helper()
	token, d := testkit.NewSoftToken(t), testkit.Postgres(t)
	w := &world.World{Config: cli.Config{
		Data: t.TempDir(), Production: true, SHCIssuer: "https://certificates.example", VDSNCIssuer: "JPN", StaffOrigin: world.Origin,
		DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL), DatabaseURLSigner: cli.Secret(d.SignerURL),
		PKCS11Module: token.Module, PKCS11Token: token.Label, PKCS11PIN: cli.Secret(token.PIN), PKCS11Sessions: 4, PKCS11Waiting: 10,
	}}
	app, err := cli.Open(t.Context(), w.Config, world.OpenStore)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = app.Close() })
	w.App = app
	o, err := office.New(cli.TestOffice, "架空県証市", "Akashi City")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := app.AddOffice(t.Context(), o, app.FirstPeople(o.Code, "健康推進課", []string{"課長 花子", "係長 太郎"}, ""), nil); err != nil {
		t.Fatal(err)
	}
	w.Clerk = w.Person(t, world.ClerkUser, office.Clerk).Actor(actor.Certificate, "test", "", app.Clock.Now())
	w.Officer = w.Person(t, world.OfficerUser, office.Officer).Actor(actor.Certificate, "test", "", app.Clock.Now())
	w.BringSamples(t)
	return w
}

// S-063, S-067, S-029, issue 5, section 5: production signs with keys that were
// made in a token, announced for seven days and activated by two people; every
// step that is out of order is refused and leaves nothing.
func TestProductionKeys(t *testing.T) {
	w := production(t)
	ctx := t.Context()
	refused := func(t *testing.T, err error, code fault.Code, key string) {
		t.Helper()
		if !errors.Is(err, fault.New(code, key, "")) {
			t.Errorf("got %v, want %s %s", err, code, key)
		}
	}
	_, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.Travel))
	refused(t, err, fault.Unavailable, "no_active_key")

	card := keys.Wanted{Purpose: signing.SHC, Label: "shc-1"}
	_, err = w.Keys.Make(ctx, operator, card)
	refused(t, err, fault.Forbidden, "approval_needed")
	ago := time.Now().Add(-keys.Announcement)
	w.Keys.Clock = func() time.Time { return ago }
	w.Approve(t, office.GenerateKey, "shc/shc-1")
	made, err := w.Keys.Make(ctx, operator, card)
	if err != nil || made.Request != nil || made.Key.State != signing.Announced {
		t.Fatalf("ok/health card key: %+v %v", made, err)
	}
	w.Approve(t, office.GenerateKey, "shc/shc-1")
	_, err = w.Keys.Make(ctx, operator, card)
	refused(t, err, fault.Conflict, "key_label_taken")

	w.Approve(t, office.GenerateKey, "vdsnc/nc-1")
	nc, err := w.Keys.Make(ctx, operator, keys.Wanted{Purpose: signing.VDSNC, Label: "nc-1", Subject: pkix.Name{Country: []string{"JP"}, CommonName: "AK"}})
	if err != nil || nc.Request == nil {
		t.Fatalf("ok/request: %v", err)
	}
	country := newCSCA(t, "JP")
	good := country.certify(t, nc.Request, "JP", "NV")
	for name, c := range map[string]struct {
		certified keys.Certified
		code      fault.Code
		key       string
	}{
		"error/another authority":     {keys.Certified{Purpose: signing.VDSNC, Label: "nc-1", Certificate: good, Authority: newCSCA(t, "JP").der}, fault.Invalid, "key_profile"},
		"error/another country":       {keys.Certified{Purpose: signing.VDSNC, Label: "nc-1", Certificate: country.certify(t, nc.Request, "KR", "NV"), Authority: country.der}, fault.Invalid, "key_profile"},
		"error/another document type": {keys.Certified{Purpose: signing.VDSNC, Label: "nc-1", Certificate: country.certify(t, nc.Request, "JP", "NT"), Authority: country.der}, fault.Invalid, "key_profile"},
		"error/the authority's own":   {keys.Certified{Purpose: signing.VDSNC, Label: "nc-1", Certificate: country.der, Authority: country.der}, fault.Invalid, "key_certificate_other"},
		"error/not a certificate":     {keys.Certified{Purpose: signing.VDSNC, Label: "nc-1", Certificate: []byte("hello"), Authority: country.der}, fault.Invalid, "key_certificate"},
		"error/of a key never made":   {keys.Certified{Purpose: signing.VDSNC, Label: "nc-9", Certificate: good, Authority: country.der}, fault.Conflict, "key_not_made"},
		"error/label of another key":  {keys.Certified{Purpose: signing.VDSNC, Label: "shc-1", Certificate: good, Authority: country.der}, fault.Conflict, "key_label_taken"},
		"error/health card key":       {keys.Certified{Purpose: signing.SHC, Label: "nc-1", Certificate: good}, fault.Invalid, "unknown_value"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := w.Keys.Certify(ctx, operator, c.certified)
			refused(t, err, c.code, c.key)
		})
	}
	if known, err := w.Store.SigningKeys(ctx); err != nil || len(known) != 1 {
		t.Fatalf("what was refused left %d keys: %v", len(known), err)
	}
	signer, err := w.Keys.Certify(ctx, operator, keys.Certified{Purpose: signing.VDSNC, Label: "nc-1", Certificate: good, Authority: country.der})
	if err != nil {
		t.Fatal(err)
	}

	w.Keys.Clock = nil
	w.Approve(t, office.ActivateKey, signer.ID)
	refused(t, w.Keys.Activate(ctx, operator, signer.ID), fault.Conflict, "key_list") // nobody could verify a code
	country.publish(t, w.Config.Data)
	w.Keys.Clock = func() time.Time { return ago }
	for _, k := range []signing.Key{made.Key, signer} {
		if k.ID != signer.ID { // what was refused left the approval
			w.Approve(t, office.ActivateKey, k.ID)
		}
		refused(t, w.Keys.Activate(ctx, operator, k.ID), fault.Conflict, "key_announced") // a week too early
		w.Keys.Clock = nil
		if err := w.Keys.Activate(ctx, operator, k.ID); err != nil {
			t.Fatal(err)
		}
		w.Keys.Clock = func() time.Time { return ago }
	}
	w.Keys.Clock = nil
	if err := w.Token.Check(ctx); err != nil {
		t.Errorf("ok/as at a start: %v", err)
	}

	issued, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.Travel))
	if err != nil {
		t.Fatal(err)
	}
	bundle, err := w.Published.Bundle(ctx)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range issued.Payloads {
		if v := verify.Text(p.Text, bundle, time.Now()); v.Outcome != verify.Valid || v.Test {
			t.Errorf("ok/%s: %+v", p.Family, v)
		}
	}

	t.Run("ok/a yellow card", func(t *testing.T) {
		w.Keys.Clock = func() time.Time { return ago }
		w.Approve(t, office.GenerateKey, "dsc/hc1-1")
		made, err := w.Keys.Make(ctx, operator, keys.Wanted{Purpose: signing.DSC, Label: "hc1-1", Subject: pkix.Name{Country: []string{"JP"}, CommonName: "HC1 codes"}})
		if err != nil {
			t.Fatal(err)
		}
		csr, err := x509.ParseCertificateRequest(made.Request)
		if err != nil {
			t.Fatal(err)
		}
		der, err := pki.CreateHealthSigner(pki.SignerTemplate{
			Country: "JP", CommonName: "HC1 codes", NotBefore: ago, NotAfter: ago.AddDate(2, 0, 0),
		}, csr.PublicKey.(*ecdsa.PublicKey), country.der, country.key)
		if err != nil {
			t.Fatal(err)
		}
		signer, err := w.Keys.Certify(ctx, operator, keys.Certified{Purpose: signing.DSC, Label: "hc1-1", Certificate: der, Authority: country.der})
		if err != nil {
			t.Fatal(err)
		}
		w.Keys.Clock = nil
		w.Approve(t, office.ActivateKey, signer.ID)
		if err := w.Keys.Activate(ctx, operator, signer.ID); err != nil {
			t.Fatal(err)
		}
		w.BringInternational(t)
		w.SetOffice(t, func(s *office.Settings) { s.Open = certificate.Kinds() })
		card, _, err := w.Issuance.Issue(ctx, w.Clerk, w.Approved(t, certificate.International))
		if err != nil || len(card.Payloads) == 0 {
			t.Fatal(err)
		}
		bundle, err := w.Published.Bundle(ctx)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range card.Payloads {
			if v := verify.Text(p.Text, bundle, time.Now()); p.Family != certificate.ICVP || p.KeyID != signer.ID || v.Outcome != verify.Valid || v.Test {
				t.Errorf("%s: %+v", p.Family, v)
			}
		}
	})
	t.Run("ok/the next key retires the one before", func(t *testing.T) {
		w.Keys.Clock = func() time.Time { return ago }
		w.Approve(t, office.GenerateKey, "shc/shc-2")
		next, err := w.Keys.Make(ctx, operator, keys.Wanted{Purpose: signing.SHC, Label: "shc-2"})
		if err != nil {
			t.Fatal(err)
		}
		w.Keys.Clock = nil
		w.Approve(t, office.ActivateKey, next.Key.ID)
		if err := w.Keys.Activate(ctx, operator, next.Key.ID); err != nil {
			t.Fatal(err)
		}
		if before, err := w.Store.SigningKey(ctx, made.Key.ID); err != nil || before.State != signing.Retired {
			t.Errorf("before: %v %v", before.State, err)
		}
	})
	t.Run("ok/a second start", func(t *testing.T) {
		again, err := cli.Open(ctx, w.Config, world.OpenStore)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Token.Check(ctx); err != nil {
			t.Error(err)
		}
		_ = again.Close()
	})
	t.Run("error/the keys of a TEST installation", func(t *testing.T) {
		c := w.Config
		c.Data = t.TempDir()
		if _, err := signing.MakeTestIdentity(c.Data+"/keys", time.Now()); err != nil {
			t.Fatal(err)
		}
		if _, err := cli.Open(ctx, c, world.OpenStore); err == nil {
			t.Error("started")
		}
	})
	t.Run("error/another token", func(t *testing.T) {
		c := w.Config
		c.PKCS11Token = "nowhere"
		again, err := cli.Open(ctx, c, world.OpenStore)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = again.Close() }()
		if err := again.Token.Check(ctx); err == nil {
			t.Error("found keys in a token that is not there")
		}
	})
}
