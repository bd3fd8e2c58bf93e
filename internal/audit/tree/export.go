package tree

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/audit"
)

// An export is one JSON value on each line: what it is, the checkpoints, the
// entries without a place, then the rows in order. It holds internal keys and codes
// only, as the log does.
type exportLine struct {
	Format     int     `json:"akashi_log,omitempty"` // exportFormat, on the first line
	Tree       Name    `json:"tree,omitempty"`
	Checkpoint string  `json:"checkpoint,omitempty"`
	Loose      bool    `json:"loose,omitempty"` // an entry without a place
	Seq        *int64  `json:"seq,omitempty"`
	Office     string  `json:"office,omitempty"`
	ID         string  `json:"id,omitempty"`
	Leaf       []byte  `json:"leaf,omitempty"`
	Entry      *string `json:"entry,omitempty"` // the canonical text
}

// exportFormat is that of exports that tell what has no place.
const exportFormat = 2

// maxLine bounds a line of an export.
const maxLine = 1 << 20

// ErrExport tells that a file is not an export.
var ErrExport = errors.New("tree: not an export of the log")

// Export writes the log with its checkpoints. It tells how many entries it has with
// a place, and how many without.
func Export(ctx context.Context, s Store, w io.Writer) (placed, loose int64, err error) {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	notes, err := s.Checkpoints(ctx, Log)
	if err != nil {
		return 0, 0, err
	}
	size, err := s.Size(ctx, Log)
	if err != nil {
		return 0, 0, err
	}
	if err := out.Encode(exportLine{Format: exportFormat, Tree: Log}); err != nil {
		return 0, 0, err
	}
	for _, text := range notes {
		if err := out.Encode(exportLine{Checkpoint: text}); err != nil {
			return 0, 0, err
		}
	}
	err = unplaced(ctx, s, func(e Entry) error {
		loose++
		text := string(e.Data)
		return out.Encode(exportLine{Loose: true, Office: e.Office, ID: e.ID, Entry: &text})
	})
	if err != nil {
		return 0, loose, err
	}
	err = s.Rows(ctx, Log, 0, size, func(r Row) error {
		placed++
		return out.Encode(lineOf(r))
	})
	return placed, loose, err
}

func lineOf(r Row) exportLine {
	line := exportLine{Seq: &r.Seq, Office: r.Office, ID: r.ID, Leaf: r.Leaf}
	if r.Data != nil {
		text := string(r.Data)
		line.Entry = &text
	}
	return line
}

// Archive writes the entries of an office before a place as lines of an export,
// each of which its leaf proves.
func Archive(ctx context.Context, s Store, w io.Writer, office string, until int64) error {
	out := json.NewEncoder(w)
	out.SetEscapeHTML(false)
	return s.Rows(ctx, Log, 0, until, func(r Row) error {
		if r.Office != office || r.Data == nil {
			return nil
		}
		return out.Encode(lineOf(r))
	})
}

// Exported is the evidence of an export, which is read once.
func Exported(r io.Reader, copied []string, key note.Verifier) (e Evidence, err error) {
	e = Evidence{Copied: copied, Key: key, File: true}
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 64<<10), maxLine)
	next := func() (l exportLine, more bool, err error) {
		if !lines.Scan() {
			return l, false, lines.Err()
		}
		d := json.NewDecoder(bytes.NewReader(lines.Bytes()))
		d.DisallowUnknownFields()
		if err := d.Decode(&l); err != nil {
			return l, false, fmt.Errorf("%w: %w", ErrExport, err)
		}
		return l, true, nil
	}
	head, more, err := next()
	if err != nil || !more || head.Format != exportFormat || head.Tree != Log {
		return e, errors.Join(ErrExport, err)
	}
	line, more, err := next()
	for ; err == nil && more && line.Checkpoint != ""; line, more, err = next() {
		e.Own = append(e.Own, line.Checkpoint)
	}
	for ; err == nil && more && line.Loose; line, more, err = next() {
		if line.Entry == nil {
			return e, ErrExport
		}
		e.Loose = append(e.Loose, Entry{line.Office, line.ID, []byte(*line.Entry)}.record())
	}
	if err != nil {
		return e, err
	}
	e.Rows = func(fn func(Row) error) error {
		for ; err == nil && more; line, more, err = next() {
			if line.Seq == nil {
				return ErrExport
			}
			if err := fn(line.row()); err != nil {
				return err
			}
		}
		return err
	}
	return e, nil
}

func (l exportLine) row() Row {
	r := Row{Seq: *l.Seq, Office: l.Office, ID: l.ID, Leaf: l.Leaf}
	if l.Entry == nil {
		return r
	}
	r.Data, r.Columns = []byte(*l.Entry), &audit.Record{}
	_ = json.Unmarshal(r.Data, r.Columns) // what does not parse is found by its leaf
	return r
}
