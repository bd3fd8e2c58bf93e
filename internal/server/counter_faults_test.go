package server

import (
	"encoding/json"
	"html"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

// programWords are words that only programs and those who write them have: codes, and terms
// of the API and of what it runs on (issue 6, L3).
var programWords = regexp.MustCompile(`\b[a-z]+(?:_[a-z0-9]+)+\b|\{[a-z]+\}|` +
	`(?i:\b(?:api|boolean|body|bytes?|cursor|database|enum|header|http|https|idempotency|integer|json|member|next of|null|parameter|payload|query|regex|request id|schema|string|uuid|yyyy)\b)|` +
	`パラメータ|ヘッダ|データベース|要求番号|バイト|(?i:idempotency-key)`)

// typedIn are faults whose sentences quote what has to stand in a file, letter by letter.
var typedIn = []string{"roster_file", "status_code"}

// arguments that faults have, beside limits.
func arguments() map[string][]string {
	states := []string{"staged", "refused", "committed", "withdrawn", "prepared", "issued", "superseded", "revoked", "failed", "announced", "active", "retired", "compromised"}
	for _, s := range application.States() {
		states = append(states, string(s))
	}
	return map[string][]string{
		"state": states, "from": states, "to": states, "max": {"100"}, "seconds": {"30"}, "certificate": {"ABCDEFGHJKLM"},
		"reason": {"record_not_found", "record_anomaly", "wrong_code_of_ours", "key_gone", "predecessor_not_issued"}, "detail": {"date_order"}, "fields": {"name, birth_date"},
		"era": {"平成"}, "latin": {"Heisei"}, "begins": {"1989-01-08（平成元年1月8日）"}, "ends": {"2019-04-30（平成31年4月30日）"},
	}
}

// Every fault reads on a page, at its field and above it, as a sentence for a clerk: with its
// arguments, of whatever value, and without them, as in the log (issue 6, L3).
func TestFaultsInOfficeWords(t *testing.T) {
	keys := faultKeys(t)
	for key := range messages {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	if len(keys) < 250 {
		t.Fatalf("only %d keys", len(keys))
	}
	for _, key := range keys {
		filled := []map[string]string{nil}
		for name, values := range arguments() {
			for _, v := range values {
				filled = append(filled, map[string]string{name: v})
			}
		}
		seen := map[string]bool{}
		for _, args := range filled {
			p := problemOf(&fault.Error{Code: fault.Conflict, Key: key, Field: "subject.birth_date", Args: args}, "")
			if seen[p.JA+p.EN] {
				continue
			}
			seen[p.JA+p.EN] = true
			judgeSentence(t, key, onPage(t, p))
		}
	}
}

// onPage is what a page says of a problem: above, and at a field of a form.
func onPage(t *testing.T, p problem) string {
	t.Helper()
	var f counter.Form
	above := told(&f, p)
	b, err := counter.Render("message", counter.Frame{Said: above}, struct{ Back string }{"/counter"})
	if err != nil {
		t.Fatal(err)
	}
	_, said, _ := strings.Cut(string(b), `id="said"`)
	said, _, found := strings.Cut(said, "</main>")
	if !found || !strings.Contains(said, html.EscapeString(p.EN)) {
		t.Fatalf("%s is not said on the page: %s", p.Code, b)
	}
	text := html.UnescapeString(markup.ReplaceAllString(said, " "))
	for _, w := range f.Faults {
		text += " " + w.JA + " " + w.EN
	}
	return text
}

func judgeSentence(t *testing.T, key, text string) {
	t.Helper()
	if found := programWords.FindAllString(text, -1); found != nil && !slices.Contains(typedIn, key) {
		t.Errorf("error/%s: %q in %s", key, found, strings.Join(strings.Fields(text), " "))
	}
	if !strings.Contains(text, "。") || !strings.Contains(text, ".") || strings.Contains(text, "（）") || strings.Contains(text, "()") {
		t.Errorf("error/%s is no sentence in both languages: %s", key, strings.Join(strings.Fields(text), " "))
	}
}

// So do the findings in files, the reasons for which an application is held, and the
// words of the pages themselves.
func TestWordsOfPages(t *testing.T) {
	judge := func(key string, texts ...string) {
		for _, text := range texts {
			if found := programWords.FindAllString(regexp.MustCompile(`\{detail\}`).ReplaceAllString(text, ""), -1); found != nil && !slices.Contains(typedIn, key) {
				t.Errorf("error/%s: %q in %s", key, found, text)
			}
		}
	}
	read := func(path string, into any) {
		b, err := os.ReadFile(path)
		if err == nil {
			err = json.Unmarshal(b, into)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var rows map[string]vaccination.Text
	read("../vaccination/messages.json", &rows)
	for key, text := range rows {
		judge(key, text.JA, text.EN)
	}
	words, err := filepath.Glob("../counter/words/*.json")
	if err != nil || len(words) < 15 {
		t.Fatalf("%d files, %v", len(words), err)
	}
	for _, path := range append(words, "../application/sentences.json") {
		var of map[string][2]string
		read(path, &of)
		for key, text := range of {
			judge(key, text[0], text[1])
		}
	}
}

// The API keeps what programs need beside the sentence, with its arguments.
func TestDetailForPrograms(t *testing.T) {
	for key, want := range map[string]string{"cursor": "Use the next of the last answer", "unknown_value": "see allowed", "body_too_large": "at most 65536 bytes", "json_syntax": "JSON"} {
		p := problemOf(fault.New(fault.Invalid, key, "").With("max", "65536"), "")
		if !strings.Contains(p.Detail, want) || strings.Contains(p.EN, want) {
			t.Errorf("%s: %q, %q", key, p.Detail, p.EN)
		}
	}
	if p := problemOf(fault.New(fault.TooLarge, "body_too_large", "").With("max", "65536"), ""); !strings.Contains(p.JA, "64 KB") {
		t.Errorf("ok/size: %s", p.JA)
	}
}
