package outside_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"akashi/certificate/certlogic"
	"akashi/internal/strictjson"
	"akashi/test/outside"
)

// expressions draws expressions of the rule language with data for them, most of them
// well formed: fixed ones, the same in each run.
type expressions struct{ *rand.Rand }

func (e expressions) one(of ...string) string { return of[e.IntN(len(of))] }

const ruleData = `{"a":1,"b":"x","s":"2021-06-30","t":"2022-01-01T10:20:30Z","n":null,"list":[1,2,3],"in":{"x":"y","list":["x","y"]},"dob":"1999-02","ci":"URN:UVCI:01:UT:A/B#C"}`

func (e expressions) text(depth int) string {
	leaf := func() string {
		return e.one("1", "0", "-2", `"x"`, `""`, "true", "false", `{"var":"a"}`, `{"var":"b"}`, `{"var":"n"}`, `{"var":"missing"}`, `{"var":"list"}`, `{"var":"list.1"}`, `{"var":"in.x"}`, `{"var":""}`, "[]", `["x",1]`)
	}
	if depth == 0 {
		return leaf()
	}
	x := func() string { return e.text(depth - 1) }
	date := func() string {
		return e.one(`{"plusTime":[{"var":"s"},`+e.one("0", "1", "-30", "400")+`,"`+e.one("day", "month", "year", "hour")+`"]}`, `{"plusTime":["2020-02-29",1,"year"]}`,
			`{"plusTime":[{"var":"t"},0,"day"]}`, `{"plusTime":["2021-12-31T23:30:00+09:00",2,"hour"]}`, `{"dccDateOfBirth":[{"var":"dob"}]}`, `{"plusTime":["2024-01-31",1,"month"]}`)
	}
	switch e.IntN(12) {
	case 0:
		return leaf()
	case 1:
		return fmt.Sprintf(`{"if":[%s,%s,%s]}`, x(), x(), x())
	case 2:
		return fmt.Sprintf(`{"and":[%s,%s]}`, x(), x())
	case 3:
		return fmt.Sprintf(`{"===":[%s,%s]}`, x(), x())
	case 4:
		return fmt.Sprintf(`{"%s":[%s,%s]}`, e.one("<", ">", "<=", ">="), x(), x())
	case 5:
		return fmt.Sprintf(`{"%s":[%s,%s,%s]}`, e.one("<", ">", "<=", ">="), x(), x(), x())
	case 6:
		return fmt.Sprintf(`{"%s":[%s,%s]}`, e.one("after", "before", "not-after", "not-before"), date(), date())
	case 7:
		return fmt.Sprintf(`{"%s":[%s,%s,%s]}`, e.one("after", "before", "not-after", "not-before"), date(), date(), date())
	case 8:
		return fmt.Sprintf(`{"in":[%s,%s]}`, x(), e.one(`{"var":"list"}`, `{"var":"in.list"}`, `["x","y"]`, "[]", x()))
	case 9:
		return fmt.Sprintf(`{"+":[%s,%s]}`, x(), x())
	case 10:
		return fmt.Sprintf(`{"!":[%s]}`, x())
	default:
		return e.one(
			`{"reduce":[{"var":"list"},{"+":[{"var":"accumulator"},{"var":"current"}]},0]}`,
			fmt.Sprintf(`{"reduce":[%s,{"if":[{"var":"current"},%s,{"var":"accumulator"}]},%s]}`, e.one(`{"var":"list"}`, `{"var":"n"}`, `{"var":"in.list"}`), x(), x()),
			fmt.Sprintf(`{"extractFromUVCI":[{"var":"ci"},%d]}`, e.IntN(6)), date(),
		)
	}
}

// Issue 5, tried against: what certlogic-js gives a value, ours gives the same value or
// refuses, for one of the reasons that docs/verifiers.md names; what it refuses, ours
// refuses as well.
func TestCertLogicOracle(t *testing.T) {
	e := expressions{rand.New(rand.NewPCG(5, 2026))}
	var cases []outside.Expression
	for range 6000 {
		cases = append(cases, outside.Expression{Expression: json.RawMessage(e.text(3)), Data: json.RawMessage(ruleData)})
	}
	theirs := outside.CertLogic(t, cases)
	same, stricter, refused := 0, map[string]int{}, 0
	for i, c := range cases {
		got, err := certlogic.Evaluate(tree(t, c.Expression), tree(t, c.Data))
		switch said := theirs[i]; {
		case said.Refused != "" && err != nil:
			refused++
		case said.Refused != "":
			t.Errorf("error/%s: refused (%s), ours %v", c.Expression, said.Refused, got)
		case err != nil:
			stricter[strings.TrimPrefix(err.Error(), "certlogic: cannot be evaluated: ")]++
		case !equal(t, got, said.Value):
			t.Errorf("error/%s: %s, ours %v", c.Expression, said.Value, got)
		default:
			same++
		}
	}
	t.Logf("%d the same, %d refused by both, refused by ours alone: %v", same, refused, stricter)
	if same < 2000 || refused < 200 {
		t.Errorf("error/only %d the same and %d refused by both", same, refused)
	}
}

func tree(t *testing.T, text []byte) any {
	t.Helper()
	v, err := strictjson.Parse(text, 64)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

// equal compares our value with the JSON of theirs, in which a time is a text.
func equal(t *testing.T, ours any, theirs json.RawMessage) bool {
	t.Helper()
	if at, ok := ours.(time.Time); ok {
		var text string
		if json.Unmarshal(theirs, &text) != nil {
			return false
		}
		when, err := time.Parse(time.RFC3339, text)
		return err == nil && when.Equal(at)
	}
	b, err := json.Marshal(ours)
	if err != nil {
		t.Fatal(err)
	}
	var x, y any
	decode := func(b []byte, v *any) {
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		if err := d.Decode(v); err != nil {
			t.Fatal(err)
		}
	}
	decode(b, &x)
	decode(theirs, &y)
	return reflect.DeepEqual(x, y)
}
