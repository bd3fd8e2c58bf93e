package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"os"
	"slices"
	"strings"
)

// checkFree refuses addresses at which another process listens, before a first start
// makes anything that would be left behind; a later one leaves nothing new.
func (c *Config) checkFree(ctx context.Context) error {
	if there, err := os.ReadDir(c.Data); err == nil && len(there) > 0 {
		return nil
	}
	for face, address := range c.Addresses() {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if err != nil {
			return fmt.Errorf("the %s face: %w", face, err)
		}
		if err := l.Close(); err != nil {
			return err
		}
	}
	return nil
}

// checkTransport refuses lines that others may read (S-004): without TLS only
// loopback is served, and only under the TEST identity; production also knows its
// terminals, and its databases by their certificates.
func (c *Config) checkTransport() error {
	switch {
	case (c.TLSCertificate == "") != (c.TLSKey == ""):
		return errors.New("AKASHI_TLS_CERTIFICATE and AKASHI_TLS_KEY belong together")
	case c.ClientCA != "" && c.TLSCertificate == "":
		return errors.New("AKASHI_STAFF_CLIENT_CA needs AKASHI_TLS_CERTIFICATE")
	case c.Terminals != "required" && c.Terminals != "optional":
		return errors.New("AKASHI_STAFF_TERMINALS is required or optional")
	}
	if c.TLSCertificate == "" {
		for face, address := range c.Addresses() {
			if !loopback(address) {
				return fmt.Errorf("the %s face on %s needs AKASHI_TLS_CERTIFICATE and AKASHI_TLS_KEY: without TLS only loopback is served", face, address)
			}
		}
	}
	if !c.Production {
		return nil
	}
	if len(c.Addresses()) > 0 && c.TLSCertificate == "" {
		return errors.New("production needs AKASHI_TLS_CERTIFICATE and AKASHI_TLS_KEY on every face")
	}
	if c.Nodes < 1 {
		return errors.New("production needs AKASHI_NODES: how many processes with staff or jobs share the database")
	}
	if slices.Contains(c.Faces, "staff") && (c.ClientCA == "" || c.Terminals != "required") {
		return errors.New("production needs AKASHI_STAFF_CLIENT_CA with AKASHI_STAFF_TERMINALS=required: the staff face is reached from registered terminals only")
	}
	for name, u := range map[string]Secret{
		"DATABASE_URL": c.DatabaseURL, "MIGRATE_URL": c.MigrateURL, "DATABASE_URL_PUBLIC": c.DatabaseURLPublic,
		"DATABASE_URL_SIGNER": c.DatabaseURLSigner, "DATABASE_URL_JOBS": c.DatabaseURLJobs,
	} {
		if !verified(string(u)) {
			return fmt.Errorf("production needs sslmode=verify-full in %s%s", prefix, name)
		}
	}
	return nil
}

func loopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	a, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && a.IsLoopback()
}

// verified tells whether a database URL, if there is one, checks the server's
// name, or speaks over a socket of this machine.
func verified(text string) bool {
	if text == "" {
		return true
	}
	u, err := url.Parse(text)
	if err != nil || !strings.HasPrefix(u.Scheme, "postgres") {
		return false
	}
	socket := u.Host == "" && strings.HasPrefix(u.Query().Get("host"), "/")
	return socket || slices.Equal(u.Query()["sslmode"], []string{"verify-full"})
}
