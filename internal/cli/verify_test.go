package cli_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/certificate/verify"
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

// Issue 5, section 2; spec who-icvp-gdhcn, 4: whether a dose against polio counts for a day of
// departure, in words and as exit status, over all inputs.
func TestVerifyForDeparture(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringSamples(t)
		w.BringInternational(t)
		issued, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.ApprovedForm(t, world.ChildForm()))
		if err != nil || len(issued.Payloads) != 2 {
			t.Fatal(len(issued.Payloads), err)
		}
		var files []string
		for _, p := range issued.Payloads { // given on 2026-09-07 and 2026-10-19
			files = append(files, filepath.Join(t.TempDir(), "code.txt"))
			if err := os.WriteFile(files[len(files)-1], []byte(p.Text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		run := func(files []string, flags ...string) (int, string) {
			var o, e bytes.Buffer
			status := cli.Run(t.Context(), slices.Concat([]string{"verify"}, flags, files), strings.NewReader(""), &o, &e,
				adapters("AKASHI_DATA="+w.Config.Data, "AKASHI_DATABASE_URL="+string(w.Config.DatabaseURL)))
			return status, o.String() + e.String()
		}
		for name, c := range map[string]struct {
			files  []string
			day    string
			status int
			said   string
		}{
			"ok/the first dose":       {files, "2026-11-15", 0, "departure  not_applicable For the departure, another polio dose"},
			"ok/the second dose":      {files, "2027-10-01", 0, "departure  ok             The polio dose was given 4 weeks to 12 months"},
			"error/only if urgent":    {files, "2026-09-20", 3, "→ Ask why the journey cannot wait"},
			"error/too old":           {files, "2027-11-01", 1, "→ Ask for proof of another dose"},
			"error/one of them":       {files[1:], "2026-11-15", 3, "enough only where the journey is urgent"},
			"error/no day":            {files, "2026-11", 64, "--departure takes a date"},
			"ok/nothing was demanded": {files, "", 0, "content    ok"},
		} {
			flags := []string{"--lang", "en"}
			if c.day != "" {
				flags = append(flags, "--departure", c.day)
			}
			status, said := run(c.files, flags...)
			if status != c.status || !strings.Contains(said, c.said) || strings.Contains(said, "departure  ") != (c.day != "" && status != 64) {
				t.Errorf("%s: %d %s", name, status, said)
			}
		}
		status, said := run(files[1:], "--json", "--departure", "2027-11-01")
		if !strings.Contains(said, `"departure":{"name":"departure","result":"failed","code":"`+verify.PolioTooOld+`"}`) || status != 1 {
			t.Errorf("ok/JSON: %d %s", status, said)
		}
		if _, said = run(files, "--json"); strings.Contains(said, "departure") {
			t.Errorf("ok/JSON, not asked for: %s", said)
		}
	})
}
