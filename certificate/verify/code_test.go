package verify

import (
	"go/ast"
	"go/parser"
	"go/token"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode"

	"akashi/certificate/hcert"
	"akashi/certificate/shc"
	"akashi/certificate/vdsnc"
)

// Every code has a sentence and a next step in three languages, and every sentence a code.
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
		f := Facet{Code: code, Detail: map[string]string{"list_age": "72h0m0s"}}
		if !form.MatchString(code) {
			t.Errorf("%s is no code", code)
		}
		checkLanguages(t, code, f.Sentence)
		checkLanguages(t, code+", next", f.Next)
		for _, language := range Languages {
			s := f.Sentence(language)
			if other, ok := seen[s]; ok {
				t.Errorf("%s and %s have one sentence: %s", code, other, s)
			}
			seen[s] = code
		}
	}
	used := map[string]bool{}
	for code, s := range sentences {
		if !codes[code] {
			t.Errorf("sentence for %s, which is no code", code)
		}
		used[s.Next] = true
	}
	for step := range steps {
		if !used[step] {
			t.Errorf("nothing leads to the step %s", step)
		}
	}
	if none := Note("no_such_code"); none.Sentence("en") != "" || none.Next("en") != "" || Note(Read).Sentence("de") != "" {
		t.Error("a sentence for nothing")
	}
}

// notFrench finds straight apostrophes, and signs of two parts without a fixed space before them.
var notFrench = regexp.MustCompile(`'|[^\x{00a0}][;:?!]`)

func checkLanguages(t *testing.T, code string, in func(language string) string) {
	t.Helper()
	ja, en, fr := in("ja"), in("en"), in("fr")
	if !isJapanese(ja) || isJapanese(en+fr) || len(en) < 10 || len(fr) < 10 || en == fr || notFrench.MatchString(fr) || strings.Contains(ja+en+fr, "{") {
		t.Errorf("%s: %q, %q, %q", code, ja, en, fr)
	}
}

// The age of a list is told in the sentence.
func TestAge(t *testing.T) {
	f := Facet{Code: StatusUnknown, Detail: map[string]string{"list_age": "75h12m0s"}}
	for language, want := range map[string]string{
		"en": "The list is 3 days old: status unknown.", "fr": "La liste date de 3 jours\u00a0: état inconnu.", "ja": "手元のリストは3日前のものです。失効しているかどうか分かりません。",
	} {
		if got := f.Sentence(language); got != want {
			t.Errorf("%s: %q", language, got)
		}
	}
	if got := f.Next("fr"); got != "Actualisez la liste de confiance et vérifiez de nouveau." {
		t.Errorf("next: %q", got)
	}
	for d, want := range map[time.Duration]string{
		0: "0 minute", -time.Hour: "0 minute", time.Minute: "1 minute", 119 * time.Minute: "119 minutes", 2 * time.Hour: "2 heures", 47 * time.Hour: "47 heures", 48 * time.Hour: "2 jours",
	} {
		if got := Age(d, "fr"); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
	if got := Age(time.Minute, "en") + ", " + Age(0, "en"); got != "1 minute, 0 minutes" {
		t.Errorf("%q", got)
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
