package main

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// alertMeter shows how many alerts there were, as all nodes know them (S-089).
type alertMeter struct {
	store interface {
		AlertCounts(ctx context.Context) (raised map[string]int, undelivered int, err error)
	}
}

var (
	alertsRaised      = prometheus.NewDesc("akashi_alerts_total", "Alerts raised in this installation.", []string{"kind"}, nil)
	alertsUndelivered = prometheus.NewDesc("akashi_alerts_undelivered", "Alerts that no receiver has taken.", nil, nil)
)

// countTime is how long the figures may wait for the database.
const countTime = 2 * time.Second

func (m alertMeter) Describe(to chan<- *prometheus.Desc) { to <- alertsRaised; to <- alertsUndelivered }

// Collect leaves the figures out while the database does not answer.
func (m alertMeter) Collect(to chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), countTime)
	defer cancel()
	raised, undelivered, err := m.store.AlertCounts(ctx)
	if err != nil {
		return
	}
	for kind, n := range raised {
		to <- prometheus.MustNewConstMetric(alertsRaised, prometheus.CounterValue, float64(n), kind)
	}
	to <- prometheus.MustNewConstMetric(alertsUndelivered, prometheus.GaugeValue, float64(undelivered))
}
