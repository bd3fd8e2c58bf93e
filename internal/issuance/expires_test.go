package issuance

import (
	"slices"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/signing"
)

// spec who-icvp-gdhcn, 4: exp is two years after issue, and never after the signer's end.
func TestHealthCodeExpires(t *testing.T) {
	at := time.Date(2026, 11, 22, 1, 2, 3, 0, time.UTC)
	for want, end := range map[time.Time]time.Time{
		at.AddDate(2, 0, 0): at.AddDate(5, 0, 0),
		at.AddDate(0, 6, 0): at.AddDate(0, 6, 0).Add(time.Millisecond),
	} {
		if got := (healthCode{}).expires(certificate.Certificate{IssuedAt: at}, signing.Key{NotAfter: end}); !got.Equal(want) {
			t.Errorf("ok/signer until %s: %s", end, got)
		}
	}
}

// The key id stands beside the claims: another one is named too.
func TestHealthHeaders(t *testing.T) {
	code := &hcert.Code{KeyID: []byte("12345678")}
	if got := headers(hcert.Options{KeyID: []byte("12345678")}, code); got != nil {
		t.Errorf("ok/same: %v", got)
	}
	if got := headers(hcert.Options{KeyID: []byte("12345679")}, code); !slices.Equal(got, []string{"key_id"}) {
		t.Errorf("error/another: %v", got)
	}
}
