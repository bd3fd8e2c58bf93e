package server

import (
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Issue 6, section 1: what scanners and readers send into the fields of the new form.
func TestFields(t *testing.T) {
	f := newFixture(t)
	// codes-and-files.md 5: an NW-7 bar code of a ticket comes with its start and stop letters.
	for i, ticket := range []string{"a0000000001a", "Ｄ0000000001Ｂ", "a219000010000000001a"} {
		f.want(t, f.page(f.clerk, "POST", "/counter", plainForm("subject.ticket_number", ticket, "_key", "ticket-"+strconv.Itoa(i))), 303, "")
	}
	for _, ticket := range []string{"a0000000001", "e0000000001e"} {
		f.want(t, f.page(f.clerk, "POST", "/counter", plainForm("subject.ticket_number", ticket)), 400, "")
	}
	if form := f.page(f.clerk, "GET", "/counter", ""); !strings.Contains(string(form.body), "用途") || !strings.Contains(string(form.body), "Purpose") {
		t.Error("error/the form asks for no purpose") // certificate-japan.md 2 and 7, R-003
	}
	t.Run("zone", f.testZone)
	t.Run("faults", f.testFaults)
}

// Issue 6, section 1: whatever is wrong with a zone, all that was read of it is shown,
// and what is wrong stands at the value that it is about, in words.
func (f *fixture) testZone(t *testing.T) {
	read := func(zone string) string {
		t.Helper()
		r := f.page(f.clerk, "POST", "/counter/zone", url.Values{"passport.mrz": {zone}}.Encode())
		f.want(t, r, 200, "")
		return string(r.body)
	}
	row := func(page, label string) string {
		return regexp.MustCompile(`(?s)<dt><span lang="ja">` + label + `</span>.*?</dd>`).FindString(page)
	}
	expired := strings.Replace(strings.Replace(zoneOfSample, "3206308", "2206301", 1), "<00", "<02", 1)
	for name, c := range map[string]struct {
		zone, at string
		words    []string
	}{
		"ok/all right":       {zoneOfSample, "有効期間満了日", []string{"2032-06-30（令和14年）"}},
		"error/expired":      {expired, "有効期間満了日", []string{"2022-06-30（令和4年）", "使えません", "有効期間が満了しています"}},
		"error/check digit":  {strings.Replace(zoneOfSample, "TK00000003", "TK00000001", 1), "旅券番号", []string{"TK0000000", "使えません", "検査数字が合いません", "<code>1</code>", "<code>3</code>"}},
		"error/no such day":  {strings.Replace(zoneOfSample, "9102181", "9102311", 1), "生年月日", []string{"–", "暦にない日付です", "910231"}},
		"error/sex":          {strings.Replace(zoneOfSample, "F3206308", "63206308", 1), "性別", []string{"使えません", "性別の文字が違います"}},
		"error/of no nation": {strings.Replace(zoneOfSample, "3JPN", "3QQQ", 1), "国籍", []string{"QQQ", "国の符号が一覧にありません"}},
		"ok/warned":          {strings.Replace(zoneOfSample, "SAKURAI<<MIO<", "SAKURAI<<MIO<<A", 1)[:44] + zoneOfSample[44:], "姓（ローマ字）", []string{"SAKURAI", "見比べる"}},
	} {
		t.Run(name, func(t *testing.T) {
			page := read(c.zone)
			for _, value := range []string{"SAKURAI", "MIO"} { // what is right is shown whatever is wrong
				if !strings.Contains(page, "<dd>"+value) {
					t.Errorf("no %s: %s", value, page)
				}
			}
			for _, w := range c.words {
				if !strings.Contains(row(page, c.at), w) {
					t.Errorf("no %q at %s: %s", w, c.at, page)
				}
			}
			if refused := strings.Contains(page, "使えません"); refused != strings.Contains(page, "このままでは使えません") || refused && strings.Contains(page, "すべて合っています") {
				t.Errorf("%s", page)
			}
		})
	}
	if page := read("no zone at all"); strings.Contains(page, "<dl") || !strings.Contains(page, "長さが合いません") {
		t.Errorf("error/unreadable: %s", page)
	}
	// Travel needs a passport or a travel document of its form (certificate-japan.md 2).
	const card = "I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F3204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<"
	if page := read(card); !strings.Contains(page, "旅券ではありません") || !strings.Contains(page, "国内用") || !strings.Contains(page, "ERIKSSON") || strings.Contains(page, "すべて合っています") {
		t.Errorf("error/identity card: %s", page)
	}
}

var link = regexp.MustCompile(`<li><a href="#([^"]+)">`)

// Issue 6, section 2: whatever is wrong with a form is told at once, each at its field and
// in a list that leads there; WCAG 2.2, 3.3.1.
func (f *fixture) testFaults(t *testing.T) {
	misread := strings.Replace(zoneOfSample, "TK00000003", "TK00000001", 1)
	for name, c := range map[string]struct {
		change []string
		want   []string // in the order of the page
	}{
		"error/one":                    {[]string{"subject.birth_date", "31.2.1991"}, []string{"subject.birth_date"}},
		"error/typed":                  {[]string{"subject.birth_date", "31.2.1991", "subject.ticket_number", "12", "passport.mrz", misread}, []string{"subject.ticket_number", "subject.birth_date", "passport.mrz"}},
		"error/zone for birth date":    {[]string{"subject.ticket_number", "211310160000000001", "passport.mrz", "x"}, []string{"subject.ticket_number", "passport.mrz"}},
		"error/date that is too long":  {[]string{"subject.birth_date", "令和三十五年十三月四十四日", "applicant.relationship", "spouse"}, []string{"subject.birth_date", "applicant.name.family"}},
		"error/required":               {[]string{"kind", "domestic", "applicant.relationship", "spouse", "subject.name.family", "", "subject.name.given", "", "subject.ticket_number", ""}, []string{"subject.ticket_number", "subject.birth_date", "applicant.name.family"}},
		"error/schema and rules":       {[]string{"subject.former_name", strings.Repeat("桜", 251), "applicant.relationship", "spouse", "subject.birth_date", "2091-02-18"}, []string{"subject.birth_date", "subject.former_name", "applicant.name.family"}},
		"error/names that are no such": {[]string{"subject.name.given", "澪\u202e", "passport.alternative.surname", "TANAKA\u0000"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := f.page(f.clerk, "POST", "/counter", plainForm(append(c.change, "_key", "faults")...))
			f.want(t, r, 400, "")
			page := string(r.body)
			var got []string
			for _, m := range link.FindAllStringSubmatch(page, -1) {
				got = append(got, m[1])
				if !strings.Contains(page, `id="`+m[1]+`"`) {
					t.Errorf("nothing has the id %s", m[1])
				}
				if !regexp.MustCompile(`id="`+regexp.QuoteMeta(m[1])+`"[^>]*aria-invalid="true"`).MatchString(page) && m[1] != "subject.ticket_number" {
					t.Errorf("%s is not marked", m[1])
				}
			}
			if c.want != nil && !slices.Equal(got, c.want) || len(got) == 0 {
				t.Errorf("told of %v", got)
			}
		})
	}
	// The API judges one fault after the other, as before: the first is the code of the answer.
	f.want(t, f.do(f.clerk, "POST", "/applications", `{"kind":"domestic","channel":"counter","notice_version":"2026-11","applicant":{"relationship":"spouse"},"subject":{"birth_date":"1991-02-31"}}`), 400, "required")
}
