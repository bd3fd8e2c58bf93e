package server

import (
	"encoding/json"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
)

var publishedNames = regexp.MustCompile(`"((?:csca|dsc|crl|crls|status|health)/[0-9a-f]{32}\.[a-z]+|jwks\.json)"`)

// S-069, S-023: a stranger who takes the files of the public face one by one has the
// trust directory, with which a revoked certificate is revoked offline; other sites may
// read each of them, and those named after their content may be kept.
func TestPublishedFiles(t *testing.T) {
	f := newFixture(t)
	now := time.Now()
	f.Server.Clock = func() time.Time { return now }
	id := f.issued(t, certificate.Travel)
	i, err := f.World.Issuance.Get(t.Context(), f.World.Clerk, id)
	if err != nil {
		t.Fatal(err)
	}
	f.want(t, f.do(f.officer, "POST", certificatePath(id, "/revoke"), `{"reason":"wrong_content"}`), 200, "")
	if err := f.Lists.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	now = now.Add(publishedAge)
	get := func(path string) reply {
		t.Helper()
		r := ask(f.Public(), "", http.MethodGet, path, "", nil, "Origin: https://elsewhere.example")
		if r.status != 200 || r.header.Get("Access-Control-Allow-Origin") != "*" || !strings.HasPrefix(r.header.Get("Cache-Control"), "public, max-age=") {
			t.Fatalf("%s: %d %v", path, r.status, r.header)
		}
		return r
	}
	files := fstest.MapFS{"manifest.json": {Data: get(prefix + "/trust/manifest.json").body}}
	kinds := map[string]bool{}
	for _, m := range publishedNames.FindAllStringSubmatch(string(files["manifest.json"].Data), -1) {
		r := get(prefix + "/trust/" + m[1])
		if folder, _, named := strings.Cut(m[1], "/"); named != strings.Contains(r.header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %s", m[1], r.header.Get("Cache-Control"))
		} else {
			kinds[folder] = true
		}
		files[m[1]] = &fstest.MapFile{Data: r.body}
	}
	for _, want := range []string{"jwks.json", "csca", "dsc", "crl", "crls", "status", "health"} {
		if !kinds[want] {
			t.Errorf("nothing of %s", want)
		}
	}
	b, report, err := trust.Load(files)
	if err != nil || len(report) > 0 {
		t.Fatalf("%v %v", report, err)
	}
	for _, p := range i.Payloads {
		if v := verify.Text(p.Text, b, now); v.Outcome != verify.NotValid || v.Facet(verify.Revocation).Code != verify.Revoked {
			t.Errorf("error/%s: %s %v", p.Family, v.Outcome, v.Facet(verify.Revocation))
		}
		// SMART Health Cards, 7: the list at its place, and its counter in the key.
		if p.Family != certificate.SHC {
			continue
		}
		list, err := trust.ParseCardList(get("/.well-known/crl/" + p.KeyID + ".json").body)
		if err != nil || !list.Lists(p.StatusID, now) {
			t.Errorf("list of health cards: %v", err)
		}
		for _, key := range get("/.well-known/jwks.json").json(t)["keys"].([]any) {
			if k := key.(map[string]any); k["kid"] == p.KeyID && k["crlVersion"] != float64(list.Counter) {
				t.Errorf("crlVersion %v, ctr %d", k["crlVersion"], list.Counter)
			}
		}
	}
	var entry struct {
		Issuers []struct{ Iss, Name string } `json:"participating_issuers"`
	}
	if err := json.Unmarshal(get(prefix+"/trust/vci-issuers.json").body, &entry); err != nil || len(entry.Issuers) != 1 || entry.Issuers[0].Iss != f.Server.SHCIssuer || entry.Issuers[0].Name == "" {
		t.Errorf("entry: %v %v", entry, err)
	}
	for _, path := range []string{"/.well-known/crl/none.json", "/.well-known/crl/" + i.Payloads[0].KeyID, prefix + "/trust/status/none", prefix + "/trust/x/" + nobody} {
		if r := ask(f.Public(), "", "GET", path, "", nil); r.status != 404 {
			t.Errorf("error/%s: %d", path, r.status)
		}
	}
}
