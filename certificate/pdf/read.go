package pdf

import (
	"bytes"
	"compress/zlib"
	"fmt"
	"io"
	"strconv"
	"sync"
)

// Limits of the reader; our own files stay far below.
const (
	maxFile     = 64 << 20
	maxObjects  = 1 << 20
	maxInflated = 16 << 20
)

// document finds objects by the cross-reference of a file: a table, or a stream
// with object streams (ISO 32000-1, 7.5.4 and 7.5.8). One section only.
type document struct {
	data    []byte
	entries []entry // by object number
	trailer dict
	packed  map[int]*packed // object streams
	texts   map[ref]*codeTexts
}

// packed is an object stream, inflated; its objects are read when asked for.
type packed struct {
	data    []byte
	offsets []int
	objects []any // as far as they were read
}

// entry says where an object is.
type entry struct {
	offset int // in the file; 0 for a free entry
	stream int // number of the object stream that holds it, else 0
	index  int // in that stream
}

// stream is a stream object with its data as stored.
type stream struct {
	dict dict
	data []byte
}

func open(data []byte) (*document, error) {
	if len(data) > maxFile || !bytes.HasPrefix(data, []byte("%PDF-1.")) {
		return nil, fmt.Errorf("%w: header", errSyntax)
	}
	i := bytes.LastIndex(data, []byte("startxref"))
	if i < 0 {
		return nil, fmt.Errorf("%w: startxref", errSyntax)
	}
	l := &lexer{data: data, at: i + len("startxref")}
	at, err := l.value(0)
	start, ok := at.(int)
	if err != nil || !ok || start < 0 || start >= len(data) {
		return nil, fmt.Errorf("%w: startxref", errSyntax)
	}
	d := &document{data: data, packed: map[int]*packed{}, texts: map[ref]*codeTexts{}}
	l.at = start
	if l.has("xref") {
		err = d.readTable(l)
	} else {
		err = d.readStream(start)
	}
	if err != nil {
		return nil, fmt.Errorf("cross-reference: %w", err)
	}
	if _, more := d.trailer["Prev"]; more {
		return nil, fmt.Errorf("%w: more than one section", errSyntax)
	}
	return d, nil
}

func (d *document) readTable(l *lexer) error {
	first, err1 := l.value(0)
	count, err2 := l.value(0)
	n, ok := count.(int)
	if err1 != nil || err2 != nil || first != 0 || !ok || n < 1 || n > maxObjects || len(l.data) < l.at+20*n {
		return errSyntax
	}
	l.skipSpace()
	d.entries = make([]entry, n)
	for i := range d.entries {
		line := l.data[l.at:min(l.at+20, len(l.data))]
		if len(line) < 20 {
			return errSyntax
		}
		if line[17] == 'n' {
			offset, err := strconv.Atoi(string(line[:10]))
			if err != nil {
				return errSyntax
			}
			d.entries[i] = entry{offset: offset}
		}
		l.at += 20
	}
	l.skipSpace()
	if !l.has("trailer") {
		return errSyntax
	}
	v, err := l.value(0)
	d.trailer, _ = v.(dict)
	return err
}

func (d *document) readStream(start int) error {
	_, v, err := d.objectAt(start)
	if err != nil {
		return err
	}
	s, ok := v.(stream)
	if !ok || s.dict["Type"] != name("XRef") {
		return errSyntax
	}
	rows, err := s.inflate()
	if err != nil {
		return err
	}
	widths, _ := s.dict["W"].(array)
	if len(widths) != 3 || widths[0] != 1 || widths[1] != 3 && widths[1] != 4 || widths[2] != 2 {
		return errSyntax
	}
	wide := widths[1].(int)
	if len(rows)%(3+wide) != 0 || len(rows)/(3+wide) > maxObjects {
		return errSyntax
	}
	for ; len(rows) > 0; rows = rows[3+wide:] {
		a, b := 0, int(rows[1+wide])<<8|int(rows[2+wide])
		for _, digit := range rows[1 : 1+wide] {
			a = a<<8 | int(digit)
		}
		switch rows[0] {
		case 1:
			d.entries = append(d.entries, entry{offset: a})
		case 2:
			d.entries = append(d.entries, entry{stream: a, index: b})
		default:
			d.entries = append(d.entries, entry{})
		}
	}
	d.trailer = s.dict
	return nil
}

// objectAt reads "n 0 obj ... endobj" at an offset.
func (d *document) objectAt(at int) (number int, v any, err error) {
	if at <= 0 || at >= len(d.data) {
		return 0, nil, errSyntax
	}
	l := &lexer{data: d.data, at: at}
	n, err := l.value(0)
	number, ok := n.(int)
	if err != nil || !ok || !l.has(" 0 obj") {
		return 0, nil, errSyntax
	}
	if v, err = l.value(0); err != nil {
		return 0, nil, err
	}
	l.skipSpace()
	if !l.has("stream") {
		return number, v, nil
	}
	sd, isDict := v.(dict)
	size, isInt := sd["Length"].(int)
	_ = l.has("\r")
	if !isDict || !isInt || !l.has("\n") || size < 0 || size > len(d.data)-l.at {
		return 0, nil, errSyntax
	}
	return number, stream{sd, d.data[l.at : l.at+size]}, nil
}

// object returns an object by its number.
func (d *document) object(n int) (any, error) {
	if n <= 0 || n >= len(d.entries) {
		return nil, errSyntax
	}
	e := d.entries[n]
	if e.stream == 0 {
		number, v, err := d.objectAt(e.offset)
		if err == nil && number != n {
			err = errSyntax
		}
		return v, err
	}
	p, err := d.unpack(e.stream)
	if err != nil || e.index >= len(p.objects) {
		return nil, errSyntax
	}
	if p.objects[e.index] == nil {
		l := &lexer{data: p.data, at: p.offsets[e.index]}
		if p.objects[e.index], err = l.value(0); err != nil {
			return nil, err
		}
	}
	return p.objects[e.index], nil
}

// unpack inflates an object stream once.
func (d *document) unpack(n int) (*packed, error) {
	if p, ok := d.packed[n]; ok {
		return p, nil
	}
	if n >= len(d.entries) || d.entries[n].stream != 0 {
		return nil, errSyntax
	}
	_, v, err := d.objectAt(d.entries[n].offset)
	s, ok := v.(stream)
	if err != nil || !ok {
		return nil, errSyntax
	}
	data, err := s.inflate()
	if err != nil {
		return nil, err
	}
	first, ok := s.dict["First"].(int)
	if !ok || first < 0 || first > len(data) {
		return nil, errSyntax
	}
	p := &packed{data: data}
	for l := (&lexer{data: data[:first]}); !l.done(); {
		_, err1 := l.value(0) // object number, as the cross-reference has it
		at, err2 := l.value(0)
		offset, ok := at.(int)
		if err1 != nil || err2 != nil || !ok || offset < 0 || offset > len(data)-first {
			return nil, errSyntax
		}
		p.offsets = append(p.offsets, first+offset)
	}
	p.objects = make([]any, len(p.offsets))
	d.packed[n] = p
	return p, nil
}

// resolve follows a reference.
func (d *document) resolve(v any) any {
	if r, ok := v.(ref); ok {
		v, _ = d.object(int(r))
	}
	return v
}

// dict returns a dictionary, or that of a stream; nil for anything else.
func (d *document) dict(v any) dict {
	switch v := d.resolve(v).(type) {
	case dict:
		return v
	case stream:
		return v.dict
	}
	return nil
}

// content returns the data of a stream, inflated.
func (d *document) content(v any) ([]byte, error) {
	s, ok := d.resolve(v).(stream)
	if !ok {
		return nil, errSyntax
	}
	return s.inflate()
}

func (s stream) inflate() ([]byte, error) {
	switch s.dict["Filter"] {
	case nil:
		return s.data, nil
	case name("FlateDecode"):
		z := inflaters.Get().(*inflater)
		defer inflaters.Put(z)
		return z.inflate(s.data)
	}
	return nil, errSyntax
}

// inflater is a zlib reader that is used again.
type inflater struct{ zlib io.ReadCloser }

var inflaters = sync.Pool{New: func() any { return &inflater{} }}

func (z *inflater) inflate(b []byte) (out []byte, err error) {
	if z.zlib == nil {
		z.zlib, err = zlib.NewReader(bytes.NewReader(b))
	} else {
		err = z.zlib.(zlib.Resetter).Reset(bytes.NewReader(b), nil)
	}
	if err != nil {
		return nil, err
	}
	buffer := bytes.NewBuffer(make([]byte, 0, min(4*len(b), maxInflated)+bytes.MinRead))
	if _, err = buffer.ReadFrom(io.LimitReader(z.zlib, maxInflated+1)); err == nil && buffer.Len() > maxInflated {
		err = errSyntax
	}
	return buffer.Bytes(), err
}
