package office

import (
	"context"
	"crypto/sha256"
	"strings"
	"time"

	"akashi/internal/fault"
	"akashi/internal/idgen"
)

const keyPrefix = "akashi"

// NewStaffKey returns a key "akashi_900001_…" with 256 random bits. The office
// stands in it so that the key is looked up in its own partition only.
func NewStaffKey(ids idgen.Gen, office string) string {
	return keyPrefix + "_" + office + "_" + ids.Token(32)
}

// HashStaffKey returns what is stored of a key. A fast hash is enough: the key
// is 256 random bits, not a password.
func HashStaffKey(key string) []byte {
	sum := sha256.Sum256([]byte(key))
	return sum[:]
}

// Directory finds staff by key; the store implements it.
type Directory interface {
	StaffByKey(ctx context.Context, office string, hash []byte) (Staff, error) // fault NotFound
}

// Authenticate returns the person to whom a key belongs. Unknown, foreign and
// ended keys give the same answer (S-015).
func Authenticate(ctx context.Context, d Directory, key string, now time.Time) (Staff, error) {
	refused := fault.New(fault.Forbidden, "staff_key", "Authorization")
	parts := strings.SplitN(key, "_", 3)
	if len(key) > 200 || len(parts) != 3 || parts[0] != keyPrefix || CheckCode(parts[1]) != nil {
		return Staff{}, refused
	}
	s, err := d.StaffByKey(ctx, parts[1], HashStaffKey(key))
	switch {
	case fault.CodeOf(err) == fault.NotFound:
		return Staff{}, refused
	case err != nil:
		return Staff{}, err
	case !s.Ends.IsZero() && !now.Before(s.Ends):
		return Staff{}, refused
	}
	return s, nil
}
