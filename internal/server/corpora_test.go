package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"akashi/certificate"
	"akashi/internal/testkit"
	"akashi/internal/vaccination"
)

// hostileTexts are the naughty strings, the formulas of spreadsheets and the hostile names.
func hostileTexts(t *testing.T) (all []string) {
	t.Helper()
	if err := json.Unmarshal(testkit.Read(t, "security/naughty/blns.json"), &all); err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"security/csv/csv-injection.json", "security/own/names.json"} {
		var list []struct{ Value string }
		if err := json.Unmarshal(testkit.Read(t, file), &list); err != nil {
			t.Fatal(err)
		}
		for _, c := range list {
			all = append(all, c.Value)
		}
	}
	if len(all) < 400 {
		t.Fatalf("only %d texts", len(all))
	}
	return all
}

// formWith is an application for travel with a text in the field at the path.
func formWith(t *testing.T, text string, path ...string) []byte {
	t.Helper()
	var m map[string]any
	if err := json.Unmarshal([]byte(form(certificate.Travel)), &m); err != nil {
		t.Fatal(err)
	}
	m["applicant"].(map[string]any)["name"] = map[string]any{"family": "山田", "given": "花"}
	m["passport"].(map[string]any)["alternative"] = map[string]any{}
	if at := m; path[0] == "documents" {
		m["documents"] = []string{text}
	} else {
		for _, p := range path[:len(path)-1] {
			at = at[p].(map[string]any)
		}
		at[path[len(path)-1]] = text
	}
	b, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// textFields are all texts that an application has.
var textFields = [][]string{
	{"subject", "name", "family"}, {"subject", "name", "given"}, {"subject", "former_name"}, {"subject", "ticket_number"}, {"subject", "address_number"},
	{"subject", "birth_date"}, {"applicant", "name", "family"}, {"applicant", "name", "given"}, {"applicant", "proof"}, {"applicant", "relationship"},
	{"passport", "data_page_name", "primary"}, {"passport", "data_page_name", "secondary"}, {"passport", "alternative", "surname"},
	{"passport", "alternative", "given_name"}, {"passport", "mrz"}, {"notice_version"}, {"documents", "0"}, {"programme"}, {"channel"}, {"kind"},
}

// stable tells whether a refusal is one that the contract knows: a problem with a
// code that has sentences, and nothing of what was sent.
func stable(r reply, sent string) error {
	var p problem
	if err := json.Unmarshal(r.body, &p); err != nil || !utf8.Valid(r.body) {
		return fmt.Errorf("%d: no problem: %w %.200s", r.status, err, r.body)
	}
	_, known := messages[p.Code]
	if _, of := vaccination.Sentence(p.Code); !known && !of || p.Code == "internal" || r.status >= 500 {
		return fmt.Errorf("%d %s", r.status, p.Code)
	}
	if len(sent) > 12 && bytes.Contains(r.body, []byte(sent)) {
		return fmt.Errorf("%s repeats what was sent", p.Code)
	}
	return nil
}

// Threats 4, S-035, S-036, second order: hostile texts in every field of every
// route. What is taken comes back as it was given, in JSON that can be read, also
// after it was checked; what is refused is refused with a stable code; nothing fails.
func TestHostileTexts(t *testing.T) {
	f := newFixture(t)
	texts := hostileTexts(t)
	var kept []string
	refused := map[string]int{}
	for i, text := range texts {
		for _, n := range []int{i, 7*i + 3} {
			path := textFields[n%len(textFields)]
			r := f.do(f.clerk, "POST", "/applications", string(formWith(t, text, path...)))
			if r.status != 201 {
				refused[r.code()]++
				if err := stable(r, text); err != nil {
					t.Errorf("%q in %v: %v", text, path, err)
				}
				continue
			}
			kept = append(kept, r.json(t)["id"].(string))
			if len(kept)%40 == 1 { // a new person's budget
				f.clerk = f.officers(t, 1)[0]
			}
			if r := f.do(f.clerk, "POST", "/applications/"+kept[len(kept)-1]+"/submit", ""); r.status != 200 {
				if err := stable(r, text); err != nil {
					t.Errorf("submit with %q in %v: %v", text, path, err)
				}
			}
			got := f.do(f.clerk, "GET", "/applications/"+kept[len(kept)-1], "")
			f.want(t, got, 200, "")
			field := got.json(t)["form"]
			for _, p := range path {
				switch at := field.(type) {
				case map[string]any:
					field = at[p]
				case []any:
					field = at[0]
				}
			}
			if lines, ok := field.(string); !ok && text != "" || ok && path[len(path)-1] != "mrz" && lines != text {
				t.Errorf("%q in %v came back as %q", text, path, field)
			}
		}
	}
	if len(kept) < 50 || len(refused) < 8 {
		t.Errorf("%d taken; refused %v", len(kept), refused)
	}
	r := f.do(f.clerk, "GET", "/applications?limit=50", "")
	f.want(t, r, 200, "")
	f.want(t, f.do(f.clerk, "GET", "/certificates", ""), 200, "")

	id := f.approved(t, certificate.Domestic)
	for i, text := range texts {
		quoted, _ := json.Marshal(text)
		for _, c := range []struct{ path, body string }{
			{"/applications/" + id + "/decision", `{"outcome":"ask","reason":` + string(quoted) + `}`},
			{"/prints", `{"certificates":[` + string(quoted) + `]}`}, {"/approvals", `{"kind":` + string(quoted) + `,"object":` + string(quoted) + `}`},
			{"/verify", `{"text":` + string(quoted) + `}`},
		}[i%4:][:1] {
			if r := f.do(f.officer, "POST", c.path, c.body); r.status >= 400 {
				if err := stable(r, text); err != nil {
					t.Errorf("%q to %s: %v", text, c.path, err)
				}
			}
		}
		if r := ask(f.Public(), "", "POST", prefix+"/verify", "text/plain", []byte(text)); text != "" && r.status != 200 && r.status != 429 {
			t.Errorf("%q to verify: %d %s", text, r.status, r.body)
		}
	}
}

// S-035: names that must be kept are kept, names that must be refused are refused,
// on the way through HTTP.
func TestHostileNames(t *testing.T) {
	f := newFixture(t)
	var cases []struct{ ID, Value, Expect string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/names.json"), &cases); err != nil {
		t.Fatal(err)
	}
	for _, c := range cases {
		r := f.do(f.clerk, "POST", "/applications", string(formWith(t, c.Value, "subject", "name", "family")))
		if want := map[string]int{"accept": 201, "reject": 400}[c.Expect]; want != 0 && r.status != want {
			t.Errorf("%s: %d %s, want %d", c.ID, r.status, r.code(), want)
		}
	}
}

// Threats 4, "MRZ text" and "CSV import": hostile zones and cells, and files that
// are none; every answer is a report or a refusal.
func TestHostileFiles(t *testing.T) {
	f := newFixture(t)
	var zones []struct{ ID, Line1, Line2, Expect string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/mrz-hostile.json"), &zones); err != nil {
		t.Fatal(err)
	}
	for _, c := range zones {
		r := f.do(f.clerk, "POST", "/applications", string(formWith(t, c.Line1+"\n"+c.Line2, "passport", "mrz")))
		if r.status != 201 {
			if err := stable(r, c.Line1); err != nil {
				t.Errorf("%s: %v", c.ID, err)
			}
			continue
		}
		r = f.do(f.clerk, "POST", "/applications/"+r.json(t)["id"].(string)+"/submit", "")
		f.want(t, r, 200, "")
		if state := r.json(t)["state"]; c.Expect == "reject" && state == "approved" {
			t.Errorf("%s: approved", c.ID)
		}
	}
	head := "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"
	cell := func(text string) string { return `"` + strings.ReplaceAll(text, `"`, `""`) + `"` }
	texts := hostileTexts(t)
	for i, chunk := range slices.Collect(slices.Chunk(texts, 40)) {
		var file strings.Builder
		file.WriteString(head)
		for n, text := range chunk {
			row := []string{"900001", fmt.Sprintf("80%08d", 1000*i+n), "", "山田", "花", "ヤマダ", "ハナ", "1990-01-01", "2", "resident", ""}
			row[3+n%8] = cell(text)
			file.WriteString(strings.Join(row, ",") + "\n")
		}
		r := f.do(f.clerk, "POST", "/imports/subjects", file.String())
		f.want(t, r, 201, "")
		if m := r.json(t); m["state"] == "staged" {
			f.want(t, f.do(f.officer, "POST", "/imports/"+m["id"].(string)+"/commit", ""), 200, "")
		}
	}
	for name, file := range map[string]string{
		"empty": "", "head only": head, "no line end": strings.TrimSpace(head), "NUL": head + "\x00\x00\x00", "one quote": head + `"`,
		"invalid UTF-8": head + "900001,\xff\xfe", "UTF-16": "\xff\xfe9\x000\x00", "swapped columns": strings.Replace(head, "family_name,given_name", "given_name,family_name", 1),
		"many columns": strings.Repeat("a,", 65) + "\n", "long cell": head + strings.Repeat("x", 4097) + "\n", "zip": "PK\x03\x04" + head, "JSON": `[{"municipality_code":"900001"}]`,
		"years": head + "900001,9000000001,,山田,花,,,1900-01-01,2,resident,\n900001,9000000002,,山田,花,,,2100-01-01,2,resident,\n",
		"wide":  head + "９００００１,９００００００００３,,山田,花,,,１９９０-０１-０１,２,resident,\n", "other office": head + "900010,9000000004,,山田,花,,,1990-01-01,2,resident,\n",
	} {
		for _, kind := range []string{"subjects", "records"} {
			if r := f.do(f.clerk, "POST", "/imports/"+kind, file); r.status != 201 {
				if err := stable(r, file); err != nil {
					t.Errorf("%s as %s: %v", name, kind, err)
				}
			}
		}
	}
}
