package vdsnc

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"encoding/json"
	"strconv"
	"strings"
	"unicode/utf8"

	"akashi/certificate"
	"akashi/certificate/qr"
	"akashi/internal/clock"
	"akashi/passport"
)

// The members as written, as Japan did (certificate-japan, 6.1): one event per dose, no sex.
type (
	data struct {
		Header  header  `json:"hdr"`
		Message message `json:"msg"`
	}
	header struct {
		Issuer  string `json:"is"`
		Type    string `json:"t"`
		Version int    `json:"v"`
	}
	message struct {
		Person pid     `json:"pid"`
		ID     string  `json:"uvci"`
		Events []event `json:"ve"`
	}
	pid struct {
		OtherID   string `json:"ai,omitempty"`
		BirthDate string `json:"dob,omitempty"`
		Number    string `json:"i"`
		Name      string `json:"n"`
	}
	event struct {
		Vaccine string  `json:"des"`
		Disease string  `json:"dis"`
		Brand   string  `json:"nam"`
		Doses   [1]dose `json:"vd"`
	}
	dose struct {
		Centre  string `json:"adm"`
		Country string `json:"ctr"`
		Date    string `json:"dvc"`
		Lot     string `json:"lot"`
		Number  int    `json:"seq"`
	}
)

// Draft returns the bytes to sign for a travel certificate: the canonical form of data.
// The issuer is a Doc 9303-3 code, such as "JPN" or, for tests, "UTO". The same
// arguments give the same bytes. An error is an *Error of StepDraft that names the field
// of the certificate and the reason.
func Draft(c certificate.Certificate, issuer string) ([]byte, error) {
	d, err := compose(c, issuer)
	if err != nil {
		return nil, err
	}
	var text bytes.Buffer
	e := json.NewEncoder(&text)
	e.SetEscapeHTML(false)
	if err := e.Encode(d); err != nil {
		return nil, fail(StepDraft, "not_json", "")
	}
	signed, err := canonical(bytes.TrimSuffix(text.Bytes(), []byte("\n")))
	if err != nil {
		return nil, fail(StepDraft, "not_canonicalizable", "") // the cause may quote the text
	}
	return signed, nil
}

// Seal joins the bytes from Draft, their signature (64 bytes, r then s) and the
// certificate of the signer, a P-256 key, to the text of the barcode, in canonical form.
// cer is padded because a public reader cannot read it otherwise; sigvl is not, as in Japan.
func Seal(data, signature, signerDER []byte) (text string, err error) {
	if !utf8.Valid(data) || !json.Valid(data) {
		return "", fail(StepDraft, "not_canonical", "data")
	}
	if signed, err := canonical(data); err != nil || !bytes.Equal(signed, data) {
		return "", fail(StepDraft, "not_canonical", "data")
	}
	const es256 = "ES256"
	if len(signature) != 2*algorithms[es256].size() {
		return "", fail(StepDraft, "signature_length", "sig.sigvl")
	}
	signer, err := parseSigner(signerDER)
	if err != nil {
		return "", fail(StepDraft, "not_a_certificate", "sig.cer")
	}
	if key, ok := signer.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != algorithms[es256].curve {
		return "", fail(StepDraft, "key", "sig.cer")
	}
	text = `{"data":` + string(data) + `,"sig":{"alg":"` + es256 +
		`","cer":"` + base64.URLEncoding.EncodeToString(signerDER) +
		`","sigvl":"` + base64.RawURLEncoding.EncodeToString(signature) + `"}}`
	if len(text) > MaxLength {
		return "", fail(StepDraft, "too_long", "")
	}
	return text, nil
}

// Segments returns the segments of the symbol: the whole text in byte mode.
func Segments(text string) []qr.Segment { return []qr.Segment{{Mode: qr.Byte, Text: text}} }

func compose(c certificate.Certificate, issuer string) (data, error) {
	document := c.Subject.Passport
	switch {
	case c.Kind != certificate.Travel:
		return data{}, fail(StepDraft, "not_for_travel", "kind")
	case !isState(issuer):
		return data{}, fail(StepDraft, "not_a_country", "issuer")
	case document == nil:
		return data{}, fail(StepDraft, "missing", "subject.passport")
	case len(c.Doses) == 0:
		return data{}, fail(StepDraft, "missing", "doses")
	case len(c.Doses) > certificate.MaxDoses:
		return data{}, fail(StepDraft, "too_many", "doses")
	}
	w := &writer{}
	d := data{
		Header: header{issuer, TypeVaccination, Version},
		Message: message{
			ID: w.text(c.ID, maxIdentifier, "id"),
			Person: pid{
				Name:   w.name(document.MRZName, "subject.passport.mrz_name"),
				Number: w.text(document.Number.Reveal(), maxDocumentNumber, "subject.passport.number"),
			},
		},
	}
	if c.AI != "" {
		d.Message.Person.OtherID = w.text(c.AI, maxOtherID, "ai")
	}
	// A date that the passport does not know in full cannot be compared with it, so it is left out.
	if c.Subject.BirthDate.Full() && document.BirthDate.Full() {
		d.Message.Person.BirthDate = w.date(c.Subject.BirthDate, "subject.birth_date")
	}
	for i, one := range c.Doses {
		d.Message.Events = append(d.Message.Events, w.event(one, "doses["+strconv.Itoa(i)+"]"))
	}
	if w.err != nil {
		return data{}, w.err
	}
	return d, nil
}

// writer checks values on their way into the barcode and keeps the first failure.
type writer struct{ err *Error }

func (w *writer) fail(code, field string) {
	if w.err == nil {
		w.err = fail(StepDraft, code, field)
	}
}

// text takes a string of 1 to limit listed characters; 0 is no limit.
func (w *writer) text(s string, limit int, field string) string {
	switch {
	case s == "":
		w.fail("missing", field)
	case !listed(s), strings.TrimSpace(s) != s:
		w.fail("character_not_allowed", field)
	case limit > 0 && len(s) > limit:
		w.fail("too_long", field)
	}
	return s
}

// name writes a name by the rule of the machine readable zone, which may shorten it.
func (w *writer) name(n passport.Name, field string) string {
	if n == (passport.Name{}) {
		w.fail("missing", field)
		return ""
	}
	s, err := passport.VDSName(n)
	if err != nil {
		w.fail("character_not_allowed", field)
		return ""
	}
	return w.text(s, maxName, field)
}

func (w *writer) date(d clock.Date, field string) string {
	if parsed, err := clock.ParseDate(string(d)); err != nil || !parsed.Full() {
		w.fail("not_a_full_date", field)
	}
	return string(d)
}

func (w *writer) event(d certificate.Dose, field string) event {
	if d.Number < 1 || d.Number > maxSequence {
		w.fail("out_of_range", field+".number")
	}
	if !isState(d.Country) {
		w.fail("not_a_country", field+".country")
	}
	return event{
		Vaccine: w.text(d.Product.ICD11Class, maxCode, field+".product.icd11_class"),
		Disease: w.text(d.Product.Disease, maxCode, field+".product.disease"),
		Brand:   w.text(d.Product.Brand, 0, field+".product.brand"),
		Doses: [1]dose{{
			Centre:  Centre,
			Country: d.Country,
			Date:    w.date(d.VaccinatedOn, field+".vaccinated_on"),
			Lot:     w.text(d.Lot, maxPlace, field+".lot"),
			Number:  d.Number,
		}},
	}
}
