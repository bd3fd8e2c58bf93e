package shc

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/klauspost/compress/flate"

	"akashi/certificate"
)

// Options is what a card says about its issuer and not about its holder.
type Options struct {
	Issuer       string // iss: https URL without trailing slash
	KeyID        string // kid: RFC 7638 thumbprint of the signing key
	RevocationID string // rid: random, base64url, 10 to 24 characters (at least 60 bits)
}

// Issue dates are refused outside this window: nbf in milliseconds has
// happened in production more than once (spec, 3).
var (
	firstIssue = time.Date(2021, 1, 1, 0, 0, 0, 0, time.UTC)
	lastIssue  = time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)
)

// The FHIR resources as written: members in the order of Japan's cards, none
// that the data-minimising profile leaves out.
type (
	claims struct {
		Issuer    string     `json:"iss"`
		NotBefore int64      `json:"nbf"`
		VC        credential `json:"vc"`
	}
	credential struct {
		Type         []string `json:"type"`
		Subject      subject  `json:"credentialSubject"`
		RevocationID string   `json:"rid"`
	}
	subject struct {
		Version string `json:"fhirVersion"`
		Bundle  bundle `json:"fhirBundle"`
	}
	bundle struct {
		ResourceType string  `json:"resourceType"`
		Type         string  `json:"type"`
		Entry        []entry `json:"entry"`
	}
	entry struct {
		FullURL  string `json:"fullUrl"`
		Resource any    `json:"resource"`
	}
	patient struct {
		ResourceType string      `json:"resourceType"`
		Name         []humanName `json:"name"`
		BirthDate    string      `json:"birthDate,omitempty"`
	}
	humanName struct {
		Family string   `json:"family,omitempty"`
		Given  []string `json:"given,omitempty"`
		Text   string   `json:"text,omitempty"`
	}
	immunization struct {
		ResourceType string      `json:"resourceType"`
		Status       string      `json:"status"`
		VaccineCode  concept     `json:"vaccineCode"`
		Patient      reference   `json:"patient"`
		Date         string      `json:"occurrenceDateTime"`
		Performer    []performer `json:"performer"`
		Lot          string      `json:"lotNumber,omitempty"`
	}
	concept struct {
		Coding []coding `json:"coding"`
	}
	coding struct {
		System string `json:"system"`
		Code   string `json:"code"`
	}
	reference struct {
		Reference string `json:"reference"`
	}
	performer struct {
		Actor actor `json:"actor"`
	}
	actor struct {
		Display string `json:"display"`
	}
)

// Draft returns the text to be signed for a certificate:
// base64url(header) "." base64url(deflated claims). The same certificate and
// options give the same bytes. An error is an *Error that names the field:
// a dose without a CVX code, a value that cannot be written, or more than one
// QR code can carry.
func Draft(c certificate.Certificate, o Options) (signingInput []byte, err error) {
	payload, err := compose(c, o)
	if err != nil {
		return nil, err
	}
	text, err := minified(payload)
	if err != nil {
		return nil, fail(StepDraft, "not_json", "")
	}
	deflated, err := deflate(text)
	if err != nil {
		return nil, fail(StepDraft, "not_deflated", "")
	}
	header := `{"zip":"DEF","alg":"ES256","kid":"` + o.KeyID + `"}`
	out := base64.RawURLEncoding.AppendEncode(nil, []byte(header))
	out = append(out, '.')
	out = base64.RawURLEncoding.AppendEncode(out, deflated)
	if len(out)+1+base64.RawURLEncoding.EncodedLen(64) > MaxQRLength {
		return nil, fail(StepDraft, "too_large", "")
	}
	return out, nil
}

// Seal joins the text from Draft and its signature (64 bytes, r then s) to the
// compact JWS.
func Seal(signingInput, signature []byte) (jws string, err error) {
	if len(signature) != 64 {
		return "", fail(StepDraft, "signature_length", "")
	}
	out := make([]byte, 0, len(signingInput)+1+86)
	out = append(append(out, signingInput...), '.')
	return string(base64.RawURLEncoding.AppendEncode(out, signature)), nil
}

func compose(c certificate.Certificate, o Options) (claims, error) {
	if err := checkOptions(o); err != nil {
		return claims{}, err
	}
	if c.IssuedAt.Before(firstIssue) || !c.IssuedAt.Before(lastIssue) || c.IssuedAt.Nanosecond() != 0 {
		return claims{}, fail(StepDraft, "out_of_range", "issued_at")
	}
	person, err := composePatient(c)
	if err != nil {
		return claims{}, err
	}
	if len(c.Doses) == 0 || len(c.Doses) > certificate.MaxDoses {
		return claims{}, fail(StepDraft, "out_of_range", "doses")
	}
	entries := []entry{{"resource:0", person}}
	for i, n := range chronological(c.Doses) {
		dose, err := composeDose(c.Doses[n], "doses["+strconv.Itoa(n)+"]")
		if err != nil {
			return claims{}, err
		}
		entries = append(entries, entry{"resource:" + strconv.Itoa(i+1), dose})
	}
	return claims{
		Issuer:    o.Issuer,
		NotBefore: c.IssuedAt.Unix(),
		VC: credential{
			Type:         cardTypes(c.Programme),
			Subject:      subject{"4.0.1", bundle{"Bundle", "collection", entries}},
			RevocationID: o.RevocationID,
		},
	}, nil
}

func checkOptions(o Options) error {
	switch {
	case checkIssuerURL(o.Issuer) != "":
		return fail(StepDraft, checkIssuerURL(o.Issuer), "issuer")
	case !isKeyID(o.KeyID):
		return fail(StepDraft, "not_a_thumbprint", "key_id")
	case !isRevocationID(o.RevocationID) || len(o.RevocationID) < 10:
		return fail(StepDraft, "out_of_range", "revocation_id")
	}
	return nil
}

func cardTypes(programme string) []string {
	types := []string{TypeHealthCard, TypeImmunization}
	if programme == "covid19" {
		types = append(types, TypeCOVID19)
	}
	return types
}

// composePatient writes the passport name first and then the Japanese name on
// travel certificates, the Japanese name alone on domestic ones (design 3.3).
// The passport name is that of the machine readable zone, as in Japan's app
// (certificate-japan, 3).
func composePatient(c certificate.Certificate) (patient, error) {
	p := patient{ResourceType: "Patient", BirthDate: string(c.Subject.BirthDate)}
	switch c.Kind {
	case certificate.Domestic:
	case certificate.Travel:
		if c.Subject.Passport == nil {
			return p, fail(StepDraft, "missing", "subject.passport")
		}
		latin := c.Subject.Passport.MRZName
		n, err := composeName(latin.Primary, latin.Secondary, "subject.passport.mrz_name")
		if err != nil {
			return p, err
		}
		p.Name = append(p.Name, n)
	default:
		return p, fail(StepDraft, "unknown", "kind")
	}
	n, err := composeName(c.Subject.Name.Family, c.Subject.Name.Given, "subject.name")
	if err != nil {
		return p, err
	}
	p.Name = append(p.Name, n)
	if p.BirthDate != "" && !isDate(p.BirthDate, 4, 7, 10) {
		return p, fail(StepDraft, "not_a_date", "subject.birth_date")
	}
	return p, nil
}

// composeName writes a person with one name as text: family without given is
// an error of the profile.
func composeName(family, given, field string) (humanName, error) {
	if family == "" {
		return humanName{}, fail(StepDraft, "missing", field)
	}
	if !writable(family) || !writable(given) {
		return humanName{}, fail(StepDraft, "not_writable", field)
	}
	if given == "" {
		return humanName{Text: family}, nil
	}
	return humanName{Family: family, Given: []string{given}}, nil
}

func composeDose(d certificate.Dose, field string) (immunization, error) {
	switch {
	case d.Product.CVX == "":
		return immunization{}, fail(StepDraft, "no_code", field+".product")
	case !isCVX(d.Product.CVX):
		return immunization{}, fail(StepDraft, "not_a_code", field+".product")
	case !isDate(string(d.VaccinatedOn), 10):
		return immunization{}, fail(StepDraft, "not_a_date", field+".vaccinated_on")
	case !writable(d.Lot):
		return immunization{}, fail(StepDraft, "not_writable", field+".lot")
	}
	return immunization{
		ResourceType: "Immunization",
		Status:       "completed",
		VaccineCode:  concept{[]coding{{SystemCVX, d.Product.CVX}}},
		Patient:      reference{"resource:0"},
		Date:         string(d.VaccinatedOn),
		Performer:    []performer{{actor{Performer}}},
		Lot:          d.Lot,
	}, nil
}

// chronological returns the indexes of doses by date, then by number.
func chronological(doses []certificate.Dose) []int {
	order := make([]int, len(doses))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int {
		x, y := doses[a], doses[b]
		return cmp.Or(cmp.Compare(x.VaccinatedOn, y.VaccinatedOn), cmp.Compare(x.Number, y.Number))
	})
	return order
}

// writable tells whether a reader gets back exactly s.
func writable(s string) bool {
	return utf8.ValidString(s) && !strings.ContainsFunc(s, unicode.IsControl) && strings.TrimSpace(s) == s
}

func isCVX(s string) bool {
	return len(s) <= 4 && s != "" && strings.Trim(s, "0123456789") == ""
}

// isDate tells whether s is a date of the calendar in ISO form with one of the
// given lengths (4, 7 or 10 characters).
func isDate(s string, lengths ...int) bool {
	if !slices.Contains(lengths, len(s)) {
		return false
	}
	_, err := time.Parse(time.DateOnly[:len(s)], s)
	return err == nil
}

// minified writes v as JSON without white space and without the escapes for
// HTML pages, which lengthen the card and carry nothing.
func minified(v any) ([]byte, error) {
	var out bytes.Buffer
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// deflateLevel makes cards within a few bytes of the best there is, in a third
// of the time.
const deflateLevel = 6

var deflaters = sync.Pool{New: func() any {
	w, err := flate.NewWriter(nil, deflateLevel)
	if err != nil {
		panic(err) // the level is a constant
	}
	return w
}}

// deflate compresses to raw DEFLATE (RFC 1951).
func deflate(b []byte) ([]byte, error) {
	w := deflaters.Get().(*flate.Writer)
	defer deflaters.Put(w)
	var out bytes.Buffer
	out.Grow(len(b))
	w.Reset(&out)
	if _, err := w.Write(b); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}
