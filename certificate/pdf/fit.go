package pdf

import (
	"slices"
	"sync"

	"akashi/certificate/font"
)

// paragraph is one field as text to be placed.
type paragraph struct {
	field     string  // path of the field, for errors, tags and reading back
	text      string  // exactly what the page shows
	lang      string  // empty for Japanese
	size, min float64 // points: wanted, and smallest readable
}

// block is a rectangle that holds paragraphs above each other.
type block struct {
	x, y, w, h float64 // millimetres
	paragraphs []paragraph
	lines      int     // what a paragraph may have; 0: two, and they are tried only where one would be too small
	top        bool    // not centred: the paragraphs begin at y
	prose      bool    // whole sentences: they break as running text does
	align      float64 // 0: left, 0.5: centred, 1: right
}

// line is a piece of a paragraph with its place.
type line struct {
	paragraph int // its index in the block
	shapes    []*shape
	size      float64
	x, y      float64 // of the baseline, millimetres from the upper left
}

const (
	leading  = 1.2  // line distance by text size
	onlyLine = 0.62 // below this part of the wanted size two lines read better than one
	riseOf   = 0.37 // the middle of a line lies this part of the text size above the baseline
)

// shape is a cluster with the glyph that draws it.
type shape struct {
	cluster font.Cluster
	face    *font.Font // nil when no face has it
	set     int        // its place in shaper.fonts
	glyph   font.Glyph
	width   float64 // em

	own [2]font.Glyph // in the layers' typeface, once it is there

	form          *form // for which the following holds
	resource      string
	first, second font.Glyph
}

// shaper finds glyphs and remembers them while one file is made. It is not safe
// for concurrent use.
type shaper struct {
	fonts []font.Faces
	ascii [128]*shape
	seen  map[string]*shape // the others
	store []shape
	room  []*shape // where paragraphs are laid down
	all   []measured
	lines []line
}

// shapers are used again: their memory is a good part of what a page needs.
var shapers = sync.Pool{New: func() any {
	return &shaper{seen: make(map[string]*shape, 256), room: make([]*shape, 0, 1024), store: make([]shape, 0, 256)}
}}

func newShaper(fonts []font.Faces) *shaper {
	s := shapers.Get().(*shaper)
	s.fonts = fonts
	return s
}

// free gives the shaper back without any text of the person.
func (s *shaper) free() {
	clear(s.seen)
	clear(s.room)
	clear(s.store)
	clear(s.all[:cap(s.all)])
	clear(s.lines[:cap(s.lines)])
	s.ascii, s.room, s.store = [128]*shape{}, s.room[:0], s.store[:0]
	shapers.Put(s)
}

func (s *shaper) shape(c font.Cluster) *shape {
	if len(c.Text) == 1 {
		at := &s.ascii[c.Text[0]&127]
		if *at == nil || (*at).cluster.Text != c.Text {
			*at = s.find(c)
		}
		return *at
	}
	found, ok := s.seen[c.Text]
	if !ok {
		found = s.find(c)
		s.seen[c.Text] = found
	}
	return found
}

func (s *shaper) find(c font.Cluster) *shape {
	if len(s.store) == cap(s.store) {
		s.store = make([]shape, 0, 256) // shapes found before stay where they are
	}
	s.store = append(s.store, shape{cluster: c})
	found := &s.store[len(s.store)-1]
	for set, faces := range s.fonts {
		if face, g, ok := faces.Find(c); ok {
			found.face, found.set, found.glyph = face, set, g
			found.width = float64(face.Advance(g)) / float64(face.Metrics.UnitsPerEm)
			break
		}
	}
	return found
}

// text is a paragraph as shapes, with its width in em.
func (s *shaper) text(t string) measured {
	start, width := len(s.room), 0.0
	for c := range font.Clusters(t) {
		found := s.shape(c)
		s.room = append(s.room, found)
		width += found.width
	}
	return measured{s.room[start:len(s.room):len(s.room)], width}
}

// missing returns the clusters that no face can draw, each once.
func (s *shaper) missing(t string) (list []string) {
	for c := range font.Clusters(t) {
		if s.shape(c).face == nil && !slices.Contains(list, c.Text) {
			list = append(list, c.Text)
		}
	}
	return list
}

// split breaks a paragraph into lines of at most w em: at the last blank, or
// before the last word in katakana, that fits; else between any two characters.
// Blanks stay at the end of their line, so that the lines together are the text.
func split(shapes []*shape, w float64, limit int) ([][]*shape, bool) {
	if pieces, ok := splitAt(shapes, w, limit, startsKatakana); ok {
		return pieces, true
	}
	return splitAt(shapes, w, limit, func([]*shape, int) bool { return false })
}

func splitAt(shapes []*shape, w float64, limit int, starts func(shapes []*shape, i int) bool) (pieces [][]*shape, ok bool) {
	for len(shapes) > 0 {
		if len(pieces) == limit {
			return nil, false
		}
		end, used, breakAt := 0, 0.0, 0
		for end < len(shapes) && (used+shapes[end].width <= w || isBlank(shapes[end])) {
			used += shapes[end].width
			end++
			if isBlank(shapes[end-1]) || starts(shapes, end) {
				breakAt = end
			}
		}
		if end == 0 {
			return nil, false
		}
		if end < len(shapes) && breakAt > 0 {
			end = breakAt
		}
		pieces, shapes = append(pieces, shapes[:end]), shapes[end:]
	}
	return pieces, true
}

// split breaks a paragraph of the block. In narrow cells of several lines a word that is
// wider than the line breaks before its hyphen: of one at the end of a line some readers
// (PDFium) make a soft one, so that it is lost when copied.
func (b block) split(shapes []*shape, w float64, limit int) ([][]*shape, bool) {
	if b.prose {
		return splitProse(shapes, w, limit)
	}
	if b.lines > 0 {
		return splitAt(shapes, w, limit, startsAtHyphen)
	}
	return split(shapes, w, limit)
}

func startsAtHyphen(shapes []*shape, i int) bool {
	return i > 1 && i < len(shapes) && shapes[i].cluster.Base == '-' && !slices.ContainsFunc(shapes[:i], isBlank)
}

// startsKatakana tells whether a word in katakana begins at i.
func startsKatakana(shapes []*shape, i int) bool {
	return i > 0 && i < len(shapes) && isKatakana(shapes[i].cluster.Base) && !isKatakana(shapes[i-1].cluster.Base) && shapes[i-1].cluster.Base != '（'
}

func isKatakana(r rune) bool { return r >= '\u30A1' && r <= '\u30FE' }

func isBlank(s *shape) bool { return s.cluster.Base == ' ' || s.cluster.Base == '\u3000' }

// measured is a paragraph in shapes.
type measured struct {
	shapes []*shape
	width  float64
}

// place finds the largest sizes at which all paragraphs of a block fit: first
// on one line each, then on two. The lines hold until the next call.
func (b block) place(s *shaper) ([]line, error) {
	all := s.all[:0]
	for i, p := range b.paragraphs {
		all = append(all, s.text(p.text))
		for _, shape := range all[i].shapes {
			if shape.face == nil {
				return nil, &MissingError{[]Missing{{p.field, s.missing(p.text)}}, fontNames(s.fonts)}
			}
		}
	}
	s.all = all
	first, last := 1, 2
	if b.lines > 0 {
		first, last = b.lines, b.lines
	}
	for limit := first; limit <= last; limit++ {
		for scale := 1.0; scale > 0.3; scale -= 0.04 {
			if limit == 1 && scale < onlyLine {
				break
			}
			var ok bool
			if s.lines, ok = b.try(s.lines[:0], all, scale, limit); ok {
				return s.lines, nil
			}
		}
	}
	for i, p := range b.paragraphs {
		if _, ok := b.split(all[i].shapes, b.w*point/p.min, last); !ok {
			return nil, &FieldError{p.field, DoesNotFit}
		}
	}
	return nil, &FieldError{b.paragraphs[0].field, DoesNotFit}
}

func (b block) try(lines []line, all []measured, scale float64, limit int) ([]line, bool) {
	height := 0.0
	for i, p := range b.paragraphs {
		size := max(p.min, p.size*scale)
		room := b.w * point / size
		add := func(shapes []*shape) {
			x := b.x
			if b.align != 0 {
				x += b.align * (b.w - widthOf(shapes)*size/point)
			}
			lines = append(lines, line{i, shapes, size, x, height + size*leading/2/point})
			height += size * leading / point
		}
		if all[i].width <= room {
			add(all[i].shapes)
			continue
		}
		if limit == 1 {
			return lines, false
		}
		pieces, ok := b.split(all[i].shapes, room, limit)
		if !ok {
			return lines, false
		}
		for _, piece := range pieces {
			add(piece)
		}
	}
	if height > b.h {
		return lines, false
	}
	top := b.y
	if !b.top {
		top += (b.h - height) / 2
	}
	for i := range lines {
		lines[i].y += top + lines[i].size*riseOf/point
	}
	return lines, true
}

func widthOf(shapes []*shape) (w float64) {
	for _, s := range shapes {
		w += s.width
	}
	return w
}
