// Command akashi issues vaccination certificates and verifies them. It wires
// the database and the faces to the commands; see internal/cli.
package main

import (
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/idgen"
	"akashi/internal/seal"
	"akashi/internal/server"
	"akashi/internal/store"
)

// heapGrowth in percent: what lives is a few MB, and with Go's 100 the collector
// would run at every fourth certificate, for a tenth of the processor time.
const heapGrowth = 400

func main() {
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(heapGrowth)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	os.Exit(cli.Run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr, adapters(os.Environ())))
}

func adapters(environ []string) cli.Adapters {
	return cli.Adapters{Environ: environ, Open: open, Serve: serve}
}

func open(ctx context.Context, databaseURL, migrateURL string, ring *seal.Ring, c clock.Clock, ids idgen.Gen) (cli.Store, error) {
	return store.Open(ctx, store.Config{URL: databaseURL, MigrateURL: migrateURL, Ring: ring, Clock: c, IDs: ids})
}

func serve(ctx context.Context, app *cli.App, ready func(bound map[string]string)) error {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: app.Config.LogLevel}))
	spans, stopSpans, err := tracer(ctx, app.Config.TracesURL)
	if err != nil {
		return err
	}
	defer func() { _ = stopSpans() }() // what the collector did not take is lost; the log is elsewhere
	s, err := server.New(server.Services{
		Applications: app.Applications, Imports: app.Imports, Issuance: app.Issuance, Log: app.Log,
		Directory: app.Store, Once: app.Store.Once,
		Published: app.Issuance.Published, Ping: app.Store.Ping, Clock: app.Clock, IDs: app.IDs,
		Logger: logger, SHCIssuer: app.Config.SHCIssuer, Version: cli.Version, Tracer: spans,
	})
	if err != nil {
		return err
	}
	recovering, stop := context.WithCancel(ctx)
	done := app.KeepRecovering(recovering, logger)
	defer func() { stop(); <-done }()
	return s.Serve(ctx, map[string]string{
		"staff": app.Config.StaffAddr, "public": app.Config.PublicAddr, "ops": app.Config.OpsAddr,
	}, ready, app.Config.DrainTime)
}
