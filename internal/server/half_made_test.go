package server

import (
	"bytes"
	"testing"

	"akashi/certificate"
)

// left leaves the certificate of an application half made, as a process does that dies
// when its intent is stored.
func (f *fixture) left(t *testing.T, application string) {
	t.Helper()
	f.Server.Issuance.Point = func(name string) {
		if name == "intent_stored" {
			panic("the process dies")
		}
	}
	func() {
		defer func() { _ = recover() }()
		_, _, _ = f.Server.Issuance.Issue(t.Context(), f.Clerk, application)
	}()
	f.Server.Issuance.Point = nil
}

// Issue 6, section 3: a certificate that was half made when its process died is being
// finished: its page says so and has no button, issuing again makes no second one, and
// a minute later it is there.
func TestHalfMade(t *testing.T) {
	f := newFixture(t)
	id := f.approved(t, certificate.Travel)
	page, issue := "/counter/applications/"+id, []byte("/issue\"")
	if r := f.page(f.clerk, "GET", page, ""); !bytes.Contains(r.body, issue) {
		t.Fatal("ok/no button before")
	}
	f.left(t, id)
	shown := f.page(f.clerk, "GET", page, "")
	if f.holds(t, shown, "仕上げているところです", "1 分ほど待って", "being finished", "開き直す"); bytes.Contains(shown.body, issue) || bytes.Contains(shown.body, []byte(`class="refused"`)) {
		t.Errorf("ok/half made: %s", shown.body)
	}
	f.want(t, f.do(f.clerk, "GET", "/applications/"+id+"/preview.pdf", ""), 409, "issue_in_progress")
	again := f.page(f.clerk, "POST", page+"/issue", "_key=again", asBrowser)
	if again.status != 409 || !bytes.Contains(again.body, []byte(`class="said wait" role="status"`)) || !bytes.Contains(again.body, []byte("仕上げているところです")) {
		t.Errorf("error/issued again: %d %s", again.status, again.body)
	}
	if r, err := f.Server.Issuance.Recover(t.Context(), 0); err != nil || r.Finished != 1 {
		t.Fatalf("recovered %+v %v", r, err)
	}
	f.holds(t, f.page(f.clerk, "GET", page, ""), "/counter/certificates/")
	made := f.do(f.clerk, "POST", "/applications/"+id+"/certificate", "")
	f.want(t, made, 200, "")
	if list := f.do(f.clerk, "GET", "/certificates?application="+id, "").json(t)["certificates"].([]any); len(list) != 1 {
		t.Errorf("ok/%d certificates", len(list))
	}
}

// Issue 6: who makes a certificate again that somebody else has just made again is told
// in plain words, with a way to the new one.
func TestReissuedMeanwhile(t *testing.T) {
	f := newFixture(t)
	old := "/counter/certificates/" + f.issued(t, certificate.Travel)
	won := f.page(f.clerk, "POST", old+"/reissue", "reason=lost")
	f.want(t, won, 303, "")
	lost := f.page(f.officer, "POST", old+"/reissue", "reason=lost", asBrowser)
	if lost.status != 409 || !bytes.Contains(lost.body, []byte("すでに作り直されています")) || !bytes.Contains(lost.body, []byte(`<a href="`+won.header.Get("Location")+`"><span lang="ja">新しい証明書を開く`)) {
		t.Errorf("error/reissued meanwhile: %d %s", lost.status, lost.body)
	}
}
