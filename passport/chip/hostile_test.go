package chip_test

import (
	"bytes"
	"go/ast"
	"go/parser"
	"go/token"
	"runtime"
	"strconv"
	"testing"

	"akashi/internal/testkit"
	"akashi/passport/chip"
)

// Every cut and every changed byte of EF.SOD is refused, or leaves the verdict without a yes that
// the signature does not cover.
func TestNoByteCanBeChanged(t *testing.T) {
	d := issue(t, "JP", zone, nil)
	b := trusting(t, at, [][]byte{d.Certificate})
	for i := range d.SOD {
		in := d.Input
		in.SOD = d.SOD[:i]
		if v := chip.Check(in, b, at); v.Outcome != chip.Unreadable {
			t.Fatalf("cut at %d: %s", i, v.Outcome)
		}
		in.SOD = bytes.Clone(d.SOD)
		in.SOD[i] ^= 1
		if v := chip.Check(in, b, at); v.Outcome == chip.Valid && !unsigned(d.SOD, i) {
			t.Errorf("byte %d of %d changed: valid", i, len(d.SOD))
		}
	}
	for i := range d.DG1 {
		in := d.Input
		in.DG1 = bytes.Clone(d.DG1)
		in.DG1[i] ^= 1
		if v := chip.Check(in, b, at); v.Outcome == chip.Valid {
			t.Errorf("byte %d of DG1 changed: valid", i)
		}
	}
}

// unsigned tells whether a byte belongs to what no signature covers and no verdict rests on: the
// versions, and the list of digest algorithms before the content.
func unsigned(sod []byte, at int) bool {
	sha256 := []byte{0x30, 11, 6, 9, 0x60, 0x86, 0x48, 1, 0x65, 3, 4, 2, 1}
	first := bytes.Index(sod, sha256)
	content := bytes.Index(sod, []byte{0x67, 0x81, 8, 1, 1, 1}) // of the type of the content
	version := bytes.LastIndex(sod, []byte{2, 1, 1, 0x30}) + 2  // of the signer
	return at >= first-5 && at < content-2 || at == version
}

// L-20: the work on hostile input is bounded by its size, which is bounded first.
func TestWork(t *testing.T) {
	d := issue(t, "JP", zone, nil)
	b := trusting(t, at, [][]byte{d.Certificate})
	fill := func(part []byte) []byte { return bytes.Repeat(part, (chip.MaxFile-8)/len(part)) }
	for name, in := range map[string]chip.Input{
		"layers without end":  {SOD: testkit.SOD(t, fill([]byte{0x30, 0x80}))},
		"empty sequences":     {SOD: testkit.SOD(t, fill([]byte{0x30, 0}))},
		"lengths that lie":    {SOD: testkit.SOD(t, fill([]byte{0x30, 0x84, 0x7f, 0xff, 0xff, 0xff}))},
		"zeros after it":      {SOD: append(bytes.Clone(d.SOD), make([]byte, chip.MaxFile-len(d.SOD))...), DG1: d.DG1},
		"a zone without end":  {SOD: d.SOD, DG1: testkit.Wrap(t, 1, append([]byte{0x5f, 0x1f, 0x82, 0xff, 0x00}, bytes.Repeat([]byte("<"), 0xff00)...))},
		"far beyond the size": {SOD: make([]byte, 8<<20), DG1: make([]byte, 8<<20)},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		chip.Check(in, b, at)
		runtime.ReadMemStats(&after)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(8*chip.MaxFile); got > limit {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}

// Each code has a sentence in three languages, and each sentence a code.
func TestSentences(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := 0
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, s := range block.Specs {
			code, err := strconv.Unquote(s.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			codes++
			if ja, en, fr := chip.Sentence(code); ja == "" || en == "" || fr == "" {
				t.Errorf("%s has no sentence", code)
			}
		}
	}
	if codes < 40 {
		t.Errorf("%d codes were seen", codes)
	}
	if ja, en, fr := chip.Sentence("no_such_code"); ja+en+fr != "" {
		t.Error("a sentence for nothing")
	}
}

func FuzzCheck(f *testing.F) {
	for _, name := range files(f, "real-sod/*.EF_SOD.bin") {
		f.Add(testkit.Read(f, name), []byte{})
	}
	const dir = "emrtd/synthetic/ok-01-ecdsa-explicit/"
	f.Add(testkit.Read(f, dir+"EF_SOD.bin"), testkit.Read(f, dir+"EF_DG1.bin"))
	f.Add(testkit.Read(f, "emrtd/bsi-reference/EF_SOD.bin"), testkit.Read(f, "emrtd/bsi-reference/EF_DG1.bin"))
	b := trusting(f, at, [][]byte{testkit.Read(f, "emrtd/synthetic/csca-jpn-test.der")})
	f.Fuzz(func(t *testing.T, sod, dg1 []byte) {
		v := chip.Check(chip.Input{SOD: sod, DG1: dg1}, b, at)
		if v.Outcome == chip.Valid && (v.Facet(chip.Signature).Result != chip.OK || v.Facet(chip.Groups).Result != chip.OK || v.Facet(chip.Issuer).Result != chip.OK) {
			t.Errorf("valid without reason: %+v", v.Facets)
		}
	})
}

func FuzzDG1(f *testing.F) {
	f.Add(testkit.Read(f, "emrtd/bsi-reference/EF_DG1.bin"))
	f.Add(testkit.DG1(f, zone))
	d := issue(f, "JP", zone, nil)
	b := trusting(f, at, [][]byte{d.Certificate})
	f.Fuzz(func(t *testing.T, dg1 []byte) {
		if v := chip.Check(chip.Input{SOD: d.SOD, DG1: dg1}, b, at); v.Outcome == chip.Valid && !bytes.Equal(dg1, d.DG1) {
			t.Error("another DG1 is valid")
		}
	})
}
