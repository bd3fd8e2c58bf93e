package trust

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"akashi/internal/strictjson"
	"akashi/signing"
)

// The methods by which a list names health cards.
const (
	MethodID   = "rid"       // vc.rid of the card
	MethodHash = "hash-fhir" // digest of its bundle, for cards without rid
)

// MaxCardList is how many cards one revocation list may name.
const MaxCardList = 500_000

const (
	maxMembers = 100 // of the list beside its entries
	maxListed  = 24  // characters of a rid
)

// CardList is the revocation list of one key of health cards
// (spec smart-health-cards, 7). It never changes.
type CardList struct {
	Raw     []byte
	KeyID   string
	Method  string // MethodID or MethodHash
	Counter int    // ctr; the key has the same as crlVersion

	entries map[string]time.Time // cards issued before are revoked; zero: all
}

// ParseCardList reads a revocation list. A list that names a card twice, or
// that holds an entry that cannot be one, is refused as a whole: what it does not
// say is then unknown. The error is the code of the first fault.
func ParseCardList(b []byte) (*CardList, error) {
	if len(b) > maxFile || strictjson.Values(b) > MaxCardList+maxMembers {
		return nil, errors.New("too_large")
	}
	if strictjson.Check(b, 4) != nil {
		return nil, errors.New("malformed")
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(b, &members) != nil {
		return nil, errors.New("malformed")
	}
	l := &CardList{Raw: bytes.Clone(b)}
	var counter any
	var entries []string
	for _, m := range []struct {
		name string
		to   any
	}{{"kid", &l.KeyID}, {"method", &l.Method}, {"ctr", &counter}, {"rids", &entries}} {
		if text, ok := members[m.name]; !ok || json.Unmarshal(text, m.to) != nil {
			return nil, errors.New("wrong_" + m.name)
		}
	}
	var ok bool
	switch l.Counter, ok = signing.ListVersion(counter); {
	case !ok || l.Counter == 0:
		return nil, errors.New("wrong_ctr")
	case l.Method != MethodID && l.Method != MethodHash:
		return nil, errors.New("wrong_method")
	case entries == nil:
		return nil, errors.New("wrong_rids")
	case len(entries) > MaxCardList:
		return nil, errors.New("too_large")
	}
	l.entries = make(map[string]time.Time, len(entries))
	for _, e := range entries {
		if code := l.add(e); code != "" {
			return nil, errors.New(code)
		}
	}
	return l, nil
}

// add takes an entry: an id, or an id and the second before which it counts.
func (l *CardList) add(entry string) (code string) {
	id, before, timed := strings.Cut(entry, ".")
	var t time.Time
	if timed {
		seconds, err := strconv.ParseInt(before, 10, 64)
		if err != nil || seconds > 1e15 || !isDigit(before[0]) {
			return "wrong_time"
		}
		t = time.Unix(seconds, 0)
	}
	switch {
	case id == "" || len(id) > maxListed:
		return "wrong_length"
	case strings.Trim(id, base64url) != "":
		return "not_base64url"
	}
	if _, twice := l.entries[id]; twice {
		return "entry_twice"
	}
	l.entries[id] = t
	return ""
}

func isDigit(c byte) bool { return '0' <= c && c <= '9' }

const base64url = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"

// Len returns the number of entries.
func (l *CardList) Len() int { return len(l.entries) }

// Lists tells whether a card is revoked, by its id (rid or digest, as Method says)
// and by when it was issued: a holder may get a new card under the old id.
func (l *CardList) Lists(id string, issued time.Time) bool {
	before, ok := l.entries[id]
	return ok && (before.IsZero() || issued.Before(before))
}
