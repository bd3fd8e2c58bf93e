package server

import (
	"bytes"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"akashi/internal/cli"
)

// reading are the acts by which a page is shown.
var reading = []string{".read", ".list", ".preview", ".history", ".read_request", ".list_requests", ".compose", ".files"}

// changed are the acts of a call that did something.
func (f *fixture) changed(r reply) (list []string) {
	for _, act := range f.actsOf(r) {
		what, result, _ := strings.Cut(act, " ")
		_, verb, _ := strings.Cut(what, ".")
		if result == "ok" && !strings.Contains(strings.Join(reading, " ")+" ", "."+verb+" ") {
			list = append(list, act)
		}
	}
	return list
}

// Issue 6: a form that no page of ours sends, to every route that takes one, by who may:
// with a field twice, with an empty version, without the applicant being served or with
// another, or empty though the act needs fields. It is refused on a page that says so,
// and nothing happens.
func TestForgedForms(t *testing.T) {
	f := newFixture(t)
	people, made, tried := f.everyRole(t, cli.TestOffice), map[string]string{}, 0
	for _, r := range f.routes() {
		if len(r.takes) == 0 || r.takes[0] != formType[0] || r.id == "call-next-person" || r.id == "leave" { // which need nothing, and read nothing
			continue
		}
		path := r.path
		if strings.Contains(path, "{id}") {
			word, _, _ := strings.Cut(strings.TrimPrefix(path, "/counter/"), "/")
			if made[word] == "" {
				made[word] = kindsOfID[word].make(f, t)
			}
			path = strings.Replace(path, "{id}", made[word], 1)
		}
		key := people[ableTo(r.permission)]
		good := bodyOf[r.id]
		if good == "" {
			good = "kind=domestic"
		}
		fields, err := url.ParseQuery(good)
		if err != nil {
			t.Fatal(err)
		}
		mine := "&_applicant=" + f.served(key)
		forged := map[string]string{
			"400 unreadable":        "%zz",
			"400 an unknown twice":  good + mine + "&x=1&x=2",
			"400 an empty version":  good + mine + "&version%3Aint=",
			"400 no number":         good + mine + "&version%3Aint=1e9",
			"400 the version twice": good + mine + "&version%3Aint=1&version%3Aint=2",
			"400 the key twice":     good + mine + "&_key=a&_key=b",
			"400 applicant twice":   good + mine + mine,
		}
		for name := range fields {
			if !strings.Contains(name, "[]") {
				forged["400 twice: "+name] = good + mine + "&" + url.QueryEscape(name) + "=x"
			}
		}
		if r.ofApplicant {
			forged["400 no applicant"], forged["400 nobody"] = good, good+"&_applicant="
			forged["409 another applicant"] = good + "&_applicant=x"
		}
		if r.in != nil && r.id != "send-by-mail" && r.id != "issue-at-counter" { // which may be empty
			forged["4 empty"] = strings.TrimPrefix(mine, "&")
		}
		for name, form := range forged {
			got := ask(f.Staff(), key, r.method, path, formType[0], []byte(form), asBrowser)
			want, _, _ := strings.Cut(name, " ")
			if status := strconv.Itoa(got.status); !strings.HasPrefix(status, want) || !bytes.Contains(got.body, []byte("<html")) || !bytes.Contains(got.body, []byte(`class="said error"`)) {
				t.Errorf("%s, %s: %d %.200s", r.id, name, got.status, got.body)
			}
			if did := f.changed(got); len(did) > 0 {
				t.Errorf("%s, %s: did %v", r.id, name, did)
			}
			tried++
		}
	}
	if tried < 300 {
		t.Errorf("only %d forms tried", tried)
	}
}
