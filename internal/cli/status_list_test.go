package cli_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/cli"
	"akashi/internal/issuance"
	"akashi/internal/testkit/world"
)

// runJob runs a job of the service once.
func runJob(t *testing.T, w *world.World, name string) cli.Job {
	t.Helper()
	for _, j := range w.Jobs() {
		if j.Name != name {
			continue
		}
		if err := j.Run(t.Context(), slog.Default()); err != nil {
			t.Fatal(err)
		}
		return j
	}
	t.Fatalf("no job %q", name)
	return cli.Job{}
}

// carried writes the bundle as akashi trust does and reads it as akashi verify does.
func carried(t *testing.T, b *trust.Bundle, dir string) *trust.Bundle {
	t.Helper()
	if err := b.Write(dir); err != nil {
		t.Fatal(err)
	}
	b, report, err := trust.Load(os.DirFS(dir))
	if err != nil || len(report) > 0 {
		t.Fatalf("trust directory: %v %v", report, err)
	}
	return b
}

// S-069: what was revoked is revoked offline, in every family, by the next round of the
// job and far within 15 minutes; what was superseded is told apart; and a list that
// does not name a code is gone by for 48 hours.
func TestStatusList(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		issue := func() issuance.Issue {
			i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
			if err != nil {
				t.Fatal(err)
			}
			return i
		}
		revoked, superseded := issue(), issue()
		newer, err := w.Issuance.Reissue(t.Context(), w.Officer, superseded.Certificate.ID, "correction")
		if err != nil {
			t.Fatal(err)
		}
		runJob(t, w, "lists") // the list of before
		before := carried(t, published(t, w), t.TempDir())
		if _, err := w.Issuance.Revoke(t.Context(), w.Officer, revoked.Certificate.ID, "wrong_content"); err != nil {
			t.Fatal(err)
		}
		if j := runJob(t, w, "lists"); j.Every > 5*time.Minute {
			t.Errorf("the lists are made every %v", j.Every)
		}
		dir := t.TempDir()
		b := carried(t, published(t, w), dir)
		now := time.Now().UTC()
		check := func(name string, i issuance.Issue, b *trust.Bundle, at time.Time, outcome verify.Outcome, codes ...string) {
			t.Helper()
			for n, p := range i.Payloads {
				v := verify.File("", []byte(p.Text), b, at)[0]
				f := v.Facet(verify.Revocation)
				if v.Outcome != outcome || f.Code != codes[min(n, len(codes)-1)] || f.Detail["list_age"] == "" {
					t.Errorf("%s, %s: %s %v", name, p.Family, v.Outcome, f)
				}
			}
		}
		check("ok/newer", newer, b, now, verify.Valid, verify.NotRevoked)
		check("ok/list of before", revoked, before, now, verify.Valid, verify.NotRevoked)
		check("error/revoked", revoked, b, now, verify.NotValid, verify.Revoked)
		check("error/superseded", superseded, b, now, verify.NotValid, verify.Superseded)
		check("error/revoked, old list", revoked, b, now.Add(72*time.Hour), verify.NotValid, verify.Revoked)
		check("ok/47 hours", newer, b.WithIssuances(), now.Add(47*time.Hour), verify.Valid, verify.NotRevoked)
		check("error/49 hours", newer, b, now.Add(49*time.Hour), verify.Undecided, verify.StatusUnknown)

		// SMART Health Cards, 7: the list of the key names both; its counter is that of the key, and grows.
		for _, p := range revoked.Payloads {
			if p.Family != certificate.SHC {
				continue
			}
			old, list := before.CardList(w.Config.SHCIssuer, p.KeyID), b.CardList(w.Config.SHCIssuer, p.KeyID)
			key, _ := b.Key(w.Config.SHCIssuer, p.KeyID)
			if !list.Lists(p.StatusID, now) || old.Lists(p.StatusID, now) || list.Counter <= old.Counter || key.ListVersion != list.Counter {
				t.Errorf("list of health cards: %d then %d, key says %d", old.Counter, list.Counter, key.ListVersion)
			}
		}
		// Nothing that says who: not even the public ids.
		for _, i := range []issuance.Issue{revoked, superseded} {
			if err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return err
				}
				content, err := os.ReadFile(path)
				if strings.Contains(string(content), i.Certificate.ID) || strings.Contains(string(content), i.Certificate.Office) {
					t.Errorf("%s names the certificate or its office", path)
				}
				return err
			}); err != nil {
				t.Fatal(err)
			}
		}
		// A directory with the newer list keeps it.
		if err := before.Write(dir); err == nil {
			t.Error("error/older bundle: written over the newer")
		}
		check("error/revoked, after that", revoked, carried(t, b, dir), now, verify.NotValid, verify.Revoked)

		// Superseded, then revoked: revoked.
		if _, err := w.Issuance.Revoke(t.Context(), w.Officer, superseded.Certificate.ID, "fraud"); err != nil {
			t.Fatal(err)
		}
		w.Open(t) // and a new process reads everything
		runJob(t, w, "lists")
		check("error/revoked later", superseded, carried(t, published(t, w), dir), time.Now(), verify.NotValid, verify.Revoked)
		check("error/revoked before", revoked, carried(t, published(t, w), dir), time.Now(), verify.NotValid, verify.Revoked)
	})
}

func published(t *testing.T, w *world.World) *trust.Bundle {
	t.Helper()
	b, err := w.Published.Whole(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return b
}
