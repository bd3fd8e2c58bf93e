package pdf

import (
	"fmt"
	"unicode/utf16"
)

// Text reads back what the layers of a file made by Render say: one list of
// texts per page, in the order they were drawn. It decodes the file by its own
// cross-reference and ToUnicode tables and shares nothing with the writer.
func Text(file []byte) ([][]string, error) {
	d, err := open(file)
	if err != nil {
		return nil, err
	}
	kids, _ := d.dict(d.dict(d.trailer["Root"])["Pages"])["Kids"].(array)
	var pages [][]string
	for i, kid := range kids {
		texts, err := d.layerText(d.dict(kid))
		if err != nil {
			return nil, fmt.Errorf("page %d: %w", i+1, err)
		}
		pages = append(pages, texts)
	}
	return pages, nil
}

// Verify compares the text of a file with the certificates it was made for and
// names the first field that differs in a *FieldError.
func (r *Renderer) Verify(file []byte, pages ...Page) error {
	texts, err := Text(file)
	if err != nil {
		return err
	}
	if len(texts) != len(pages) {
		return &FieldError{"pages", Altered}
	}
	for i, p := range pages {
		f, err := r.form(p.Certificate)
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
	unicodes := map[name]map[uint16]string{}
	var texts []string
	var operands array
	var current map[uint16]string
	var text string
	for l := (&lexer{data: content, noNumbers: true}); !l.done(); {
		v, err := l.value(0)
		if err != nil {
			return nil, err
		}
		op, ok := v.(operator)
		if !ok {
			operands = append(operands, v)
			continue
		}
		switch {
		case op == "BDC":
			text = ""
		case op == "EMC" && text != "":
			texts = append(texts, text)
		case op == "Tf" && len(operands) == 2:
			font, _ := operands[0].(name)
			if unicodes[font] == nil {
				if unicodes[font], err = d.fontTexts(fonts[font]); err != nil {
					return nil, err
				}
			}
			current = unicodes[font]
		case op == "Tj" && len(operands) == 1:
			codes, _ := operands[0].(literal)
			for ; len(codes) >= 2; codes = codes[2:] {
				s, ok := current[uint16(codes[0])<<8|uint16(codes[1])]
				if !ok {
					return nil, fmt.Errorf("%w: code without text", errSyntax)
				}
				text += s
			}
		}
		operands = operands[:0]
	}
	return texts, nil
}

// fontTexts reads the ToUnicode table of a font.
func (d *document) fontTexts(font any) (map[uint16]string, error) {
	cmap, err := d.content(d.dict(font)["ToUnicode"])
	if err != nil {
		return nil, err
	}
	texts := map[uint16]string{}
	return texts, readRanges(cmap, texts)
}

// readRanges reads the ranges of a ToUnicode table, each with one text per code.
func readRanges(cmap []byte, texts map[uint16]string) error {
	var operands array
	for l := (&lexer{data: cmap, noNumbers: true}); !l.done(); {
		v, err := l.value(0)
		if err != nil {
			return err
		}
		if op, ok := v.(operator); !ok {
			operands = append(operands, v)
			continue
		} else if op == "endbfrange" && len(operands) == 3 {
			first, _ := operands[0].(literal)
			list, _ := operands[2].(array)
			for i, v := range list {
				text, _ := v.(literal)
				if len(first) == 2 && i <= 0xFF {
					texts[uint16(first[0])<<8|uint16(first[1])+uint16(i)] = utf16Text(text)
				}
			}
		}
		operands = operands[:0]
	}
	return nil
}

// utf16Text decodes UTF-16 with the high byte first.
func utf16Text(s literal) string {
	if len(s) == 2 {
		return string(utf16.Decode([]uint16{uint16(s[0])<<8 | uint16(s[1])}))
	}
	units := make([]uint16, 0, len(s)/2)
	for ; len(s) >= 2; s = s[2:] {
		units = append(units, uint16(s[0])<<8|uint16(s[1]))
	}
	return string(utf16.Decode(units))
}
