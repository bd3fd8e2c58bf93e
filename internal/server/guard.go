package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"runtime/debug"
	"strings"
	"time"

	"akashi/internal/fault"
)

// Limits of any request (threats-and-protection.md 4).
const (
	maxURL         = 2 << 10
	maxHeaderBytes = 16 << 10
	maxHeaders     = 100
	maxBody        = 64 << 10
)

type callKey struct{}

// guard stands before the routes of a face: it gives the request its id, sets
// the headers of every answer, enforces the limits of any request, catches
// panics and writes the access log.
func (s *Server) guard(f face, next http.Handler) http.Handler {
	cross := http.NewCrossOriginProtection()
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		c := &call{face: f, id: s.IDs.Row(), address: proxies(s.Proxies).clientAddress(r)}
		r = r.WithContext(context.WithValue(withClient(r.Context(), r.TLS), callKey{}, c))
		c.request = r
		rec := &recorder{ResponseWriter: w}
		started := time.Now()
		defer func() {
			if p := recover(); p != nil {
				s.panicked(rec, c, p)
			}
			took := time.Since(started)
			s.meters.count(f, c.route, rec.status, took)
			s.access(r, rec, c, took)
			if rec.broken {
				panic(http.ErrAbortHandler) // what was sent is not a whole answer
			}
		}()
		protect(rec.Header(), r, c.id)
		err := admissible(r)
		if err == nil && cross.Check(r) != nil {
			err = fault.New(fault.Forbidden, "cross_origin", "")
		}
		if err == nil {
			err = s.standAt(r.Context(), c)
		}
		if err != nil {
			s.refuse(rec, c, err)
			return
		}
		next.ServeHTTP(rec, r)
	})
}

// protect sets the headers of S-022 that every answer has; a route may loosen
// caching.
func protect(h http.Header, r *http.Request, id string) {
	h.Set("X-Request-Id", id)
	h.Set("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), geolocation=(), microphone=()")
	h.Set("Cache-Control", "no-store")
	if r.TLS != nil {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
}

var pathForm = regexp.MustCompile(`^(/[A-Za-z0-9_.~-]*)+$`)

// admissible applies the limits of any request before anything looks at it.
func admissible(r *http.Request) error {
	lines, size := 0, 0
	for name, values := range r.Header {
		lines += len(values)
		for _, v := range values {
			size += len(name) + len(v) + len(": \r\n")
		}
	}
	switch path := r.URL.Path; {
	case len(r.RequestURI) > maxURL:
		return fault.New(fault.TooLarge, "url_too_long", "").With("max", fmt.Sprint(maxURL))
	case lines > maxHeaders || size > maxHeaderBytes:
		return fault.New(fault.TooLarge, "headers_too_large", "").With("max", fmt.Sprint(maxHeaders)).With("bytes", fmt.Sprint(maxHeaderBytes))
	case r.URL.RawPath != "" || !pathForm.MatchString(path) || strings.Contains(path, "..") || strings.Contains(path, "//"):
		return fault.New(fault.NotFound, "route", "")
	}
	for _, name := range []string{"Authorization", "Content-Type", "Idempotency-Key"} {
		if len(r.Header.Values(name)) > 1 {
			return fault.New(fault.Invalid, "repeated_header", name)
		}
	}
	return nil
}

// recorder notes what was answered.
type recorder struct {
	http.ResponseWriter
	status int
	bytes  int64
	broken bool
}

func (w *recorder) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

func (w *recorder) Write(b []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	n, err := w.ResponseWriter.Write(b)
	w.bytes += int64(n)
	return n, err
}

// Unwrap serves http.ResponseController.
func (w *recorder) Unwrap() http.ResponseWriter { return w.ResponseWriter }

// panicked answers a panic. Its value may hold anything and is not logged; the
// stack holds addresses only.
func (s *Server) panicked(w *recorder, c *call, p any) {
	if err, ok := p.(error); ok && errors.Is(err, http.ErrAbortHandler) {
		w.broken = true
		return
	}
	s.Logger.Error("panic", "request", c.id, "type", fmt.Sprintf("%T", p), "stack", string(debug.Stack()))
	if w.status != 0 {
		w.broken = true
		return
	}
	s.refuse(w, c, errPanic)
}

var errPanic = errors.New("panic")

// access writes the one log line of a request: never its body, query or names.
func (s *Server) access(r *http.Request, w *recorder, c *call, took time.Duration) {
	pattern := "none"
	if c.route != nil {
		pattern = c.route.path
	}
	method := r.Method
	if !knownMethods[method] {
		method = "other"
	}
	s.Logger.LogAttrs(r.Context(), slog.LevelInfo, "request",
		slog.String("face", string(c.face)), slog.String("method", method), slog.String("route", pattern),
		slog.Int("status", w.status), slog.Int64("bytes", w.bytes), slog.Duration("took", took),
		slog.String("request", c.id), slog.String("staff", c.actor.Person))
}

var knownMethods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "PATCH": true, "DELETE": true, "OPTIONS": true, "TRACE": true, "CONNECT": true,
}
