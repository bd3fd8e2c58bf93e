package chip

import (
	"crypto/x509"
	"errors"
	"slices"
	"strings"
	"time"

	"akashi/passport"
	"akashi/signing/pki"
)

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
		document = x.Reading.Document.IssuingState
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
