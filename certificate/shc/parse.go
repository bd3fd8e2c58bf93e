package shc

import (
	"bytes"
	"compress/flate"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"math"
	"slices"
	"strings"
	"sync"
	"time"

	"akashi/internal/strictjson"
)

// Header is the protected header of a card.
type Header struct {
	Algorithm   string // ES256
	Compression string // DEF
	KeyID       string
}

// Card is a card as read, step 6 of the spec passed: well formed, but neither
// trusted nor checked for time or content.
type Card struct {
	JWS          string // without white space around it
	Header       Header
	Issuer       string    // iss, as written; see CheckIssuer
	NotBefore    time.Time // nbf, which may have a fraction
	Expires      time.Time // exp; zero when there is none
	Types        []string
	RevocationID string // rid; may be empty
	FHIRVersion  string
	Bundle       Bundle
	Claims       []byte   // inflated JSON
	Notes        []string // flaws that do not spoil the card

	tree      map[string]any // of Claims
	signed    string         // header and payload as received
	signature []byte
}

// Parse reads a compact JWS up to step 6 of the spec: shape, header, inflating,
// claims. The signature is not checked; it covers the text as received.
func Parse(jws string) (*Card, error) {
	if len(jws) > maxJWS {
		return nil, fail(StepShape, "too_long", "")
	}
	c := &Card{JWS: strings.TrimSpace(jws)}
	if c.JWS != jws {
		c.note(NoteWhiteSpace)
	}
	header, payload, err := c.split()
	if err != nil {
		return nil, err
	}
	if err := c.readHeader(header); err != nil {
		return nil, err
	}
	if c.Claims, err = inflate(payload); err != nil {
		return nil, err
	}
	if err := c.readClaims(); err != nil {
		return nil, err
	}
	return c, nil
}

func (c *Card) note(n string) {
	if !slices.Contains(c.Notes, n) {
		c.Notes = append(c.Notes, n)
	}
}

func (c *Card) split() (header, payload []byte, err error) {
	parts := strings.SplitN(c.JWS, ".", 4)
	if len(parts) != 3 {
		return nil, nil, fail(StepShape, "not_three_parts", "")
	}
	decoded := [3][]byte{}
	for i, part := range parts {
		// The decoder skips line breaks, so the alphabet is checked here.
		if !alphabet(part) {
			return nil, nil, fail(StepShape, "not_base64url", partNames[i])
		}
		if decoded[i], err = base64.RawURLEncoding.Strict().DecodeString(part); err != nil {
			return nil, nil, fail(StepShape, "not_base64url", partNames[i])
		}
		if len(decoded[i]) == 0 {
			return nil, nil, fail(StepShape, "empty", partNames[i])
		}
	}
	if len(decoded[2]) != 64 {
		return nil, nil, fail(StepShape, "signature_length", "")
	}
	c.signed = c.JWS[:len(parts[0])+1+len(parts[1])]
	c.signature = decoded[2]
	return decoded[0], decoded[1], nil
}

var partNames = [3]string{"header", "payload", "signature"}

// Header members that would bring a key or change the meaning of the others.
// Keys come from the issuer's key set only (S-064).
var refusedMembers = []string{"crit", "b64", "jku", "jwk", "x5u", "x5c"}

func (c *Card) readHeader(b []byte) error {
	tree, err := strictjson.Parse(b, maxDepth)
	if err != nil {
		return fail(StepHeader, "not_json", "")
	}
	members, ok := tree.(map[string]any)
	if !ok {
		return fail(StepHeader, "not_an_object", "")
	}
	for _, name := range refusedMembers {
		if _, ok := members[name]; ok {
			return fail(StepHeader, "member_refused", name)
		}
	}
	if members["alg"] != "ES256" {
		return fail(StepHeader, "alg_not_es256", "alg")
	}
	if members["zip"] != "DEF" {
		return fail(StepHeader, "zip_not_def", "zip")
	}
	kid, _ := members["kid"].(string)
	if !isKeyID(kid) {
		return fail(StepHeader, "not_a_thumbprint", "kid")
	}
	c.Header = Header{"ES256", "DEF", kid}
	return nil
}

var inflaters = sync.Pool{New: func() any { return flate.NewReader(nil) }}

// inflate undoes raw DEFLATE; nothing may follow the stream.
func inflate(b []byte) ([]byte, error) {
	limit := min(maxInflated, maxRatio*len(b))
	in := bytes.NewReader(b)
	r := inflaters.Get().(io.Reader)
	defer inflaters.Put(r)
	if err := r.(flate.Resetter).Reset(in, nil); err != nil {
		return nil, fail(StepInflate, "not_deflate", "")
	}
	buffer := bytes.NewBuffer(make([]byte, 0, min(limit, 4*len(b))+bytes.MinRead))
	_, err := buffer.ReadFrom(io.LimitReader(r, int64(limit)+1))
	out := buffer.Bytes()
	switch {
	case len(out) > limit:
		return nil, fail(StepInflate, "too_large", "")
	case err != nil:
		return nil, fail(StepInflate, "not_deflate", "")
	case in.Len() > 0:
		return nil, fail(StepInflate, "trailing_bytes", "")
	}
	return out, nil
}

func (c *Card) readClaims() error {
	tree, err := parseTree(c.Claims)
	if err != nil {
		return err
	}
	c.tree = tree
	if len(bytes.TrimSpace(c.Claims)) != len(c.Claims) {
		c.note(NoteWhiteSpace)
	}
	r := &reader{}
	c.Issuer = r.text(tree, "", "iss")
	c.NotBefore = r.time(tree, "nbf")
	if _, ok := tree["exp"]; ok {
		c.Expires = r.time(tree, "exp")
	}
	vc := r.object(tree, "", "vc")
	c.Types = r.texts(vc, "vc", "type")
	if _, ok := vc["rid"]; ok {
		if c.RevocationID = r.text(vc, "vc", "rid"); !isRevocationID(c.RevocationID) {
			r.refuse("not_a_revocation_id", "vc.rid")
		}
	}
	subject := r.object(vc, "vc", "credentialSubject")
	c.FHIRVersion = r.text(subject, "vc.credentialSubject", "fhirVersion")
	c.Bundle = r.bundle(r.object(subject, "vc.credentialSubject", "fhirBundle"))
	if r.err == nil && !slices.Contains(c.Types, TypeHealthCard) {
		r.refuse("not_a_health_card", "vc.type")
	}
	return r.err
}

// parseTree reads claims or a resource to a tree in which names keep their
// case (encoding/json folds it in structs) and numbers their text.
func parseTree(b []byte) (map[string]any, error) {
	value, err := strictjson.Parse(b, maxDepth)
	switch {
	case errors.Is(err, strictjson.ErrDuplicate):
		return nil, fail(StepClaims, "duplicate_member", "")
	case err != nil:
		return nil, fail(StepClaims, "not_json", "")
	}
	tree, ok := value.(map[string]any)
	if !ok {
		return nil, fail(StepClaims, "not_an_object", "")
	}
	return tree, nil
}

// reader takes typed values out of a tree and keeps the first fault.
type reader struct{ err error }

func (r *reader) refuse(code, field string) {
	if r.err == nil {
		r.err = fail(StepClaims, code, field)
	}
}

func join(path, name string) string {
	if path == "" {
		return name
	}
	return path + "." + name
}

func (r *reader) object(m map[string]any, path, name string) map[string]any {
	o, ok := m[name].(map[string]any)
	if !ok {
		r.refuse(wrong(m, name), join(path, name))
	}
	return o
}

func (r *reader) text(m map[string]any, path, name string) string {
	s, ok := m[name].(string)
	if !ok {
		r.refuse(wrong(m, name), join(path, name))
	}
	return s
}

func (r *reader) list(m map[string]any, path, name string) []any {
	l, ok := m[name].([]any)
	if !ok {
		r.refuse(wrong(m, name), join(path, name))
	}
	return l
}

func (r *reader) texts(m map[string]any, path, name string) []string {
	var out []string
	for i, item := range r.list(m, path, name) {
		s, ok := item.(string)
		if !ok {
			r.refuse("wrong_type", index(join(path, name), i))
		}
		out = append(out, s)
	}
	return out
}

// time reads seconds since 1970; fractions are real (Japan wrote microseconds).
func (r *reader) time(m map[string]any, name string) time.Time {
	n, ok := m[name].(json.Number)
	if !ok {
		r.refuse(wrong(m, name), name)
		return time.Time{}
	}
	seconds, err := n.Float64()
	if err != nil || seconds < 0 || seconds > 1e15 {
		r.refuse("out_of_range", name)
		return time.Time{}
	}
	whole, fraction := math.Modf(seconds)
	return time.Unix(int64(whole), int64(math.Round(fraction*1e6))*1000).UTC()
}

func wrong(m map[string]any, name string) string {
	if _, ok := m[name]; ok {
		return "wrong_type"
	}
	return "missing"
}
