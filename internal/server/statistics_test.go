package server

import (
	"bytes"
	"regexp"
	"strings"
	"testing"

	"akashi/certificate"
)

// Issue 6, section 1: figures with plots and a table, for whoever answers for the office; nobody
// is in them, and looking is logged.
func (f *fixture) testStatistics(t *testing.T) {
	f.issued(t, certificate.Domestic)
	today := string(f.World.Clock.Today())
	all := f.do(f.officer, "GET", "/statistics", "")
	f.want(t, all, 200, "")
	if b := all.json(t); b["issued"].(float64) < 1 || b["to"] != today || len(b["days"].([]any)) != usualDays {
		t.Errorf("ok/figures: %s", all.body)
	}
	f.want(t, f.do(f.officer, "GET", "/statistics?from=2020-01-01", ""), 400, "span")
	f.want(t, f.do(f.clerk, "GET", "/statistics", ""), 403, "permission")
	for _, ask := range []func(string) reply{
		func(query string) reply { return f.do(f.officer, "GET", "/statistics/table"+query, "") },
		func(query string) reply { return f.page(f.officer, "GET", "/counter/statistics/table"+query, "") },
	} {
		table := ask("?kind=domestic")
		if f.want(t, table, 200, ""); !bytes.HasPrefix(table.body, []byte("\xEF\xBB\xBFmeasure,key,unit,value,from,to,kind\r\n")) || !strings.HasPrefix(table.header.Get("Content-Type"), "text/csv") {
			t.Errorf("ok/table: %s %.80s", table.header, table.body)
		}
		f.want(t, ask("?kind=x"), 400, "unknown_value")
	}
	page := f.page(f.officer, "GET", "/counter/statistics?from="+today+"&kind=domestic", "")
	f.want(t, page, 200, "")
	for _, want := range []string{`<svg viewBox`, `<title id="days-title">日ごとの発行件数 / Certificates by day`, `<desc id="days-desc">`, `<rect x="`, `<th scope="row">` + today, `value="domestic" selected`, `/counter/statistics/table?from=` + today} {
		if !bytes.Contains(page.body, []byte(want)) {
			t.Errorf("ok/page: no %s in\n%s", want, page.body)
		}
	}
	if regexp.MustCompile(`style=|<script>|<style`).Match(page.body) {
		t.Error("error/page: something inline")
	}
	wrong := f.page(f.officer, "GET", "/counter/statistics?from=31.2.1991", "")
	if f.want(t, wrong, 400, ""); !regexp.MustCompile(`(?s)name="from" value="31.2.1991"[^>]*aria-invalid`).Match(wrong.body) {
		t.Errorf("error/date: %s", wrong.body)
	}
}
