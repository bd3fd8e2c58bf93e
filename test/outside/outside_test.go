package outside

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-pdf/fpdf"
	"github.com/google/go-cmp/cmp"

	"akashi/internal/testkit"
)

const sampleIssuer = "https://spec.smarthealth.cards/examples/issuer"

func sampleKeys(t *testing.T) []byte { return testkit.Read(t, "shc/keys/sample-issuer.jwks.json") }

func sampleCard(t *testing.T) string {
	return strings.TrimSpace(string(testkit.Read(t, "shc/hl7-examples/example-00-f-qr-code-numeric-value-0.txt")))
}

func TestVerifySHC(t *testing.T) {
	t.Parallel()
	card, keys := sampleCard(t), sampleKeys(t)
	parts := strings.Split(jws(t, card), ".")
	var payload struct {
		VC struct{ CredentialSubject struct{ FHIRBundle any } }
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/hl7-examples/example-00-c-jws-payload-minified.json"), &payload); err != nil {
		t.Fatal(err)
	}
	for _, verifier := range SHCVerifiers {
		t.Run("ok/"+string(verifier), func(t *testing.T) {
			v := VerifySHC(t, verifier, card, sampleIssuer, keys)
			if !v.OK {
				t.Fatalf("the sample card is refused: %s", v.Error)
			}
			var bundle any
			if err := json.Unmarshal(v.Content, &bundle); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(payload.VC.CredentialSubject.FHIRBundle, bundle); diff != "" {
				t.Error(diff)
			}
		})
		for name, c := range map[string]struct {
			text, issuer string
			keys         []byte
		}{
			"bit of the signature":     {numeric(parts[0] + "." + parts[1] + "." + flipped(t, parts[2], 20)), sampleIssuer, keys},
			"bit of the payload":       {numeric(parts[0] + "." + flipped(t, parts[1], 200) + "." + parts[2]), sampleIssuer, keys},
			"another key, same kid":    {card, sampleIssuer, otherKeys(t, keys)},
			"no such kid":              {card, sampleIssuer, []byte(`{"keys":[]}`)},
			"keys of another issuer":   {card, "https://issuer.example", keys},
			"signature of no length":   {numeric(parts[0] + "." + parts[1] + "."), sampleIssuer, keys},
			"without a signature part": {numeric(parts[0] + "." + parts[1]), sampleIssuer, keys},
		} {
			t.Run("error/"+string(verifier)+"/"+name, func(t *testing.T) {
				if v := VerifySHC(t, verifier, c.text, c.issuer, c.keys); v.OK {
					t.Error("accepted")
				}
			})
		}
	}
	t.Run("ok/card file", func(t *testing.T) {
		file := string(testkit.Read(t, "shc/hl7-examples/example-00-e-file.smart-health-card"))
		if v := VerifySHC(t, KillTheClipboard, file, sampleIssuer, keys); !v.OK {
			t.Error(v.Error)
		}
	})
}

func TestVerifyVDS(t *testing.T) {
	t.Parallel()
	sample := string(testkit.Read(t, "vdsnc/real/uto-tr-example-two-doses.json"))
	var seal struct {
		Sig struct{ Cer, Sigvl string }
	}
	if err := json.Unmarshal([]byte(sample), &seal); err != nil {
		t.Fatal(err)
	}
	t.Run("ok/sample", func(t *testing.T) {
		v := VerifyVDS(t, sample)
		if !v.OK {
			t.Fatalf("refused: %s", v.Error)
		}
		var want, got any
		if err := json.Unmarshal([]byte(sample), &want); err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(v.Content, &got); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Error(diff)
		}
	})
	for name, text := range map[string]string{
		"bit of the signature": strings.Replace(sample, seal.Sig.Sigvl, flipped(t, strings.TrimRight(seal.Sig.Sigvl, "="), 20)+"==", 1),
		"bit of the message":   strings.Replace(sample, "Smith Bill", "Smith Bilm", 1),
		"another key":          strings.Replace(sample, seal.Sig.Cer, otherCertificate(t), 1),
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if text == sample {
				t.Fatal("nothing was changed")
			}
			if v := VerifyVDS(t, text); v.OK {
				t.Error("accepted")
			}
		})
	}
}

func TestReadCodes(t *testing.T) {
	t.Parallel()
	t.Run("ok/one segment", func(t *testing.T) {
		codes := ReadCodes(t, testkit.Shared(t, "shc/vaccination-ig/Scenario1Bundle-qr-code-0.png"))
		want := strings.TrimSpace(string(testkit.Read(t, "shc/vaccination-ig/Scenario1Bundle-qr-code-numeric-value-0.txt")))
		if len(codes) != 1 || codes[0].Text != want || codes[0].Version == 0 || codes[0].Level == "" || len(codes[0].Corners) != 4 {
			t.Errorf("read %+v", codes)
		}
	})
	t.Run("error/no code", func(t *testing.T) {
		if codes := ReadCodes(t, testkit.Shared(t, "shc/qr/test-example-00-g-qr-code-0-corrupted.png")); len(codes) != 0 {
			t.Errorf("read %+v", codes)
		}
	})
}

func TestPDFText(t *testing.T) {
	t.Parallel()
	pdf := filepath.Join(t.TempDir(), "two-pages.pdf")
	doc := fpdf.New("P", "mm", "A4", "")
	doc.SetFont("Helvetica", "", 12)
	for _, page := range [][]string{{"first line", "second line"}, {"last page"}} {
		doc.AddPage()
		for _, line := range page {
			doc.CellFormat(0, 10, line, "", 1, "", false, 0, "")
		}
	}
	if err := doc.OutputFileAndClose(pdf); err != nil {
		t.Fatal(err)
	}
	for _, reader := range PDFReaders {
		t.Run("ok/"+string(reader), func(t *testing.T) {
			if diff := cmp.Diff([][]string{{"first line", "second line"}, {"last page"}}, PDFText(t, reader, pdf)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

// numeric returns the digits of a compact JWS: two for each character, its code minus 45.
func numeric(jws string) string {
	var b strings.Builder
	b.WriteString("shc:/")
	for _, c := range []byte(jws) {
		fmt.Fprintf(&b, "%02d", c-45)
	}
	return b.String()
}

// jws undoes numeric.
func jws(t *testing.T, card string) string {
	t.Helper()
	digits := strings.TrimPrefix(card, "shc:/")
	var b strings.Builder
	for i := 0; i+1 < len(digits); i += 2 {
		b.WriteByte((digits[i]-'0')*10 + digits[i+1] - '0' + 45)
	}
	if numeric(b.String()) != card {
		t.Fatal("not the digits of a JWS")
	}
	return b.String()
}

// flipped changes one bit of the byte at the index in base64url text without padding.
func flipped(t *testing.T, text string, index int) string {
	t.Helper()
	b, err := base64.RawURLEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	b[index] ^= 1
	return base64.RawURLEncoding.EncodeToString(b)
}

// otherKeys replaces the point of each signing key; the key ids stay.
func otherKeys(t *testing.T, jwks []byte) []byte {
	t.Helper()
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if err := json.Unmarshal(jwks, &set); err != nil {
		t.Fatal(err)
	}
	for _, key := range set.Keys {
		point, err := newKey(t).PublicKey.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		key["x"] = base64.RawURLEncoding.EncodeToString(point[1:33])
		key["y"] = base64.RawURLEncoding.EncodeToString(point[33:])
		delete(key, "x5c")
	}
	out, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// otherCertificate returns a self-signed certificate, base64url with padding.
func otherCertificate(t *testing.T) string {
	t.Helper()
	key := newKey(t)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1),
		NotBefore:    time.Date(2021, 4, 7, 0, 0, 0, 0, time.UTC),
		NotAfter:     time.Date(2031, 4, 7, 0, 0, 0, 0, time.UTC),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return base64.URLEncoding.EncodeToString(der)
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}
