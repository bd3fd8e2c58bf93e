// Package topology says which processes serve an installation, so that a drift
// between them, or one too many, is seen (L-02).
package topology

import "time"

// Node is a process as it showed itself at its start.
type Node struct {
	Slot          int       `json:"slot,omitempty" doc:"1 or more; none for a process that holds no slot"`
	Faces         string    `json:"faces"`
	Build         string    `json:"build" doc:"version and revision"`
	Configuration string    `json:"configuration" doc:"digest of the settings that all nodes share"`
	Started       time.Time `json:"started_at"`
}
