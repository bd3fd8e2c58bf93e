package passport_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"akashi/internal/clock"
	"akashi/passport"

	"pgregory.net/rapid"
)

type nameCase struct {
	ID, Primary, Secondary, MRZ, Kind string
	Width                             int
}

// Doc 9303-3, 4.6 and 6.A; Doc 9303-4, 4.2.3.
func TestNameVectors(t *testing.T) {
	cases := vectors[nameCase](t, "mrz/names.json")
	if len(cases) != 17 {
		t.Errorf("%d cases, want 17", len(cases))
	}
	for _, c := range cases {
		t.Run("ok/"+c.ID, func(t *testing.T) {
			name := passport.Name{Primary: c.Primary, Secondary: c.Secondary}
			got, err := passport.NameField(name, c.Width)
			if err != nil {
				t.Fatal(err)
			}
			if len(got) != c.Width {
				t.Errorf("%d characters, want %d", len(got), c.Width)
			}
			if c.Kind == "exact" && strings.TrimRight(got, "<") != strings.TrimRight(c.MRZ, "<") {
				t.Errorf("field %s, want %s", got, c.MRZ)
			}
			// What is written and what others may write are both explained by the data page.
			for _, field := range []string{got, c.MRZ} {
				if comparison := passport.CompareNames(split(field), name, passport.AlternativeNames{}); comparison.Grade == passport.Different {
					t.Errorf("%s: %v", field, comparison)
				}
			}
		})
	}
}

func split(field string) passport.Name {
	primary, secondary, _ := strings.Cut(strings.TrimRight(field, "<"), "<<")
	return passport.Name{Primary: strings.ReplaceAll(primary, "<", " "), Secondary: strings.ReplaceAll(secondary, "<", " ")}
}

// Spec mrz-and-emrtd, 5: this project's truncation.
func TestTruncation(t *testing.T) {
	a := func(n int) string { return strings.Repeat("A", n) }
	for _, c := range []struct{ name, primary, secondary, want string }{
		{"cut inside a component", "NILAVADHANANANDA", "ARNPOL PETCH CHARONGUANG", "NILAVADHANANANDA<<ARNPOL<PETCH<CHARONGU"},
		{"cut on a filler takes the initial", "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONGK RASUANG", "NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<R"},
		{"primary keeps room for one letter", "BENNELONG WOOLOOMOOLOO WARRANDYTE WARNAMBOOL", "DINGO", "BENNELONG<WOOLOOMOOLOO<WARRANDYTE<WA<<D"},
		{"primary cut on a filler", a(35) + " BOB", "CHRIS", a(34) + "<B<<C"},
		{"no secondary identifier", a(38) + " BOB", "", a(37) + "<B"},
		{"primary gives a letter for an initial", a(33), "B C D E", a(32) + "<<B<C<D"},
		{"filler between initials", a(34), "B C D E", a(34) + "<<B<C"},
		{"no room for a filler after an initial", a(35), "B C D E", a(34) + "<<B<C"},
		{"primary of the whole width", a(60), "BOB", a(36) + "<<B"},
	} {
		got, err := passport.NameField(passport.Name{Primary: c.primary, Secondary: c.secondary}, 39)
		if want := c.want + strings.Repeat("<", 39-len(c.want)); err != nil || got != want {
			t.Errorf("%s: %s, want %s, %v", c.name, got, want, err)
		}
	}
}

// Any name that can be written fits, ends as the rule says and is explained.
func TestNameFieldProperty(t *testing.T) {
	part := func(least int) *rapid.Generator[string] {
		return rapid.Map(rapid.SliceOfN(rapid.StringMatching(`[A-ZÄÖÜÑÅÉ]{1,14}`), least, 5), func(s []string) string { return strings.Join(s, " ") })
	}
	rapid.Check(t, func(t *rapid.T) {
		name := passport.Name{Primary: part(1).Draw(t, "primary"), Secondary: part(0).Draw(t, "secondary")}
		width := rapid.SampledFrom([]int{30, 31, 39}).Draw(t, "width")
		field, err := passport.NameField(name, width)
		if err != nil || len(field) != width || field[0] == '<' {
			t.Fatalf("field %q, %v", field, err)
		}
		full, _ := passport.NameField(name, 400)
		if text := strings.TrimRight(full, "<"); len(text) > width && field[width-1] == '<' && strings.ContainsAny(strings.ReplaceAll(text, "<", " "), " ") && !onlyInitials(text) {
			t.Fatalf("truncated field %q ends on a filler", field)
		}
		if strings.Count(strings.TrimRight(field, "<"), "<<") > 1 {
			t.Fatalf("two separators in %q", field)
		}
		if name.Secondary != "" && !strings.Contains(strings.TrimRight(field, "<"), "<<") {
			t.Fatalf("no secondary identifier in %q", field)
		}
		if len(strings.TrimRight(full, "<")) > width {
			if c := passport.CompareNames(split(field), name, passport.AlternativeNames{}); c.Grade == passport.Different {
				t.Fatalf("%q is not explained: %v", field, c)
			}
		}
	})
}

func onlyInitials(field string) bool {
	for _, component := range strings.FieldsFunc(field, func(r rune) bool { return r == '<' }) {
		if len(component) > 1 {
			return false
		}
	}
	return true
}

// Spec icao-vds-nc, 5: one blank, surname first, 39 characters.
func TestVDSName(t *testing.T) {
	for _, c := range []struct{ primary, secondary, want string }{
		{"NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG", "NILAVADHANANANDA CHAYAPA DEJTHAMRONG K"},
		{"GAIMU", "SAKURA", "GAIMU SAKURA"},
		{"GAIMU (GONZALEZ)", "TARO (ALEJANDRO)", "GAIMU TARO"},
		{"ABEBE", "", "ABEBE"},
		{"", "FIRST NAME", "FIRST NAME"},
	} {
		if got, err := passport.VDSName(passport.Name{Primary: c.primary, Secondary: c.secondary}); err != nil || got != c.want {
			t.Errorf("%q, want %q, %v", got, c.want, err)
		}
	}
	for _, bad := range []string{"", "SMITH 2", "田中", "ИВАНОВ", strings.Repeat("A", 600)} {
		if got, err := passport.VDSName(passport.Name{Primary: bad}); err != passport.ErrUnwritable {
			t.Errorf("%.10s: %q, %v", bad, got, err)
		}
	}
}

// Doc 9303-3, 6.A.
func TestSpellings(t *testing.T) {
	for part, want := range map[string][]string{
		"Müller":        {"MUELLER", "MUXXLLER", "MULLER"},
		"Mu\u0308ller":  {"MUELLER", "MUXXLLER", "MULLER"},
		"PEÑA":          {"PENA", "PENXXA"},
		"ÅÄ":            {"AAAE", "AAA", "AAE", "AA"},
		"Łukasz Đorđe":  {"LUKASZ DORDE"},
		"STRAUẞ Strauß": {"STRAUSS STRAUSS"},
		"D’ARTAGNAN":    {"DARTAGNAN"},
		"MARIE-ELISE":   {"MARIE ELISE"},
		"ST. JOHN":      {"ST JOHN"},
		"Nguyễn":        {"NGUYEN"},
		"GAIMU（別）":      {"GAIMU"},
	} {
		if got, err := passport.Spellings(part); err != nil || !slices.Equal(got, want) {
			t.Errorf("%s: %q, want %q, %v", part, got, want, err)
		}
	}
}

func TestCompareNames(t *testing.T) {
	zone := passport.Name{Primary: "OHNO", Secondary: "YUKO MARIE"}
	tests := []struct {
		name        string
		zone        passport.Name
		primary     string
		secondary   string
		alternative passport.AlternativeNames
		want        string
	}{
		{"ok/same", zone, "OHNO", "YUKO MARIE", passport.AlternativeNames{}, "exact[]"},
		{"ok/case", zone, "Ohno", "Yuko Marie", passport.AlternativeNames{}, "exact[]"},
		{"ok/hyphen", zone, "OHNO", "YUKO-MARIE", passport.AlternativeNames{}, "explained[hyphen (secondary)]"},
		{"ok/joined", zone, "OHNO", "YUKOMARIE", passport.AlternativeNames{}, "explained[spacing (secondary)]"},
		{"ok/marks", zone, "ÔHNO", "YUKO MARIÉ", passport.AlternativeNames{}, "explained[transliteration (primary), transliteration (secondary)]"},
		{"ok/apostrophe", passport.Name{Primary: "OCONNOR"}, "O’CONNOR", "", passport.AlternativeNames{}, "explained[punctuation (primary)]"},
		{"ok/order", zone, "YUKO MARIE", "OHNO", passport.AlternativeNames{}, "explained[order_swapped (name)]"},
		{"ok/order and long vowel", zone, "YUUKO MARIE", "ONO", passport.AlternativeNames{}, "explained[order_swapped (name), long_vowel (primary), long_vowel (secondary)]"},
		{"ok/O for OH", zone, "ONO", "YUKO MARIE", passport.AlternativeNames{}, "explained[long_vowel (primary)]"},
		{"ok/OU for OH", zone, "OUNO", "YUUKO MARIE", passport.AlternativeNames{}, "explained[long_vowel (primary), long_vowel (secondary)]"},
		{"ok/no middle name", zone, "OHNO", "YUKO", passport.AlternativeNames{}, "explained[middle_name_missing (secondary)]"},
		{"ok/brackets", zone, "OHNO (SATO)", "YUKO MARIE", passport.AlternativeNames{}, "explained[brackets (primary)]"},
		{"ok/brackets around both", passport.Name{Primary: "GAIMU"}, "GAIMU (GONZALEZ)", "(ALEJANDRO)", passport.AlternativeNames{}, "explained[brackets (primary)]"},
		{"ok/former surname", zone, "SATO", "YUKO MARIE", passport.AlternativeNames{FormerSurname: "OHNO"}, "explained[former_surname (primary)]"},
		{"ok/surname in brackets", zone, "SATO (OHNO)", "YUKO MARIE", passport.AlternativeNames{}, "explained[alternative_surname (primary)]"},
		{"ok/alternative given name", zone, "OHNO", "HANAKO", passport.AlternativeNames{GivenName: "YUKO MARIE"}, "explained[alternative_given_name (secondary)]"},
		{"ok/other border", passport.Name{Primary: "VAN DER STEEN", Secondary: "MARIANNE"}, "STEEN", "MARIANNE", passport.AlternativeNames{}, "different[letters_differ (primary)]"},
		{"ok/all in one part", zone, "OHNO YUKO MARIE", "", passport.AlternativeNames{}, "explained[parted_elsewhere (name)]"},
		{"error/other surname", zone, "SATO", "YUKO MARIE", passport.AlternativeNames{}, "different[letters_differ (primary)]"},
		{"error/other person", zone, "SATO", "HANAKO", passport.AlternativeNames{}, "different[letters_differ (primary), letters_differ (secondary)]"},
		{"error/H before a vowel is no long vowel", passport.Name{Primary: "OHASHI"}, "OASHI", "", passport.AlternativeNames{}, "different[letters_differ (primary)]"},
		{"error/other first name", zone, "OHNO", "MARIE", passport.AlternativeNames{}, "different[letters_differ (secondary)]"},
		{"error/initial without truncation", zone, "OHNO", "YUKO MARIEANNE", passport.AlternativeNames{}, "different[letters_differ (secondary)]"},
		{"error/missing", zone, "", "", passport.AlternativeNames{}, "different[letters_differ (primary), letters_differ (secondary)]"},
		{"error/kanji", zone, "大野", "YUKO MARIE", passport.AlternativeNames{}, "different[unwritable (primary)]"},
		{"error/too long", zone, strings.Repeat("A", 600), "", passport.AlternativeNames{}, "different[unwritable (name)]"},
		{
			"ok/truncated", split("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"), "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG KRASUANG",
			passport.AlternativeNames{}, "explained[truncated (secondary)]",
		},
		{
			"error/fills the field but is no beginning", split("NILAVADHANANANDA<<CHAYAPA<DEJTHAMRONG<K"), "NILAVADHANANANDA", "CHAYAPA DEJTHAMRONG PETCH",
			passport.AlternativeNames{}, "different[letters_differ (secondary)]",
		},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			got := passport.CompareNames(c.zone, passport.Name{Primary: c.primary, Secondary: c.secondary}, c.alternative)
			if got.String() != c.want {
				t.Errorf("%v, want %s", got, c.want)
			}
		})
	}
	detail := passport.CompareNames(zone, passport.Name{Primary: "ONO", Secondary: "YUKO MARIE"}, passport.AlternativeNames{}).Reasons[0].Detail
	if detail != "ONO → OHNO" {
		t.Errorf("the clerk reads %q", detail)
	}
}

// Spec mrz-and-emrtd, 6; codes-and-files, 7.5 and 10.
func TestRomanise(t *testing.T) {
	for kana, want := range map[string][2]string{
		"ハットリ": {"HATTORI", "HATTORI"}, "ホンマ": {"HOMMA", "HOMMA"}, "オオノ": {"ONO", "OHNO"}, "タカトオ": {"TAKATOO", "TAKATOH"},
		"ハッチョウ": {"HATCHO", "HATCHOH"}, "ホッチ": {"HOTCHI", "HOTCHI"}, "キッカワ": {"KIKKAWA", "KIKKAWA"}, "ナンバ": {"NAMBA", "NAMBA"},
		"サンペイ": {"SAMPEI", "SAMPEI"}, "シンバシ": {"SHIMBASHI", "SHIMBASHI"}, "サトウ": {"SATO", "SATOH"}, "コウノ": {"KONO", "KOHNO"},
		"コーノ": {"KONO", "KOHNO"}, "ユウコ": {"YUKO", "YUKO"}, "イトウ": {"ITO", "ITOH"}, "セノオ": {"SENOO", "SENOH"},
		"ニイガタ": {"NIIGATA", "NIIGATA"}, "チヂワ": {"CHIJIWA", "CHIJIWA"}, "ミヅキ": {"MIZUKI", "MIZUKI"}, "シャチャジャ": {"SHACHAJA", "SHACHAJA"},
		"キョウコ": {"KYOKO", "KYOHKO"}, "リュウ": {"RYU", "RYU"}, "ジェチェ": {"JIECHIE", "JIECHIE"}, "ティディ": {"TEIDEI", "TEIDEI"},
		"ファフィフェフォ": {"FUAFUIFUEFUO", "FUAFUIFUEFUO"}, "シェウィウェ": {"SHIEUIUE", "SHIEUIUE"}, "ヴ": {"BU", "BU"}, "カオル": {"KAORU", "KAORU"},
		"カヲリ": {"KAORI", "KAORI"}, "やまだ　たろう": {"YAMADA TARO", "YAMADA TAROH"}, "ﾊﾞﾝﾊﾞ": {"BAMBA", "BAMBA"}, "リン−ダ": {"RINDA", "RINDA"},
		"イノウエ": {"INOE", "INOHE"}, "マツウラ": {"MATSURA", "MATSURA"}, "シンイチ": {"SHINICHI", "SHINICHI"}, "ウエノ": {"UENO", "UENO"}, "": {"", ""},
	} {
		plain, err := passport.Romanise(kana, passport.PlainO)
		oh, _ := passport.Romanise(kana, passport.OH)
		if err != nil || plain != want[0] || oh != want[1] {
			t.Errorf("%s: %s, %s, want %v, %v", kana, plain, oh, want, err)
		}
	}
	for _, other := range []string{"山田", "YAMADA", "ヤマ1", strings.Repeat("ア", 200)} {
		if got, err := passport.Romanise(other, passport.PlainO); err != passport.ErrNotKana {
			t.Errorf("%q: %v", got, err)
		}
	}
}

func TestCompareKana(t *testing.T) {
	for _, c := range []struct {
		family, given string
		passport      passport.Name
		want          string
	}{
		{"ヤマダ", "タロウ", passport.Name{Primary: "YAMADA", Secondary: "TARO"}, "exact[]"},
		{"オオノ", "ユウコ", passport.Name{Primary: "OHNO", Secondary: "YUKO"}, "explained[long_vowel (primary)]"},
		{"イノウエ", "シンイチ", passport.Name{Primary: "INOUE", Secondary: "SHINICHI"}, "explained[long_vowel (primary)]"},
		{"マツウラ", "ハナ", passport.Name{Primary: "HANA", Secondary: "MATSUURA"}, "explained[order_swapped (name), long_vowel (secondary)]"},
		{"ガイム", "カルラ", passport.Name{Primary: "GAIMU", Secondary: "CARLA"}, "different[letters_differ (secondary)]"},
		{"大野", "ユウコ", passport.Name{Primary: "OHNO", Secondary: "YUKO"}, "different[unwritable (name)]"},
	} {
		if got := passport.CompareKana(passport.Name{Primary: c.family, Secondary: c.given}, c.passport); got.String() != c.want {
			t.Errorf("%s %s: %v, want %s", c.family, c.given, got, c.want)
		}
	}
}

// a zone that was typed against that of the chip.
func TestCompareZones(t *testing.T) {
	zone := passport.Parse(sakura1+"\n"+sakura2, today, passport.Options{})
	typed := func(change func(*passport.Document)) passport.Reading {
		r := zone
		change(&r.Document)
		return r
	}
	for _, c := range []struct {
		name   string
		change func(*passport.Document)
		want   string
		repair string
	}{
		{"ok/same", func(*passport.Document) {}, "[]", ""},
		{"ok/as people type", func(d *passport.Document) { d.Number = passport.NewNumber("ｔｚ 1234567") }, "[]", ""},
		{"error/look-alike", func(d *passport.Document) { d.Number = passport.NewNumber("TZI234S67") }, "[typed_differs (document_number)]", "3I→1 7S→5 "},
		{"error/number", func(d *passport.Document) { d.Number = passport.NewNumber("TZ1234568") }, "[typed_differs (document_number)]", ""},
		{"error/longer number", func(d *passport.Document) { d.Number = passport.NewNumber("TZ12345678") }, "[typed_differs (document_number)]", ""},
		{"error/name", func(d *passport.Document) { d.MRZName = passport.Name{Primary: "GAIMV"} }, "[typed_differs (name)]", ""},
		{"error/dates", func(d *passport.Document) { d.BirthDate, d.Expiry = "1990-02-21", clock.Date("") }, "[typed_differs (birth_date), typed_missing (expiry)]", ""},
		{"error/states and sex", func(d *passport.Document) { d.IssuingState, d.Nationality, d.Sex = "KOR", "XXB", "M" }, "[typed_differs (issuing_state), typed_differs (nationality), typed_differs (sex)]", ""},
		{"error/nothing typed", func(d *passport.Document) { *d = passport.Document{} }, "[typed_missing (issuing_state), typed_missing (document_number), typed_missing (nationality), typed_missing (birth_date), typed_missing (sex), typed_missing (expiry), typed_differs (name)]", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			got := passport.CompareZones(zone, typed(c.change))
			if got.String() != c.want || got.Refused() != strings.HasPrefix(c.name, "error/") {
				t.Errorf("%v, want %s", got, c.want)
			}
			repairs := ""
			for _, f := range got {
				for _, r := range f.Repairs {
					repairs += string(rune('0'+r.Position)) + r.From + "→" + r.To + " "
				}
			}
			if repairs != c.repair {
				t.Errorf("repairs %q, want %q", repairs, c.repair)
			}
		})
	}
	if b, _ := json.Marshal(zone.Document); strings.Contains(string(b), "TZ1234567") {
		t.Error("number in JSON")
	}
}

func FuzzCompareNames(f *testing.F) {
	f.Add("OHNO", "YUKO", "ÔHNO (SATO", "YUUKO-MARIE")
	f.Fuzz(func(t *testing.T, primary, secondary, otherPrimary, otherSecondary string) {
		zone := passport.Name{Primary: primary, Secondary: secondary}
		c := passport.CompareNames(zone, passport.Name{Primary: otherPrimary, Secondary: otherSecondary}, passport.AlternativeNames{})
		if (c.Grade == passport.Exact) != (len(c.Reasons) == 0) {
			t.Error("a grade without reasons")
		}
	})
}

func FuzzRomanise(f *testing.F) {
	f.Add("ハッチョウ")
	f.Add("ﾊﾞッ")
	f.Fuzz(func(t *testing.T, kana string) {
		romaji, err := passport.Romanise(kana, passport.OH)
		if err == nil && strings.Trim(romaji, "ABCDEFGHIJKLMNOPQRSTUVWXYZ ") != "" {
			t.Error("a proposal with other characters than A-Z")
		}
	})
}
