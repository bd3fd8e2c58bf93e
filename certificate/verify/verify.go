// Package verify judges a certificate from its code alone: offline, with a trust
// bundle and a time, and nothing else. It asks no network and no database, keeps
// nothing, and knows no clock.
//
// A verdict has nine facets in fixed order; each says ok, failed, unknown or
// not applicable, and why. A facet that could not be looked at, because of an
// earlier failure, is unknown with the code not_checked. The outcome follows:
//
//	unreadable  the text is no certificate that can be read
//	not_valid   a facet failed
//	undecided   none failed, but the issuer is not known, or whether the
//	            certificate was revoked, or whether the issuer made it
//	valid       everything else
//
// What is decided here where the specifications leave a choice:
//
//   - An unknown issuer is undecided, never "forged". A key that a known issuer
//     does not have is a failure, and so is a signer that names a trusted
//     authority's key but was not signed by it. The key set of a health card issuer
//     is complete, so a strange key there is a failure (L-12), while a country may
//     have an authority that the bundle lacks: what another TEST installation made,
//     under the same names, is not_valid as a card (key_of_other_test) and undecided
//     as a bar code.
//   - Revocation: a health card key without a list (no crlVersion) makes it not
//     applicable. A key with a list that the bundle lacks, because it is missing or
//     was refused, a bar code whose authority has no list in the bundle, or only
//     one that is not current, are unknown, hence undecided. A signer on any list of
//     its authority is revoked, however old the list. A single bar code cannot be
//     revoked in its format, and signer_not_revoked says no more than that.
//   - Where the bundle has the issuance log of a key, what the key signed must be in
//     it (docs/issuance-log.md): a card made outside the service with a stolen key is
//     not_in_issuance_log. What may be younger than the log, or says to be older, is
//     unknown, hence undecided.
//   - A list on which something is not found says so for as long as ages.json lets its kind
//     count (48 hours for status lists, a week for lists of signers and of health cards, until
//     the next is due for lists of an authority); then the status is unknown, hence undecided.
//   - Freshness is about the trust bundle, or the part of it that has the issuer, and never
//     changes the outcome.
//   - A health card key is trusted because the bundle has it for that issuer. Its
//     certificates (x5c), if any, must have been in force when the card was signed
//     (nbf); the detail of the facet names this rule.
//   - HC1 codes: a signer counts while it is on the list, which is complete for its
//     participant: a strange key of a known one is key_not_listed, of another issuer_unknown.
//     Single certificates are looked for in the status list of the key, if there is one
//     (signer_listed says that there is none). An EU test that found the virus, a health link and a draft format are never valid, however
//     authentic; an unknown template of a yellow card is undecided.
//   - A bar code counts while its signer's certificate does; the end of the
//     private key's usage period is a note only, as the code has no issue date.
//   - A picture has a verdict for each code, and one more, unreadable, when a code was
//     seen that could not be read: the worst of them counts.
//   - A certificate of the TEST identity is valid and says that it is a TEST.
package verify

import (
	_ "embed"
	"log/slog"
	"slices"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
)

// ClockSkew is how far a certificate may lie in the future, for clocks that are
// not quite right.
const ClockSkew = 5 * time.Minute

// MaxTrustAge is the age up to which a trust bundle counts as fresh: new keys
// are published that long before their first use (S-067).
const MaxTrustAge = 7 * 24 * time.Hour

// Result is what is known about one facet.
type Result string

const (
	OK            Result = "ok"
	Failed        Result = "failed"
	Unknown       Result = "unknown"
	NotApplicable Result = "not_applicable"
)

// Names of the facets, in order.
const (
	Readable   = "readable"   // is a certificate of a known family, within limits
	Signature  = "signature"  // nothing was changed since it was signed
	Issuer     = "issuer"     // somebody trusted stands behind it
	Key        = "key"        // the key belongs to that issuer and may sign this
	Validity   = "validity"   // the dates include the time of checking
	Revocation = "revocation" // it was not withdrawn
	Freshness  = "freshness"  // the trust bundle is recent
	Issued     = "issued"     // the issuer's log of what it signed knows it
	Content    = "content"    // it says what a vaccination certificate has to say
)

var facetNames = [...]string{Readable, Signature, Issuer, Key, Validity, Revocation, Freshness, Issued, Content}

// Facet is one part of a verdict.
type Facet struct {
	Name   string            `json:"name"`
	Result Result            `json:"result"`
	Code   string            `json:"code"`             // why; Sentence explains it
	Detail map[string]string `json:"detail,omitempty"` // for whoever looks for the fault; never personal
}

// Outcome is the verdict in one word.
type Outcome string

const (
	Valid      Outcome = "valid"
	NotValid   Outcome = "not_valid"
	Unreadable Outcome = "unreadable"
	Undecided  Outcome = "undecided"
)

// Verdict is what is known about one certificate. Its JSON form is described by Schema.
type Verdict struct {
	Family   certificate.Family `json:"family,omitempty"` // of the code; empty when it was not recognised
	Outcome  Outcome            `json:"outcome"`
	Test     bool               `json:"test"` // a specimen: proves nothing about anybody
	Facets   []Facet            `json:"facets"`
	Issuer   string             `json:"issuer,omitempty"`   // iss, or the Doc 9303-3 code of the state; as claimed
	KeyID    string             `json:"key_id,omitempty"`   // thumbprint (RFC 7638); of an HC1 code the kid, in base64
	SignedAt time.Time          `json:"signed_at,omitzero"` // bar codes do not tell
	Holder   *Holder            `json:"holder,omitempty"`   // as far as it could be read, whatever the outcome
	Notes    []string           `json:"notes,omitempty"`    // codes of flaws that do not change the outcome

	health *hcert.Code // of an HC1 code that was read, for Rules
}

// Holder is what the certificate says about its holder: the only personal part
// of a verdict. It prints as "[redacted]"; only its JSON form and fields tell.
// Texts are as signed, and hostile until escaped.
type Holder struct {
	Names          []string `json:"names"`
	BirthDate      string   `json:"birth_date,omitempty"` // YYYY-MM-DD, or as much as is known
	DocumentNumber string   `json:"document_number,omitempty"`
	Sex            string   `json:"sex,omitempty"`
	CertificateID  string   `json:"certificate_id,omitempty"` // uvci or utci
	Nationality    string   `json:"nationality,omitempty"`
	Guardian       string   `json:"guardian,omitempty"`
	Doses          []Dose   `json:"doses"`
}

// Dose is one vaccination as the certificate tells it.
type Dose struct {
	Number  int    `json:"number,omitempty"` // health cards have none
	Date    string `json:"date"`
	System  string `json:"system,omitempty"` // of the code; ICD-11 in bar codes
	Code    string `json:"code"`
	Product string `json:"product,omitempty"` // brand name; health cards have none
	Lot     string `json:"lot,omitempty"`
	Country string `json:"country,omitempty"`
	Centre  string `json:"centre,omitempty"`

	// Of a yellow card, computed from product and date.
	Disease    string `json:"disease,omitempty"` // ICD-11
	ValidFrom  string `json:"valid_from,omitempty"`
	ValidUntil string `json:"valid_until,omitempty"`
}

// Facet returns the facet of a name.
func (v Verdict) Facet(name string) Facet {
	for _, f := range v.Facets {
		if f.Name == name {
			return f
		}
	}
	return Facet{}
}

// ExitCode returns the exit status of a command that verifies (design 3.9).
func (v Verdict) ExitCode() int {
	switch v.Outcome {
	case Valid:
		return 0
	case NotValid:
		return 1
	case Unreadable:
		return 2
	}
	return 3
}

// LogValue keeps the holder out of logs.
func (v Verdict) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("family", string(v.Family)), slog.String("outcome", string(v.Outcome))}
	for _, f := range v.Facets {
		if f.Result != OK {
			attributes = append(attributes, slog.String(f.Name, f.Code))
		}
	}
	return slog.GroupValue(attributes...)
}

//go:embed verdict.schema.json
var schema []byte

// Schema returns the JSON schema (draft 2020-12) of a Verdict.
func Schema() []byte { return append([]byte(nil), schema...) }

// examination builds a verdict.
type examination struct {
	verdict Verdict
	bundle  *trust.Bundle
	at      time.Time
}

func examine(family certificate.Family, b *trust.Bundle, at time.Time) *examination {
	if b == nil {
		b = &trust.Bundle{}
	}
	x := &examination{verdict: Verdict{Family: family}, bundle: b, at: at}
	for _, name := range facetNames {
		x.verdict.Facets = append(x.verdict.Facets, Facet{Name: name, Result: Unknown, Code: NotChecked})
	}
	x.checkBundle()
	return x
}

// set gives a facet its result. The detail is pairs of name and value.
func (x *examination) set(name string, r Result, code string, detail ...string) {
	for i := range x.verdict.Facets {
		f := &x.verdict.Facets[i]
		if f.Name != name {
			continue
		}
		f.Result, f.Code, f.Detail = r, code, nil
		for j := 0; j+1 < len(detail); j += 2 {
			if detail[j+1] == "" {
				continue
			}
			if f.Detail == nil {
				f.Detail = map[string]string{}
			}
			f.Detail[detail[j]] = detail[j+1]
		}
	}
}

// note adds codes of notes, each once.
func (x *examination) note(codes ...string) {
	for _, c := range codes {
		if !slices.Contains(x.verdict.Notes, c) {
			x.verdict.Notes = append(x.verdict.Notes, c)
		}
	}
}

func (x *examination) issuedBy(issuer string) {
	x.verdict.Issuer, x.verdict.Test = issuer, trust.IsTest(issuer)
}

// checkBundle judges the age of the trust bundle.
func (x *examination) checkBundle() { x.checkFresh(x.bundle.MadeAt()) }

func (x *examination) checkFresh(made time.Time) {
	switch {
	case made.IsZero():
		x.set(Freshness, Unknown, TrustUndated)
	case x.at.Sub(made) > MaxTrustAge:
		x.set(Freshness, Unknown, TrustOld, "made_at", made.Format(time.RFC3339), "list_age", x.at.Sub(made).Truncate(time.Minute).String())
	default:
		x.set(Freshness, OK, TrustFresh, "made_at", made.Format(time.RFC3339))
	}
}

// finish draws the outcome from the facets.
func (x *examination) finish() Verdict {
	v := x.verdict
	v.Outcome = Valid
	for _, f := range v.Facets {
		if f.Result == Unknown && f.Name != Freshness {
			v.Outcome = Undecided
		}
	}
	for _, f := range v.Facets {
		if f.Result == Failed {
			v.Outcome = NotValid
			if f.Name == Readable {
				v.Outcome = Unreadable
			}
			break
		}
	}
	return v
}

// unreadable is the verdict on what could not be taken for a certificate.
func unreadable(family certificate.Family, b *trust.Bundle, at time.Time, code string, detail ...string) Verdict {
	x := examine(family, b, at)
	x.set(Readable, Failed, code, detail...)
	return x.finish()
}
