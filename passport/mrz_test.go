package passport_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"akashi/internal/clock"
	"akashi/internal/testkit"
	"akashi/passport"

	"github.com/google/go-cmp/cmp"
)

func vectors[T any](t testing.TB, name string) []T {
	t.Helper()
	var list []T
	if err := json.Unmarshal(testkit.Read(t, name), &list); err != nil {
		t.Fatal(err)
	}
	return list
}

type zoneCase struct {
	ID     string
	Lines  []string
	Result string
	Format passport.Format
	Errors []string
	Fields map[string]any
	Checks map[string]bool `json:"check_digits"`
}

func (c zoneCase) field(name string) string { s, _ := c.Fields[name].(string); return s }

// midCentury is a day on which no specimen's two-digit year of expiry is more
// than 50 years off: they run from 2012 to 2096.
const midCentury clock.Date = "2050-01-01"

// vectorErrors writes refusals in the words of the vectors; expiry depends on the day.
func vectorErrors(r passport.Reading) []string {
	fields := map[string]string{
		passport.FieldNumber: "document_number", passport.FieldBirthDate: "date_of_birth", passport.FieldExpiry: "date_of_expiry",
	}
	words := map[string]string{
		passport.CodeDocumentCode: "document-code", passport.CodeNameDigit: "name-digit", passport.CodeSexLetter: "sex",
		passport.CodeSecondSeparator: "name-more-than-two-parts", passport.CodeLength: "length", passport.CodeCharset: "charset",
		passport.CodeBirthCalendar: "date_of_birth", passport.CodeBirthFormat: "date_of_birth",
		passport.CodeExpiryCalendar: "date_of_expiry", passport.CodeExpiryFormat: "date_of_expiry",
	}
	var list []string
	for _, f := range r.Findings {
		switch {
		case f.Severity != passport.Refuse || f.Code == passport.CodeExpired:
		case f.Code == passport.CodeCheckDigit:
			field := f.Field
			if fields[field] != "" {
				field = fields[field]
			}
			list = append(list, "check-digit:"+field)
		case words[f.Code] != "":
			list = append(list, words[f.Code])
		default:
			list = append(list, f.Code+":"+f.Field)
		}
	}
	return list
}

// Doc 9303-3 to 9303-7 and 9303-11; spec mrz-and-emrtd, 1 to 6 and 11.
func TestParseVectors(t *testing.T) {
	cases := vectors[zoneCase](t, "mrz/cases.json")
	if len(cases) != 51 {
		t.Errorf("%d cases, want 51", len(cases))
	}
	for _, c := range cases {
		name := map[string]string{"accept": "ok/", "reject": "error/"}[c.Result] + c.ID
		t.Run(name, func(t *testing.T) {
			r := passport.Parse(strings.Join(c.Lines, "\n"), midCentury, passport.Options{AllowSpecimen: true, Strict: true})
			got, want := vectorErrors(r), slices.Clone(c.Errors)
			if c.ID == "lower-case" { // characters outside the set also make a state unknown
				got = slices.DeleteFunc(got, func(s string) bool { return strings.HasPrefix(s, passport.CodeUnknownState) })
			}
			slices.Sort(got)
			slices.Sort(want)
			if len(got)+len(want) > 0 && !slices.Equal(got, want) {
				t.Errorf("errors %q, want %q", got, want)
			}
			if r.DocumentFormat != c.Format {
				t.Errorf("format %q, want %q", r.DocumentFormat, c.Format)
			}
			if c.Fields != nil && c.ID != "lower-case" {
				compareFields(t, c, r)
			}
		})
	}
}

func compareFields(t *testing.T, c zoneCase, r passport.Reading) {
	t.Helper()
	optional := []string{c.field("optional")}
	if c.Format == passport.TD1 {
		optional = []string{c.field("optional_1"), c.field("optional_2")}
	}
	d := r.Document
	sex := map[string]string{"<": "X"}[c.field("sex")]
	if sex == "" {
		sex = c.field("sex")
	}
	got := []any{
		r.Code, d.IssuingState, d.Number.Reveal(), d.Nationality, d.Sex, d.MRZName.Primary, d.MRZName.Secondary,
		strings.Join(r.Optional, "|"), r.MayBeTruncated,
	}
	want := []any{
		c.field("document_code"), c.field("issuing_state"), c.field("document_number"), c.field("nationality"), sex,
		c.field("primary"), c.field("secondary"), strings.Join(optional, "|"), c.Fields["name_may_be_truncated"],
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	for field, code := range map[string]clock.Date{"date_of_birth": d.BirthDate, "date_of_expiry": d.Expiry} {
		if code.Full() && strings.ReplaceAll(string(code[2:]), "-", "") != c.field(field) {
			t.Errorf("%s differs", field)
		}
	}
	wrong := map[string]bool{}
	for _, e := range vectorErrors(r) {
		if field, ok := strings.CutPrefix(e, "check-digit:"); ok {
			wrong[field] = true
		}
	}
	for field, right := range c.Checks {
		if wrong[field] == right {
			t.Errorf("check digit of %s: right is %v, want %v", field, !wrong[field], right)
		}
	}
}

// A person or camera is forgiven what can be put right without a guess (spec 7, rule 1),
// and a second << is left to the data page (spec 5).
func TestParseVectorsAtTheCounter(t *testing.T) {
	forgiven := map[string]string{"lower-case": "", "gmrtd-10": passport.CodeSecondSeparator}
	for _, c := range vectors[zoneCase](t, "mrz/cases.json") {
		warning, forgive := forgiven[c.ID]
		r := passport.Parse(strings.Join(c.Lines, ""), midCentury, passport.Options{AllowSpecimen: true})
		refused := len(vectorErrors(r)) > 0
		if want := c.Result == "reject" && !forgive; refused != want {
			t.Errorf("%s: refused is %v, want %v: %v", c.ID, refused, want, r.Findings)
		}
		if warning != "" && len(r.Findings.With(warning)) != 1 {
			t.Errorf("%s: no warning", c.ID)
		}
		if numberForm := len(r.Findings.With(passport.CodeJapaneseNumber)) > 0; numberForm {
			t.Errorf("%s: a warning for a number of another state or of the right form", c.ID)
		}
		if len(r.Repairs) > 0 && c.Result == "accept" {
			t.Errorf("%s: repairs for a good zone", c.ID)
		}
	}
}

const (
	sakura1 = "P<JPNGAIMU<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<<<<"
	sakura2 = "TZ12345676JPN9002203F3402199<<<<<<<<<<<<<<<8"
)

const today clock.Date = "2026-11-21"

// fixed sets the check digits of a second line of TD3 right.
func fixed(line string) string {
	b := []byte(line)
	for _, c := range []struct{ from, to int }{{0, 9}, {13, 19}, {21, 27}} {
		b[c.to], _ = passport.CheckDigit(string(b[c.from:c.to]))
	}
	b[43], _ = passport.CheckDigit(string(b[0:10]) + string(b[13:20]) + string(b[21:43]))
	return string(b)
}

func TestParseFindings(t *testing.T) {
	put := func(line string, position int, text string) string {
		return line[:position-1] + text + line[position-1+len(text):]
	}
	name := func(text string) string { return put("P<JPN"+strings.Repeat("<", 39), 6, text) }
	tests := []struct {
		name  string
		text  string
		field string
		code  string
		level passport.Severity
	}{
		{"ok/unknown month and day", sakura1 + "\n" + fixed(put(sakura2, 14, "90<<<<")), "birth_date", "birth_date_incomplete", passport.Warn},
		{"ok/nothing known of the birth date", sakura1 + "\n" + fixed(put(sakura2, 14, "<<<<<<")), "birth_date", "birth_date_incomplete", passport.Warn},
		{"ok/nationality of another state", sakura1 + "\n" + fixed(put(sakura2, 11, "XXB")), "nationality", "nationality_differs", passport.Note},
		{"ok/number form of no Japanese passport", sakura1 + "\n" + fixed(put(sakura2, 1, "T12345678")), "document_number", "japanese_number_form", passport.Warn},
		{"ok/old meaning of the second letter", put(sakura1, 1, "PJ") + "\n" + sakura2, "document_code", "document_kind", passport.Note},
		{"ok/single name", name("SAKURA") + "\n" + sakura2, "name", "single_name", passport.Note},
		{"ok/no primary identifier", name("<<SAKURA") + "\n" + sakura2, "name", "primary_missing", passport.Warn},
		{"ok/three fillers", name("GAIMU<<<SAKURA") + "\n" + sakura2, "name", "second_separator", passport.Warn},
		{"ok/name fills the field", name("GAIMU<<"+strings.Repeat("A", 32)) + "\n" + sakura2, "name", "name_may_be_truncated", passport.Note},
		{"ok/optional data in a Japanese passport", sakura1 + "\n" + fixed(put(sakura2, 29, "5<<<<<<<<<<<<<5")), "optional", "japanese_optional_data", passport.Warn},
		{"error/expired", sakura1 + "\n" + fixed(put(sakura2, 22, "261120")), "expiry", "expired", passport.Refuse},
		{"error/expiry far away", sakura1 + "\n" + fixed(put(sakura2, 22, "770101")), "expiry", "expiry_year", passport.Refuse},
		{"error/expiry on no day", sakura1 + "\n" + fixed(put(sakura2, 22, "340230")), "expiry", "expiry_calendar", passport.Refuse},
		{"error/29 February of a common year", sakura1 + "\n" + fixed(put(sakura2, 14, "010229")), "birth_date", "birth_date_calendar", passport.Refuse},
		{"error/day 32 of an unknown month", sakura1 + "\n" + fixed(put(sakura2, 14, "90<<32")), "birth_date", "birth_date_calendar", passport.Refuse},
		{"error/filler beside a digit", sakura1 + "\n" + fixed(put(sakura2, 14, "900<20")), "birth_date", "birth_date_format", passport.Refuse},
		{"error/unknown state", put(sakura1, 3, "JPP") + "\n" + sakura2, "issuing_state", "unknown_state", passport.Refuse},
		{"error/filler inside the state", sakura1 + "\n" + put(sakura2, 11, "J<N"), "nationality", "unknown_state", passport.Refuse},
		{"error/specimen in production", put(sakura1, 3, "UTO") + "\n" + sakura2, "issuing_state", "specimen_state", passport.Refuse},
		{"error/no name", name("<") + "\n" + sakura2, "name", "name_missing", passport.Refuse},
		{"error/no number", sakura1 + "\n" + fixed(put(sakura2, 1, "<<<<<<<<<")), "document_number", "document_number_missing", passport.Refuse},
		{"error/filler for the number's digit", sakura1 + "\n" + put(sakura2, 10, "<"), "document_number", "check_digit", passport.Refuse},
		{"error/number not continued", "I<UTOD23145890<<<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<", "document_number", "long_number", passport.Refuse},
		{"error/continued number of a check digit only", "I<UTOD23145890<9<<<<<<<<<<<<<<\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<", "document_number", "long_number", passport.Refuse},
		{"error/continued number without room", "I<UTOD23145890<734567890123456\n7408122F1204159UTO<<<<<<<<<<<6\nERIKSSON<<ANNA<MARIA<<<<<<<<<<", "document_number", "long_number", passport.Refuse},
		{"error/one line", sakura1, "zone", "length", passport.Refuse},
		{"error/one character less", sakura1 + "\n" + sakura2[1:], "line2", "length", passport.Refuse},
		{"error/lines of two formats", sakura1 + "\n" + sakura2[:36], "line2", "length", passport.Refuse},
		{"error/second letter a digit", put(sakura1, 2, "7") + "\n" + sakura2, "document_code", "document_code", passport.Refuse},
	}
	for _, c := range tests {
		t.Run(c.name, func(t *testing.T) {
			r := passport.Parse(c.text, today, passport.Options{})
			if want := strings.HasPrefix(c.name, "error/"); r.Refused() != want {
				t.Errorf("refused is %v, want %v: %v", r.Refused(), want, r.Findings)
			}
			if !slices.ContainsFunc(r.Findings, func(f passport.Finding) bool {
				return f.Code == c.code && f.Field == c.field && f.Severity == c.level
			}) {
				t.Errorf("no %s (%s, %s) in %v", c.code, c.field, c.level, r.Findings)
			}
		})
	}
}

// All is reported, not only the first.
func TestParseReportsEverything(t *testing.T) {
	r := passport.Parse("X<QQQGAIM7<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<<<<\nTZ12345675JPN9013203X2402199<<<<<<<<<<<<<<<8", today, passport.Options{})
	want := "[document_code (document_code), unknown_state (issuing_state), name_digit (name), nationality_differs (nationality), " +
		"birth_date_calendar (birth_date), sex_letter (sex), expired (expiry), check_digit (document_number), check_digit (birth_date), " +
		"check_digit (expiry), check_digit (composite)]"
	if got := r.Findings.String(); got != want {
		t.Error(cmp.Diff(want, got))
	}
	digit := r.Findings.With(passport.CodeCheckDigit)[0]
	if digit.Read != "5" || digit.Expected != "6" {
		t.Errorf("read %q, expected %q", digit.Read, digit.Expected)
	}
}

// Spec mrz-and-emrtd, 4: the latest year that is not after today.
func TestCentury(t *testing.T) {
	for _, c := range []struct{ digits, want, earlier string }{
		{"261121", "2026-11-21", "1926-11-21"},
		{"261122", "1926-11-22", ""},
		{"26<<<<", "2026", ""},
		{"2612<<", "1926-12", ""},
		{"150505", "2015-05-05", "1915-05-05"},
		{"900220", "1990-02-20", ""},
		{"000229", "2000-02-29", ""}, // 1900 had no such day
	} {
		r := passport.Parse(sakura1+"\n"+fixed(sakura2[:13]+c.digits+sakura2[19:]), today, passport.Options{})
		if string(r.Document.BirthDate) != c.want || string(r.EarlierBirth) != c.earlier {
			t.Errorf("%s: %q and %q, want %q and %q", c.digits, r.Document.BirthDate, r.EarlierBirth, c.want, c.earlier)
		}
	}
	leap := passport.Parse(sakura1+"\n"+fixed(sakura2[:13]+"000229"+sakura2[19:]), "2020-01-01", passport.Options{})
	if leap.EarlierBirth != "" {
		t.Error("1900 had no 29 February")
	}
	r := passport.Parse(sakura1+"\n"+fixed(sakura2[:21]+"261121"+sakura2[27:]), today, passport.Options{})
	if r.Refused() {
		t.Errorf("refused on the last day: %v", r.Findings)
	}
}

func TestParseNeedsADate(t *testing.T) {
	for _, day := range []clock.Date{"", "2026", "2026-02-30", "yesterday!"} {
		if r := passport.Parse(sakura1+"\n"+sakura2, day, passport.Options{}); len(r.Findings.With(passport.CodeNoDate)) != 1 {
			t.Errorf("%q: %v", day, r.Findings)
		}
	}
}

// S-091 and threats-and-protection: hostile zones are refused, with all they hold kept out of logs.
func TestParseHostile(t *testing.T) {
	type hostile struct{ ID, Line1, Line2, Expect string }
	cases := vectors[hostile](t, "security/own/mrz-hostile.json")
	if len(cases) != 9 {
		t.Errorf("%d cases, want 9", len(cases))
	}
	for _, c := range cases {
		t.Run("error/"+c.ID, func(t *testing.T) {
			switch c.ID {
			case "1MB":
				c.Line1 = "P<UTO" + strings.Repeat("A", 1<<20)
			case "utf8-overlong":
				c.Line1 = "P\xc0\xbcUTOERIKSSON<<ANNA<MARIA<<<<<<<<<<<<<<<<<<<"
			}
			r := passport.Parse(c.Line1+"\n"+c.Line2, midCentury, passport.Options{AllowSpecimen: true})
			if !slices.ContainsFunc(r.Findings, func(f passport.Finding) bool {
				return f.Severity == passport.Refuse && f.Code != passport.CodeExpired
			}) {
				t.Errorf("not refused: %v", r.Findings)
			}
			if c.ID == "1MB" && (len(r.Findings) != 1 || r.Lines != nil) {
				t.Error("looked at before the length was refused")
			}
			for _, f := range r.Findings {
				if strings.ContainsRune(f.Read, 0x1b) {
					t.Error("control character in a finding")
				}
			}
		})
	}
}

// S-091: what is personal leaves by JSON for the clerk only.
func TestReadingIsSafeInLogs(t *testing.T) {
	r := passport.Parse("P<JPN0HNO<<SAKURA<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTZ12345676JPN9O02203F3402199<<<<<<<<<<<<<<<8", today, passport.Options{})
	comparison := passport.CompareNames(passport.Name{Primary: "OHNO", Secondary: "SAKURA"}, passport.Name{Primary: "Ohnö", Secondary: "SAKURA"}, passport.AlternativeNames{})
	values := []any{r, r.Findings, r.Findings[0], r.Repairs, &r, comparison, comparison.Reasons}
	secrets := []string{"OHNO", "0HNO", "SAKURA", "TZ1", "9O02", "Ohn"}
	for _, v := range values {
		var log bytes.Buffer
		slog.New(slog.NewJSONHandler(&log, nil)).Info("text", "value", v)
		slog.New(slog.NewTextHandler(&log, nil)).Info("text", "value", v)
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%d", "%x"} {
			fmt.Fprintf(&log, verb, v)
		}
		for _, secret := range secrets {
			if bytes.Contains(log.Bytes(), []byte(secret)) || bytes.Contains(log.Bytes(), fmt.Appendf(nil, "%x", secret)) {
				t.Errorf("%T shows %s", v, secret)
			}
		}
	}
	if got := fmt.Sprintf("%#v", r.Repairs[0]); got != "repair (name)" {
		t.Errorf("a repair prints %q", got)
	}
	clerk, err := json.Marshal(r)
	if err != nil || !bytes.Contains(clerk, []byte("0HNO")) {
		t.Error("the clerk does not see what was read", err)
	}
}

func TestCheckDigit(t *testing.T) {
	type vector struct {
		Input string
		Digit string `json:"check_digit"`
	}
	cases := vectors[vector](t, "mrz/check-digits.json")
	if len(cases) != 12 {
		t.Errorf("%d cases, want 12", len(cases))
	}
	var published vector
	testkit.Example(t, "doc9303-checkdigit-date", &published)
	cases = append(cases, published)
	for _, c := range cases {
		if digit, ok := passport.CheckDigit(c.Input); !ok || string(digit) != c.Digit {
			t.Errorf("%s: %c, want %s", c.Input, digit, c.Digit)
		}
	}
	if _, ok := passport.CheckDigit("a"); ok {
		t.Error("lower case has a check digit")
	}
}

func TestStateName(t *testing.T) {
	for code, want := range map[string][2]string{
		"JPN": {"日本", "Japan"}, "D": {"ドイツ", "Germany"}, "XXB": {"難民（1951年条約）", "Refugee (1951 Convention)"}, "RKS": {"コソボ", "Kosovo"},
	} {
		if ja, en, ok := passport.StateName(code); !ok || ja != want[0] || en != want[1] {
			t.Errorf("%s: %s, %s", code, ja, en)
		}
	}
	for _, code := range []string{"", "JP", "QQQ", "code", "jpn"} {
		if _, _, ok := passport.StateName(code); ok {
			t.Errorf("%q is a state", code)
		}
	}
}
