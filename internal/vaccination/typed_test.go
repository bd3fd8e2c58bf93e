package vaccination

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	"akashi/internal/clock"
	"akashi/internal/fault"
)

// codes-and-files.md 8: a date may be typed as people write it, and is refused, with what
// is wrong, where it could be two.
func TestReadDate(t *testing.T) {
	for typed, want := range map[string]clock.Date{
		"1991-02-18": "1991-02-18", "1991/2/18": "1991-02-18", "1991.2.18": "1991-02-18", "1991. 2. 18": "1991-02-18", "19910218": "1991-02-18",
		"1991年2月18日": "1991-02-18", "1991年 2月18": "1991-02-18", "１９９１年０２月１８日": "1991-02-18", "１９９１０２１８": "1991-02-18", " 1991-02-18　": "1991-02-18",
		"1991ー02ー18": "1991-02-18", "1991・2・18": "1991-02-18", "1991−02−18": "1991-02-18",
		"平成3年2月18日": "1991-02-18", "平成 3年 2月 18日": "1991-02-18", "平成３年２月１８日": "1991-02-18", "平3.2.18": "1991-02-18", "平３。２。１８": "1991-02-18", "平.3.2.18": "1991-02-18", "㍻3年2月18日": "1991-02-18",
		"H3.2.18": "1991-02-18", "h3/2/18": "1991-02-18", "Ｈ３．２．１８": "1991-02-18", "H.3.2.18": "1991-02-18", "h030218": "1991-02-18", "平成030218": "1991-02-18",
		"令和元年5月1日": "2019-05-01", "令和1年5月1日": "2019-05-01", "R1.5.1": "2019-05-01", "㋿6年2月29日": "2024-02-29", "令8.11.22": "2026-11-22",
		"平成31年4月30日": "2019-04-30", "平成元年1月8日": "1989-01-08", "昭和64年1月7日": "1989-01-07", "昭和元年12月25日": "1926-12-25", "昭24.1.8": "1949-01-08", "S45/2/28": "1970-02-28",
		"大正15年12月24日": "1926-12-24", "大正元年7月30日": "1912-07-30", "T9.10.1": "1920-10-01", "明治45年7月29日": "1912-07-29", "明治6年1月1日": "1873-01-01", "M45.7.1": "1912-07-01",
		"1991": "1991", "1991-02": "1991-02", "1991年": "1991", "1991年2月": "1991-02", "平成3年": "1991", "平成3年2月": "1991-02", "昭和64年": "1989", "平成31年4月": "2019-04",
	} {
		t.Run("ok/"+typed, func(t *testing.T) {
			if got, err := ReadDate(typed); err != nil || got != want {
				t.Errorf("%q %v", got, err)
			}
		})
	}
	for typed, key := range map[string]string{
		"02/18/1991": "date_year_last", "18.2.1991": "date_year_last", "18-02-1991": "date_year_last", "１８／２／１９９１": "date_year_last",
		"91-02-18": "date_year_short", "3.2.18": "date_year_short", "91/2/18": "date_year_short", "910218": "date_year_short", "3年2月18日": "date_year_short", "02/18/91": "date_year_short",
		"1991-02-31": "date_calendar", "19910231": "date_calendar", "1991/13/1": "date_calendar", "平成3年2月29日": "date_calendar", "令和0年5月1日": "date_calendar", "1991-0-1": "date_calendar", "1991年13月": "date_calendar",
		"平成31年5月1日": "date_other_era", "平成99年1月1日": "date_other_era", "平成元年1月7日": "date_other_era", "昭和64年1月8日": "date_other_era", "S64.1.8": "date_other_era", "昭和元年12月24日": "date_other_era",
		"大正15年12月25日": "date_other_era", "大正元年7月29日": "date_other_era", "明治45年7月30日": "date_other_era", "明治5年12月3日": "date_other_era", "平成31年5月": "date_other_era", "平成32年": "date_other_era",
		"令和元年4月30日": "date_before_era", "R1.4.30": "date_before_era", "令和元年4月": "date_before_era",
		"": "date_unclear", "18 Feb 1991": "date_unclear", "慶応3年1月1日": "date_unclear", "X3.1.1": "date_unclear", "R3": "date_unclear", "平成3.2": "date_unclear", "1991/2": "date_unclear", "3030218": "date_unclear",
		"令和3年7月26日午後": "date_unclear", "令和平成3年1月1日": "date_unclear", strings.Repeat("平", 100): "date_unclear", "\xff": "date_unclear",
	} {
		t.Run("error/"+typed, func(t *testing.T) {
			got, err := ReadDate(typed)
			var f *fault.Error
			if !errors.As(err, &f) || f.Code != fault.Invalid || f.Key != key || got != "" {
				t.Errorf("%q %v, not %s", got, err, key)
			}
		})
	}
	t.Run("error/the borders are told by both calendars", func(t *testing.T) {
		var f *fault.Error
		if _, err := ReadDate("平成31年5月1日"); !errors.As(err, &f) || f.Args["era"] != "平成" || f.Args["latin"] != "Heisei" ||
			f.Args["begins"] != "1989-01-08（平成元年1月8日）" || f.Args["ends"] != "2019-04-30（平成31年4月30日）" {
			t.Errorf("%v", f.Args)
		}
	})
}

// Whatever is typed, what is read is a date of the calendar whose numbers were all typed;
// and what the pages show of it is read as the same again.
func FuzzReadDate(f *testing.F) {
	for _, s := range []string{"1991-02-18", "１９９１年２月１８日", "平3.2.18", "h030218", "㋿99年99月99日", "平成31年5月1日", "昭和64年", "02/18/1991", "ー。・", "\xff"} {
		f.Add(s)
	}
	number := regexp.MustCompile(`[0-9]+`)
	f.Fuzz(func(t *testing.T, s string) {
		d, err := ReadDate(s)
		if err != nil {
			var refused *fault.Error
			if !errors.As(err, &refused) || refused.Field != "" || strings.Contains(err.Error(), s) && number.MatchString(s) {
				t.Errorf("%q: %v", s, err)
			}
			return
		}
		if same, err := clock.ParseDate(string(d)); err != nil || same != d {
			t.Errorf("%q gives %q", s, d)
		}
		if again, err := ReadDate(string(d)); err != nil || again != d {
			t.Errorf("%q, shown as %q, gives %q %v", s, d, again, err)
		}
		_, by, both := strings.Cut(InBoth(d), "（")
		if by = strings.TrimSuffix(by, "）"); both {
			if again, err := ReadDate(by); err != nil || again != d {
				t.Errorf("%q, shown as %q, gives %q %v", s, by, again, err)
			}
		}
	})
}
