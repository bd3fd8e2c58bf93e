package pdf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"sync"

	"github.com/klauspost/compress/zlib"
)

// writer makes one clean PDF file: one section, one revision. By default small
// objects go into an object stream and the cross-reference is a stream; with
// table set, all objects stand alone before a classic table. The two kinds are
// never mixed.
type writer struct {
	table   bool
	out     []byte
	entries []entry // by object number; 0 is the free entry
	packed  []byte  // bodies of the object stream
	index   []byte  // its "number offset" pairs
	count   int     // of its objects
	full    []int   // numbers of the object streams before it
	memo    *memo

	content []byte   // room for the layer of a page
	fields  []string // and for the names of its fields
	scratch bytes.Buffer
}

// writers are used again for the sake of their buffers.
var writers = sync.Pool{New: func() any {
	return &writer{content: make([]byte, 0, 12<<10), packed: make([]byte, 0, 24<<10), index: make([]byte, 0, 2<<10), entries: make([]entry, 0, 256)}
}}

func newWriter(table bool, m *memo) *writer {
	w := writers.Get().(*writer)
	*w = writer{table: table, memo: m, out: make([]byte, 0, 64<<10), packed: w.packed[:0], index: w.index[:0], entries: append(w.entries[:0], entry{}),
		content: w.content, fields: w.fields, scratch: w.scratch}
	w.out = append(w.out, "%PDF-1.7\n%\xE2\xE3\xCF\xD3\n"...)
	return w
}

// free gives the writer back without any text of the person; the file it
// returned stays.
func (w *writer) free() {
	w.out = nil
	clear(w.content[:cap(w.content)])
	w.scratch.Reset()
	clear(w.scratch.AvailableBuffer()[:w.scratch.Available()])
	writers.Put(w)
}

// reserve gives n consecutive object numbers and returns the first.
func (w *writer) reserve(n int) int {
	first := len(w.entries)
	for range n {
		w.entries = append(w.entries, entry{})
	}
	return first
}

// plain writes a reserved object that is no stream by itself: one that differs
// from file to file, or that leads to the text of a page, which is read back.
func (w *writer) plain(n int, body []byte) {
	w.begin(n)
	w.out = append(append(w.out, body...), "\nendobj\n"...)
}

// object writes a reserved object that is no stream and is the same in all files
// of the same shape; nothing of a person is in it.
func (w *writer) object(n int, body []byte) {
	if w.table {
		w.plain(n, body)
		return
	}
	if w.count == maxPacked {
		w.full = append(w.full, w.reserve(1))
		w.pack(w.full[len(w.full)-1])
	}
	w.entries[n] = entry{stream: -1 - len(w.full), index: w.count}
	w.count++
	w.index = strconv.AppendInt(w.index, int64(n), 10)
	w.index = append(w.index, ' ')
	w.index = strconv.AppendInt(w.index, int64(len(w.packed)), 10)
	w.index = append(w.index, ' ')
	w.packed = append(append(w.packed, body...), '\n')
}

// stream writes a reserved stream object; attributes are the entries of its
// dictionary besides /Length.
func (w *writer) stream(n int, attributes string, data []byte) {
	w.begin(n)
	w.out = append(append(w.out, "<<"...), attributes...)
	w.out = append(w.out, "/Length "...)
	w.out = strconv.AppendInt(w.out, int64(len(data)), 10)
	w.out = append(w.out, ">>\nstream\n"...)
	w.out = append(append(w.out, data...), "\nendstream\nendobj\n"...)
}

// deflated writes a stream object and compresses it quickly, for what is made
// anew on every page.
func (w *writer) deflated(n int, data []byte) {
	w.scratch.Reset()
	z := deflaters.Get().(*zlib.Writer)
	defer deflaters.Put(z)
	z.Reset(&w.scratch)
	_, _ = z.Write(data)
	_ = z.Close()
	w.stream(n, "/Filter/FlateDecode", w.scratch.Bytes())
}

func (w *writer) begin(n int) {
	w.entries[n] = entry{offset: len(w.out)}
	w.out = append(strconv.AppendInt(w.out, int64(n), 10), " 0 obj\n"...)
}

// finish writes the cross-reference and returns the file.
func (w *writer) finish(root, info int, id []byte) []byte {
	trailer := fmt.Sprintf("/Root %d 0 R/Info %d 0 R/ID[<%x><%x>]", root, info, id, id)
	if w.table {
		return w.finishTable(trailer)
	}
	numbers := w.reserve(2)
	w.full = append(w.full, numbers)
	w.pack(numbers)
	start := len(w.out)
	w.entries[numbers+1] = entry{offset: start}
	wide := 3 // bytes of an offset
	if start >= 1<<24 {
		wide = 4
	}
	rows := make([]byte, 0, (3+wide)*len(w.entries))
	for n, e := range w.entries {
		switch {
		case n == 0:
			rows = appendRow(rows, 0, wide, 0, 0xFFFF)
		case e.stream != 0:
			rows = appendRow(rows, 2, wide, w.full[-1-e.stream], e.index)
		default:
			rows = appendRow(rows, 1, wide, e.offset, 0)
		}
	}
	w.stream(numbers+1, fmt.Sprintf("/Type/XRef/W[1 %d 2]/Size %d%s", wide, len(w.entries), trailer), rows)
	return fmt.Appendf(w.out, "startxref\n%d\n%%%%EOF\n", start)
}

// maxPacked bounds the objects of one object stream.
const maxPacked = 1 << 13

// pack writes an object stream and begins the next.
func (w *writer) pack(n int) {
	head := len(w.index)
	w.index = append(w.index, w.packed...)
	w.stream(n, fmt.Sprintf("/Type/ObjStm/N %d/First %d/Filter/FlateDecode", w.count, head), w.memo.deflate(w.index))
	w.packed, w.index, w.count = w.packed[:0], w.index[:0], 0
}

func appendRow(b []byte, kind byte, wide, place, index int) []byte {
	b = append(b, kind)
	for i := wide - 1; i >= 0; i-- {
		b = append(b, byte(place>>(8*i)))
	}
	return binary.BigEndian.AppendUint16(b, uint16(index))
}

func (w *writer) finishTable(trailer string) []byte {
	start := len(w.out)
	w.out = fmt.Appendf(w.out, "xref\n0 %d\n0000000000 65535 f \n", len(w.entries))
	for _, e := range w.entries[1:] {
		w.out = fmt.Appendf(w.out, "%010d 00000 n \n", e.offset)
	}
	return fmt.Appendf(w.out, "trailer\n<</Size %d%s>>\nstartxref\n%d\n%%%%EOF\n", len(w.entries), trailer, start)
}

// fits tells whether the file can be read back.
func (w *writer) fits() bool {
	return len(w.out)+len(w.packed) < maxFile && len(w.entries) < maxObjects
}

// memo keeps the deflated object streams of files made before: those of equal
// shape are equal.
type memo struct {
	mu   sync.Mutex
	made map[string][]byte
}

const maxMemo = 64

func (m *memo) deflate(b []byte) []byte {
	m.mu.Lock()
	out, ok := m.made[string(b)]
	m.mu.Unlock()
	if ok {
		return out
	}
	out = deflateBest(b)
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.made == nil || len(m.made) >= maxMemo {
		m.made = map[string][]byte{}
	}
	if len(b) <= 1<<16 {
		m.made[string(b)] = out
	}
	return out
}

// deflaters are reused, because a new one allocates several hundred kilobytes.
var deflaters = sync.Pool{New: func() any {
	z, _ := zlib.NewWriterLevel(nil, 1)
	return z
}}

// deflateBest compresses well, for what is made once per form.
func deflateBest(b []byte) []byte {
	var out bytes.Buffer
	z, _ := zlib.NewWriterLevel(&out, 9)
	_, _ = z.Write(b)
	_ = z.Close()
	return out.Bytes()
}
