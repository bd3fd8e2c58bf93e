package cli_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	acts "akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/store"
	"akashi/internal/testkit/world"
)

var discard = slog.New(slog.DiscardHandler)

func audit(t *testing.T, w *world.World, args ...string) (status int, out, errs string) {
	t.Helper()
	parts := adapters("AKASHI_DATA="+w.Config.Data, "AKASHI_DATABASE_URL="+string(w.Config.DatabaseURL), "AKASHI_LOG_COPY="+w.Config.LogCopy)
	parts.OpenProof = func(ctx context.Context, url string) (cli.Proof, error) {
		return store.OpenReadOnly(ctx, store.Config{URL: url})
	}
	var o, e bytes.Buffer
	status = cli.Run(t.Context(), append([]string{"audit"}, args...), strings.NewReader(""), &o, &e, parts)
	return status, o.String(), e.String()
}

// testAuditPart judges a part of the log, as its page gives it, and an edited one.
func testAuditPart(t *testing.T, w *world.World) {
	t.Helper()
	auditor := w.Officer
	var part bytes.Buffer
	write := func(ctx context.Context, entries []acts.Record) (string, error) {
		_, err := tree.WritePart(ctx, w.Store, &part, cli.TestOffice, entries)
		return "", err
	}
	if err := w.Reviews.Export(t.Context(), auditor, time.Now().AddDate(0, 0, -1), time.Now().AddDate(0, 0, 1), write); err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "part.jsonl")
	for _, c := range []struct {
		text   []byte
		status int
		says   string
	}{{part.Bytes(), 0, "whether any was left out"}, {bytes.Replace(part.Bytes(), []byte(`application.submit`), []byte(`application.reread`), 1), 1, "CHANGED"}} {
		if err := os.WriteFile(file, c.text, 0o600); err != nil {
			t.Fatal(err)
		}
		if status, out, errs := audit(t, w, "verify", "--export", file); status != c.status || !strings.Contains(out, c.says) {
			t.Errorf("part: status %d, want %d: %s%s", status, c.status, out, errs)
		}
	}
}

// Issue 4, section 4: a live database and an export are proven against copied
// checkpoints, and one changed letter of the export is found.
func TestAudit(t *testing.T) {
	world.EachWith(t, func(t *testing.T, c *cli.Config) { c.LogCopy = t.TempDir() }, func(t *testing.T, w *world.World) {
		if status, out, errs := audit(t, w, "verify"); status != 3 || !strings.Contains(out, "UNDECIDED") {
			t.Errorf("error/no checkpoint yet: %d %s%s", status, out, errs)
		}
		if err := w.Notaries[0].Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		if status, out, errs := audit(t, w, "verify"); status != 0 || !regexp.MustCompile(`PROVEN .*: all (\d+) entries`).MatchString(out) {
			t.Errorf("ok/all: %d %s%s", status, out, errs)
		}
		w.Approved(t, certificate.Domestic)
		if err := w.Notaries[0].Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		w.Approved(t, certificate.Domestic)
		if status, out, errs := audit(t, w, "verify"); status != 0 || !regexp.MustCompile(`PROVEN .*up to entry \d+ of \d+; the last [1-9]\d* entries \(since 20`).MatchString(out) || !strings.Contains(out, "without a place") {
			t.Errorf("ok/live: %d %s%s", status, out, errs)
		}
		w.Log.Clock = func() time.Time { return time.Now().Add(tree.ReadOnly + time.Minute) }
		w.Approved(t, certificate.Domestic)
		if status, out, errs := audit(t, w, "verify", "--json"); status != 4 || !strings.Contains(out, `"verdict":"proven_in_part"`) {
			t.Errorf("error/long without a checkpoint: %d %s%s", status, out, errs)
		}
		early := filepath.Join(t.TempDir(), "early.jsonl")
		if status, out, errs := audit(t, w, "export", "--out", early); status != 0 {
			t.Fatalf("ok/export: %d %s%s", status, out, errs)
		}
		if status, out, errs := audit(t, w, "verify", "--export", early); status != 4 || !strings.Contains(out, "PROVEN IN PART") {
			t.Errorf("error/export is judged as the database: %d %s%s", status, out, errs)
		}
		// Without the entries that have no place an export proves the rest, and says so.
		whole, err := os.ReadFile(early)
		if err != nil {
			t.Fatal(err)
		}
		shorn := filepath.Join(t.TempDir(), "shorn.jsonl")
		without := regexp.MustCompile(`(?m)^\{"loose":true.*\n`).ReplaceAll(whole, nil)
		if len(without) == len(whole) {
			t.Fatal("nothing is without a place")
		}
		if err := os.WriteFile(shorn, without, 0o600); err != nil {
			t.Fatal(err)
		}
		status, out, errs := audit(t, w, "verify", "--export", shorn)
		if !strings.Contains(out, "A file proves entries with a place only") || regexp.MustCompile(`all \d+ entries /`).MatchString(out) {
			t.Errorf("error/shorn of entries: %d %s%s", status, out, errs)
		}
		if _, out, _ := audit(t, w, "verify", "--export", shorn, "--json"); !strings.Contains(out, `"file":true`) {
			t.Errorf("error/shorn, as JSON: %s", out)
		}
		w.Log.Clock = time.Now
		if err := w.Notaries[0].Checkpoint(t.Context()); err != nil {
			t.Fatal(err)
		}
		if status, out, errs := audit(t, w, "verify"); status != 0 || !regexp.MustCompile(`PROVEN .*: all (\d+) entries`).MatchString(out) || !regexp.MustCompile(`[1-9]\d* entries say a time of after the checkpoint`).MatchString(out) {
			t.Errorf("ok/a clock that was ahead: %d %s%s", status, out, errs)
		}
		file := filepath.Join(t.TempDir(), "log.jsonl")
		status, out, errs = audit(t, w, "export", "--out", file)
		if text, err := os.ReadFile(file); status != 0 || err != nil || !strings.Contains(out, fmt.Sprintf("SHA-256 %x\n", sha256.Sum256(text))) {
			t.Fatalf("ok/export: %d %s%s %v", status, out, errs, err)
		}
		if status, out, errs := audit(t, w, "verify", "--export", file); status != 0 || !strings.Contains(out, "PROVEN") {
			t.Errorf("ok/export is judged as the database: %d %s%s", status, out, errs)
		}
		testAuditPart(t, w)
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		loose, placed, _ := strings.Cut(string(text), `{"seq":0,`)
		for name, c := range map[string]struct {
			text   string
			status int
		}{
			"edited": {loose + `{"seq":0,` + strings.Replace(placed, `application.submit`, `application.sudmit`, 1), 1},
			"cut":    {strings.Join(strings.SplitAfter(string(text), "\n")[:9], ""), 1},
			"torn":   {string(text[:len(text)-9]), 2},
			"other":  {"{}\n", 2},
		} {
			file := filepath.Join(t.TempDir(), "changed.jsonl")
			if err := os.WriteFile(file, []byte(c.text), 0o600); err != nil {
				t.Fatal(err)
			}
			if status, out, _ := audit(t, w, "verify", "--export", file); status != c.status {
				t.Errorf("error/%s: status %d\n%s", name, status, out)
			}
		}
		if status, _, _ := audit(t, w, "verify", "--key", file); status != 64 {
			t.Errorf("error/not a key: %d", status)
		}
		if status, _, _ := audit(t, w, "export", "--out", file); status != 1 {
			t.Errorf("error/export over a file: %d", status)
		}
	})
}

// S-029: who can start a command does not let in alone what came late.
func TestAuditAdmit(t *testing.T) {
	world.EachWith(t, func(t *testing.T, c *cli.Config) { c.LogCopy = t.TempDir() }, func(t *testing.T, w *world.World) {
		code, entry := w.Clerk.Office, "01990000-0000-7000-8000-000000000000"
		admitted := func() bool {
			t.Helper()
			is, err := w.Store.Admitted(t.Context(), code, entry)
			if err != nil {
				t.Fatal(err)
			}
			return is
		}
		if status, _, errs := audit(t, w, "admit", code, entry); status != 1 || !strings.Contains(errs, "approval_needed") || admitted() {
			t.Errorf("error/nobody approved: %d %s", status, errs)
		}
		w.Approve(t, office.AdmitEntry, entry)
		if status, _, errs := audit(t, w, "admit", code, "01990000-0000-7000-8000-000000000001"); status != 1 || !strings.Contains(errs, "approval_needed") {
			t.Errorf("error/another entry: %d %s", status, errs)
		}
		if status, _, errs := audit(t, w, "admit", code, entry); status != 0 || !admitted() {
			t.Errorf("ok/let in: %d %s", status, errs)
		}
		if status, _, errs := audit(t, w, "admit", code, entry); status != 1 || !strings.Contains(errs, "approval_used") {
			t.Errorf("error/twice: %d %s", status, errs)
		}
	})
}

// S-086: the job of the service makes a checkpoint at its start, and without one of
// the last 15 minutes nothing personal is done, also right after a start.
func TestWorkKeepsLog(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, cancel := context.WithCancel(t.Context())
		done := w.Work(ctx, discard)
		for {
			if text, _, err := w.Store.LastCheckpoint(ctx, "log"); err != nil || text != "" {
				break
			}
			time.Sleep(10 * time.Millisecond)
		}
		cancel()
		<-done
		if status, out, errs := audit(t, w, "verify"); status != 0 {
			t.Errorf("ok: %d %s%s", status, out, errs)
		}
		if err := w.Halted(t.Context()); err != nil {
			t.Errorf("ok/with a checkpoint: %v", err)
		}
		_ = w.Close()
		w.Open(t)
		w.Fresh.Clock = func() time.Time { return time.Now().Add(tree.ReadOnly) }
		if err := w.Halted(t.Context()); !errors.Is(err, fault.New(fault.Unavailable, "log_checkpoint_late", "")) {
			t.Errorf("error/started later: %v", err)
		}
	})
}
