package vaccination

import (
	"bytes"
	"os"
	"regexp"
	"testing"
)

// quotedCode finds the codes that the program can report.
var quotedCode = regexp.MustCompile(`(?:fault\.New\(fault\.\w+, |r\.refuse\(.*, |r\.note\(.*, |Anomaly\{|return )"([a-z]+_[a-z_0-9]+)"`)

// Every code that can be reported has a sentence in both languages.
func TestEveryCodeHasSentences(t *testing.T) {
	used := map[string]bool{}
	for _, rule := range personRules {
		used[rule.code] = true
	}
	for _, rule := range doseRules {
		used[rule.code] = true
	}
	for _, file := range []string{"read.go", "row.go", "code.go", "era.go", "name.go", "encoding.go", "layout.go", "match.go", "evidence.go", "candidate.go", "anomaly.go"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for code := range messages {
			if bytes.Contains(b, []byte(`"`+code+`"`)) {
				used[code] = true
			}
		}
		for _, m := range quotedCode.FindAllSubmatch(b, -1) {
			used[string(m[1])] = true
		}
	}
	for code := range used {
		if s, ok := Sentence(code); !ok || s.JA == "" || s.EN == "" {
			t.Errorf("no sentence for %q", code)
		}
	}
	for code := range messages {
		if !used[code] {
			t.Errorf("sentence for %q is never used", code)
		}
	}
}
