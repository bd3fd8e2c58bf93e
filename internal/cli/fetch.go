package cli

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"os"
	"time"
)

// fetchTime is what a slow host may take for one file.
const fetchTime = time.Minute

// fetcher gets files from addresses that an operator gave on the command line, and from nowhere
// else: it follows no redirect, and nothing gives it an address out of what was got (S-006).
type fetcher struct{ client *http.Client }

// newFetcher trusts the authorities of a file (PEM), or those of the system where it is empty.
func newFetcher(ca string) (*fetcher, error) {
	settings := &tls.Config{MinVersion: tls.VersionTLS12}
	if ca != "" {
		text, err := os.ReadFile(ca)
		if err != nil {
			return nil, err
		}
		settings.RootCAs = x509.NewCertPool()
		if !settings.RootCAs.AppendCertsFromPEM(text) {
			return nil, errors.New("--ca holds no certificate")
		}
	}
	return &fetcher{&http.Client{
		Timeout: fetchTime, Transport: &http.Transport{TLSClientConfig: settings, MaxResponseHeaderBytes: 64 << 10},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}}, nil
}

// addressOf reads the address that an operator gave.
func addressOf(text string) (*url.URL, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.User != nil || u.Fragment != "" || u.Scheme != "https" && (u.Scheme != "http" || !onThisMachine(u.Hostname())) {
		return nil, errors.New("an https:// address is needed, or http:// on this machine")
	}
	return u, nil
}

func onThisMachine(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// get returns the whole of a file of at most so many bytes; with an error, what came of it.
func (f *fetcher) get(ctx context.Context, address string, header http.Header, most int) (body []byte, answered http.Header, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
	if err != nil {
		return nil, nil, errors.New("not an address")
	}
	request.Header = header
	answer, err := f.client.Do(request)
	if failure := (*url.Error)(nil); errors.As(err, &failure) {
		err = failure.Err // the caller names the address
	}
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err = io.ReadAll(io.LimitReader(answer.Body, int64(most)+1))
	switch location := answer.Header.Get("Location"); {
	case err != nil:
	case len(body) > most:
		err = fmt.Errorf("more than %d MB", most>>20)
	case answer.StatusCode/100 == 3 && location != "":
		err = fmt.Errorf("status %d: it leads to %.200q, and no redirect is followed", answer.StatusCode, location)
	case answer.StatusCode != http.StatusOK:
		err = fmt.Errorf("status %d", answer.StatusCode)
	}
	return body, answer.Header, err
}
