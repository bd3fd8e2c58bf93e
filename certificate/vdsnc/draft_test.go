package vdsnc

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/qr"
	"akashi/internal/clock"
	"akashi/internal/strictjson"
	"akashi/internal/testkit"
	"akashi/passport"
	"akashi/signing/pki"
)

const issuer = "UTO"

var comirnaty = catalogue.Product{Brand: "COMIRNATY", Disease: "RA01.0", ICD11Class: "XM0GQ8"}

// specimen is the invented person of Japan's published specimen.
func specimen() certificate.Certificate {
	dose := func(n int, on clock.Date, lot string) certificate.Dose {
		return certificate.Dose{Number: n, VaccinatedOn: on, Product: comirnaty, Lot: lot, Country: "JPN"}
	}
	return certificate.Certificate{
		ID: "6U5RSWMBASG2", AI: "JPN90000120211209200002", Kind: certificate.Travel, Programme: "covid19",
		Subject: certificate.Subject{
			BirthDate: "1991-02-18",
			Passport: &passport.Document{
				MRZName: passport.Name{Primary: "MIYAKE", Secondary: "SHOTA"}, Number: passport.NewNumber("TK0000000"), BirthDate: "1991-02-18",
			},
		},
		Doses: []certificate.Dose{dose(1, "2021-03-01", "FC9880"), dose(2, "2021-03-23", "FE8206"), dose(3, "2021-12-01", "FE9787")},
	}
}

type testSigner struct {
	key       *ecdsa.PrivateKey
	der       []byte
	authority *pki.Certificate
}

func newSigner(t testing.TB) testSigner {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	root, err := ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	must(err)
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	must(err)
	from := time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	ca, err := pki.CreateAuthority(pki.AuthorityTemplate{Country: "UT", Organization: "Utopia", CommonName: "TEST CSCA", NotBefore: from, NotAfter: from.AddDate(15, 0, 0)}, root)
	must(err)
	der, err := pki.CreateBarcodeSigner(pki.SignerTemplate{
		Country: "UT", CommonName: "01", NotBefore: from, NotAfter: from.AddDate(10, 0, 0),
		UsageFrom: from, UsageTo: from.AddDate(1, 3, 0), DocumentTypes: []string{"NV"},
	}, &key.PublicKey, ca, root)
	must(err)
	authority, err := pki.ParseCertificate(ca)
	must(err)
	return testSigner{key, der, authority}
}

func (s testSigner) sign(t testing.TB, data []byte) []byte {
	t.Helper()
	digest := sha256.Sum256(data)
	r, v, err := ecdsa.Sign(rand.Reader, s.key, digest[:])
	if err != nil {
		t.Fatal(err)
	}
	return append(r.FillBytes(make([]byte, 32)), v.FillBytes(make([]byte, 32))...)
}

func (s testSigner) seal(t testing.TB, c certificate.Certificate) string {
	t.Helper()
	data, err := Draft(c, issuer)
	if err != nil {
		t.Fatal(err)
	}
	text, err := Seal(data, s.sign(t, data), s.der)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// certificate-japan, 6.1: the specimen comes out byte for byte, up to the signature.
func TestSpecimen(t *testing.T) {
	real, err := Parse(string(testkit.Read(t, "vdsnc/real/jpn-three-doses.json")))
	if err != nil {
		t.Fatal(err)
	}
	data, err := Draft(specimen(), "JPN")
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(data, real.Signed) || len(data) != 589 {
		t.Errorf("%d bytes: %s", len(data), data)
	}
	text, err := Seal(data, real.Signature, real.Signer.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if len(text) != 1786 { // spec icao-vds-nc, 3
		t.Errorf("%d bytes, want 1786", len(text))
	}
	if differ := Compare(specimen(), "JPN", real); differ != nil {
		t.Errorf("differs in %v", differ)
	}
	if segments := Segments(text); len(segments) != 1 || segments[0] != (qr.Segment{Mode: qr.Byte, Text: text}) {
		t.Error("not one byte segment")
	}
}

func TestRoundTrip(t *testing.T) {
	signer := newSigner(t)
	cases := map[string]func(c *certificate.Certificate){
		"ok/three doses": func(*certificate.Certificate) {},
		"ok/one dose":    func(c *certificate.Certificate) { c.Doses = c.Doses[2:] },
		"ok/without ai":  func(c *certificate.Certificate) { c.AI = "" },
		"ok/one name":    func(c *certificate.Certificate) { c.Subject.Passport.MRZName = passport.Name{Primary: "ARKFREITH"} },
		"ok/day of birth unknown to the passport": func(c *certificate.Certificate) {
			c.Subject.Passport.BirthDate = "1991-02"
		},
		"ok/signs that JSON or HTML would escape": func(c *certificate.Certificate) { c.Doses[0].Lot = "A&B/'~+" },
		"ok/longest": func(c *certificate.Certificate) {
			c.AI = strings.Repeat("Z", 24)
			c.Subject.Passport.MRZName = passport.Name{Primary: strings.Repeat("A", 20), Secondary: strings.Repeat("B", 17)}
			for range 2 {
				c.Doses = append(c.Doses, c.Doses[0])
			}
			for i := range c.Doses {
				c.Doses[i].Number, c.Doses[i].Lot = 95+i, strings.Repeat("L", 20)
			}
		},
	}
	for name, change := range cases {
		t.Run(name, func(t *testing.T) {
			c := specimen()
			change(&c)
			text := signer.seal(t, c)
			b, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if err := b.CheckSignature(); err != nil {
				t.Error(err)
			}
			if differ := Compare(c, issuer, b); differ != nil {
				t.Errorf("differs in %v", differ)
			}
			at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
			if err := SignerRules(b.Signer, signer.authority, b.Type, b.Issuer, at); err != nil {
				t.Error(err)
			}
			if warnings := b.Warnings(at); len(warnings) > 0 || len(b.Notes) > 0 || len(b.Unknown) > 0 {
				t.Errorf("remarks: %v %v %v", warnings, b.Notes, b.Unknown)
			}
			if !strings.Contains(text, `","sigvl":"`+base64.RawURLEncoding.EncodeToString(b.Signature)+`"}}`) || !strings.Contains(text, base64.URLEncoding.EncodeToString(signer.der)) {
				t.Error("cer must be padded and sigvl must not")
			}
		})
	}
}

// Spec icao-vds-nc, 1.1 and 1.3: each field that cannot be written is named, with the reason.
func TestDraftErrors(t *testing.T) {
	type change = func(c *certificate.Certificate)
	dose := func(f func(d *certificate.Dose)) change {
		return func(c *certificate.Certificate) { f(&c.Doses[1]) }
	}
	cases := map[string]struct {
		change      change
		code, field string
	}{
		"domestic":             {func(c *certificate.Certificate) { c.Kind = certificate.Domestic }, "not_for_travel", "kind"},
		"no passport":          {func(c *certificate.Certificate) { c.Subject.Passport = nil }, "missing", "subject.passport"},
		"no doses":             {func(c *certificate.Certificate) { c.Doses = nil }, "missing", "doses"},
		"six doses":            {func(c *certificate.Certificate) { c.Doses = slices.Repeat(c.Doses, 2) }, "too_many", "doses"},
		"no id":                {func(c *certificate.Certificate) { c.ID = "" }, "missing", "id"},
		"id of 13":             {func(c *certificate.Certificate) { c.ID += "A" }, "too_long", "id"},
		"ai of 25":             {func(c *certificate.Certificate) { c.AI += "AA" }, "too_long", "ai"},
		"no name":              {func(c *certificate.Certificate) { c.Subject.Passport.MRZName = passport.Name{} }, "missing", "subject.passport.mrz_name"},
		"name in kanji":        {func(c *certificate.Certificate) { c.Subject.Passport.MRZName.Primary = "三宅" }, "character_not_allowed", "subject.passport.mrz_name"},
		"number of 12":         {func(c *certificate.Certificate) { c.Subject.Passport.Number = passport.NewNumber("TK0000000000") }, "too_long", "subject.passport.number"},
		"no number":            {func(c *certificate.Certificate) { c.Subject.Passport.Number = passport.Number{} }, "missing", "subject.passport.number"},
		"filler in number":     {func(c *certificate.Certificate) { c.Subject.Passport.Number = passport.NewNumber("TK<") }, "character_not_allowed", "subject.passport.number"},
		"impossible birth":     {func(c *certificate.Certificate) { c.Subject.BirthDate = "1991-02-30" }, "not_a_full_date", "subject.birth_date"},
		"month of vaccination": {dose(func(d *certificate.Dose) { d.VaccinatedOn = "2021-03" }), "not_a_full_date", "doses[1].vaccinated_on"},
		"dose 0":               {dose(func(d *certificate.Dose) { d.Number = 0 }), "out_of_range", "doses[1].number"},
		"dose 100":             {dose(func(d *certificate.Dose) { d.Number = 100 }), "out_of_range", "doses[1].number"},
		"country JP":           {dose(func(d *certificate.Dose) { d.Country = "JP" }), "not_a_country", "doses[1].country"},
		"no lot":               {dose(func(d *certificate.Dose) { d.Lot = "" }), "missing", "doses[1].lot"},
		"lot of 21":            {dose(func(d *certificate.Dose) { d.Lot = strings.Repeat("L", 21) }), "too_long", "doses[1].lot"},
		"Japanese lot":         {dose(func(d *certificate.Dose) { d.Lot = "不明" }), "character_not_allowed", "doses[1].lot"},
		"quotation mark":       {dose(func(d *certificate.Dose) { d.Lot = `A"B` }), "character_not_allowed", "doses[1].lot"},
		"blank at the end":     {dose(func(d *certificate.Dose) { d.Lot = "AB " }), "character_not_allowed", "doses[1].lot"},
		"no class":             {dose(func(d *certificate.Dose) { d.Product.ICD11Class = "" }), "missing", "doses[1].product.icd11_class"},
		"no disease":           {dose(func(d *certificate.Dose) { d.Product.Disease = "" }), "missing", "doses[1].product.disease"},
		"no brand":             {dose(func(d *certificate.Dose) { d.Product.Brand = "" }), "missing", "doses[1].product.brand"},
		"brand in brackets":    {dose(func(d *certificate.Dose) { d.Product.Brand = "COMIRNATY (BA.1)" }), "character_not_allowed", "doses[1].product.brand"},
	}
	for name, test := range cases {
		t.Run("error/"+name, func(t *testing.T) {
			c := specimen()
			test.change(&c)
			_, err := Draft(c, issuer)
			if want := (&Error{StepDraft, test.code, test.field}); !reflectError(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
	t.Run("error/issuer", func(t *testing.T) {
		for _, state := range []string{"", "JP", "jpn", "JPNX"} {
			if _, err := Draft(specimen(), state); !reflectError(err, &Error{StepDraft, "not_a_country", "issuer"}) {
				t.Errorf("%q: %v", state, err)
			}
		}
	})
}

func reflectError(err error, want *Error) bool {
	var e *Error
	return errors.As(err, &e) && *e == *want
}

func TestSealErrors(t *testing.T) {
	signer := newSigner(t)
	data, err := Draft(specimen(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	signature := signer.sign(t, data)
	cases := map[string]struct {
		data, signature, der []byte
		code, field          string
	}{
		"not canonical":         {append([]byte(" "), data...), signature, signer.der, "not_canonical", "data"},
		"not JSON":              {[]byte("x"), signature, signer.der, "not_canonical", "data"},
		"short signature":       {data, signature[:63], signer.der, "signature_length", "sig.sigvl"},
		"no certificate":        {data, signature, nil, "not_a_certificate", "sig.cer"},
		"key of the wrong kind": {data, signature, signer.authority.Raw, "key", "sig.cer"},
		"too long":              {fmt.Appendf(nil, `{"x":"%s"}`, strings.Repeat("x", 2500)), signature, signer.der, "too_long", ""},
	}
	for name, c := range cases {
		t.Run("error/"+name, func(t *testing.T) {
			if _, err := Seal(c.data, c.signature, c.der); !reflectError(err, &Error{StepDraft, c.code, c.field}) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Spec icao-vds-nc, 5: a name that does not fit is shortened as in the machine readable zone.
func TestLongName(t *testing.T) {
	c := specimen()
	c.Subject.Passport.MRZName = passport.Name{Primary: "NILAVADHANANANDA", Secondary: "CHAYAPA DEJTHAMRONG KRASUANG"}
	b, err := Parse(newSigner(t).seal(t, c))
	if err != nil {
		t.Fatal(err)
	}
	if want := "NILAVADHANANANDA CHAYAPA DEJTHAMRONG K"; b.Person.Name != want {
		t.Errorf("name %q, want %q", b.Person.Name, want)
	}
	if differ := Compare(c, issuer, b); differ != nil {
		t.Errorf("differs in %v", differ)
	}
}

// Any one field of a barcode that says something else is named, and so is one left out or added.
func TestCompareNamesEachField(t *testing.T) {
	signer := newSigner(t)
	c := specimen()
	data, err := Draft(c, issuer)
	if err != nil {
		t.Fatal(err)
	}
	other := map[string]any{
		"data.hdr.is": "JPN", "data.hdr.t": nil, "data.hdr.v": nil, "data.msg.uvci": "AAAAAAAAAAAA",
		"data.msg.pid.ai": "X", "data.msg.pid.dob": "1991-02-19", "data.msg.pid.i": "TK0000001", "data.msg.pid.n": "MIYAKE SHOTO",
		"des": "XM68M6", "dis": "RA01.1", "nam": "OTHER", "adm": "X", "ctr": "AUS", "dvc": "2021-03-02", "lot": "X", "seq": 9,
	}
	tree, err := strictjson.Parse(data, maxDepth)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]any{}
	leaves(tree, "data", all)
	mutated := 0
	for path := range all {
		value, ok := other[path]
		if !ok {
			value, ok = other[path[strings.LastIndex(path, ".")+1:]]
		}
		if !ok {
			t.Fatalf("no other value for %s", path)
		}
		if value == nil { // the type and version: nothing else is read
			continue
		}
		mutated++
		t.Run("error/"+path, func(t *testing.T) {
			b := reseal(t, signer, data, path, value)
			if err := b.CheckSignature(); err != nil {
				t.Fatal(err)
			}
			if differ := Compare(c, issuer, b); !slices.Equal(differ, []string{path}) {
				t.Errorf("named %v", differ)
			}
		})
	}
	if mutated != 6+8*len(c.Doses) {
		t.Errorf("%d fields mutated", mutated)
	}
	for _, path := range []string{"data.msg.pid.sex", "data.msg.note", "data.msg.ve[0].vd[0].dvn"} {
		t.Run("error/added "+path, func(t *testing.T) {
			value := map[bool]string{true: "M", false: "2022-01-01"}[strings.HasSuffix(path, "sex")]
			if differ := Compare(c, issuer, reseal(t, signer, data, path, value)); !slices.Equal(differ, []string{path}) {
				t.Errorf("named %v", differ)
			}
		})
	}
	t.Run("error/a dose less", func(t *testing.T) {
		shorter := specimen()
		shorter.Doses = shorter.Doses[:2]
		b, err := Parse(signer.seal(t, shorter))
		if err != nil {
			t.Fatal(err)
		}
		if differ := Compare(c, issuer, b); len(differ) != 8 || !strings.HasPrefix(differ[0], "data.msg.ve[2].") {
			t.Errorf("named %v", differ)
		}
	})
}

// reseal changes one member of data, signs again and reads the result.
func reseal(t *testing.T, signer testSigner, data []byte, path string, value any) *Barcode {
	t.Helper()
	tree, err := strictjson.Parse(data, maxDepth)
	if err != nil {
		t.Fatal(err)
	}
	node := tree.(map[string]any)
	steps := strings.Split(strings.TrimPrefix(path, "data."), ".")
	for _, step := range steps[:len(steps)-1] {
		name, index, isList := strings.Cut(strings.TrimSuffix(step, "]"), "[")
		child := node[name]
		if isList {
			child = child.([]any)[int(index[0]-'0')]
		}
		node = child.(map[string]any)
	}
	node[steps[len(steps)-1]] = value
	changed, err := json.Marshal(tree) // sorted, and without anything to escape
	if err != nil {
		t.Fatal(err)
	}
	text, err := Seal(changed, signer.sign(t, changed), signer.der)
	if err != nil {
		t.Fatal(err)
	}
	b, err := Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func encodeBase64(b []byte) string { return base64.URLEncoding.EncodeToString(b) }

func BenchmarkDraft(b *testing.B) {
	c := specimen()
	for b.Loop() {
		if _, err := Draft(c, issuer); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := newSigner(b).seal(b, specimen())
	for b.Loop() {
		if _, err := Parse(text); err != nil {
			b.Fatal(err)
		}
	}
}

// leaves lists the values of a tree by path.
func leaves(v any, path string, out map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			leaves(child, path+"."+name, out)
		}
	case []any:
		for i, child := range v {
			leaves(child, path+"["+strconv.Itoa(i)+"]", out)
		}
	default:
		out[path] = v
	}
}
