package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"

	"akashi/internal/office"
	"akashi/internal/testkit"
)

// secured is the faces over TLS with the terminals of an authority.
type secured struct {
	*fixture
	servers, clients *testkit.Authority
	bound            map[string]string
}

func newSecured(t *testing.T, change ...func(*Services)) *secured {
	t.Helper()
	s := &secured{servers: testkit.NewAuthority(t, "servers"), clients: testkit.NewAuthority(t, "terminals")}
	_, certificate, key := s.servers.Issue("server", false)
	s.fixture = newFixture(t, append([]func(*Services){func(v *Services) {
		v.TLS = TLS{Certificate: certificate, Key: key, ClientCAs: s.clients.File, Required: true}
	}}, change...)...)
	s.bound, _ = s.serving(t)
	return s
}

// as is a client that shows a certificate, or none.
func (s *secured) as(pair ...tls.Certificate) *http.Client {
	return &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: s.servers.Pool, Certificates: pair}, ForceAttemptHTTP2: true,
	}}
}

func (s *secured) get(t *testing.T, c *http.Client, url, key string) reply {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		t.Fatal(err)
	}
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: key})
	resp, err := c.Do(r)
	return readAll(t, resp, err)
}

func (s *secured) register(t *testing.T, code string, pair tls.Certificate) office.Terminal {
	t.Helper()
	terminal, err := s.AddTerminal(t.Context(), code, "Counter", pair.Certificate[0])
	if err != nil {
		t.Fatal(err)
	}
	return terminal
}

// S-004: TLS 1.2 or later; the staff face only for certificates of the authority
// that are registered, and of the person's own office; a revoked one fails with its
// next request, on a connection that is open.
func TestTerminals(t *testing.T) {
	s := newSecured(t)
	mine, _, _ := s.clients.Issue("mine", true)
	theirs, _, _ := s.clients.Issue("theirs", true)
	nobodys, _, _ := s.clients.Issue("nobodys", true)
	foreign, _, _ := testkit.NewAuthority(t, "others").Issue("foreign", true)
	terminal := s.register(t, s.Clerk.Office, mine)
	s.register(t, foreignOffice, theirs)
	url := s.bound["staff"] + prefix + "/applications"

	client := s.as(mine)
	s.want(t, s.get(t, client, url, s.clerk), 200, "")
	s.want(t, s.get(t, s.as(theirs), url, s.clerk), 403, "terminal")
	s.want(t, s.get(t, s.as(theirs), url, s.foreign), 200, "")
	s.want(t, s.get(t, s.as(nobodys), url, s.clerk), 403, "terminal")
	s.want(t, s.get(t, s.as(nobodys), s.bound["staff"]+"/", ""), 403, "terminal")
	for name, c := range map[string]*http.Client{"another authority": s.as(foreign), "none": s.as(), "unknown server": {Transport: &http.Transport{}}} {
		if resp, err := c.Get(s.bound["staff"] + "/"); err == nil {
			_ = resp.Body.Close()
			t.Errorf("error/%s: a connection", name)
		}
	}
	for _, face := range []string{"public", "ops"} {
		path := map[string]string{"public": "/", "ops": "/healthz"}[face]
		s.want(t, s.get(t, s.as(), s.bound[face]+path, ""), 200, "")
	}
	r := s.get(t, client, s.bound["staff"]+"/", "")
	if r.header.Get("Strict-Transport-Security") != "max-age=63072000" {
		t.Error("no HSTS")
	}

	s.want(t, s.get(t, client, s.bound["staff"]+prefix+"/applications/sakurai", s.clerk), 404, "application")
	entries, err := s.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(t.Context(), s.Clerk.Office, "")
	if err != nil {
		t.Fatal(err)
	}
	found := false
	for _, e := range entries {
		var r struct{ Terminal, Action string }
		if err := json.Unmarshal(e, &r); err != nil {
			t.Fatal(err)
		}
		found = found || r.Action == "application.read" && r.Terminal == "staff:"+terminal.ID
	}
	if !found {
		t.Error("the log does not name the terminal")
	}

	if err := s.RevokeTerminal(t.Context(), s.Clerk.Office, terminal.ID); err != nil {
		t.Fatal(err)
	}
	s.want(t, s.get(t, client, url, s.clerk), 403, "terminal")
	if err := s.RevokeTerminal(t.Context(), s.Clerk.Office, terminal.ID); err == nil {
		t.Error("error/revoked twice")
	}
	if _, err := s.AddTerminal(t.Context(), s.Clerk.Office, "again", mine.Certificate[0]); err == nil {
		t.Error("error/a certificate registered twice")
	}
}

// Where terminals are optional, a certificate that is no terminal's is passed on
// to who may know it: leaf and subject.
func TestClientCertificate(t *testing.T) {
	s := newSecured(t, func(v *Services) { v.TLS.Required = false })
	card, _, _ := s.clients.Issue("card", true)
	s.want(t, s.get(t, s.as(card), s.bound["staff"]+prefix+"/applications", s.clerk), 200, "")
	s.want(t, s.get(t, s.as(), s.bound["staff"]+prefix+"/applications", s.clerk), 200, "")
	state := &tls.ConnectionState{PeerCertificates: nil}
	if _, ok := clientOf(withClient(t.Context(), state)); ok {
		t.Error("error/unverified")
	}
	state.VerifiedChains = append(state.VerifiedChains, nil)
	state.VerifiedChains[0] = append(state.VerifiedChains[0], card.Leaf)
	got, ok := clientOf(withClient(t.Context(), state))
	if !ok || got.SHA256 != sha256.Sum256(card.Certificate[0]) || got.Subject != "CN=card" || !got.Ends.Equal(card.Leaf.NotAfter) {
		t.Errorf("ok/shown: %+v", got)
	}
}

// S-004: what a scanner sees: no older protocol, no weak cipher suite, 1.3 where
// the other side can; and a new certificate without a restart.
func TestTLS(t *testing.T) {
	s := newSecured(t)
	address := strings.TrimPrefix(s.bound["public"], "https://")
	dial := func(lowest, highest uint16) (tls.ConnectionState, error) {
		c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.servers.Pool, MinVersion: lowest, MaxVersion: highest})
		if err != nil {
			return tls.ConnectionState{}, err
		}
		defer func() { _ = c.Close() }()
		return c.ConnectionState(), nil
	}
	for _, old := range []uint16{tls.VersionTLS10, tls.VersionTLS11} {
		if _, err := dial(old, old); err == nil {
			t.Errorf("error/%s: a connection", tls.VersionName(old))
		}
	}
	state, err := dial(tls.VersionTLS12, tls.VersionTLS13)
	if err != nil || state.Version != tls.VersionTLS13 {
		t.Errorf("ok/1.3: %v %v", state.Version, err)
	}
	if state, err := dial(tls.VersionTLS12, tls.VersionTLS12); err != nil || state.Version != tls.VersionTLS12 {
		t.Errorf("ok/1.2: %v", err)
	}
	var weak []uint16
	for _, suite := range tls.InsecureCipherSuites() {
		weak = append(weak, suite.ID)
	}
	if c, err := tls.Dial("tcp", address, &tls.Config{RootCAs: s.servers.Pool, CipherSuites: weak, MaxVersion: tls.VersionTLS12}); err == nil {
		_ = c.Close()
		t.Error("error/weak suites: a connection")
	}

	before := state.PeerCertificates[0].SerialNumber
	fresh, certificate, key := s.servers.Issue("server", false)
	if state, err = dial(tls.VersionTLS12, 0); err != nil || state.PeerCertificates[0].SerialNumber.Cmp(fresh.Leaf.SerialNumber) != 0 || before.Cmp(fresh.Leaf.SerialNumber) == 0 {
		t.Errorf("ok/a new certificate: %v", err)
	}
	if err := os.WriteFile(certificate, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if state, err = dial(tls.VersionTLS12, 0); err != nil || state.PeerCertificates[0].SerialNumber.Cmp(fresh.Leaf.SerialNumber) != 0 {
		t.Errorf("ok/a broken file leaves the one before: %v", err)
	}
	if !strings.Contains(s.log.String(), "the certificate was not read again") {
		t.Error("nobody is told")
	}
	for name, broken := range map[string]TLS{
		"no file": {Certificate: "nowhere", Key: key}, "not a pair": {Certificate: certificate, Key: key},
	} {
		if _, err := broken.config(publicFace, s.Logger); err == nil {
			t.Errorf("error/%s: served", name)
		}
	}
	_, certificate, key = s.servers.Issue("server", false)
	if _, err := (TLS{Certificate: certificate, Key: key, ClientCAs: key}).config(staffFace, s.Logger); err == nil {
		t.Error("error/no authority in the file: served")
	}
	// Plain HTTP on a TLS face gets no answer of ours.
	resp, err := http.Get("http://" + address + "/")
	if err == nil {
		_ = resp.Body.Close()
		if resp.StatusCode != http.StatusBadRequest {
			t.Errorf("error/plain HTTP: %d", resp.StatusCode)
		}
	}
	var network *net.OpError
	if err != nil && !errors.As(err, &network) {
		t.Errorf("error/plain HTTP: %v", err)
	}
}
