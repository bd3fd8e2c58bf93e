package hcert

import (
	"encoding/base64"
	"math"
	"strings"
	"testing"
	"time"
)

func rawURL(s string) []byte { return must(base64.RawURLEncoding.DecodeString(s)) }

// eu-dcc, 5: the claims, floats where issuers wrote them, and times that are none.
func TestClaims(t *testing.T) {
	maker := newForger(t)
	all := table{claimIssuer: "XX", claimExpires: 2000, claimNotBefore: 1500, claimIssuedAt: 1000, claimID: []byte{1, 2}, 2: "subject", "x": 1}
	c, err := Parse(maker.code(t, all))
	if err != nil {
		t.Fatal(err)
	}
	if c.Issuer != "XX" || c.Expires.Unix() != 2000 || c.NotBefore.Unix() != 1500 || c.IssuedAt.Unix() != 1000 || string(c.ID) != "\x01\x02" || len(c.Notes) != 0 {
		t.Errorf("ok/all: %+v", c)
	}
	c, err = Parse(maker.code(t, table{claimIssuedAt: 1.6e9 + 0.25, claimExpires: float32(2e9)}))
	if err != nil || c.IssuedAt.UnixMilli() != 1600000000250 || c.Expires.Unix() != 2e9 || len(c.Notes) != 1 || c.Notes[0] != NoteFloatTime {
		t.Errorf("ok/floats: %+v, %v", c, err)
	}
	c, err = Parse(maker.code(t, table{}))
	if err != nil || !c.Expires.IsZero() || !c.IssuedAt.IsZero() || len(c.Notes) != 1 || c.Notes[0] != NoteNoExpiry {
		t.Errorf("ok/none: %+v, %v", c, err)
	}
	for name, claims := range map[string]any{
		"a number as issuer": table{claimIssuer: 1}, "a text as time": table{claimExpires: "2000"}, "null as time": table{claimIssuedAt: nil},
		"beyond all years": table{claimExpires: math.MaxInt64}, "year 0": table{claimIssuedAt: math.MinInt64}, "a float beyond": table{claimExpires: 1e300},
		"a text as identifier": table{claimID: "1"}, "an issuer without end": table{claimIssuer: string(make([]byte, maxIssuer+1))}, "an array": []any{},
	} {
		if _, err := Parse(maker.code(t, claims)); !strings.HasPrefix(reason(err), string(StepClaims)+" ") {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	if got, ok := numericDate(lastSecond); !ok || got.Format(time.RFC3339) != "9999-12-31T23:59:59Z" {
		t.Errorf("ok/last second: %v", got)
	}
}
