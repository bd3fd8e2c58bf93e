package statistics

import (
	"bytes"
	"encoding/csv"
	"strconv"
)

// Least is the smallest count that a table for others tells (R-253, S-095).
const Least = 10

const withheld = "<10"

// Table is the figures as CSV: UTF-8 with a mark (so that spreadsheets see it), one figure a row.
// Counts from 1 to 9 are withheld, and with a single one of them the next smallest of its group,
// which the sum would tell; times of less than ten cases are left out.
//
// The columns are measure, key, unit, value; from, to and kind say of what.
func (f Figures) Table() ([]byte, error) {
	var b bytes.Buffer
	b.WriteString("\uFEFF")
	w := csv.NewWriter(&b)
	w.UseCRLF = true
	kind := string(f.Kind)
	if kind == "" {
		kind = "all"
	}
	rows := [][]string{{"measure", "key", "unit", "value", "from", "to", "kind"}}
	add := func(measure, key, unit, value string) {
		rows = append(rows, []string{measure, key, unit, value, string(f.From), string(f.To), kind})
	}
	total := func(measure string, n int) {
		text := strconv.Itoa(n)
		if n > 0 && n < Least {
			text = withheld
		}
		add(measure, "", "count", text)
	}
	total("certificates", f.Issued)
	for _, group := range []struct {
		measure string
		cells   []Cell
	}{{"certificates_by_day", f.Days}, {"certificates_by_kind", f.Kinds}, {"certificates_by_channel", f.Channels}, {"certificates_by_state", f.States}} {
		for i, told := range tell(group.cells) {
			add(group.measure, group.cells[i].Key, "count", told)
		}
	}
	total("refusals", f.Refused)
	for i, told := range tell(f.Refusals) {
		add("refusals_by_reason", f.Refusals[i].Key, "count", told)
	}
	for _, c := range append([]Case{f.Whole}, f.Cases...) {
		if c.Count >= Least {
			add("case_time_median", string(c.Day), "seconds", strconv.Itoa(c.Median))
			add("case_time_p90", string(c.Day), "seconds", strconv.Itoa(c.P90))
		}
	}
	err := w.WriteAll(rows)
	return b.Bytes(), err
}

// tell writes the counts of a group so that no small one can be known: also not from the
// sum of those that are withheld, which the total tells. Where that leaves one alone, or
// all of them no choice, the next larger one is withheld, too.
func tell(cells []Cell) []string {
	told := make([]string, len(cells))
	small, sum := 0, 0
	for i, c := range cells {
		told[i] = strconv.Itoa(c.Count)
		if c.Count > 0 && c.Count < Least {
			told[i], small, sum = withheld, small+1, sum+c.Count
		}
	}
	if small == 1 || small > 1 && (sum == small || sum == small*(Least-1)) {
		next := -1
		for i, c := range cells {
			if c.Count >= Least && (next < 0 || c.Count < cells[next].Count) {
				next = i
			}
		}
		if next >= 0 {
			told[next] = "withheld"
		}
	}
	return told
}
