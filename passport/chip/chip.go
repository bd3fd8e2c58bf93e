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
	"errors"
	"fmt"
	"hash"
	"io"
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

// Input is what was read at a counter. It prints as "[redacted]".
type Input struct {
	SOD   []byte         // EF.SOD
	DG1   []byte         // EF.DG1; nil: not read
	Other map[int][]byte // hash of each other group that was read, by number
	Zone  string         // zone as typed or scanned from the data page; empty: none to compare with
}

func (Input) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, redacted) }
func (Input) LogValue() slog.Value       { return slog.StringValue(redacted) }

const redacted = "[redacted]"

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
	x.Reading = &reading
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
