package torture

import (
	"bytes"
	"compress/zlib"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
)

// published writes the keys as verifiers get them and reads them.
func published(t *testing.T, n *node) *trust.Bundle {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "trust")
	if out, status := n.run(t, "trust", "--out", dir); status != 0 {
		t.Fatalf("akashi trust: %s", out)
	}
	b, report, err := trust.Load(os.DirFS(dir))
	if err != nil || len(report) > 0 {
		t.Fatalf("trust directory: %v %v", report, err)
	}
	return b
}

// holds is what a sheet of paper or a code is checked against.
type holds struct {
	person person
	travel bool
	id     string
	copy   int // 0: whichever
}

// codes is how many codes stand on its page.
func (h holds) codes() int {
	if h.travel {
		return 2
	}
	return 1
}

// page is what stands on one printed page.
type page struct {
	texts []string
	codes []string
}

// checkPage compares a page with what it was asked for; people are all whose marks must not be on it.
func checkPage(p page, want holds, people []person, b *trust.Bundle) error {
	mine := []string{want.person.family + "　" + want.person.given, want.person.birth, want.person.lot, want.id}
	if want.travel {
		mine = append(mine, want.person.passport)
	}
	if want.copy > 0 {
		mine = append(mine, strconv.Itoa(want.copy))
	}
	for _, text := range mine {
		if !slices.Contains(p.texts, text) {
			return fmt.Errorf("%s: the text lacks %q", want.id, text)
		}
	}
	for _, other := range people {
		if other.ticket != want.person.ticket && (slices.Contains(p.texts, other.lot) || slices.Contains(p.texts, other.passport)) {
			return fmt.Errorf("%s: the text is that of %s", want.id, other.ticket)
		}
	}
	for _, text := range p.codes {
		if err := checkCode(text, want, b); err != nil {
			return err
		}
	}
	return nil
}

// checkCode verifies a code and compares its holder.
func checkCode(text string, want holds, b *trust.Bundle) error {
	v := verify.Text(text, b, time.Now())
	// The log that verifiers were given may be older than the code.
	young := v.Outcome == verify.Undecided && v.Facet(verify.Issued).Code == verify.IssuanceLogOld
	if v.Outcome != verify.Valid && !young || v.Holder == nil {
		return fmt.Errorf("%s: a code is %s: %+v", want.id, v.Outcome, v.Facets)
	}
	h, p := v.Holder, want.person
	name := p.name()
	if want.travel {
		name = p.roman()
	}
	named := slices.ContainsFunc(h.Names, func(n string) bool { return strings.Join(strings.FieldsFunc(n, nameGap), " ") == name })
	if !named || h.BirthDate != p.birth || len(h.Doses) != 1 || h.Doses[0].Lot != p.lot {
		return fmt.Errorf("%s: a code of %s holds %q %s %+v", want.id, p.ticket, h.Names, h.BirthDate, h.Doses)
	}
	if v.Family == "vdsnc" && (h.DocumentNumber != p.passport || h.CertificateID != want.id) {
		return fmt.Errorf("%s: a bar code of %s holds %s %s", want.id, p.ticket, h.DocumentNumber, h.CertificateID)
	}
	return nil
}

func nameGap(r rune) bool { return r == ' ' || r == '　' || r == '<' || r == ',' }

// checkCodes compares the answer of /codes and returns the texts.
func checkCodes(body []byte, want holds, b *trust.Bundle) ([]string, error) {
	var answer struct {
		ID        string
		Codes     []struct{ Text string }
		Code      string // of a refusal
		RequestID string `json:"request_id"`
	}
	if err := json.Unmarshal(body, &answer); err != nil {
		return nil, fmt.Errorf("%s: codes: %w", want.id, err)
	}
	if answer.ID != want.id {
		return nil, fmt.Errorf("%s: codes of %q (%s %s)", want.id, answer.ID, answer.Code, answer.RequestID)
	}
	var texts []string
	for _, c := range answer.Codes {
		texts = append(texts, c.Text)
		if err := checkCode(c.Text, want, b); err != nil {
			return nil, err
		}
	}
	if len(texts) != want.codes() {
		return nil, fmt.Errorf("%s: %d codes", want.id, len(texts))
	}
	return texts, nil
}

// checkSheets takes a file apart and compares every page.
func checkSheets(file []byte, want []holds, people []person, b *trust.Bundle) error {
	texts, codes, err := readSheets(file)
	if err != nil {
		return err
	}
	if len(texts) != len(want) {
		return fmt.Errorf("%d pages, want %d", len(texts), len(want))
	}
	for i, w := range want {
		if len(codes) < w.codes() {
			return fmt.Errorf("%s: its page lacks codes", w.id)
		}
		if err := checkPage(page{texts[i], codes[:w.codes()]}, w, people, b); err != nil {
			return err
		}
		codes = codes[w.codes():]
	}
	if len(codes) > 0 {
		return fmt.Errorf("%d codes too many", len(codes))
	}
	return nil
}

var picture = regexp.MustCompile(`/Subtype/Image/Width (\d+)/Height (\d+)/ColorSpace/DeviceGray/BitsPerComponent 1/Filter/FlateDecode/Length (\d+)[^>]*>>\s*stream\r?\n`)

// readSheets reads the text of each page, and the pictures as a scanner would, in
// the order in which the pages have them.
func readSheets(file []byte) (texts [][]string, codes []string, err error) {
	if texts, err = pdf.Text(file); err != nil {
		return nil, nil, err
	}
	for _, at := range picture.FindAllSubmatchIndex(file, -1) {
		number := func(n int) int { v, _ := strconv.Atoi(string(file[at[2*n]:at[2*n+1]])); return v }
		text, err := readPicture(file[at[1]:at[1]+number(3)], number(1), number(2))
		if err != nil {
			return nil, nil, err
		}
		codes = append(codes, text)
	}
	return texts, codes, nil
}

// readPicture takes every second pixel, which a reader does not need.
func readPicture(data []byte, width, height int) (string, error) {
	z, err := zlib.NewReader(bytes.NewReader(data))
	if err != nil {
		return "", err
	}
	bits, err := io.ReadAll(z)
	stride := (width + 7) / 8
	if err != nil || len(bits) != stride*height {
		return "", errors.Join(err, fmt.Errorf("%d bytes of picture, want %d", len(bits), stride*height))
	}
	small := image.NewPaletted(image.Rect(0, 0, width/2, height/2), color.Palette{color.Black, color.White})
	for y := range height / 2 {
		for x := range width / 2 {
			small.Pix[y*small.Stride+x] = bits[2*y*stride+x/4] >> (7 - 2*x%8) & 1
		}
	}
	var file bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.NoCompression}).Encode(&file, small); err != nil {
		return "", err
	}
	r, err := qr.ReadImage(&file)
	return r.Text, err
}
