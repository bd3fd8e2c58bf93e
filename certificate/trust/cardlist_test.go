package trust

import (
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// Spec smart-health-cards, 7.
func TestParseCardList(t *testing.T) {
	list := func(entries string) string {
		return `{"kid":"k","method":"rid","ctr":3,"rids":[` + entries + `]}`
	}
	change := func(old, new string) string { return strings.Replace(list(`"a"`), old, new, 1) }
	for name, c := range map[string]struct{ text, want string }{
		"ok/empty":               {list(``), ""},
		"ok/entries":             {list(`"vwAjHdarZuc","FKDIxsTCGlU.1636977600","-_09AZaz"`), ""},
		"ok/24 characters":       {list(`"` + strings.Repeat("a", 24) + `"`), ""},
		"ok/counter as text":     {change(`3`, `"3"`), ""},
		"ok/method of digests":   {change(`"rid"`, `"hash-fhir"`), ""},
		"ok/more members":        {change(`{`, `{"RIDS":["b"],"note":1,`), ""},
		"error/twice":            {list(`"a","b","a"`), "entry_twice"},
		"error/twice with times": {list(`"a.1","a.2"`), "entry_twice"},
		"error/25 characters":    {list(`"` + strings.Repeat("a", 25) + `"`), "wrong_length"},
		"error/empty entry":      {list(`""`), "wrong_length"},
		"error/only a time":      {list(`".1"`), "wrong_length"},
		"error/alphabet":         {list(`"a+b"`), "not_base64url"},
		"error/letter":           {list(`"é"`), "not_base64url"},
		"error/no time":          {list(`"a."`), "wrong_time"},
		"error/negative time":    {list(`"a.-1"`), "wrong_time"},
		"error/signed time":      {list(`"a.+1"`), "wrong_time"},
		"error/fraction":         {list(`"a.1.5"`), "wrong_time"},
		"error/number":           {list(`1`), "wrong_rids"},
		"error/null":             {change(`["a"]`, `null`), "wrong_rids"},
		"error/none":             {change(`,"rids":["a"]`, ``), "wrong_rids"},
		"error/other case":       {change(`"rids"`, `"Rids"`), "wrong_rids"},
		"error/no counter":       {change(`"ctr":3,`, ``), "wrong_ctr"},
		"error/counter 0":        {change(`3`, `0`), "wrong_ctr"},
		"error/counter null":     {change(`3`, `null`), "wrong_ctr"},
		"error/counter 1.5":      {change(`3`, `1.5`), "wrong_ctr"},
		"error/method":           {change(`"rid"`, `"Rid"`), "wrong_method"},
		"error/key id":           {change(`"k"`, `1`), "wrong_kid"},
		"error/member twice":     {change(`{`, `{"ctr":3,`), "malformed"},
		"error/list":             {`[]`, "malformed"},
		"error/empty file":       {``, "malformed"},
		"error/large":            {strings.Repeat(" ", maxFile+1), "too_large"},
	} {
		t.Run(name, func(t *testing.T) {
			l, err := ParseCardList([]byte(c.text))
			if got := errorText(err); got != c.want {
				t.Errorf("got %q, want %q", got, c.want)
			}
			if err == nil && (l.Counter != 3 || l.KeyID != "k") {
				t.Errorf("read as %+v", l)
			}
		})
	}
}

func errorText(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// The published list of the sample issuer.
func TestSampleList(t *testing.T) {
	l, err := ParseCardList(testkit.Read(t, "shc/keys/crl-of-sample-issuer.json"))
	if err != nil || l.Len() != 4 {
		t.Fatal(err)
	}
	at := func(seconds int64) time.Time { return time.Unix(seconds, 0) }
	for _, c := range []struct {
		id     string
		issued time.Time
		want   bool
	}{
		{"FKDIxsTCGlU", at(0), true}, {"FKDIxsTCGlU", at(9e9), true}, // no time: all
		{"vwAjHdarZuc", at(1664492123), true}, {"vwAjHdarZuc", at(1664492124).Add(-time.Millisecond), true},
		{"vwAjHdarZuc", at(1664492124), false}, {"vwAjHdarZuc", at(1715107763), false},
		{"MKyCxh7p6uQ", at(0), false}, {"", at(0), false}, {"vwAjHdarZuc.1664492124", at(0), false},
	} {
		if got := l.Lists(c.id, c.issued); got != c.want {
			t.Errorf("%q at %s: %t", c.id, c.issued, got)
		}
	}
}

func FuzzParseCardList(f *testing.F) {
	f.Add([]byte(`{"kid":"k","method":"rid","ctr":"3","rids":["a","b.1"]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		l, err := ParseCardList(b)
		if err == nil && (l.Counter < 1 || l.Lists("", time.Time{})) {
			t.Errorf("read as %+v", l)
		}
	})
}
