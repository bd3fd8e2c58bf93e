package pdf

import (
	"fmt"
	"unicode/utf16"
	"unicode/utf8"
)

// Text reads back what the layers of a file made by Render say: one list of
// texts per page, in the order they were drawn. It decodes the file by its own
// cross-reference and ToUnicode tables and shares nothing with the writer.
func Text(file []byte) (pages [][]string, err error) {
	err = eachText(file, func(texts []string) error {
		pages = append(pages, texts)
		return nil
	})
	return pages, err
}

// eachText calls use with the texts of one page after the other.
func eachText(file []byte, use func(texts []string) error) error {
	d, err := open(file)
	if err != nil {
		return err
	}
	kids, _ := d.dict(d.dict(d.trailer["Root"])["Pages"])["Kids"].(array)
	for i, kid := range kids {
		texts, err := d.layerText(d.dict(kid))
		if err == nil {
			err = use(texts)
		}
		if err != nil {
			return fmt.Errorf("page %d: %w", i+1, err)
		}
	}
	return nil
}

// Verify compares the text of a file with the certificates it was made for and
// names the first field that differs in a *FieldError.
func (r *Renderer) Verify(file []byte, pages ...Page) error {
	texts, err := Text(file)
	if err != nil {
		return err
	}
	var sheets []Page
	for _, p := range pages {
		if err := r.checkValues(p.Certificate); err != nil {
			return err
		}
		sheets = append(sheets, p.split()...)
	}
	if len(texts) != len(sheets) {
		return &FieldError{"pages", Altered}
	}
	for i, p := range sheets {
		f, err := r.form(p)
		if err != nil {
			return err
		}
		for _, b := range f.blocks(p) {
			for _, q := range b.paragraphs {
				if len(texts[i]) == 0 || texts[i][0] != q.text {
					return &FieldError{q.field, Altered}
				}
				texts[i] = texts[i][1:]
			}
		}
		if len(texts[i]) != 0 {
			return &FieldError{"pages", Altered}
		}
	}
	return nil
}

// layerText returns the texts of the second content stream of a page, one for
// each marked content that shows text.
func (d *document) layerText(page dict) ([]string, error) {
	contents, _ := page["Contents"].(array)
	if len(contents) != 2 {
		return nil, errSyntax
	}
	content, err := d.content(contents[1])
	if err != nil {
		return nil, err
	}
	fonts, _ := d.dict(page["Resources"])["Font"].(dict)
	known := map[name]*codeTexts{}
	texts := make([]string, 0, 64)
	var current *codeTexts
	var text []byte         // of the marked content
	var named, shown []byte // operands
	for l := (&lexer{data: content}); !l.done(); {
		kind, token, err := l.token()
		if err != nil {
			return nil, err
		}
		switch kind {
		case nameToken:
			named = token
		case stringToken:
			shown = token
		}
		if kind != operatorToken {
			continue
		}
		switch string(token) {
		case "BDC":
			text = text[:0]
		case "EMC":
			if len(text) > 0 {
				texts = append(texts, string(text))
			}
		case "Tf":
			if known[name(named)] == nil {
				if known[name(named)], err = d.fontTexts(fonts[name(named)]); err != nil {
					return nil, err
				}
			}
			current = known[name(named)]
		case "Tj":
			if text, err = current.appendTexts(text, shown); err != nil {
				return nil, err
			}
		}
		named, shown = nil, nil
	}
	return texts, nil
}

// codeTexts are the texts of the codes of a font, one after the other.
type codeTexts struct {
	all    []byte
	places []place // by code
}

// place is where a text begins and ends; that of a code without text is empty.
type place struct{ from, to int }

// appendTexts appends what the codes of a string stand for, two bytes each.
func (t *codeTexts) appendTexts(text, codes []byte) ([]byte, error) {
	for ; len(codes) >= 2; codes = codes[2:] {
		code := int(codes[0])<<8 | int(codes[1])
		if t == nil || code >= len(t.places) || t.places[code].from == t.places[code].to {
			return nil, fmt.Errorf("%w: code without text", errSyntax)
		}
		text = append(text, t.all[t.places[code].from:t.places[code].to]...)
	}
	return text, nil
}

// fontTexts reads the ToUnicode table of a font: its ranges, each with one text
// per code in UTF-16.
func (d *document) fontTexts(font any) (*codeTexts, error) {
	number, _ := font.(ref)
	if t, ok := d.texts[number]; ok {
		return t, nil
	}
	cmap, err := d.content(d.dict(font)["ToUnicode"])
	if err != nil {
		return nil, err
	}
	t := &codeTexts{all: make([]byte, 0, len(cmap)/2), places: make([]place, 0, len(cmap)/6)}
	for l := (&lexer{data: cmap}); !l.done(); {
		kind, token, err := l.token()
		if err != nil {
			return nil, err
		}
		if kind == operatorToken && string(token) == "beginbfrange" {
			if err := t.readRange(l); err != nil {
				return nil, err
			}
		}
	}
	if number != 0 {
		d.texts[number] = t
	}
	return t, nil
}

// readRange reads one range: its first code, its last, and the list of texts.
func (t *codeTexts) readRange(l *lexer) error {
	code := 0
	for n := 0; ; {
		kind, token, err := l.token()
		switch {
		case err != nil:
			return err
		case kind == operatorToken:
			return nil
		case kind != stringToken:
			continue
		}
		switch n++; {
		case n <= 2 && len(token) != 2:
			return errSyntax
		case n == 1:
			code = int(token[0])<<8 | int(token[1])
		case n > 2:
			if code > 0xFFFF {
				return errSyntax
			}
			t.set(code, token)
			code++
		}
	}
}

func (t *codeTexts) set(code int, text []byte) {
	for code >= len(t.places) {
		t.places = append(t.places, place{})
	}
	from := len(t.all)
	t.all = appendUTF16(t.all, text)
	t.places[code] = place{from, len(t.all)}
}

// appendUTF16 appends a text in UTF-16 with the high byte first.
func appendUTF16(out, text []byte) []byte {
	for ; len(text) >= 2; text = text[2:] {
		r := rune(text[0])<<8 | rune(text[1])
		if utf16.IsSurrogate(r) && len(text) >= 4 {
			if pair := utf16.DecodeRune(r, rune(text[2])<<8|rune(text[3])); pair != utf8.RuneError {
				r, text = pair, text[2:]
			}
		}
		out = utf8.AppendRune(out, r)
	}
	return out
}
