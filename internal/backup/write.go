package backup

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"filippo.io/age"
)

// Writer writes one part.
type Writer struct {
	manifest Manifest
	age      io.WriteCloser
	tar      *tar.Writer
	table    *tally
	chunk    []byte
	chunks   int
}

// NewWriter begins a part for the recipients.
func NewWriter(to io.Writer, h Header, recipients ...age.Recipient) (*Writer, error) {
	sealed, err := age.Encrypt(to, recipients...)
	if err != nil {
		return nil, fmt.Errorf("backup: %w", err)
	}
	h.Format = Format
	w := &Writer{manifest: Manifest{Header: h}, age: sealed, tar: tar.NewWriter(sealed)}
	return w, w.entry(headerName, h)
}

// Begin begins a table, in whose columns the rows come.
func (w *Writer) Begin(table string, columns []string) error {
	if err := w.end(); err != nil {
		return err
	}
	w.table = newTally(table, columns)
	return w.heading()
}

// heading begins a chunk with the names of the columns.
func (w *Writer) heading() error {
	head, err := json.Marshal(w.table.Columns)
	w.chunk = append(append(w.chunk[:0], head...), '\n')
	return err
}

// Row adds a row to the table.
func (w *Writer) Row(values []any) error {
	if w.table == nil || len(values) != len(w.table.Columns) {
		return errors.New("backup: a row without its table")
	}
	line, err := encode(values)
	if err != nil {
		return err
	}
	w.table.add(line)
	if w.chunk = append(w.chunk, line...); len(w.chunk) < chunkSize {
		return nil
	}
	return errors.Join(w.flush(), w.heading())
}

// Keys says that the rows of the other part belong here.
func (w *Writer) Keys() error {
	return errors.Join(w.end(), w.put(keysName, nil))
}

// Close ends the part and returns what it holds.
func (w *Writer) Close() (Manifest, error) {
	err := w.end()
	if err == nil {
		err = w.entry(manifestName, w.manifest)
	}
	return w.manifest, errors.Join(err, w.tar.Close(), w.age.Close())
}

func (w *Writer) end() error {
	if w.table == nil {
		return nil
	}
	err := w.flush()
	w.manifest.Tables = append(w.manifest.Tables, w.table.done())
	w.table = nil
	return err
}

func (w *Writer) flush() error {
	w.chunks++
	return w.put(fmt.Sprintf("%s%06d-%s.jsonl", rowsFolder, w.chunks, w.table.Name), w.chunk)
}

func (w *Writer) entry(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	return w.put(name, b)
}

func (w *Writer) put(name string, content []byte) error {
	if err := w.tar.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(content))}); err != nil {
		return err
	}
	_, err := w.tar.Write(content)
	return err
}
