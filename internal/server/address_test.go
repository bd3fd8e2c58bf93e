package server

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
	"time"
)

// S-007: who the client is, in front of and behind trusted proxies.
func TestClientAddress(t *testing.T) {
	trusted := proxies{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("fd00::/8")}
	for name, c := range map[string]struct {
		peer string
		said []string
		want string
	}{
		"ok/direct":                          {"192.0.2.1:1234", nil, "192.0.2.1"},
		"ok/direct v6":                       {"[2001:db8::1]:1234", nil, "2001:db8::1"},
		"ok/mapped":                          {"[::ffff:192.0.2.1]:1234", nil, "192.0.2.1"},
		"ok/one proxy":                       {"10.0.0.1:1", []string{"192.0.2.7"}, "192.0.2.7"},
		"ok/two proxies":                     {"10.0.0.1:1", []string{"192.0.2.7, 10.0.0.2"}, "192.0.2.7"},
		"ok/proxies only":                    {"10.0.0.1:1", []string{"10.0.0.3"}, "10.0.0.3"},
		"ok/proxy without a header":          {"10.0.0.1:1", nil, "10.0.0.1"},
		"error/spoofed":                      {"192.0.2.1:1234", []string{"198.51.100.9"}, "192.0.2.1"},
		"error/spoofed through the proxy":    {"10.0.0.1:1", []string{"198.51.100.9, 192.0.2.7"}, "192.0.2.7"},
		"error/spoofed as a line of its own": {"10.0.0.1:1", []string{"198.51.100.9", "192.0.2.7"}, "192.0.2.7"},
		"error/nonsense":                     {"10.0.0.1:1", []string{"198.51.100.9, x\n"}, "10.0.0.1"},
		"error/spoofed v6":                   {"[2001:db8::1]:1", []string{"fd00::1"}, "2001:db8::1"},
		"error/no address":                   {"pipe", []string{"198.51.100.9"}, "unknown"},
	} {
		r := &http.Request{RemoteAddr: c.peer, Header: http.Header{"X-Forwarded-For": c.said}}
		if got := trusted.clientAddress(r); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// S-007: a spoofed header changes neither log nor rate limit; from a trusted proxy
// it does both.
func TestForwardedFor(t *testing.T) {
	now := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	f := newFixture(t, func(s *Services) {
		s.Clock, s.Proxies = func() time.Time { return now }, []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8")}
	})
	verify := func(peer, said string) reply {
		r := httptest.NewRequest(http.MethodPost, prefix+"/verify", strings.NewReader("x"))
		r.RemoteAddr = peer + ":1"
		r.Header.Set("Content-Type", "text/plain")
		r.Header.Set("X-Forwarded-For", said)
		r.Header.Set("X-Real-Ip", said)
		r.Header.Set("Forwarded", "for="+said)
		rec := httptest.NewRecorder()
		f.Public().ServeHTTP(rec, r)
		return reply{rec.Code, rec.Header(), rec.Body.Bytes()}
	}
	for i := range verifyBurst {
		f.want(t, verify("192.0.2.1", fmt.Sprintf("198.51.100.%d", i%250)), 200, "")
		f.want(t, verify("10.0.0.1", "203.0.113.5"), 200, "")
	}
	f.want(t, verify("192.0.2.1", "198.51.100.251"), 429, "too_many_requests")
	f.want(t, verify("10.0.0.1", "203.0.113.5"), 429, "too_many_requests")
	f.want(t, verify("10.0.0.1", "203.0.113.6"), 200, "")

	terminals := map[string]string{}
	for peer, said := range map[string]string{"192.0.2.9": "198.51.100.1", "10.0.0.1": "203.0.113.8"} {
		r := httptest.NewRequest(http.MethodGet, prefix+"/applications/none", nil)
		r.RemoteAddr = peer + ":1"
		r.AddCookie(&http.Cookie{Name: sessionCookie, Value: f.clerk})
		r.Header.Set("X-Forwarded-For", said)
		f.Staff().ServeHTTP(httptest.NewRecorder(), r)
	}
	entries, err := f.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(t.Context(), f.Clerk.Office, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		var r struct{ Terminal, Action string }
		if err := json.Unmarshal(e, &r); err != nil {
			t.Fatal(err)
		}
		terminals[r.Terminal] = r.Action
	}
	if terminals["staff:192.0.2.9"] == "" || terminals["staff:203.0.113.8"] == "" || terminals["staff:198.51.100.1"] != "" {
		t.Errorf("logged: %v", terminals)
	}
}

// S-008: the times of every face, and of a body that takes its time.
func TestTimes(t *testing.T) {
	h, err := (&Server{Services: Services{Logger: newFixture(t).Logger}}).httpServer(publicFace)
	if err != nil || h.ReadHeaderTimeout != 5*time.Second || h.ReadTimeout != 30*time.Second || h.IdleTimeout != 60*time.Second || h.WriteTimeout == 0 {
		t.Errorf("%+v %v", h, err)
	}
	if s := (&route{}).time(); s != 30*time.Second {
		t.Errorf("a handler has %v", s)
	}
}

// S-008: who opens thousands of slow connections gets a bounded number, and
// others are served meanwhile.
func TestSlowConnections(t *testing.T) {
	f := newFixture(t)
	bound, _ := f.serving(t)
	address := strings.TrimPrefix(bound["public"], "http://")
	from := func(ip string) *net.Dialer { return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}} }
	var slow []net.Conn
	for range 2000 {
		c, err := from("127.0.0.2").DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
		if _, err := io.WriteString(c, "GET / HTTP/1.1\r\nHost: slow\r\nX-"); err == nil {
			slow = append(slow, c)
		}
	}
	if len(slow) < maxConnections {
		t.Fatalf("only %d slow connections", len(slow))
	}
	client := &http.Client{Transport: &http.Transport{DialContext: from("127.0.0.3").DialContext, DisableKeepAlives: true}}
	for range 50 {
		resp, err := client.Get(bound["public"] + "/")
		f.want(t, readAll(t, resp, err), 200, "")
	}
	greedy := &http.Client{Transport: &http.Transport{DialContext: from("127.0.0.2").DialContext, DisableKeepAlives: true}}
	if resp, err := greedy.Get(bound["public"] + "/"); err == nil {
		_ = resp.Body.Close()
		t.Error("error/one more of the same address: served")
	}
	for _, c := range slow {
		_ = c.Close()
	}
	for try := range 1000 { // until the server has seen them go
		resp, err := greedy.Get(bound["public"] + "/")
		if err == nil {
			f.want(t, readAll(t, resp, err), 200, "")
			break
		}
		if try == 999 {
			t.Errorf("ok/after they have gone: %v", err)
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// A connection gives its place back once, however often it is closed; trusted
// proxies have no bound.
func TestCrowd(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := newCrowd(l, 1, proxies{netip.MustParsePrefix("127.0.0.9/32")})
	defer func() { _ = c.Close() }()
	dial := func(ip string) net.Conn {
		conn, err := (&net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(ip)}}).Dial("tcp", l.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	accept := func(ip string) net.Conn {
		conn, err := c.Accept()
		if err != nil || !strings.HasPrefix(conn.RemoteAddr().String(), ip+":") {
			t.Fatalf("%v %v", conn.RemoteAddr(), err)
		}
		return conn
	}
	dial("127.0.0.1")
	first := accept("127.0.0.1")
	dial("127.0.0.1") // refused
	dial("127.0.0.9")
	accept("127.0.0.9")
	dial("127.0.0.9")
	accept("127.0.0.9")
	_ = first.Close()
	_ = first.Close()
	dial("127.0.0.1")
	accept("127.0.0.1")
	if c.open[netip.MustParseAddr("127.0.0.1")] != 1 || len(c.open) != 1 {
		t.Errorf("open: %v", c.open)
	}
}
