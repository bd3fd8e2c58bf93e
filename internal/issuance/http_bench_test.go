package issuance_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/server"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

// BenchmarkIssueHTTP issues certificates for travel over loopback HTTP from a
// durable database, for one client and for 16, with and without a first print.
// The applications are approved before, and the service has been in use for some
// hundred certificates.
func BenchmarkIssueHTTP(b *testing.B) {
	inUse(b, func(b *testing.B, w *world.World, f *face, others func() time.Duration) {
		for _, clients := range []int{1, 16} {
			for _, print := range []bool{false, true} {
				name := fmt.Sprintf("clients=%d", clients)
				if print {
					name += "/pdf"
				}
				b.Run(name, func(b *testing.B) { f.issue(b, w, clients, print, others) })
			}
		}
	})
}

// inUse runs a benchmark on both databases, with the staff face served and in use.
func inUse(b *testing.B, bench func(b *testing.B, w *world.World, f *face, others func() time.Duration)) {
	for _, database := range []string{"sqlite", "postgres"} {
		b.Run(database, func(b *testing.B) {
			config, others, used := cli.Config{Data: b.TempDir(), RecoverAge: time.Minute}, func() time.Duration { return 0 }, func() {}
			if database == "postgres" {
				d := testkit.Postgres(b)
				config.DatabaseURL, config.MigrateURL = cli.Secret(d.StaffURL), cli.Secret(d.OwnerURL)
				others = func() time.Duration { return testkit.PostgresTime(b) }
				used = func() { d.Analyze(b) }
			}
			w := world.New(b, config)
			f := newFace(b, w)
			f.certificates(b, f.approved(b, w, 160), 16, true)
			used() // every connection plans anew after it, which is not what an issue costs
			f.certificates(b, f.approved(b, w, 160), 16, true)
			bench(b, w, f, others)
		})
	}
}

// face is the served staff face with the session of a clerk.
type face struct {
	url, session string
	client       *http.Client
}

func newFace(b *testing.B, w *world.World) *face {
	b.Helper()
	if _, err := w.ChangeOffice(b.Context(), cli.TestOffice, func(s *office.Settings) { s.Lookups = office.Lookups{Soft: 1e5, Hard: 1e5} }); err != nil {
		b.Fatal(err)
	}
	s, err := server.New(server.Services{
		Applications: w.Applications, Imports: w.Imports, Approvals: w.Approvals, Offices: w.Offices, Budget: w.Budget, Issuance: w.Issuance, Log: w.Log,
		Accounts: w.Accounts, Once: w.Store.Once,
		Published: w.Issuance.Published, Ping: w.Store.Ping, Clock: w.Clock, IDs: w.IDs,
		Logger: slog.New(slog.NewJSONHandler(io.Discard, nil)), SHCIssuer: w.Config.SHCIssuer, Version: "bench",
	})
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	bound, done := make(chan string), make(chan error, 1)
	go func() {
		done <- s.Serve(ctx, map[string]string{"staff": "127.0.0.1:0"}, func(m map[string]string) { bound <- m["staff"] }, time.Second)
	}()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
	})
	return &face{<-bound, w.SignIn(b, world.ClerkUser, office.Clerk), &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 64}}}
}

// post calls a route and returns its answer.
func (f *face) post(path string) ([]byte, error) {
	r, err := http.NewRequest(http.MethodPost, f.url+"/api/v1"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	return f.do(r, http.StatusCreated)
}

// do sends a request of the clerk and returns the answer.
func (f *face) do(r *http.Request, want int) ([]byte, error) {
	r.AddCookie(&http.Cookie{Name: world.SessionCookie, Value: f.session})
	answer, err := f.client.Do(r)
	if err != nil {
		return nil, err
	}
	body, err := io.ReadAll(answer.Body)
	_ = answer.Body.Close()
	if answer.StatusCode != want {
		return nil, fmt.Errorf("%s: %s %s", r.URL.Path, answer.Status, body)
	}
	return body, err
}

func (f *face) certificate(application string, print bool) error {
	body, err := f.post("/applications/" + application + "/certificate")
	if err != nil || !print {
		return err
	}
	var made struct{ ID string }
	if err := json.Unmarshal(body, &made); err != nil {
		return err
	}
	file, err := f.post("/certificates/" + made.ID + "/prints")
	if err == nil && !bytes.HasPrefix(file, []byte("%PDF-")) {
		err = fmt.Errorf("no PDF")
	}
	return err
}

// approved is applications that may be issued.
func (f *face) approved(b *testing.B, w *world.World, count int) chan string {
	b.Helper()
	applications := make(chan string, count)
	for range count {
		applications <- w.Approved(b, certificate.Travel)
	}
	close(applications)
	return applications
}

// certificates issues them by so many clients; it returns the times, in order.
func (f *face) certificates(b *testing.B, applications chan string, clients int, print bool) (times []time.Duration) {
	b.Helper()
	var mu sync.Mutex
	var group sync.WaitGroup
	for range clients {
		group.Go(func() {
			for application := range applications {
				start := time.Now()
				if err := f.certificate(application, print); err != nil {
					b.Error(err)
					return
				}
				mu.Lock()
				times = append(times, time.Since(start))
				mu.Unlock()
			}
		})
	}
	group.Wait()
	slices.Sort(times)
	return times
}

func (f *face) issue(b *testing.B, w *world.World, clients int, print bool, others func() time.Duration) {
	applications := f.approved(b, w, b.N)
	m, before := testkit.NewMeter(b), others()
	b.ResetTimer()
	times := f.certificates(b, applications, clients, print)
	b.StopTimer()
	m.Report(b, b.N, others()-before)
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "certs/s")
	if len(times) > 0 {
		b.ReportMetric(float64(times[len(times)*99/100])/1e6, "p99-ms")
	}
}
