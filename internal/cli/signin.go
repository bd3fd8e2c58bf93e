package cli

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/internal/idgen"
	"akashi/internal/softkey"
)

// identity is what sign-in keeps of an account: password and passkey of somebody
// who does not exist.
type identity struct {
	Test     string       `json:"TEST"` // a warning to who opens the file
	User     string       `json:"user"`
	Password string       `json:"password"`
	Passkey  *softkey.Key `json:"passkey"`
}

const identityWarning = "software passkey of the TEST identity; it protects nothing"

func signInCommand(parts Adapters) *cobra.Command {
	var base, origin, link, user, jar string
	var line secureLine
	cmd := &cobra.Command{
		Use:   "sign-in --url URL (--setup LINK | --user ID) --jar FILE",
		Short: "Sign in without a browser, under the TEST identity only, and write a cookie jar for curl -b", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if jar == "" || (link == "") == (user == "") {
				return usageError{errors.New("sign-in needs --jar FILE and either --setup LINK or --user ID")}
			}
			c, err := LoadConfig(parts.Environ)
			if err != nil {
				return usageError{err}
			}
			if c.Production {
				return errors.New("a passkey in a file is for the TEST identity only: sign in with a browser")
			}
			if base == "" {
				base = c.StaffOrigin
			}
			base = strings.TrimSuffix(base, "/")
			if origin == "" {
				origin = base
			}
			visitor, err := line.visitor()
			if err != nil {
				return usageError{err}
			}
			s := signer{ctx: cmd.Context(), out: cmd.OutOrStdout(), visitor: visitor, base: base, origin: origin, dir: filepath.Join(c.Data, "test-passkeys")}
			if err := s.run(link, user, jar); err != nil {
				return err
			}
			_, err = fmt.Fprintf(cmd.OutOrStdout(), "signed in as %s; use curl -b %s\n", s.who.User, jar)
			return err
		},
	}
	cmd.Flags().StringVar(&base, "url", "", "where the staff face is; AKASHI_STAFF_ORIGIN where it is not given")
	cmd.Flags().StringVar(&origin, "origin", "", "what the passkey is bound to, where the staff face is reached at another address than --url")
	cmd.Flags().StringVar(&link, "setup", "", "a set-up link to follow first: it sets a random password and a software passkey")
	cmd.Flags().StringVar(&user, "user", "", "user id of an account that --setup has set up before")
	cmd.Flags().StringVar(&line.ca, "ca", "", "authority of the server's certificate, PEM; those of the system where it is not given")
	cmd.Flags().StringVar(&line.certificate, "certificate", "", "client certificate of a registered terminal, PEM")
	cmd.Flags().StringVar(&line.key, "key", "", "its private key, PEM")
	cmd.Flags().StringVar(&jar, "jar", "", "file for the session's cookie, mode 0600")
	return cmd
}

// secureLine is the files of a connection over TLS; without any, the system's
// authorities count and no certificate is shown.
type secureLine struct{ ca, certificate, key string }

// visitor goes to the service that it is told, and is not sent anywhere else (S-006).
func (l secureLine) visitor() (*http.Client, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12}
	if l.ca != "" {
		text, err := os.ReadFile(l.ca)
		if err != nil {
			return nil, err
		}
		if c.RootCAs = x509.NewCertPool(); !c.RootCAs.AppendCertsFromPEM(text) {
			return nil, fmt.Errorf("%s holds no certificate", filepath.Base(l.ca))
		}
	}
	if l.certificate+l.key != "" {
		pair, err := tls.LoadX509KeyPair(l.certificate, l.key)
		if err != nil {
			return nil, err
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return &http.Client{
		Timeout:       time.Minute,
		Transport:     &http.Transport{TLSClientConfig: c, ForceAttemptHTTP2: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, nil
}

// signer does over HTTP what the pages do in a browser.
type signer struct {
	ctx     context.Context
	visitor *http.Client
	base    string
	origin  string
	dir     string
	out     io.Writer
	who     identity
	cookies []*http.Cookie
}

func (s *signer) run(link, user, jar string) error {
	var err error
	if link != "" {
		err = s.setUp(link[strings.LastIndexByte(link, '#')+1:])
	} else {
		err = s.load(user)
	}
	if err != nil {
		return err
	}
	if err := s.signIn(); err != nil {
		return err
	}
	// The counter of the passkey has risen.
	return errors.Join(s.save(), s.writeJar(jar))
}

// question is what the service answers to a first step.
type question struct {
	User      string          `json:"user"`
	Challenge string          `json:"challenge"`
	PublicKey json.RawMessage `json:"public_key"`
	Reminder  struct {
		Version, JA, EN string
	} `json:"reminder"`
}

func (s *signer) setUp(link string) error {
	var q question
	if err := s.post("/api/v1/setup/challenge", map[string]any{"link": link}, &q); err != nil {
		return err
	}
	key, err := softkey.New()
	if err != nil {
		return err
	}
	s.who = identity{identityWarning, q.User, idgen.Gen{}.Token(24), key}
	credential, err := key.Create(s.origin, q.PublicKey)
	if err != nil {
		return err
	}
	if err := s.save(); err != nil { // before the link is used up
		return err
	}
	return s.post("/api/v1/setup", map[string]any{
		"link": link, "password": s.who.Password, "challenge": q.Challenge, "credential": credential, "label": "akashi sign-in",
	}, nil)
}

func (s *signer) signIn() error {
	var q question
	if err := s.post("/api/v1/session", map[string]any{"user": s.who.User, "password": s.who.Password}, &q); err != nil {
		return err
	}
	credential, err := s.who.Passkey.Get(s.origin, q.PublicKey)
	if err != nil {
		return err
	}
	if q.Reminder.Version != "" {
		_, _ = fmt.Fprintf(s.out, "%s\n%s\n", q.Reminder.JA, q.Reminder.EN)
	}
	return s.post("/api/v1/session/passkey", map[string]any{"challenge": q.Challenge, "credential": credential, "reminder": q.Reminder.Version}, nil)
}

// post calls a route; a problem becomes an error in the service's words.
func (s *signer) post(path string, body, into any) error {
	text, err := json.Marshal(body)
	if err != nil {
		return err
	}
	r, err := http.NewRequestWithContext(s.ctx, http.MethodPost, s.base+path, bytes.NewReader(text))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/json")
	answer, err := s.visitor.Do(r)
	if err != nil {
		return err
	}
	defer func() { _ = answer.Body.Close() }()
	if text, err = io.ReadAll(io.LimitReader(answer.Body, 1<<20)); err != nil {
		return err
	}
	if answer.StatusCode/100 != 2 {
		var p struct{ Code, EN string }
		_ = json.Unmarshal(text, &p) // what is no problem has an empty one
		return fmt.Errorf("%s: %s %s", answer.Status, p.Code, p.EN)
	}
	s.cookies = append(s.cookies, answer.Cookies()...)
	if into == nil {
		return nil
	}
	return json.Unmarshal(text, into)
}

func (s *signer) path(user string) string {
	return filepath.Join(s.dir, filepath.Base(user)+".json")
}

func (s *signer) load(user string) error {
	text, err := os.ReadFile(s.path(user))
	if err != nil {
		return fmt.Errorf("no software passkey of %s: follow its set-up link with --setup first: %w", user, err)
	}
	return json.Unmarshal(text, &s.who)
}

func (s *signer) save() error {
	text, err := json.MarshalIndent(s.who, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(s.dir, 0o700); err != nil {
		return err
	}
	return writePrivate(s.path(s.who.User), append(text, '\n'))
}

// writeJar writes the cookies as curl reads them: the format of Netscape.
func (s *signer) writeJar(path string) error {
	u, err := url.Parse(s.base)
	if err != nil {
		return err
	}
	var b strings.Builder
	b.WriteString("# Netscape HTTP Cookie File\n")
	for _, c := range s.cookies {
		fmt.Fprintf(&b, "#HttpOnly_%s\tFALSE\t/\tTRUE\t0\t%s\t%s\n", u.Hostname(), c.Name, c.Value)
	}
	return writePrivate(path, []byte(b.String()))
}

// writePrivate replaces a file that only its owner may read.
func writePrivate(path string, text []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".akashi-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	_, err = tmp.Write(text)
	if err := errors.Join(err, tmp.Close()); err != nil {
		return err
	}
	return os.Rename(tmp.Name(), path)
}
