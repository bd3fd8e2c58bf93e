package pdf_test

import (
	"bytes"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"akashi/certificate/pdf"
	"akashi/internal/testkit"
)

// checkSyntax asks qpdf, and pdfcpu in strict mode, for faults.
func checkSyntax(t *testing.T, path string) {
	t.Helper()
	out := run(t, "qpdf", "--check", path)
	if !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
		t.Error(out)
	}
	if err := api.ValidateFile(path, pdfcpuStrict()); err != nil {
		t.Errorf("pdfcpu: %v", err)
	}
}

var pdfcpuStrict = sync.OnceValue(func() *model.Configuration {
	api.DisableConfigDir()
	c := model.NewDefaultConfiguration()
	c.ValidationMode = model.ValidationStrict
	c.Offline = true
	return c
})

// qpdf and pdfcpu find no fault in either kind of file.
func TestSyntax(t *testing.T) {
	for kind, r := range kinds(t) {
		for name, p := range samples() {
			t.Run("ok/"+name+"/"+kind, func(t *testing.T) {
				checkSyntax(t, write(t, render(t, r, p, page(domestic(2)))))
			})
		}
	}
}

// kinds are renderers of the two kinds of file.
func kinds(t *testing.T) map[string]*pdf.Renderer {
	table := renderer(t)
	table.UseTable()
	return map[string]*pdf.Renderer{"stream": renderer(t), "table": table}
}

// as1b turns a file with a table into one that claims PDF/A-1b, without moving
// a byte. PDF/A-1 wants a CIDSet of every subset, PDF/A-2 does not: so the fonts
// no longer say that they are subsets. Object streams came after PDF/A-1.
func as1b(file []byte) []byte {
	for _, edit := range [][2]string{{"<pdfaid:part>2", "<pdfaid:part>1"}, {"conformance>U", "conformance>B"}, {"+NotoSansJP", "-NotoSansJP"}, {"+IPAmj", "-IPAmj"}} {
		file = bytes.ReplaceAll(file, []byte(edit[0]), []byte(edit[1]))
	}
	return file
}

var widths = regexp.MustCompile(`/W \[0\[[\d ]+`)

// PDFBox Preflight validates the 1b variant of every sample, and it finds what
// is not archival. For 2u and tags there is Archive.
func TestPreflight(t *testing.T) {
	r := kinds(t)["table"]
	sets := map[string][]byte{"several pages": render(t, r, page(longest()), page(domestic(3)), page(travel(1)))}
	for name, p := range samples() {
		sets[name] = render(t, r, p)
	}
	sets["broken/intent"] = bytes.ReplaceAll(sets["travel-3"], []byte("/OutputIntents"), []byte("/OutputIntentz"))
	sets["broken/font"] = bytes.Replace(sets["travel-3"], []byte("/FontFile2"), []byte("/FontFile9"), 1)
	sets["broken/widths"] = widths.ReplaceAllFunc(sets["travel-3"], func(list []byte) []byte {
		return bytes.ReplaceAll(list, []byte(" 1000 "), []byte(" 1111 "))
	})
	var paths []string
	names := map[string]string{}
	for name, file := range sets {
		path := write(t, as1b(file))
		paths = append(paths, path)
		names[path] = name
	}
	said := preflight(t, paths...)
	for path, name := range names {
		if valid := strings.Contains(said, path+": valid"); valid == strings.HasPrefix(name, "broken/") {
			t.Errorf("%s valid: %v", name, valid)
		}
	}
	for line := range strings.Lines(said) {
		path, fault, _ := strings.Cut(line, ": ")
		if name := names[path]; !strings.HasPrefix(name, "broken/") && fault != "valid\n" {
			t.Errorf("%s: %s", name, fault)
		}
	}
}

// preflight runs PDFBox 2 as Debian packages it (scripts/install-tools.sh).
func preflight(t *testing.T, paths ...string) string {
	t.Helper()
	var jars []string
	for _, jar := range []string{"preflight", "pdfbox2", "fontbox2", "xmpbox", "commons-logging", "javax.activation", "jaxb-api", "bcprov"} {
		found, _ := filepath.Glob("/usr/share/java/" + jar + ".jar")
		if found == nil {
			testkit.Missing(t, jar+".jar")
		}
		jars = append(jars, found...)
	}
	return run(t, "java", append([]string{"-cp", strings.Join(jars, ":"), filepath.Join("testdata", "Preflight.java")}, paths...)...)
}
