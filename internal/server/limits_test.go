package server

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/fault"
	"akashi/internal/testkit"
)

// S-033, threats-and-protection.md 4: at the limit, one beyond, a hundred times.
func TestLimits(t *testing.T) {
	f := newFixture(t)
	domestic := form(certificate.Domestic)
	padded := func(n int) []byte { return []byte(domestic + strings.Repeat(" ", n-len(domestic))) }
	post := func(path, media string, body []byte, headers ...string) reply {
		return ask(f.Staff(), f.clerk, "POST", prefix+path, media, body, headers...)
	}
	f.want(t, post("/applications", "application/json", padded(maxBody)), 201, "")
	f.want(t, post("/applications", "application/json", padded(maxBody+1)), 413, "body_too_large")
	f.want(t, post("/applications", "application/json", padded(100*maxBody)), 413, "body_too_large")

	for size, status := range map[int]int{maxBody: 201, maxBody + 1: 413} { // of unknown length
		req := httptest.NewRequest(http.MethodPost, prefix+"/applications", bytes.NewReader(padded(size)))
		req.ContentLength = -1
		req.AddCookie(&http.Cookie{Name: sessionCookie, Value: f.clerk})
		req.Header.Set("Content-Type", "application/json")
		rec := httptest.NewRecorder()
		if f.Staff().ServeHTTP(rec, req); rec.Code != status {
			t.Errorf("%d bytes of unknown length: %d, want %d", size, rec.Code, status)
		}
	}

	file := bytes.Repeat([]byte("x"), maxImport+1)
	f.want(t, post("/imports/records", "text/csv", file[:maxImport]), 201, "")
	f.want(t, post("/imports/records", "application/octet-stream", file), 413, "body_too_large")

	url := prefix + "/applications?cursor="
	f.want(t, ask(f.Staff(), f.clerk, "GET", url+strings.Repeat("a", maxURL-len(url)), "", nil), 400, "cursor")
	f.want(t, ask(f.Staff(), f.clerk, "GET", url+strings.Repeat("a", maxURL-len(url)+1), "", nil), 414, "url_too_long")
	f.want(t, ask(f.Staff(), f.clerk, "GET", url+strings.Repeat("a", 100*maxURL), "", nil), 414, "url_too_long")

	headers := func(n int) (list []string) {
		for i := range n - 1 { // one is the key
			list = append(list, fmt.Sprintf("X-%d: 1", i))
		}
		return list
	}
	list := prefix + "/applications"
	f.want(t, ask(f.Staff(), f.clerk, "GET", list, "", nil, headers(maxHeaders)...), 200, "")
	f.want(t, ask(f.Staff(), f.clerk, "GET", list, "", nil, headers(maxHeaders+1)...), 431, "headers_too_large")
	f.want(t, ask(f.Staff(), f.clerk, "GET", list, "", nil, headers(100*maxHeaders)...), 431, "headers_too_large")
	key := len("Cookie: \r\n"+sessionCookie+"=") + len(f.clerk)
	long := strings.Repeat("a", maxHeaderBytes-key-len("X-A: \r\n"))
	f.want(t, ask(f.Staff(), f.clerk, "GET", list, "", nil, "X-A: "+long), 200, "")
	f.want(t, ask(f.Staff(), f.clerk, "GET", list, "", nil, "X-A: "+long+"a"), 431, "headers_too_large")
	f.want(t, ask(f.Staff(), f.clerk, "GET", list, "", nil, "X-A: "+strings.Repeat("a", 100*maxHeaderBytes)), 431, "headers_too_large")

	deep := func(n int) []byte { return []byte(strings.Repeat("[", n) + strings.Repeat("]", n)) }
	f.want(t, post("/applications", "application/json", deep(maxDepth)), 400, "json_form")
	f.want(t, post("/applications", "application/json", deep(maxDepth+1)), 400, "json_depth")
	f.want(t, post("/applications", "application/json", deep(100*maxDepth)), 400, "json_depth")

	zone := func(n int) []byte {
		return []byte(strings.Replace(domestic, `"kind":"domestic"`, `"kind":"travel","passport":{"mrz":"`+strings.Repeat("A", n)+`"}`, 1))
	}
	f.want(t, post("/applications", "application/json", zone(maxZone)), 201, "")
	f.want(t, post("/applications", "application/json", zone(maxZone+1)), 400, "json_form")
	f.want(t, post("/applications", "application/json", zone(100*maxZone)), 400, "json_form")

	for _, h := range []http.Handler{f.Staff(), f.Public()} {
		judge := func(n int) reply {
			return ask(h, f.clerk, "POST", prefix+"/verify", "text/plain", bytes.Repeat([]byte("a"), n))
		}
		f.want(t, judge(maxBody), 200, "")
		f.want(t, judge(maxBody+1), 413, "body_too_large")
		f.want(t, judge(100*maxBody), 413, "body_too_large")
		f.want(t, ask(h, f.clerk, "POST", prefix+"/verify", "image/png", make([]byte, 100*verify.MaxPicture)), 413, "body_too_large")
	}
	prints := func(n int) []byte { // no two the same
		ids := make([]string, n)
		for i := range ids {
			ids[i] = `"AAAAAAA` + strings.Map(func(r rune) rune { return r + 2 }, fmt.Sprintf("%05o", i)) + `"`
		}
		return []byte(`{"certificates":[` + strings.Join(ids, ",") + `]}`)
	}
	f.want(t, post("/prints", "application/json", prints(100)), 404, "certificate")
	f.want(t, post("/prints", "application/json", prints(101)), 400, "too_many")
	f.want(t, post("/prints", "application/json", prints(10_000)), 413, "body_too_large")
	for n, status := range map[int]int{maxKey: 201, maxKey + 1: 400, 60 * maxKey: 400} {
		if r := post("/applications", "application/json", []byte(domestic), "Idempotency-Key: "+strings.Repeat("k", n)); r.status != status {
			t.Errorf("a key of %d: %d %s", n, r.status, r.body)
		}
	}

	for _, c := range []struct {
		media   string
		headers []string
	}{
		{"text/plain", nil}, {"", nil}, {"application/x-www-form-urlencoded", nil}, {"application/json;", []string{"Content-Encoding: gzip"}},
		{"application/json; charset=utf-16", nil}, {"application/JSON/x", nil},
	} {
		f.want(t, post("/applications", c.media, []byte(domestic), c.headers...), 415, "media_type")
	}
	f.want(t, post("/applications", "application/json; charset=UTF-8", []byte(domestic)), 201, "")
	f.want(t, post("/applications", "application/json", []byte(domestic), "Content-Type: text/plain"), 400, "repeated_header")
	f.want(t, post("/applications/"+nobody+"/submit", "application/json", []byte(`{"state":"approved"}`)), 400, "body_not_expected")
}

// Threats 4, "any request": method tricks, encoded slashes, "..", NUL.
func TestStrangeRequests(t *testing.T) {
	f := newFixture(t)
	for _, method := range []string{"PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "TRACE", "BREW"} {
		r := ask(f.Staff(), f.clerk, method, prefix+"/applications", "", nil)
		f.want(t, r, 405, "method")
		if allow := r.header.Get("Allow"); !strings.Contains(allow, "GET") || !strings.Contains(allow, "POST") {
			t.Errorf("%s: Allow %q", method, allow)
		}
	}
	f.want(t, ask(f.Staff(), f.clerk, "POST", prefix+"/applications/"+nobody, "", nil, "X-HTTP-Method-Override: DELETE"), 405, "method")
	for _, path := range []string{
		"/api/v1/applications/", "/api/v1//applications", "/API/v1/applications", "/api/v1/applications%2F" + nobody, "/api/v1/applications/%2e%2e/imports",
		"/api/v1/applications/../imports", "/api/v1/applications/%00", "/api/v1/applications/%E3%81%82", "/api/v1/applications/a%5cb", "/api/v1/%61pplications/%ff",
		"/.env", "/.git/config", "/debug/pprof", "/metrics/", "/api/v1", "/api/v2/applications", "/openapi.yaml", "/docs", "/schemas/problem.json",
	} {
		for _, h := range []http.Handler{f.Staff(), f.Public(), f.Ops()} {
			f.want(t, ask(h, f.officer, "GET", path, "", nil), 404, "route")
		}
	}
}

// S-034: the JSON parsing suite, through a route. What the suite calls wrong is
// a problem, never a crash; what it leaves open is either.
func TestJSONSuite(t *testing.T) {
	f := newFixture(t)
	var suite []struct{ Name, Expect, Base64 string }
	if err := json.Unmarshal(testkit.Read(t, "security/json/jsontestsuite.json"), &suite); err != nil {
		t.Fatal(err)
	}
	refused := map[string]bool{"json_syntax": true, "json_text": true, "json_duplicate": true, "json_depth": true}
	for _, c := range suite {
		body, err := base64.StdEncoding.DecodeString(c.Base64)
		if err != nil {
			t.Fatal(err)
		}
		r := ask(f.Staff(), f.clerk, "POST", prefix+"/applications", "application/json", body)
		if r.status != 400 && r.status != 413 {
			t.Errorf("%s: %d", c.Name, r.status)
		}
		if c.Expect == "reject" && r.status == 400 && !refused[r.code()] {
			t.Errorf("%s: passed as JSON: %s", c.Name, r.code())
		}
	}
	if len(suite) < 200 {
		t.Errorf("only %d cases", len(suite))
	}
}

// S-021: a state change from another site is refused on every route; S-023: no
// preflight but that of what is published is answered.
func TestCrossOrigin(t *testing.T) {
	f := newFixture(t)
	for _, r := range f.routes() {
		h := f.handlers[r.faces[0]]
		path := pathParameter.ReplaceAllString(r.path, "x")
		if r.method == "POST" {
			for _, header := range []string{"Sec-Fetch-Site: cross-site", "Origin: https://elsewhere.example", "Origin: null"} {
				f.want(t, ask(h, f.officer, r.method, path, "application/json", []byte("{}"), header), 403, "cross_origin")
			}
		}
		if !readByAll(r.path) {
			got := ask(h, "", "OPTIONS", path, "", nil, "Origin: https://elsewhere.example", "Access-Control-Request-Method: GET")
			if got.status != 405 || got.header.Get("Access-Control-Allow-Origin") != "" {
				t.Errorf("OPTIONS %s: %d", path, got.status)
			}
		}
	}
}

// S-093: what breaks inside says nothing but its request id.
func TestFailures(t *testing.T) {
	secret := errors.New("SELECT canary FROM people")
	var ping func() error
	f := newFixture(t, func(s *Services) {
		s.Ping = func(context.Context) error { return ping() }
		s.Published = func(context.Context) (*trust.Bundle, error) { return nil, secret }
	})
	ping = func() error { panic("canary: " + secret.Error()) }
	r := ask(f.Ops(), "", "GET", "/readyz", "", nil)
	f.want(t, r, 500, "internal")
	ping = func() error { return secret }
	down := ask(f.Ops(), "", "GET", "/readyz", "", nil)
	f.want(t, down, 503, "database")
	unknown := ask(f.Public(), "", "GET", "/.well-known/jwks.json", "", nil)
	f.want(t, unknown, 500, "internal")
	for _, r := range []reply{r, down, unknown} {
		if bytes.Contains(r.body, []byte("canary")) || bytes.Contains(r.body, []byte(".go")) {
			t.Errorf("%s", r.body)
		}
	}
	if log := f.log.String(); !strings.Contains(log, `"msg":"panic"`) || strings.Contains(log, "canary: SELECT") {
		t.Error("the log of the panic is wrong")
	}
}

// Design 4.3: one function maps faults to problems.
func TestProblemOf(t *testing.T) {
	for code, status := range map[fault.Code]int{
		fault.Invalid: 400, fault.Forbidden: 403, fault.NotFound: 404, fault.Conflict: 409, fault.TooLarge: 413, fault.Internal: 500, fault.Unavailable: 503, "other": 500,
	} {
		wrapped := fmt.Errorf("outer: %w", errors.Join(fault.New(code, "version", "field").Because(errors.New("canary")), errors.New("canary")))
		p := problemOf(wrapped, "id")
		if p.Status != status || p.Code != "version" || p.Field != "field" || strings.Contains(fmt.Sprint(p), "canary") {
			t.Errorf("%s: %+v", code, p)
		}
	}
	for err, want := range map[error]problem{
		errors.New("canary"): {Status: 500, Code: "internal"}, context.DeadlineExceeded: {Status: 503, Code: "timeout"}, context.Canceled: {Status: 503, Code: "timeout"},
	} {
		if p := problemOf(err, "id"); p.Status != want.Status || p.Code != want.Code {
			t.Errorf("%v: %+v", err, p)
		}
	}
}

// S-043.
func TestThrottle(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	b := &throttle{perSecond: 2, burst: 3}
	for i := range 3 {
		if !b.allow("a", now) {
			t.Errorf("ok/%d refused", i)
		}
	}
	if b.allow("a", now) || !b.allow("b", now) {
		t.Error("error/burst of one address")
	}
	now = now.Add(time.Second)
	for n, want := range []bool{true, true, false} {
		if b.allow("a", now) != want {
			t.Errorf("ok/refill: call %d", n)
		}
	}
	for i := range 3 * maxAddresses {
		b.allow(fmt.Sprint(i), now)
	}
	if len(b.buckets) > maxAddresses {
		t.Errorf("%d addresses kept", len(b.buckets))
	}

	still := func() time.Time { return now }
	f := newFixture(t, func(s *Services) { s.Clock = still })
	for range verifyBurst {
		f.want(t, ask(f.Public(), "", "POST", prefix+"/verify", "text/plain", []byte("x")), 200, "")
	}
	r := ask(f.Public(), "", "POST", prefix+"/verify", "text/plain", []byte("x"))
	f.want(t, r, 429, "too_many_requests")
	if r.header.Get("Retry-After") == "" {
		t.Error("no Retry-After")
	}
	f.want(t, ask(f.Staff(), f.clerk, "POST", prefix+"/verify", "text/plain", []byte("x")), 200, "")
}

// S-040, S-043: pictures may be larger than texts, and are few at once; the counter
// does not wait for strangers.
func TestPictures(t *testing.T) {
	f := newFixture(t)
	post := func(media string, size int) reply {
		return ask(f.Public(), "", "POST", prefix+"/verify", media, make([]byte, size))
	}
	f.want(t, post("image/png", verify.MaxPicture), 200, "")
	f.want(t, post("image/png", verify.MaxPicture+1), 413, "body_too_large")
	f.want(t, post("text/plain", maxBody+1), 413, "body_too_large")
	for name, p := range map[string]struct {
		places *places
		n      int
	}{"receiving": {f.pictures[publicFace].receiving, maxPictures}, "reading": {f.pictures[publicFace].reading, maxReading}} {
		t.Run(name, func(t *testing.T) {
			var back []func()
			for i := range p.n {
				b, err := p.places.take(fmt.Sprint(i), 1)
				if err != nil {
					t.Fatal(err)
				}
				back = append(back, b)
			}
			for _, media := range pictureTypes {
				r := post(media, 100)
				f.want(t, r, 503, "pictures_busy")
				if r.header.Get("Retry-After") == "" {
					t.Error("no Retry-After")
				}
			}
			f.want(t, post("text/plain", 100), 200, "")
			f.want(t, ask(f.Staff(), f.clerk, "POST", prefix+"/verify", "image/png", []byte("x")), 200, "")
			back[0]()
			f.want(t, post("image/png", 100), 200, "")
			for _, b := range back[1:] {
				b()
			}
		})
	}
}

// Strangers cannot make the database work; a change of keys is seen soon.
func TestPublishedKeys(t *testing.T) {
	now, asked := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC), 0
	var failure error
	ask := func(context.Context) (*trust.Bundle, error) { asked++; return &trust.Bundle{}, failure }
	var p publishedKeys
	for _, c := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {publishedAge - 1, 1}, {1, 2}, {0, 2}, {-publishedAge, 3}} {
		now = now.Add(c.after)
		if _, err := p.get(t.Context(), ask, now); err != nil || asked != c.want {
			t.Errorf("ok/%v: asked %d times, want %d", c.after, asked, c.want)
		}
	}
	failure = errors.New("down")
	if _, err := p.get(t.Context(), ask, now.Add(publishedAge)); err == nil {
		t.Error("error/down: old keys given")
	}
}

// Issue 2, section 9: a stop finishes what is in flight, and takes nothing new.
func TestGracefulShutdown(t *testing.T) {
	entered, release := make(chan struct{}), make(chan struct{})
	f := newFixture(t, func(s *Services) {
		ask := s.Published
		s.Published = func(ctx context.Context) (*trust.Bundle, error) {
			close(entered)
			<-release
			return ask(ctx)
		}
	})
	bound, stop := f.serving(t)
	slow := make(chan reply, 1)
	go func() {
		resp, err := http.Post(bound["public"]+prefix+"/verify", "text/plain", strings.NewReader("hello"))
		if err != nil {
			slow <- reply{}
			return
		}
		defer func() { _ = resp.Body.Close() }()
		b, _ := io.ReadAll(resp.Body)
		slow <- reply{resp.StatusCode, resp.Header, b}
	}()
	<-entered
	stopped := make(chan error, 1)
	go func() { stopped <- stop() }()
	for range 5000 { // until the stop has begun; then ops says so
		if f.stopping.Load() {
			break
		}
		time.Sleep(time.Millisecond)
	}
	resp, err := http.Get(bound["ops"] + "/readyz")
	f.want(t, readAll(t, resp, err), 503, "stopping")
	select {
	case err := <-stopped:
		t.Fatalf("stopped with a request in flight: %v", err)
	default:
	}
	close(release)
	if r := <-slow; r.status != 200 || !bytes.Contains(r.body, []byte("verdicts")) {
		t.Errorf("the slow request: %d %s", r.status, r.body)
	}
	if err := <-stopped; err != nil {
		t.Errorf("stop: %v", err)
	}
	if _, err := http.Get(bound["staff"] + "/"); err == nil {
		t.Error("something is taken after the stop")
	}
}

func TestServe(t *testing.T) {
	f := newFixture(t)
	bound, stop := f.serving(t)
	if len(bound) != 3 {
		t.Fatalf("bound %v", bound)
	}
	// A body without a length meets the limit while it streams in.
	endless := io.LimitReader(zeros{}, 100<<20)
	req, err := http.NewRequest(http.MethodPost, bound["staff"]+prefix+"/imports/records", io.NopCloser(endless))
	if err != nil {
		t.Fatal(err)
	}
	req.AddCookie(&http.Cookie{Name: sessionCookie, Value: f.clerk})
	req.Header.Set("Content-Type", "text/csv")
	if resp, err := http.DefaultClient.Do(req); err == nil { // the connection may be cut before the answer is read
		f.want(t, readAll(t, resp, err), 413, "body_too_large")
	}
	for name, addrs := range map[string]map[string]string{
		"taken":   {"staff": strings.TrimPrefix(bound["staff"], "http://")},
		"unknown": {"verifier": "127.0.0.1:0"},
	} {
		if err := f.Serve(t.Context(), addrs, nil, time.Second); err == nil {
			t.Errorf("error/%s: served", name)
		}
	}
	if err := stop(); err != nil {
		t.Error(err)
	}
}

type zeros struct{}

func (zeros) Read(b []byte) (int, error) { clear(b); return len(b), nil }

// Neither decoding nor the form crashes, whatever comes.
func FuzzForm(f *testing.F) {
	s := &Server{documents: map[face][]byte{}}
	all := s.routes()
	if _, err := s.build(staffFace, all); err != nil {
		f.Fatal(err)
	}
	var r *route
	for _, candidate := range all {
		if candidate.id == "create-application" {
			r = candidate
		}
	}
	for _, seed := range []string{form(certificate.Travel), form(certificate.Domestic), `{"passport":{"mrz":["a",1]}}`, `[`, `{"a":{"a":null}}`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		c := &call{route: r, body: body, request: httptest.NewRequest(http.MethodPost, "/", nil)}
		b, err := decode[formBody](c)
		if err == nil {
			err = b.form().Check("2026-11-22")
		}
		var known *fault.Error
		if err != nil && !errors.As(err, &known) {
			t.Errorf("%T", err)
		}
	})
}
