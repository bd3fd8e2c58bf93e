package verify

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// object is a part of a schema. Every keyword used in ours must be known to validate.
type object = map[string]any

var keywords = []string{
	"$schema", "$defs", "$ref", "title", "description", "type", "additionalProperties", "required", "properties",
	"enum", "items", "minItems", "maxItems", "pattern", "format", "minimum", "maximum",
}

func readSchema(t testing.TB) object {
	t.Helper()
	var s object
	if err := json.Unmarshal(Schema(), &s); err != nil {
		t.Fatal(err)
	}
	return s
}

// validate checks a JSON text against the schema as far as our schema goes.
func validate(t testing.TB, text []byte) []string {
	t.Helper()
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	root := readSchema(t)
	return check(root, root, value, "verdict")
}

func check(root, s object, value any, at string) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, at+": "+fmt.Sprintf(format, args...)) }
	for k := range s {
		if !slices.Contains(keywords, k) {
			fault("keyword %s is not known to this test", k)
		}
	}
	if ref, ok := s["$ref"].(string); ok {
		return check(root, root["$defs"].(object)[strings.TrimPrefix(ref, "#/$defs/")].(object), value, at)
	}
	if enum, ok := s["enum"].([]any); ok && !slices.Contains(enum, value) {
		fault("%v is not listed", value)
	}
	switch v := value.(type) {
	case object:
		if s["type"] != "object" {
			fault("is an object")
			return faults
		}
		return append(faults, checkObject(root, s, v, at)...)
	case []any:
		if s["type"] != "array" || len(v) < limit(s, "minItems", 0) || len(v) > limit(s, "maxItems", 1<<30) {
			fault("is an array of %d", len(v))
			return faults
		}
		for i, item := range v {
			faults = append(faults, check(root, s["items"].(object), item, fmt.Sprintf("%s[%d]", at, i))...)
		}
	case string:
		pattern, _ := s["pattern"].(string)
		_, notTime := time.Parse(time.RFC3339, v)
		switch {
		case s["type"] != "string" && s["enum"] == nil:
			fault("is a string")
		case !regexp.MustCompile(pattern).MatchString(v):
			fault("does not match %s", pattern)
		case s["format"] == "date-time" && notTime != nil:
			fault("is no time")
		}
	case bool:
		if s["type"] != "boolean" {
			fault("is a boolean")
		}
	case float64:
		if s["type"] != "integer" || int(v) < limit(s, "minimum", 0) || int(v) > limit(s, "maximum", 1<<30) || v != float64(int(v)) {
			fault("is the number %v", v)
		}
	default:
		fault("is null")
	}
	return faults
}

func checkObject(root, s object, v object, at string) (faults []string) {
	required, _ := s["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			faults = append(faults, at+"."+name.(string)+": missing")
		}
	}
	properties, _ := s["properties"].(object)
	for _, name := range slices.Sorted(maps.Keys(v)) {
		sub, ok := properties[name].(object)
		if !ok {
			if sub, ok = s["additionalProperties"].(object); !ok {
				faults = append(faults, at+"."+name+": not in the schema")
				continue
			}
		}
		faults = append(faults, check(root, sub, v[name], at+"."+name)...)
	}
	return faults
}

func limit(s object, keyword string, otherwise int) int {
	if n, ok := s[keyword].(float64); ok {
		return int(n)
	}
	return otherwise
}

// The schema has the members of the Go types, each required that is never left out.
func TestSchemaMembers(t *testing.T) {
	root := readSchema(t)
	defs := root["$defs"].(object)
	for name, c := range map[string]struct {
		schema object
		value  any
	}{
		"verdict": {root, Verdict{}},
		"facet":   {defs["facet"].(object), Facet{}},
		"holder":  {defs["holder"].(object), Holder{}},
		"dose":    {defs["dose"].(object), Dose{}},
	} {
		var members, required []string
		typ := reflect.TypeOf(c.value)
		for i := range typ.NumField() {
			if !typ.Field(i).IsExported() {
				continue
			}
			member, rest, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
			members = append(members, member)
			if rest == "" {
				required = append(required, member)
			}
		}
		inSchema := slices.Sorted(maps.Keys(c.schema["properties"].(object)))
		slices.Sort(members)
		if !slices.Equal(members, inSchema) {
			t.Errorf("%s: type has %v, schema %v", name, members, inSchema)
		}
		if got := fmt.Sprint(c.schema["required"]); got != fmt.Sprint(required) {
			t.Errorf("%s: never left out %v, schema requires %s", name, required, got)
		}
	}
}

// The check of the other tests can fail.
func TestValidate(t *testing.T) {
	good, err := json.Marshal(Text("nothing", nil, now))
	if err != nil {
		t.Fatal(err)
	}
	if faults := validate(t, good); len(faults) > 0 {
		t.Error(faults)
	}
	for name, change := range map[string][2]string{
		"member":  {`"test":false`, `"test":false,"x":1`},
		"missing": {`"test":false,`, ``},
		"type":    {`"test":false`, `"test":"false"`},
		"value":   {`"unreadable"`, `"broken"`},
		"facet":   {`"name":"issuer"`, `"name":"owner"`},
		"pattern": {`"not_recognised"`, `"Not recognised"`},
		"null":    {`"test":false`, `"test":null`},
		"format":  {`"test":false`, `"test":false,"signed_at":"today"`},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			bad := bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1)
			if bytes.Equal(bad, good) || len(validate(t, bad)) == 0 {
				t.Error("accepted")
			}
		})
	}
}
