package qr

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"akashi/internal/testkit"
)

// drawn draws a matrix with scale pixels a module and a quiet zone of four modules.
func drawn(m *Matrix, scale int) *image.Gray {
	side := (m.Size() + 8) * scale
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !m.Black(x/scale-4, y/scale-4) {
				img.SetGray(x, y, color.Gray{Y: 255})
			}
		}
	}
	return img
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var b bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestSpeed}
	if err := encoder.Encode(&b, img); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// An outside reader reads our symbols.
func TestZbarReads(t *testing.T) {
	tool, err := exec.LookPath("zbarimg")
	if err != nil {
		testkit.Missing(t, "zbarimg")
	}
	r := rand.New(rand.NewPCG(15, 16))
	for i, version := range []int{1, 6, 7, 14, 18, 22, 30, 35, 40} {
		level := Level(i % 4)
		segments := filled(r, i%3, version, level)
		file := filepath.Join(t.TempDir(), "symbol.png")
		if err := os.WriteFile(file, encodePNG(t, drawn(draw(segments, level, version, anyMask), 8)), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tool, "--quiet", "--raw", file).Output()
		if err != nil || string(bytes.TrimSuffix(out, []byte("\n"))) != textOf(segments) {
			t.Errorf("%d-%v: %v, %d bytes read, want %d", version, level, err, len(out)-1, len(textOf(segments)))
		}
	}
}
