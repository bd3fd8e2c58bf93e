package exchange

import (
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

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
		written := line(read1.header)
		for _, r := range read1.rows {
			formOf(read1.header, r.cells, "")
			if r.fault != "" || len(r.cells) == 0 {
				return
			}
			written = append(written, line(r.cells)...)
		}
		read2, err := read(written)
		if err != nil || len(read2.rows) > len(read1.rows) {
			t.Errorf("%q, written %q: %v", file, written, err)
		}
	})
}
