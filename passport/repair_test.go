package passport_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"akashi/passport"
)

// Spec mrz-and-emrtd, 7.
func TestRepairVectors(t *testing.T) {
	type vector struct {
		ID, Outcome     string
		Lines, Repaired []string
	}
	cases := vectors[vector](t, "mrz/ocr.json")
	if len(cases) != 12 {
		t.Errorf("%d cases, want 12", len(cases))
	}
	for _, c := range cases {
		t.Run(c.Outcome+"/"+c.ID, func(t *testing.T) {
			r := passport.Parse(strings.Join(c.Lines, "\n"), today, passport.Options{})
			if c.Outcome == "ask" {
				if r.Repaired() != nil || !r.Refused() {
					t.Errorf("repaired or accepted: %v", r)
				}
				return
			}
			lines := r.Lines
			if repaired := r.Repaired(); repaired != nil {
				lines = repaired
			}
			if !slices.Equal(lines, c.Repaired) {
				t.Errorf("lines\n%s, want\n%s", strings.Join(lines, "\n"), strings.Join(c.Repaired, "\n"))
			}
			if told := len(r.Changes)+len(r.Repairs) > 0; told == slices.Equal(c.Lines, c.Repaired) {
				t.Errorf("told the clerk: %v", told)
			}
			if len(r.Repairs) > 0 && !r.Refused() {
				t.Error("a repair was needed and the reading stands")
			}
			if after := passport.Parse(strings.Join(lines, "\n"), today, passport.Options{}); after.Refused() {
				t.Errorf("still refused: %v", after)
			}
		})
	}
}

func TestRepairs(t *testing.T) {
	const anna = "P<GBRERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n"
	mixed := fixed("X7134T9476GBR7408122F3404159<<<<<<<<<<<<<<<4")
	put := func(line string, position int, text string) string {
		return line[:position-1] + text + line[position-1+len(text):]
	}
	tests := []struct{ name, line1, line2, want string }{
		{"ok/one look-alike in a mixed number", anna, put(mixed, 3, "I"), "document_number 2:3 I→1"},
		{"ok/mixed number and birth date", anna, put(put(mixed, 3, "I"), 14, "74OB"), "birth_date 2:16 O→0 birth_date 2:17 B→8 document_number 2:3 I→1"},
		{"ok/state and nationality", "P<6BRERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n", put(mixed, 11, "G8R"), "issuing_state 1:3 6→G nationality 2:12 8→B"},
		{"ok/six for G keeps every digit right", sakura1 + "\n", put(sakura2, 8, "G"), "document_number 2:8 G→6"},
		{"error/two look-alikes in a mixed number", anna, put(put(fixed("X7134T247"+mixed[9:]), 3, "I"), 7, "Z"), ""},
		{"error/two candidates in a mixed number", anna, put(fixed("L898902C3"+mixed[9:]), 4, "B"), ""},
		{"error/three is like no letter", sakura1 + "\n", put(sakura2, 1, "3"), ""},
		{"error/state that does not exist", "P<JP1GAIMU<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<<<<\n", sakura2, ""},
		{"error/check digit of a digit read as another", sakura1 + "\n", put(sakura2, 44, "7"), ""},
		{"error/visa without composite", "V<GBRERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<\n", put(mixed, 3, "I"), ""},
		{"error/sex and K in the name are left alone", "P<JPNGAIMU<<SAKURA<K<<<<<<<<<<<<<<<<<<<<<<<<\n", put(sakura2, 21, "N"), ""},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			r := passport.Parse(c.line1+c.line2, today, passport.Options{})
			var got []string
			for _, p := range r.Repairs {
				got = append(got, p.Field+" "+strconv.Itoa(p.Line)+":"+strconv.Itoa(p.Position)+" "+p.From+"→"+p.To)
			}
			if s := strings.Join(got, " "); s != c.want {
				t.Errorf("repairs %q, want %q; %v", s, c.want, r)
			}
			for _, f := range r.Findings.With(passport.CodeCheckDigit) {
				if len(r.Repairs) > 0 && len(f.Repairs) == 0 {
					t.Errorf("%v does not show its repair", f)
				}
			}
		})
	}
}

// Rule 1: fillers behind the name read as K, C or L; a given name K stays.
func TestFillersReadAsLetters(t *testing.T) {
	for line, want := range map[string]string{
		"P<JPNGAIMU<<SAKURA<<<CC<<<L<<<<<<<<KKK<<<<<<": sakura1,
		"P<JPNGAIMU<<K<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<": "P<JPNGAIMU<<K<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
		"P<JPNGAIMU<<SAKURA<K<<<<<<<<<<<<<<<<<<<<<<<<": "P<JPNGAIMU<<SAKURA<K<<<<<<<<<<<<<<<<<<<<<<<<",
		"P<JPNGAIMU<<<<<<<K<<<<<<<<<<<<<<<<<<<<<<<<<<": "P<JPNGAIMU<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<<",
		"P<JPNGAIMU<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<KKK": "P<JPNGAIMU<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<KKK",
		"P<JPNGAIMU<<SAKURA<<<<<<<KAK<<<<<<<<<<<<<<<<": "P<JPNGAIMU<<SAKURA<<<<<<<KAK<<<<<<<<<<<<<<<<",
	} {
		if r := passport.Parse(line+"\n"+sakura2, today, passport.Options{}); r.Lines[0] != want {
			t.Errorf("%s\nbecame\n%s", line, r.Lines[0])
		}
	}
}

func TestNormalise(t *testing.T) {
	for name, text := range map[string]string{
		"blanks":              "P<JPN GAIMU << SAKURA <<<<<<<<<<<<<<<<<<<<<<<<<<\r\n" + sakura2,
		"lower case":          strings.ToLower(sakura1) + "\n" + sakura2 + "\n",
		"one line":            sakura1 + sakura2,
		"one line of two":     sakura1 + "\u3000" + sakura2,
		"empty lines between": "\n" + sakura1 + "\n\n" + sakura2 + "\n\n",
	} {
		r := passport.Parse(text, today, passport.Options{})
		if r.Refused() || len(r.Changes) == 0 || !slices.Equal(r.Lines, []string{sakura1, sakura2}) {
			t.Errorf("%s: %v, %v", name, r, r.Changes)
		}
		if strict := passport.Parse(text, today, passport.Options{Strict: true}); name != "one line" && !strict.Refused() {
			t.Errorf("%s: strict reading accepts it", name)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add(sakura1+"\n"+sakura2, false)
	f.Add(sakura1+sakura2, true)
	f.Add("I<UTOD23145890<7349<<<<<<<<<<<\n3407127M9507122UTO<<<<<<<<<<<2\nSTEVENSON<<PETER<JOHN<<<<<<<<<", false)
	f.Add("VCD<<DENT<<ARTHUR<PHILIP<<<<<<<<<<<<\n1234567XY7GBR5203116M2105253<<<<<<<<", false)
	f.Add("P<JPN0HN0<<YUKO<<<<<<<<<<<<<<<<<<<<<<<<<<<<<\nMR0OOOO016JPN85O7044F3107036<<<<<<<<<<<<<<<0", false)
	f.Fuzz(func(t *testing.T, text string, strict bool) {
		o := passport.Options{AllowSpecimen: true, Strict: strict}
		r := passport.Parse(text, today, o)
		if r.DocumentFormat == "" && !r.Refused() {
			t.Error("no format and not refused")
		}
		if len(r.Findings) != 0 && r.Findings.String() != passport.Parse(text, today, o).Findings.String() {
			t.Error("two readings differ")
		}
		if repaired := r.Repaired(); repaired != nil {
			after := passport.Parse(strings.Join(repaired, "\n"), today, o)
			if len(after.Findings.With(passport.CodeCheckDigit)) > len(r.Findings.With(passport.CodeCheckDigit)) {
				t.Error("a repair broke a check digit")
			}
		}
		if !r.Refused() {
			again := passport.Parse(strings.Join(r.Lines, "\n"), today, passport.Options{AllowSpecimen: true, Strict: true})
			if len(again.Findings.With(passport.CodeCheckDigit)) > 0 || again.Document.MRZName != r.Document.MRZName {
				t.Error("normalised lines read otherwise")
			}
			if name, err := passport.VDSName(r.Document.MRZName); err != nil || name == "" || len(name) > 39 {
				t.Error("name of the zone cannot be written")
			}
		}
	})
}
