package server

import (
	"context"
	"errors"
	"sync"

	"akashi/internal/fault"
	"akashi/internal/office"
)

var errTerminal = fault.New(fault.Forbidden, "terminal", "")

// terminals finds the terminal behind a connection. To which office a certificate
// belongs never changes and is remembered; whether it is revoked is asked each
// time, so that a revocation holds from the next request on (S-004).
type terminals struct {
	*office.Terminals
	offices sync.Map // certificate's SHA-256 to office
}

func (t *terminals) of(ctx context.Context, c ClientCertificate) (office.Terminal, error) {
	codes, known := []string{}, false
	if code, ok := t.offices.Load(c.SHA256); ok {
		codes, known = []string{code.(string)}, true
	}
	var err error
	if !known {
		if codes, err = t.Store.Offices(ctx); err != nil {
			return office.Terminal{}, err
		}
	}
	for _, code := range codes {
		found, err := t.Store.TerminalByCertificate(ctx, code, c.SHA256[:])
		switch {
		case fault.CodeOf(err) == fault.NotFound:
			continue
		case err != nil:
			return office.Terminal{}, err
		case !found.Revoked.IsZero():
			continue
		}
		t.offices.Store(c.SHA256, code)
		return found, nil
	}
	t.offices.Delete(c.SHA256)
	return office.Terminal{}, errTerminal
}

// standAt finds out at which terminal a request to the staff face was made, and
// refuses one of no registered terminal where that is required.
func (s *Server) standAt(ctx context.Context, c *call) (err error) {
	if c.face != staffFace || s.TLS.ClientCAs == "" {
		return nil
	}
	shown, ok := clientOf(ctx)
	if ok {
		c.terminal, err = s.terminals.of(ctx, shown)
	} else {
		err = errTerminal
	}
	if errors.Is(err, errTerminal) && !s.TLS.Required {
		return nil
	}
	return err
}

// place is where a request was made, for the log: a registered terminal, or else
// an address.
func (c *call) place() string {
	if c.terminal.ID != "" {
		return string(c.face) + ":" + c.terminal.ID
	}
	return string(c.face) + ":" + c.address
}

// elsewhere tells whether the terminal is one of another office than the person's.
func (c *call) elsewhere(code string) bool {
	return c.terminal.ID != "" && c.terminal.Office != code
}
