package pdf_test

import (
	"errors"
	"os"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/testkit"
)

// ipamj is IPAmj Mincho where Debian puts it (scripts/install-tools.sh).
const ipamj = "/usr/share/fonts/truetype/ipamj/ipamjm.ttf"

// register has characters of the family register that only IPAmj Mincho has:
// variants of the Moji_Joho collection, and a kanji beyond JIS X 0213.
func register() certificate.Certificate {
	c := travel(2)
	c.Subject.Name = certificate.Name{Family: "辻\U000E0102𠀃", Given: "𠮷子邉\U000E010F"}
	c.Issuer.Japanese = []string{"架空県辻\U000E0102市長"}
	return c
}

// A further font is asked for what the others do not have, is an object of its
// own in the file, and its absence is named in the refusal.
func TestFurtherFont(t *testing.T) {
	if _, err := os.Stat(ipamj); err != nil {
		testkit.Missing(t, ipamj)
	}
	r, err := pdf.New(ipamj)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"NotoSansJP-Regular", "NotoSans-Regular", "IPAmjMincho"}
	if !slices.Equal(r.Fonts(), want) {
		t.Errorf("fonts %v", r.Fonts())
	}
	t.Run("error/without", func(t *testing.T) {
		var e *pdf.MissingError
		if err := renderer(t).Check(register()); !errors.As(err, &e) || !slices.Equal(e.Asked, want[:2]) || e.Missing[0].Field != "subject.name.family" {
			t.Fatalf("error %v", err)
		}
		if text := e.Error(); !strings.Contains(text, "NotoSansJP-Regular, NotoSans-Regular") || strings.Contains(text, "辻") {
			t.Error(text)
		}
	})
	p := page(register())
	for name, pages := range map[string][]pdf.Page{"alone": {p}, "among others": {page(longest()), p, page(domestic(1))}} {
		t.Run("ok/"+name, func(t *testing.T) {
			file := render(t, r, pages...)
			if err := r.Verify(file, pages...); err != nil {
				t.Error(err)
			}
			for _, fault := range pdf.Archive(file) {
				t.Error(fault)
			}
			path := write(t, file)
			checkSyntax(t, path)
			if fonts := run(t, "pdffonts", path); strings.Count(fonts, "+IPAmjMincho") != 1 {
				t.Error(fonts)
			}
			for reader, read := range readers {
				got := withoutBlanks(read(t, path))
				for _, text := range []string{p.Certificate.Subject.Name.Family, p.Certificate.Subject.Name.Given, p.Certificate.Issuer.Japanese[0]} {
					if !strings.Contains(got, text) {
						t.Errorf("%s: %+q is not in the text", reader, text)
					}
				}
			}
		})
	}
	t.Run("ok/not needed", func(t *testing.T) {
		if file := render(t, r, page(longest())); !slices.Equal(file, render(t, renderer(t), page(longest()))) {
			t.Error("a further font changes pages that do not need it")
		}
	})
	t.Run("ok/Preflight", func(t *testing.T) {
		r.UseTable()
		path := write(t, as1b(render(t, r, page(longest()), p)))
		if said := preflight(t, path); said != path+": valid\n" {
			t.Error(said)
		}
	})
}

func TestFurtherFontRefused(t *testing.T) {
	for name, paths := range map[string][]string{
		"error/absent":   {"testdata/absent.ttf"},
		"error/no font":  {"testdata/Preflight.java"},
		"error/too many": {"a", "b", "c", "d"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := pdf.New(paths...); err == nil {
				t.Error("accepted")
			}
		})
	}
}
