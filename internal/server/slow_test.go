package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// slowly is a client that announces a body and sends a byte of it now and then,
// until its connection ends; it returns what it was told.
func slowly(address, head string) (status int, err error) {
	c, err := net.Dial("tcp", address)
	if err != nil {
		return 0, err
	}
	defer func() { _ = c.Close() }()
	_ = c.SetDeadline(time.Now().Add(time.Minute)) // a server that waits for ever fails the test
	if _, err := io.WriteString(c, head+"Content-Length: 60000\r\n\r\n"); err != nil {
		return 0, err
	}
	go func() {
		for {
			_, err := io.WriteString(c, "x")
			if err != nil {
				return
			}
			time.Sleep(5 * time.Millisecond)
		}
	}()
	in := bufio.NewReader(c)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return 0, err
	}
	if _, err := io.Copy(io.Discard, in); err != nil && !strings.Contains(err.Error(), "reset") {
		return 0, fmt.Errorf("the connection does not end: %w", err)
	}
	return resp.StatusCode, nil
}

// S-008: a body that comes byte by byte is given up when its time is over, with or
// without a session; meanwhile others are served, and pictures that come slowly from
// one address leave room for those of others. The time is shortened, nothing else.
func TestSlowBody(t *testing.T) {
	f := newFixture(t)
	for _, at := range []face{publicFace, staffFace} {
		h, err := f.httpServer(at)
		if err != nil {
			t.Fatal(err)
		}
		h.ReadTimeout = 3 * time.Second // a busy machine reads late
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		go func() { _ = h.Serve(l) }()
		defer func() { _ = h.Close() }()
		head := "POST " + prefix + "/verify HTTP/1.1\r\nHost: slow\r\nContent-Type: text/plain\r\n"
		if at == staffFace {
			head = "POST " + prefix + "/applications HTTP/1.1\r\nHost: slow\r\nContent-Type: application/json\r\nCookie: " + sessionCookie + "=" + f.clerk + "\r\n"
		}
		const many = 100
		ended := make(chan error, many)
		for range many {
			go func() {
				status, err := slowly(l.Addr().String(), head)
				if err == nil && status != http.StatusBadRequest {
					err = fmt.Errorf("status %d", status)
				}
				ended <- err
			}()
		}
		for range 20 {
			resp, err := http.Get("http://" + l.Addr().String() + "/")
			f.want(t, readAll(t, resp, err), 200, "")
		}
		for range many {
			if err := <-ended; err != nil {
				t.Fatalf("error/%s: %v", at, err)
			}
		}
	}
	places := f.pictures[publicFace].receiving
	for i := range eachPictures + 1 {
		_, err := places.take("203.0.113.1", 1)
		if full := i == eachPictures; full != (err != nil) {
			t.Errorf("picture %d of one address: %v", i+1, err)
		}
	}
	f.want(t, ask(f.Public(), "", "POST", prefix+"/verify", "image/png", []byte("x")), 200, "")
}

// S-008, S-043: a large file on a line that hardly moves is given up as well, and its place
// given back. The time is shortened, nothing else.
func TestSlowFile(t *testing.T) {
	f := newFixture(t)
	f.patience = time.Second
	h, err := f.httpServer(staffFace)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = h.Serve(l) }()
	defer func() { _ = h.Close() }()
	status, err := slowly(l.Addr().String(), "POST "+prefix+"/imports/subjects HTTP/1.1\r\nHost: slow\r\nContent-Type: text/csv\r\nIdempotency-Key: slow\r\nCookie: "+sessionCookie+"="+f.clerk+"\r\n")
	f.arriving.mu.Lock()
	defer f.arriving.mu.Unlock()
	if err != nil || status != http.StatusBadRequest || f.arriving.taken != 0 {
		t.Errorf("error/%d %v, %d bytes kept", status, err, f.arriving.taken)
	}
}

// S-043: an office, and whoever asks about one application or certificate, keep to a
// rate; the answer holds nothing, and others do not notice.
func TestRates(t *testing.T) {
	now := time.Date(2026, 11, 21, 3, 0, 0, 0, time.UTC)
	f := newFixture(t, func(s *Services) { s.Clock = func() time.Time { return now } })
	get := func(who, path string) reply { return ask(f.Staff(), who, "GET", prefix+path, "", nil) }
	f.targets.burst, f.offices.burst = 3, 10
	for range 3 {
		f.want(t, get(f.clerk, "/certificates/"+absent), 404, "certificate")
	}
	r := get(f.officer, "/certificates/"+absent)
	f.want(t, r, 429, "too_many_requests")
	if r.header.Get("Retry-After") == "" || len(r.body) > 500 {
		t.Errorf("error/target: %s", r.body)
	}
	f.want(t, get(f.foreign, "/certificates/"+absent), 404, "certificate")
	for range 6 {
		f.want(t, get(f.clerk, "/certificates"), 200, "")
	}
	f.want(t, get(f.officer, "/certificates"), 429, "too_many_requests")
	f.want(t, get(f.foreign, "/certificates"), 200, "")
	now = now.Add(time.Second)
	f.want(t, get(f.clerk, "/certificates"), 200, "")
	f.want(t, get(f.clerk, "/certificates/"+absent), 404, "certificate")
}

// absent is the id of no certificate.
const absent = "ZZZZZZZZZZZZ"
