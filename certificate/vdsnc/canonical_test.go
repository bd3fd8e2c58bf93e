package vdsnc

import (
	"bytes"
	"encoding/json"
	"testing"
	"unicode/utf8"

	"github.com/gowebpki/jcs"
)

// What the quick look takes for canonical is what RFC 8785 makes of it.
func FuzzCanonical(f *testing.F) {
	for _, seed := range []string{
		`{}`, `{"":0,"a":{"b":[1,-15,"x",true,null],"c":"日本"}}`, `{"b":1,"a":2}`, `{"a":1, "b":2}`, `{"a":"\/"}`, `{"a":-0}`,
		`{"a":1.0}`, `{"a":1E2}`, `{"a":123456789012345}`, `{"a":12345678901234567890}`, `{"é":1,"ê":2}`, `{"a":"` + "\u2028\x7f" + `"}`,
		`{"a":[{"z":1},{"b":[]}],"b":{}}`, `{"a":{"b":1},"a0":2}`, `{"x":[["b","a"],"a"]}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		if !utf8.Valid(b) || !json.Valid(b) || !isCanonical(b) {
			return
		}
		if want, err := jcs.Transform(b); err != nil || !bytes.Equal(b, want) {
			t.Fatalf("taken for canonical: %q, but jcs: %q, %v", b, want, err)
		}
	})
}

func TestIsCanonical(t *testing.T) {
	for text, want := range map[string]bool{
		`{}`: true,
		`{"hdr":{"is":"JPN","t":"icao.vacc","v":1},"msg":{"ve":[{"a":"&<>"},{"a":"b"}]}}`: true,
		`{"":1,"a":[-1,0,10,true]}`: true,
		`{"b":1,"a":2}`:             false,
		`{"a":{"z":1},"A":1}`:       false,
		`{"a":1 }`:                  false,
		`{"a":"\u0041"}`:            false,
		`{"a":-0}`:                  false,
		`{"a":1.0}`:                 false,
		`{"a":1e3}`:                 false,
		`{"a":1234567890123456}`:    false,
		`{"é":1}`:                   false,
		`[]`:                        false,
	} {
		if got := isCanonical([]byte(text)); got != want {
			t.Errorf("%s: got %v, want %v", text, got, want)
		}
	}
}
