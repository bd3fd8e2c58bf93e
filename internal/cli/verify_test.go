package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/testkit/world"
)

// Without --trust, what this installation publishes counts, with what has ended: a revoked
// and a superseded certificate are not valid.
func TestVerifyHere(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		verify := func(text string) (int, string) {
			t.Helper()
			name := filepath.Join(t.TempDir(), "code.txt")
			if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
			var o, e bytes.Buffer
			status := cli.Run(t.Context(), []string{"verify", name}, strings.NewReader(""), &o, &e,
				adapters("AKASHI_DATA="+w.Config.Data, "AKASHI_DATABASE_URL="+string(w.Config.DatabaseURL)))
			return status, o.String() + e.String()
		}
		w.BringSamples(t)
		issued, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range issued.Payloads {
			if status, said := verify(p.Text); status != 0 {
				t.Errorf("ok/%s: %d %s", p.Family, status, said)
			}
		}
		again, err := w.Issuance.Reissue(t.Context(), w.Clerk, issued.Certificate.ID, "lost")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.Issuance.Revoke(t.Context(), w.Officer, again.Certificate.ID, "fraud"); err != nil {
			t.Fatal(err)
		}
		for i, p := range issued.Payloads {
			if status, said := verify(p.Text); status != 1 || !strings.Contains(said, "newer") {
				t.Errorf("error/superseded %s: %d %s", p.Family, status, said)
			}
			if status, said := verify(again.Payloads[i].Text); status != 1 || !strings.Contains(said, "revoked") {
				t.Errorf("error/revoked %s: %d %s", p.Family, status, said)
			}
		}
	})
}
