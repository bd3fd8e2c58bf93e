package server

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

// S-022: the headers of every answer of every route of every face, whatever the
// status; with HSTS where the line is TLS. S-023: only what is published may be
// read from elsewhere.
func TestHeaders(t *testing.T) {
	f := newFixture(t)
	seen, statuses := map[string]bool{}, map[int]bool{}
	check := func(at face, key, method, path, media string, body []byte, headers ...string) {
		r := ask(f.handlers[at], key, method, path, media, body, append(headers, "X-Request-Id: mine")...)
		statuses[r.status] = true
		keys := readByAll(strings.TrimPrefix(path, "https://akashi.test")) && r.status < 300
		policy := "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
		page := strings.TrimPrefix(path, "https://akashi.test")
		if html := strings.HasPrefix(r.header.Get("Content-Type"), "text/html"); html && page != "/" {
			policy = formPolicy // they have a script and a form of their own
		}
		cached := map[bool]string{true: "public, max-age=300", false: "no-store"}[keys]
		if r.status == http.StatusOK && strings.HasPrefix(page, "/assets/") && !strings.Contains(page, "sign-in") {
			cached = map[bool]string{true: "private, max-age=31536000, immutable", false: "private, max-age=300"}[strings.HasSuffix(page, ".ttf")]
		}
		secure := map[bool]string{true: "max-age=63072000"}[strings.HasPrefix(path, "https:")]
		for name, want := range map[string]string{
			"Content-Security-Policy": policy,
			"X-Content-Type-Options":  "nosniff", "Referrer-Policy": "no-referrer", "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
			"Cross-Origin-Opener-Policy": "same-origin", "Strict-Transport-Security": secure, "Access-Control-Allow-Credentials": "",
			"Cache-Control":                cached,
			"Access-Control-Allow-Origin":  map[bool]string{true: "*"}[keys],
			"Cross-Origin-Resource-Policy": map[bool]string{true: "cross-origin", false: "same-origin"}[keys],
		} {
			if got := strings.Join(r.header.Values(name), ", "); got != want {
				t.Errorf("%s %s %s (%d): %s is %q, want %q", at, method, path, r.status, name, got, want)
			}
		}
		if id := r.header.Get("X-Request-Id"); len(id) != 36 || id[14] != '7' || seen[id] {
			t.Errorf("%s: request id %q", path, id)
		} else {
			seen[id] = true
		}
	}
	for _, at := range faces {
		for _, r := range f.routes() {
			if !slices.Contains(r.faces, at) {
				continue
			}
			path := pathParameter.ReplaceAllString(r.path, nobody)
			media := ""
			if len(r.takes) > 0 {
				media = r.takes[0]
			}
			for _, url := range []string{path, "https://akashi.test" + path} {
				check(at, "", r.method, url, media, nil)
				check(at, f.clerk, r.method, url, media, nil)
				check(at, f.officer, r.method, url, media, []byte("{}"))
				check(at, f.officer, r.method, url, media, make([]byte, r.limit()+1))
				check(at, f.officer, r.method, url, "text/rtf", []byte("x"))
				check(at, f.officer, r.method, url+"?unknown=1", media, nil)
				check(at, f.officer, "BREW", url, media, nil)
				check(at, f.officer, r.method, url+"/"+nobody, media, nil)
				check(at, f.officer, r.method, url+strings.Repeat("a", maxURL), media, nil)
				check(at, f.officer, r.method, url, media, nil, "Origin: https://elsewhere.example")
				check(at, f.officer, r.method, url, media, nil, "X-A: "+strings.Repeat("a", maxHeaderBytes))
			}
		}
	}
	for _, want := range []int{200, 204, 400, 401, 403, 404, 405, 413, 414, 415, 431} {
		if !statuses[want] {
			t.Errorf("no answer had status %d", want)
		}
	}
	// A face that breaks inside says so with the same headers.
	f = newFixture(t, func(s *Services) { s.Published, s.Ping = nil, nil })
	check(publicFace, "", "GET", "/.well-known/jwks.json", "", nil)
	check(opsFace, "", "GET", "/readyz", "", nil)
	if !statuses[500] {
		t.Error("nothing broke")
	}
}

// readByAll tells whether pages of others may read what is at the path (S-023).
func readByAll(path string) bool {
	return path == "/.well-known/jwks.json" || strings.HasPrefix(path, "/.well-known/crl/") || strings.HasPrefix(path, "/.well-known/dcc/") || strings.HasPrefix(path, prefix+"/trust/")
}
