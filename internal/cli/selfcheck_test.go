package cli_test

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
)

// publicFace serves what an installation publishes, as its public face does; change
// may spoil an answer.
func publicFace(t *testing.T, w *world.World, change func(path string, h http.Header, body []byte) (int, []byte)) *httptest.Server {
	t.Helper()
	b := published(t, w)
	files, err := b.WithoutIssuances().Files() // as the public face does
	if err != nil {
		t.Fatal(err)
	}
	at := map[string][]byte{"/.well-known/jwks.json": b.JWKS(w.Config.SHCIssuer)}
	for name, content := range files {
		at["/api/v1/trust/"+name] = content
	}
	for _, id := range b.KeyIDs() {
		if l := b.CardList(w.Config.SHCIssuer, id); l != nil {
			at["/.well-known/crl/"+id+".json"] = l.Raw
		}
	}
	s := httptest.NewServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		body, ok := at[r.URL.Path]
		if name, of := strings.CutPrefix(r.URL.Path, "/api/v1/issuance-log/"); of {
			size, part, deeper := strings.Cut(name, "/")
			if body, ok = w.Published.Issuances.Part(r.Context(), size, part); !deeper {
				body, ok = []byte(w.Published.Issuances.Checkpoint(r.Context())), true
			}
		}
		if name, of := strings.CutPrefix(r.URL.Path, "/.well-known/dcc/"); of {
			body, ok, _ = w.Published.Lists.WithdrawnFile(r.Context(), name)
		}
		status := http.StatusOK
		if !ok {
			status = http.StatusNotFound
		}
		out.Header().Set("Access-Control-Allow-Origin", "*")
		out.Header().Set("Cache-Control", "public, max-age=60")
		if change != nil {
			status, body = change(r.URL.Path, out.Header(), body)
		}
		out.WriteHeader(status)
		_, _ = out.Write(body)
	}))
	t.Cleanup(s.Close)
	return s
}

func selfCheck(t *testing.T, args ...string) (int, string) {
	t.Helper()
	var out bytes.Buffer
	status := cli.Run(t.Context(), append([]string{"selfcheck"}, args...), strings.NewReader(""), &out, io.Discard, cli.Adapters{})
	return status, out.String()
}

// old is a certificate for travel with its EU code.
func old(t *testing.T, w *world.World) issuance.Issue {
	t.Helper()
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Issue 5, section 4: an outsider finds the published files in order, with a fresh
// certificate of each family; and names what is not.
func TestSelfCheck(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	w.BringInternational(t)
	w.SetOffice(t, func(s *office.Settings) { s.EU = true })
	var payloads []issuance.Payload
	for _, kind := range []certificate.Kind{certificate.Travel, certificate.International} {
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, kind))
		if err != nil {
			t.Fatal(err)
		}
		payloads = append(payloads, i.Payloads...)
	}
	again, err := w.Issuance.Reissue(t.Context(), w.Clerk, old(t, w).Certificate.ID, "lost") // ends an EU certificate
	if err != nil || len(again.Payloads) != 3 {
		t.Fatalf("%v %d", err, len(again.Payloads))
	}
	runJob(t, w, "lists")
	if err := w.Notaries[1].Checkpoint(t.Context()); err != nil {
		t.Fatal(err)
	}
	logKey := filepath.Join(w.Config.Data, "keys", "issuance-log.pub")
	var files []string
	for _, p := range payloads {
		files = append(files, filepath.Join(t.TempDir(), string(p.Family)+".txt"))
		if err := os.WriteFile(files[len(files)-1], []byte(p.Text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	good := publicFace(t, w, nil)
	status, report := selfCheck(t, append([]string{good.URL, "--log-key", logKey}, files...)...)
	if !strings.Contains(report, "10 codes through") || !strings.Contains(report, "1 ended") {
		t.Errorf("ok/log and lists:\n%s", report)
	}
	if status != 0 || strings.Count(report, "valid") != len(files) || !strings.Contains(report, "status list") || len(files) != 4 || !strings.Contains(report, "of HC1 codes, listed") || strings.Contains(report, "FAIL") {
		t.Errorf("ok: %d\n%s", status, report)
	}
	for name, c := range map[string]struct {
		change func(path string, h http.Header, body []byte) (int, []byte)
		args   []string
		want   string
	}{
		"no CORS": {func(path string, h http.Header, body []byte) (int, []byte) {
			h.Del("Access-Control-Allow-Origin")
			return 200, body
		}, nil, "CORS"},
		"half a status list": {func(path string, _ http.Header, body []byte) (int, []byte) {
			if strings.HasSuffix(path, ".marks") {
				body = body[:len(body)/2]
			}
			return 200, body
		}, nil, "not_this_list"},
		"a missing file": {func(path string, _ http.Header, body []byte) (int, []byte) {
			if strings.HasSuffix(path, ".crl") {
				return 404, nil
			}
			return 200, body
		}, nil, "status 404"},
		"an older card list": {func(path string, _ http.Header, body []byte) (int, []byte) {
			if strings.HasPrefix(path, "/.well-known/jwks") {
				body = bytes.ReplaceAll(body, []byte(`"crlVersion":2`), []byte(`"crlVersion":9`))
			}
			return 200, body
		}, nil, "older than crlVersion 9"},
		"a redirect": {func(path string, h http.Header, body []byte) (int, []byte) {
			h.Set("Location", good.URL+path)
			return 302, nil
		}, nil, "status 302"},
		"another key set": {func(path string, _ http.Header, body []byte) (int, []byte) {
			if strings.HasPrefix(path, "/.well-known/jwks") {
				body = []byte(`{"keys":[]}`)
			}
			return 200, body
		}, nil, "0 keys, 1 in the directory"},
		"a code that is not in the log": {func(path string, _ http.Header, body []byte) (int, []byte) {
			if strings.HasSuffix(path, "/all") {
				body = bytes.Repeat([]byte{0xff}, len(body))
			}
			return 200, body
		}, []string{"--log-key", logKey}, "not_this_checkpoint"},
		"another log": {nil, []string{"--log-key", filepath.Join(w.Config.Data, "keys", "status-list.pub")}, "not_signed"},
		"a filter that lacks one": {func(path string, _ http.Header, body []byte) (int, []byte) {
			if strings.HasSuffix(path, ".bloom") {
				body = append(bytes.Clone(body[:20]), make([]byte, len(body)-20)...)
			}
			return 200, body
		}, nil, "not in the filter"},
		"an old list": {nil, []string{"--at", time.Now().UTC().Add(50 * time.Hour).Format(time.RFC3339)}, "FAIL status list"},
		"an unreadable certificate": {nil, []string{func() string {
			name := filepath.Join(t.TempDir(), "x.txt")
			if err := os.WriteFile(name, []byte("shc:/1"), 0o600); err != nil {
				t.Fatal(err)
			}
			return name
		}()}, "FAIL certificate"},
	} {
		face := good
		if c.change != nil {
			face = publicFace(t, w, c.change)
		}
		if status, report := selfCheck(t, append([]string{face.URL}, c.args...)...); status != 1 || !strings.Contains(report, c.want) || !strings.Contains(report, "FAIL") {
			t.Errorf("error/%s: %d\n%s", name, status, report)
		}
	}
	for _, args := range [][]string{{}, {"http://elsewhere.example"}, {"ftp://localhost"}, {"https://user@host"}, {"https://host?x=1"}} {
		if status, _ := selfCheck(t, args...); status != cli.UsageStatus {
			t.Errorf("error/%v: %d", args, status)
		}
	}
}
