package qr

import (
	"bytes"
	"strings"
	"testing"

	"akashi/internal/testkit"
)

func BenchmarkSymbolSHC(b *testing.B) {
	segments := healthCard(842)
	var m *Matrix
	testkit.InSignUnits(b, func() { m, _ = EncodeBest(segments, []Level{M, L}, 22) })
	b.ReportMetric(float64(m.Version), "version")
}

func BenchmarkSymbolVDSNC(b *testing.B) {
	segments := []Segment{{Byte, strings.Repeat(`{"data":{"hdr":{"is":"UTO","t":"icao.vacc"}`, 42)[:1786]}}
	var m *Matrix
	testkit.InSignUnits(b, func() { m, _ = EncodeBest(segments, []Level{M, L}, 40) })
	b.ReportMetric(float64(m.Version), "version")
}

func BenchmarkReadSHC(b *testing.B) {
	m, _ := EncodeBest(healthCard(842), []Level{M, L}, 22)
	testkit.InSignUnits(b, func() { _, _ = Read(m) })
}

func BenchmarkSegments(b *testing.B) {
	text := textOf(healthCard(842))
	testkit.InSignUnits(b, func() { Segments(text) })
}

func BenchmarkReadImage(b *testing.B) {
	m, _ := EncodeBest(healthCard(842), []Level{M, L}, 22)
	file := encodePNG(b, drawn(m, 6))
	testkit.InSignUnits(b, func() { _, _ = ReadImage(bytes.NewReader(file)) })
}
