package hcert

import (
	"encoding/base64"
	"net/netip"
	"net/url"
	"strings"
	"time"

	"akashi/internal/strictjson"
)

// Link is a health link (sub-claim 5): an address with files, and the key that opens them.
// The signature proves who made the link, never what lies behind it. Nothing is ever
// fetched; Warnings tell why a person should not follow it either.
type Link struct {
	Shape    string // vhlink, shlink, map or array: how it was written
	URL      string
	Key      string // 43 characters of base64url: a secret of the holder
	Flag     string // P: asks for a passcode; L: for long; U: one file
	Label    string
	Version  int
	FHIRBase string
	Expires  time.Time // zero when it does not expire
}

// Limits of a link.
const (
	maxLink    = 4296 // characters of its JSON, encoded
	maxLinkURL = 2048
	linkKey    = 43 // characters
)

// Schemes of a link that is text.
var linkSchemes = map[string]string{"vhlink:/": "vhlink", "shlink:/": "shlink"}

// readLinks reads sub-claim 5 in its four shapes: the text of either scheme, a map of
// its members, or an array of maps with the text under "u".
func readLinks(v any) ([]Link, error) {
	switch v := v.(type) {
	case string:
		l, err := readLinkText(v)
		return []Link{l}, err
	case table:
		l, err := readLinkMap(v, "map")
		return []Link{l}, err
	case []any:
		return readLinkArray(v)
	}
	return nil, fail(StepContent, "not_a_link", "")
}

func readLinkArray(list []any) (links []Link, err error) {
	for _, one := range list {
		member, _ := one.(table)
		l, err := readLinkText(text(member["u"]))
		if err != nil {
			return nil, err
		}
		l.Shape = "array"
		links = append(links, l)
	}
	if len(links) == 0 {
		return nil, fail(StepContent, "not_a_link", "")
	}
	return links, nil
}

// readLinkText reads a link as text; a viewer's address may stand before it.
func readLinkText(s string) (Link, error) {
	if _, after, ok := strings.Cut(s, "#"); ok {
		s = after
	}
	for scheme, shape := range linkSchemes {
		encoded, ok := strings.CutPrefix(s, scheme)
		if !ok || len(encoded) > maxLink {
			continue
		}
		b, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(encoded, "="))
		if err != nil {
			return Link{}, fail(StepContent, "not_base64url", "")
		}
		members, err := strictjson.Parse(b, 4)
		if err != nil {
			return Link{}, fail(StepContent, "not_json", "")
		}
		values, ok := numbers(members).(table)
		if !ok {
			return Link{}, fail(StepContent, "not_a_link", "")
		}
		return readLinkMap(values, shape)
	}
	return Link{}, fail(StepContent, "not_a_link", "")
}

func readLinkMap(values table, shape string) (Link, error) {
	m := fields{"", values}
	l := Link{
		Shape: shape, URL: m.text("url"), Key: m.text("key"), Flag: m.text("flag"), Label: m.text("label"),
		Version: m.number("v"), FHIRBase: m.child("extension").text("fhirBaseUrl"),
	}
	if m.has("exp") {
		var ok bool
		if l.Expires, ok = numericDate(values["exp"]); !ok {
			return l, fail(StepContent, "not_a_time", "exp")
		}
	}
	if l.URL == "" || len(l.URL) > maxLinkURL {
		return l, fail(StepContent, "missing", "url")
	}
	return l, nil
}

// Host returns the host of the link; empty for what is no address.
func (l Link) Host() string {
	u, err := url.Parse(l.URL)
	if err != nil {
		return ""
	}
	return u.Hostname()
}

// Warnings tells what is wrong with a link, by codes: not_https, private_address,
// no_host, credentials_in_link, key_form, link_expired.
func (l Link) Warnings(at time.Time) (codes []string) {
	u, err := url.Parse(l.URL)
	if err != nil {
		return []string{"no_host"}
	}
	for _, w := range []struct {
		code string
		is   bool
	}{
		{"not_https", u.Scheme != "https"},
		{"no_host", u.Hostname() == ""},
		{"private_address", isInside(u.Hostname())},
		{"credentials_in_link", u.User != nil},
		{"key_form", !isLinkKey(l.Key)},
		{"link_expired", !l.Expires.IsZero() && at.After(l.Expires)},
	} {
		if w.is {
			codes = append(codes, w.code)
		}
	}
	return codes
}

func isLinkKey(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(s) == linkKey && len(b) == 32
}

// isInside tells whether a host can only be of the network where the reader stands: a
// private or special address, or a name without a dot or of a local domain.
func isInside(host string) bool {
	host = strings.TrimSuffix(strings.ToLower(host), ".")
	if a, err := netip.ParseAddr(host); err == nil {
		a = a.Unmap()
		return !a.IsGlobalUnicast() || a.IsPrivate()
	}
	for _, local := range []string{".local", ".internal", ".localhost", ".lan", ".home.arpa"} {
		if strings.HasSuffix(host, local) {
			return true
		}
	}
	return !strings.Contains(host, ".")
}
