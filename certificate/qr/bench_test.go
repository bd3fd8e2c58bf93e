//go:build unix

package qr

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// cpu is the processor time of this process.
func cpu(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// signUnit is the processor time of one P-256 signature: the median of several batches.
func signUnit(b *testing.B) float64 {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		b.Fatal(err)
	}
	var digest [32]byte
	const batch = 200
	var times []float64
	for range 7 {
		start := cpu(b)
		for range batch {
			if _, err := ecdsa.SignASN1(rand.Reader, key, digest[:]); err != nil {
				b.Fatal(err)
			}
		}
		times = append(times, float64(cpu(b)-start)/batch)
	}
	slices.Sort(times)
	return times[len(times)/2]
}

// inSignUnits runs f as a benchmark and reports its processor time in su.
func inSignUnits(b *testing.B, f func()) {
	f() // tables of the version
	su := signUnit(b)
	b.ReportAllocs()
	start := cpu(b)
	for b.Loop() {
		f()
	}
	b.ReportMetric(float64(cpu(b)-start)/float64(b.N)/su, "su")
}

func BenchmarkSymbolSHC(b *testing.B) {
	segments := healthCard(842)
	var m *Matrix
	inSignUnits(b, func() { m, _ = EncodeBest(segments, []Level{M, L}, 22) })
	b.ReportMetric(float64(m.Version), "version")
}

func BenchmarkSymbolVDSNC(b *testing.B) {
	segments := []Segment{{Byte, strings.Repeat(`{"data":{"hdr":{"is":"UTO","t":"icao.vacc"}`, 42)[:1786]}}
	var m *Matrix
	inSignUnits(b, func() { m, _ = EncodeBest(segments, []Level{M, L}, 40) })
	b.ReportMetric(float64(m.Version), "version")
}

func BenchmarkReadSHC(b *testing.B) {
	m, _ := EncodeBest(healthCard(842), []Level{M, L}, 22)
	inSignUnits(b, func() { Read(m) })
}

func BenchmarkSegments(b *testing.B) {
	text := textOf(healthCard(842))
	inSignUnits(b, func() { Segments(text) })
}

func BenchmarkReadImage(b *testing.B) {
	m, _ := EncodeBest(healthCard(842), []Level{M, L}, 22)
	file := encodePNG(b, drawn(m, 6))
	inSignUnits(b, func() { ReadImage(bytes.NewReader(file)) })
}
