// Package chip judges what was read from the chip of a passport, offline: EF.SOD, which a state
// signed, and the data groups that it lists (passive authentication, Doc 9303-11, 5.1).
// Only DG1, the machine readable zone, comes in as it is. Any other group comes as the hash
// that whoever read it made (NewHash): the face of DG2 never reaches this package.
//
// A verdict has ten facets in fixed order, each with a result and a code (Sentence). The
// outcome follows:
//
//	unreadable  the file is no EF.SOD
//	not_valid   a facet failed
//	undecided   none failed, but a facet other than revocation is unknown
//	valid       everything else
//
// Valid says that the named state signed these data and that nobody changed them: not
// that the chip is the original, nor that its bearer is the holder.
//
// What is decided here where the specification leaves a choice (spec mrz-and-emrtd, 9):
//
//   - An unknown authority is undecided, never "forged": a newer master list may have it. A
//     signer that names a trusted authority's key but was not signed by it is a failure.
//   - SHA-1, under the groups or the message, is undecided: documents issued with it are
//     still in force, and a person has to look. Under certificates it is not taken at all.
//   - A content type other than Doc 9303's counts for the states that are known to
//     write it (contentTypes), and is a failure for all others.
//   - Zeros after EF.SOD are trimmed, as readers read blocks; anything else after it is a failure.
//   - Revocation that cannot be told, for no list or an old one, is shown and
//     does not change the outcome: most states publish none that verifiers can get.
//   - The state is the country of the signer's and the authority's subject. The locality
//     of their alternative names counts where that is missing; elsewhere a difference is a note.
//   - A document that has expired fails by its date, not by its zone. The usage period of the
//     signer's private key is not looked at: neither file has the date of issue.
package chip

import (
	"crypto/x509"
	"errors"
	"hash"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"akashi/internal/clock"
	"akashi/passport"
	"akashi/signing/pki"
)

// Input is what was read at a counter.
type Input struct {
	SOD   []byte         // EF.SOD
	DG1   []byte         // EF.DG1; nil: not read
	Other map[int][]byte // hash of each other group that was read, by number
	Zone  string         // zone as typed or scanned from the data page; empty: none to compare with
}

// Trust is who may have signed: a trust.Bundle.
type Trust interface {
	// Authorities returns those that a certificate names.
	Authorities(signed *pki.Certificate) []*pki.Certificate
	// FindAuthority returns the one that issued it, with the errors of pki.FindAuthority.
	FindAuthority(signed *pki.Certificate, at time.Time) (*pki.Certificate, error)
	// CRLs returns the lists of an authority, newest first, their signatures checked.
	CRLs(authority *pki.Certificate) []*pki.CRL
}

// utopia is the state of specimens.
const utopia = "UTO"

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
	Readable   = "readable"   // the file is an EF.SOD, within limits
	Groups     = "groups"     // the data groups are those that were signed
	Signature  = "signature"  // nothing was changed since it was signed
	Strength   = "strength"   // of the hashes
	Issuer     = "issuer"     // a trusted authority stands behind the signer
	Key        = "key"        // the signer may sign such documents
	Country    = "country"    // signer, authority and document name one state
	Validity   = "validity"   // signer, authority and document are in force
	Revocation = "revocation" // the signer was not withdrawn
	Zone       = "zone"       // DG1 is a right zone, and the one that was typed
)

var facetNames = [...]string{Readable, Groups, Signature, Strength, Issuer, Key, Country, Validity, Revocation, Zone}

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

// Verdict is what is known about a chip.
type Verdict struct {
	Outcome     Outcome           `json:"outcome"`
	Test        bool              `json:"test"` // of Utopia: proves nothing about anybody
	Facets      []Facet           `json:"facets"`
	Issuer      string            `json:"issuer,omitempty"` // state of the signer, Doc 9303-3
	Notes       []string          `json:"notes,omitempty"`  // codes of flaws that do not change the outcome
	Reading     *passport.Reading `json:"zone,omitempty"`   // of DG1, whatever the outcome; personal
	Differences passport.Findings `json:"differences,omitempty"`
	Document    passport.Document `json:"-"` // of Reading; to be trusted only if Valid
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
	attributes := []slog.Attr{slog.String("issuer", v.Issuer), slog.String("outcome", string(v.Outcome))}
	for _, f := range v.Facets {
		if f.Result != OK {
			attributes = append(attributes, slog.String(f.Name, f.Code))
		}
	}
	return slog.GroupValue(attributes...)
}

// examination builds a verdict.
type examination struct {
	Verdict
	in     Input
	trust  Trust
	at     time.Time
	object *object
	signer *pki.Certificate
}

// Check judges the files of a chip at a time.
func Check(in Input, trust Trust, at time.Time) Verdict {
	x := &examination{in: in, trust: trust, at: at}
	for _, name := range facetNames {
		x.Facets = append(x.Facets, Facet{Name: name, Result: Unknown, Code: NotChecked})
	}
	var code string
	if x.object, code = openSOD(in.SOD); code == "" && len(in.DG1) > MaxFile {
		code = TooLong
	}
	if code != "" {
		x.set(Readable, Failed, code)
		return x.finish()
	}
	x.set(Readable, OK, Read)
	x.note(x.object.notes...)
	x.readZone()
	x.checkGroups()
	x.checkStrength()
	if x.checkSignature() {
		x.checkChain()
	}
	return x.finish()
}

// NewHash returns the hash by which EF.SOD lists the data groups, for whoever read one that
// is not to be handed on. The error is a code of the facet readable.
func NewHash(sod []byte) (hash.Hash, error) {
	o, code := openSOD(sod)
	if code != "" {
		return nil, errors.New(code)
	}
	return o.hash.New(), nil
}

// set gives a facet its result. The detail is pairs of name and value.
func (x *examination) set(name string, r Result, code string, detail ...string) {
	i := slices.Index(facetNames[:], name)
	x.Facets[i] = Facet{Name: name, Result: r, Code: code}
	for j := 0; j+1 < len(detail); j += 2 {
		if x.Facets[i].Detail == nil {
			x.Facets[i].Detail = map[string]string{}
		}
		x.Facets[i].Detail[detail[j]] = detail[j+1]
	}
}

func (x *examination) note(codes ...string) {
	for _, c := range codes {
		if !slices.Contains(x.Notes, c) {
			x.Notes = append(x.Notes, c)
		}
	}
}

// checkGroups compares the hash of each group presented. One that is not listed was
// slipped in; one that is listed need not be read (step 4).
func (x *examination) checkGroups() {
	presented := maps.Clone(x.in.Other)
	if presented == nil {
		presented = map[int][]byte{}
	}
	if x.in.DG1 != nil {
		presented[1] = x.object.sum(x.in.DG1)
	}
	for _, n := range slices.Sorted(maps.Keys(presented)) {
		listed, ok := x.object.groups[n]
		switch {
		case !ok:
			x.set(Groups, Failed, GroupNotListed, "group", strconv.Itoa(n))
			return
		case string(listed) != string(presented[n]):
			x.set(Groups, Failed, GroupChanged, "group", strconv.Itoa(n))
			return
		}
	}
	if x.in.DG1 == nil {
		x.set(Groups, Unknown, ZoneNotRead)
		return
	}
	x.set(Groups, OK, GroupsUnchanged)
}

func (x *examination) checkStrength() {
	if x.object.weak() {
		x.set(Strength, Unknown, HashWeak)
		return
	}
	x.set(Strength, OK, HashStrong)
}

// checkSignature takes step 5.
func (x *examination) checkSignature() bool {
	if x.signer = x.object.signed.Signer(); x.signer == nil {
		x.set(Signature, Failed, SignerMissing)
		return false
	}
	x.Issuer = stateOf(x.signer)
	switch err := x.object.signed.Check(x.signer); {
	case errors.Is(err, pki.ErrUnsupported):
		x.set(Signature, Unknown, SignatureUnsupported)
	case err != nil:
		x.set(Signature, Failed, SignatureWrong)
	case !x.object.typeFits(x.Issuer):
		x.set(Signature, Failed, ContentType, "type", x.object.signed.ContentType.String())
	default:
		x.set(Signature, OK, SignatureGood)
	}
	return true
}

// checkChain takes steps 6 to 10.
func (x *examination) checkChain() {
	x.checkSigner()
	authority, err := x.trust.FindAuthority(x.signer, x.at)
	switch {
	case errors.Is(err, pki.ErrUnsupported):
		x.set(Issuer, Unknown, IssuerUnsupported)
	case err != nil && x.signer.AKI != nil && len(x.trust.Authorities(x.signer)) > 0:
		x.set(Issuer, Failed, ChainWrong)
	case err != nil:
		x.set(Issuer, Unknown, IssuerUnknown)
	default:
		x.set(Issuer, OK, IssuerKnown)
	}
	x.checkDates(authority)
	if err != nil {
		return
	}
	if len(authority.UnknownCritical) > 0 {
		x.set(Key, Failed, SignerNotAllowed, "cause", "authority_unknown_critical_extension")
	}
	x.checkCountry(authority)
	x.checkRevocation(x.trust.CRLs(authority))
}

// checkSigner takes steps 7 and 8, dates apart.
func (x *examination) checkSigner() {
	c := x.signer
	refuse := func(cause string) { x.set(Key, Failed, SignerNotAllowed, "cause", cause) }
	switch {
	case c.IsCA:
		refuse("is_an_authority")
	case c.KeyUsage&x509.KeyUsageDigitalSignature == 0:
		refuse("key_usage")
	case len(c.ExtKeyUsage) > 0:
		refuse("purpose")
	case len(c.UnknownCritical) > 0:
		refuse("unknown_critical_extension")
	case x.Reading != nil && !x.maySign(x.Reading.Code):
		x.set(Key, Failed, DocumentType, "code", x.Reading.Code)
	default:
		x.set(Key, OK, SignerAllowed)
	}
	if !c.KeyUsageCritical {
		x.note(KeyUsageNotCritical)
	}
}

// maySign tells whether the signer's list has the document code, or its first letter for
// all codes that begin with it.
func (x *examination) maySign(code string) bool {
	if !x.signer.HasDocumentTypes || code == "" {
		return true
	}
	return slices.ContainsFunc(x.signer.DocumentTypes, func(t string) bool {
		return t == code || t == code[:1]
	})
}

// checkDates looks at the signer, its authority if it is known, and the document.
func (x *examination) checkDates(authority *pki.Certificate) {
	x.set(Validity, OK, InTime)
	if authority != nil {
		x.checkTerm(authority, AuthorityNotYetValid, AuthorityExpired)
	}
	x.checkTerm(x.signer, SignerNotYetValid, SignerExpired)
	if x.Reading != nil && len(x.Reading.Findings.With(passport.CodeExpired)) > 0 {
		x.set(Validity, Failed, DocumentExpired)
	}
}

func (x *examination) checkTerm(c *pki.Certificate, early, late string) {
	switch {
	case x.at.Before(c.NotBefore):
		x.set(Validity, Failed, early, "not_before", c.NotBefore.UTC().Format(time.RFC3339))
	case x.at.After(c.NotAfter):
		x.set(Validity, Failed, late, "not_after", c.NotAfter.UTC().Format(time.RFC3339))
	}
}

// checkCountry takes step 9.
func (x *examination) checkCountry(authority *pki.Certificate) {
	for _, c := range []*pki.Certificate{x.signer, authority} {
		for _, l := range localities(c) {
			if l != x.Issuer {
				x.note(LocalityDiffers)
			}
		}
	}
	document := ""
	if x.Reading != nil {
		document = x.Document.IssuingState
	}
	of := stateOf(authority)
	detail := []string{"signer", x.Issuer, "authority", of, "document", document}
	switch {
	case x.Issuer == "" || of == "":
		x.set(Country, Unknown, CountryUnknown, detail...)
	case x.Issuer != of, document != "" && document != x.Issuer:
		x.set(Country, Failed, CountryDiffers, detail...)
	case document == "":
		x.set(Country, Unknown, ZoneNotRead, detail...)
	default:
		x.set(Country, OK, CountryAgrees)
	}
}

// stateOf is the Doc 9303-3 code of a certificate's state, "" if it names none.
func stateOf(c *pki.Certificate) string {
	if state := pki.State(c.Subject.Country()); state != "" {
		return state
	}
	if list := localities(c); len(list) == 1 {
		return list[0]
	}
	return ""
}

// localities are the states among the localities of a certificate.
func localities(c *pki.Certificate) (out []string) {
	for _, l := range c.Localities {
		code := strings.TrimRight(l, "<")
		if _, _, known := passport.StateName(code); known && !slices.Contains(out, code) {
			out = append(out, code)
		}
	}
	return out
}

// checkRevocation takes step 10: a signer on any list of its authority is revoked, however
// old the list.
func (x *examination) checkRevocation(lists []*pki.CRL) {
	if len(lists) == 0 {
		x.set(Revocation, Unknown, ListMissing)
		return
	}
	x.set(Revocation, Unknown, ListNotCurrent, "next_update", lists[0].NextUpdate.UTC().Format(time.RFC3339))
	for _, l := range lists {
		if l.Current(x.at) {
			x.set(Revocation, OK, SignerNotRevoked, "next_update", l.NextUpdate.UTC().Format(time.RFC3339))
			break
		}
	}
	for _, l := range lists {
		if l.Lists(x.signer.Serial) {
			x.set(Revocation, Failed, SignerRevoked)
		}
	}
}

// readZone takes step 11: DG1 as nobody touched it, then the zone of the counter.
func (x *examination) readZone() {
	if x.in.DG1 == nil {
		x.set(Zone, Unknown, ZoneNotRead)
		return
	}
	text, ok := readDG1(x.in.DG1)
	if !ok {
		x.set(Zone, Failed, ZoneMalformed)
		return
	}
	today := clock.DateOf(x.at)
	reading := passport.Parse(text, today, passport.Options{AllowSpecimen: true, Strict: true})
	x.Reading, x.Document = &reading, reading.Document
	x.Test = reading.Document.IssuingState == utopia
	if code := refusedBut(reading.Findings, passport.CodeExpired); code != "" {
		x.set(Zone, Failed, ZoneWrong, "cause", code)
		return
	}
	x.set(Zone, OK, ZoneRight)
	if strings.TrimSpace(x.in.Zone) == "" {
		return
	}
	typed := passport.Parse(x.in.Zone, today, passport.Options{AllowSpecimen: true})
	if typed.DocumentFormat == "" {
		x.set(Zone, Unknown, TypedUnreadable)
		return
	}
	x.Differences = passport.CompareZones(reading, typed)
	if len(x.Differences) > 0 {
		x.set(Zone, Failed, ZoneDiffers, "field", x.Differences[0].Field)
	}
}

// refusedBut returns the code of the first finding that refuses, another than the one left out.
func refusedBut(findings passport.Findings, leftOut string) string {
	for _, f := range findings {
		if f.Severity == passport.Refuse && f.Code != leftOut {
			return f.Code
		}
	}
	return ""
}

// finish draws the outcome from the facets.
func (x *examination) finish() Verdict {
	x.Outcome = Valid
	for _, f := range x.Facets {
		if f.Result == Unknown && f.Name != Revocation {
			x.Outcome = Undecided
		}
	}
	for _, f := range x.Facets {
		if f.Result == Failed {
			x.Outcome = NotValid
			if f.Name == Readable {
				x.Outcome = Unreadable
			}
			break
		}
	}
	return x.Verdict
}
