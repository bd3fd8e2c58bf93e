package server

import (
	"sync"
	"time"
)

// What is asked at most of one process (S-043): by one address of the public face,
// by all of an office, and about one application or certificate, whoever asks.
// Accounts have a budget that all processes share (office.Budget).
const (
	verifyRate   = 50 // a second
	verifyBurst  = 200
	officeRate   = 1000
	officeBurst  = 5000
	targetRate   = 10
	targetBurst  = 2000
	maxAddresses = 10_000
)

// throttle is a bucket of tokens for each address, or whatever else is counted. Its
// memory is bounded: when there are too many addresses, those that have waited long
// enough are forgotten, and if none has, all are.
type throttle struct {
	perSecond, burst float64
	mu               sync.Mutex
	buckets          map[string]bucket
}

type bucket struct {
	tokens float64
	at     time.Time
}

func (t *throttle) allow(address string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if len(t.buckets) >= maxAddresses {
		for a, b := range t.buckets {
			if t.level(b, now) == t.burst {
				delete(t.buckets, a)
			}
		}
	}
	if t.buckets == nil || len(t.buckets) >= maxAddresses {
		t.buckets = map[string]bucket{}
	}
	b, known := t.buckets[address]
	if !known {
		b = bucket{tokens: t.burst, at: now}
	}
	b.tokens, b.at = t.level(b, now), now
	allowed := b.tokens >= 1
	if allowed {
		b.tokens--
	}
	t.buckets[address] = b
	return allowed
}

func (t *throttle) level(b bucket, now time.Time) float64 {
	return min(t.burst, b.tokens+max(0, now.Sub(b.at).Seconds())*t.perSecond)
}
