package hcert

import (
	"encoding/hex"
	"regexp"
	"strconv"
	"strings"
	"time"

	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/strictjson"
	"akashi/passport"
)

// Options is what a code says beside the certificate.
type Options struct {
	Country   string    // of the issuer: two letters; for an ICVP also three, of the participant
	Authority string    // name of the issuer, in English; not for an ICVP
	KeyID     []byte    // KeyID of the signer's certificate
	TokenID   []byte    // cti: at least 8 random bytes, made by the caller
	Expires   time.Time // whole seconds; not after the signer's certificate
}

// dccVersion is the schema version that we write.
const dccVersion = "1.3.0"

const minTokenID = 8

// DraftDCC returns the bytes to sign of the EU certificate of one dose, by its place in a
// travel certificate. The same arguments give the same bytes. An error is an *Error of
// StepDraft that names the field and the reason.
func DraftDCC(c certificate.Certificate, dose int, o Options) ([]byte, error) {
	switch {
	case c.Subject.Passport == nil:
		return nil, fail(StepDraft, "not_for_travel", "kind")
	case len(o.Country) != 2:
		return nil, fail(StepDraft, "form", "country")
	}
	if dose < 0 || dose >= len(c.Doses) {
		return nil, fail(StepDraft, "missing", "doses")
	}
	field := "doses[" + strconv.Itoa(dose) + "]"
	d := c.Doses[dose]
	vaccine, ok := catalogue.EUValueSets().Vaccine(d.Product.ID)
	if !ok {
		return nil, fail(StepDraft, "no_code", field+".product")
	}
	entry := table{
		"tg": diseaseCOVID, "vp": vaccine.Prophylaxis[len(vaccine.Prophylaxis)-1], "mp": vaccine.Product, "ma": vaccine.Manufacturer,
		"dn": int64(d.Number), "sd": int64(max(vaccine.Series, d.Number)), "dt": string(d.VaccinatedOn), "co": alpha2(d.Country),
		"is": o.Authority, "ci": UVCI(o.Country, c.ID, d.Number),
	}
	content := table{"ver": dccVersion, "nam": nameDCC(*c.Subject.Passport), "dob": string(c.Subject.BirthDate), "v": []any{entry}}
	if findings := lintDCC(content); len(findings) > 0 {
		return nil, fail(StepDraft, findings[0].Code, findings[0].Field)
	}
	if o.Authority == "" || content["dob"] == "" {
		return nil, fail(StepDraft, "missing", map[bool]string{true: "authority", false: "subject.birth_date"}[o.Authority == ""])
	}
	return draft(1, content, c.IssuedAt, time.Time{}, o)
}

const diseaseCOVID = "840539006"

// nameDCC copies the name from the passport: the transliteration from its machine readable
// zone, which takes precedence over any table, the name from its data page (eu-dcc, 10).
func nameDCC(p passport.Document) table {
	written := p.DataPageName
	if written == (passport.Name{}) {
		written = p.MRZName
	}
	name := table{}
	for member, value := range map[string]string{
		"fn": norm.NFC.String(written.Primary), "gn": norm.NFC.String(written.Secondary),
		"fnt": filled(p.MRZName.Primary), "gnt": filled(p.MRZName.Secondary),
	} {
		if value != "" {
			name[member] = value
		}
	}
	return name
}

// filled writes a name of a passport's zone with its fillers.
func filled(name string) string { return strings.ReplaceAll(name, " ", "<") }

// alpha2 returns the two-letter code of a Doc 9303 state; empty for what is no country.
func alpha2(state string) string {
	if state == "D" {
		return "DE"
	}
	region, err := language.ParseRegion(state)
	if err != nil || len(state) != 3 || !region.IsCountry() {
		return ""
	}
	return region.String()
}

var countryForm = regexp.MustCompile(`^[A-Z]{2,3}$`)

// draft returns the bytes to sign of one sub-claim. When it holds from a later time on than
// that of issue, it says so.
func draft(subclaim int64, content table, issuedAt, from time.Time, o Options) ([]byte, error) {
	switch {
	case !countryForm.MatchString(o.Country):
		return nil, fail(StepDraft, "form", "country")
	case len(o.TokenID) < minTokenID:
		return nil, fail(StepDraft, "too_short", "token_id")
	case issuedAt.IsZero() || !o.Expires.After(issuedAt):
		return nil, fail(StepDraft, "expires_before_issue", "expires")
	}
	claims := table{
		claimIssuer: o.Country, claimIssuedAt: issuedAt.Unix(), claimExpires: o.Expires.Unix(), claimID: o.TokenID,
		claimHealth: table{subclaim: content},
	}
	if from.After(issuedAt) {
		claims[claimNotBefore] = from.Unix()
	}
	return toSign(claims, o.KeyID)
}

// CompareDCC returns the paths at which the signed claims of a code differ from what the
// certificate says, members that should not be there included. Nil means that it says
// exactly that. It shares no code with DraftDCC that writes a value, except the rules for
// names, countries and identifiers.
func CompareDCC(c certificate.Certificate, dose int, o Options, code *Code) []string {
	return strictjson.Differences(tree(code.token), expectedDCC(c, dose, o), "claims")
}

func expectedDCC(c certificate.Certificate, dose int, o Options) any {
	if dose < 0 || dose >= len(c.Doses) || c.Subject.Passport == nil {
		return nil
	}
	d, name := c.Doses[dose], nameDCC(*c.Subject.Passport)
	vaccine, _ := catalogue.EUValueSets().Vaccine(d.Product.ID)
	series := vaccine.Series
	if d.Number > series {
		series = d.Number
	}
	return map[string]any{
		"1": o.Country, "6": c.IssuedAt.Unix(), "4": o.Expires.Unix(), "7": "h'" + hex.EncodeToString(o.TokenID) + "'",
		"-260": map[string]any{"1": map[string]any{
			"ver": "1.3.0", "nam": tree(name), "dob": string(c.Subject.BirthDate),
			"v": []any{map[string]any{
				"tg": "840539006", "vp": vaccine.Prophylaxis[len(vaccine.Prophylaxis)-1], "mp": vaccine.Product, "ma": vaccine.Manufacturer,
				"dn": int64(d.Number), "sd": int64(series), "dt": string(d.VaccinatedOn), "co": alpha2(d.Country), "is": o.Authority,
				"ci": UVCI(o.Country, c.ID, d.Number),
			}},
		}},
	}
}

// tree is a value with text keys only, and bytes as text, so that it can be compared.
func tree(v any) any {
	switch v := v.(type) {
	case table:
		out := map[string]any{}
		for key, one := range v {
			name, isText := key.(string)
			if number, ok := key.(int64); ok {
				name = strconv.FormatInt(number, 10)
			} else if _, err := strconv.Atoi(name); isText && err == nil {
				name = strconv.Quote(name) // not to be taken for the number
			}
			out[name] = tree(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = tree(v[i])
		}
		return out
	case []byte:
		return "h'" + hex.EncodeToString(v) + "'"
	}
	return v
}
