package cli_test

import (
	"encoding/pem"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/internal/cli"
	"akashi/internal/testkit"
)

// mirror serves files over TLS as a publisher does, and remembers what was asked of it.
type mirror struct {
	url, ca string
	asked   func() []string // since the last time
}

func newMirror(t *testing.T, files map[string][]byte) *mirror {
	t.Helper()
	var lock sync.Mutex
	var asked []string
	other := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		lock.Lock()
		asked = append(asked, "elsewhere"+r.URL.Path)
		lock.Unlock()
		_, _ = out.Write(files[r.URL.Path])
	}))
	s := httptest.NewTLSServer(http.HandlerFunc(func(out http.ResponseWriter, r *http.Request) {
		lock.Lock()
		asked = append(asked, r.URL.RequestURI())
		lock.Unlock()
		how, path, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
		content, known := files["/"+path]
		switch {
		case !known:
			http.NotFound(out, r)
		case how == "moved":
			http.Redirect(out, r, "/whole/"+path, http.StatusFound)
		case how == "elsewhere":
			http.Redirect(out, r, other.URL+"/"+path, http.StatusMovedPermanently)
		case how == "cut":
			out.Header().Set("Content-Length", strconv.Itoa(len(content)))
			_, _ = out.Write(content[:len(content)/2])
		case how == "half":
			_, _ = out.Write(content[:len(content)/2])
		case how == "failing":
			out.WriteHeader(http.StatusServiceUnavailable)
			_, _ = out.Write(content)
		case how == "endless":
			for block := make([]byte, 1<<20); ; {
				if _, err := out.Write(block); err != nil {
					return
				}
			}
		default:
			_, _ = out.Write(content)
		}
	}))
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that are to fail
	t.Cleanup(s.Close)
	t.Cleanup(other.Close)
	ca := filepath.Join(t.TempDir(), "ca.pem")
	write(t, ca, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}))
	return &mirror{s.URL, ca, func() []string {
		lock.Lock()
		defer lock.Unlock()
		was := asked
		asked = nil
		return was
	}}
}

// contentOf is every file below a directory and beside it under its name.
func contentOf(t *testing.T, dir string) map[string]string {
	t.Helper()
	found := map[string]string{}
	for _, root := range []string{dir, dir + ".previous", dir + ".new"} {
		_ = filepath.WalkDir(root, func(path string, d os.DirEntry, err error) error {
			if err == nil && !d.IsDir() {
				found[path] = string(read(t, path))
			}
			return nil
		})
	}
	return found
}

// Issue 5, 3: each importer takes the address that an operator gives, over TLS alone and from
// there alone; a good set stays when a download is empty, older, half or of somewhere else (S-006).
func TestTrustImportFetches(t *testing.T) {
	list := func(name string) []byte { return testkit.Read(t, "who/trust/"+name) }
	signer := testkit.Shared(t, "who/trust/who-dev-list-signing-key.did.json")
	m := newMirror(t, map[string][]byte{
		"/older.json": list("v2_trustlist_PH4H_CHL.did.json"), "/newer.json": list("v2_trustlist_PH4H_CHL_DSC.did.json"), "/short.json": list("v2_trustlist_DCC_XXU_DSC.did.json"), "/empty": {},
	})
	out := filepath.Join(t.TempDir(), "trust")
	try := func(address string, more ...string) (int, string) {
		status, said, errs := run(t, "", slices.Concat([]string{"trust", "import", "gdhcn", address, "--key", signer, "--out", out, "--ca", m.ca}, more)...)
		return status, said + errs
	}
	first := m.url + "/whole/newer.json?as=did"
	status, said := try(first)
	if digest := digestOf(t, testkit.Shared(t, "who/trust/v2_trustlist_PH4H_CHL_DSC.did.json")); status != 0 || !strings.Contains(said, "fetched "+first+": ") || !strings.Contains(said, " bytes, "+digest+"\n") || !strings.Contains(said, "CHL: 5") {
		t.Fatalf("ok/fetched: %d %s", status, said)
	}
	if asked := m.asked(); !slices.Equal(asked, []string{"/whole/newer.json?as=did"}) { // and no address in the list
		t.Errorf("ok/asked: %v", asked)
	}
	before := contentOf(t, out)
	for name, c := range map[string]struct {
		status  int
		address string
		says    string
		asks    int
	}{
		"not there":           {1, m.url + "/whole/none.json", "status 404", 1},
		"empty":               {1, m.url + "/whole/empty", "it is empty", 1},
		"cut off":             {1, m.url + "/cut/newer.json", "unexpected EOF", 1},
		"half":                {1, m.url + "/half/newer.json", "not one JSON value", 1},
		"a failing server":    {1, m.url + "/failing/newer.json", "status 503", 1},
		"too large":           {1, m.url + "/endless/newer.json", "more than 10 MB", 1},
		"older":               {1, m.url + "/whole/older.json", "older than the one in use", 1},
		"shorter":             {1, m.url + "/whole/short.json", "shrinks sharply", 1},
		"moved":               {1, m.url + "/moved/newer.json", "no redirect is followed", 1},
		"moved elsewhere":     {1, m.url + "/elsewhere/newer.json", "no redirect is followed", 1},
		"another scheme":      {cli.UsageStatus, "ftp" + strings.TrimPrefix(m.url, "https") + "/whole/newer.json", "https:// address is needed", 0},
		"a file as address":   {cli.UsageStatus, "file://" + signer, "https:// address is needed", 0},
		"without TLS":         {cli.UsageStatus, "http://lists.example/newer.json", "https:// address is needed", 0},
		"with a password":     {cli.UsageStatus, strings.Replace(m.url, "https://", "https://me:secret@", 1) + "/whole/newer.json", "https:// address is needed", 0},
		"TLS is not spoken":   {1, strings.Replace(m.url, "https", "http", 1) + "/whole/newer.json", "status 400", 0},
		"nobody there":        {1, "https://127.0.0.1:1/newer.json", "refused", 0},
		"with another in one": {1, m.url + "/whole/%0a", "status 404", 1},
	} {
		status, said := try(c.address)
		if status != c.status || !strings.Contains(said, c.says) || strings.Contains(said, "secret") {
			t.Errorf("error/%s: %d %s", name, status, said)
		}
		if asked := m.asked(); len(asked) != c.asks {
			t.Errorf("error/%s: asked %v", name, asked)
		}
		if after := contentOf(t, out); !slices.Equal(flat(before), flat(after)) {
			t.Errorf("error/%s: something was written", name)
		}
	}
	if status, said, errs := run(t, "", "trust", "import", "gdhcn", first, "--key", signer, "--out", out); status != 1 || !strings.Contains(errs, "certificate") {
		t.Errorf("error/a server of no authority: %d %s%s", status, said, errs)
	}
	if status, said := try(first, "--ca", signer); status != cli.UsageStatus || !strings.Contains(said, "--ca holds no certificate") {
		t.Errorf("error/an authority that is none: %d %s", status, said)
	}
	if status, said := try(m.url+"/whole/short.json", "--shrink", digestOf(t, testkit.Shared(t, "who/trust/v2_trustlist_DCC_XXU_DSC.did.json"))); status != 0 {
		t.Errorf("ok/approved by its digest: %d %s", status, said)
	}
}

func flat(files map[string]string) (lines []string) {
	for name, content := range files {
		lines = append(lines, name+"\x00"+content)
	}
	slices.Sort(lines)
	return lines
}

// Issue 5, 3: what lists are checked with comes from somewhere else than the lists.
func TestTrustImportKeepsKeysApart(t *testing.T) {
	at := t.TempDir()
	path := func(name string) string { return filepath.Join(at, name) }
	japan := testkit.NewCountry(t, "JP", time.Now().AddDate(-1, 0, 0), time.Now().AddDate(9, 0, 0))
	national, publisher := signedList(t, `{"certificates": []}`)
	lists, xcl := path("lists"), testkit.Shared(t, "who/trust/dev-v1-xcl.json")
	if status, _, errs := run(t, "", "trust", "import", "gdhcn", xcl, "--pin", digestOf(t, xcl), "--out", lists); status != 0 {
		t.Fatal(errs)
	}
	export := func(name string) []byte {
		t.Helper()
		if status, _, errs := runIn(t, path("curator"), "trust", "export", "--from", lists, "--out", path(name)); status != 0 {
			t.Fatal(errs)
		}
		return read(t, path(name))
	}
	files := map[string][]byte{"/csca.der": japan.Certificate, "/jp.crl": japan.CRL(1, time.Now().AddDate(0, 0, -1), time.Now().AddDate(0, 1, 0)), "/list": read(t, national), "/key.pem": read(t, publisher)}
	files["/1.zip"] = export("bundle.zip")
	files["/2.zip"] = export("bundle.zip")
	m := newMirror(t, files)
	write(t, path("csca.der"), japan.Certificate)
	for _, c := range []struct {
		name   string
		status int
		says   string
		args   []string
	}{
		{"error/an authority without a digest", 1, "--pin " + digestOf(t, path("csca.der")), []string{"csca", m.url + "/whole/csca.der", "--out", path("a")}},
		{"error/another digest", 1, "was fetched", []string{"csca", m.url + "/whole/csca.der", "--pin", digestOf(t, xcl), "--out", path("a")}},
		{"ok/an authority by its digest", 0, "authorities of JPN: 1", []string{"csca", m.url + "/whole/csca.der", "--pin", digestOf(t, path("csca.der")), "--out", path("a")}},
		{"ok/a revocation list", 0, "revocation lists: 1", []string{"crl", m.url + "/whole/jp.crl", "--trust", path("a"), "--out", path("b")}},
		{"error/half a revocation list", 1, "malformed", []string{"crl", m.url + "/half/jp.crl", "--trust", path("b"), "--out", path("b")}},
		{"error/another in place of what is there", cli.UsageStatus, "is there already", []string{"crl", m.url + "/whole/jp.crl", "--trust", path("a"), "--out", path("b")}},
		{"error/a list with the key of its server", cli.UsageStatus, "has to be a file", []string{"dcc", m.url + "/whole/list", m.url + "/whole/key.pem", "--out", path("c")}},
		{"error/a list of nobody, by its key", 1, "number of certificates", []string{"dcc", m.url + "/whole/list", publisher, "--out", path("c")}},
		{"error/a snapshot with its certificate", cli.UsageStatus, "has to be a file", []string{"vci", national, national, m.url + "/whole/key.pem", "--out", path("c")}},
		{"error/a key by address", 1, "no such file", []string{"gdhcn", xcl, "--key", m.url + "/whole/key.pem", "--out", path("c")}},
		{"ok/a bundle", 0, "pinned at its first use", []string{"bundle", m.url + "/whole/2.zip", "--out", path("d")}},
		{"error/an older bundle", 1, "older", []string{"bundle", m.url + "/whole/1.zip", "--out", path("d")}},
		{"error/half a bundle", 1, "no zip", []string{"bundle", m.url + "/half/2.zip", "--out", path("d")}},
		{"error/a directory over the network", 1, "no zip", []string{"bundle", m.url + "/whole/list", "--out", path("d")}},
	} {
		before := contentOf(t, path("d"))
		status, said, errs := run(t, "", slices.Concat([]string{"trust", "import"}, c.args, []string{"--ca", m.ca})...)
		if status != c.status || !strings.Contains(said+errs, c.says) {
			t.Errorf("%s: %d %s%s", c.name, status, said, errs)
		}
		if c.status != 0 && !slices.Equal(flat(before), flat(contentOf(t, path("d")))) {
			t.Errorf("%s: something was written", c.name)
		}
	}
	if asked := m.asked(); slices.Contains(asked, "/whole/key.pem") {
		t.Errorf("error/a key was fetched: %v", asked)
	}
	if _, err := os.Stat(path("c")); err == nil {
		t.Error("error/something was written")
	}
}
