package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"testing"
	"unicode"

	"akashi/certificate/hcert"
	"akashi/certificate/shc"
	"akashi/certificate/vdsnc"
)

// Every code has a sentence in both languages, and every sentence a code.
func TestSentences(t *testing.T) {
	file, err := parser.ParseFile(token.NewFileSet(), "code.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	codes := map[string]bool{
		shc.NoteWhiteSpace: true, shc.NoteChunks: true, shc.NoteChunkHeader: true,
		shc.NoteSymbolVersion: true, shc.NoteSymbolSegments: true,
		vdsnc.NoteArray: true, vdsnc.NotePartialBirthDate: true, vdsnc.NoteCharacters: true,
		vdsnc.WarnDoseBeforeBirth: true, vdsnc.WarnFutureDate: true, vdsnc.WarnBeforeVaccine: true,
		vdsnc.WarnRepeatedNumber: true, vdsnc.WarnSigningPeriodOver: true,
		hcert.NoteNoExpiry: true, hcert.NoteFloatTime: true, hcert.NoteHeaderUnprotected: true, hcert.NoteOldGeneration: true, hcert.NoteUnknownTemplate: true,
		hcert.NoteAfterIssue: true, hcert.NoteBeforeApproval: true, hcert.NoteNoGuardian: true, hcert.NoteNoDocument: true,
	}
	for _, d := range file.Decls {
		block, ok := d.(*ast.GenDecl)
		if !ok || block.Tok != token.CONST {
			continue
		}
		for _, s := range block.Specs {
			text, err := strconv.Unquote(s.(*ast.ValueSpec).Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			if codes[text] {
				t.Errorf("%s is twice", text)
			}
			codes[text] = true
		}
	}
	form := regexp.MustCompile(`^[a-z_]+$`)
	seen := map[string]string{}
	for code := range codes {
		ja, en := Sentence(code)
		if !form.MatchString(code) || !isJapanese(ja) || isJapanese(en) || len(en) < 10 {
			t.Errorf("%s: %q, %q", code, ja, en)
		}
		for _, s := range []string{ja, en} {
			if other, ok := seen[s]; ok {
				t.Errorf("%s and %s have one sentence: %s", code, other, s)
			}
			seen[s] = code
		}
	}
	for code := range sentences {
		if !codes[code] {
			t.Errorf("sentence for %s, which is no code", code)
		}
	}
	if ja, en := Sentence("no_such_code"); ja != "" || en != "" {
		t.Error("a sentence for nothing")
	}
}

func isJapanese(s string) bool {
	for _, r := range s {
		if unicode.In(r, unicode.Han, unicode.Hiragana, unicode.Katakana) {
			return true
		}
	}
	return false
}
