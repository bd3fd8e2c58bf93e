package server

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/audit"
	"akashi/internal/office"
	"akashi/internal/softkey"
	"akashi/internal/testkit/world"
)

// ticking is a fixture whose accounts and sessions go by a clock that is moved.
type ticking struct {
	*fixture
	now time.Time
}

func newTicking(t *testing.T) *ticking {
	t.Helper()
	k := &ticking{now: time.Now().UTC().Truncate(time.Second)}
	clock := func() time.Time { return k.now }
	k.fixture = newFixture(t, func(s *Services) {
		s.Clock, s.Accounts.Clock, s.Accounts.Sessions.Clock = clock, clock, clock
	})
	return k
}

func (k *ticking) pass(d time.Duration) { k.now = k.now.Add(d) }

// newcomer is a person with a software passkey who goes the way of the pages.
type newcomer struct {
	f              *fixture
	user, password string
	key            *softkey.Key
	origin         string
	terminal       string // cookie of a known terminal
	session        string
	at             http.Handler // the face as the machine reaches it; nil: as any
}

const goodPassword = "とても長い合言葉は安全な鍵" + " 42"

// newcomer makes an account by an act, as an approved request does, and returns
// its owner and the set-up link.
func (f *fixture) newcomer(t *testing.T, name string, role office.Role) (*newcomer, string) {
	t.Helper()
	var link string
	user := f.Clerk.Office + "-" + name
	f.Act(t, f.Clerk.Office, func(ctx context.Context) (err error) {
		_, link, err = f.World.Accounts.Make(ctx, office.Staff{
			Office: f.Clerk.Office, User: user, Name: "新人 某", Unit: "健康推進課", Role: role, Ends: f.World.Accounts.Clock.Now().AddDate(1, 0, 0),
		})
		return err
	})
	key, err := softkey.New()
	if err != nil {
		t.Fatal(err)
	}
	return &newcomer{f: f, user: user, password: goodPassword, key: key, origin: world.Origin}, link
}

// post sends JSON and keeps the cookies that come back.
func (n *newcomer) post(path string, body map[string]any, headers ...string) reply {
	b, _ := json.Marshal(body)
	for name, v := range map[string]string{sessionCookie: n.session, terminalCookie: n.terminal} {
		if v != "" {
			headers = append(headers, "Cookie: "+name+"="+v)
		}
	}
	face := n.at
	if face == nil {
		face = n.f.Staff()
	}
	r := ask(face, "", "POST", prefix+path, "application/json", b, headers...)
	n.f.note(staffFace, "POST", prefix+path, r)
	for _, c := range r.cookies() {
		switch c.Name {
		case sessionCookie:
			n.session = c.Value
		case terminalCookie:
			n.terminal = c.Value
		}
	}
	return r
}

func (r reply) cookies() []*http.Cookie { return (&http.Response{Header: r.header}).Cookies() }

func (r reply) question(t *testing.T) (challenge string, options []byte) {
	t.Helper()
	var q struct {
		Challenge string
		PublicKey json.RawMessage `json:"public_key"`
	}
	if err := json.Unmarshal(r.body, &q); err != nil || q.Challenge == "" {
		t.Fatalf("no question: %d %s", r.status, r.body)
	}
	return q.Challenge, q.PublicKey
}

func (n *newcomer) setUp(t *testing.T, link string) reply {
	t.Helper()
	challenge, options := n.post("/setup/challenge", map[string]any{"link": link}).question(t)
	return n.post("/setup", map[string]any{"link": link, "password": n.password, "challenge": challenge, "credential": n.create(t, options), "label": "試験"})
}

func (n *newcomer) create(t *testing.T, options []byte) json.RawMessage {
	t.Helper()
	c, err := n.key.Create(n.origin, options)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func (n *newcomer) answer(t *testing.T, path string, question reply) reply {
	t.Helper()
	challenge, options := question.question(t)
	c, err := n.key.Get(n.origin, options)
	if err != nil {
		t.Fatal(err)
	}
	return n.post(path, map[string]any{"challenge": challenge, "credential": c, "reminder": question.reminder()})
}

// reminder is the version of the reminder that comes with a question, if one does.
func (r reply) reminder() string {
	var q struct{ Reminder struct{ Version string } }
	_ = json.Unmarshal(r.body, &q)
	return q.Reminder.Version
}

func (n *newcomer) password1(password string) reply {
	return n.post("/session", map[string]any{"user": n.user, "password": password})
}

func (n *newcomer) signIn(t *testing.T) reply {
	t.Helper()
	return n.answer(t, "/session/passkey", n.password1(n.password))
}

// member is a newcomer who has set up the account and signed in.
func (f *fixture) member(t *testing.T, name string, role office.Role) *newcomer {
	t.Helper()
	n, link := f.newcomer(t, name, role)
	f.want(t, n.setUp(t, link), 201, "")
	f.want(t, n.signIn(t), 200, "")
	return n
}

// testSignIn meets every route of this part, once well and once refused.
func (f *fixture) testSignIn(t *testing.T) {
	n, link := f.newcomer(t, "hanako", office.Officer)
	bad := map[string]any{"challenge": "x", "credential": map[string]any{}}
	f.want(t, n.post("/setup/challenge", map[string]any{"link": "x"}), 403, "setup_link")
	// A password is refused before there is a passkey that would belong to nothing.
	f.want(t, n.post("/setup/challenge", map[string]any{"link": link, "password": "short"}), 400, "password_short")
	n.post("/setup/challenge", map[string]any{"link": link, "password": n.password}).question(t)
	short := n.password
	n.password = "short"
	f.want(t, n.setUp(t, link), 400, "password_short")
	n.password = short
	f.want(t, n.setUp(t, link), 201, "")
	f.want(t, n.password1("wrong"), 401, "sign_in")
	f.want(t, n.post("/session/passkey", bad), 401, "passkey")
	r := n.signIn(t)
	f.want(t, r, 200, "")
	if m := r.json(t); m["user"] != n.user || m["role"] != "officer" || m["step_up_until"] == "" || m["applicant"] == "" {
		t.Errorf("ok/me: %s", r.body)
	}
	for _, c := range r.cookies() {
		// S-016: only this host, only over a secure connection, not for scripts or other sites.
		if !strings.HasPrefix(c.Name, "__Host-") || !c.Secure || !c.HttpOnly || c.SameSite != http.SameSiteStrictMode || c.Path != "/" || c.Domain != "" {
			t.Errorf("cookie %s", c)
		}
	}
	f.want(t, f.do(n.session, "GET", "/account", ""), 200, "")
	f.want(t, f.do("", "GET", "/account", ""), 401, "session")
	f.want(t, n.post("/session/step-up/passkey", bad), 401, "passkey")
	f.want(t, n.answer(t, "/session/step-up/passkey", n.post("/session/step-up", map[string]any{})), 200, "")
	f.want(t, f.do("", "POST", "/session/step-up", "{}"), 401, "session")
	f.want(t, n.post("/session/next-person", map[string]any{}), 200, "")
	f.want(t, f.do("", "POST", "/session/next-person", ""), 401, "session")

	challenge, options := n.post("/account/passkeys/challenge", map[string]any{}).question(t)
	first := n.key
	n.key, _ = softkey.New()
	f.want(t, n.post("/account/passkeys", map[string]any{"challenge": challenge, "credential": n.create(t, options), "label": strings.Repeat("長", 51)}), 400, "too_long")
	f.want(t, n.post("/account/passkeys", map[string]any{"challenge": challenge, "credential": n.create(t, options), "label": "二つ目"}), 204, "")
	f.want(t, n.post("/account/passkeys", map[string]any{"challenge": challenge, "credential": n.create(t, options)}), 401, "passkey")
	f.want(t, f.do("", "POST", "/account/passkeys/challenge", ""), 401, "session")
	f.want(t, n.signIn(t), 200, "") // with the second
	f.testRemovePasskey(t, n, first)
	second := n.session
	n.session = "" // in another browser
	f.want(t, n.signIn(t), 200, "")
	third := n.session

	r = f.do(third, "DELETE", "/session", "")
	f.want(t, r, 204, "")
	if r.header.Get("Clear-Site-Data") != `"cache", "storage"` || len(r.cookies()) != 1 || r.cookies()[0].MaxAge >= 0 {
		t.Errorf("ok/sign-out leaves something: %v", r.header)
	}
	f.want(t, f.do(third, "GET", "/account", ""), 401, "session")
	f.want(t, f.do(second, "GET", "/account", ""), 200, "")
	f.want(t, f.do("", "DELETE", "/session", ""), 401, "session")
	f.want(t, f.do(second, "DELETE", "/sessions", ""), 204, "")
	f.want(t, f.do(second, "GET", "/account", ""), 401, "session")
	f.want(t, f.do(second, "DELETE", "/sessions", ""), 401, "session")
}

// testRemovePasskey takes the first of two passkeys away: never another's, never the
// last, and whoever came in with it is out.
func (f *fixture) testRemovePasskey(t *testing.T, n *newcomer, first *softkey.Key) {
	t.Helper()
	path := func(k *softkey.Key) string { return "/account/passkeys/" + string(b64(k.ID)) }
	r := f.do(n.session, "GET", "/account/passkeys", "")
	f.want(t, r, 200, "")
	if list := r.json(t)["passkeys"].([]any); len(list) != 2 || list[0].(map[string]any)["id"] != string(b64(first.ID)) || list[1].(map[string]any)["label"] != "二つ目" {
		t.Errorf("ok/list: %s", r.body)
	}
	f.want(t, f.do("", "GET", "/account/passkeys", ""), 401, "session")
	f.want(t, f.do(n.session, "DELETE", "/account/passkeys/"+strings.Repeat("A", 22), ""), 404, "no_such_passkey")
	f.want(t, f.do(f.officer, "DELETE", path(first), ""), 404, "no_such_passkey")
	elsewhere := &newcomer{f: f, user: n.user, password: n.password, key: first, origin: n.origin}
	f.want(t, elsewhere.signIn(t), 200, "")
	before := n.session
	r = f.do(n.session, "DELETE", path(first), "")
	f.want(t, r, 204, "")
	n.session = r.cookies()[0].Value
	f.want(t, f.do(n.session, "DELETE", path(n.key), ""), 409, "last_factor")
	f.want(t, f.do(n.session, "GET", "/account", ""), 200, "")
	f.want(t, f.do(elsewhere.session, "GET", "/account", ""), 401, "session")
	f.want(t, f.do(before, "GET", "/account", ""), 401, "session")
	if question := elsewhere.password1(n.password); question.status != 200 || bytes.Contains(question.body, b64(first.ID)) {
		t.Errorf("error/the removed passkey is still asked for: %s", question.body)
	}
}

// S-010: no step alone, and no answer out of place, yields a session.
func TestSecondFactor(t *testing.T) {
	f := newFixture(t)
	n, link := f.newcomer(t, "hanako", office.Clerk)
	f.want(t, n.setUp(t, link), 201, "")
	other := f.member(t, "taro", office.Clerk)
	question := n.password1(n.password)
	f.want(t, question, 200, "")
	if n.session != "" {
		t.Fatal("error/set-up and password: a session")
	}
	refused := func(name string, r reply) {
		t.Run("error/"+name, func(t *testing.T) {
			f.want(t, r, 401, "passkey")
			if len(r.cookies()) != 0 {
				t.Error("a cookie")
			}
		})
	}
	challenge, options := question.question(t)
	answer := func(key *softkey.Key, origin string, options []byte) json.RawMessage {
		c, err := key.Get(origin, bytes.ReplaceAll(options, b64(n.key.ID), b64(key.ID)))
		if err != nil {
			t.Fatal(err)
		}
		return c
	}
	send := func(challenge string, credential json.RawMessage) reply {
		return n.post("/session/passkey", map[string]any{"challenge": challenge, "credential": credential, "reminder": question.reminder()})
	}
	refused("passkey of somebody else", send(challenge, answer(other.key, n.origin, options)))
	stranger, _ := softkey.New()
	stranger.ID = n.key.ID
	refused("another key under the same id", send(challenge, answer(stranger, n.origin, options)))
	refused("another site", send(challenge, answer(n.key, "http://localhost.example", options)))
	refused("another challenge", send(challenge, answer(n.key, n.origin, bytes.Replace(options, []byte(`"challenge":"`), []byte(`"challenge":"AAAA`), 1))))
	refused("nothing", send(challenge, json.RawMessage(`{}`)))
	refused("no such challenge", send(challenge[:len(challenge)-1], answer(n.key, n.origin, options)))
	stepUp, its := other.post("/session/step-up", map[string]any{}).question(t)
	refused("a question of another kind", send(stepUp, answer(other.key, n.origin, its)))
	good := answer(n.key, n.origin, options)
	f.want(t, send(challenge, good), 200, "")
	refused("the same answer again", send(challenge, good))
	// A counter that goes back tells of a copy.
	n.key.Counter = 0
	challenge, options = n.password1(n.password).question(t)
	refused("a copied passkey", send(challenge, answer(n.key, n.origin, options)))
}

func b64(id []byte) []byte { return []byte(base64.RawURLEncoding.EncodeToString(id)) }

// S-010, L-10: a set-up link works once, for 24 hours, and needs a second factor.
func TestSetupLink(t *testing.T) {
	k := newTicking(t)
	n, link := k.newcomer(t, "hanako", office.Clerk)
	challenge, options := n.post("/setup/challenge", map[string]any{"link": link}).question(t)
	without := map[string]any{"link": link, "password": n.password}
	k.want(t, n.post("/setup", without), 401, "passkey")
	for name, c := range map[string]struct{ password, code string }{
		"short": {"fourteen chars", "password_short"}, "long": {strings.Repeat("ab3 ", 33), "password_long"},
		"common": {"Password12345678", "password_common"}, "user": {"xx 900001-hanako xx", "password_name"}, "municipality": {"架空県証市は良いところだなあと思う", "password_name"},
	} {
		r := n.post("/setup", map[string]any{"link": link, "password": c.password, "challenge": challenge, "credential": n.create(t, options)})
		if r.code() != c.code {
			t.Errorf("error/%s: %d %s", name, r.status, r.body)
		}
	}
	k.pass(24 * time.Hour)
	k.want(t, n.post("/setup/challenge", map[string]any{"link": link}), 403, "setup_link")
	k.want(t, n.post("/setup", map[string]any{"link": link, "password": n.password, "challenge": challenge, "credential": n.create(t, options)}), 403, "setup_link")

	n, link = k.newcomer(t, "taro", office.Clerk)
	k.pass(24*time.Hour - time.Second)
	k.want(t, n.setUp(t, link), 201, "")
	k.want(t, n.post("/setup/challenge", map[string]any{"link": link}), 403, "setup_link")
	if n.session != "" {
		t.Error("set-up signs in")
	}
}

// overtaken lets somebody else be faster, once, between the check of a link and
// that of the credentials.
type overtaken struct {
	office.Store
	by func()
}

func (o *overtaken) Office(ctx context.Context, code string) (office.Office, error) {
	if by := o.by; by != nil {
		o.by = nil
		by()
	}
	return o.Store.Office(ctx, code)
}

// S-010: of two who follow a link at once with one answer of a passkey, the slower
// one is told that the link was used.
func TestSetupAtOnce(t *testing.T) {
	f := newFixture(t)
	n, link := f.newcomer(t, "hanako", office.Clerk)
	challenge, options := n.post("/setup/challenge", map[string]any{"link": link}).question(t)
	body := map[string]any{"link": link, "password": n.password, "challenge": challenge, "credential": n.create(t, options)}
	store := &overtaken{Store: f.World.Accounts.Store}
	store.by = func() { f.want(t, n.post("/setup", body), 201, "") }
	f.World.Accounts.Store = store
	f.want(t, n.post("/setup", body), 403, "setup_link")
}

// S-016, S-017: a session ends after 15 idle minutes and after 8 hours; an id that
// was there before never becomes valid.
func TestSessionTimes(t *testing.T) {
	k := newTicking(t)
	n, link := k.newcomer(t, "hanako", office.Clerk)
	k.want(t, n.setUp(t, link), 201, "")
	planted := "900001." + strings.Repeat("A", 43)
	n.session = planted
	k.want(t, n.signIn(t), 200, "")
	if n.session == planted {
		t.Error("error/fixation: the planted id was taken")
	}
	k.want(t, k.do(planted, "GET", "/account", ""), 401, "session")
	account := func() reply { return k.do(n.session, "GET", "/account", "") }

	k.pass(15*time.Minute - time.Second)
	k.want(t, account(), 200, "")
	k.pass(15*time.Minute + time.Second)
	k.want(t, account(), 401, "session")

	k.want(t, n.signIn(t), 200, "")
	for range 32 * 2 { // 8 hours, never idle, and proven again each time
		k.want(t, account(), 200, "")
		k.want(t, n.answer(t, "/session/step-up/passkey", n.post("/session/step-up", map[string]any{})), 200, "")
		k.pass(7*time.Minute + 30*time.Second)
	}
	k.want(t, account(), 401, "session")
}

// S-016: signing in again on a browser ends the session that it had, whosever it
// was; the terminal stays known for another 60 days.
func TestSignInAgain(t *testing.T) {
	f := newFixture(t)
	n := f.member(t, "hanako", office.Clerk)
	old, terminal := n.session, n.terminal
	r := n.signIn(t)
	f.want(t, r, 200, "")
	f.want(t, f.do(old, "GET", "/account", ""), 401, "session")
	f.want(t, f.do(n.session, "GET", "/account", ""), 200, "")
	renewed := false
	for _, c := range r.cookies() {
		renewed = renewed || c.Name == terminalCookie && c.Value == terminal && c.MaxAge == int(terminalLife/time.Second)
	}
	if !renewed {
		t.Errorf("ok/the terminal's cookie is not renewed: %v", r.cookies())
	}
	other, link := f.newcomer(t, "taro", office.Clerk)
	f.want(t, other.setUp(t, link), 201, "")
	other.session = f.foreign // what another person of another office left on the machine
	f.want(t, other.password1("wrong"), 401, "sign_in")
	f.want(t, f.do(f.foreign, "GET", "/account", ""), 200, "") // not by a failed try
	f.want(t, other.signIn(t), 200, "")
	f.want(t, f.do(f.foreign, "GET", "/account", ""), 401, "session")
	f.want(t, f.do(n.session, "GET", "/account", ""), 200, "")
}

// nobody signs in who has not read that work is recorded; who read which
// text when is kept, and asked again after 90 days and when the text changes.
func TestReminder(t *testing.T) {
	k := newTicking(t)
	n, link := k.newcomer(t, "hanako", office.Clerk)
	k.want(t, n.setUp(t, link), 201, "")
	signIn := func(version string) reply {
		challenge, options := n.password1(n.password).question(t)
		c, err := n.key.Get(n.origin, options)
		if err != nil {
			t.Fatal(err)
		}
		return n.post("/session/passkey", map[string]any{"challenge": challenge, "credential": c, "reminder": version})
	}
	due := func(want bool) (version string) {
		t.Helper()
		q := n.password1(n.password)
		k.want(t, q, 200, "")
		if version = q.reminder(); (version != "") != want {
			t.Errorf("the reminder is due: %t, want %t", version != "", want)
		}
		return version
	}
	first := due(true)
	k.want(t, signIn(""), 403, "reminder")
	k.want(t, signIn("another"), 403, "reminder")
	if n.session != "" {
		t.Fatal("error/unread: a session")
	}
	k.want(t, signIn(first), 200, "")
	kept, err := k.Store.StaffByUser(t.Context(), k.Clerk.Office, n.user)
	if err != nil || kept.Reminder != first || !kept.RemindedAt.Equal(k.now) {
		t.Errorf("ok/kept: %+v %v", kept, err)
	}
	told, err := k.World.Reviews.Read(t.Context(), k.Officer, audit.Query{Staff: kept.ID, Action: "session.begin", Limit: 5})
	if err != nil || len(told) == 0 || told[0].Facts["reminder"] != first {
		t.Errorf("ok/logged: %+v %v", told, err)
	}
	due(false)
	k.want(t, signIn(""), 200, "")
	for range 3 { // an account that sleeps for 60 days is another matter
		k.pass(30*24*time.Hour - time.Second)
		k.want(t, signIn(""), 200, "")
	}
	k.pass(3 * time.Second)
	due(true)
	k.want(t, signIn(first), 200, "")
	due(false)
	k.World.Accounts.Reminder.EN += " Really."
	if second := due(true); second == first {
		t.Error("error/another text has the same version")
	}
	k.want(t, signIn(first), 403, "reminder")
}

// S-019: what happens to an account happens to its sessions.
func TestAccountEnds(t *testing.T) {
	for name, end := range map[string]func(k *ticking, ctx context.Context, id string) error{
		"suspended": func(k *ticking, ctx context.Context, id string) error {
			return k.World.Accounts.Suspend(ctx, k.Clerk.Office, id)
		},
		"another role": func(k *ticking, ctx context.Context, id string) error {
			_, err := k.World.Accounts.Change(ctx, k.Clerk.Office, id, func(s *office.Staff) { s.Role = office.Officer })
			return err
		},
		"end date": func(k *ticking, ctx context.Context, id string) error {
			_, err := k.World.Accounts.Change(ctx, k.Clerk.Office, id, func(s *office.Staff) { s.Ends = k.now })
			return err
		},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			k := newTicking(t)
			n := k.member(t, "hanako", office.Clerk)
			s, err := k.Store.StaffByUser(t.Context(), k.Clerk.Office, n.user)
			if err != nil {
				t.Fatal(err)
			}
			k.want(t, k.do(n.session, "GET", "/account", ""), 200, "")
			k.Act(t, k.Clerk.Office, func(ctx context.Context) error { return end(k, ctx, s.ID) })
			k.want(t, k.do(n.session, "GET", "/account", ""), 401, "session")
			if name == "another role" {
				k.want(t, n.signIn(t), 200, "")
				return
			}
			k.want(t, n.password1(n.password), 401, "sign_in")
			if name != "suspended" {
				return
			}
			k.Act(t, k.Clerk.Office, func(ctx context.Context) error { return k.World.Accounts.Enable(ctx, k.Clerk.Office, s.ID) })
			k.want(t, n.signIn(t), 200, "")
		})
	}
	t.Run("error/the end comes while signed in", func(t *testing.T) {
		k := newTicking(t)
		n := k.member(t, "hanako", office.Clerk)
		s, _ := k.Store.StaffByUser(t.Context(), k.Clerk.Office, n.user)
		k.Act(t, k.Clerk.Office, func(ctx context.Context) error {
			_, err := k.World.Accounts.Change(ctx, k.Clerk.Office, s.ID, func(s *office.Staff) { s.Ends = k.now.Add(time.Minute) })
			return err
		})
		k.want(t, n.signIn(t), 200, "")
		k.pass(time.Minute)
		k.want(t, k.do(n.session, "GET", "/account", ""), 401, "session")
	})
	t.Run("error/unused for 60 days", func(t *testing.T) {
		k := newTicking(t)
		n := k.member(t, "hanako", office.Clerk)
		k.pass(60*24*time.Hour - time.Second)
		k.want(t, n.signIn(t), 200, "")
		k.pass(60 * 24 * time.Hour)
		k.want(t, n.password1(n.password), 401, "sign_in")
	})
}

// S-018: what is dangerous needs a second factor of the last five minutes.
func TestStepUp(t *testing.T) {
	k := newTicking(t)
	n := k.member(t, "hanako", office.Officer)
	k.clerk = n.session
	auditor := k.member(t, "kansa", office.Auditor)
	revoked := k.issued(t, certificate.Domestic)
	k.pass(5*time.Minute + time.Second)
	for _, r := range k.routes() {
		if !r.stepUp {
			continue
		}
		who := n
		if r.permission != oneself && !office.Officer.Permissions()[string(r.permission)] {
			who = auditor
		}
		media := ""
		if len(r.takes) > 0 {
			media = r.takes[0]
		}
		k.want(t, ask(k.Staff(), who.session, r.method, pathParameter.ReplaceAllString(r.path, "x"), media, nil), 403, "step_up")
	}
	why := map[string]any{"reason": "issued_by_mistake"}
	k.want(t, n.post(certificatePath(revoked, "/revoke"), why), 403, "step_up")
	old := n.session
	k.want(t, n.answer(t, "/session/step-up/passkey", n.post("/session/step-up", map[string]any{})), 200, "")
	if n.session == old {
		t.Error("the id stayed")
	}
	k.want(t, k.do(old, "GET", "/account", ""), 401, "session")
	k.want(t, n.post(certificatePath(revoked, "/revoke"), why), 200, "")
}

// S-018: an override too, which only shows when the case is looked at.
func TestStepUpForOverride(t *testing.T) {
	k := newTicking(t)
	officer, clerk := k.member(t, "hanako", office.Officer), k.member(t, "taro", office.Clerk)
	o, err := k.Store.Office(t.Context(), k.Clerk.Office)
	if err != nil {
		t.Fatal(err)
	}
	made := k.do(clerk.session, "POST", "/applications", form(certificate.Domestic))
	k.want(t, made, 201, "")
	id := made.json(t)["id"].(string)
	if _, err := k.ChangeOffice(t.Context(), o.Code, func(s *office.Settings) { s.Open = nil }); err != nil { // not offered any more
		t.Fatal(err)
	}
	k.want(t, k.do(clerk.session, "POST", "/applications/"+id+"/submit", ""), 200, "")
	decision := map[string]any{"outcome": "approve", "reason": "急ぎのため"}
	path := "/applications/" + id + "/decision"
	k.want(t, clerk.post(path, decision), 403, "override")
	k.pass(5*time.Minute + time.Second)
	k.want(t, officer.post(path, decision), 403, "step_up")
	k.want(t, officer.answer(t, "/session/step-up/passkey", officer.post("/session/step-up", map[string]any{})), 200, "")
	k.want(t, officer.post(path, decision), 200, "")
}

// L-03: the next person gets a new context; a form of the last one is refused.
func TestNextPerson(t *testing.T) {
	f := newFixture(t)
	n := f.member(t, "hanako", office.Clerk)
	applicant := func() string { return f.do(n.session, "GET", "/account", "").json(t)["applicant"].(string) }
	first, session := applicant(), n.session
	header := applicantHeader + ": " + first
	f.want(t, f.do(n.session, "POST", "/applications", form(certificate.Domestic), header), 201, "")
	f.want(t, n.post("/session/next-person", map[string]any{}), 200, "")
	if n.session == session || applicant() == first {
		t.Error("nothing new")
	}
	f.want(t, f.do(session, "GET", "/account", ""), 401, "session")
	f.want(t, f.do(n.session, "POST", "/applications", form(certificate.Domestic), header), 409, "applicant_changed")
	f.want(t, f.do(n.session, "POST", "/applications", form(certificate.Domestic), applicantHeader+": "+applicant()), 201, "")
}

// S-021: a request from another site is refused on every staff route, signed in or
// not; nothing that changes a state is a GET; bodies are JSON or what a form cannot send.
func TestCrossSite(t *testing.T) {
	f := newFixture(t)
	for _, r := range f.routes() {
		if r.faces[0] != staffFace {
			continue
		}
		path := pathParameter.ReplaceAllString(r.path, "x")
		if r.method == http.MethodGet {
			continue
		}
		for _, header := range []string{"Sec-Fetch-Site: cross-site", "Sec-Fetch-Site: same-site", "Origin: https://evil.example"} {
			f.want(t, ask(f.Staff(), f.officer, r.method, path, "application/json", []byte("{}"), header), 403, "cross_origin")
		}
		if len(r.takes) > 0 && r.id != "verify" { // which changes nothing
			for _, media := range []string{"text/plain", "application/x-www-form-urlencoded", "multipart/form-data"} {
				if slices.Contains(r.takes, media) { // a page's own form
					continue
				}
				if got := ask(f.Staff(), f.officer, r.method, path, media, []byte("{}")); got.code() != "permission" {
					f.want(t, got, 415, "media_type")
				}
			}
		}
	}
}

// S-015: an unknown user and a wrong password get the same answer and the same
// work, also while they have to wait.
func TestSameAnswer(t *testing.T) {
	k := newTicking(t)
	known, link := k.newcomer(t, "hanako", office.Clerk)
	k.want(t, known.setUp(t, link), 201, "")
	unknown := &newcomer{f: k.fixture, user: "900001-nobody"}
	hashes := 0
	k.World.Accounts.Hasher.Derive = func(password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte {
		hashes++
		return fast(password, salt, passes, memory, threads, size)
	}
	for i := range 8 {
		var first problem
		for j, n := range []*newcomer{known, unknown} {
			before := hashes
			r := k.from(n, fmt.Sprintf("192.0.2.%d", 10+j), "wrong password")
			var p problem
			if err := json.Unmarshal(r.body, &p); err != nil {
				t.Fatal(err)
			}
			p.RequestID = ""
			if j == 0 {
				first = p
			}
			if want := map[bool]int{true: 1, false: 0}[i < 5]; p != first || hashes-before != want {
				t.Errorf("error/try %d of %s: %+v, %d hashes", i, n.user, p, hashes-before)
			}
		}
	}
	for _, user := range []string{"", "x", "900001", "900002-hanako", "900010", "900029-hanako", strings.Repeat("9", 100)} {
		n := &newcomer{f: k.fixture, user: user}
		k.want(t, n.password1("wrong password"), 401, "sign_in")
	}
}

// from tries a password from an address.
func (f *fixture) from(n *newcomer, address, password string) reply {
	body, _ := json.Marshal(map[string]any{"user": n.user, "password": password})
	req := httptest.NewRequest(http.MethodPost, prefix+"/session", bytes.NewReader(body))
	req.RemoteAddr = address + ":1"
	req.Header.Set("Content-Type", "application/json")
	if n.terminal != "" {
		req.AddCookie(&http.Cookie{Name: terminalCookie, Value: n.terminal})
	}
	rec := httptest.NewRecorder()
	f.Staff().ServeHTTP(rec, req)
	return reply{rec.Code, rec.Header(), rec.Body.Bytes()}
}

// S-015: failures cost more and more time, up to 15 minutes; a hundred close the
// account to strangers until an officer enables it; the clerk at a known terminal
// never notices.
func TestLockout(t *testing.T) {
	k := newTicking(t)
	n := k.member(t, "hanako", office.Clerk)
	other := k.member(t, "taro", office.Clerk)
	attacker := &newcomer{f: k.fixture, user: n.user}
	var waited time.Duration
	failures := 0
	for i := 0; failures < 100; i++ {
		r := k.from(attacker, fmt.Sprintf("198.51.100.%d", i%200), "guess")
		if r.status == 401 {
			failures++
			continue
		}
		k.want(t, r, 429, "sign_in_wait")
		var seconds int
		if _, err := fmt.Sscan(r.header.Get("Retry-After"), &seconds); err != nil || seconds < 1 || seconds > 900 {
			t.Fatalf("Retry-After %q", r.header.Get("Retry-After"))
		}
		if failures < 5 {
			t.Fatalf("a wait after %d failures", failures)
		}
		waited += time.Duration(seconds) * time.Second
		k.pass(time.Duration(seconds) * time.Second)
	}
	if waited < 20*time.Hour {
		t.Errorf("100 guesses took %v", waited)
	}
	k.pass(time.Hour)
	stranger := *n
	stranger.terminal = ""
	k.want(t, k.from(&stranger, "203.0.113.1", n.password), 401, "sign_in") // right, but closed
	k.want(t, other.signIn(t), 200, "")
	k.want(t, n.signIn(t), 200, "") // known terminal
	s, err := k.Store.StaffByUser(t.Context(), k.Clerk.Office, n.user)
	if err != nil {
		t.Fatal(err)
	}
	k.Act(t, k.Clerk.Office, func(ctx context.Context) error { return k.World.Accounts.Enable(ctx, s.Office, s.ID) })
	k.want(t, k.from(&stranger, "203.0.113.1", n.password), 200, "")

	// A hundred failures on the known terminal itself lock the account.
	for failures = 0; failures < 100; k.pass(15 * time.Minute) {
		if r := k.from(n, "192.0.2.1", "guess"); r.status == 401 {
			failures++
		}
	}
	if s, _ = k.Store.StaffByUser(t.Context(), k.Clerk.Office, n.user); s.State != office.LockedAccount {
		t.Errorf("state %s", s.State)
	}
	k.want(t, k.from(n, "192.0.2.1", n.password), 401, "sign_in")
}

// S-015: many accounts from one address have to wait as well.
func TestAddressWaits(t *testing.T) {
	k := newTicking(t)
	for i := range 5 {
		k.want(t, k.from(&newcomer{f: k.fixture, user: fmt.Sprintf("900001-user%d", i)}, "198.51.100.7", "guess"), 401, "sign_in")
	}
	k.want(t, k.from(&newcomer{f: k.fixture, user: "900001-user9"}, "198.51.100.7", "guess"), 429, "sign_in_wait")
	k.want(t, k.from(&newcomer{f: k.fixture, user: "900001-user9"}, "198.51.100.8", "guess"), 401, "sign_in")
}

// S-010: a card instead of a passkey: its certificate and the password.
func TestCard(t *testing.T) {
	var shown []byte
	k := newTicking(t)
	staff := k.handlers[staffFace]
	k.handlers[staffFace] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if shown != nil {
			r = r.WithContext(context.WithValue(r.Context(), clientKey{}, ClientCertificate{SHA256: sha256.Sum256(shown)}))
		}
		staff.ServeHTTP(w, r)
	})
	n, link := k.newcomer(t, "hanako", office.Officer)
	k.want(t, n.post("/setup", map[string]any{"link": link, "password": n.password}), 401, "passkey")
	shown = []byte("fingerprint of a card 1234567890")
	k.want(t, n.post("/setup", map[string]any{"link": link, "password": n.password}), 201, "")
	shown = []byte("fingerprint of another card 1234")
	k.want(t, n.password1(n.password), 401, "second_factor")
	if n.session != "" {
		t.Fatal("error/another card: signed in")
	}
	shown = []byte("fingerprint of a card 1234567890")
	k.want(t, n.password1("wrong"), 401, "sign_in")
	unread := n.password1(n.password)
	k.want(t, unread, 200, "")
	if n.session != "" {
		t.Fatal("error/card: signed in without the reminder")
	}
	k.want(t, n.post("/session", map[string]any{"user": n.user, "password": n.password, "reminder": unread.reminder()}), 200, "")
	if n.session == "" {
		t.Fatal("ok/card: not signed in")
	}
	k.pass(5*time.Minute + time.Second)
	k.want(t, n.post("/account/passkeys/challenge", map[string]any{}), 403, "step_up")
	k.want(t, n.post("/session/step-up", map[string]any{"password": "wrong"}), 401, "sign_in")
	k.want(t, n.post("/session/step-up", map[string]any{"password": n.password}), 200, "")
	k.want(t, n.post("/account/passkeys/challenge", map[string]any{}), 200, "")
	shown = nil
	k.want(t, n.password1(n.password), 401, "second_factor")
	k.want(t, k.do(n.session, "GET", "/account", ""), 200, "")
}

// S-010, S-029: recovery takes two different officers, neither of them the person,
// and leaves nothing of what was there.
func TestRecovery(t *testing.T) {
	f := newFixture(t)
	f.testRecovery(t)
}

func (f *fixture) testRecovery(t *testing.T) {
	n := f.member(t, "jiro", office.Officer)
	s, err := f.Store.StaffByUser(t.Context(), f.Clerk.Office, n.user)
	if err != nil {
		t.Fatal(err)
	}
	path := "/accounts/" + s.ID + "/recover"
	second := f.officers(t, 1)[0]
	f.want(t, f.do(f.officer, "POST", path, ""), 403, "approval_needed")
	ask := fmt.Sprintf(`{"kind":"account.recover","object":%q}`, s.ID)
	f.want(t, f.do(n.session, "POST", "/approvals", ask), 403, "own_case")
	f.want(t, f.do(f.officer, "POST", "/approvals", ask), 201, "")
	f.want(t, f.do(f.officer, "POST", path, ""), 403, "second_person")
	f.want(t, f.do(n.session, "POST", path, ""), 403, "own_case")
	f.want(t, f.do(f.clerk, "POST", path, ""), 403, "permission")
	f.want(t, f.do(n.session, "GET", "/account", ""), 200, "")
	r := f.do(second, "POST", path, "")
	f.want(t, r, 200, "")
	_, link, _ := strings.Cut(r.json(t)["link"].(string), "#")
	f.want(t, f.do(second, "POST", path, ""), 409, "approval_used")
	f.want(t, f.do(n.session, "GET", "/account", ""), 401, "session")
	f.want(t, n.password1(n.password), 401, "sign_in")
	old := n.key
	if n.key, err = softkey.New(); err != nil {
		t.Fatal(err)
	}
	f.want(t, n.setUp(t, link), 201, "")
	f.want(t, n.signIn(t), 200, "")
	_, options := n.password1(n.password).question(t)
	if _, err := old.Get(n.origin, options); err == nil {
		t.Error("error/the old passkey is still asked for")
	}
}

// S-083: signing in, being refused and leaving stand in the log under the person.
func TestSignInIsLogged(t *testing.T) {
	f := newFixture(t)
	n := f.member(t, "hanako", office.Clerk)
	f.want(t, n.password1("wrong"), 401, "sign_in")
	f.want(t, f.do(n.session, "DELETE", "/session", ""), 204, "")
	s, _ := f.Store.StaffByUser(t.Context(), f.Clerk.Office, n.user)
	entries, err := f.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(t.Context(), f.Clerk.Office, s.ID)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		var r struct{ Person, Terminal, Action, Result, Request string }
		if err := json.Unmarshal(e, &r); err != nil {
			t.Fatal(err)
		}
		if r.Person != s.ID || r.Request == "" || r.Terminal != "staff:192.0.2.1" {
			t.Errorf("incomplete: %s", e)
		}
		got = append(got, r.Action+" "+r.Result)
		for _, secret := range []string{n.password, n.session, n.user, "wrong"} {
			if bytes.Contains(e, []byte(secret)) {
				t.Errorf("the log holds %q", secret)
			}
		}
	}
	if want := "setup.finish ok, session.begin ok, session.begin forbidden:sign_in, session.end ok"; strings.Join(got, ", ") != want {
		t.Errorf("logged %v", got)
	}
}
