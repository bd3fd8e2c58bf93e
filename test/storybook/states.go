package storybook

import (
	_ "embed"
	"strings"
)

//go:embed states.tsv
var states string

// States says in which states there must be a story of a page, by its route: empty (nothing
// there yet), filled, error (a form or a query that is not taken), long (the longest names),
// paper (no page to be read, but a file), and those of what the page is about, as its
// elements' classes name them.
func States() map[string][]string {
	all := map[string][]string{}
	for line := range strings.Lines(states) {
		page, words, _ := strings.Cut(line, "\t")
		all[page] = strings.Fields(words)
	}
	return all
}
