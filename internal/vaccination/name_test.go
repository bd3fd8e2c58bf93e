package vaccination

import (
	"encoding/json"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// S-035: names.json names what is accepted, refused, or only folded in the key.
func TestCheckNameVectors(t *testing.T) {
	var cases []struct{ ID, Value, Expect string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/names.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 39 {
		t.Errorf("%d cases, want 39", len(cases))
	}
	for _, c := range cases {
		expect := c.Expect
		if c.ID == "bom" { // stripped at the start of a file, refused inside a cell
			expect = "reject"
		}
		t.Run(expect+"/"+c.ID, func(t *testing.T) {
			err := CheckName(c.Value)
			if got := err != nil; got != (expect == "reject") {
				t.Errorf("err = %v", err)
			}
			if err != nil && strings.Contains(err.Error(), c.Value) {
				t.Error("the error holds the name")
			}
		})
	}
}

func TestCheckText(t *testing.T) {
	for name, s := range map[string]string{
		"NUL": "a\x00b", "C1": "a\u0085b", "line separator": "a\u2028b", "soft hyphen": "a\u00adb", "zwnj": "a\u200cb", "hangul filler": "a\u3164b",
		"noncharacter": "a\ufdd0b", "plane end": "a\U0001FFFEb", "private plane": "a\U000F0000b", "replacement": "a\ufffdb", "tag": "a\U000E0041b", "broken": "a\xffb",
	} {
		if CheckText(s) == nil {
			t.Errorf("error/%s accepted", name)
		}
	}
	for _, s := range []string{"", "架空県証市 第1会場（南）", "=1+1", "葛\U000E0100城", "😀"} {
		if err := CheckText(s); err != nil {
			t.Errorf("ok/%q: %v", s, err)
		}
	}
}

// codes-and-files.md 7.2: no name is changed by checking; the compatibility form of 神 stays.
func TestNamesKeepTheirBytes(t *testing.T) {
	for _, name := range []string{"\uFA19田", "髙橋", "𠮷野", "葛\U000E0100城", "ﾀﾅｶ", "O’Brien", "か\u3099"} {
		value, _, err := clean(Column{Field: "family_name", Type: typeName, Width: 250}, name)
		if err != nil || value != name {
			t.Errorf("%q became %q, %v", name, value, err)
		}
	}
}

// codes-and-files.md 7.3.
func TestKeys(t *testing.T) {
	exact := [][2]string{
		{"田中 太郎", "田中　太郎"}, {"\uFA19田", "神田"}, {"Ｔａｎａｋａ", "TANAKA"}, {"か\u3099んだ", "がんだ"}, {"O’Brien", "o'brien"},
		{"ジャン・ポール", "ジャンポール"}, {"葛\U000E0100城", "葛城"}, {"ﾀﾅｶ", "タナカ"},
	}
	for _, c := range exact {
		if ExactKey(c[0]) != ExactKey(c[1]) {
			t.Errorf("exact/%q and %q differ", c[0], c[1])
		}
	}
	loose := [][2]string{
		{"髙橋", "高橋"}, {"𠮷野", "吉野"}, {"﨑本", "崎本"}, {"濵田", "浜田"}, {"濱田", "濵田"}, {"渡邊", "渡辺"}, {"渡邉", "渡辺"}, {"齋藤", "斉藤"}, {"廣瀨", "広瀬"},
		{"しょうた", "シヨウタ"}, {"ヴァン", "バン"}, {"ヴ", "ブ"}, {"ルヴェ", "ルベ"}, {"ヴヴ", "ブブ"}, {"ハッヅキ", "ハツズキ"}, {"ヰヱヲ", "イエオ"},
		{"ローザ", "ロ－ザ"}, {"ローザ", "ロ‐ザ"}, {"ﾛｰｻﾞ", "ローザ"}, {"Smith-Jones", "SmithJones"},
	}
	for _, c := range loose {
		if LooseKey(c[0]) != LooseKey(c[1]) {
			t.Errorf("loose/%q and %q differ: %q %q", c[0], c[1], LooseKey(c[0]), LooseKey(c[1]))
		}
		if ExactKey(c[0]) == ExactKey(c[1]) && !strings.Contains(c[0]+c[1], "ｰ") {
			t.Errorf("exact/%q and %q are equal", c[0], c[1])
		}
	}
	for _, c := range [][2]string{{"田中", "中田"}, {"ハナ", "バナ"}, {"太郎", "次郎"}, {"", "一"}} {
		if LooseKey(c[0]) == LooseKey(c[1]) {
			t.Errorf("error/%q and %q are equal", c[0], c[1])
		}
	}
}

// codes-and-files.md 7.4.
func TestFoldKana(t *testing.T) {
	for in, want := range map[string]string{
		"ﾊﾞ": "バ", "ﾊﾟ": "パ", "ｻｸﾗｲ": "サクライ", "さくらい": "サクライ", "ﾛｰｻﾞ": "ローザ", "ロ-ザ": "ローザ", "ロ−ザ": "ローザ", "ロ‐ザ": "ローザ",
		"ｶﾞｷﾞｸﾞ": "ガギグ", "カ\u3099": "ガ", "サクライ　ミオ": "サクライ ミオ", "": "",
	} {
		if got := FoldKana(in); got != want {
			t.Errorf("FoldKana(%q) = %q, want %q", in, got, want)
		}
	}
}

// The table brings every form to one that is not itself brought to another.
func TestVariants(t *testing.T) {
	if len(variants) < 70 {
		t.Errorf("%d variants", len(variants))
	}
	for from, to := range variants {
		if _, again := variants[to]; again || from == to {
			t.Errorf("%c goes to %c, which goes on", from, to)
		}
	}
}
