package strictjson

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"akashi/internal/testkit"
)

const depth = 16

// S-034
func TestCheck(t *testing.T) {
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	cases := map[string]struct {
		text string
		want error
	}{
		"ok/object":                       {`{"a":1,"b":{"a":[1,"a","a"]},"c":""}`, nil},
		"ok/same name in siblings":        {`[{"a":1},{"a":2}]`, nil},
		"ok/value equal to a name":        {`{"a":"b","b":"a"}`, nil},
		"ok/braces in strings":            {`{"a":"}{,][\"","b":"\\"}`, nil},
		"ok/surrogate pair":               {`"\uD842\udfb7"`, nil},
		"ok/escaped backslash before u":   {`"\\uD842"`, nil},
		"ok/white space around":           {" \n{}\t ", nil},
		"ok/deepest":                      {deep(depth), nil},
		"error/duplicate":                 {`{"a":1,"a":1}`, ErrDuplicate},
		"error/duplicate nested":          {`{"x":[0,{"a":{},"b":[],"a":2}]}`, ErrDuplicate},
		"error/duplicate by escape":       {`{"a":1,"\u0061":2}`, ErrDuplicate},
		"error/duplicate empty name":      {`{"":1,"":2}`, ErrDuplicate},
		"error/duplicate after an object": {`{"a":{"b":1},"a":2}`, ErrDuplicate},
		"error/too deep":                  {deep(depth + 1), ErrDepth},
		"error/too deep objects":          {strings.Repeat(`{"a":`, depth+1) + "1" + strings.Repeat("}", depth+1), ErrDepth},
		"error/very deep":                 {strings.Repeat("[", 100_000), ErrSyntax},
		"error/very deep objects":         {strings.Repeat(`[{"":`, 50_000), ErrSyntax},
		"error/second value":              {`{}{}`, ErrSyntax},
		"error/text after":                {`{} x`, ErrSyntax},
		"error/empty":                     {``, ErrSyntax},
		"error/byte order mark":           {"\ufeff{}", ErrSyntax},
		"error/cut":                       {`{"a":"b`, ErrSyntax},
		"error/invalid UTF-8":             {"\"\xff\"", ErrUTF8},
		"error/surrogate as UTF-8":        {"\"\xed\xa0\x80\"", ErrUTF8},
		"error/lone high":                 {`"\ud842"`, ErrSurrogate},
		"error/lone high before text":     {`"\uD842xxxxxx"`, ErrSurrogate},
		"error/lone high before escape":   {`"\uD842\n"`, ErrSurrogate},
		"error/two high":                  {`"\uD842\uD842"`, ErrSurrogate},
		"error/lone low":                  {`"\udfb7"`, ErrSurrogate},
		"error/lone low in a name":        {`{"\udfb7":1}`, ErrSurrogate},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if err := Check([]byte(c.text), depth); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
}

// S-034, JSONTestSuite: everything it refuses is refused; of what it accepts
// only duplicate names are refused here.
func TestSuite(t *testing.T) {
	var cases []struct {
		Name, Expect string
		Base64       []byte
	}
	if err := json.Unmarshal(testkit.Read(t, "security/json/jsontestsuite.json"), &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) != 211 {
		t.Fatalf("%d cases, want 211", len(cases))
	}
	stricter := map[string]error{
		"y_object_duplicated_key.json":           ErrDuplicate,
		"y_object_duplicated_key_and_value.json": ErrDuplicate,
	}
	for _, c := range cases {
		err := Check(c.Base64, 1000)
		switch {
		case c.Expect == "reject" && err == nil:
			t.Errorf("%s accepted", c.Name)
		case c.Expect == "accept" && !errors.Is(err, stricter[c.Name]):
			t.Errorf("%s: %v", c.Name, err)
		}
		if err != nil {
			continue
		}
		d := json.NewDecoder(bytes.NewReader(c.Base64))
		d.UseNumber()
		var want any
		got, err := Parse(c.Base64, 1000)
		if d.Decode(&want) != nil || err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: got %v, %v, want %v", c.Name, got, err, want)
		}
	}
}

// Members are the texts that encoding/json calls raw messages, of the first object only.
func TestMembers(t *testing.T) {
	for text, want := range map[string]map[string]string{
		`{"a": {"b" : 1 } ,"c":[ {"d":2}],"\u0065":"\u0066", "g":-1.50 , "h":null}`: {
			"a": `{"b" : 1 }`, "c": `[ {"d":2}]`, "e": `"\u0066"`, "g": "-1.50", "h": "null"},
		` [ {"a":{"b":{}}}, {"c":1} ] `: {"a": `{"b":{}}`},
		`{}`:                            {},
		`[1]`:                           {},
	} {
		value, texts, err := Members([]byte(text), depth)
		plain, _ := Parse([]byte(text), depth)
		if err != nil || !maps.Equal(texts, want) || !reflect.DeepEqual(value, plain) {
			t.Errorf("%s: %q, %v", text, texts, err)
		}
	}
	if _, _, err := Members([]byte(`{"a":1,"a":1}`), depth); !errors.Is(err, ErrDuplicate) {
		t.Errorf("error/duplicate: %v", err)
	}
}

// What Values says is never too little, and grows with what a text holds (S-034).
func TestValues(t *testing.T) {
	for text, want := range map[string]int{
		`1`: 1, `[]`: 2, `[1,2,3]`: 4, `{"a":[],"b":{}}`: 5, `"[[,,"`: 1, `["\\",1]`: 3, `["\",["]`: 2, `"`: 1, `\`: 1, ``: 1, `[[[`: 4,
	} {
		if got := Values([]byte(text)); got != want {
			t.Errorf("%s: %d, want %d", text, got, want)
		}
	}
	if got := testing.AllocsPerRun(10, func() { Values([]byte(`[1,2,3]`)) }); got != 0 {
		t.Errorf("%v allocations", got)
	}
}

func count(value any) int {
	n := 1
	switch value := value.(type) {
	case []any:
		for _, v := range value {
			n += count(v)
		}
	case map[string]any:
		for _, v := range value {
			n += count(v)
		}
	}
	return n
}

// Parse reads what encoding/json reads, and refuses only for the reasons it names.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		`{"a":[1,true,null,"\ud842\udfb7"]}`, `{"a":1,"a":2}`, `"\u12`, `[[[`, " [ ] ", "{ }", "\t-1.5e+3\r\n",
		`{"\u0061" : { "b" : [ false , "x\"y" ] } , "":0}`, `"\\"`, `null`, `[{},[],"",[{}]]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		got, err := Parse(b, depth)
		if err != nil {
			if !errors.Is(err, ErrDuplicate) && !errors.Is(err, ErrDepth) && !errors.Is(err, ErrSurrogate) && utf8.Valid(b) && json.Valid(b) {
				t.Fatalf("refused: %v", err)
			}
			return
		}
		if count(got) > Values(b) {
			t.Fatalf("%d values, more than Values says", count(got))
		}
		d := json.NewDecoder(bytes.NewReader(b))
		d.UseNumber()
		var want any
		if err := d.Decode(&want); err != nil {
			t.Fatalf("accepted, but encoding/json says %v", err)
		}
		if !reflect.DeepEqual(got, want) {
			t.Fatalf("got %#v, want %#v", got, want)
		}
		if _, ok := got.(map[string]any); !ok {
			return
		}
		var raw map[string]json.RawMessage
		_, texts, err := Members(b, depth)
		if err != nil || json.Unmarshal(b, &raw) != nil || len(raw) != len(texts) {
			t.Fatalf("members %q, %v", texts, err)
		}
		for name, text := range texts {
			if string(raw[name]) != text {
				t.Fatalf("member %q is %q, want %q", name, text, raw[name])
			}
		}
	})
}
