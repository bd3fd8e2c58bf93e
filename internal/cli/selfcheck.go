package cli

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"net/http"
	"net/url"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/signing"
	"akashi/signing/pki"
)

// Limits of a self-check: bytes of all files, and files.
const (
	maxFetched = 72 << 20
	maxFetches = 500
)

// soon is how long before its end a certificate or list is warned of.
const soon = 30 * 24 * time.Hour

func selfCheckCommand() *cobra.Command {
	var ca, at, logKey string
	cmd := &cobra.Command{
		Use:   "selfcheck URL [FILE…]",
		Short: "Check as an outsider what a public face publishes, and fresh certificates with it",
		Long: "Fetch the published files of a public face as a stranger does, and check keys, lists, certificates, their ages and whether they belong together.\n" +
			"FILE is a fresh certificate, best one of each family: with what was fetched it has to be valid. Nothing is fetched from elsewhere, and no redirect followed.\n" +
			"Exit status: 0 all is well, 1 something is wrong, 64 usage. Warnings do not count.",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return usageError{errors.New("selfcheck needs the URL of a public face")}
			}
			now := time.Now().UTC()
			if at != "" {
				var err error
				if now, err = time.Parse(time.RFC3339, at); err != nil {
					return usageError{errors.New("--at takes a time such as 2026-11-21T09:00:00Z")}
				}
			}
			s, err := newSelfCheck(cmd.Context(), args[0], ca, now, cmd.OutOrStdout())
			if err != nil {
				return usageError{err}
			}
			if logKey != "" {
				text, err := os.ReadFile(logKey)
				if err != nil {
					return usageError{err}
				}
				s.logKey = strings.TrimSpace(string(text))
			}
			if !s.run(args[1:], cmd.InOrStdin()) {
				return ExitError{1}
			}
			return nil
		},
	}
	cmd.Flags().StringVar(&ca, "ca", "", "authority of the server's certificate, PEM; those of the system where it is not given")
	cmd.Flags().StringVar(&logKey, "log-key", "", "public key of the issuance log (keys/issuance-log.pub of the service): checks the log, and that FILE is in it")
	cmd.Flags().StringVar(&at, "at", "", "time of checking, RFC 3339; default now")
	return cmd
}

// selfCheck looks at one public face.
type selfCheck struct {
	ctx     context.Context
	base    string
	fetcher *fetcher
	now     time.Time
	out     io.Writer
	logKey  string // public key of the issuance log; empty: it is not checked
	failed  bool
	fetches int
	fetched int
}

func newSelfCheck(ctx context.Context, base, ca string, now time.Time, out io.Writer) (*selfCheck, error) {
	u, err := addressOf(base)
	if err == nil && u.RawQuery != "" {
		err = errors.New("an address without a query is needed")
	}
	if err != nil {
		return nil, err
	}
	f, err := newFetcher(ca)
	if err != nil {
		return nil, err
	}
	return &selfCheck{ctx: ctx, base: strings.TrimSuffix(base, "/"), fetcher: f, now: now, out: out}, nil
}

func (s *selfCheck) say(mark, what, format string, args ...any) {
	_, _ = fmt.Fprintf(s.out, "%-4s %-12s %s\n", mark, what, clean1(fmt.Sprintf(format, args...)))
}

func (s *selfCheck) ok(what, format string, args ...any)   { s.say("ok", what, format, args...) }
func (s *selfCheck) warn(what, format string, args ...any) { s.say("warn", what, format, args...) }
func (s *selfCheck) fail(what, format string, args ...any) {
	s.failed = true
	s.say("FAIL", what, format, args...)
}

// run makes all checks and tells whether all is well.
func (s *selfCheck) run(files []string, in io.Reader) bool {
	b, ok := s.directory()
	if !ok {
		return false
	}
	for _, iss := range b.Issuers() {
		s.keys(b, iss)
	}
	s.certificates(b)
	s.healthSigners(b)
	s.statusList(b)
	s.withdrawn()
	b = s.issuanceLog(b)
	for _, name := range files {
		content, err := readInput(name, in)
		if err != nil {
			s.fail("certificate", "%v", err)
			continue
		}
		for _, v := range verify.File(filepath.Base(name), content, b, s.now) {
			s.verdict(filepath.Base(name), v)
		}
	}
	return !s.failed
}

// fetch gets a path of the face, as a page of another site would.
func (s *selfCheck) fetch(what, at string) ([]byte, bool) {
	if s.fetches++; s.fetches > maxFetches {
		s.fail(what, "more than %d files", maxFetches)
		return nil, false
	}
	body, header, err := s.fetcher.get(s.ctx, s.base+at, http.Header{"Origin": {"https://selfcheck.invalid"}}, maxFetched-s.fetched)
	s.fetched += len(body)
	switch {
	case s.fetched > maxFetched:
		s.fail(what, "%s: more than %d MB in all", at, maxFetched>>20)
	case err != nil:
		s.fail(what, "%s: %v", at, err)
	default:
		if allowed := header.Get("Access-Control-Allow-Origin"); allowed != "*" && allowed != "https://selfcheck.invalid" {
			s.fail(what, "%s: other sites may not read it (CORS)", at)
		}
		if c := header.Get("Cache-Control"); c == "" || strings.Contains(c, "no-store") {
			s.warn(what, "%s: caches may not keep it", at)
		}
		return body, true
	}
	return nil, false
}

const trustPath = "/api/v1/trust/"

// directory fetches the trust directory and reads it as verifiers do.
func (s *selfCheck) directory() (*trust.Bundle, bool) {
	text, ok := s.fetch("directory", trustPath+"manifest.json")
	if !ok {
		return nil, false
	}
	names, err := trust.FileNames(text)
	if err != nil {
		s.fail("directory", "%v", err)
		return nil, false
	}
	files := fetched{"manifest.json": text}
	for _, name := range names {
		if path.Clean("/"+name) != "/"+name || strings.ContainsAny(name, "?#%\\") {
			s.fail("directory", "a file's name is not allowed")
			continue
		}
		if content, ok := s.fetch("directory", trustPath+name); ok {
			files[name] = content
		}
	}
	b, report, err := trust.Load(files)
	if err != nil {
		s.fail("directory", "%v", err)
		return nil, false
	}
	for _, p := range report {
		s.fail("directory", "%s: %s", p.Source, p.Code)
	}
	if age := s.now.Sub(b.MadeAt()); age > verify.MaxTrustAge || age < -verify.ClockSkew {
		s.fail("directory", "made at %s, %s ago", b.MadeAt().Format(time.RFC3339), age.Truncate(time.Minute))
	} else {
		s.ok("directory", "%d files, made at %s", len(files), b.MadeAt().Format(time.RFC3339))
	}
	return b, true
}

// keys compares the key set and the revocation lists at their places in the
// specification with those of the directory.
func (s *selfCheck) keys(b *trust.Bundle, iss string) {
	text, ok := s.fetch("keys", "/.well-known/jwks.json")
	if !ok {
		return
	}
	keys, problems, err := signing.ParseJWKS(text)
	if err != nil {
		s.fail("keys", "%v", err)
		return
	}
	for _, p := range problems {
		s.fail("keys", "%s", p)
	}
	for _, k := range keys {
		if len(k.Chain) > 0 && !k.NamesIssuer(iss) {
			s.fail("keys", "%s: its certificate does not name %s", k.ID, iss)
		}
		if known, ok := b.Key(iss, k.ID); !ok || known.ListVersion > k.ListVersion+1 {
			s.fail("keys", "%s: not as in the directory", k.ID)
		}
		s.cardList(iss, k)
	}
	var set struct{ Keys []json.RawMessage }
	_ = json.Unmarshal(b.JWKS(iss), &set)
	if len(set.Keys) != len(keys) {
		s.fail("keys", "%d keys, %d in the directory", len(keys), len(set.Keys))
	}
	s.ok("keys", "%s: %d keys", iss, len(keys))
}

func (s *selfCheck) cardList(iss string, k signing.PublicJWK) {
	if k.ListVersion == 0 {
		s.warn("card list", "%s: no list is promised", k.ID)
		return
	}
	text, ok := s.fetch("card list", "/.well-known/crl/"+url.PathEscape(k.ID)+".json")
	if !ok {
		return
	}
	l, err := trust.ParseCardList(text)
	switch {
	case err != nil:
		s.fail("card list", "%s: %v", k.ID, err)
	case l.KeyID != k.ID:
		s.fail("card list", "%s: it is of another key", k.ID)
	case l.Counter < k.ListVersion:
		s.fail("card list", "%s: ctr %d is older than crlVersion %d", k.ID, l.Counter, k.ListVersion)
	case l.Counter > k.ListVersion:
		s.warn("card list", "%s: ctr %d, the keys in a cache still say %d", k.ID, l.Counter, k.ListVersion)
	default:
		s.ok("card list", "%s: ctr %d, %d cards", k.ID, l.Counter, l.Len())
	}
}

// certificates checks the signers of bar codes, their authorities and the lists of these.
func (s *selfCheck) certificates(b *trust.Bundle) {
	for _, c := range b.Signers() {
		name := fmt.Sprintf("%X", c.Serial)
		s.period(name, c)
		authority, err := b.FindAuthority(c, s.now)
		if err != nil {
			s.fail("signer", "%s: no authority of the directory made it", name)
			continue
		}
		s.period("authority of "+name, authority)
		lists := b.CRLs(authority)
		switch {
		case len(lists) == 0:
			s.fail("signer", "%s: its authority has no revocation list", name)
		case !lists[0].Current(s.now):
			s.fail("signer", "%s: the revocation list of its authority was due by %s", name, lists[0].NextUpdate.Format(time.RFC3339))
		case lists[0].Lists(c.Serial):
			s.warn("signer", "%s: revoked", name)
		default:
			s.ok("signer", "%s: not revoked; next list by %s", name, lists[0].NextUpdate.Format(time.RFC3339))
		}
	}
}

// healthSigners checks the signers of HC1 codes: to be on the list is what makes them valid.
func (s *selfCheck) healthSigners(b *trust.Bundle) {
	for _, signer := range b.AllHealthSigners() {
		name := signer.Participant + " " + base64.StdEncoding.EncodeToString(signer.KeyID)
		if c := signer.Certificate; c != nil {
			s.period(name, c)
		}
		s.ok("signer", "%s: of HC1 codes, listed", name)
	}
}

func (s *selfCheck) period(name string, c *pki.Certificate) {
	switch {
	case !c.Valid(s.now):
		s.warn("certificate", "%s: in force from %s to %s", name, c.NotBefore.Format(time.DateOnly), c.NotAfter.Format(time.DateOnly))
	case !c.Valid(s.now.Add(soon)):
		s.warn("certificate", "%s: ends on %s", name, c.NotAfter.Format(time.DateOnly))
	}
}

// statusList checks that there is a status list of every key, and its age.
func (s *selfCheck) statusList(b *trust.Bundle) {
	lists := map[string]*trust.StatusList{}
	var without []string
	for _, id := range b.KeyIDs() {
		if l := b.Status(id); l != nil && l.Marks != nil {
			lists[l.Head] = l
		} else {
			without = append(without, id)
		}
	}
	for _, id := range without {
		s.fail("status list", "key %s: none", id)
	}
	for _, head := range slices.Sorted(maps.Keys(lists)) {
		l := lists[head]
		age := s.now.Sub(l.MadeAt)
		limit, _ := verify.MaxAge(trust.KindStatus, s.now)
		line := fmt.Sprintf("version %d, made at %s, %s ago, %d bytes", l.Version, l.MadeAt.Format(time.RFC3339), max(age, 0).Truncate(time.Minute), len(l.Marks))
		switch {
		case age > limit || age < -verify.ClockSkew:
			s.fail("status list", "%s", line)
		case age > 2*time.Hour:
			s.warn("status list", "%s: it is made anew each hour", line)
		default:
			s.ok("status list", "%s", line)
		}
	}
}

func (s *selfCheck) verdict(name string, v verify.Verdict) {
	if v.Outcome == verify.Valid {
		s.ok("certificate", "%s: %s valid", name, v.Family)
		return
	}
	var why bytes.Buffer
	for _, f := range v.Facets {
		if f.Result == verify.Failed || f.Result == verify.Unknown && f.Code != verify.NotChecked {
			fmt.Fprintf(&why, " %s=%s", f.Name, f.Code)
		}
	}
	s.fail("certificate", "%s: %s %s:%s", name, v.Family, v.Outcome, why.String())
}

// fetched are files of a directory in memory, by path.
type fetched map[string][]byte

// Open implements fs.FS; what it opens can be read, and nothing else.
func (f fetched) Open(name string) (fs.File, error) {
	content, ok := f[name]
	if !ok {
		return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
	}
	return fetchedFile{bytes.NewReader(content)}, nil
}

type fetchedFile struct{ *bytes.Reader }

func (fetchedFile) Stat() (fs.FileInfo, error) { return nil, errors.ErrUnsupported }
func (fetchedFile) Close() error               { return nil }
