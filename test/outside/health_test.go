package outside

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/clock"
	"akashi/internal/testkit"
	"akashi/passport"
)

// healthPrograms are the verifiers of HC1 codes, by their packages.
var healthPrograms = map[HealthVerifier]string{DCCUtils: "dcc-utils", PathCheckDCC: "@pathcheck/dcc-sdk"}

// newSigner makes a signer of HC1 codes with a certificate of an invented country.
func newSigner(t *testing.T) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	signer, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	authority, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{Country: []string{"UT"}, CommonName: "Akashi TEST DSC"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &signer.PublicKey, authority)
	if err != nil {
		t.Fatal(err)
	}
	return signer, der
}

func sealed(t *testing.T, signed, signature []byte) string {
	t.Helper()
	text, err := hcert.Seal(signed, signature)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// Issue 5, tried against: others accept our EU certificates and yellow cards, with the same
// content, and refuse them changed or under another key.
func TestHealthCodes(t *testing.T) {
	t.Parallel()
	signer, der := newSigner(t)
	_, other := newSigner(t)
	id := hcert.KeyID(der)
	issuedAt := time.Now().UTC().Truncate(time.Second)
	o := hcert.Options{Country: "UT", Authority: "Ministry of Health", KeyID: id, TokenID: []byte("0123456789abcdef"), Expires: issuedAt.AddDate(0, 0, 1)}
	dcc := func(lastDose clock.Date) []byte {
		product, err := catalogue.Default().Product("comirnaty", "2024-01-01")
		if err != nil {
			t.Fatal(err)
		}
		signed, err := hcert.DraftDCC(certificate.Certificate{
			ID: "ABCDEFGHJKLM", IssuedAt: issuedAt, Subject: certificate.Subject{BirthDate: "1980-01-23", Passport: &passport.Document{
				MRZName: passport.Name{Primary: "KAKUU", Secondary: "HANAKO"}, DataPageName: passport.Name{Primary: "Kakūu", Secondary: "Hanako"},
			}},
			Doses: []certificate.Dose{{Number: 3, VaccinatedOn: lastDose, Product: product, Lot: "3000", Country: "JPN"}},
		}, 0, o)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	icvp := func(batch string) []byte {
		signed, err := hcert.DraftICVP(hcert.ICVP{
			Generation: 3, Template: hcert.TemplateVersion, Name: "KAKUU Hanako", BirthDate: "1990-02-28", Sex: "female", Nationality: "JPN",
			DocumentType: hcert.PassportDocument, DocumentNumber: passport.NewNumber("XS1234567"), Product: "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0",
			Date: "2026-01-18", Batch: batch, Clinician: "Dr A. Example", Authority: "JPN",
		}, issuedAt, o)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	for kind, drafts := range map[string][2][]byte{"dcc": {dcc("2021-07-07"), dcc("2021-07-08")}, "icvp": {icvp("LOT-1"), icvp("LOT-2")}} {
		digest := sha256.Sum256(drafts[0])
		r, s, err := ecdsa.Sign(rand.Reader, signer, digest[:])
		if err != nil {
			t.Fatal(err)
		}
		signature := make([]byte, 64)
		r.FillBytes(signature[:32])
		s.FillBytes(signature[32:])
		flipped := bytes.Clone(signature)
		flipped[20] ^= 1
		good := sealed(t, drafts[0], signature)
		for verifier := range healthPrograms {
			t.Run("ok/"+kind+"/"+string(verifier), func(t *testing.T) {
				t.Parallel()
				v := VerifyHealth(t, verifier, good, id, der)
				if !v.OK {
					t.Fatal(v.Error)
				}
				if kind == "dcc" {
					sameDCC(t, good, v.Content)
				}
			})
			for name, c := range map[string]struct {
				text string
				der  []byte
			}{
				"bit of the signature": {sealed(t, drafts[0], flipped), der}, "another content": {sealed(t, drafts[1], signature), der}, "another key, same id": {good, other},
			} {
				t.Run("error/"+kind+"/"+string(verifier)+"/"+name, func(t *testing.T) {
					t.Parallel()
					if VerifyHealth(t, verifier, c.text, id, c.der).OK {
						t.Error("accepted")
					}
				})
			}
		}
	}
}

// sameDCC compares what an outsider read with what our own reader reads.
func sameDCC(t *testing.T, text string, content json.RawMessage) {
	t.Helper()
	code, err := hcert.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	var got struct {
		Name  struct{ FN, GN, FNT, GNT string } `json:"nam"`
		DOB   string
		Doses []struct {
			MP, DT, CI, CO string
			DN, SD         int
		} `json:"v"`
	}
	if err := json.Unmarshal(content, &got); err != nil || len(got.Doses) != 1 {
		t.Fatalf("%s: %v", content, err)
	}
	d, n := got.Doses[0], got.Name
	theirs := hcert.DCC{
		Version: code.DCC.Version, Name: hcert.DCCName{Surname: n.FN, Forename: n.GN, SurnameT: n.FNT, ForenameT: n.GNT}, BirthDate: got.DOB,
		Target: code.DCC.Target, Country: d.CO, Authority: code.DCC.Authority, ID: d.CI, Vaccination: &hcert.DCCVaccination{
			Prophylaxis: code.DCC.Vaccination.Prophylaxis, Product: d.MP, Manufacturer: code.DCC.Vaccination.Manufacturer, Dose: d.DN, Series: d.SD, Date: clock.Date(d.DT),
		},
	}
	if diff := cmp.Diff(*code.DCC, theirs); diff != "" {
		t.Error(diff)
	}
}

// otherHealth asks about the generated HC1 codes and the common ones of the Member States.
func otherHealth(t *testing.T, found *tally) {
	var file struct {
		Cases []struct {
			ID, QR, Expect, Note string
			Certificate          []byte
			Clock                time.Time `json:"validation_clock"`
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "dcc/synthetic/hostile-and-gaps.json"), &file); err != nil {
		t.Fatal(err)
	}
	accepted := map[string]bool{"exp-after-dsc": true, "leading-space": true} // though not called valid
	for _, c := range file.Cases {
		good := strings.HasPrefix(c.Expect, "valid") || accepted[c.ID]
		askHealth(t, found, "dcc/synthetic/hostile-and-gaps.json: "+c.ID, c.QR, c.Certificate, c.Clock, good, c.Note)
	}
	files, err := filepath.Glob(testkit.Shared(t, "dcc/cases/common") + "/*.json")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		var c struct {
			Code    string `json:"PREFIX"`
			Context struct {
				Certificate, Description string
				Clock                    string `json:"VALIDATIONCLOCK"`
			} `json:"TESTCTX"`
			Expected map[string]bool `json:"EXPECTEDRESULTS"`
		}
		name = "dcc/cases/common/" + filepath.Base(name)
		if err := json.Unmarshal(testkit.Read(t, name), &c); err != nil {
			t.Fatal(err)
		}
		good := true
		for _, passes := range c.Expected {
			good = good && passes
		}
		at, err := time.Parse(time.RFC3339, c.Context.Clock)
		if err != nil {
			t.Fatal(err)
		}
		askHealth(t, found, name, c.Code, derOf(t, c.Context.Certificate), at, good, c.Context.Description)
	}
}

func derOf(t *testing.T, text string) []byte {
	t.Helper()
	if block, _ := pem.Decode([]byte(text)); block != nil {
		return block.Bytes
	}
	der, err := base64.StdEncoding.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return der
}

func askHealth(t *testing.T, found *tally, file, text string, der []byte, at time.Time, good bool, why string) {
	t.Helper()
	manifest, err := json.Marshal(map[string]any{"version": 1, "health": []any{map[string]any{"kid": hcert.KeyID(der), "participant": "XX", "certificate": "a.der"}}})
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := trust.Load(fstest.MapFS{"manifest.json": {Data: manifest}, "a.der": {Data: der}})
	if err != nil {
		t.Fatal(err)
	}
	if v := verify.Text(text, b, at); (v.Outcome == verify.Valid) != good {
		t.Errorf("%s: akashi says %s, %v", file, v.Outcome, v.Facets)
	}
	for verifier, program := range healthPrograms {
		t.Run(string(verifier)+"/"+file, func(t *testing.T) {
			t.Parallel()
			found.verdict(program, file, good, VerifyHealth(t, verifier, text, hcert.KeyID(der), der).OK, why)
		})
	}
}
