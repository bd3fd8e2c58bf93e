package verify

import (
	"errors"
	"strconv"
	"time"

	"akashi/certificate"
	"akashi/certificate/shc"
	"akashi/certificate/trust"
	"akashi/signing"
	"akashi/signing/pki"
)

// numericVerdict judges the codes of one card; flaws are those of its symbol.
func numericVerdict(texts []string, b *trust.Bundle, at time.Time, flaws ...string) Verdict {
	jws, notes, err := shc.FromNumeric(texts...)
	if err != nil {
		return refusedCard(err, b, at)
	}
	return cardVerdict(jws, append(flaws, notes...), b, at)
}

// cardVerdict takes the steps of the specification (smart-health-cards, 8) from 3 on.
func cardVerdict(jws string, notes []string, b *trust.Bundle, at time.Time) Verdict {
	c, err := shc.Parse(jws)
	if err != nil {
		return refusedCard(err, b, at)
	}
	return Card(c, notes, b, at)
}

// Card judges a health card that was read already; notes are those of reading
// its code.
func Card(c *shc.Card, notes []string, b *trust.Bundle, at time.Time) Verdict {
	x := examine(certificate.SHC, b, at)
	x.set(Readable, OK, Read)
	x.issuedBy(c.Issuer)
	x.verdict.KeyID, x.verdict.Holder = c.Header.KeyID, holderOfCard(c)
	if year := c.NotBefore.Year(); year > 0 && year <= 9999 { // others cannot be written
		x.verdict.SignedAt = c.NotBefore
	}
	x.note(notes...)
	x.note(c.Notes...)
	x.checkCardKey(c)
	x.checkCardTime(c)
	if public, ok := b.Key(c.Issuer, c.Header.KeyID); ok {
		x.checkStatus(signing.Thumbprint(public.Public), certificate.SHC, c.RevocationID)
		x.checkIssued(signing.Thumbprint(public.Public), c.Digest(), c.NotBefore)
	}
	x.checkCardContent(c)
	return x.finish()
}

// refusals say how a failure to read shows. A wrong header or a signature of wrong
// length is no fault of the reader or the paper: it is a wrong signature.
var refusals = map[shc.Step]string{
	shc.StepScheme:  CardScheme,
	shc.StepDigits:  CardDigits,
	shc.StepShape:   CardShape,
	shc.StepInflate: CardInflate,
	shc.StepClaims:  CardClaims,
}

// headerFaults name what is wrong with a header by its member.
var headerFaults = map[string]string{
	"alg":  AlgorithmNotAllowed,
	"zip":  CompressionNotAllowed,
	"kid":  KeyNotNamed,
	"crit": ConditionNotKnown, "b64": ConditionNotKnown,
	"jku": KeyEnclosed, "jwk": KeyEnclosed, "x5u": KeyEnclosed, "x5c": KeyEnclosed,
}

func refusedCard(err error, b *trust.Bundle, at time.Time) Verdict {
	x := examine(certificate.SHC, b, at)
	var e *shc.Error
	if !errors.As(err, &e) {
		e = &shc.Error{Step: shc.StepShape}
	}
	cause := []string{"cause", e.Code, "field", e.Field}
	switch {
	case e.Step == shc.StepHeader:
		x.set(Readable, OK, Read)
		code, known := headerFaults[e.Field]
		if !known {
			code = HeaderMalformed
		}
		x.set(Signature, Failed, code, cause...)
	case e.Step == shc.StepShape && e.Code == "signature_length":
		x.set(Readable, OK, Read)
		x.set(Signature, Failed, SignatureForm, cause...)
	default:
		code, known := refusals[e.Step]
		if !known {
			code = CardShape
		}
		x.set(Readable, Failed, code, cause...)
	}
	return x.finish()
}

// checkCardKey takes steps 7 to 9 and 11: issuer, key, signature, revocation.
func (x *examination) checkCardKey(c *shc.Card) {
	if err := c.CheckIssuer(); err != nil {
		x.setCause(Issuer, IssuerForm, err)
		return
	}
	if !x.bundle.HasIssuer(c.Issuer) {
		x.set(Issuer, Unknown, IssuerUnknown)
		return
	}
	x.set(Issuer, OK, IssuerKnown)
	x.checkFresh(x.bundle.Listed(c.Issuer))
	key, ok := x.bundle.Key(c.Issuer, c.Header.KeyID)
	if !ok {
		code := KeyNotOfIssuer
		if x.verdict.Test {
			code = KeyOfOtherTest
		}
		x.set(Key, Failed, code)
		if made := x.bundle.MadeAt(); c.NotBefore.After(made) {
			x.set(Freshness, Unknown, TrustBeforeCode, "made_at", made.Format(time.RFC3339))
		}
		return
	}
	x.checkCertified(c, key.Certified)
	if err := c.CheckSignature(key.Public); err != nil {
		x.setCause(Signature, SignatureWrong, err)
	} else {
		x.set(Signature, OK, SignatureGood)
	}
	x.checkCardList(c, key.ListVersion)
}

// checkCertified judges the certificates of a key, if it has any, at the time of
// signing: cards outlive them (spec smart-health-cards, 4).
func (x *examination) checkCertified(c *shc.Card, period pki.Period) {
	if period == (pki.Period{}) {
		x.set(Key, OK, KeyOfIssuer)
		return
	}
	rule := []string{"rule", "certificates_at_signing_time",
		"not_before", period.From.UTC().Format(time.RFC3339), "not_after", period.To.UTC().Format(time.RFC3339)}
	if period.Includes(c.NotBefore) {
		x.set(Key, OK, KeyOfIssuer, rule...)
	} else {
		x.set(Key, Failed, KeyNotInForce, rule...)
	}
}

// checkCardList takes step 11. version is that of the list the key promises.
func (x *examination) checkCardList(c *shc.Card, version int) {
	if version == 0 {
		x.set(Revocation, NotApplicable, NoList)
		return
	}
	list := x.bundle.CardList(c.Issuer, c.Header.KeyID)
	if list == nil {
		x.set(Revocation, Unknown, ListMissing)
		return
	}
	id := c.RevocationID // a card without one is on no list of this method
	if list.Method == trust.MethodHash {
		var err error
		if id, err = c.BundleHash(); err != nil {
			x.set(Revocation, Unknown, ListMissing)
			return
		}
	}
	detail := []string{"method", list.Method, "ctr", strconv.Itoa(list.Counter)}
	if list.Lists(id, c.NotBefore) {
		x.set(Revocation, Failed, CardRevoked, detail...)
	} else {
		x.set(Revocation, OK, NotRevoked, detail...)
		x.checkListAge(trust.KindCardList, x.bundle.Listed(c.Issuer))
	}
}

func (x *examination) setCause(facet, code string, err error) {
	var e *shc.Error
	if errors.As(err, &e) {
		x.set(facet, Failed, code, "cause", e.Code, "field", e.Field)
		return
	}
	x.set(facet, Failed, code)
}

// checkCardTime takes step 10.
func (x *examination) checkCardTime(c *shc.Card) {
	err := c.CheckTime(x.at, ClockSkew)
	var e *shc.Error
	switch {
	case err == nil:
		x.set(Validity, OK, InTime)
	case errors.As(err, &e) && e.Code == "not_yet_valid":
		x.setCause(Validity, NotYetValid, err)
	case errors.As(err, &e) && e.Code == "expires_before_issue":
		x.setCause(Validity, ExpiresBeforeIssue, err)
	default:
		x.setCause(Validity, Expired, err)
	}
}

// contentCodes are the codes of what makes a card prove nothing.
var contentCodes = map[string]string{
	"no_patient":           NoPatient,
	"several_patients":     SeveralPatients,
	"no_name":              NoName,
	"no_immunization":      NoDose,
	"status_not_completed": DoseNotCompleted,
	"subpotent":            DoseSubpotent,
	"no_code":              DoseWithoutCode,
	"no_date":              DoseWithoutDate,
	"broken_reference":     DoseOfNobody,
}

// checkCardContent takes step 12. The first failure is the facet's, others are notes.
func (x *examination) checkCardContent(c *shc.Card) {
	x.set(Content, OK, ContentGood)
	failed := false
	for _, f := range c.Content() {
		code, known := contentCodes[f.Code]
		if !known {
			code = ContentWrong
		}
		switch {
		case f.Severity == shc.Fatal && !failed:
			x.set(Content, Failed, code, "cause", f.Code, "path", f.Path)
			failed = true
		case f.Severity == shc.Fatal:
			x.note(code)
		case f.Code == "no_immunization":
			x.note(NotVaccination)
		}
	}
}
