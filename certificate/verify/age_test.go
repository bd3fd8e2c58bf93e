package verify

import (
	"encoding/json"
	"testing"
	"testing/fstest"
	"time"

	"akashi/certificate/trust"
)

// agesOf are the limits as they are told, so that a change of one is seen.
func TestAgeLimits(t *testing.T) {
	for kind, hours := range map[string]float64{trust.KindStatus: 48, trust.KindCardList: 168, trust.KindSigners: 168} {
		if limit, limited := MaxAge(kind, now); !limited || limit.Hours() != hours {
			t.Errorf("%s: %v", kind, limit)
		}
		if early, limited := MaxAge(kind, time.Time{}); !limited || early.Hours() != hours {
			t.Errorf("%s, before the first: %v", kind, early)
		}
	}
	if _, limited := MaxAge(trust.KindCRL, now); limited {
		t.Error("a list that says when the next one is due has a limit of its own")
	}
	last := map[string]string{}
	for _, l := range ageLimits {
		if _, err := time.Parse(time.DateOnly, l.From); err != nil || l.Why == "" || l.Hours < 1 || l.From <= last[l.Kind] {
			t.Errorf("%+v", l)
		}
		last[l.Kind] = l.From
	}
}

// listMadeAt is a list with the signer of a code, in a part of that date.
func listMadeAt(t testing.TB, l listed, whole, part time.Time) *trust.Bundle {
	t.Helper()
	top, err := trust.Whole([]string{"who"}, whole)
	if err != nil {
		t.Fatal(err)
	}
	m := map[string]any{"version": 1, "health": []any{map[string]any{"kid": l.kid, "participant": l.participant, "domain": l.dom, "certificate": "a.der"}}}
	if !part.IsZero() {
		m["made_at"] = part
	}
	manifest, err := json.Marshal(m)
	if err != nil {
		t.Fatal(err)
	}
	b, report, err := trust.Load(fstest.MapFS{"manifest.json": {Data: top}, "who/manifest.json": {Data: manifest}, "who/a.der": {Data: l.der}})
	if err != nil || len(report) > 0 {
		t.Fatalf("%v, %v", report, err)
	}
	return b
}

// Issue 5, 3: past the limit of its list the status of a code is unknown, and the sentence tells the age.
func TestOldSignerList(t *testing.T) {
	for _, c := range healthCases(t, "who/hcert/synthetic-icvp-vhl.json") {
		if c.ID != "icvp-gen3" {
			continue
		}
		l := signerOf(t, c.Certificate)
		const day = 24 * time.Hour
		for name, v := range map[string]struct {
			made    time.Time
			outcome Outcome
			code    string
			fresh   string
		}{
			"ok/of today":      {c.Clock, Valid, SignerListed, TrustFresh},
			"ok/the last hour": {c.Clock.Add(-7 * day), Valid, SignerListed, TrustFresh},
			"error/older":      {c.Clock.Add(-7*day - time.Second), Undecided, StatusUnknown, TrustOld},
			"error/nine days":  {c.Clock.Add(-9 * day), Undecided, StatusUnknown, TrustOld},
			"ok/not stated":    {time.Time{}, Valid, SignerListed, TrustUndated},
		} {
			got := Text(c.QR, listMadeAt(t, l, c.Clock, v.made), c.Clock)
			checkForm(t, got)
			f := got.Facet(Revocation)
			if got.Outcome != v.outcome || f.Code != v.code || got.Facet(Freshness).Code != v.fresh {
				t.Errorf("%s: %s, %+v, %s", name, got.Outcome, f, got.Facet(Freshness).Code)
			}
			if name == "error/nine days" && (f.Sentence("en") != "The list is 9 days old: status unknown." || f.Detail["list"] != trust.KindSigners || f.Next("en") != "Renew the trust list and check again.") {
				t.Errorf("%s: %s, %v", name, f.Sentence("en"), f.Detail)
			}
		}
		return
	}
	t.Error("no code was judged")
}
