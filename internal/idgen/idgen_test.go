package idgen

import (
	"regexp"
	"testing"
)

// S-055: form, alphabet and no repeat.
func TestCertificateID(t *testing.T) {
	form := regexp.MustCompile(`^[2-9A-HJ-NP-Z]{12}$`)
	seen := map[string]bool{}
	count := map[rune]int{}
	for range 100_000 {
		id := Gen{}.CertificateID()
		if !form.MatchString(id) || seen[id] {
			t.Fatalf("bad or repeated id %q", id)
		}
		seen[id] = true
		for _, r := range id {
			count[r]++
		}
	}
	if len(count) != 32 {
		t.Fatalf("%d letters in use, want 32", len(count))
	}
	for r, n := range count { // 1.2 million letters, 37,500 each, sigma about 190
		if n < 36_500 || n > 38_500 {
			t.Errorf("letter %c stands %d times", r, n)
		}
	}
}
