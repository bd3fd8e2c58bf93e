package server

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"strings"
	"testing"

	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/testkit"
)

// aTerminal is the certificate of a machine that nobody knows yet, PEM.
func (f *fixture) aTerminal(t *testing.T, from *testkit.Authority, name string) (pemText string) {
	t.Helper()
	_, file, _ := from.Issue(name, true)
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func terminalFields(name, certificate string) string {
	return url.Values{"name": {name}, "certificate": {certificate}}.Encode()
}

func terminalJSON(name, certificate string) string {
	b, _ := json.Marshal(newTerminalBody{name, certificate})
	return string(b)
}

// S-004, R-087: a machine is let in by two people and shut out by one.
func (f *fixture) testTerminals(t *testing.T) {
	authority := testkit.NewAuthority(t, "terminals")
	second := f.officers(t, 1)[0]
	operator := f.SignIn(t, cli.TestOffice+"-terminals", office.Operator)
	certificate := f.aTerminal(t, authority, "one")
	body := terminalJSON("窓口2", certificate)
	f.want(t, f.do(f.clerk, "GET", "/terminals", ""), 403, "permission")
	f.want(t, f.do(f.clerk, "POST", "/terminals/request", body), 403, "permission")
	key, err := os.ReadFile(authority.File)
	if err != nil {
		t.Fatal(err)
	}
	for code, wrong := range map[string]string{
		"terminal_certificate": terminalJSON("x", string(key)), // of the authority itself
		"terminal_key":         terminalJSON("x", certificate+"-----BEGIN PRIVATE KEY-----\n"),
		"required":             terminalJSON("　", certificate),
	} {
		f.want(t, f.do(operator, "POST", "/terminals/request", wrong), 400, code)
	}
	for _, wrong := range []string{"", "nonsense", certificate + certificate, strings.Replace(certificate, "M", "N", 1)} {
		if r := f.do(operator, "POST", "/terminals/request", terminalJSON("x", wrong)); r.status != 400 {
			t.Errorf("error/%.20q: %d %s", wrong, r.status, r.body)
		}
	}
	asked := f.do(operator, "POST", "/terminals/request", body)
	f.want(t, asked, 201, "")
	approval := `{"approval":"` + asked.json(t)["id"].(string) + `"}`
	f.want(t, f.do(operator, "POST", "/terminals", approval), 403, "permission") // an operator does not approve
	f.want(t, f.do(operator, "POST", "/terminals", `{"approval":"`+nobody+`"}`), 404, "approval")
	f.want(t, f.do(operator, "POST", "/terminals", `{"approval":"x"}`), 400, "form_syntax")
	settings := f.do(f.officer, "POST", "/office/settings/request", newSettings)
	f.want(t, f.do(second, "POST", "/terminals", `{"approval":"`+settings.json(t)["id"].(string)+`"}`), 409, "approval_differs")
	made := f.do(f.officer, "POST", "/terminals", approval)
	f.want(t, made, 201, "")
	id := made.json(t)["id"].(string)
	f.want(t, f.do(f.officer, "POST", "/terminals", approval), 409, "approval_used")
	f.want(t, f.do(f.officer, "POST", "/terminals/request", body), 409, "terminal_exists")
	list := f.do(operator, "GET", "/terminals", "").json(t)["terminals"].([]any)
	if one := list[len(list)-1].(map[string]any); one["id"] != id || one["name"] != "窓口2" || one["state"] != "in_use" || one["sign_in_at"] != nil {
		t.Errorf("ok/list: %v", list)
	}
	f.want(t, f.do(f.foreign, "POST", "/terminals/"+id+"/revoke", ""), 404, "terminal")
	f.want(t, f.do(operator, "POST", "/terminals/"+id+"/revoke", ""), 204, "")
	f.want(t, f.do(operator, "POST", "/terminals/"+id+"/revoke", ""), 409, "terminal_revoked")
	f.testTerminalPages(t, authority, second, operator)
}

func (f *fixture) testTerminalPages(t *testing.T, authority *testkit.Authority, second, operator string) {
	const page = "/counter/terminals"
	f.want(t, f.page(f.clerk, "GET", page, ""), 403, "permission")
	f.holds(t, f.page(f.officer, "GET", page, ""), "窓口2", "失効", "新しい端末を依頼する", "登録していない端末からも使えます")
	auditor := f.SignIn(t, cli.TestOffice+"-terminal-audit", office.Auditor)
	if seen := f.page(auditor, "GET", page, ""); seen.status != 200 || bytes.Contains(seen.body, []byte("<form method=\"post\" action=\""+page)) {
		t.Errorf("ok/an auditor only reads: %d %s", seen.status, seen.body)
	}
	certificate := f.aTerminal(t, authority, "two")
	f.at(t, f.page(f.officer, "POST", page, terminalFields("", certificate)), 400, "name")
	wrong := f.page(f.officer, "POST", page, terminalFields("窓口3", "MII"))
	if f.at(t, wrong, 400, "certificate"); !bytes.Contains(wrong.body, []byte(`value="窓口3"`)) || !bytes.Contains(wrong.body, []byte("<details open>")) {
		t.Error("error/certificate: what was typed is gone")
	}
	asked := f.page(f.officer, "POST", page, terminalFields("窓口3", certificate))
	f.want(t, asked, 303, "")
	approval := asked.header.Get("Location")
	f.holds(t, f.page(second, "GET", approval, ""), "窓口3", "端末を登録する", `href="`+page+`"`)
	own := f.page(f.officer, "GET", page, "")
	if f.holds(t, own, "窓口3", "ほかの人の承認が必要です"); bytes.Contains(own.body, []byte(page+"/register")) {
		t.Error("error/one's own request has a button")
	}
	f.holds(t, f.page(second, "GET", page, ""), page+"/register", "承認して登録する")
	form := "approval=" + strings.TrimPrefix(approval, "/counter/approvals/")
	f.want(t, f.page(f.officer, "POST", page+"/register", form), 403, "")
	f.want(t, f.page(second, "POST", page+"/register", form), 303, "")
	shown := f.page(operator, "GET", page, "")
	f.holds(t, shown, "使用中", "その場でサインアウトされ", "直ちに失効させる")
	id := regexp.MustCompile(page + `/([0-9a-f-]{36})/revoke`).FindStringSubmatch(string(shown.body))[1]
	f.want(t, f.page(operator, "POST", page+"/"+nobody+"/revoke", ""), 404, "terminal")
	f.want(t, f.page(operator, "POST", page+"/"+id+"/revoke", ""), 303, "")
	again := f.page(operator, "POST", page+"/"+id+"/revoke", "", asBrowser)
	if again.status != 409 || !bytes.Contains(again.body, []byte("失効しているか")) {
		t.Errorf("error/revoked twice: %d", again.status)
	}
}

// showing is the staff face as a machine reaches it that shows a certificate.
func (f *fixture) showing(pair tls.Certificate) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		r.TLS = &tls.ConnectionState{VerifiedChains: [][]*x509.Certificate{{pair.Leaf}}}
		f.Staff().ServeHTTP(w, r)
	})
}

// S-004, S-016: who signs in at a registered terminal stays there: the session is
// nobody's elsewhere, and over with the next request once the terminal is revoked, also
// where machines that are not registered are let in.
func TestSignedOutWithTheTerminal(t *testing.T) {
	for name, required := range map[string]bool{"required": true, "optional": false} {
		t.Run(name, func(t *testing.T) {
			authority := testkit.NewAuthority(t, "terminals")
			f := newFixture(t, func(v *Services) { v.TLS = TLS{ClientCAs: authority.File, Required: required} })
			pair := func(name string) (tls.Certificate, office.Terminal) {
				c, _, _ := authority.Issue(name, true)
				terminal, err := f.AddTerminal(t.Context(), f.Clerk.Office, name, c.Certificate[0])
				if err != nil {
					t.Fatal(err)
				}
				return c, terminal
			}
			mine, terminal := pair("mine")
			other, _ := pair("other")
			n, link := f.newcomer(t, "sits-there", office.Officer)
			n.at = f.showing(mine)
			f.want(t, n.setUp(t, link), 201, "")
			f.want(t, n.signIn(t), 200, "")
			get := func(at tls.Certificate) reply {
				return ask(f.showing(at), n.session, "GET", "/counter/terminals", "", nil)
			}
			here := get(mine)
			if f.holds(t, here, "この端末", "あなたもサインアウトされます", n.user); bytes.Contains(here.body, []byte("登録した端末からだけ")) != required {
				t.Errorf("ok/who is let in: %s", here.body)
			}
			f.want(t, get(other), 401, "session")
			f.want(t, get(mine), 200, "")

			f.want(t, ask(f.showing(other), f.officer, "POST", prefix+"/terminals/"+terminal.ID+"/revoke", "", nil), 204, "")
			f.want(t, get(other), 401, "session")
			why := ask(f.showing(mine), n.session, "GET", "/counter", "", nil, asBrowser)
			if !required {
				f.want(t, get(mine), 401, "session")
				if why.status != 303 || why.header.Get("Location") != "/sign-in" {
					t.Errorf("error/not sent to sign in: %d", why.status)
				}
				return
			}
			f.want(t, get(mine), 403, "terminal")
			if why.status != 403 || !bytes.Contains(why.body, []byte("<html")) || !bytes.Contains(why.body, []byte("この端末は登録されていません")) {
				t.Errorf("error/no page says why: %d %s", why.status, why.body)
			}
		})
	}
}
