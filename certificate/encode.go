package certificate

import (
	"encoding/json"
	"fmt"

	"akashi/passport"
)

// stored carries the passport number in the open: it exists only to be sealed.
type stored struct {
	Certificate
	Number string `json:"passport_number,omitempty"`
}

// Encode returns the whole certificate, passport number included, to be sealed.
// The same certificate gives the same bytes.
func Encode(c Certificate) ([]byte, error) {
	s := stored{Certificate: c}
	if p := c.Subject.Passport; p != nil {
		s.Number = p.Number.Reveal()
	}
	return json.Marshal(s)
}

// Decode reads what Encode made.
func Decode(b []byte) (Certificate, error) {
	var s stored
	if err := json.Unmarshal(b, &s); err != nil {
		return Certificate{}, fmt.Errorf("certificate: %w", err)
	}
	if p := s.Subject.Passport; p != nil {
		p.Number = passport.NewNumber(s.Number)
	}
	return s.Certificate, nil
}

// Format keeps a certificate out of logs: only office, id and kind print.
func (c Certificate) Format(f fmt.State, _ rune) {
	_, _ = fmt.Fprintf(f, "certificate %s/%s %s", c.Office, c.ID, c.Kind)
}
