package server

import (
	"bytes"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"akashi/internal/clock"
	"akashi/internal/vaccination"
)

// dates are the members of a body that are dates, by their paths.
func dates(t reflect.Type, path string) (list []string) {
	for t.Kind() == reflect.Pointer || t.Kind() == reflect.Slice {
		t = t.Elem()
	}
	if t == reflect.TypeFor[clock.Date]() {
		return []string{path}
	}
	if t.Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" && !f.Anonymous {
			list = append(list, dates(f.Type, strings.TrimPrefix(path+"."+name, "."))...)
		}
	}
	return list
}

// Every member of a page's body that is a date is read as people write it, and a form
// that has one knows it as such (issue 6, section 2: 和暦 and ISO).
func TestEveryDateIsRead(t *testing.T) {
	var all []string
	for _, r := range (&Server{}).counterRoutes() {
		if r.in == nil {
			continue
		}
		of := dates(reflect.TypeOf(r.in), "")
		all = append(all, of...)
		for _, path := range of {
			c := call{route: r}
			form := url.Values{path + ":lines": {"平成3年2月18日"}}
			if !strings.HasSuffix(path, "holidays") {
				form = url.Values{path: {"平成3年2月18日"}}
			}
			if err := c.asJSON(form); err != nil || !bytes.Contains(c.body, []byte(`"1991-02-18"`)) {
				t.Errorf("%s %s: %v %s", r.id, path, err, c.body)
			}
		}
	}
	for _, path := range []string{"subject.birth_date", "birth_date", "ends_on", "trained_on", "issued_from", "selection.issued_until", "hours.holidays"} {
		if !slices.Contains(all, path) {
			t.Errorf("%s is not known as a date", path)
		}
	}
}

// A date may be typed into each field as people write it; one that is unclear stands at its
// field with how to write it. The API takes ISO alone.
func TestTypedDates(t *testing.T) {
	f := newFixture(t)
	typed := func(date string) reply {
		return f.page(f.clerk, "POST", "/counter", plainForm("subject.birth_date", date, "_key", url.QueryEscape(date)))
	}
	for _, date := range []string{"1991-02-18", "1991/2/18", "1991.2.18", "19910218", "1991年2月18日", "平成3年2月18日", "平3.2.18", "h3.2.18", "Ｈ０３０２１８", "１９９１年２月１８日"} {
		made := typed(date)
		f.want(t, made, 303, "")
		if page := f.page(f.clerk, "GET", made.header.Get("Location"), ""); !bytes.Contains(page.body, []byte("1991-02-18（平成3年")) || !bytes.Contains(page.body, []byte("/issue\"")) {
			t.Errorf("ok/%s: %s", date, inWords(t, page))
		}
	}
	for date, says := range map[string]string{
		"02/18/1991": "日と月のどちらが先か分かりません", "91.2.18": "元号を付けて", "someday": "1991年2月18日、または平成3年2月18日", "平成3年2月30日": "暦にない日付です",
		"平成31年5月1日": "平成は 1989-01-08（平成元年1月8日）から 2019-04-30（平成31年4月30日）までです", "令和元年4月30日": "令和は 2019-05-01（令和元年5月1日）からです",
		"令和12年1月1日": "今日より後です",
	} {
		got := typed(date)
		f.at(t, got, 400, "subject.birth_date")
		if text := inWords(t, got); !strings.Contains(text, says) || !bytes.Contains(got.body, []byte(`value="`+date+`"`)) {
			t.Errorf("error/%s: %s", date, text)
		}
		if strings.Contains(f.log.String(), date) {
			t.Errorf("error/%s is in the log of the service", date)
		}
	}
	f.testTypedElsewhere(t)
	f.testISOAlone(t)
}

// testTypedElsewhere: every other date field of a page, well and unclear.
func (f *fixture) testTypedElsewhere(t *testing.T) {
	today := f.World.Clock.Today()
	_, era, _ := strings.Cut(strings.TrimSuffix(vaccination.InBoth(today), "）"), "（")
	for _, path := range []string{"/counter/accounts?on=", "/counter/statistics?from=", "/counter/statistics?to=", "/counter/log?day=", "/counter/lookups?from=", "/counter/lookups?until="} {
		f.want(t, f.page(f.officer, "GET", path+url.QueryEscape(era), ""), 200, "")
		name := strings.TrimSuffix(path[strings.IndexByte(path, '?')+1:], "=")
		got := f.page(f.officer, "GET", path+"31.12.2020", "")
		if f.at(t, got, 400, name); !strings.Contains(inWords(t, got), "年を先に") || !bytes.Contains(got.body, []byte(`value="31.12.2020"`)) {
			t.Errorf("error/%s: %s", path, inWords(t, got))
		}
	}
	f.want(t, f.page(f.clerk, "GET", "/counter/papers/collection-list?day="+url.QueryEscape(era), ""), 200, "")
	f.want(t, f.page(f.clerk, "GET", "/counter/papers/collection-list?day=31.12.2020", ""), 400, "date_year_last")

	f.at(t, f.page(f.officer, "POST", "/counter/accounts", accountFields("ends_on", "9.3.31")), 400, "ends_on")
	f.at(t, f.page(f.officer, "POST", "/counter/accounts", accountFields("trained_on", "平成40年1月5日")), 400, "trained_on")
	f.want(t, f.page(f.officer, "POST", "/counter/accounts", accountFields("ends_on", "令和9年3月31日", "trained_on", "R8.1.5")), 303, "")
	one, _ := f.approvers(t)
	f.holds(t, f.page(one, "POST", "/counter/revocations/count", "selection.issued_from="+url.QueryEscape(era)), `value="`+era+`"`)
	f.at(t, f.page(one, "POST", "/counter/revocations/count", "selection.issued_until=1.1.2020"), 400, "issued_until")
	f.at(t, f.page(one, "POST", "/counter/revocations", "reason=fraud&selection.issued_from=1.1.2020"), 400, "issued_from")
}

// testISOAlone: the API takes no other date.
func (f *fixture) testISOAlone(t *testing.T) {
	const era = "平成3年2月18日"
	escaped := url.QueryEscape(era)
	f.want(t, f.do(f.clerk, "POST", "/applications", strings.Replace(form("domestic"), "1991-02-18", "H3.2.18", 1)), 400, "date")
	f.want(t, f.do(f.officer, "GET", "/accounts?on="+escaped, ""), 400, "date")
	f.want(t, f.do(f.officer, "GET", "/statistics?from="+escaped, ""), 400, "")
	f.want(t, f.do(f.officer, "GET", "/lookups?from="+escaped, ""), 400, "date")
	f.want(t, f.do(f.clerk, "GET", "/papers/collection-list?day="+escaped, ""), 400, "date")
}
