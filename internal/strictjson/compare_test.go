package strictjson

import (
	"slices"
	"testing"
)

func TestDifferences(t *testing.T) {
	cases := map[string]struct {
		got, want string
		paths     []string
	}{
		"ok/equal":               {`{"a":[1,{"b":null}],"c":{},"d":[]}`, `{"d":[],"c":{},"a":[1,{"b":null}]}`, nil},
		"ok/scalars":             {`1`, `1`, nil},
		"error/value":            {`{"a":{"b":[1,2]}}`, `{"a":{"b":[1,3]}}`, []string{"$.a.b[1]"}},
		"error/text of a number": {`{"a":1}`, `{"a":1.0}`, []string{"$.a"}},
		"error/type":             {`{"a":"1"}`, `{"a":1}`, []string{"$.a"}},
		"error/missing":          {`{}`, `{"a":{"b":1,"c":[2]}}`, []string{"$", "$.a.b", "$.a.c[0]"}},
		"error/missing null":     {`{"b":1}`, `{"a":null,"b":1}`, []string{"$.a"}},
		"error/added":            {`{"b":1,"a":{}}`, `{"b":1}`, []string{"$.a"}},
		"error/added item":       {`{"a":[1,[2,3]]}`, `{"a":[1]}`, []string{"$.a[1][0]", "$.a[1][1]"}},
		"error/missing item":     {`{"a":[1]}`, `{"a":[1,{"b":2}]}`, []string{"$.a[1].b"}},
		"error/object for text":  {`{"a":{"b":1}}`, `{"a":"x"}`, []string{"$.a", "$.a.b"}},
		"error/text for object":  {`{"a":"x"}`, `{"a":{"b":1}}`, []string{"$.a", "$.a.b"}},
		"error/array for object": {`{"a":[]}`, `{"a":{}}`, []string{"$.a"}},
		"error/object for null":  {`{"a":{}}`, `{"a":null}`, []string{"$.a"}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			got, err := Parse([]byte(c.got), depth)
			if err != nil {
				t.Fatal(err)
			}
			want, err := Parse([]byte(c.want), depth)
			if err != nil {
				t.Fatal(err)
			}
			if paths := Differences(got, want, "$"); !slices.Equal(paths, c.paths) {
				t.Errorf("got %q, want %q", paths, c.paths)
			}
		})
	}
}
