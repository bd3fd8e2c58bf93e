package vaccination

import (
	"strings"
	"testing"

	"akashi/internal/clock"
)

// codes-and-files.md 8 and 10.
func TestParseEraDate(t *testing.T) {
	for in, want := range map[string]clock.Date{
		"令和元年5月1日": "2019-05-01", "昭和64年1月7日": "1989-01-07", "Ｒ３．７．２６": "2021-07-26", "令和3年7月26日": "2021-07-26",
		"R3.12.20": "2021-12-20", "平成元年1月8日": "1989-01-08", "平成31年4月30日": "2019-04-30", "r03-07-26": "2021-07-26",
		"㋿3年7月26日": "2021-07-26", "昭和 24年 1月 8日": "1949-01-08", "大正元年7月30日": "1912-07-30", "明治6年1月1日": "1873-01-01",
		"昭和元年12月25日": "1926-12-25", "S45/2/28": "1970-02-28", "令和6年2月29日": "2024-02-29",
	} {
		t.Run("ok/"+in, func(t *testing.T) {
			if got, past, err := ParseEraDate(in); err != nil || past || got != want {
				t.Errorf("%q %v %v", got, past, err)
			}
		})
	}
	for in, want := range map[string]clock.Date{"平成31年5月1日": "2019-05-01", "平成33年6月21日": "2021-06-21", "昭和64年1月8日": "1989-01-08", "昭和70年1月1日": "1995-01-01"} {
		t.Run("ok/past the end "+in, func(t *testing.T) {
			if got, past, err := ParseEraDate(in); err != nil || !past || got != want {
				t.Errorf("%q %v %v", got, past, err)
			}
		})
	}
	for _, in := range []string{
		"令和0年5月1日", "昭和64年13月1日", "明治5年12月3日", "平成元年1月7日", "令和元年4月30日", "令和5年2月29日", "令和3年7月", "慶応3年1月1日",
		"", "2021-07-26", "令和3年7月26日午後", "R3", "X3.1.1", strings.Repeat("令", 100),
	} {
		t.Run("error/"+in, func(t *testing.T) {
			if got, _, err := ParseEraDate(in); err == nil {
				t.Errorf("gives %s", got)
			}
		})
	}
}

func FuzzEraDate(f *testing.F) {
	for _, s := range []string{"令和元年5月1日", "Ｒ３．７．２６", "平成31年5月1日", "㋿99年99月99日", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		d, _, err := ParseEraDate(s)
		if err != nil {
			return
		}
		if _, err := clock.ParseDate(string(d)); err != nil || !d.Full() || d < "1873-01-01" {
			t.Errorf("%q gives %q", s, d)
		}
	})
}
