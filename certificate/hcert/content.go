package hcert

import (
	"maps"
	"slices"
)

// Registry says what a sub-claim of claim -260 holds. Numbers from 0 on are assigned by
// WHO; -6 is the digital ICVP as long as it has none (spec who-icvp-gdhcn, 1).
type Registry map[int64]Shape

// Shape is a kind of content.
type Shape string

const (
	ShapeDCC Shape = "dcc" // EU Digital COVID Certificate
)

// DefaultRegistry is what is in use as of 2026.
var DefaultRegistry = Registry{1: ShapeDCC}

// readContent reads every known sub-claim. The first that proves nothing is the fault.
func (c *Code) readContent(r Registry, health any) {
	claims, ok := health.(table)
	if !ok {
		c.Fault = fail(StepContent, "no_health_certificate", "claim -260")
		return
	}
	c.Fault = fail(StepContent, "no_known_subclaim", "claim -260")
	for _, number := range slices.Sorted(maps.Keys(r)) {
		value, ok := claims[number]
		if !ok {
			continue
		}
		switch r[number] {
		case ShapeDCC:
			c.DCC, c.Fault = readDCC(value)
		}
	}
}

// kind returns what the content is, for the key usage of its signer.
func (c *Code) kind() contentKind {
	if c.DCC != nil {
		return c.DCC.kind()
	}
	return kindAny
}
