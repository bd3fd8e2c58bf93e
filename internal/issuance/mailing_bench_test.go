package issuance_test

import (
	"runtime/metrics"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/cli"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

// mailed is how many certificates the mailing of the benchmark has.
const mailed = issuance.MaxMailing

// BenchmarkBatchPDF issues and numbers a mailing of 1,000 certificates for travel (issue),
// and makes its file (file), on both databases: su, seconds, and bytes of the heap at the
// highest beyond those before.
func BenchmarkBatchPDF(b *testing.B) {
	for name, config := range map[string]func() cli.Config{
		"sqlite": func() cli.Config { return cli.Config{Data: b.TempDir()} },
		"postgres": func() cli.Config {
			d := testkit.Postgres(b)
			return cli.Config{Data: b.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL), DatabaseURLSigner: cli.Secret(d.SignerURL)}
		},
	} {
		b.Run(name, func(b *testing.B) {
			w := world.New(b, config())
			ctx := b.Context()
			form := world.Form(certificate.Travel)
			form.Channel, form.Postal = application.Mail, &application.Postal{Code: "100-0001", Address: "架空県証市明石一丁目2番3号"}
			for range mailed {
				w.ApprovedForm(b, form)
			}
			clerk := w.Clerk
			clerk.SteppedUp = w.Clock.Now()
			m, err := w.Mailings.Ask(ctx, clerk, nil, nil)
			if err == nil {
				approver := w.Person(b, clerk.Office+"-approver", office.Approver).Actor(clerk.Purpose, "test", "", w.Clock.Now())
				_, err = w.Mailings.Start(ctx, approver, m.ID)
			}
			if err != nil {
				b.Fatal(err)
			}
			b.Run("issue", func(b *testing.B) {
				measured(b, func() {
					if n, err := w.Mailings.Step(ctx, mailed); n != mailed || err != nil {
						b.Fatal(n, err)
					}
				})
			})
			b.Run("file", func(b *testing.B) {
				var file []byte
				measured(b, func() {
					if file, err = w.Mailings.File(ctx, clerk, m.ID, say); err != nil {
						b.Fatal(err)
					}
				})
				b.ReportMetric(float64(len(file)), "bytes/file")
			})
		})
	}
}

// measured runs what can be done once only, and reports what it took.
func measured(b *testing.B, do func()) {
	b.Helper()
	if b.N > 1 {
		b.Skip("can be done once only: -benchtime 1x")
	}
	heap := []metrics.Sample{{Name: "/memory/classes/heap/objects:bytes"}}
	metrics.Read(heap)
	before, highest, ended := heap[0].Value.Uint64(), uint64(0), make(chan struct{})
	go func() {
		defer close(ended)
		for tick := time.Tick(5 * time.Millisecond); ; {
			select {
			case <-b.Context().Done():
				return
			case <-tick:
				metrics.Read(heap)
				highest = max(highest, heap[0].Value.Uint64())
			case ended <- struct{}{}:
				return
			}
		}
	}()
	meter, start := testkit.NewMeter(b), time.Now()
	do()
	took := time.Since(start)
	meter.Report(b, b.N, 0)
	<-ended
	b.ReportMetric(took.Seconds(), "s")
	b.ReportMetric(float64(highest-min(before, highest)), "peak-bytes")
}
