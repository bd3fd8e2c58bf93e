package pdf

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"hash"
	"time"
)

// Batch makes one file of many certificates with sheets around them: room for sheets
// is left in front, certificates follow one at a time, and the sheets come last, when
// it is known what they list. Every typeface is in the file once. No page is kept but
// as the file has it.
type Batch struct {
	file  *file
	front []int // places of the sheets in front that are not written yet
	id    hash.Hash
}

// maxBatch bounds the pages of a batch.
const maxBatch = 8000

// NewBatch begins a file with room for so many sheets before the certificates. Name and
// time are part of the file: the same ones with the same pages give the same bytes. Free
// gives back its memory.
func (r *Renderer) NewBatch(title, name string, at time.Time, front int) *Batch {
	b := &Batch{file: newFile(r, nil, title, at, nil), id: sha256.New()}
	b.file.batch = true
	fmt.Fprintf(b.id, "%s %d\n", name, at.UnixMilli())
	for i := range front {
		b.front = append(b.front, i)
		b.file.leave()
	}
	return b
}

// Free gives the memory back without any text of a person.
func (b *Batch) Free() { b.file.free() }

// Add writes one certificate; after an error the file is not whole, so that Check comes first.
func (b *Batch) Add(p Page) error {
	if len(b.file.kids) >= maxBatch {
		return &FieldError{"pages", TooMany}
	}
	if err := b.file.renderer.checkPage(p); err != nil {
		return err
	}
	p.identify(b.id)
	return b.file.certificate(p)
}

// Pages is how many there are, with those left free.
func (b *Batch) Pages() int { return len(b.file.kids) }

// Sheet writes the next of those in front, and when these are there, one behind; test paints
// it as one of the TEST identity. Errors are those of Document.
func (b *Batch) Sheet(s Sheet, test bool) error {
	d, place := b.file, len(b.file.kids)
	if len(b.front) > 0 {
		place, b.front = b.front[0], b.front[1:]
	} else {
		d.leave()
	}
	if err := d.renderer.checkSheet(s, d.shaper); err != nil {
		return err
	}
	f, err := d.renderer.sheetForm(s, test)
	if err != nil {
		return err
	}
	return d.sheet(f, s, place)
}

// Finish returns the file, once the text of each page was read back from it and is what
// was to be printed (a *FieldError "pages" where it is not).
func (b *Batch) Finish() ([]byte, error) {
	if len(b.front) > 0 || len(b.file.kids) == 0 {
		return nil, &FieldError{"pages", Required}
	}
	b.file.id = b.id.Sum(nil)[:16]
	out, _, err := b.file.finish()
	if err != nil {
		return nil, err
	}
	page := 0
	err = eachText(out, func(texts []string) error {
		said := sha256.New()
		for _, text := range texts {
			said.Write(append([]byte(text), 0))
		}
		if page == len(b.file.said) || !bytes.Equal(said.Sum(nil), b.file.said[page][:]) {
			return &FieldError{"pages", Altered}
		}
		page++
		return nil
	})
	if err == nil && page != len(b.file.said) {
		err = &FieldError{"pages", Altered}
	}
	return out, err
}

// Printable is the text with a 〓 for each character that no font has, as Japanese
// printers do; a certificate itself is refused instead.
func (r *Renderer) Printable(text string) string {
	s := newShaper(r.fonts)
	defer s.free()
	var out bytes.Buffer
	for _, shape := range s.text(text).shapes {
		if shape.face == nil {
			out.WriteString("〓")
			continue
		}
		out.WriteString(shape.cluster.Text)
	}
	return out.String()
}

// leave makes room for one page.
func (d *file) leave() {
	d.kids, d.marked, d.outlines = append(d.kids, d.w.reserve(2)), append(d.marked, 0), append(d.outlines, nil)
	d.said = append(d.said, [sha256.Size]byte{})
}
