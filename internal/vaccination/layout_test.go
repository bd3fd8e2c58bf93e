package vaccination

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
)

func TestLoadLayout(t *testing.T) {
	good := layoutOf(t, Records)
	edit := func(change func(*Layout)) []byte {
		l := good
		l.Columns = slices.Clone(l.Columns)
		change(&l)
		b, _ := json.Marshal(l)
		return b
	}
	t.Run("ok/other headers and a column to read past", func(t *testing.T) {
		l, err := LoadLayout(bytes.NewReader(edit(func(l *Layout) {
			l.Columns[1].Header = "接種券番号"
			l.Columns = append(l.Columns, Column{Header: "備考", Type: typeText, Width: 10})
		})))
		if err != nil {
			t.Fatal(err)
		}
		file := strings.Replace(strings.TrimSuffix(recordHeader, "\n")+",備考\n", "ticket_number", "接種券番号", 1) + strings.TrimSuffix(goodRecord, "\n") + ",無し\n"
		if b, r := Read(l, ownCode, []byte(file), today); len(b.Records) != 1 || b.Records[0].Ticket != "0000000001" {
			t.Errorf("%+v", r)
		}
	})
	for name, text := range map[string][]byte{
		"no id":           edit(func(l *Layout) { l.ID = "" }),
		"unknown kind":    edit(func(l *Layout) { l.Kind = "people" }),
		"no encoding":     edit(func(l *Layout) { l.Encodings = nil }),
		"field twice":     edit(func(l *Layout) { l.Columns[1] = l.Columns[0] }),
		"field missing":   edit(func(l *Layout) { l.Columns = l.Columns[1:] }),
		"unknown type":    edit(func(l *Layout) { l.Columns[0].Type = "x" }),
		"no width":        edit(func(l *Layout) { l.Columns[0].Width = 0 }),
		"number column":   edit(func(l *Layout) { l.Columns = append(l.Columns, Column{Header: "個人番号", Width: 12}) }),
		"no columns":      edit(func(l *Layout) { l.Columns = nil }),
		"too many":        edit(func(l *Layout) { l.Columns = make([]Column, maxColumns+1) }),
		"unknown member":  []byte(`{"id":"x","colour":1}`),
		"not JSON":        []byte("x"),
		"larger than max": append([]byte(`{"id":"`), bytes.Repeat([]byte("x"), 64<<10)...),
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if _, err := LoadLayout(bytes.NewReader(text)); err == nil {
				t.Error("accepted")
			}
		})
	}
	t.Run("error/unknown id", func(t *testing.T) {
		if _, err := LayoutByID("records-v9"); err == nil {
			t.Error("found")
		}
	})
}
