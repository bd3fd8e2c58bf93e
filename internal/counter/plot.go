package counter

import (
	"fmt"
	"math"
	"strconv"
)

// Plot is columns over time, drawn as SVG by the part "plot": one for each point, or two of which
// the larger stands behind, hatched. The same figures stand in a table below it.
type Plot struct {
	ID     string // of its elements on the page
	Title  string // key of a word
	Series []string
	Time   bool // values are seconds
	Points []Point
}

// Point is what is plotted for one day: a value for each series.
type Point struct {
	Label  string
	Values []int
}

// Size of a plot in its own units, and where the columns stand in it.
const (
	plotWidth, plotHeight = 720, 240
	plotLeft, plotTop     = 56, 10
	plotRight, plotBottom = 712, 210
)

// Bar is one column of a plot.
type Bar struct {
	X, Y, W, H float64
	Hatched    bool
	Text       string // what it says to whoever points at it
}

// Mark is a text beside an axis.
type Mark struct {
	X, Y   float64
	Anchor string
	Text   string
}

// Bars are the columns, those behind first.
func (p Plot) Bars() (bars []Bar) {
	top, _ := p.scale()
	if len(p.Points) == 0 {
		return nil
	}
	step := (plotRight - plotLeft) / float64(len(p.Points))
	for series := len(p.Series) - 1; series >= 0; series-- {
		w := step * 0.8
		if series == 0 && len(p.Series) > 1 {
			w = step * 0.4
		}
		for i, point := range p.Points {
			v := point.Values[series]
			h := float64(v) / float64(top) * (plotBottom - plotTop)
			if v > 0 {
				bars = append(bars, Bar{
					X: round(plotLeft + (float64(i)+0.5)*step - w/2), Y: round(plotBottom - h), W: round(w), H: round(h), Hatched: series > 0, Text: point.Label + ": " + p.Value(v),
				})
			}
		}
	}
	return bars
}

// Ticks are the marks at the left, with their lines.
func (p Plot) Ticks() (marks []Mark) {
	top, step := p.scale()
	for v := 0; v <= top; v += step {
		marks = append(marks, Mark{X: plotLeft, Y: round(plotBottom - float64(v)/float64(top)*(plotBottom-plotTop)), Anchor: "end", Text: p.Value(v)})
	}
	return marks
}

// Days are the marks below: the first, the last, and two between them where there is room.
func (p Plot) Days() (marks []Mark) {
	n := len(p.Points)
	if n == 0 {
		return nil
	}
	step := (plotRight - plotLeft) / float64(n)
	for i, at := range []int{0, (n - 1) / 3, 2 * (n - 1) / 3, n - 1} {
		if i > 0 && i < 3 && n < 8 || i == 3 && n == 1 {
			continue
		}
		marks = append(marks, Mark{X: round(plotLeft + (float64(at)+0.5)*step), Y: plotBottom + 18, Anchor: map[int]string{0: "start", 3: "end"}[i], Text: p.Points[at].Label})
	}
	return marks
}

// Value is a value with its unit.
func (p Plot) Value(v int) string {
	if p.Time {
		return Took(v)
	}
	return strconv.Itoa(v)
}

// scale is the top of the axis and the distance of its marks: round numbers of the largest unit.
func (p Plot) scale() (top, step int) {
	highest := 1
	for _, point := range p.Points {
		for _, v := range point.Values {
			highest = max(highest, v)
		}
	}
	unit := 1
	if p.Time {
		unit = unitOf(highest)
	}
	n := float64(highest) / float64(unit)
	power := math.Pow(10, math.Floor(math.Log10(max(n, 1))))
	nice := power
	for _, m := range []float64{0.2, 0.5, 1, 2} {
		if nice = m * power; n/nice <= 5 {
			break
		}
	}
	step = max(1, int(nice*float64(unit)))
	return (highest + step - 1) / step * step, step
}

func unitOf(seconds int) int {
	for _, unit := range []int{86400, 3600, 60} {
		if seconds >= 2*unit {
			return unit
		}
	}
	return 1
}

// Took is a length of time in the largest unit that suits: 45 s, 12 min, 3.5 h, 2 d.
func Took(seconds int) string {
	unit := unitOf(seconds)
	name := map[int]string{1: "s", 60: "min", 3600: "h", 86400: "d"}[unit]
	return strconv.FormatFloat(math.Round(float64(seconds)/float64(unit)*10)/10, 'f', -1, 64) + " " + name
}

// Share is the part of a count in the largest, in the units of a bar of 200.
func Share(count, largest int) string {
	return fmt.Sprintf("%.1f", 200*float64(count)/float64(max(largest, 1)))
}

func round(v float64) float64 { return math.Round(v*100) / 100 }
