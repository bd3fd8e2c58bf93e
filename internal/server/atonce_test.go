package server

import (
	"encoding/json"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"testing"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/cli"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit"
)

// Issue 6, section 3: people at the counter do everything to the same application at the same
// moment, through the pages: nobody meets an error of the service, of two decisions one is
// told that it came late and the other stands with what was written, and there are never
// two certificates, nor a copy that nobody has.
func TestClerksAtOnce(t *testing.T) {
	t.Run("sqlite", func(t *testing.T) { newFixture(t).atOnce(t) })
	t.Run("postgres", func(t *testing.T) {
		d := testkit.Postgres(t)
		newFixtureOn(t, cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL)}).atOnce(t)
	})
}

// act is something that somebody does on a page.
type act struct{ session, method, path, fields string }

// race does all acts at once and returns the answers in their order.
func (f *fixture) race(t *testing.T, acts ...act) []reply {
	t.Helper()
	replies := make([]reply, len(acts))
	begin := make(chan struct{})
	var all sync.WaitGroup
	for n, a := range acts {
		all.Go(func() {
			<-begin
			replies[n] = f.page(a.session, a.method, a.path, a.fields)
		})
	}
	close(begin)
	all.Wait()
	for n, r := range replies {
		if r.status >= 500 || r.status == 400 {
			t.Errorf("error/%s %s: %d %s", acts[n].method, acts[n].path, r.status, r.body)
		}
	}
	return replies
}

func (f *fixture) atOnce(t *testing.T) {
	other := f.SignIn(t, cli.TestOffice+"-other", office.Clerk)
	approver := f.SignIn(t, cli.TestOffice+"-at-once", office.Approver)
	met := map[string]int{}
	for round := range 8 {
		f.decideAtOnce(t, other, approver, met)
		f.issueAtOnce(t, other, round%4 == 0, round%4 == 1, met)
	}
	t.Logf("met %v", met)
	if met["decided late"] == 0 || met["issued"] == 0 || met["made again 1, revoked false"] == 0 {
		t.Error("nobody was in anybody's way")
	}
}

// decideAtOnce lets three people judge what waits, and a fourth withdraw it.
func (f *fixture) decideAtOnce(t *testing.T, other, approver string, met map[string]int) {
	held := strings.NewReplacer("0000000001", "", "桜井", "見本", "澪", "太郎", "1991-02-18", "1958-11-03").Replace(form(certificate.Domestic))
	made := f.do(f.clerk, "POST", "/applications", held)
	f.want(t, made, 201, "")
	id := made.json(t)["id"].(string)
	r := f.do(f.clerk, "POST", "/applications/"+id+"/submit", "")
	if f.want(t, r, 200, ""); r.json(t)["state"] != "review" {
		t.Fatalf("it does not wait: %s", r.body)
	}
	path := "/counter/applications/" + id
	decide := func(session, outcome, why string) act {
		v := url.Values{"outcome": {outcome}, "reason": {why}, "version:int": {fmt.Sprint(r.json(t)["version"])}}
		return act{session, "POST", path + "/decision", v.Encode()}
	}
	whys := []string{"台帳で確認した", "別人である", "通知を見た"}
	acts := []act{decide(f.clerk, "approve", whys[0]), decide(other, "reject", whys[1]), decide(approver, "ask", whys[2]), {other, "POST", path + "/withdraw", ""}, {f.clerk, "GET", path, ""}}
	got := f.race(t, acts...)
	now := f.application(t, id)
	stands := ""
	for n, why := range whys {
		switch {
		case got[n].status == 303 && stands != "":
			t.Errorf("error/decided twice: %q and %q", stands, why)
		case got[n].status == 303:
			stands = why
		default:
			met["decided late"]++
		}
	}
	if withdrawn := got[3].status == 303; withdrawn != (now.State == application.Withdrawn) {
		t.Errorf("error/withdrawn %v: %s", withdrawn, now.State)
	}
	if stands == "" && now.State != application.Withdrawn || stands != "" && (now.Decision == nil || now.Decision.Reason != stands) {
		t.Errorf("error/%q was written, and there stands %+v", stands, now.Decision)
	}
}

// issueAtOnce lets two clerks issue, check again, print and make again the same, and an
// officer revoke it; withdrawing and revoking are the faster and not always there.
func (f *fixture) issueAtOnce(t *testing.T, other string, withdraw, revoke bool, met map[string]int) {
	id := f.approved(t, certificate.Travel)
	path := "/counter/applications/" + id
	preview := hiddenPreview.FindSubmatch(f.page(f.clerk, "GET", path, "").body)
	if preview == nil {
		t.Fatal("no preview")
	}
	seen := "preview=" + string(preview[1])
	fourth := act{other, "GET", path, ""}
	if withdraw {
		fourth = act{other, "POST", path + "/withdraw", ""}
	}
	got := f.race(t,
		act{f.clerk, "POST", path + "/issue", seen + "&_key=a" + id}, act{other, "POST", path + "/issue", seen + "&_print=yes&_key=b" + id},
		act{f.clerk, "POST", path + "/issue", seen + "&_key=a" + id}, fourth, act{f.clerk, "POST", path + "/submit", ""})
	issued := 0
	for _, r := range got[:3] {
		issued += ok(r)
	}
	state, live := f.application(t, id).State, f.certificatesOf(t, id, issuance.Issued)
	if withdrawn := got[3].status == 303; withdrawn == (state == application.Fulfilled) || withdrawn != (state == application.Withdrawn) {
		t.Errorf("error/withdrawn %v: %s", withdrawn, state)
	}
	if len(live) > 1 || (len(live) == 1) != (state == application.Fulfilled) || issued > 0 && len(live) == 0 {
		t.Errorf("error/%d were told of a certificate, %d are there, the application is %s", issued, len(live), state)
	}
	if len(live) == 0 {
		met["withdrawn"]++
		return
	}
	met["issued"]++
	copies := ok(got[1])
	certificate := "/counter/certificates/" + live[0].Certificate.ID
	receipt := "/counter/applications/" + id + "/papers/receipt"
	third := act{f.officer, "GET", certificate, ""}
	if revoke {
		third = act{f.officer, "POST", certificate + "/revoke", "reason=issued_by_mistake"}
	}
	got = f.race(t,
		act{f.clerk, "POST", certificate + "/reissue", "reason=lost"}, act{other, "POST", certificate + "/reissue", "reason=correction"}, third, act{f.clerk, "GET", receipt, ""}, act{other, "GET", certificate, ""},
		act{f.clerk, "POST", certificate + "/print", "_key=c" + id}, act{other, "POST", certificate + "/print", "_key=d" + id}, act{other, "POST", certificate + "/print", "_key=d" + id})
	live = f.certificatesOf(t, id, issuance.Issued)
	again, revoked := ok(got[0])+ok(got[1]), got[2].status == 303
	if again > 1 || len(live) > 1 || again == 1 && len(live) == 0 && !revoked || again == 0 && revoked && len(live) != 0 {
		t.Errorf("error/made again %d times, revoked %v, %d in force", again, revoked, len(live))
	}
	f.copiesOf(t, strings.TrimPrefix(certificate, "/counter"), copies+ok(got[5])+max(ok(got[6]), ok(got[7])))
	met[fmt.Sprintf("made again %d, revoked %v", again, revoked)]++
}

// ok is 1 for what was done.
func ok(r reply) int {
	if r.status < 400 {
		return 1
	}
	return 0
}

// copiesOf looks whether each copy of a certificate that somebody has is there, once.
func (f *fixture) copiesOf(t *testing.T, path string, want int) {
	t.Helper()
	r := f.do(f.clerk, "GET", path+"/prints", "")
	f.want(t, r, 200, "")
	var list printList
	if err := json.Unmarshal(r.body, &list); err != nil || len(list.Prints) != want || list.Certificate.Copies != want {
		t.Errorf("error/%d copies in the list, %d counted, %d printed: %v", len(list.Prints), list.Certificate.Copies, want, err)
	}
	for n, p := range list.Prints {
		if p.Number != n+1 {
			t.Errorf("error/copy %d is numbered %d", n+1, p.Number)
		}
	}
}

func (f *fixture) application(t *testing.T, id string) application.Application {
	t.Helper()
	a, err := f.World.Applications.Get(t.Context(), f.Clerk, id)
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func (f *fixture) certificatesOf(t *testing.T, id string, state issuance.State) []issuance.Issue {
	t.Helper()
	list, err := f.World.Issuance.List(t.Context(), f.Clerk, issuance.Filter{Application: id, State: state, Limit: 50})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
