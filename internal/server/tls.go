package server

import (
	"context"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"
)

// TLS says with which certificate the faces show themselves (S-004). Files are
// PEM and are read again when they change; a pair that does not fit leaves the one
// before in use.
type TLS struct {
	Certificate, Key string // chain and private key
	ClientCAs        string // authorities of client certificates on the staff face; empty: none is asked for
	Required         bool   // the staff face takes only connections with such a certificate
}

// on tells whether there is a certificate.
func (t TLS) on() bool { return t.Certificate != "" }

func (t TLS) scheme() string {
	if t.on() {
		return "https"
	}
	return "http"
}

// config returns the settings of a face: TLS 1.2 or later, with Go's choice of
// cipher suites.
func (t TLS) config(f face, logger *slog.Logger) (*tls.Config, error) {
	clients := ""
	if f == staffFace {
		clients = t.ClientCAs
	}
	w := &watched{files: []string{t.Certificate, t.Key, clients}, load: func() (*tls.Config, error) { return t.load(clients) }, logger: logger}
	if _, err := w.current(); err != nil {
		return nil, err
	}
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		GetConfigForClient: func(*tls.ClientHelloInfo) (*tls.Config, error) { return w.current() },
	}, nil
}

func (t TLS) load(clients string) (*tls.Config, error) {
	pair, err := tls.LoadX509KeyPair(t.Certificate, t.Key)
	if err != nil {
		return nil, fmt.Errorf("server: certificate: %w", err)
	}
	c := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{pair}, NextProtos: []string{"h2", "http/1.1"}}
	if clients == "" {
		return c, nil
	}
	text, err := os.ReadFile(clients)
	if err != nil {
		return nil, err
	}
	c.ClientCAs = x509.NewCertPool()
	if !c.ClientCAs.AppendCertsFromPEM(text) {
		return nil, errors.New("server: no authority of client certificates in the file")
	}
	c.ClientAuth = tls.VerifyClientCertIfGiven
	if t.Required {
		c.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return c, nil
}

// watched is a configuration made from files, and made again when one changes.
// The same value is given until then, so that sessions can be resumed; a new
// one has new ticket keys, so that none outlives its authority.
type watched struct {
	files  []string
	load   func() (*tls.Config, error)
	logger *slog.Logger

	mu     sync.Mutex
	seen   string
	loaded *tls.Config
}

func (w *watched) current() (*tls.Config, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	seen := ""
	for _, f := range w.files {
		if info, err := os.Stat(f); err == nil {
			seen += fmt.Sprint(info.Size(), info.ModTime().UnixNano(), ";")
		}
	}
	if w.loaded != nil && seen == w.seen {
		return w.loaded, nil
	}
	c, err := w.load()
	switch {
	case err == nil:
		w.seen, w.loaded = seen, c
	case w.loaded != nil: // a change may be half done
		w.logger.Warn("the certificate was not read again", "cause", err.Error())
	default:
		return nil, err
	}
	return w.loaded, nil
}

// ClientCertificate is what the other side of a connection has proved to hold.
// Its chain leads to an authority of the configuration; whether it is a terminal's
// or a person's is for others to say.
type ClientCertificate struct {
	SHA256  [sha256.Size]byte // of the leaf as DER
	Subject string            // distinguished name, RFC 2253; may name a person: not for logs
	Ends    time.Time
}

type clientKey struct{}

// clientOf returns the verified client certificate of the request's connection.
func clientOf(ctx context.Context) (ClientCertificate, bool) {
	c, ok := ctx.Value(clientKey{}).(ClientCertificate)
	return c, ok
}

// withClient puts the verified client certificate of a connection into the context.
func withClient(ctx context.Context, state *tls.ConnectionState) context.Context {
	if state == nil || len(state.VerifiedChains) == 0 {
		return ctx
	}
	leaf := state.VerifiedChains[0][0]
	return context.WithValue(ctx, clientKey{}, ClientCertificate{sha256.Sum256(leaf.Raw), leaf.Subject.String(), leaf.NotAfter})
}
