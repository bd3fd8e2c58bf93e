package exchange

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"akashi/internal/fault"
	"akashi/internal/testkit"
)

// S-037: nothing that a spreadsheet program would run leaves, and each text comes back as
// it was.
func TestCovered(t *testing.T) {
	var corpus []struct{ ID, Value string }
	if err := json.Unmarshal(testkit.Read(t, "security/csv/csv-injection.json"), &corpus); err != nil {
		t.Fatal(err)
	}
	runs := regexp.MustCompile(`^([\t\r\n\x00]|[\s\x{3000}]*[=+@\x{FF1D}\x{FF0B}\x{FF0D}\x{FF20}-])`)
	for _, c := range corpus {
		t.Run("ok/"+c.ID, func(t *testing.T) {
			cells, err := csv.NewReader(strings.NewReader(string(line([]string{"a", c.Value, "b"})))).Read()
			if err != nil || len(cells) != 3 {
				t.Fatalf("%q %v", cells, err)
			}
			if runs.MatchString(cells[1]) {
				t.Errorf("%q", cells[1])
			}
			if back := uncovered(covered(c.Value)); back != c.Value && !strings.HasPrefix(c.Value, "'") { // which a spreadsheet program would drop itself
				t.Errorf("came back as %q", back)
			}
		})
	}
	for _, text := range []string{"", "'a", "O'Brien", "桜井", "0000000001", "P<JPN"} {
		if covered(text) != text || uncovered(text) != text {
			t.Errorf("changed: %q", text)
		}
	}
	if len(corpus) < 10 {
		t.Errorf("only %d", len(corpus))
	}
}

// adr/0033: what stands in a row comes back though the row cannot be read.
func TestBrokenRows(t *testing.T) {
	head := "種類,接種券番号,姓,名,生年月日\r\n"
	for name, c := range map[string]struct {
		row, fault string
		cells      []string
	}{
		"error/a quote":          {`国内用,1,桜"井,澪,1991-02-18`, "csv_quotes", []string{"国内用", "1", `桜"井`, "澪", "1991-02-18"}},
		"error/no end":           {`国内用,"1,桜井,澪`, "csv_quotes", []string{"国内用", "1,桜井,澪"}},
		"error/its own end":      {`国内用,1,"桜"井,澪`, "csv_quotes", []string{"国内用", "1", `桜"井,澪`}},
		"error/surplus":          {"国内用,1,桜井,澪,1991-02-18,=1,x", "column_count", []string{"国内用", "1", "桜井", "澪", "1991-02-18", "=1", "x"}},
		"error/few":              {"国内用,1,桜井", "column_count", []string{"国内用", "1", "桜井"}},
		"error/nothing but ends": {"\r\r", "csv_quotes", []string{"\r"}},
	} {
		t.Run(name, func(t *testing.T) {
			table, err := read([]byte(head + c.row + "\n"))
			if err != nil || table.rows[0].fault != c.fault || !slices.Equal(table.rows[0].cells, c.cells) {
				t.Errorf("%q %q %v", table.rows[0].cells, table.rows[0].fault, err)
			}
		})
	}
}

// S-034: no file breaks the reader, and the rows it reads come back, written as they leave,
// as the same rows.
func FuzzRead(f *testing.F) {
	f.Add(Template())
	f.Add([]byte("種類,接種券番号,姓,名,生年月日\r\n国内用,0000000001,桜井,澪,1991-02-18\r\n海外用,\"1,=2\"\n"))
	f.Add([]byte("\uFEFF種類,姓\nunknown,'=1+1\n,,\n"))
	f.Fuzz(func(t *testing.T, file []byte) {
		read1, err := read(file)
		if err != nil {
			return
		}
		written, cells := line(read1.header), func(r tableRow) string { return fmt.Sprintf("%q", r.cells) }
		var kept []tableRow
		for _, r := range read1.rows {
			formOf(read1.header, r.cells, "")
			text := line(r.cells)
			if len(bytes.Trim(text, "\", \t\r\n")) > 0 { // an empty row is none
				written, kept = append(written, text...), append(kept, r)
			}
		}
		read2, err := read(written)
		var f *fault.Error
		if errors.As(err, &f) && slices.Contains([]string{"file_empty", "body_too_large", "number_not_accepted_yet"}, f.Key) {
			return
		}
		if err != nil || !slices.EqualFunc(kept, read2.rows, func(a, b tableRow) bool { return cells(a) == cells(b) }) {
			t.Errorf("%q, written %q: %v", file, written, err)
		}
	})
}
