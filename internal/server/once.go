package server

import (
	"bytes"
	"errors"
	"net/http"

	"akashi/internal/audit"
	"akashi/internal/fault"
)

const maxKey = 200

// once runs an act at most once per office, path and Idempotency-Key. A second
// request with the same key and body gets the present state of what the first
// one made; again reads that by the object that the act's log entry names.
func (s *Server) once(c *call, act func(*audit.Once) (answer, error), again func(object string) (answer, error)) (answer, error) {
	key, err := c.key()
	if err != nil || key == "" {
		if err == nil {
			return act(nil)
		}
		return answer{}, err
	}
	o := &audit.Once{Route: c.request.Method + " " + c.request.URL.Path, Key: key, Body: c.hash()}
	if a, done, err := s.replay(c, o, again); done || err != nil {
		return a, err
	}
	a, err := act(o)
	if errors.Is(err, audit.ErrRepeated) { // a twin was faster
		if a, done, err := s.replay(c, o, again); done || err != nil {
			return a, err
		}
	}
	return a, err
}

// key returns the Idempotency-Key: printable ASCII, or nothing.
func (c *call) key() (string, error) {
	key := c.request.Header.Get("Idempotency-Key")
	bad := fault.New(fault.Invalid, "idempotency_key", "Idempotency-Key")
	if len(key) > maxKey {
		return "", bad
	}
	for i := range len(key) {
		if key[i] < 0x20 || key[i] > 0x7E {
			return "", bad
		}
	}
	return key, nil
}

func (s *Server) replay(c *call, o *audit.Once, again func(string) (answer, error)) (answer, bool, error) {
	object, body, err := s.Once(c.ctx, c.actor.Office, o.Route, o.Key)
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return answer{}, false, nil
	case err != nil:
		return answer{}, false, err
	case !bytes.Equal(body, o.Body):
		return answer{}, false, fault.New(fault.Conflict, "idempotency_key_reused", "Idempotency-Key")
	}
	a, err := again(object)
	if err != nil {
		return a, false, err
	}
	a.status = http.StatusOK
	if a.header == nil {
		a.header = map[string]string{}
	}
	a.header["Idempotency-Replayed"] = "true"
	return a, true, nil
}
