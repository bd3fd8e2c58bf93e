package backup

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"

	"filippo.io/age"
)

// Reader reads one part from its beginning to its end.
type Reader struct {
	Header
	opened io.Reader
	tar    *tar.Reader
	tables []Table // ended
	table  *tally
	whole  *Manifest
}

// Chunk is some rows of a table; or, where Keys is set, the place of the other part.
type Chunk struct {
	Table   string
	Columns []string
	Rows    [][]any // nil, string, int64, bool and []byte
	Keys    bool
}

// NewReader opens a part with one of the identities.
func NewReader(from io.Reader, identities ...age.Identity) (*Reader, error) {
	opened, err := age.Decrypt(from, identities...)
	var none *age.NoIdentityMatchError
	switch {
	case errors.As(err, &none):
		return nil, ErrKey
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	r := &Reader{opened: opened, tar: tar.NewReader(opened)}
	name, content, err := r.entry()
	if err != nil {
		return nil, err
	}
	if name != headerName || json.Unmarshal(content, &r.Header) != nil || r.Format != Format || r.Part != Data && r.Part != Keys {
		return nil, fmt.Errorf("%w: not a backup of format %d", ErrDamaged, Format)
	}
	return r, nil
}

var rowsName = regexp.MustCompile(`^rows/[0-9]{6,}-([a-z_]+)\.jsonl$`)

// Next returns the next chunk, and io.EOF after the last one when the part is whole
// and as it was made. Until then nothing that was read may be kept.
func (r *Reader) Next() (Chunk, error) {
	name, content, err := r.entry()
	if err != nil {
		return Chunk{}, err
	}
	switch m := rowsName.FindStringSubmatch(name); {
	case name == manifestName:
		return Chunk{}, r.check(content)
	case name == keysName:
		return Chunk{Keys: true}, nil
	case m != nil:
		return r.chunk(m[1], content)
	}
	return Chunk{}, fmt.Errorf("%w: %s", ErrDamaged, name)
}

func (r *Reader) chunk(table string, content []byte) (Chunk, error) {
	all := lines(content)
	c := Chunk{Table: table}
	if json.Unmarshal(all[0], &c.Columns) != nil || len(c.Columns) == 0 {
		return c, ErrDamaged
	}
	if r.table == nil || r.table.Name != table {
		r.end()
		r.table = newTally(table, c.Columns)
	}
	if !slices.Equal(r.table.Columns, c.Columns) {
		return c, ErrDamaged
	}
	for i, line := range all[1:] {
		if i == len(all)-2 {
			line = append(line[:len(line):len(line)], '\n')
		}
		row, err := decode(line, len(c.Columns))
		if err != nil {
			return c, err
		}
		r.table.add(line)
		c.Rows = append(c.Rows, row)
	}
	return c, nil
}

func (r *Reader) end() {
	if r.table != nil {
		r.tables = append(r.tables, r.table.done())
		r.table = nil
	}
}

func (r *Reader) check(content []byte) error {
	r.end()
	var m Manifest
	same := func(a, b Table) bool {
		return a.Name == b.Name && a.Rows == b.Rows && a.SHA256 == b.SHA256 && slices.Equal(a.Columns, b.Columns)
	}
	if json.Unmarshal(content, &m) != nil || m.Header != r.Header || !slices.EqualFunc(m.Tables, r.tables, same) {
		return fmt.Errorf("%w: its content is not that of its manifest", ErrDamaged)
	}
	if _, err := r.tar.Next(); err != io.EOF {
		return fmt.Errorf("%w: more after the manifest", ErrDamaged)
	}
	if _, err := io.Copy(io.Discard, r.opened); err != nil { // the end is authenticated too
		return fmt.Errorf("%w: %w", ErrDamaged, err)
	}
	r.whole = &m
	return io.EOF
}

// Check reads a part to its end and returns what it holds.
func Check(from io.Reader, identities ...age.Identity) (Manifest, error) {
	r, err := NewReader(from, identities...)
	for err == nil {
		_, err = r.Next()
	}
	if r == nil || err != io.EOF {
		return Manifest{}, err
	}
	return r.Manifest()
}

// Manifest is what the part holds, after Next has returned io.EOF.
func (r *Reader) Manifest() (Manifest, error) {
	if r.whole == nil {
		return Manifest{}, ErrDamaged
	}
	return *r.whole, nil
}

func (r *Reader) entry() (name string, content []byte, err error) {
	h, err := r.tar.Next()
	if err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrDamaged, noEOF(err))
	}
	if h.Size > maxChunk {
		return "", nil, ErrDamaged
	}
	if content, err = io.ReadAll(r.tar); err != nil {
		return "", nil, fmt.Errorf("%w: %w", ErrDamaged, noEOF(err))
	}
	return h.Name, content, nil
}

// noEOF keeps an early end from being taken for the end.
func noEOF(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}
