package pdf_test

import (
	"crypto/elliptic"
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

// The densest page stays within 60 KB, and is made with few allocations.
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
	t.Logf("%d bytes, %.0f allocations", len(file), allocations)
}
