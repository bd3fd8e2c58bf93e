package verify

import (
	"crypto/ecdsa"
	"encoding/base64"
	"errors"
	"slices"
	"strings"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/trust"
	"akashi/signing"
	"akashi/signing/pki"
)

// healthVerdict judges the text of an HC1 code.
func healthVerdict(text string, b *trust.Bundle, at time.Time) Verdict {
	code, err := hcert.Parse(text)
	if err != nil {
		return refusedHealth(err, b, at)
	}
	return Health(code, b, at)
}

// Health judges an HC1 code that was read already: an EU certificate, a digital yellow
// card (ICVP), a core data set of WHO or a health link.
func Health(code *hcert.Code, b *trust.Bundle, at time.Time) Verdict {
	x := examine(familyOf(code), b, at)
	x.verdict.health = code
	x.set(Readable, OK, Read)
	x.issuedBy(code.Issuer)
	x.verdict.Test = x.verdict.Test || trust.IsTest(pki.State(code.Issuer))
	x.verdict.KeyID = base64.StdEncoding.EncodeToString(code.KeyID)
	x.verdict.SignedAt = code.IssuedAt
	x.verdict.Holder = holderOfHealth(code)
	x.note(code.Notes...)
	signer := x.checkHealthSigner(code)
	x.checkHealthTime(code, signer)
	x.checkHealthContent(code)
	return x.finish()
}

// HealthInForce judges a code as Health does, but its dates and its content as of when it comes
// into force, if that lies ahead: an issuer checks so what it makes before a dose counts.
func HealthInForce(code *hcert.Code, b *trust.Bundle, at time.Time) Verdict {
	v := Health(code, b, at)
	if !code.NotBefore.After(at) {
		return v
	}
	then := Health(code, b, code.NotBefore)
	v.Facets = slices.Clone(v.Facets)
	for i, f := range v.Facets {
		if f.Name == Validity || f.Name == Content {
			v.Facets[i] = then.Facet(f.Name)
		}
	}
	return (&examination{verdict: v}).finish()
}

func familyOf(code *hcert.Code) certificate.Family {
	switch {
	case code.DCC != nil:
		return certificate.DCC
	case code.ICVP != nil:
		return certificate.ICVP
	case code.Record != nil:
		return certificate.DDCC
	case code.Links != nil:
		return certificate.HealthLink
	}
	return certificate.HCERT
}

// healthRefusals say how a failure to read a code shows.
var healthRefusals = map[hcert.Step]string{
	hcert.StepBase45:  HealthEncoding,
	hcert.StepInflate: HealthInflate,
	hcert.StepCBOR:    HealthStructure,
	hcert.StepCOSE:    HealthMessage,
	hcert.StepClaims:  HealthClaims,
}

func refusedHealth(err error, b *trust.Bundle, at time.Time) Verdict {
	var e *hcert.Error
	if !errors.As(err, &e) {
		e = &hcert.Error{Step: hcert.StepCBOR}
	}
	switch code, known := healthRefusals[e.Step]; {
	case e.Step == hcert.StepPrefix && e.Code == "too_long":
		return unreadable(certificate.HCERT, b, at, TooLong)
	case known:
		return unreadable(certificate.HCERT, b, at, code, "cause", e.Code, "field", e.Field)
	}
	return unreadable(certificate.HCERT, b, at, VersionNotSupported)
}

func (x *examination) setHealthCause(facet, code string, err error) {
	var e *hcert.Error
	if errors.As(err, &e) {
		x.set(facet, Failed, code, "cause", e.Code, "field", e.Field)
		return
	}
	x.set(facet, Failed, code)
}

// checkHealthSigner finds the signer on the lists and judges signature, issuer and key
// (spec eu-dcc, 4 and 6). It returns the certificate of the signer; nil if there is none.
func (x *examination) checkHealthSigner(code *hcert.Code) *pki.Certificate {
	switch {
	case code.Algorithm == 0:
		x.set(Signature, Failed, AlgorithmNotAllowed)
		return nil
	case code.KeyID == nil:
		x.set(Signature, Failed, KeyNotNamed)
		return nil
	}
	candidates := x.bundle.HealthSigners(code.KeyID)
	if len(candidates) == 0 {
		x.strangeKey(code)
		return nil
	}
	signer, err := choose(code, candidates)
	x.set(Issuer, OK, IssuerKnown, "participant", signer.Participant, "domain", signer.Domain)
	x.checkFresh(signer.Listed)
	if err != nil {
		x.healthSignatureFault(err)
		return signer.Certificate
	}
	x.set(Signature, OK, SignatureGood)
	x.checkHealthKey(code, signer)
	x.set(Revocation, OK, SignerListed)
	x.checkListAge(trust.KindSigners, signer.Listed)
	if key, ok := signer.Key.(*ecdsa.PublicKey); ok {
		thumbprint := signing.Thumbprint(key)
		x.checkStatus(thumbprint, familyOf(code), base64.RawURLEncoding.EncodeToString(code.ID))
		x.checkIssued(thumbprint, code.Digest(), code.IssuedAt)
	} else {
		x.set(Issued, NotApplicable, NoIssuanceLog)
	}
	return signer.Certificate
}

// choose returns the signer whose key signed the code, if one did: a key id is not unique,
// and a key may be listed for several domains.
func choose(code *hcert.Code, candidates []trust.HealthSigner) (signer trust.HealthSigner, err error) {
	found := false
	for _, c := range candidates {
		failure := code.CheckSignature(c.Key)
		switch {
		case failure == nil && vouches(c, code):
			return c, nil
		case failure == nil && !found:
			signer, err, found = c, nil, true
		case !found:
			signer, err = candidates[0], failure
		}
	}
	return signer, err
}

// domains are those of the GDHCN whose signers vouch for a family (spec who-icvp-gdhcn, 7);
// RACSEL-DDVC is written in lists of the development network. A list without domains
// vouches for every family, and so does every list where a family is not here.
var domains = map[certificate.Family][]string{
	certificate.DCC:  {"DCC", "DDCC"},
	certificate.DDCC: {"DDCC", "DCC", "RACSEL-DDVC"},
	certificate.ICVP: {"ICVP", "RACSEL-DDVC"},
}

func vouches(s trust.HealthSigner, code *hcert.Code) bool {
	listed, judged := domains[familyOf(code)]
	return s.Domain == "" || !judged || slices.Contains(listed, strings.ToUpper(s.Domain))
}

func (x *examination) healthSignatureFault(err error) {
	var e *hcert.Error
	code := SignatureWrong
	if errors.As(err, &e) {
		switch e.Code {
		case "algorithm":
			code = AlgorithmNotAllowed
		case "length":
			code = SignatureForm
		}
	}
	x.setHealthCause(Signature, code, err)
}

// strangeKey judges a key id that no list has. The list of a participant is complete: who
// is not on it was taken off, or never was there.
func (x *examination) strangeKey(code *hcert.Code) {
	if !x.bundle.HasParticipant(code.Issuer) {
		x.set(Issuer, Unknown, IssuerUnknown)
		return
	}
	x.set(Issuer, OK, IssuerKnown)
	x.set(Key, Failed, KeyNotListed)
	if made := x.bundle.MadeAt(); code.IssuedAt.After(made) {
		x.set(Freshness, Unknown, TrustBeforeCode, "made_at", made.Format(time.RFC3339))
	}
}

// checkHealthKey judges what the signer may sign. The issuer of an EU certificate is
// a hint only, and written in many ways; that of others is the code of the participant.
func (x *examination) checkHealthKey(code *hcert.Code, signer trust.HealthSigner) {
	x.set(Key, OK, SignerAllowed)
	if !vouches(signer, code) {
		x.set(Key, Failed, DomainDiffers, "domain", signer.Domain)
		return
	}
	if code.DCC == nil && code.Fault == nil && !signer.Of(code.Issuer) {
		x.set(Key, Failed, CountryDiffers)
		return
	}
	if signer.Certificate != nil {
		if err := code.SignerRules(signer.Certificate); err != nil {
			x.setHealthCause(Key, SignerNotAllowed, err)
		}
	}
	if code.ICVP != nil && code.ICVP.Generation == 3 && code.ICVP.Authority != "" && !signer.Of(code.ICVP.Authority) {
		x.note(AuthorityDiffers)
	}
}

// checkHealthTime judges the claims and the signer's certificate, whose end ends
// what it signed (eu-dcc, 11).
func (x *examination) checkHealthTime(code *hcert.Code, signer *pki.Certificate) {
	x.set(Validity, OK, InTime)
	if signer != nil {
		x.checkDates(signer, SignerNotYetValid, SignerExpired)
		if code.Expires.After(signer.NotAfter) {
			x.note(ExpiresAfterSigner)
		}
		if !code.IssuedAt.IsZero() && code.IssuedAt.Before(signer.NotBefore) {
			x.note(IssuedBeforeSigner)
		}
	}
	if x.verdict.Facet(Validity).Result != OK {
		return
	}
	err := code.CheckTime(x.at, ClockSkew)
	var e *hcert.Error
	if !errors.As(err, &e) {
		return
	}
	reason := map[string]string{
		"not_yet_valid": NotYetValid, "expired": Expired, "expires_before_issue": ExpiresBeforeIssue, "no_expiry": ExpiryMissing,
	}[e.Code]
	switch {
	case e.Field == "claim 5":
		reason = NotYetInForce
	case reason == Expired && code.ICVP != nil:
		reason = CodeToRenew
	}
	x.set(Validity, Failed, reason, "cause", e.Code)
}

// healthFaults are the codes of content that proves nothing, by the reasons of hcert.
var healthFaults = map[string]string{
	"no_health_certificate": ContentUnknown, "no_known_subclaim": ContentUnknown, "unsupported_version": ContentUnknown,
	"multiple_entries": SeveralEvents, "no_entry": NoDose, "incomplete": ContentIncomplete,
	"future_event": EventInFuture, "positive": TestPositive, "not_negative": TestWithoutResult,
	"recovery_not_yet": RecoveryNotYet, "recovery_over": RecoveryOver,
	"product_not_in_catalogue": ProductNotInCatalogue, "too_recent": TooRecent,
}

// checkHealthContent judges what the code says at the time of checking.
func (x *examination) checkHealthContent(code *hcert.Code) {
	x.set(Content, OK, ContentGood)
	err := code.Fault
	switch {
	case err != nil:
	case code.DCC != nil:
		err = x.checkDCC(code.DCC)
	case code.ICVP != nil:
		err = x.checkICVP(code.ICVP)
	case code.Record != nil:
		x.checkRecord(code.Record)
	case code.Links != nil:
		x.set(Content, Failed, LinkOnly, "host", code.Links[0].Host(), "shape", code.Links[0].Shape)
		for _, l := range code.Links {
			if len(l.Warnings(x.at)) > 0 {
				x.note(LinkDoubtful)
			}
		}
	}
	var e *hcert.Error
	if !errors.As(err, &e) {
		return
	}
	reason, known := healthFaults[e.Code]
	if !known {
		reason = ContentWrong
	}
	detail := []string{"cause", e.Code, "field", e.Field}
	if e.Code == "too_recent" {
		if v, err := code.ICVP.Validity(); err == nil {
			detail = append(detail, "valid_from", string(v.From))
		}
	}
	x.set(Content, Failed, reason, detail...)
}

func (x *examination) checkDCC(d *hcert.DCC) error {
	if len(d.Findings) > 0 {
		x.note(BreaksSchema)
	}
	if d.Vaccination == nil {
		x.note(NotVaccination)
	}
	return d.CheckEvent(x.at)
}

func (x *examination) checkICVP(c *hcert.ICVP) error {
	if err := c.CheckDose(x.at); err != nil {
		return err
	}
	if c.Generation == 3 && c.Template != hcert.TemplateVersion {
		x.set(Content, Unknown, TemplateUnknown)
	}
	return nil
}

func (x *examination) checkRecord(r *hcert.Record) {
	switch {
	case r.FirstDraft:
		x.set(Content, Failed, DraftFormat)
	case r.Test != nil:
		x.note(CoreDataSet, NotVaccination)
	default:
		x.note(CoreDataSet)
	}
}

// divocVerdict shows a DIVOC code, whose signature nobody can check any more.
func divocVerdict(text string, b *trust.Bundle, at time.Time) Verdict {
	d, err := hcert.ParseDIVOC(text)
	if err != nil {
		return unreadable("", b, at, NotRecognised)
	}
	x := examine(certificate.DIVOC, b, at)
	x.set(Readable, OK, Read)
	x.issuedBy(d.Issuer)
	x.set(Signature, Unknown, KeysWithdrawn)
	x.set(Issuer, Unknown, IssuerUnknown)
	x.verdict.Holder = &Holder{Names: []string{d.Name}, CertificateID: d.CertificateID, Doses: []Dose{{
		Number: d.Dose, Date: d.Date, Product: d.Vaccine, Lot: d.Batch, Centre: d.Manufacturer,
	}}}
	return x.finish()
}
