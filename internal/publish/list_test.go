package publish

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/internal/fault"
	"akashi/signing"
)

// shelf is a store of lists in memory.
type shelf struct {
	lists  map[string]List
	ended  []EndedCode
	keys   []signing.Key
	asked  []time.Time
	before func() // runs before a list is written
}

func (s *shelf) SigningKeys(context.Context) ([]signing.Key, error) { return s.keys, nil }
func (s *shelf) Offices(context.Context) ([]string, error)          { return []string{"900001"}, nil }
func (s *shelf) EndedCodes(_ context.Context, _ string, from time.Time) (out []EndedCode, err error) {
	s.asked = append(s.asked, from)
	for _, c := range s.ended {
		if !c.At.Before(from) {
			out = append(out, c)
		}
	}
	return out, nil
}

func (s *shelf) ListVersions(context.Context) (map[string]int64, error) {
	versions := map[string]int64{}
	for name, l := range s.lists {
		versions[name] = l.Version
	}
	return versions, nil
}

func (s *shelf) List(_ context.Context, name string) (List, error) { return s.lists[name], nil }

func (s *shelf) PublishLists(_ context.Context, lists []List) error {
	if s.before != nil {
		s.before()
	}
	for _, l := range lists {
		if s.lists[l.Name].Version >= l.Version {
			return fault.New(fault.Conflict, "version", "")
		}
	}
	for _, l := range lists {
		s.lists[l.Name] = l
	}
	return nil
}

func (s *shelf) end(id string, at time.Time) {
	s.ended = append(s.ended, EndedCode{EndedCode: trust.EndedCode{Family: certificate.SHC, ID: id, Why: trust.Revoked}, KeyID: "k", At: at})
}

func workshop(t *testing.T) (*shelf, *Maker, *Lists, *time.Time) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	key, err := signing.OpenLogKey(dir, signing.StatusList, "https://issuer.example")
	if err != nil {
		t.Fatal(err)
	}
	now := time.Date(2026, 11, 22, 4, 0, 0, 0, time.UTC)
	s := &shelf{lists: map[string]List{}, keys: []signing.Key{{ID: "k", Purpose: signing.SHC, State: signing.Active}, {ID: "dead", Purpose: signing.SHC, State: signing.Compromised}}}
	seeds := byte(0)
	m := &Maker{Store: s, Key: key, Clock: func() time.Time { return now }, Seed: func() [32]byte { seeds++; return [32]byte{seeds} }}
	return s, m, NewLists(s, key.Public()), &now
}

// S-069: with the clock of the service, what ended is listed by the next round; an
// edition is made when something ended, and each hour; a counter only grows.
func TestMaker(t *testing.T) {
	s, m, _, now := workshop(t)
	step := func() {
		t.Helper()
		if err := m.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	cards := func() *trust.CardList {
		t.Helper()
		l, err := trust.ParseCardList(s.lists[CardListName("k")].Content)
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	step()
	if l := cards(); l.Counter != 1 || l.Len() != 0 || s.lists[CardListName("dead")].Version != 0 {
		t.Errorf("ok/nothing ended: %d, %d cards", l.Counter, l.Len())
	}
	first := s.lists[StatusName].Version
	*now = now.Add(time.Minute)
	step()
	if s.lists[StatusName].Version != first {
		t.Error("ok/nothing ended since: a new edition")
	}
	s.end("AAAAAAAAAAA", *now)
	s.end("BBBBBBBBBBB", *now)
	*now = now.Add(time.Minute)
	step()
	second := s.lists[StatusName].Version
	if l := cards(); l.Counter != 3 || !l.Lists("AAAAAAAAAAA", *now) || second <= first {
		t.Errorf("ok/two ended: %d, version %d after %d", l.Counter, second, first)
	}
	s.end("CCCCCCCCCCC", now.Add(-9*time.Minute)) // written by a clock that is late
	*now = now.Add(time.Minute)
	step()
	if l := cards(); l.Counter != 4 || !l.Lists("CCCCCCCCCCC", *now) || s.asked[len(s.asked)-1].IsZero() {
		t.Errorf("ok/a late one: %d", l.Counter)
	}
	*now = now.Add(time.Hour)
	step()
	if s.lists[StatusName].Version <= second || cards().Counter != 4 || !s.asked[len(s.asked)-1].IsZero() {
		t.Error("ok/an hour later: no new edition of everything")
	}
	// Another process was faster: its edition stays, and the next round takes up from it.
	s.end("DDDDDDDDDDD", *now)
	s.before = func() {
		l := s.lists[StatusName]
		l.Version = now.Unix() + 100
		s.lists[StatusName] = l
	}
	if err := m.Step(t.Context()); !errors.Is(err, fault.New(fault.Conflict, "version", "")) || cards().Counter != 4 {
		t.Errorf("error/another was faster: %v", err)
	}
	s.before = nil
	step()
	if l := cards(); l.Counter != 5 || s.lists[StatusName].Version != now.Unix()+101 {
		t.Errorf("ok/after that: %d, version %d", l.Counter, s.lists[StatusName].Version)
	}
}

// S-069: a stored list that is forged, half or older is not taken, and the good one kept.
func TestGoodListIsKept(t *testing.T) {
	s, m, lists, now := workshop(t)
	s.end("AAAAAAAAAAA", *now)
	if err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	old := s.lists[StatusName]
	s.end("BBBBBBBBBBB", *now)
	*now = now.Add(time.Minute)
	if err := m.Step(t.Context()); err != nil {
		t.Fatal(err)
	}
	good, goodCards := s.lists[StatusName], s.lists[CardListName("k")]
	status := func() (*trust.StatusList, error) {
		b, err := lists.Add(t.Context(), &trust.Bundle{}, []string{"k"})
		return b.Status("k"), err
	}
	if l, err := status(); err != nil || l.Why(certificate.SHC, "BBBBBBBBBBB") != trust.Revoked {
		t.Fatalf("ok/good: %v", err)
	}
	for name, c := range map[string]struct{ status, cards List }{
		"half":       {List{StatusName, good.Version + 1, *now, good.Head, good.Content[:100]}, goodCards},
		"forged":     {List{StatusName, good.Version + 1, *now, "x" + good.Head, good.Content}, goodCards},
		"older":      {old, goodCards},
		"half cards": {good, List{goodCards.Name, goodCards.Version + 1, *now, "", goodCards.Content[:20]}},
		"empty":      {List{StatusName, good.Version + 1, *now, "", nil}, goodCards},
	} {
		s.lists[StatusName], s.lists[goodCards.Name] = c.status, c.cards
		if l, err := status(); !errors.Is(err, ErrList) || l == nil || l.Version != good.Version || l.Why(certificate.SHC, "BBBBBBBBBBB") != trust.Revoked {
			t.Errorf("error/%s: %v", name, err)
		}
	}
}
