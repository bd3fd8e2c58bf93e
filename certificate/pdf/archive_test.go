package pdf

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Archive checks a file for what PDF/A-2u and tagged PDF ask of this writer
// (ISO 19005-2; ISO 32000-1, 14.7 and 14.8) and returns the faults. It is no
// general validator.
func Archive(file []byte) (faults []string) {
	a := &archive{}
	if d, err := open(file); err != nil {
		a.fault("%v", err)
	} else {
		a.document = d
		a.check()
	}
	return a.faults
}

type archive struct {
	*document
	faults []string
}

func (a *archive) fault(format string, args ...any) {
	a.faults = append(a.faults, fmt.Sprintf(format, args...))
}

func (a *archive) check() {
	a.checkFile()
	root := a.dict(a.trailer["Root"])
	a.checkMetadata(root)
	parents := a.parentTree(root)
	kids, _ := a.dict(root["Pages"])["Kids"].(array)
	for i, kid := range kids {
		a.checkPage(i, a.dict(kid), parents)
	}
}

func (a *archive) checkFile() {
	if !bytes.HasPrefix(a.data, []byte("%PDF-1.7\n%\xE2\xE3\xCF\xD3\n")) {
		a.fault("header")
	}
	if bytes.Count(a.data, []byte("startxref")) != 1 || bytes.Count(a.data, []byte("%%EOF")) != 1 || !bytes.HasSuffix(a.data, []byte("%%EOF\n")) {
		a.fault("more than one revision")
	}
	table, streams := bytes.Contains(a.data, []byte("\nxref\n")), bytes.Contains(a.data, []byte("/XRef")) || bytes.Contains(a.data, []byte("/ObjStm"))
	if table == streams {
		a.fault("kinds of cross-reference are mixed")
	}
	if id, _ := a.trailer["ID"].(array); len(id) != 2 || id[0] != id[1] || len(id[0].(literal)) != 16 {
		a.fault("ID")
	}
	if a.trailer["Encrypt"] != nil {
		a.fault("encrypted")
	}
	for n, e := range a.entries {
		if n == 0 || e == (entry{}) {
			continue
		}
		v, err := a.object(n)
		if err != nil {
			a.fault("object %d: %v", n, err)
		}
		a.walk(v)
	}
}

// walk checks that references resolve and that nothing forbidden is there.
func (a *archive) walk(v any) {
	switch v := v.(type) {
	case ref:
		if _, err := a.object(int(v)); err != nil {
			a.fault("reference to %d: %v", v, err)
		}
	case array:
		for _, e := range v {
			a.walk(e)
		}
	case stream:
		a.walk(v.dict)
	case dict:
		for key, e := range v {
			switch key {
			case "AA", "OpenAction", "JS", "JavaScript", "SMask", "ca", "CA", "EmbeddedFiles", "LZWDecode", "XFA", "NeedAppearances":
				a.fault("forbidden: %s", key)
			}
			a.walk(e)
		}
	}
}

func (a *archive) checkMetadata(root dict) {
	if root["Lang"] != literal("ja") || a.dict(root["MarkInfo"])["Marked"] != true {
		a.fault("Lang or MarkInfo")
	}
	xmp, err := a.content(root["Metadata"])
	if err != nil || a.dict(root["Metadata"])["Filter"] != nil {
		a.fault("XMP: %v", err)
	}
	info := a.dict(a.trailer["Info"])
	title, _ := info["Title"].(literal)
	created, _ := info["CreationDate"].(literal)
	at, err := time.Parse("D:20060102150405+00'00'", string(created))
	if err != nil {
		a.fault("CreationDate: %v", err)
	}
	for _, want := range []string{"<pdfaid:part>2<", "<pdfaid:conformance>U<", ">" + string(appendUTF16(nil, []byte(title[2:]))) + "<",
		"<xmp:CreateDate>" + at.Format(time.RFC3339) + "<", "<xmp:ModifyDate>" + at.Format(time.RFC3339) + "<", "<pdf:Producer>" + string(info["Producer"].(literal)) + "<"} {
		if !bytes.Contains(xmp, []byte(want)) {
			a.fault("XMP lacks %s", want)
		}
	}
	intents, _ := root["OutputIntents"].(array)
	if len(intents) != 1 || a.dict(intents[0])["S"] != name("GTS_PDFA1") {
		a.fault("OutputIntents")
		return
	}
	profile := a.dict(intents[0])["DestOutputProfile"]
	icc, err := a.content(profile)
	if err != nil || a.dict(profile)["N"] != 3 || len(icc) < 132 || int(binary.BigEndian.Uint32(icc)) != len(icc) || string(icc[36:40]) != "acsp" {
		a.fault("ICC profile: %v", err)
	}
}

// parentTree returns the structure elements by page and MCID.
func (a *archive) parentTree(root dict) map[int]array {
	tree := a.dict(root["StructTreeRoot"])
	nums, _ := a.dict(tree["ParentTree"])["Nums"].(array)
	parents := map[int]array{}
	for i := 0; i+1 < len(nums); i += 2 {
		parents[nums[i].(int)], _ = a.resolve(nums[i+1]).(array)
	}
	return parents
}

var subsetName = regexp.MustCompile(`^[A-Z]{6}\+(NotoSansJP-Regular|IPAmjMincho)$`)

func (a *archive) checkPage(index int, page dict, parents map[int]array) {
	if page["StructParents"] != index {
		a.fault("page %d: StructParents", index)
	}
	annotations, _ := page["Annots"].(array)
	for _, v := range annotations { // a signature is the only one
		w := a.dict(v)
		fields, _ := a.dict(a.dict(a.trailer["Root"])["AcroForm"])["Fields"].(array)
		if w["Subtype"] != name("Widget") || w["FT"] != name("Sig") || w["F"] != 132 || a.dict(w["AP"]) == nil || len(fields) != 1 || fields[0] != v {
			a.fault("page %d: annotation", index)
		}
	}
	texts, err := a.unicodes(page)
	if err != nil {
		a.fault("ToUnicode: %v", err)
	}
	fonts, _ := a.dict(page["Resources"])["Font"].(dict)
	for key, v := range fonts {
		a.checkFont(key, a.dict(v), texts[key])
	}
	marked := map[int]bool{}
	contents, _ := page["Contents"].(array)
	for _, c := range contents {
		data, err := a.content(c)
		if err != nil {
			a.fault("content: %v", err)
		}
		a.checkContent(data, texts, marked)
	}
	list := parents[index]
	if len(marked) == 0 || len(list) != len(marked) {
		a.fault("page %d: %d marked contents, %d in the ParentTree", index, len(marked), len(list))
	}
	for mcid := range list {
		element := a.dict(list[mcid])
		kids, _ := element["K"].(array)
		found := false
		for _, k := range kids {
			found = found || k == mcid
		}
		if !found || !marked[mcid] || a.dict(element["P"]) == nil {
			a.fault("page %d: MCID %d is not in its element", index, mcid)
		}
		if element["S"] == name("Figure") && element["Alt"] == nil {
			a.fault("figure without alternative text")
		}
	}
}

// checkFont checks name, embedding, ToUnicode, and that W says the same as hmtx.
func (a *archive) checkFont(key name, font dict, texts map[uint16]string) {
	descendants, _ := font["DescendantFonts"].(array)
	cid := a.dict(descendants[0])
	base, _ := font["BaseFont"].(name)
	if !subsetName.MatchString(string(base)) || cid["BaseFont"] != base || a.dict(cid["FontDescriptor"])["FontName"] != base {
		a.fault("font %s: name %s", key, base)
	}
	program, err := a.content(a.dict(cid["FontDescriptor"])["FontFile2"])
	if err != nil {
		a.fault("font %s is not embedded: %v", key, err)
		return
	}
	hmtx, em := table(program, "hmtx"), int(binary.BigEndian.Uint16(table(program, "head")[18:]))
	w, _ := cid["W"].(array)
	widths, _ := w[1].(array)
	for g, width := range widths {
		if width != (int(binary.BigEndian.Uint16(hmtx[4*g:]))*1000+em/2)/em {
			a.fault("font %s: width of glyph %d is %v", key, g, width)
		}
		if _, ok := texts[uint16(g)]; !ok && g > 0 {
			a.fault("font %s: glyph %d has no text", key, g)
		}
	}
	if len(texts) != len(widths)-1 {
		a.fault("font %s: %d widths, %d texts", key, len(widths), len(texts))
	}
	for g, text := range texts {
		for _, r := range text {
			if unicode.Is(unicode.Co, r) || r == 0 || r == 0xFFFD || r == 0xFEFF {
				a.fault("font %s: glyph %d stands for %U", key, g, r)
			}
		}
	}
}

func table(font []byte, tag string) []byte {
	for i := range int(binary.BigEndian.Uint16(font[4:])) {
		if e := font[12+16*i:]; string(e[:4]) == tag {
			return font[binary.BigEndian.Uint32(e[8:]):]
		}
	}
	return nil
}

// checkContent checks that all drawing is marked, every MCID comes once, and
// every code shown has a text.
func (a *archive) checkContent(data []byte, texts map[name]map[uint16]string, marked map[int]bool) {
	depth := 0
	var operands array
	var current map[uint16]string
	for l := (&lexer{data: data}); !l.done(); {
		v, err := l.value(0)
		if err != nil {
			a.fault("content: %v", err)
			return
		}
		op, ok := v.(operator)
		if !ok {
			operands = append(operands, v)
			continue
		}
		switch op {
		case "BDC", "BMC":
			depth++
			if properties, ok := operands[len(operands)-1].(dict); ok {
				mcid, _ := properties["MCID"].(int)
				if marked[mcid] {
					a.fault("MCID %d twice", mcid)
				}
				marked[mcid] = true
			}
		case "EMC":
			depth--
		case "Tf":
			current = texts[operands[0].(name)]
		case "Tj":
			for codes := operands[0].(literal); len(codes) >= 2; codes = codes[2:] {
				if _, ok := current[uint16(codes[0])<<8|uint16(codes[1])]; !ok {
					a.fault("a code without text is shown")
				}
			}
		}
		if strings.Contains(" Tj f S B Do re l ", " "+string(op)+" ") && depth != 1 {
			a.fault("%s outside of marked content", op)
		}
		operands = operands[:0]
	}
	if depth != 0 {
		a.fault("marked content is not closed")
	}
}

// unicodes reads the ToUnicode tables of all fonts of a page.
func (d *document) unicodes(page dict) (map[name]map[uint16]string, error) {
	fonts, _ := d.dict(page["Resources"])["Font"].(dict)
	all := map[name]map[uint16]string{}
	for font, v := range fonts {
		texts, err := d.fontTexts(v)
		if err != nil {
			return nil, err
		}
		all[font] = map[uint16]string{}
		for code, at := range texts.places {
			if at.from < at.to {
				all[font][uint16(code)] = string(texts.all[at.from:at.to])
			}
		}
	}
	return all, nil
}
