package server

import (
	"bytes"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/common/expfmt"
)

// meters count what the faces do. Their labels are names of the registry and
// statuses: nothing that a caller sent, and nobody (S-091).
type meters struct {
	registry *prometheus.Registry
	requests *prometheus.CounterVec
	seconds  *prometheus.HistogramVec
}

func newMeters(further []prometheus.Collector) meters {
	m := meters{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "akashi_requests_total", Help: "Requests answered.",
		}, []string{"face", "route", "status"}),
		seconds: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "akashi_request_seconds", Help: "Time to the end of the answer.",
			Buckets: []float64{.005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 30},
		}, []string{"face", "route"}),
	}
	m.registry.MustRegister(m.requests, m.seconds, collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	m.registry.MustRegister(further...)
	return m
}

func (m meters) count(f face, r *route, status int, took time.Duration) {
	id := "none"
	if r != nil {
		id = r.id
	}
	m.requests.WithLabelValues(string(f), id, strconv.Itoa(status)).Inc()
	m.seconds.WithLabelValues(string(f), id).Observe(took.Seconds())
}

// metrics answers in the text form of Prometheus.
func (s *Server) metrics(*call) (answer, error) {
	families, err := s.meters.registry.Gather()
	if err != nil {
		return answer{}, err
	}
	format := expfmt.NewFormat(expfmt.TypeTextPlain)
	var text bytes.Buffer
	for _, f := range families {
		if _, err := expfmt.MetricFamilyToText(&text, f); err != nil {
			return answer{}, err
		}
	}
	return answer{file: text.Bytes(), media: string(format), status: http.StatusOK}, nil
}
