package torture

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// officeCode is the invented office of a first start.
const officeCode = "900001"

// sign is how a request shows who sends it.
type sign func(*http.Request)

// staff is the two people of the invented office.
type staff struct {
	clerk, officer sign
	// again signs the officer in once more at a staff face: what takes a step-up can
	// be done for five minutes only (S-018). Nil where nobody signs in.
	again func(staffFace string)
}

// origin is what the software passkeys of these tests are bound to, on whatever
// port a node listens.
const origin = "http://localhost:8080"

// signIn is the one place that knows how people sign in: two officers, with the
// command that newcomers use.
func signIn(t *testing.T, n *node) staff {
	t.Helper()
	clerk, officer := session(t, n, officeCode+"-officer1"), session(t, n, officeCode+"-officer2")
	return staff{clerk.sign, officer.sign, officer.again}
}

// signedIn is somebody with a session.
type signedIn struct {
	node   *node
	user   string
	dir    string
	cookie atomic.Pointer[string]
	busy   sync.Mutex
}

func (s *signedIn) sign(r *http.Request) { withSession(*s.cookie.Load())(r) }

// again is done by one at a time and may fail while the service is hurt.
func (s *signedIn) again(staffFace string) {
	if s.busy.TryLock() {
		defer s.busy.Unlock()
		_ = s.enter(staffFace, "--user", s.user)
	}
}

func (s *signedIn) enter(staffFace string, args ...string) error {
	jar := filepath.Join(s.dir, "jar")
	out, status, err := s.node.command(append([]string{"sign-in", "--url", staffFace, "--origin", origin, "--jar", jar}, args...)...)
	if err != nil || status != 0 {
		return fmt.Errorf("sign-in: %w %s", err, out)
	}
	text, err := os.ReadFile(jar)
	if err != nil {
		return err
	}
	cookie := regexp.MustCompile(`__Host-akashi\t(\S+)`).FindSubmatch(text)
	if cookie == nil {
		return errors.New("no session in the jar")
	}
	value := string(cookie[1])
	s.cookie.Store(&value)
	return nil
}

// session signs somebody in, who follows the set-up link the first time.
func session(t *testing.T, n *node, user string) *signedIn {
	t.Helper()
	s := &signedIn{node: n, user: user, dir: t.TempDir()}
	args := []string{"--user", user}
	if _, err := os.Stat(filepath.Join(n.data, "test-passkeys", user+".json")); err != nil {
		args = []string{"--setup", links(t, n)[user]}
	}
	if err := s.enter(n.faces["staff"], args...); err != nil {
		t.Fatal(err)
	}
	return s
}

// links are the set-up links of a first start, by user id.
func links(t *testing.T, n *node) (list map[string]string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(n.data, "test-setup-links.json"))
	if err == nil {
		err = json.Unmarshal(text, &list)
	}
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func withSession(cookie string) sign {
	return func(r *http.Request) { r.Header.Set("Cookie", "__Host-akashi="+cookie) }
}

// reply is an answer that was read to its end.
type reply struct {
	status int
	header http.Header
	body   []byte
}

func (r reply) ok() bool { return r.status/100 == 2 }

func (r reply) get(name string) string {
	var m map[string]any
	_ = json.Unmarshal(r.body, &m)
	s, _ := m[name].(string)
	return s
}

var client = &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 512, IdleConnTimeout: 5 * time.Second}}

// ask sends a request; an error is no answer, whatever the reason.
func ask(ctx context.Context, by sign, method, url, media string, body []byte) (reply, error) {
	r, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return reply{}, err
	}
	if by != nil {
		by(r)
	}
	if media != "" {
		r.Header.Set("Content-Type", media)
	}
	a, err := client.Do(r)
	if err != nil {
		return reply{}, err
	}
	defer func() { _ = a.Body.Close() }()
	whole, err := io.ReadAll(a.Body)
	return reply{a.StatusCode, a.Header, whole}, err
}

// must is ask for requests that have to succeed.
func must(t *testing.T, by sign, method, url, media string, body []byte) reply {
	t.Helper()
	r, err := ask(t.Context(), by, method, url, media, body)
	if err != nil || !r.ok() {
		t.Fatalf("%s %s: %d %v %.300s", method, url, r.status, err, r.body)
	}
	return r
}

// bring puts people and their doses into the register, by two people.
func bring(t *testing.T, api string, who staff, people []person) {
	t.Helper()
	bringFiles(t, api, who, subjectsFile(people), recordsFile(people))
}

func bringFiles(t *testing.T, api string, who staff, subjects, records []byte) {
	t.Helper()
	for kind, file := range map[string][]byte{"subjects": subjects, "records": records} {
		staged := must(t, who.clerk, "POST", api+"/imports/"+kind, "text/csv", file)
		must(t, who.officer, "POST", api+"/imports/"+staged.get("id")+"/commit", "", nil)
	}
}

var errNotApproved = errors.New("not approved")

// apply takes an application of a person up to approval.
func apply(ctx context.Context, api string, by sign, p person, travel bool) (id string, err error) {
	r, err := ask(ctx, by, "POST", api+"/applications", "application/json", p.application(travel))
	if err != nil || !r.ok() {
		return "", errors.Join(err, r.problem())
	}
	id = r.get("id")
	r, err = ask(ctx, by, "POST", api+"/applications/"+id+"/submit", "", nil)
	if err != nil || !r.ok() {
		return id, errors.Join(err, r.problem())
	}
	if r.get("state") != "approved" {
		return id, fmt.Errorf("%w: %s", errNotApproved, r.body)
	}
	return id, nil
}

// refused is an answer that says no.
type refused struct {
	status int
	code   string
	body   string
}

func (r refused) Error() string { return fmt.Sprintf("%d %s", r.status, r.code) }

func (r reply) problem() error {
	if r.status == 0 || r.ok() {
		return nil
	}
	return refused{r.status, r.get("code"), string(r.body)}
}
