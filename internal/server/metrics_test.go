package server

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"akashi/certificate"
)

// S-091: figures and spans name routes and statuses, never a person, an id in a
// path or what a caller invented.
func TestMetricsAndSpans(t *testing.T) {
	f := newFixture(t)
	spans := tracetest.NewInMemoryExporter()
	f.Tracer = sdk.NewTracerProvider(sdk.WithSyncer(spans)).Tracer("test")
	id := f.issued(t, certificate.Travel)
	f.do(f.clerk, "GET", "/certificates/"+id, "")
	f.do(f.clerk, "GET", "/certificates/"+strings.Repeat("A", 12), "")
	f.do(f.clerk, "GET", "/neither/"+id, "")

	text := string(ask(f.Ops(), "", "GET", "/metrics", "", nil).body)
	for _, want := range []string{
		`akashi_requests_total{face="staff",route="issue-certificate",status="201"} 1`,
		`akashi_requests_total{face="staff",route="get-certificate",status="200"} 1`,
		`akashi_requests_total{face="staff",route="get-certificate",status="404"} 1`,
		`akashi_requests_total{face="staff",route="none",status="404"} 1`,
		`akashi_request_seconds_count{face="staff",route="issue-certificate"} 1`,
		"go_goroutines ", "process_open_fds ",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("no %s", want)
		}
	}
	said, failed := text, false
	for _, s := range spans.GetSpans() {
		said += fmt.Sprint(s.Name, s.Attributes, s.Events, s.Status)
		failed = failed || s.Name == "get-certificate" && s.Status.Code == codes.Error && s.Status.Description == "not_found"
	}
	if !strings.Contains(said, "issue-certificate") || !failed {
		t.Error("no span of the issue, or none of what failed")
	}
	said = regexp.MustCompile(`\d*\.\d+`).ReplaceAllString(said, "") // a time may have the digits of a ticket
	for _, secret := range []string{id, "AAAAAAAAAAAA", "neither", "SAKURAI", "0000000001", f.clerk} {
		if strings.Contains(said, secret) {
			t.Errorf("tells %q", secret)
		}
	}
}
