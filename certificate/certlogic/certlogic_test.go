package certlogic

import (
	"errors"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"akashi/internal/strictjson"
	"akashi/internal/testkit"
)

func parse(t testing.TB, b []byte) any {
	t.Helper()
	v, err := strictjson.Parse(b, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// suites are the files of the language's own test suite, and how many assertions each has.
var suites = map[string]int{
	"JsonLogic-testSuite": 81, "and": 9, "date-times": 12, "detect-missing-values": 10, "equality": 2, "extractFromUCVI": 29, "if": 5, "in": 7,
	"recognising-minors-with-DCC-DOB": 15, "var": 18,
}

// spec eu-dcc, 13: the suite of eu-dcc-business-rules, every assertion.
func TestSuite(t *testing.T) {
	files, err := filepath.Glob(testkit.Shared(t, "dcc/certlogic/testSuite") + "/*.json")
	if err != nil || len(files) != len(suites) {
		t.Fatalf("%d files, %v", len(files), err)
	}
	for name, want := range suites {
		suite := parse(t, testkit.Read(t, "dcc/certlogic/testSuite/"+name+".json")).(map[string]any)
		ran := 0
		for _, c := range suite["cases"].([]any) {
			of := c.(map[string]any)
			for _, a := range of["assertions"].([]any) {
				one := a.(map[string]any)
				expression, ok := one["certLogicExpression"]
				if !ok {
					expression = of["certLogicExpression"]
				}
				ran++
				got, err := Evaluate(expression, one["data"])
				if err != nil || !reflect.DeepEqual(got, plain(one["expected"])) {
					t.Errorf("%s: %v over %v: %#v, %v, want %v", of["name"], expression, one["data"], got, err, one["expected"])
				}
			}
		}
		if ran != want {
			t.Errorf("%s: %d assertions ran, want %d", name, ran, want)
		}
	}
}

// The published rules with their tests.
func TestRules(t *testing.T) {
	files, err := filepath.Glob(testkit.Shared(t, "dcc/certlogic/rules") + "/*/*/rule.json")
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, file := range files {
		dir := "dcc/certlogic/rules/" + filepath.ToSlash(strings.TrimPrefix(filepath.Dir(file), testkit.Shared(t, "dcc/certlogic/rules")+string(filepath.Separator)))
		r, err := ParseRule(testkit.Read(t, dir+"/rule.json"))
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range parse(t, testkit.Read(t, dir+"/tests.json")).([]any) {
			one := c.(map[string]any)
			ran++
			want := map[bool]Result{true: Passed, false: Failed}[one["expected"].(bool)]
			if got := r.Check(one["payload"].(map[string]any), one["external"].(map[string]any)); got != want {
				t.Errorf("%s %s: %s, want %s", r.Identifier, one["file"], got, want)
			}
		}
		if r.Describe("xx") == "" || r.Describe("de") == r.Describe("en") {
			t.Errorf("%s has no description", r.Identifier)
		}
	}
	if len(files) != 6 || ran != 42 {
		t.Errorf("%d rules, %d tests, want 6 and 42", len(files), ran)
	}
}

// What has no value is an error, and a rule over it is open.
func TestErrors(t *testing.T) {
	for name, expression := range map[string]string{
		"null": `null`, "a fraction": `1.5`, "two operators": `{"!":[true],"and":[1,1]}`, "no operator": `{}`, "an unknown one": `{"or":[true,true]}`,
		"no operands": `{"!":[]}`, "an operand that is no list": `{"!":true}`, "var of a number": `{"var":1}`, "if of two": `{"if":[true,1]}`, "and of one": `{"and":[true]}`,
		"a comparison of texts": `{">":["b","a"]}`, "a comparison of text and number": `{">":[1,"0"]}`, "times of texts": `{"after":["2021-01-01","2020-01-01"]}`, "four operands": `{"<":[1,2,3,4]}`,
		"in of a text": `{"in":["a","abc"]}`, "plus of texts": `{"+":["a","b"]}`, "a time that is none": `{"plusTime":["2021-02-30",0,"day"]}`, "a unit that is none": `{"plusTime":["2021-02-01",1,"week"]}`,
		"a time without end": `{"plusTime":["2021-02-01",9223372036854775807,"day"]}`, "truth of a time": `{"!":[{"plusTime":["2021-02-01",1,"day"]}]}`, "if of a time": `{"if":[{"plusTime":["2021-02-01",1,"day"]},1,2]}`,
		"reduce of a text": `{"reduce":["abc",1,0]}`, "birth of nobody": `{"dccDateOfBirth":["1990-13"]}`, "index of a text": `{"extractFromUVCI":["a","b"]}`, "uvci of a number": `{"extractFromUVCI":[1,0]}`,
	} {
		if v, err := Evaluate(parse(t, []byte(expression)), map[string]any{}); !errors.Is(err, ErrEvaluation) {
			t.Errorf("error/%s: %v, %v", name, v, err)
		}
	}
	// S-040: work is bounded: five nested loops over 50 items would be 300 million steps.
	bomb := `{"var":"current"}`
	for range 5 {
		bomb = `{"reduce":[{"var":"x"},` + bomb + `,0]}`
	}
	many := `[` + strings.Repeat(`1,`, 49) + `1]`
	loop := strings.ReplaceAll(bomb, `{"var":"x"}`, many)
	if _, err := Evaluate(parse(t, []byte(loop)), nil); !errors.Is(err, ErrEvaluation) || !strings.Contains(err.Error(), "too much work") {
		t.Errorf("error/a bomb: %v", err)
	}
	rule := Rule{Engine: "CERTLOGIC", EngineVersion: "1.0.0", SchemaVersion: "1.0.0", Logic: true}
	for name, c := range map[string]struct {
		change func(*Rule)
		want   Result
	}{
		"as it is": {func(*Rule) {}, Passed}, "another engine": {func(r *Rule) { r.Engine = "X" }, Open}, "a newer engine": {func(r *Rule) { r.EngineVersion = "1.3.4" }, Open},
		"a newer schema": {func(r *Rule) { r.SchemaVersion = "1.10.0" }, Open}, "no value": {func(r *Rule) { r.Logic = nil }, Open}, "a text": {func(r *Rule) { r.Logic = "true" }, Open},
		"false": {func(r *Rule) { r.Logic = false }, Failed},
	} {
		r := rule
		c.change(&r)
		if got := r.Check(map[string]any{"ver": "1.3.0"}, nil); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	for name, text := range map[string]string{"no JSON": `x`, "no logic": `{"Identifier":"A"}`, "no name": `{"Logic":true}`, "an array": `[]`, "a member twice": `{"Identifier":"A","Logic":true,"Logic":false}`, "too large": strings.Repeat(" ", maxRule+1)} {
		if _, err := ParseRule([]byte(text)); err == nil {
			t.Errorf("error/rule, %s: read", name)
		}
	}
}

// spec eu-dcc, 13: which rules concern a certificate, and which version of each.
func TestFor(t *testing.T) {
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	rule := func(id, kind, country, version, certificate string, from int) Rule {
		return Rule{Identifier: id, Type: kind, Country: country, Version: version, CertificateType: certificate, ValidFrom: at.AddDate(0, 0, from), ValidTo: at.AddDate(1, 0, 0), Logic: true}
	}
	rules := Rules{
		rule("VR-AT-1", "Acceptance", "AT", "1.0.9", "Vaccination", -1), rule("VR-AT-1", "Acceptance", "AT", "1.0.10", "Vaccination", -1), rule("VR-AT-1", "Acceptance", "AT", "2.0.0", "Vaccination", 1),
		rule("GR-AT-1", "Acceptance", "AT", "1.0.0", "General", -1), rule("TR-AT-1", "Acceptance", "AT", "1.0.0", "Test", -1), rule("VR-DE-1", "Acceptance", "DE", "1.0.0", "Vaccination", -1),
		rule("IR-DE-1", "Invalidation", "DE", "1.0.0", "Vaccination", -1), rule("IR-AT-1", "Invalidation", "AT", "1.0.0", "Vaccination", -1), rule("VR-AT-2", "Acceptance", "AT", "1.0.0", "Vaccination", -1000),
	}
	rules[8].ValidTo = at.AddDate(0, 0, -1)
	var got []string
	for _, r := range rules.For("AT", "DE", "Vaccination", at) {
		got = append(got, r.Identifier+" "+r.Version)
	}
	if want := "GR-AT-1 1.0.0,IR-DE-1 1.0.0,VR-AT-1 1.0.10"; strings.Join(got, ",") != want {
		t.Errorf("%v, want %s", got, want)
	}
}

// Times as the language reads them: offsets of several forms, none, and long fractions.
func TestTime(t *testing.T) {
	for text, want := range map[string]string{
		"2021-06-01": "2021-06-01T00:00:00Z", "2021-06-01T12:00:00": "2021-06-01T12:00:00Z", "2021-06-01T12:00:00+02": "2021-06-01T10:00:00Z", "2021-06-01T12:00:00+0230": "2021-06-01T09:30:00Z",
		"2021-06-01T12:00:00-1": "2021-06-01T13:00:00Z", "2021-06-01T12:00:00.1239999Z": "2021-06-01T12:00:00.123Z", "2021-06-01T12:00:00+02:00": "2021-06-01T10:00:00Z",
	} {
		if got, err := parseTime(text); err != nil || got.Format(time.RFC3339Nano) != want {
			t.Errorf("%s: %s, %v", text, got.Format(time.RFC3339Nano), err)
		}
	}
	if got, err := plusTime([]any{"2020-02-29", int64(1), "year"}); err != nil || got.(time.Time).Format(time.DateOnly) != "2021-03-01" {
		t.Errorf("a leap year: %v", got)
	}
}

func FuzzEvaluate(f *testing.F) {
	f.Add([]byte(`{"if":[{"var":"payload.r.0"},{"not-after":[{"plusTime":[{"var":"external.validationClock"},0,"day"]},{"plusTime":["2021-01-01",180,"day"]}]},true]}`), []byte(`{"payload":{}}`))
	f.Add([]byte(`{"reduce":[[1,2],{"+":[{"var":"current"},{"var":"accumulator"}]},0]}`), []byte(`null`))
	f.Fuzz(func(t *testing.T, expression, data []byte) {
		x, err := strictjson.Parse(expression, maxLevels)
		if err != nil {
			return
		}
		over, _ := strictjson.Parse(data, maxLevels)
		_, _ = Evaluate(x, over)
	})
}
