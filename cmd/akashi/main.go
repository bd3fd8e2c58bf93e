// Command akashi issues vaccination certificates and verifies them. It wires
// the database and the faces to the commands; see internal/cli.
package main

import (
	"cmp"
	"context"
	"log/slog"
	"os"
	"os/signal"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/spf13/cobra"

	"akashi/internal/backup"
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
	return cli.Adapters{Environ: environ, Open: open, OpenPublished: openPublished, OpenProof: openProof, Archive: archive{}, Sentence: server.Sentence, Serve: serve, Further: further}
}

// further commands are those of a build with a tag, such as storybook.
var further []func(cli.Adapters) *cobra.Command

func open(ctx context.Context, d cli.Database, ring *seal.Ring, c clock.Clock, ids idgen.Gen) (cli.Store, error) {
	return store.Open(ctx, store.Config{URL: d.URL, MigrateURL: d.MigrateURL, SignerURL: d.SignerURL, Ring: ring, Clock: c, IDs: ids})
}

// archive copies databases as they are.
type archive struct{}

func (archive) Pending(ctx context.Context, databaseURL, migrateURL string) (from, to int64, err error) {
	return store.Pending(ctx, store.Config{URL: databaseURL, MigrateURL: migrateURL})
}

func (archive) Backup(ctx context.Context, databaseURL, migrateURL string, data, keys *backup.Writer, offices ...string) error {
	return store.Backup(ctx, store.Config{URL: databaseURL, MigrateURL: migrateURL}, data, keys, offices...)
}

func (archive) Copy(ctx context.Context, databaseURL, to string) error {
	return store.Copy(ctx, store.Config{URL: databaseURL}, to)
}

func (archive) Restore(ctx context.Context, databaseURL string, data, keys *backup.Reader) (erased int, err error) {
	return store.Restore(ctx, store.Config{URL: databaseURL}, data, keys)
}

func openPublished(ctx context.Context, databaseURL string, c clock.Clock) (cli.PublishedStore, error) {
	return store.OpenPublished(ctx, databaseURL, c)
}

func serve(ctx context.Context, node *cli.Node, ready func(bound map[string]string)) error {
	logger := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: node.Config.LogLevel}))
	for _, w := range node.Warnings {
		logger.Warn("production would refuse this", "what", w)
	}
	spans, stopSpans, err := tracer(ctx, node.Config.TracesURL)
	if err != nil {
		return err
	}
	defer func() { _ = stopSpans() }() // what the collector did not take is lost; the log is elsewhere
	parts := services(node, logger)
	parts.Tracer = spans
	s, err := server.New(parts)
	if err != nil {
		return err
	}
	if node.Jobs != nil {
		working, stop := context.WithCancel(ctx)
		done := node.Jobs.Work(working, logger)
		defer func() { stop(); <-done }()
	}
	return s.Serve(ctx, node.Config.Addresses(), ready, node.Config.DrainTime)
}

// services are what the faces of the node stand on: with the public face alone,
// the published keys and nothing else.
func services(node *cli.Node, logger *slog.Logger) server.Services {
	services := server.Services{
		Ping: node.Ping, Logger: logger, SHCIssuer: node.Config.SHCIssuer, SHCName: cmp.Or(node.Config.SHCName, strings.TrimPrefix(node.Config.SHCIssuer, "https://")), Version: cli.Version, Proxies: node.Config.TrustedProxies, Nodes: node.Nodes,
		TLS: server.TLS{
			Certificate: node.Config.TLSCertificate, Key: node.Config.TLSKey,
			ClientCAs: node.Config.ClientCA, Required: node.Config.Terminals == "required",
		},
	}
	for name := range node.Config.Addresses() {
		services.Faces = append(services.Faces, name)
	}
	if node.Published != nil {
		services.Published = node.Published.Whole
		if node.Published.Lists != nil {
			services.Withdrawn = node.Published.Lists.WithdrawnFile
		}
		if node.Published.Issuances != nil {
			services.IssuanceLog = node.Published.Issuances
		}
	}
	for _, app := range []*cli.App{node.Jobs, node.Staff} {
		if app != nil {
			services.Meters = []prometheus.Collector{alertMeter{app.Store}}
		}
	}
	if app := node.Staff; app != nil {
		services.Applications, services.Imports, services.Issuance, services.Log = app.Applications, app.Imports, app.Issuance, app.Log
		services.Revocations, services.Reissues, services.Mailings, services.Batches = app.Revocations, app.Reissues, app.Mailings, app.Batches
		services.Retention = app.Retention
		services.Approvals, services.Offices, services.Budget = app.Approvals, app.Offices, app.Budget
		services.AccountRequests, services.Rosters = app.AccountRequests, app.Rosters
		services.Halted = app.Halted
		services.Reviews, services.Alerts, services.Statistics = app.Reviews, app.Alerts, app.Statistics
		services.Usage, services.Covers, services.Parts = app.Usage, app.Store.Covers, app.Store
		services.Accounts, services.Once, services.Clock, services.IDs = app.Accounts, app.Store.Once, app.Clock, app.IDs
		services.Terminals = app.Terminals
	}
	return services
}

func openProof(ctx context.Context, databaseURL string) (cli.Proof, error) {
	return store.OpenReadOnly(ctx, store.Config{URL: databaseURL})
}
