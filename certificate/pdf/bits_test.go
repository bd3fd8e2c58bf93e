package pdf

import (
	"bytes"
	"compress/zlib"
	"io"
	"math/rand/v2"
	"sort"
	"testing"

	"akashi/certificate/qr"
)

// symbol returns a full code of the given version.
func symbol(t testing.TB, version int) *qr.Matrix {
	t.Helper()
	r := rand.New(rand.NewPCG(7, uint64(version)))
	text := make([]byte, 3000)
	for i := range text {
		text[i] = byte('a' + r.IntN(26))
	}
	encode := func(n int) (*qr.Matrix, error) {
		return qr.Encode([]qr.Segment{{Mode: qr.Byte, Text: string(text[:n])}}, qr.L, version)
	}
	n := sort.Search(len(text), func(n int) bool { _, err := encode(n); return err != nil })
	m, err := encode(n - 1)
	if err != nil || m.Version != version {
		t.Fatal(err)
	}
	return m
}

// All 40 sizes of a QR code, against the standard library's reader, which
// checks the Adler-32 sum too.
func TestEnlarged(t *testing.T) {
	for version := 1; version <= 40; version++ {
		m := symbol(t, version)
		side := m.Size() + 2*quietZone
		var want []byte
		for y := range side {
			for range modulePixels {
				for x := range side {
					pixel := byte(0xFF)
					if x, y := x-quietZone, y-quietZone; m.Black(x, y) {
						pixel = 0
					}
					want = append(want, pixel)
				}
			}
		}
		z, err := zlib.NewReader(bytes.NewReader(enlarged(nil, m)))
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(z)
		if err != nil || !bytes.Equal(got, want) {
			t.Errorf("version %d: %d bytes, want %d: %v", version, len(got), len(want), err)
		}
	}
}

func BenchmarkEnlarged(b *testing.B) {
	m := symbol(b, 33)
	for b.Loop() {
		enlarged(nil, m)
	}
}

// Modules of a VDS-NC are at least 0.339 mm in every version, and an SHC of
// version 10 to 22 is at least 50 mm wide without its quiet zone.
func TestCodeSizes(t *testing.T) {
	for version := 1; version <= 40; version++ {
		modules := float64(17 + 4*version)
		if module := vdsncBox / (modules + 2*quietZone); module < 0.339 {
			t.Errorf("VDS-NC version %d: %.4f mm", version, module)
		}
		if width := shcBox * modules / (modules + 2*quietZone); version >= 10 && version <= 22 && width < 50 {
			t.Errorf("SHC version %d: %.1f mm", version, width)
		}
	}
}
