package office

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/idgen"
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

// SignIn is when and by whom somebody last signed in at a terminal.
type SignIn struct {
	At    time.Time
	Staff string // row id
}

// TerminalStore keeps terminals; what changes runs inside an act.
type TerminalStore interface {
	// TerminalByCertificate returns the terminal of an office that shows the
	// certificate with this SHA-256, revoked or not; fault NotFound "terminal".
	TerminalByCertificate(ctx context.Context, office string, sum []byte) (Terminal, error)
	Terminal(ctx context.Context, office, id string) (Terminal, error)                 // fault NotFound "terminal"
	Terminals(ctx context.Context, office string) ([]Terminal, error)                  // oldest first
	AddTerminal(ctx context.Context, t Terminal) error                                 // fault Conflict "terminal_exists"
	RevokeTerminal(ctx context.Context, office, id string, at time.Time) error         // fault Conflict "terminal_revoked"
	LastSignIns(ctx context.Context, office string, hashes [][]byte) ([]SignIn, error) // one for each; zero: nobody
	Offices(ctx context.Context) ([]string, error)
}

// Terminals is the use cases around the machines of an office. To let one in takes
// two people, to shut one out takes one (R-087, adr/0038).
type Terminals struct {
	Log       *audit.Log
	Store     TerminalStore
	Approvals *Approvals
	Clock     clock.Clock
	IDs       idgen.Gen
}

// List returns the terminals of the office, oldest first, each with its last sign-in.
func (s *Terminals) List(ctx context.Context, a actor.Actor) (list []Terminal, last []SignIn, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "terminal.list"}, func(ctx context.Context, _ *audit.Entry) (err error) {
		if list, err = s.Store.Terminals(ctx, a.Office); err != nil {
			return err
		}
		hashes := make([][]byte, len(list))
		for i, t := range list {
			hashes[i] = hash(t.ID)
		}
		last, err = s.Store.LastSignIns(ctx, a.Office, hashes)
		return err
	})
	return list, last, err
}

// AskAdd asks another person to let the machine in that shows the certificate, PEM.
func (s *Terminals) AskAdd(ctx context.Context, a actor.Actor, name, certificate string) (p Approval, err error) {
	name = strings.TrimSpace(name)
	if err := named("name", name); err != nil {
		return p, err
	}
	sum, err := terminalCertificate(certificate, s.Clock.Now())
	if err != nil {
		return p, err
	}
	switch _, err := s.Store.TerminalByCertificate(ctx, a.Office, sum); {
	case err == nil:
		return p, fault.New(fault.Conflict, "terminal_exists", "certificate")
	case fault.CodeOf(err) != fault.NotFound:
		return p, err
	}
	return s.Approvals.Request(ctx, a, AddTerminal, hex.EncodeToString(sum), map[string]string{"terminal": name}, nil)
}

// Add registers the machine of an approval, as somebody else has asked or approved.
func (s *Terminals) Add(ctx context.Context, a actor.Actor, approval string) (t Terminal, err error) {
	err = s.Log.Act(ctx, a, audit.Entry{Action: "terminal.add"}, func(ctx context.Context, e *audit.Entry) error {
		p, err := s.Approvals.Store.Approval(ctx, a.Office, approval)
		if err != nil {
			return err
		}
		sum, err := hex.DecodeString(p.Object)
		if err != nil || p.Kind != AddTerminal {
			return fault.New(fault.Conflict, "approval_differs", "")
		}
		if err := s.Approvals.UseOrApprove(ctx, a, AddTerminal, p.Object, p.Digest); err != nil {
			return err
		}
		t = Terminal{Office: a.Office, ID: s.IDs.Row(), Name: p.Parameters["terminal"], Certificate: sum, Registered: s.now()}
		e.Object = t.ID
		return s.Store.AddTerminal(ctx, t)
	})
	return t, err
}

// Revoke shuts a machine out from its next request on, and with it whoever is signed
// in there. It is never let in again with the same certificate.
func (s *Terminals) Revoke(ctx context.Context, a actor.Actor, id string) error {
	return s.Log.Act(ctx, a, audit.Entry{Action: "terminal.revoke", Object: id}, func(ctx context.Context, _ *audit.Entry) error {
		if _, err := s.Store.Terminal(ctx, a.Office, id); err != nil {
			return err
		}
		return s.Store.RevokeTerminal(ctx, a.Office, id, s.now())
	})
}

func (s *Terminals) now() time.Time { return s.Clock.Now().Truncate(time.Millisecond) }

// terminalCertificate reads the one certificate of a PEM text and returns its SHA-256.
// Whether it leads to an authority of the installation is asked at each connection.
func terminalCertificate(text string, now time.Time) ([]byte, error) {
	refused := func(key string) ([]byte, error) { return nil, fault.New(fault.Invalid, key, "certificate") }
	if strings.Contains(text, "PRIVATE KEY") {
		return refused("terminal_key")
	}
	block, rest := pem.Decode([]byte(text))
	if another, _ := pem.Decode(rest); block == nil || block.Type != "CERTIFICATE" || another != nil {
		return refused("terminal_certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	switch {
	case err != nil || c.IsCA:
		return refused("terminal_certificate")
	case now.After(c.NotAfter):
		return refused("terminal_expired")
	}
	sum := sha256.Sum256(c.Raw)
	return sum[:], nil
}
