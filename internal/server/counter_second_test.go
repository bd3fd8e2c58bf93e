package server

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/office"
)

// A valid certificate of the same kind, holder and passport is named before another is
// issued, with what to do instead; whoever goes on says why, which is stored and logged.
func TestSecondCertificate(t *testing.T) {
	f := newFixture(t)
	first := f.issued(t, certificate.Travel)
	path := f.appliedBy(t, f.clerk)
	page := f.page(f.clerk, "GET", path, "")
	text := inWords(t, page)
	if !bytes.Contains(page.body, []byte(`<a href="/counter/certificates/`+first+`">`)) || !strings.Contains(text, "有効な証明書があります") || !strings.Contains(text, "作り直し") ||
		!regexp.MustCompile(`(?s)<select id="why" name="_why" required autofocus`).Match(page.body) {
		t.Fatalf("ok/named: %s", text)
	}
	digest := regexp.MustCompile(`name="preview" value="([^"]+)"`).FindSubmatch(page.body)
	shown := "preview=" + string(digest[1])
	f.at(t, f.page(f.clerk, "POST", path+"/issue", shown+"&_why="), 400, "_why")
	f.at(t, f.page(f.clerk, "POST", path+"/issue", shown+"&_why=x"), 400, "_why")
	made := f.page(f.clerk, "POST", path+"/issue", shown+"&_why=several_places")
	f.want(t, made, 303, "")
	if again := f.page(f.clerk, "POST", path+"/issue", shown+"&_why=several_places"); again.header.Get("Location") != made.header.Get("Location") {
		t.Errorf("ok/sent twice: %d %s", again.status, again.header.Get("Location"))
	}
	if text := inWords(t, f.page(f.clerk, "GET", path, "")); !strings.Contains(text, "提出先が二つ以上ある") {
		t.Errorf("ok/stored: %s", text)
	}
	today := string(f.World.Clock.Today())
	log := f.do(f.everyRole(t, cli.TestOffice)[office.Auditor], "GET", "/log?day="+today+"&action=application.justify", "")
	if f.want(t, log, 200, ""); !bytes.Contains(log.body, []byte(`"another":"several_places"`)) || bytes.Contains(log.body, []byte(first)) {
		t.Errorf("ok/logged: %s", log.body)
	}
	if r := f.do(f.clerk, "GET", "/certificates/"+first, ""); r.status != 200 || r.json(t)["state"] != "issued" {
		t.Errorf("ok/the first stays valid: %s", r.body)
	}
	for name, form := range map[string][]string{"another kind": {"kind", "domestic", "subject.birth_date", "1991-02-18", "_key", "domestic"}, "another person": samplePerson("0000000002", "見本", "太郎", "1958-11-03")} {
		if page := f.page(f.clerk, "GET", f.appliedBy(t, f.clerk, form...), ""); bytes.Contains(page.body, []byte(`name="_why"`)) || bytes.Contains(page.body, []byte(first)) {
			t.Errorf("error/%s: asked why", name)
		}
	}
}

// where no identity document is marked, the application waits for a
// clerk, who marks one or says how the person was identified.
func TestIdentityUnseen(t *testing.T) {
	f := newFixture(t)
	unseen := func(key string, seen ...string) string {
		form := append(samplePerson("0000000002", "見本", "太郎", "1958-11-03"), "_key", key, "documents[]", "")
		return f.appliedBy(t, f.clerk, append(form, seen...)...)
	}
	path := unseen("one")
	page := f.page(f.clerk, "GET", path, "")
	if text := inWords(t, page); !strings.Contains(text, "本人確認書類を確認した印がありません") || bytes.Contains(page.body, []byte(path+"/issue")) {
		t.Fatalf("error/approved though nothing was seen: %s", text)
	}
	f.want(t, f.page(f.clerk, "POST", path+"/decision", "outcome=approve&reason="), 400, "")
	f.want(t, f.page(f.clerk, "POST", path+"/decision", "outcome=approve&reason=窓口での聞き取りで確認"), 303, "")
	// Checked again, it is decided anew, and what was decided before stays with its reason.
	f.want(t, f.page(f.clerk, "POST", path+"/submit", ""), 303, "")
	f.holds(t, f.page(f.clerk, "GET", path, ""), "以前の決定", "窓口での聞き取りで確認")
	log := f.do(f.everyRole(t, cli.TestOffice)[office.Auditor], "GET", "/log?day="+string(f.World.Clock.Today())+"&action=application.submit", "")
	if f.want(t, log, 200, ""); !bytes.Contains(log.body, []byte(`"earlier_decision":"approve"`)) {
		t.Errorf("error/the log does not tell that a decision counts no more: %s", log.body)
	}
	f.want(t, f.page(f.clerk, "POST", path+"/decision", "outcome=approve&reason=もう一度確認"), 303, "")
	f.want(t, f.page(f.clerk, "POST", path+"/issue", ""), 303, "")
	if page := f.page(f.clerk, "GET", unseen("two", "documents[]", "driving_licence"), ""); !bytes.Contains(page.body, []byte(`/issue"`)) {
		t.Errorf("ok/seen: %s", inWords(t, page))
	}
	form := f.page(f.clerk, "GET", "/counter", "")
	if !bytes.Contains(form.body, []byte(`<input type="hidden" name="documents[]" value="">`)) {
		t.Error("error/a form without a mark does not say that nothing was seen")
	}
}

// A ticket number that is none stands at its field with how to write it, before anything is
// asked or made; blanks, hyphens and width are no mistakes.
func TestTicketTyped(t *testing.T) {
	f := newFixture(t)
	for _, typed := range []string{"123456789", "12345678901", "00000O0001", "21900001000000000", "番号なし"} {
		got := f.page(f.clerk, "POST", "/counter", plainForm("subject.ticket_number", typed, "_key", "t"))
		f.at(t, got, 400, "subject.ticket_number")
		if text := inWords(t, got); !strings.Contains(text, "数字10桁") || !strings.Contains(text, "10 digits") || !regexp.MustCompile(`(?s)name="subject.ticket_number" value="[^"]+"[^>]*aria-invalid`).Match(got.body) ||
			!bytes.Contains(got.body, []byte(`value="桜井"`)) {
			t.Errorf("error/%s: %s", typed, text)
		}
	}
	if r := f.do(f.clerk, "GET", "/applications", ""); len(r.json(t)["applications"].([]any)) != 0 {
		t.Errorf("error/something was made: %s", r.body)
	}
	for _, typed := range []string{"000000-0001", "０００００００００１", "00000 00001", "219000010000000001"} {
		f.want(t, f.page(f.clerk, "POST", "/counter", plainForm("subject.ticket_number", typed, "_key", "k"+strings.Map(func(r rune) rune {
			if r > '9' {
				return 'w'
			}
			return r
		}, typed))), 303, "")
	}
}
