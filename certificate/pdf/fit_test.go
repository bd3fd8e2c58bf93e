package pdf

import (
	"slices"
	"strings"
	"testing"
)

// Lines break at blanks and before words in katakana where they can, and the
// lines together are always the text.
func TestSplit(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	s := newShaper(r.fonts)
	defer s.free()
	for text, want := range map[string][]string{
		"組換えタンパクワクチン":           {"組換え", "タンパクワクチン"},
		"MARIA ALEXANDRA ELISA": {"MARIA ", "ALEXANDRA ", "ELISA"},
		"武田（ノババックスワクチン）":        {"武田（ノババックスワ", "クチン）"},
		"サンプルワクチンサンプル":          {"サンプルワクチンサン", "プル"},
		"辻\U000E0100子マリア":       {"辻\U000E0100子マリア"},
	} {
		pieces, ok := split(s.text(text).shapes, 10, 3)
		if strings.HasPrefix(text, "MARIA") {
			pieces, ok = split(s.text(text).shapes, 7, 3)
		}
		var got []string
		for _, piece := range pieces {
			line := ""
			for _, c := range piece {
				line += c.cluster.Text
			}
			got = append(got, line)
		}
		if !ok || !slices.Equal(got, want) {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if _, ok := split(s.text(strings.Repeat("証", 21)).shapes, 10, 2); ok {
		t.Error("21 characters in two lines of ten")
	}
}
