package main

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
)

// State is how far a protection is.
const (
	holds        = "holds"        // all of it, shown by the named tests
	partly       = "partly"       // the text says which part is open
	open         = "open"         // not built
	organisation = "organisation" // nothing that a program can do
)

// claim is one row of docs/threats.md: "| S-024 | holds | what is done | `pkg.Test`, … |".
type claim struct {
	row, state string
	tests      []string
}

var (
	rowName  = regexp.MustCompile(`^\| (S-\d{3}) \|`)
	testName = regexp.MustCompile("`([^`]+)`")
)

// rowsOf returns the protections of the given page, in order.
func rowsOf(page string) (rows []string) {
	for line := range strings.Lines(page) {
		if m := rowName.FindStringSubmatch(line); m != nil {
			rows = append(rows, m[1])
		}
	}
	return rows
}

func readClaims(table string) (map[string]claim, error) {
	claims := map[string]claim{}
	for line := range strings.Lines(table) {
		m := rowName.FindStringSubmatch(line)
		if m == nil {
			continue
		}
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		if len(cells) != 4 {
			return nil, fmt.Errorf("proof: %s has %d cells, not 4", m[1], len(cells))
		}
		if _, twice := claims[m[1]]; twice {
			return nil, fmt.Errorf("proof: %s stands twice", m[1])
		}
		c := claim{row: m[1], state: strings.TrimSpace(cells[1])}
		for _, t := range testName.FindAllStringSubmatch(cells[3], -1) {
			c.tests = append(c.tests, t[1])
		}
		claims[c.row] = c
	}
	if len(claims) == 0 {
		return nil, errors.New("proof: no rows")
	}
	return claims, nil
}

// judge names everything that is claimed and not shown.
func judge(claims map[string]claim, rows []string, passed map[string]bool) error {
	var errs []error
	for _, row := range rows {
		if _, ok := claims[row]; !ok {
			errs = append(errs, fmt.Errorf("proof: %s has no row", row))
		}
	}
	for _, row := range slices.Sorted(maps.Keys(claims)) {
		c := claims[row]
		switch c.state {
		case holds, partly:
			if len(c.tests) == 0 {
				errs = append(errs, fmt.Errorf("proof: %s %s without a test", row, c.state))
			}
		case open, organisation:
		default:
			errs = append(errs, fmt.Errorf("proof: %s has no state of ours: %q", row, c.state))
		}
		for _, t := range c.tests {
			if !passed[t] {
				errs = append(errs, fmt.Errorf("proof: %s: %s did not run and pass", row, t))
			}
		}
	}
	return errors.Join(errs...)
}
