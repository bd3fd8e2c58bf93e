package outside

import (
	"fmt"
	"image"
	"image/draw"
	"image/png"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/testkit"
)

// A scan of the whole page is judged by every code on it, and a code that was wiped
// out is missed.
func TestPicturesOfPages(t *testing.T) {
	t.Parallel()
	tool, err := exec.LookPath("pdftoppm")
	if err != nil {
		testkit.Missing(t, "pdftoppm")
	}
	pages, _ := demo(t)
	b, _, err := trust.Load(os.DirFS(filepath.Join(filepath.Dir(pages[0].pdf), "trust")))
	if err != nil {
		t.Fatal(err)
	}
	judged := func(file string) []string {
		var out []string
		for _, v := range verify.File("page.png", read(t, file), b, time.Now()) {
			out = append(out, fmt.Sprintf("%s %s %s", v.Family, v.Outcome, v.Facet(verify.Readable).Code))
		}
		slices.Sort(out)
		return out
	}
	for _, p := range pages {
		var want []string
		for _, family := range slices.Sorted(maps.Keys(p.codes)) {
			want = append(want, family+" valid read")
		}
		for _, resolution := range []string{"150", "200", "300"} {
			out := filepath.Join(t.TempDir(), "page")
			if said, err := exec.Command(tool, "-r", resolution, "-png", "-singlefile", p.pdf, out).CombinedOutput(); err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			if got := judged(out + ".png"); !slices.Equal(got, want) {
				t.Errorf("ok/%s at %s dpi: %v, want %v", p.kind, resolution, got, want)
			}
			if p.kind == "travel" {
				wipe(t, out+".png")
				if got := judged(out + ".png"); !slices.Equal(got, []string{" unreadable symbol_unread", "shc valid read"}) {
					t.Errorf("error/%s at %s dpi with a damaged code: %v", p.kind, resolution, got)
				}
			}
		}
	}
}

// wipe makes the middle of the left code of a travel page white.
func wipe(t *testing.T, file string) {
	t.Helper()
	f, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	img, err := png.Decode(f)
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	w, h := img.Bounds().Dx(), img.Bounds().Dy()
	changed := img.(draw.Image)
	draw.Draw(changed, image.Rect(w*20/100, h*74/100, w*37/100, h*86/100), image.White, image.Point{}, draw.Src)
	if f, err = os.Create(file); err != nil {
		t.Fatal(err)
	}
	if err := png.Encode(f, changed); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
}
