package hcert

import (
	"maps"
	"slices"
	"time"

	"akashi/internal/clock"
)

// Registry says what a sub-claim of claim -260 holds. Numbers from 0 on are assigned by
// WHO; -6 is the digital ICVP as long as it has none (spec who-icvp-gdhcn, 1).
type Registry map[int64]Shape

// Shape is a kind of content.
type Shape string

const (
	ShapeDCC    Shape = "dcc"    // EU Digital COVID Certificate
	ShapeICVP   Shape = "icvp"   // digital ICVP, of any generation
	ShapeRecord Shape = "record" // DDCC core data set
	ShapeLink   Shape = "link"   // health link
)

// DefaultRegistry is what is in use as of 2026. What comes first counts where a code has
// several.
var DefaultRegistry = Registry{1: ShapeDCC, 3: ShapeRecord, 4: ShapeRecord, 5: ShapeLink, subclaimICVP: ShapeICVP}

// readContent reads every known sub-claim, in the order of their numbers. The first that
// proves nothing is the fault.
func (c *Code) readContent(r Registry, health any) {
	claims, ok := health.(table)
	switch {
	case !ok && health == nil && c.token["name"] != nil:
		c.Record, c.Fault = readRecord(c.token, true)
		return
	case !ok:
		c.Fault = fail(StepContent, "no_health_certificate", "claim -260")
		return
	}
	c.Fault = fail(StepContent, "no_known_subclaim", "claim -260")
	found := false
	for _, number := range slices.Sorted(maps.Keys(r)) {
		value, ok := claims[number]
		if !ok {
			continue
		}
		var fault error
		switch r[number] {
		case ShapeDCC:
			c.DCC, fault = readDCC(value)
		case ShapeICVP:
			if c.ICVP, fault = readICVP(value); c.ICVP != nil {
				c.Notes = append(c.Notes, c.ICVP.notes(c.issuedOn())...)
			}
		case ShapeRecord:
			c.Record, fault = readRecord(value, false)
		case ShapeLink:
			c.Links, fault = readLinks(value)
		}
		if !found || c.Fault == nil {
			c.Fault = fault
		}
		found = true
	}
}

// issuedOn is the day of issue where it is the latest; empty when none is stated.
func (c *Code) issuedOn() clock.Date {
	if c.IssuedAt.IsZero() {
		return ""
	}
	return clock.Date(c.IssuedAt.Format(time.DateOnly))
}

// kind returns what the content is, for the key usage of its signer.
func (c *Code) kind() contentKind {
	switch {
	case c.DCC != nil:
		return c.DCC.kind()
	case c.ICVP != nil:
		return kindDose
	}
	return kindAny
}
