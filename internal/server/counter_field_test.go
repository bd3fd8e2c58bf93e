package server

import (
	"net/url"
	"regexp"
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
