package issuance_test

import (
	"bytes"
	"compress/flate"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/go-pdf/fpdf"
	"github.com/gowebpki/jcs"
	"github.com/lestrrat-go/jwx/v2/jwa"
	"github.com/lestrrat-go/jwx/v2/jws"
	"github.com/skip2/go-qrcode"

	"akashi/certificate"
	"akashi/certificate/shc"
	"akashi/certificate/vdsnc"
	"akashi/internal/issuance"
	"akashi/templates"
)

// straight issues with the libraries alone, each used as its manual shows.
type straight struct {
	certificate certificate.Certificate
	claims      map[string]any // of the health card
	data        map[string]any // of the bar code
	signer      string         // its certificate
	keyID       string
	key         *ecdsa.PrivateKey
	font        []byte
}

func newStraight(b *testing.B, i issuance.Issue) *straight {
	b.Helper()
	s := &straight{certificate: i.Certificate}
	for _, p := range i.Payloads {
		var err error
		switch p.Family {
		case certificate.SHC:
			jws, _, _ := shc.FromNumeric(p.Text)
			card, parseErr := shc.Parse(jws)
			if parseErr != nil {
				b.Fatal(parseErr)
			}
			s.keyID = p.KeyID
			err = json.Unmarshal(card.Claims, &s.claims)
		case certificate.VDSNC:
			barcode, parseErr := vdsnc.Parse(p.Text)
			if parseErr != nil {
				b.Fatal(parseErr)
			}
			s.signer = base64.URLEncoding.EncodeToString(barcode.Signer.Raw)
			err = json.Unmarshal(barcode.Signed, &s.data)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
	var err error
	if s.key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		b.Fatal(err)
	}
	if s.font, err = templates.Fonts.ReadFile("fonts/NotoSansJP-Regular.ttf"); err != nil {
		b.Fatal(err)
	}
	return s
}

// issue returns the page with both codes.
func (s *straight) issue(b *testing.B) []byte {
	card, err := s.card()
	if err != nil {
		b.Fatal(err)
	}
	barcode, err := s.barcode()
	if err != nil {
		b.Fatal(err)
	}
	page, err := s.page(barcode, card)
	if err != nil {
		b.Fatal(err)
	}
	return page
}

func (s *straight) card() (string, error) {
	text, err := json.Marshal(s.claims)
	if err != nil {
		return "", err
	}
	var packed bytes.Buffer
	w, err := flate.NewWriter(&packed, flate.BestCompression)
	if err != nil {
		return "", err
	}
	_, _ = w.Write(text)
	if err := w.Close(); err != nil {
		return "", err
	}
	header := jws.NewHeaders()
	for name, value := range map[string]any{"kid": s.keyID, "zip": "DEF"} {
		if err := header.Set(name, value); err != nil {
			return "", err
		}
	}
	signed, err := jws.Sign(packed.Bytes(), jws.WithKey(jwa.ES256, s.key, jws.WithProtectedHeaders(header)))
	if err != nil {
		return "", err
	}
	var digits strings.Builder
	for _, c := range signed {
		fmt.Fprintf(&digits, "%02d", c-45)
	}
	return "shc:/" + digits.String(), nil
}

func (s *straight) barcode() (string, error) {
	text, err := json.Marshal(s.data)
	if err != nil {
		return "", err
	}
	canonical, err := jcs.Transform(text)
	if err != nil {
		return "", err
	}
	digest := sha256.Sum256(canonical)
	r, t, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		return "", err
	}
	signature := append(r.FillBytes(make([]byte, 32)), t.FillBytes(make([]byte, 32))...)
	sealed, err := json.Marshal(map[string]any{"data": s.data, "sig": map[string]string{
		"alg": "ES256", "cer": s.signer, "sigvl": base64.RawURLEncoding.EncodeToString(signature),
	}})
	if err != nil {
		return "", err
	}
	sealed, err = jcs.Transform(sealed)
	return string(sealed), err
}

func (s *straight) page(codes ...string) ([]byte, error) {
	c := s.certificate
	f := fpdf.New("P", "mm", "A4", "")
	f.AddUTF8FontFromBytes("jp", "", s.font)
	f.AddPage()
	f.SetFont("jp", "", 11)
	lines := []string{
		"新型コロナウイルス感染症予防接種証明書", "Vaccination Certificate of COVID-19",
		"氏名 Name " + c.Subject.Name.Family + " " + c.Subject.Name.Given, "生年月日 Date of birth " + string(c.Subject.BirthDate),
		"旅券番号 Passport number " + c.Subject.Passport.Number.Reveal(), "証明書ID Certificate identifier " + c.ID,
		"発行日 Date of issue " + string(c.IssuedOn),
	}
	for _, d := range c.Doses {
		lines = append(lines, fmt.Sprintf("%d回目 %s %s %s %s", d.Number, d.VaccinatedOn, d.Product.NameEN, d.Product.NameJA, d.Lot))
	}
	lines = append(append(lines, c.Issuer.Japanese...), c.Issuer.English...)
	for _, line := range lines {
		f.CellFormat(0, 7, line, "", 1, "", false, 0, "")
	}
	for n, text := range codes {
		code, err := qrcode.New(text, qrcode.Low)
		if err != nil {
			return nil, err
		}
		image, err := code.PNG(-8)
		if err != nil {
			return nil, err
		}
		name := fmt.Sprint("code", n)
		f.RegisterImageOptionsReader(name, fpdf.ImageOptions{ImageType: "PNG"}, bytes.NewReader(image))
		f.ImageOptions(name, 15+float64(n)*90, 180, 80, 80, false, fpdf.ImageOptions{}, 0, "")
	}
	var out bytes.Buffer
	err := f.Output(&out)
	return out.Bytes(), err
}
