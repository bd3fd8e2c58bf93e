package outside

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate/hcert"
	"akashi/certificate/shc"
	"akashi/internal/cli"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

// page is a certificate that demo wrote: its PDF, and the text of each code by family.
type page struct {
	kind, pdf string
	codes     map[string]string
	dsc       []byte // certificate of the signer of HC1 codes
}

// demo does the whole job once and returns what came out, with the keys of its issuer.
func demo(t *testing.T) (pages []page, jwks []byte) {
	t.Helper()
	dir := t.TempDir()
	parts := cli.Adapters{Open: world.OpenStore}
	var out, errs bytes.Buffer
	if status := cli.Run(t.Context(), []string{"demo", "--out", dir}, strings.NewReader(""), &out, &errs, parts); status != 0 {
		t.Fatalf("status %d: %s", status, errs.String())
	}
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	var result struct {
		Certificates []struct {
			Kind, PDF string
			Codes     []struct{ Family, File string }
		}
	}
	if err := json.Unmarshal([]byte(lines[len(lines)-1]), &result); err != nil {
		t.Fatal(err)
	}
	signers, err := filepath.Glob(filepath.Join(dir, "trust", "health", "*.der"))
	if err != nil || len(signers) != 1 {
		t.Fatalf("%d signers of HC1 codes", len(signers))
	}
	for _, c := range result.Certificates {
		p := page{c.Kind, filepath.Join(dir, c.PDF), map[string]string{}, read(t, signers[0])}
		for _, code := range c.Codes {
			p.codes[code.Family] = string(read(t, filepath.Join(dir, code.File)))
		}
		pages = append(pages, p)
	}
	return pages, read(t, filepath.Join(dir, "trust", "jwks.json"))
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// Issue 2, tried against: others accept our codes, refuse them changed or under another
// key, read them off the page, and find the names in it as they are written.
func TestDemo(t *testing.T) {
	t.Parallel()
	pages, jwks := demo(t)
	kinds := map[string][]string{}
	for _, p := range pages {
		for _, family := range []string{"shc", "vdsnc", "icvp"} {
			if p.codes[family] != "" {
				kinds[p.kind] = append(kinds[p.kind], family)
			}
		}
		t.Run(p.kind, func(t *testing.T) {
			if p.codes["shc"] != "" {
				p.verifyCard(t, jwks)
			}
			if p.codes["vdsnc"] != "" {
				p.verifySeal(t)
			}
			if p.codes["icvp"] != "" {
				p.verifyHealth(t)
			}
			for _, resolution := range []string{"200", "300"} {
				t.Run("codes/"+resolution+" dpi", func(t *testing.T) { t.Parallel(); p.readCodes(t, resolution) })
			}
			t.Run("file", func(t *testing.T) { t.Parallel(); p.checkFile(t) })
			t.Run("text", func(t *testing.T) { t.Parallel(); p.checkText(t) })
		})
	}
	if diff := cmp.Diff(map[string][]string{"travel": {"shc", "vdsnc"}, "domestic": {"shc"}, "icvp": {"icvp"}}, kinds); diff != "" {
		t.Error(diff)
	}
}

func (p page) verifyCard(t *testing.T, jwks []byte) {
	card := p.codes["shc"]
	parts := strings.Split(jws(t, card), ".")
	for _, verifier := range SHCVerifiers {
		t.Run("ok/"+string(verifier), func(t *testing.T) {
			t.Parallel()
			v := VerifySHC(t, verifier, card, signing.TestIssuer, jwks)
			if !v.OK {
				t.Fatal(v.Error)
			}
			var want struct {
				VC struct{ CredentialSubject struct{ FHIRBundle any } }
			}
			var got any
			if json.Unmarshal(p.card(t).Claims, &want) != nil || json.Unmarshal(v.Content, &got) != nil {
				t.Fatal("no JSON")
			}
			if diff := cmp.Diff(want.VC.CredentialSubject.FHIRBundle, got); diff != "" {
				t.Error(diff)
			}
		})
		for name, c := range map[string]struct {
			text string
			keys []byte
		}{
			"bit of the signature":  {numeric(parts[0] + "." + parts[1] + "." + flipped(t, parts[2], 20)), jwks},
			"bit of the payload":    {numeric(parts[0] + "." + flipped(t, parts[1], 200) + "." + parts[2]), jwks},
			"another key, same kid": {card, otherKeys(t, jwks)},
		} {
			t.Run("error/"+string(verifier)+"/"+name, func(t *testing.T) {
				t.Parallel()
				if VerifySHC(t, verifier, c.text, signing.TestIssuer, c.keys).OK {
					t.Error("accepted")
				}
			})
		}
	}
}

func (p page) verifySeal(t *testing.T) {
	text := p.codes["vdsnc"]
	var seal struct {
		Data json.RawMessage
		Sig  struct{ Cer, Sigvl string }
	}
	if err := json.Unmarshal([]byte(text), &seal); err != nil {
		t.Fatal(err)
	}
	t.Run("ok/"+string(pathCheckVDS), func(t *testing.T) {
		t.Parallel()
		if v := VerifyVDS(t, text); !v.OK {
			t.Error(v.Error)
		}
	})
	lot := bytes.Index(seal.Data, []byte(`"lot":"`)) + len(`"lot":"`)
	changed := bytes.Clone(seal.Data)
	changed[lot] ^= 1
	for name, c := range map[string]string{
		"bit of the signature": strings.Replace(text, seal.Sig.Sigvl, flipped(t, seal.Sig.Sigvl, 20), 1),
		"bit of the message":   strings.Replace(text, string(seal.Data), string(changed), 1),
		"another key":          strings.Replace(text, seal.Sig.Cer, otherCertificate(t), 1),
	} {
		t.Run("error/"+string(pathCheckVDS)+"/"+name, func(t *testing.T) {
			t.Parallel()
			if c == text {
				t.Fatal("nothing was changed")
			}
			if VerifyVDS(t, c).OK {
				t.Error("accepted")
			}
		})
	}
}

func (p page) verifyHealth(t *testing.T) {
	text := p.codes["icvp"]
	_, other := newSigner(t)
	for verifier := range healthPrograms {
		t.Run("ok/"+string(verifier), func(t *testing.T) {
			t.Parallel()
			if v := VerifyHealth(t, verifier, text, hcert.KeyID(p.dsc), p.dsc); !v.OK {
				t.Error(v.Error)
			}
		})
		t.Run("error/"+string(verifier)+"/another key, same id", func(t *testing.T) {
			t.Parallel()
			if VerifyHealth(t, verifier, text, hcert.KeyID(p.dsc), other).OK {
				t.Error("accepted")
			}
		})
	}
}

func (p page) readCodes(t *testing.T, resolution string) {
	prefix := filepath.Join(t.TempDir(), "page")
	if out, err := exec.Command(testkit.Tool(t, "pdftoppm"), "-r", resolution, "-png", "-gray", p.pdf, prefix).CombinedOutput(); err != nil {
		t.Fatalf("pdftoppm: %v: %s", err, out)
	}
	pictures, _ := filepath.Glob(prefix + "*.png")
	byReader := map[string][]string{}
	for _, picture := range pictures {
		byReader["zbarimg"] = append(byReader["zbarimg"], zbar(t, picture)...)
		for _, code := range ReadCodes(t, picture) {
			byReader["zxing-wasm"] = append(byReader["zxing-wasm"], code.Text)
		}
	}
	var want []string
	for _, text := range p.codes {
		want = append(want, text)
	}
	slices.Sort(want)
	for _, reader := range []string{"zbarimg", "zxing-wasm"} {
		slices.Sort(byReader[reader])
		if diff := cmp.Diff(want, byReader[reader]); diff != "" {
			t.Errorf("%s: %s", reader, diff)
		}
	}
}

func (p page) checkFile(t *testing.T) {
	out, err := exec.Command(testkit.Tool(t, "qpdf"), "--check", p.pdf).CombinedOutput()
	if err != nil || !strings.Contains(string(out), "No syntax or stream encoding errors found") {
		t.Errorf("qpdf: %v: %s", err, out)
	}
}

// checkText looks for the names of the card: all parts, character by character.
func (p page) checkText(t *testing.T) {
	text, err := exec.Command(testkit.Tool(t, "pdftotext"), "-layout", p.pdf, "-").Output()
	if err != nil {
		t.Fatal(err)
	}
	copied := map[string]string{"pdftotext": string(text)}
	for _, reader := range PDFReaders {
		for _, lines := range PDFText(t, reader, p.pdf) {
			copied[string(reader)] += strings.Join(lines, "\n") + "\n"
		}
	}
	names := 0
	for _, parts := range p.names(t) {
		for _, part := range parts {
			if part == "" {
				continue
			}
			names++
			for by, s := range copied {
				if !strings.Contains(s, part) {
					t.Errorf("%s does not find %q", by, part)
				}
			}
		}
	}
	if want := map[string]int{"travel": 4, "domestic": 2, "icvp": 1}[p.kind]; names != want {
		t.Errorf("%d parts of names, want %d", names, want)
	}
}

// names are the parts of each name that the codes show.
func (p page) names(t *testing.T) (names [][]string) {
	t.Helper()
	if p.codes["icvp"] != "" {
		code, err := hcert.Parse(p.codes["icvp"])
		if err != nil {
			t.Fatal(err)
		}
		return [][]string{{code.ICVP.Name}}
	}
	for _, n := range p.card(t).Bundle.Patients[0].Names {
		names = append(names, append([]string{n.Family, n.Text}, n.Given...))
	}
	return names
}

func (p page) card(t *testing.T) *shc.Card {
	t.Helper()
	c, err := shc.Parse(jws(t, p.codes["shc"]))
	if err != nil {
		t.Fatal(err)
	}
	return c
}
