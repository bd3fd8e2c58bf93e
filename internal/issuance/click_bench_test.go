package issuance_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

// clicksPerSecond is how many clerks click in a second, whether or not those before have
// their answer.
const clicksPerSecond = 20

// BenchmarkClick measures how long a clerk waits at 20 a second (issue 6, "Measured"): for
// the paper after clicking on "issue and print" on the application's page, and before for
// that page with its preview. The jobs run beside, so that the log is put into its tree and
// signed. A wait begins when the click was due, not when there was room for it. Run it with
// -benchtime 700x for 35 seconds of each.
func BenchmarkClick(b *testing.B) {
	inUse(b, func(b *testing.B, w *world.World, f *face, others func() time.Duration) {
		token := f.applicant(b)
		ctx, stop := context.WithCancel(context.Background())
		done := w.Work(ctx, slog.New(slog.NewJSONHandler(io.Discard, nil)))
		b.Cleanup(func() { stop(); <-done })
		b.Run("page", func(b *testing.B) { f.clicks(b, w, others, f.showApplication) })
		b.Run("paper", func(b *testing.B) {
			f.clicks(b, w, others, func(id string) error { return f.issueAndPrint(id, token) })
		})
	})
}

var hiddenToken = regexp.MustCompile(`name="_applicant" value="([^"]+)"`)

// applicant is the token that each form of the clerk's session has.
func (f *face) applicant(b *testing.B) string {
	b.Helper()
	r, err := http.NewRequest(http.MethodGet, f.url+"/counter", http.NoBody)
	if err != nil {
		b.Fatal(err)
	}
	page, err := f.do(r, http.StatusOK)
	m := hiddenToken.FindSubmatch(page)
	if err != nil || m == nil {
		b.Fatal(err, "no token")
	}
	return string(m[1])
}

func (f *face) showApplication(id string) error {
	r, err := http.NewRequest(http.MethodGet, f.url+"/counter/applications/"+id, http.NoBody)
	if err != nil {
		return err
	}
	page, err := f.do(r, http.StatusOK)
	if err == nil && !bytes.Contains(page, []byte(id+"/preview")) {
		err = fmt.Errorf("no preview")
	}
	return err
}

func (f *face) issueAndPrint(id, token string) error {
	form := url.Values{"_applicant": {token}, "_key": {"click-" + id}, "_print": {"yes"}}
	r, err := http.NewRequest(http.MethodPost, f.url+"/counter/applications/"+id+"/issue", strings.NewReader(form.Encode()))
	if err != nil {
		return err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	file, err := f.do(r, http.StatusOK)
	if err == nil && !bytes.HasPrefix(file, []byte("%PDF-")) {
		err = fmt.Errorf("no PDF")
	}
	return err
}

// clicks clicks on b.N applications at the rate and reports the waits.
func (f *face) clicks(b *testing.B, w *world.World, others func() time.Duration, click func(id string) error) {
	applications := f.approved(b, w, b.N)
	m, before := testkit.NewMeter(b), others()
	waits := make([]time.Duration, b.N)
	var group sync.WaitGroup
	b.ResetTimer()
	start, n := time.Now(), 0
	for id := range applications {
		due, at := start.Add(time.Duration(n)*time.Second/clicksPerSecond), n
		time.Sleep(time.Until(due))
		group.Go(func() {
			if err := click(id); err != nil {
				b.Error(err)
			}
			waits[at] = time.Since(due)
		})
		n++
	}
	group.Wait()
	b.StopTimer()
	m.Report(b, b.N, others()-before)
	slices.Sort(waits)
	for name, at := range map[string]int{"p50-ms": b.N / 2, "p99-ms": b.N * 99 / 100, "max-ms": b.N - 1} {
		b.ReportMetric(float64(waits[at])/1e6, name)
	}
}
