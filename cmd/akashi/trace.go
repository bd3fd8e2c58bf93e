package main

import (
	"context"
	"errors"
	"time"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/sdk/resource"
	sdk "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"

	"akashi/internal/cli"
)

// tracer sends spans to the collector that the operator named; without one
// there is none. Spans hold names of routes, statuses and request ids.
func tracer(ctx context.Context, url string) (trace.Tracer, func() error, error) {
	if url == "" {
		return nil, func() error { return nil }, nil
	}
	out, err := otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(url))
	if err != nil {
		return nil, nil, errors.New("AKASHI_TRACES_URL: not a collector's address")
	}
	provider := sdk.NewTracerProvider(sdk.WithBatcher(out),
		sdk.WithResource(resource.NewSchemaless(attribute.String("service.name", "akashi"), attribute.String("service.version", cli.Version))))
	stop := func() error {
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
		defer cancel()
		return provider.Shutdown(ctx)
	}
	return provider.Tracer("akashi"), stop, nil
}
