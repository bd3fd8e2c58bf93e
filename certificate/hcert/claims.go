package hcert

import (
	"math"
	"time"
)

// CWT claims (RFC 8392, 3.1) and that of health certificates (eu-dcc, 5).
const (
	claimIssuer    int64 = 1
	claimExpires   int64 = 4
	claimNotBefore int64 = 5
	claimIssuedAt  int64 = 6
	claimID        int64 = 7
	claimHealth    int64 = -260
)

// Claims is what a token says about itself. Times that are absent are zero.
type Claims struct {
	Issuer    string // a country by two or three letters, as a hint; issuers wrote other texts too
	IssuedAt  time.Time
	NotBefore time.Time
	Expires   time.Time
	ID        []byte // cti
}

// maxIssuer bounds the issuer, in bytes.
const maxIssuer = 200

// readClaims reads the claims of a token and returns its health certificate (claim
// -260), nil when it has none. Claims that are not known are ignored.
func readClaims(token table) (c Claims, health any, notes []string, err error) {
	if v, ok := token[claimIssuer]; ok {
		if c.Issuer, ok = v.(string); !ok || len(c.Issuer) > maxIssuer {
			return c, nil, nil, fail(StepClaims, "wrong_type", "claim 1")
		}
	}
	for _, t := range []struct {
		claim int64
		field string
		to    *time.Time
	}{{claimExpires, "claim 4", &c.Expires}, {claimNotBefore, "claim 5", &c.NotBefore}, {claimIssuedAt, "claim 6", &c.IssuedAt}} {
		v, ok := token[t.claim]
		if !ok {
			continue
		}
		if _, float := v.(float64); float && len(notes) == 0 {
			notes = append(notes, NoteFloatTime)
		}
		if *t.to, ok = numericDate(v); !ok {
			return c, nil, nil, fail(StepClaims, "not_a_time", t.field)
		}
	}
	if v, ok := token[claimID]; ok {
		if c.ID, ok = v.([]byte); !ok {
			return c, nil, nil, fail(StepClaims, "wrong_type", "claim 7")
		}
	}
	return c, token[claimHealth], notes, nil
}

// Times that can be written as RFC 3339: from year 1 up to 9999.
var (
	firstSecond = time.Date(1, 1, 1, 0, 0, 0, 0, time.UTC).Unix()
	lastSecond  = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC).Unix()
)

// numericDate reads seconds since 1970, whole or not. Others than those from year 1
// to 9999 are refused before they are converted.
func numericDate(v any) (time.Time, bool) {
	switch n := v.(type) {
	case int64:
		return time.Unix(n, 0).UTC(), n > firstSecond && n <= lastSecond
	case float64:
		if !(n > float64(firstSecond) && n <= float64(lastSecond)) {
			return time.Time{}, false
		}
		whole, part := math.Modf(n)
		return time.Unix(int64(whole), int64(part*1e9)).UTC(), true
	}
	return time.Time{}, false
}
