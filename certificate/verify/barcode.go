package verify

import (
	"crypto/ecdsa"
	"errors"
	"slices"
	"strings"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/certificate/vdsnc"
	"akashi/internal/clock"
	"akashi/signing"
	"akashi/signing/pki"
)

// barcodeVerdict takes the steps of the specification (icao-vds-nc, 7).
func barcodeVerdict(text string, b *trust.Bundle, at time.Time) Verdict {
	code, err := vdsnc.Parse(text)
	if err != nil {
		return refusedBarcode(err, b, at)
	}
	return Barcode(code, b, at)
}

// Barcode judges a bar code that was read already.
func Barcode(code *vdsnc.Barcode, b *trust.Bundle, at time.Time) Verdict {
	x := examine(certificate.VDSNC, b, at)
	x.set(Readable, OK, Read)
	x.issuedBy(code.Issuer)
	if key, ok := code.Signer.PublicKey.(*ecdsa.PublicKey); ok {
		x.verdict.KeyID = signing.Thumbprint(key)
	}
	x.verdict.Holder = holderOfBarcode(code)
	if err := code.CheckSignature(); err != nil {
		x.setBarcodeCause(Signature, SignatureWrong, err)
	} else {
		x.set(Signature, OK, SignatureGood)
	}
	x.checkChain(code)
	x.checkStatus(x.verdict.KeyID, certificate.VDSNC, code.ID)
	x.checkIssued(x.verdict.KeyID, code.Digest(), signedBefore(code))
	x.checkBarcodeContent(code)
	return x.finish()
}

// refusedBarcode tells parts that cannot be decoded (step 1) from rules that
// the data break (2) and from signatures that are not allowed (3).
func refusedBarcode(err error, b *trust.Bundle, at time.Time) Verdict {
	var e *vdsnc.Error
	if !errors.As(err, &e) {
		e = &vdsnc.Error{Step: vdsnc.StepMalformed}
	}
	x := examine(certificate.VDSNC, b, at)
	x.set(Readable, OK, Read)
	cause := []string{"cause", e.Code, "field", e.Field}
	switch {
	case e.Step == vdsnc.StepSchema && (e.Field == "data" || e.Field == "sig") && e.Code == "missing":
		return unreadable("", b, at, NotRecognised)
	case e.Step == vdsnc.StepSchema && (e.Field == "data.hdr.t" || e.Field == "data.hdr.v"):
		x.set(Readable, Failed, VersionNotSupported, cause...)
	case e.Step == vdsnc.StepSchema:
		x.set(Content, Failed, ContentRules, cause...)
	case e.Step == vdsnc.StepUnsupported:
		x.set(Signature, Failed, AlgorithmNotAllowed, cause...)
	case strings.HasPrefix(e.Field, "sig."):
		x.set(Signature, Failed, SignatureForm, cause...)
	default:
		x.set(Readable, Failed, BarcodeMalformed, cause...)
	}
	return x.finish()
}

func (x *examination) setBarcodeCause(facet, code string, err error) {
	var e *vdsnc.Error
	if errors.As(err, &e) {
		x.set(facet, Failed, code, "cause", e.Code, "field", e.Field)
		return
	}
	x.set(facet, Failed, code)
}

// signedBefore is the end of the day on which the bar code says that it was issued,
// by an identifier of our form; zero if it does not say.
func signedBefore(code *vdsnc.Barcode) time.Time {
	day := certificate.DayOfAI(code.Person.OtherID)
	if day == "" {
		return time.Time{}
	}
	return clock.Midnight(day).AddDate(0, 0, 1)
}

// checkChain takes steps 5 to 8: authority, rules and country of the signer, dates, revocation.
func (x *examination) checkChain(code *vdsnc.Barcode) {
	signer := code.Signer
	x.checkDates(signer, SignerNotYetValid, SignerExpired)
	authority, ok := x.findAuthority(signer)
	if !ok {
		return
	}
	x.set(Issuer, OK, IssuerKnown)
	if x.verdict.Facet(Validity).Result == OK {
		x.checkDates(authority, AuthorityNotYetValid, AuthorityExpired)
	}
	x.checkSignerRules(code, authority)
	x.checkRevocation(signer, x.bundle.CRLs(authority))
}

func (x *examination) findAuthority(signer *pki.Certificate) (*pki.Certificate, bool) {
	authority, err := x.bundle.FindAuthority(signer, x.at)
	switch {
	case err == nil:
		return authority, true
	case errors.Is(err, pki.ErrUnsupported):
		x.set(Issuer, Unknown, IssuerUnsupported)
	case signer.AKI != nil && len(x.bundle.Authorities(signer)) > 0:
		x.set(Issuer, Failed, ChainWrong)
	default:
		x.set(Issuer, Unknown, IssuerUnknown)
	}
	return nil, false
}

func (x *examination) checkDates(c *pki.Certificate, early, late string) {
	switch {
	case x.at.Before(c.NotBefore):
		x.set(Validity, Failed, early, "not_before", c.NotBefore.UTC().Format(time.RFC3339))
	case x.at.After(c.NotAfter):
		x.set(Validity, Failed, late, "not_after", c.NotAfter.UTC().Format(time.RFC3339))
	default:
		x.set(Validity, OK, InTime)
	}
}

// checkSignerRules asks about a time at which both certificates were in force, so that
// an ended certificate does not hide what else is wrong: dates are a facet of their own.
func (x *examination) checkSignerRules(code *vdsnc.Barcode, authority *pki.Certificate) {
	within := code.Signer.NotBefore
	if authority.NotBefore.After(within) {
		within = authority.NotBefore
	}
	err := vdsnc.SignerRules(code.Signer, authority, code.Type, code.Issuer, within)
	var e *vdsnc.Error
	switch {
	case !code.Signer.Valid(within) || !authority.Valid(within): // never in force together
	case err == nil:
		x.set(Key, OK, SignerAllowed)
	case errors.As(err, &e) && e.Step == vdsnc.StepCountry:
		x.setBarcodeCause(Key, CountryDiffers, err)
	default:
		x.setBarcodeCause(Key, SignerNotAllowed, err)
	}
}

// checkRevocation takes step 8 with the lists of the authority, newest first.
func (x *examination) checkRevocation(signer *pki.Certificate, lists []*pki.CRL) {
	if len(lists) == 0 {
		x.set(Revocation, Unknown, ListMissing)
		return
	}
	newest := lists[0]
	x.set(Revocation, Unknown, ListNotCurrent, "list_age", max(x.at.Sub(newest.ThisUpdate), 0).Truncate(time.Minute).String(),
		"this_update", newest.ThisUpdate.UTC().Format(time.RFC3339), "next_update", newest.NextUpdate.UTC().Format(time.RFC3339))
	for _, l := range slices.Backward(lists) {
		if l.Current(x.at) {
			x.set(Revocation, OK, SignerNotRevoked, "list_age", max(x.at.Sub(l.ThisUpdate), 0).Truncate(time.Minute).String(), "next_update", l.NextUpdate.UTC().Format(time.RFC3339))
		}
	}
	for _, l := range lists {
		if l.Lists(signer.Serial) {
			x.set(Revocation, Failed, SignerRevoked)
		}
	}
}

// checkBarcodeContent takes step 9, whose findings are notes.
func (x *examination) checkBarcodeContent(code *vdsnc.Barcode) {
	x.set(Content, OK, ContentGood)
	x.note(code.Notes...)
	x.note(code.Warnings(x.at)...)
	if len(code.Unknown) > 0 {
		x.note(UnknownMembers)
	}
	if code.Type == vdsnc.TypeTest {
		x.note(NotVaccination)
	}
}
