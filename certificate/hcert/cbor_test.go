package hcert

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

// notHere are the examples of RFC 8949, appendix A, that are well formed and not
// allowed in a health certificate, with the reason.
var notHere = map[string]string{
	"1bffffffffffffffff":     "cbor malformed",                                             // no time and no number that we know
	"c249010000000000000000": "cbor malformed", "c349010000000000000000": "cbor malformed", // big numbers
	"f97c00": "cbor malformed", "f97e00": "cbor malformed", "fa7f800000": "cbor malformed", // not finite
	"fa7fc00000": "cbor malformed", "fb7ff0000000000000": "cbor malformed", "fb7ff8000000000000": "cbor malformed",
	"f0": "cbor not_allowed", "f8ff": "cbor not_allowed", // simple values beside false, true and null
	"c1fb41d452d9ec200000": "cbor not_allowed", "d74401020304": "cbor not_allowed", // tags
	"d82076687474703a2f2f7777772e6578616d706c652e636f6d": "cbor not_allowed",
}

// RFC 8949, appendix A: read as it says, or refused for a reason of ours.
func TestCBORExamples(t *testing.T) {
	var rows []struct {
		Hex        string
		Decoded    any
		Diagnostic string
		Roundtrip  bool
	}
	if err := json.Unmarshal(testkit.Read(t, "security/cbor/appendix_a.json"), &rows); err != nil {
		t.Fatal(err)
	}
	refused := 0
	for _, row := range rows {
		b := must(hex.DecodeString(row.Hex))
		got, err := decode(b)
		if want, ok := notHere[row.Hex]; ok {
			refused++
			if reason(err) != want {
				t.Errorf("error/%s: %v, want %s", row.Hex, err, want)
			}
			continue
		}
		switch {
		case err != nil:
			t.Errorf("ok/%s: %v", row.Hex, err)
		case row.Diagnostic == "" && !reflect.DeepEqual(plain(got), row.Decoded):
			t.Errorf("ok/%s: %#v, want %#v", row.Hex, got, row.Decoded)
		case row.Diagnostic != "" && !diagnosed(row.Diagnostic, got):
			t.Errorf("ok/%s: %#v, want %s", row.Hex, got, row.Diagnostic)
		case row.Roundtrip && !isFloat(got) && got != nil && !strings.HasPrefix(row.Hex, "c0") && !isDeterministic(b):
			t.Errorf("ok/%s: written otherwise", row.Hex)
		case !row.Roundtrip && isDeterministic(b):
			t.Errorf("error/%s: is not deterministic", row.Hex)
		}
	}
	if len(rows) != 54 || refused != len(notHere) {
		t.Errorf("%d examples, %d refused", len(rows), refused)
	}
}

func isFloat(v any) bool { _, ok := v.(float64); return ok }

// plain is a tree as JSON would have it.
func plain(v any) any {
	switch v := v.(type) {
	case int64:
		return float64(v)
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case table:
		out := map[string]any{}
		for k, one := range v {
			out[k.(string)] = plain(one)
		}
		return out
	}
	return v
}

// diagnosed compares with the few texts that JSON could not hold.
func diagnosed(text string, got any) bool {
	known := map[string]any{
		"{1: 2, 3: 4}":              table{int64(1): int64(2), int64(3): int64(4)},
		`0("2013-03-21T20:04:00Z")`: "2013-03-21T20:04:00Z",
		"h''":                       []byte{}, "(_ h'0102', h'030405')": []byte{1, 2, 3, 4, 5},
	}
	want, ok := known[text]
	if text == "undefined" { // read as null
		return got == nil
	}
	return ok && reflect.DeepEqual(got, want)
}

// S-040: hostile CBOR, fed as the inflated content of a code, is refused within limits.
func TestHostileCBOR(t *testing.T) {
	var rows []struct{ ID, Hex, Class, Expect string }
	if err := json.Unmarshal(testkit.Read(t, "security/cbor/hostile.json"), &rows); err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		t.Run("error/"+row.ID, func(t *testing.T) {
			b := must(hex.DecodeString(row.Hex))
			var err error
			text := pack(b)
			used := allocated(func() { _, err = Parse(text) })
			if err == nil || row.Expect != "reject" {
				t.Error("read")
			}
			if used > 1<<20 {
				t.Errorf("%d bytes were allocated", used)
			}
		})
	}
	if len(rows) != 22 {
		t.Errorf("%d cases ran, want 22", len(rows))
	}
}

// eu-dcc, 15: each limit from both sides, each strict rule alone.
func TestDecode(t *testing.T) {
	nested := func(n int) []byte { return append(bytes.Repeat([]byte{0x81}, n), 0) }
	long := func(n int) []byte { return must(encode(make([]int, n))) }
	wide := func(n int) []byte {
		m := table{}
		for i := range n {
			m[i] = 0
		}
		return must(encode(m))
	}
	for name, b := range map[string][]byte{
		"levels": nested(maxLevels), "array": long(maxMembers), "map": wide(maxMembers), "a date-time": must(hex.DecodeString("c06a323032312d30312d3032")),
		"a number in more bytes": {0x18, 0}, "indefinite text": must(hex.DecodeString("7f6161ff")),
	} {
		if _, err := decode(b); err != nil {
			t.Errorf("ok/%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		hex  string
		want string
	}{
		"one level more":          {hex.EncodeToString(nested(maxLevels + 1)), "cbor too_large"},
		"one item more":           {hex.EncodeToString(long(maxMembers + 1)), "cbor too_large"},
		"one pair more":           {hex.EncodeToString(wide(maxMembers + 1)), "cbor too_large"},
		"a key twice":             {"a201010102", "cbor key_twice"},
		"a key twice below":       {"81a201010102", "cbor key_twice"},
		"a key twice, written so": {"a20101180102", "cbor key_twice"},
		"a text key twice":        {"bf616101616102ff", "cbor key_twice"},
		"bytes after the end":     {"0000", "cbor bytes_after_the_end"},
		"a key of bytes":          {"a1410000", "cbor malformed"},
		"a key that is a float":   {"a1f93c0000", "cbor not_allowed"},
		"a key that is an array":  {"a18000", "cbor malformed"},
		"a key that is null":      {"a1f600", "cbor not_allowed"},
		"a date-time of bytes":    {"c040", "cbor malformed"},
		"a date-time of a tag":    {"c0c060", "cbor malformed"},
		"simple value 16":         {"f0", "cbor not_allowed"},
		"a number that overflows": {"1b8000000000000000", "cbor malformed"},
		"text that is not UTF-8":  {"61ff", "cbor malformed"},
		"cut off":                 {"8201", "cbor malformed"},
		"nothing":                 {"", "cbor malformed"},
	} {
		if _, err := decode(must(hex.DecodeString(c.hex))); reason(err) != c.want {
			t.Errorf("error/%s: %v, want %s", name, err, c.want)
		}
	}
}

// RFC 8949, 4.2.1: the same value has one form.
func TestEncode(t *testing.T) {
	b := must(encode(table{"b": 1, "aa": 2, int64(-1): 3, int64(24): []any{"x", []byte{1}}, int64(1): true}))
	if got, want := hex.EncodeToString(b), "a501f51818826178410120036162016261610"+"2"; got != want {
		t.Errorf("ok/map: %s, want %s", got, want)
	}
	for name, text := range map[string]string{"longer number": "1801", "keys in other order": "a202000100", "indefinite": "9fff"} {
		if isDeterministic(must(hex.DecodeString(text))) {
			t.Errorf("error/%s: taken for deterministic", name)
		}
	}
	if _, err := encode(math.NaN()); err != nil {
		t.Logf("a float that is none: %v", err)
	}
}
