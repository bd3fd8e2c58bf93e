package server

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

// kindOfID is a kind of object that routes name in their path.
type kindOfID struct {
	// make returns the id of one of the first office; nil: none can be made here,
	// and only what does not exist is asked for.
	make func(f *fixture, t *testing.T) string
	// digits are the characters that an id ends with, in order.
	digits string
}

// kindsOfID are the kinds by the first word of the path. A new kind needs its line.
var kindsOfID = map[string]kindOfID{
	"imports": {func(f *fixture, t *testing.T) string {
		r := f.do(f.clerk, "POST", "/imports/subjects", "x")
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}, hexDigits},
	"applications": {func(f *fixture, t *testing.T) string { return f.approved(t, certificate.Domestic) }, hexDigits},
	"certificates": {func(f *fixture, t *testing.T) string {
		id := f.issued(t, certificate.Travel)
		f.want(t, f.do(f.clerk, "POST", certificatePath(id, "/prints"), ""), 201, "")
		return id
	}, "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"},
	"account": {func(f *fixture, t *testing.T) string {
		return string(b64(f.member(t, "keyholder", office.Clerk).key.ID))
	}, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"},
	"mailings": {func(f *fixture, t *testing.T) string {
		r := f.do(f.clerk, "POST", "/mailings", `{"applications":["`+f.approved(t, certificate.Domestic)+`"]}`)
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}, hexDigits},
	"batches": {func(f *fixture, t *testing.T) string {
		r := f.bring(f.clerk, f.aFile())
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}, hexDigits},
	"revocations": {askedFor("revocations", "fraud"), hexDigits},
	"reissues":    {askedFor("reissues", "correction"), hexDigits},
	"retention":   {func(f *fixture, t *testing.T) string { return f.due(t).ID }, hexDigits},
	"accounts":    {func(f *fixture, t *testing.T) string { return f.Clerk.Person }, hexDigits},
	"account-requests": {func(f *fixture, t *testing.T) string {
		r := f.do(f.officer, "POST", "/accounts/requests", accountForm("asked-for", office.Clerk))
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}, hexDigits},
	"terminals": {func(f *fixture, t *testing.T) string {
		pair, _, _ := testkit.NewAuthority(t, "terminals").Issue("one", true)
		terminal, err := f.AddTerminal(t.Context(), cli.TestOffice, "窓口", pair.Certificate[0])
		if err != nil {
			t.Fatal(err)
		}
		return terminal.ID
	}, hexDigits},
	"alerts": {func(f *fixture, t *testing.T) string { return f.alerted(t) }, hexDigits},
	"rosters": {func(f *fixture, t *testing.T) string {
		r := ask(f.Staff(), f.officer, "POST", prefix+"/rosters", "text/csv", []byte("user_id,name,unit\n"+world.OfficerUser+",x,x\n"))
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}, hexDigits},
	"approvals": {func(f *fixture, t *testing.T) string {
		r := f.do(f.officer, "POST", "/office/settings/request", newSettings)
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}, hexDigits},
}

const hexDigits = "0123456789abcdef"

// askedFor asks that an act is done on many certificates.
func askedFor(acts, reason string) func(*fixture, *testing.T) string {
	return func(f *fixture, t *testing.T) string {
		f.issued(t, certificate.Domestic)
		one, _ := f.approvers(t)
		r := f.do(one, "POST", "/"+acts, `{"selection":{"issued_from":"2020-01-01"},"reason":"`+reason+`"}`)
		f.want(t, r, 201, "")
		return r.json(t)["id"].(string)
	}
}

// bodyOf is a body that the route would take, so that the id decides.
var bodyOf = map[string]string{
	"answer-application": form(certificate.Domestic), "decide-application": `{"outcome":"approve","reason":"x"}`, "justify-application": `{"why":"wish"}`,
	"reissue-certificate": `{"reason":"lost"}`, "revoke-certificate": `{"reason":"wrong_content"}`,
	"enter-number": shownCard("123456789018"), "approve-approval": `{"reason":"x"}`, "refuse-approval": `{"reason":"x"}`,
	"supply-application": plainForm("subject.ticket_number", "0000000001"), "check-application": "_key=k", "take-back-application": "_key=k", "judge-application": "outcome=reject&reason=x", "enter-number-at-counter": "individual_number=123456789018&name.family=x&birth_date=1991-02-18&sex=2&address_number=1", "issue-at-counter": "_key=k", "issue-certificate": "{}",
	"print-at-counter": "_key=k", "make-certificate-again": "reason=lost", "end-certificate": "reason=fraud", "agree-approval": "reason=x", "deny-approval": "reason=x", "unask-approval": "_key=k",
	"acknowledge-alert": noted, "see-to-alert": "note%3Atext=x", "ask-for-change": dutyFields(), "ask-for-enabling": dutyFields(),
	"stop-account": "_key=k", "apply-roster": "_key=k", "apply-import": "_key=k", "undo-import": "_key=k", "ask-for-undoing-import": "_key=k", "drop-import": "_key=k", "shut-terminal-out": "_key=k", "ask-for-recovery": "_key=k", "give-new-link": "_key=k", "do-account-request": "_key=k",
	"begin-revocation": "_key=k", "halt-revocation": "_key=k", "begin-reissue": "_key=k", "halt-reissue": "_key=k",
	"let-mailing-start": "_key=k", "halt-mailing": "_key=k", "print-mailing": "_key=k", "commit-batch": `{"whole":false}`, "accept-batch": "whole:bool=false", "let-batch-start": "_key=k", "throw-batch-away": "_key=k",
	"add-account-kin": sakurai, "request-account-change": `{"unit":"課","role":"clerk",` + answered + `}`, "request-account-enable": `{"unit":"課","role":"clerk",` + answered + `}`,
}

// neighbour is the id before or after.
func neighbour(id, digits string, step int) string {
	at := strings.IndexByte(digits, id[len(id)-1])
	return id[:len(id)-1] + string(digits[(at+step+len(digits))%len(digits)])
}

// T-IDOR (L-11, S-028): what belongs to another municipality, what does not exist,
// a neighbouring id and one that cannot be an id meet the same answer on every route
// with an id: the same bytes, nothing of the object, and an entry in the log.
func TestForeignIDs(t *testing.T) {
	f := newFixture(t)
	made := map[string]string{}
	tried := 0
	own, theirs := f.everyRole(t, cli.TestOffice), f.everyRole(t, foreignOffice)
	for _, r := range f.routes() {
		if !strings.Contains(r.path, "{") || r.permission == anyone { // what is published belongs to nobody
			continue
		}
		word, _, _ := strings.Cut(strings.TrimPrefix(strings.TrimPrefix(r.path, prefix+"/"), "/counter/"), "/")
		kind, ok := kindsOfID[word]
		if !ok {
			t.Errorf("%s: no kind %q in kindsOfID", r.id, word)
			continue
		}
		if len(r.takes) > 0 && bodyOf[r.id] == "" {
			t.Errorf("%s: no body in bodyOf", r.id)
			continue
		}
		missing := nobody
		if word == "certificates" {
			missing = "ABCDEFGHJKLM"
		}
		role := ableTo(r.permission)
		mine, foreign := own[role], theirs[role]
		want := f.byID(t, mine, false, r, missing)
		if made[word] == "" && kind.make != nil {
			made[word] = kind.make(f, t)
		}
		for _, malformed := range []string{"1", "x", "0", missing + "0", missing[1:], strings.ToLower(missing) + ".", strings.Repeat("a", 200), "null", "undefined", "-1", "*"} {
			if !pathForm.MatchString("/" + malformed) {
				continue
			}
			f.sameAnswer(t, r, malformed, want, f.byID(t, mine, false, r, malformed))
			f.sameAnswer(t, r, malformed, want, f.byID(t, foreign, true, r, malformed))
			tried += 2
		}
		real := made[word]
		if real == "" {
			continue
		}
		for _, step := range []int{-1, 1} {
			id := neighbour(real, kind.digits, step)
			f.sameAnswer(t, r, id, want, f.byID(t, mine, false, r, id))
			f.sameAnswer(t, r, id, want, f.byID(t, foreign, true, r, id))
			tried += 2
		}
		f.sameAnswer(t, r, real, want, f.byID(t, foreign, true, r, real)) // the other municipality's own
		tried++
	}
	if tried < 200 {
		t.Errorf("only %d ids tried", tried)
	}
	f.foreignInBodies(t, made)
}

// byID asks a route for an object and returns the problem without its request id.
// The refusal must stand in the log of the caller's office under its request.
func (f *fixture) byID(t *testing.T, key string, foreign bool, r *route, id string) string {
	t.Helper()
	path := strings.NewReplacer("{id}", id, "{number}", "1").Replace(r.path)
	media := ""
	if len(r.takes) > 0 {
		media = r.takes[0]
	}
	body := bodyOf[r.id]
	if r.ofApplicant {
		body += "&_applicant=" + f.served(key)
	}
	got := ask(f.Staff(), key, r.method, path, media, []byte(body))
	request := got.header.Get("X-Request-Id")
	if got.status != 404 {
		t.Errorf("%s %s: %d %s", r.id, id, got.status, got.body)
	}
	code := f.Clerk.Office
	if foreign {
		code = foreignOffice
	}
	if !slices.ContainsFunc(f.entriesOf(got), func(e audit.Record) bool {
		return e.Office == code && (e.Object == id || e.Object == "") && strings.HasPrefix(e.Result, "not_found:") && e.Purpose != ""
	}) {
		t.Errorf("%s %s: not in the log", r.id, id)
	}
	return strings.ReplaceAll(string(got.body), request, "")
}

// ableTo is a role that has the permission.
func ableTo(p office.Permission) office.Role {
	if p == oneself {
		return office.Clerk
	}
	for _, r := range office.Roles() {
		if r.Permissions()[string(p)] {
			return r
		}
	}
	return ""
}

func (f *fixture) sameAnswer(t *testing.T, r *route, id, want, got string) {
	t.Helper()
	if got != want {
		t.Errorf("%s %s: %s, want %s", r.id, id, got, want)
	}
}

// foreignInBodies: the same for ids in bodies and queries.
func (f *fixture) foreignInBodies(t *testing.T, made map[string]string) {
	t.Helper()
	plain := func(key, method, path, body string) string {
		r := f.do(key, method, path, body)
		return strings.ReplaceAll(fmt.Sprint(r.status, string(r.body)), r.header.Get("X-Request-Id"), "")
	}
	for _, c := range []struct{ method, path, body, real, unknown string }{
		{"POST", "/prints", `{"certificates":["ID"]}`, made["certificates"], "ABCDEFGHJKLM"},
		{"GET", "/certificates?application=ID", "", made["applications"], nobody},
		{"GET", "/approvals?object=ID", "", made["imports"], nobody},
		{"GET", "/applications?cursor=ID", "", made["applications"], "ffffffff-ffff-7fff-bfff-ffffffffffff"},
		{"GET", "/certificates?cursor=ID", "", made["certificates"], "ZZZZZZZZZZZZ"},
	} {
		with := func(id string) string {
			return plain(f.foreign, c.method, strings.ReplaceAll(c.path, "ID", id), strings.ReplaceAll(c.body, "ID", id))
		}
		if a, b := with(c.real), with(c.unknown); a != b {
			t.Errorf("%s %s tells another office's id from an unknown one:\n%s\n%s", c.method, c.path, a, b)
		}
	}
}

// T-ORACLE (L-13, S-015): to whom it is not told who is in the register, an answer
// says nothing of it, in no byte. Strangers have no route that looks a person up;
// their one question, a code, is judged without the database, so that the same code
// has the same answer whether its person is in the register, has no record, or never
// was there. The staff face tells its clerks, by design, and counts it as a look-up.
func TestOracle(t *testing.T) {
	f := newFixture(t)
	t.Run("public", func(t *testing.T) {
		for _, r := range f.routes() {
			if r.faces[0] == publicFace && r.looksUp {
				t.Errorf("%s looks a person up", r.id)
			}
		}
		id := f.issued(t, certificate.Travel)
		codes := f.do(f.clerk, "GET", certificatePath(id, "/codes"), "").json(t)["codes"].([]any)
		judge := func() (all []byte) {
			for _, c := range codes {
				r := ask(f.Public(), "", "POST", prefix+"/verify", "text/plain", []byte(c.(map[string]any)["text"].(string)))
				f.want(t, r, 200, "")
				all = append(all, r.body...)
			}
			return all
		}
		before := judge()
		if len(codes) != 2 || !bytes.Contains(before, []byte(`"valid"`)) {
			t.Fatalf("%d codes: %s", len(codes), before)
		}
		if err := f.Store.Close(); err != nil { // nobody is in a register that is gone
			t.Fatal(err)
		}
		if after := judge(); !bytes.Equal(before, after) {
			t.Errorf("the answer depends on the database:\n%s\n%s", before, after)
		}
	})
	t.Run("sign-in", func(t *testing.T) {
		f := newFixture(t)
		shape := func(key string) string {
			r := ask(f.Staff(), key, "GET", prefix+"/applications", "", nil)
			request := r.header.Get("X-Request-Id")
			r.header.Del("X-Request-Id")
			return strings.ReplaceAll(fmt.Sprint(r.status, r.header, string(r.body)), request, "")
		}
		const secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
		want := shape("akashi_" + f.Clerk.Office + "_" + secret) // a wrong secret of an office that is there
		for name, key := range map[string]string{"office that is not there": "akashi_900028_" + secret, "key of another office": "akashi_" + foreignOffice + "_" + secret} {
			if got := shape(key); got != want {
				t.Errorf("%s: %s, want %s", name, got, want)
			}
		}
	})
}
