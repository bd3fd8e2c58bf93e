package pdf_test

import (
	"testing"

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
