package main

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"
)

type alertCounts struct{ broken error }

func (c alertCounts) AlertCounts(context.Context) (map[string]int, int, error) {
	return map[string]int{"issue_rate": 3, "four_eyes": 1}, 2, c.broken
}

// S-089: alerts are figures; without the database there are none, rather than zero.
func TestAlertFigures(t *testing.T) {
	shown := func(c alertCounts) (text string) {
		r := prometheus.NewRegistry()
		r.MustRegister(alertMeter{c})
		families, err := r.Gather()
		if err != nil {
			t.Fatal(err)
		}
		var b strings.Builder
		for _, f := range families {
			if _, err := expfmt.MetricFamilyToText(&b, f); err != nil {
				t.Fatal(err)
			}
		}
		return b.String()
	}
	text := shown(alertCounts{})
	for _, want := range []string{`akashi_alerts_total{kind="four_eyes"} 1`, `akashi_alerts_total{kind="issue_rate"} 3`, "akashi_alerts_undelivered 2"} {
		if !strings.Contains(text, want+"\n") {
			t.Errorf("no %s in %s", want, text)
		}
	}
	if text := shown(alertCounts{errors.New("gone")}); text != "" {
		t.Errorf("error/no database: %s", text)
	}
}
