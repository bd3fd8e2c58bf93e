package server

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/testkit/world"
)

// Issue 5, section 1: a yellow card over HTTP, from the application to its renewal.
func TestYellowCard(t *testing.T) {
	f := newFixture(t)
	f.BringInternational(t)
	id := f.issued(t, certificate.International)
	r := f.do(f.clerk, "GET", "/certificates/"+id, "")
	f.want(t, r, 200, "")
	got := r.json(t)
	if got["kind"] != "icvp" || got["programme"] != "yellow_fever" || got["families"].([]any)[0] != "icvp" || got["renew_by"] == nil {
		t.Errorf("ok/certificate: %s", r.body)
	}
	codes := f.do(f.clerk, "GET", "/certificates/"+id+"/codes", "").json(t)["codes"].([]any)
	code := codes[0].(map[string]any)
	text := code["text"].(string)
	if len(codes) != 1 || code["dose"] != 1.0 || !strings.HasPrefix(text, "HC1:") {
		t.Fatalf("ok/codes: %v", codes)
	}
	v := ask(f.Public(), "", "POST", prefix+"/verify", "text/plain; charset=utf-8", []byte(text))
	f.want(t, v, 200, "")
	if !strings.Contains(string(v.body), `"outcome":"valid"`) {
		t.Errorf("ok/verified by a stranger: %s", v.body)
	}
	f.want(t, f.do(f.clerk, "GET", "/certificates/"+id+"/card", ""), 404, "card")

	listed := func(days string) (ids []string) {
		r := f.do(f.clerk, "GET", "/certificates?renew_within="+days, "")
		f.want(t, r, 200, "")
		for _, c := range r.json(t)["certificates"].([]any) {
			ids = append(ids, c.(map[string]any)["id"].(string))
		}
		return ids
	}
	if got := listed("30"); got != nil {
		t.Errorf("ok/nothing to renew: %v", got)
	}
	if got := listed("732"); !slices.Equal(got, []string{id}) {
		t.Errorf("ok/to renew: %v", got)
	}
	for _, days := range []string{"0", "733", "x", "-1"} {
		f.want(t, f.do(f.clerk, "GET", "/certificates?renew_within="+days, ""), 400, "unknown_value")
	}
	made := f.do(f.clerk, "POST", "/certificates/"+id+"/reissue", `{"reason":"renewal"}`)
	f.want(t, made, 201, "")
	if now := made.json(t)["id"].(string); now == id || !slices.Equal(listed("732"), []string{now}) {
		t.Errorf("ok/renewed: %v", listed("732"))
	}

	for name, c := range map[string]struct{ old, with, code string }{
		"error/programme of another kind": {`"kind":"icvp"`, `"kind":"icvp","programme":"covid19"`, "unknown_value"},
		"error/guardian not in Latin":     {`"birth_date"`, `"guardian":"桜井","birth_date"`, "not_latin"},
	} {
		f.want(t, f.do(f.clerk, "POST", "/applications", strings.Replace(form(certificate.International), c.old, c.with, 1)), 400, c.code)
		if t.Failed() {
			t.Log(name)
		}
	}
	f.want(t, f.do(f.clerk, "POST", "/applications", strings.Replace(form(certificate.Travel), `"birth_date"`, `"guardian":"SAKURAI Jun","birth_date"`, 1)), 400, "only_international")
}

// Issue 5, section 2: an outsider learns whether a dose against polio counts for a day of departure.
func TestVerifyForDeparture(t *testing.T) {
	f := newFixture(t)
	f.BringSamples(t)
	f.BringInternational(t)
	issued, _, err := f.World.Issuance.Issue(t.Context(), f.World.Clerk, f.ApprovedForm(t, world.ChildForm()))
	if err != nil || len(issued.Payloads) != 2 {
		t.Fatal(len(issued.Payloads), err)
	}
	verify := func(members string) reply {
		text, err := json.Marshal(issued.Payloads[0].Text) // given on 2026-09-07
		if err != nil {
			t.Fatal(err)
		}
		return ask(f.Public(), "", "POST", prefix+"/verify", "application/json", []byte(`{"text":`+string(text)+members+`}`))
	}
	for day, want := range map[string]string{"2026-12-01": "ok polio_in_window", "2026-09-20": "unknown polio_if_urgent", "2027-09-08": "failed polio_too_old"} {
		r := verify(`,"departure":"` + day + `"`)
		f.want(t, r, 200, "")
		var got verdictsBody
		if err := json.Unmarshal(r.body, &got); err != nil || len(got.Departures) != 1 {
			t.Fatalf("%s: %v %s", day, err, r.body)
		}
		d := got.Departures[0]
		if said := string(d.Result) + " " + d.Code; said != want || got.Verdicts[0].Outcome != "valid" || got.Sentences[d.Code].Next.FR == "" {
			t.Errorf("ok/%s: %s %s", day, said, got.Verdicts[0].Outcome)
		}
	}
	if r := verify(""); bytes.Contains(r.body, []byte("departure")) {
		t.Errorf("ok/not asked for: %s", r.body)
	}
	for _, day := range []string{"2026-12", "2026-02-30", "soon"} {
		f.want(t, verify(`,"departure":"`+day+`"`), 400, "date")
	}
}

// Issue 6, section 1: a yellow card from the form on a page to its paper; what belongs to it is
// not sent with another kind.
func TestYellowCardAtTheCounter(t *testing.T) {
	f := newFixture(t)
	f.BringInternational(t)
	first := f.page(f.clerk, "GET", "/counter", "")
	f.want(t, first, 200, "")
	token := string(hiddenApplicant.FindSubmatch(first.body)[1])
	if !bytes.Contains(first.body, []byte(`value="yellow_fever"`)) || !bytes.Contains(first.body, []byte(`name="subject.guardian"`)) {
		t.Error("ok/form: nothing of an international certificate")
	}
	for n, kind := range []string{"icvp", "travel"} {
		made := f.page(f.clerk, "POST", "/counter", plainForm("_applicant", token, "kind", kind, "programme", "yellow_fever", "_key", kind))
		f.want(t, made, 303, "")
		paper := f.page(f.clerk, "POST", made.header.Get("Location")+"/issue", "_print=yes&_key=k"+kind)
		if f.want(t, paper, 200, ""); !bytes.HasPrefix(paper.body, []byte("%PDF")) {
			t.Errorf("ok/%d: %.20s", n, paper.body)
		}
	}
	wrong := f.page(f.clerk, "POST", "/counter", plainForm("_applicant", token, "kind", "icvp", "subject.guardian", "桜井", "_key", "x"))
	if f.want(t, wrong, 400, ""); !bytes.Contains(wrong.body, []byte("ローマ字で")) {
		t.Errorf("error/guardian: %.300s", wrong.body)
	}
}
