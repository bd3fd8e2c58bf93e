// Package server is the HTTP faces of the service: staff, public and ops, each a
// listener with a route table of its own.
//
// It promises that every route stands in one registry with its permission and
// purpose (S-024), that limits act before anything is parsed (S-033), that every
// error is problem+json (RFC 9457) with a code and never a personal value
// (S-091, S-093), and that neither body nor query reaches a log.
package server

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"

	"akashi/certificate/trust"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/clock"
	"akashi/internal/custody"
	"akashi/internal/exchange"
	"akashi/internal/idgen"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/statistics"
	"akashi/internal/topology"
	"akashi/internal/vaccination"
	"akashi/internal/watch"
)

// Services are the use cases behind the faces. What only the staff face needs may
// be missing where that is not served.
type Services struct {
	Faces           []string // to be served: "staff", "public", "ops"; empty: all
	Applications    *application.Service
	Imports         *vaccination.Imports
	Approvals       *office.Approvals
	AccountRequests *office.AccountRequests
	Rosters         *office.Rosters
	Offices         *office.Offices
	Budget          *office.Budget
	Issuance        *issuance.Service
	Revocations     *issuance.Many
	Reissues        *issuance.Many
	Mailings        *issuance.Mailings
	Batches         *exchange.Batches
	Retention       *custody.Retention
	Log             *audit.Log
	Reviews         *audit.Reviews
	Statistics      *statistics.Service
	Alerts          *watch.Lists
	Usage           *watch.UsageReports
	// Covers tells which checkpoints cover entries of the log, by their ids.
	Covers func(ctx context.Context, office string, ids []string) (map[string]tree.Cover, error)
	// Parts proves entries that are exported.
	Parts    tree.PartStore
	Accounts *office.Accounts
	// Once returns what an earlier act with an idempotency key made and the hash
	// of that request's body; fault NotFound if there was none.
	Once        func(ctx context.Context, office, route, key string) (object string, body []byte, err error)
	Published   func(ctx context.Context) (*trust.Bundle, error) // keys and issuance log as verifiers get them
	IssuanceLog IssuanceLog                                      // nil: none is published
	// Withdrawn returns a file of the lists for verifiers of EU certificates; nil: none is published.
	Withdrawn func(ctx context.Context, name string) ([]byte, bool, error)
	Ping      func(ctx context.Context) error
	// Halted refuses what is personal while the log is not being proven; nil: never.
	Halted    func(ctx context.Context) error
	Clock     clock.Clock
	IDs       idgen.Gen
	Logger    *slog.Logger
	SHCIssuer string // iss, whose key set is published
	SHCName   string // its name, for directories
	Version   string
	// Meters are further figures for the ops face; Tracer gets a span for each
	// route that is run. Both may be nil.
	Meters    []prometheus.Collector
	Tracer    trace.Tracer
	Nodes     func(ctx context.Context) ([]topology.Node, error) // the processes that serve the installation
	TLS       TLS                                                // of every face; without a certificate they speak plain HTTP
	Terminals *office.Terminals                                  // of the staff face; needed where TLS names client authorities
	Proxies   []netip.Prefix                                     // whose X-Forwarded-For is believed
}

// Server is the three faces.
type Server struct {
	Services
	handlers  map[face]http.Handler
	documents map[face][]byte // OpenAPI
	published publishedKeys
	verifiers throttle // by address
	offices   throttle
	targets   throttle // by office and what stands in the path
	rules     officeRules
	meters    meters
	pictures  map[face]pictures
	patience  time.Duration // with a large file that hardly moves
	arriving  *places       // bytes of files that come, by office
	making    *places       // and of those that are made
	terminals terminals
	stopping  atomic.Bool
}

// New builds the faces. It refuses a route without permission or purpose.
func New(s Services) (*Server, error) {
	if s.Logger == nil {
		s.Logger = slog.New(slog.DiscardHandler)
	}
	if s.Tracer == nil {
		s.Tracer = noop.NewTracerProvider().Tracer("")
	}
	srv := &Server{
		Services: s, handlers: map[face]http.Handler{}, documents: map[face][]byte{},
		meters:    newMeters(s.Meters),
		verifiers: throttle{perSecond: verifyRate, burst: verifyBurst},
		offices:   throttle{perSecond: officeRate, burst: officeBurst},
		targets:   throttle{perSecond: targetRate, burst: targetBurst},
		pictures:  map[face]pictures{staffFace: newPictures(), publicFace: newPictures()},
		patience:  bodyTime,
		arriving:  newPlaces("files_busy", filesAtOnce, filesOfOffice),
		making:    newPlaces("files_busy", filesAtOnce, filesOfOffice),
		terminals: terminals{Terminals: s.Terminals},
	}
	for _, f := range faces {
		if len(s.Faces) > 0 && !slices.Contains(s.Faces, string(f)) {
			continue
		}
		h, err := srv.build(f, srv.routes())
		if err != nil {
			return nil, fmt.Errorf("server: %s: %w", f, err)
		}
		srv.handlers[f] = h
	}
	return srv, nil
}

// Staff returns the face of counter and officers.
func (s *Server) Staff() http.Handler { return s.handlers[staffFace] }

// Pages are the paths of the staff face that answer with a page, parameters in braces.
func (s *Server) Pages() (paths []string) {
	for _, r := range s.routes() {
		if slices.Contains(r.faces, staffFace) && r.method == http.MethodGet && r.gives == pageType {
			paths = append(paths, r.path)
		}
	}
	return paths
}

// Public returns the face of verifiers.
func (s *Server) Public() http.Handler { return s.handlers[publicFace] }

// Ops returns the face of those who watch the service.
func (s *Server) Ops() http.Handler { return s.handlers[opsFace] }

// Times of S-008. A route may have a longer one of its own.
const (
	headerTime  = 5 * time.Second
	bodyTime    = 30 * time.Second
	handlerTime = 30 * time.Second
	idleTime    = 60 * time.Second
)

// Serve listens on the address of each face ("staff", "public", "ops"; one that
// is missing or empty is not served) until ctx ends, then finishes what is in
// flight, for at most the drain time. Port 0 takes a free one; ready is told the
// URL of each.
func (s *Server) Serve(ctx context.Context, addrs map[string]string, ready func(bound map[string]string), drain time.Duration) error {
	listeners, err := s.listen(addrs)
	if err != nil {
		return err
	}
	bound, servers := map[string]string{}, map[face]*http.Server{}
	for f, l := range listeners {
		if servers[f], err = s.httpServer(f); err != nil {
			return errors.Join(err, closeAll(listeners))
		}
		bound[string(f)] = s.TLS.scheme() + "://" + l.Addr().String()
	}
	failed := make(chan error, len(listeners))
	for f, l := range listeners {
		l = newCrowd(l, maxConnections, s.Proxies)
		if s.TLS.on() {
			go func() { failed <- servers[f].ServeTLS(l, "", "") }()
		} else {
			go func() { failed <- servers[f].Serve(l) }()
		}
	}
	if ready != nil {
		ready(bound)
	}
	select {
	case err = <-failed:
	case <-ctx.Done():
	}
	return errors.Join(err, s.stop(servers, drain))
}

func (s *Server) httpServer(f face) (h *http.Server, err error) {
	h = &http.Server{
		Handler: s.handlers[f], ReadHeaderTimeout: headerTime, ReadTimeout: bodyTime, IdleTimeout: idleTime,
		WriteTimeout: bodyTime + handlerTime + headerTime, MaxHeaderBytes: 2 * maxHeaderBytes,
		ErrorLog: slog.NewLogLogger(s.Logger.Handler(), slog.LevelWarn),
	}
	if s.TLS.on() {
		h.TLSConfig, err = s.TLS.config(f, s.Logger)
	}
	return h, err
}

func (s *Server) listen(addrs map[string]string) (map[face]net.Listener, error) {
	open := map[face]net.Listener{}
	for name, addr := range addrs {
		if addr == "" {
			continue
		}
		l, err := new(net.ListenConfig).Listen(context.Background(), "tcp", addr)
		if err == nil && s.handlers[face(name)] == nil {
			err = errors.Join(fmt.Errorf("server: no such face: %q", name), l.Close())
		}
		if err != nil {
			return nil, errors.Join(err, closeAll(open))
		}
		open[face(name)] = l
	}
	return open, nil
}

func closeAll(listeners map[face]net.Listener) (err error) {
	for _, l := range listeners {
		err = errors.Join(err, l.Close())
	}
	return err
}

// stop lets what is in flight finish; ops stays up last, so that it can say
// that the service is not ready.
func (s *Server) stop(servers map[face]*http.Server, drain time.Duration) error {
	s.stopping.Store(true)
	ctx, cancel := context.WithTimeout(context.Background(), drain)
	defer cancel()
	errs := make([]error, 2)
	var work sync.WaitGroup
	for i, f := range []face{staffFace, publicFace} {
		if servers[f] != nil {
			work.Go(func() { errs[i] = shut(ctx, servers[f]) })
		}
	}
	work.Wait()
	if servers[opsFace] != nil {
		errs = append(errs, shut(ctx, servers[opsFace]))
	}
	return errors.Join(errs...)
}

func shut(ctx context.Context, srv *http.Server) error {
	if err := srv.Shutdown(ctx); err != nil {
		return errors.Join(fmt.Errorf("server: not everything finished in time: %w", err), srv.Close())
	}
	return nil
}
