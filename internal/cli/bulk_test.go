package cli

import (
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// S-029, R-169: what each command can put out about persons was judged by a reviewer; a
// new one is judged before it runs. Only what is encrypted holds many.
func TestBulk(t *testing.T) {
	text, err := os.ReadFile("testdata/bulk.tsv")
	if err != nil {
		t.Fatal(err)
	}
	var listed []string
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "\t")
		persons, reason, _ := strings.Cut(rest, "\t")
		if !slices.Contains([]string{"none", "one", "staff", "encrypted"}, persons) || len(reason) < 20 {
			t.Errorf("%s: neither who nor why: %q", name, rest)
		}
		listed = append(listed, name)
	}
	var all []string
	var walk func(c *cobra.Command)
	walk = func(c *cobra.Command) {
		if len(c.Commands()) == 0 || c.Flags().HasFlags() {
			all = append(all, strings.TrimPrefix(c.CommandPath(), "akashi "))
		}
		for _, sub := range c.Commands() {
			walk(sub)
		}
	}
	for _, c := range commands(Adapters{}).Commands() {
		walk(c)
	}
	slices.Sort(all)
	if !slices.Equal(all, listed) {
		t.Errorf("commands are\n%s\nreviewed are\n%s", strings.Join(all, "\n"), strings.Join(listed, "\n"))
	}
}
