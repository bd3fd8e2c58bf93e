package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/lestrrat-go/jwx/v2/cert"
	"github.com/lestrrat-go/jwx/v2/jwk"

	"akashi/internal/strictjson"
	"akashi/signing/pki"
)

// JWKS returns the key set to publish for a purpose: public keys only, ordered
// by id, with use, alg, kid and the certificate if there is one. Announced and
// retired keys are in it, compromised ones are not (spec smart-health-cards, 4).
func JWKS(keys []Key, purpose Purpose) ([]byte, error) {
	published := slices.DeleteFunc(slices.Clone(keys), func(k Key) bool {
		return k.Purpose != purpose || k.State == Compromised
	})
	slices.SortFunc(published, func(a, b Key) int {
		if a.ID < b.ID {
			return -1
		}
		return 1
	})
	set := jwk.NewSet()
	for _, k := range published {
		item, err := toJWK(k)
		if err == nil {
			err = set.AddKey(item)
		}
		if err != nil {
			return nil, fmt.Errorf("signing: publish key %s: %w", k.ID, err)
		}
	}
	text, err := json.Marshal(set)
	if err != nil {
		return nil, fmt.Errorf("signing: publish keys: %w", err)
	}
	return text, nil
}

func toJWK(k Key) (jwk.Key, error) {
	public, err := k.PublicKey()
	if err != nil {
		return nil, err
	}
	if Thumbprint(public) != k.ID {
		return nil, errors.New("id is not the thumbprint")
	}
	item, err := jwk.FromRaw(public)
	if err != nil {
		return nil, err
	}
	members := map[string]any{jwk.KeyIDKey: k.ID, jwk.KeyUsageKey: "sig", jwk.AlgorithmKey: k.Algorithm}
	if len(k.Certificate) > 0 {
		chain := &cert.Chain{}
		if err := chain.AddString(base64.StdEncoding.EncodeToString(k.Certificate)); err != nil {
			return nil, err
		}
		members[jwk.X509CertChainKey] = chain
	}
	for name, value := range members {
		if err := item.Set(name, value); err != nil {
			return nil, err
		}
	}
	return item, nil
}

// PublicJWK is a usable key of somebody's key set.
type PublicJWK struct {
	Index       int // in the set
	ID          string
	Public      *ecdsa.PublicKey
	Chain       [][]byte   // x5c: certificates in DER, leaf first; may be empty
	Certified   pki.Period // when every certificate of the chain is in force; zero without one
	ListVersion int        // crlVersion; 0 when the key has no revocation list
}

// Problem says why a key of a set is not used. The rest of the set is.
type Problem struct {
	Index int    // in the set
	Code  string // such as "private", "not_the_thumbprint"
}

func (p Problem) String() string { return "key " + strconv.Itoa(p.Index) + ": " + p.Code }

// Limits of a key set.
const (
	maxKeySet = 1 << 20
	maxKeys   = 1000
	maxChain  = 8
)

// ParseJWKS reads a key set and gives the keys that can verify health cards:
// EC, P-256, use sig, alg ES256, kid equal to the thumbprint, no private
// member, x5c (if any) for the same key and sound in itself. Every other key
// becomes a problem. The error is for a text that is no key set at all.
func ParseJWKS(b []byte) ([]PublicJWK, []Problem, error) {
	if len(b) > maxKeySet {
		return nil, nil, errors.New("signing: key set is too large")
	}
	if err := strictjson.Check(b, 16); err != nil {
		return nil, nil, fmt.Errorf("signing: key set: %w", err)
	}
	var set map[string]json.RawMessage
	var items []json.RawMessage
	if json.Unmarshal(b, &set) != nil || json.Unmarshal(set["keys"], &items) != nil || items == nil {
		return nil, nil, errors.New("signing: key set has no list of keys")
	}
	if len(items) > maxKeys {
		return nil, nil, errors.New("signing: key set has too many keys")
	}
	var keys []PublicJWK
	var problems []Problem
	for i, item := range items {
		key, code := parseJWK(item)
		if code != "" {
			problems = append(problems, Problem{i, code})
			continue
		}
		key.Index = i
		keys = append(keys, key)
	}
	return keys, problems, nil
}

// privateMembers belong to private and symmetric keys (RFC 7518, 6).
var privateMembers = []string{"d", "p", "q", "dp", "dq", "qi", "oth", "k"}

// parseJWK returns the code of the first fault, or "".
func parseJWK(b []byte) (key PublicJWK, code string) {
	var members map[string]any
	if json.Unmarshal(b, &members) != nil || members == nil {
		return key, "not_an_object"
	}
	for _, name := range privateMembers {
		if _, ok := members[name]; ok {
			return key, "private"
		}
	}
	for _, want := range [][2]string{{"kty", "EC"}, {"use", "sig"}, {"alg", ES256}, {"crv", "P-256"}} {
		if members[want[0]] != want[1] {
			return key, "wrong_" + want[0]
		}
	}
	if ops, ok := members["key_ops"]; ok && !isVerifyOnly(ops) {
		return key, "wrong_key_ops"
	}
	x, _ := members["x"].(string)
	y, _ := members["y"].(string)
	if key.Public = point(x, y); key.Public == nil {
		return key, "not_a_point"
	}
	if key.ID = thumbprint("P-256", x, y); members["kid"] != key.ID {
		return key, "not_the_thumbprint"
	}
	var ok bool
	if key.ListVersion, ok = ListVersion(members["crlVersion"]); !ok {
		return key, "wrong_crl_version"
	}
	return key, key.readChain(members)
}

func isVerifyOnly(v any) bool {
	list, _ := v.([]any)
	return len(list) == 1 && list[0] == "verify"
}

// point decodes coordinates and checks that they lie on the curve. Leading zero
// bytes may be missing, against RFC 7518, 6.2.1.2: two issuers of the trust list
// write them so, and their thumbprint is over the text as written. The parser
// sees these members only, for others (a date) must not spoil a key.
func point(x, y string) *ecdsa.PublicKey {
	x, y = padded(x), padded(y)
	b, err := json.Marshal(map[string]string{"kty": "EC", "crv": "P-256", "x": x, "y": y})
	if err != nil || x == "" || y == "" {
		return nil
	}
	item, err := jwk.ParseKey(b)
	if err != nil {
		return nil
	}
	var public ecdsa.PublicKey
	if item.Raw(&public) != nil || public.Curve != elliptic.P256() {
		return nil
	}
	if _, err := public.ECDH(); err != nil { // not on the curve
		return nil
	}
	return &public
}

// padded returns a coordinate at its full length of 32 bytes; "" if it is none.
func padded(s string) string {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	if err != nil || len(b) == 0 || len(b) > 32 || base64.RawURLEncoding.EncodeToString(b) != s {
		return ""
	}
	full := make([]byte, 32)
	copy(full[32-len(b):], b)
	return base64.RawURLEncoding.EncodeToString(full)
}

// ListVersion reads the version of a revocation list as encoding/json decodes it:
// crlVersion of a key or ctr of a list. One live issuer writes both as text.
// Absent (nil) is 0.
func ListVersion(v any) (n int, ok bool) {
	switch v := v.(type) {
	case nil:
		return 0, true
	case float64:
		return int(v), v >= 1 && v < 1<<31 && v == float64(int(v))
	case string:
		n, err := strconv.Atoi(v)
		return n, err == nil && n >= 1
	}
	return 0, false
}

// readChain decodes x5c, compares its leaf with the key, and checks that each
// certificate was signed by the next. It returns the code of the first fault, or
// "". The last one is taken as it comes: that the issuer is trusted is known
// from elsewhere, a chain can only take that away.
func (k *PublicJWK) readChain(members map[string]any) (code string) {
	v, ok := members["x5c"]
	if !ok {
		return ""
	}
	list, _ := v.([]any)
	if len(list) == 0 || len(list) > maxChain {
		return "bad_chain"
	}
	var certificates []*x509.Certificate
	for _, item := range list {
		text, _ := item.(string)
		b, err := base64.StdEncoding.Strict().DecodeString(text)
		if err != nil || len(b) > pki.MaxCertificate {
			return "bad_chain"
		}
		c, err := x509.ParseCertificate(b)
		if err != nil {
			return "bad_chain"
		}
		k.Chain, certificates = append(k.Chain, b), append(certificates, c)
	}
	if !k.Public.Equal(certificates[0].PublicKey) {
		return "chain_for_another_key"
	}
	period, ok := inForce(certificates)
	if !ok {
		return "chain_never_in_force"
	}
	if !isChain(certificates, period.From) {
		return "bad_chain"
	}
	k.Certified = period
	return ""
}

// inForce returns the time in which all certificates are.
func inForce(certificates []*x509.Certificate) (p pki.Period, ok bool) {
	p = pki.Period{From: certificates[0].NotBefore, To: certificates[0].NotAfter}
	for _, c := range certificates[1:] {
		if c.NotBefore.After(p.From) {
			p.From = c.NotBefore
		}
		if c.NotAfter.Before(p.To) {
			p.To = c.NotAfter
		}
	}
	return p, !p.To.Before(p.From)
}

func isChain(certificates []*x509.Certificate, at time.Time) bool {
	last := len(certificates) - 1
	o := x509.VerifyOptions{
		Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at,
		KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
	}
	o.Roots.AddCert(certificates[last])
	for i := 1; i < last; i++ {
		o.Intermediates.AddCert(certificates[i])
	}
	_, err := certificates[0].Verify(o)
	return err == nil
}

// NamesIssuer tells whether the leaf of the chain holds iss as a URI among its
// alternative names; a DNS name does not count (spec smart-health-cards, 4).
// A key without a chain names nobody.
func (k PublicJWK) NamesIssuer(iss string) bool {
	if len(k.Chain) == 0 {
		return false
	}
	leaf, err := x509.ParseCertificate(k.Chain[0])
	if err != nil {
		return false
	}
	for _, uri := range leaf.URIs {
		if uri.String() == iss {
			return true
		}
	}
	return false
}
