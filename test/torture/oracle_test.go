package torture

import (
	"math"
	"net/http"
	"testing"
	"time"
)

// T-ORACLE (L-13, S-015), the part that a clock can tell: how long a refused sign-in
// takes says nothing of whether the office exists. Times are no verdict on a machine
// that others use, so that this reports Welch's t, and only in the full form.
func TestOracleTimes(t *testing.T) {
	if !full() {
		t.Skip("a measurement: make torture")
	}
	n := newNode(t, t.TempDir())
	n.start(t)
	url := n.faces["staff"] + "/api/v1/applications"
	const secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	cookies := []string{officeCode + "." + secret, "900028." + secret}
	var times [2][]float64
	for i := range 4200 {
		which := i % 2
		started := time.Now()
		r, err := ask(t.Context(), withSession(cookies[which]), "GET", url, "", nil)
		took := time.Since(started)
		if err != nil || r.status != http.StatusUnauthorized {
			t.Fatalf("%d %v", r.status, err)
		}
		if i >= 200 {
			times[which] = append(times[which], float64(took.Nanoseconds()))
		}
	}
	t.Logf("Welch's t over 2 × %d refused sign-ins: %.2f (below 4.5 is the aim)", len(times[0]), welch(times[0], times[1]))
}

// welch is the t statistic of two samples of unequal variance.
func welch(a, b []float64) float64 {
	ma, va := moments(a)
	mb, vb := moments(b)
	return math.Abs(ma-mb) / math.Sqrt(va/float64(len(a))+vb/float64(len(b)))
}

func moments(x []float64) (mean, variance float64) {
	for _, v := range x {
		mean += v / float64(len(x))
	}
	for _, v := range x {
		variance += (v - mean) * (v - mean) / float64(len(x)-1)
	}
	return mean, variance
}
