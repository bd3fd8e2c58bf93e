package office

import (
	"context"
	"time"
)

// Terminal is a machine of an office from which the staff face may be reached.
// It shows itself with a client certificate (S-004, R-148, R-201).
type Terminal struct {
	Office      string
	ID          string
	Name        string // such as "Counter 2"; never a person's
	Certificate []byte // SHA-256 of the certificate as DER
	Registered  time.Time
	Revoked     time.Time // zero: in use
}

// Terminals finds terminals; the store implements it.
type Terminals interface {
	// TerminalByCertificate returns the terminal of an office that shows the
	// certificate with this SHA-256, revoked or not; fault NotFound.
	TerminalByCertificate(ctx context.Context, office string, sum []byte) (Terminal, error)
	Offices(ctx context.Context) ([]string, error)
}
