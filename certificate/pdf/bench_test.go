package pdf_test

import (
	"crypto/elliptic"
	"runtime"
	"runtime/debug"
	"testing"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/testkit"
)

// BenchmarkPageLayer prints a travel certificate of five doses with two codes;
// form composed and symbols encoded before.
func BenchmarkPageLayer(b *testing.B) {
	r := renderer(b)
	p := page(longest())
	var file []byte
	testkit.InSignUnits(b, func() { file = render(b, r, p) })
	b.ReportMetric(float64(len(file)), "bytes/page")
}

// BenchmarkCardLayer prints a yellow card of one dose.
func BenchmarkCardLayer(b *testing.B) {
	r := renderer(b)
	p := page(yellowFever())
	var file []byte
	testkit.InSignUnits(b, func() { file = render(b, r, p) })
	b.ReportMetric(float64(len(file)), "bytes/page")
}

// BenchmarkPageSigned is the same with an office's signature on the file.
func BenchmarkPageSigned(b *testing.B) {
	r, o := renderer(b), newOffice(b, nil, elliptic.P256())
	p := page(longest())
	var file []byte
	testkit.InSignUnits(b, func() { file = o.render(b, r, p) })
	b.ReportMetric(float64(len(file)), "bytes/page")
}

// The densest page stays within 60 KB, and is made with few allocations and, when the
// renderer is warm, less than 200 KB of them (issue 3).
func TestWork(t *testing.T) {
	r := renderer(t)
	vdsnc, shc, _ := symbols(t, 38, 22)
	p := page(longest())
	p.Codes = []pdf.Code{{Family: certificate.VDSNC, Matrix: vdsnc}, {Family: certificate.SHC, Matrix: shc}}
	var file []byte
	allocations := testing.AllocsPerRun(50, func() { file = render(t, r, p) })
	if len(file) > 60_000 || allocations > 300 {
		t.Errorf("%d bytes, %.0f allocations", len(file), allocations)
	}
	defer debug.SetGCPercent(debug.SetGCPercent(-1)) // else it would take what is kept for the next page
	runtime.GC()                                     // one that runs would do so too
	render(t, r, p)
	var before, after runtime.MemStats
	const pages = 20
	runtime.ReadMemStats(&before)
	for range pages {
		render(t, r, p)
	}
	runtime.ReadMemStats(&after)
	allocated := (after.TotalAlloc - before.TotalAlloc) / pages
	if allocated > 170_000 {
		t.Errorf("%d bytes allocated for a page", allocated)
	}
	t.Logf("%d bytes, %.0f allocations of %d bytes", len(file), allocations, allocated)
}
