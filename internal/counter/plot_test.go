package counter

import (
	"slices"
	"testing"
)

// Columns are as high as their values say, on an axis of round numbers; of two series the larger
// stands behind, hatched.
func TestPlot(t *testing.T) {
	texts := func(p Plot) (list []string) {
		for _, m := range p.Ticks() {
			list = append(list, m.Text)
		}
		return list
	}
	counts := Plot{Series: []string{"a"}, Points: []Point{{"2026-11-01", []int{10}}, {"2026-11-02", []int{0}}, {"2026-11-03", []int{5}}}}
	bars := counts.Bars()
	if len(bars) != 2 || bars[0].H != plotBottom-plotTop || bars[1].H*2 != bars[0].H || bars[0].Y != plotTop || bars[0].Hatched || bars[1].Text != "2026-11-03: 5" {
		t.Errorf("ok/counts: %+v", bars)
	}
	if got := texts(counts); !slices.Equal(got, []string{"0", "2", "4", "6", "8", "10"}) {
		t.Errorf("ok/marks: %q", got)
	}
	times := Plot{Series: []string{"median", "p90"}, Time: true, Points: []Point{{"2026-11-01", []int{60, 7200}}}}
	if bars := times.Bars(); len(bars) != 2 || !bars[0].Hatched || bars[1].Hatched || bars[1].W >= bars[0].W || bars[0].H != 200 || bars[1].H != 1.67 {
		t.Errorf("ok/two series: %+v", bars)
	}
	if got := texts(times); !slices.Equal(got, []string{"0 s", "30 min", "60 min", "90 min", "2 h"}) {
		t.Errorf("ok/times: %q", got)
	}
	if len((Plot{Series: []string{"a"}}).Bars())+len((Plot{Series: []string{"a"}}).Days()) != 0 {
		t.Error("ok/nothing: something is drawn")
	}
	for seconds, want := range map[int]string{0: "0 s", 119: "119 s", 120: "2 min", 5400: "90 min", 7200: "2 h", 180000: "2.1 d"} {
		if got := Took(seconds); got != want {
			t.Errorf("ok/%d: %q, not %q", seconds, got, want)
		}
	}
}
