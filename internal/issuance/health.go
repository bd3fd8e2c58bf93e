package issuance

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"akashi/certificate"
	"akashi/certificate/hcert"
	"akashi/certificate/qr"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/signing"
	"akashi/signing/pki"
)

// healthYears is after how many years an HC1 code has to be made anew, if its signer's
// certificate does not end before (spec who-icvp-gdhcn, 4).
const healthYears = 2

// healthCode is what yellow cards and EU certificates have in common: one dose per code,
// in the container HC1.
type healthCode struct{ state string }

func (healthCode) purpose() signing.Purpose { return signing.DSC }

func (healthCode) expires(c certificate.Certificate, key signing.Key) time.Time {
	end := c.IssuedAt.AddDate(healthYears, 0, 0)
	if key.NotAfter.Before(end) {
		end = key.NotAfter
	}
	return end.Truncate(time.Second)
}

// options are what the code says beside the certificate. The id of the token is what its
// status is listed by.
func (h healthCode) options(c certificate.Certificate, key signing.Key, p Payload) (o hcert.Options, err error) {
	if len(key.Certificate) == 0 {
		return o, errors.New("issuance: key of HC1 codes without certificate")
	}
	o = hcert.Options{Country: h.state, KeyID: hcert.KeyID(key.Certificate), Expires: h.expires(c, key)}
	o.TokenID, err = base64.RawURLEncoding.DecodeString(p.StatusID)
	return o, err
}

func (healthCode) seal(toSign, signature []byte, _ signing.Key) (string, error) {
	return hcert.Seal(toSign, signature)
}

func (healthCode) segments(text string) []qr.Segment { return hcert.Segments(text) }
func (healthCode) maxVersion() int                   { return 22 }

// headers names what differs outside the claims.
func headers(o hcert.Options, code *hcert.Code) (differ []string) {
	if !bytes.Equal(code.KeyID, o.KeyID) {
		differ = append(differ, "key_id")
	}
	return differ
}

// notes are the flaws of a code that was read: ours has none.
func notes(code *hcert.Code) []string {
	found := slices.Clone(code.Notes)
	if code.Fault != nil {
		found = append(found, code.Fault.Error())
	}
	return found
}

// yellowCard is the code of a dose on an international certificate.
type yellowCard struct{ healthCode }

var errNoSuchDose = errors.New("issuance: the certificate has no such dose")

func (y yellowCard) draft(c certificate.Certificate, key signing.Key, p Payload) ([]byte, error) {
	o, err := y.options(c, key, p)
	if err != nil {
		return nil, err
	}
	content, ok := hcert.ICVPOf(c, p.Dose)
	if !ok {
		return nil, errNoSuchDose
	}
	return hcert.DraftICVP(content, c.IssuedAt, o)
}

func (y yellowCard) read(text string) (code, error) {
	read, err := hcert.Parse(text)
	return yellowCardCode{y, read}, err
}

type yellowCardCode struct {
	yellowCard
	code *hcert.Code
}

func (y yellowCardCode) compare(c certificate.Certificate, key signing.Key, p Payload) []string {
	o, err := y.options(c, key, p)
	content, ok := hcert.ICVPOf(c, p.Dose)
	if err != nil || !ok {
		return []string{"dose"}
	}
	return append(hcert.CompareICVP(content, c.IssuedAt, o, y.code), headers(o, y.code)...)
}

func (y yellowCardCode) broken() []string { return notes(y.code) }

// verdict is right of a code that was made before its dose counts, and says so itself.
func (y yellowCardCode) verdict(b *trust.Bundle, at time.Time) verify.Verdict {
	return verify.HealthInForce(y.code, b, at)
}

// euCertificate is the EU certificate of a dose on a travel certificate.
type euCertificate struct{ healthCode }

func (e euCertificate) options(c certificate.Certificate, key signing.Key, p Payload) (hcert.Options, error) {
	o, err := e.healthCode.options(c, key, p)
	if err != nil {
		return o, err
	}
	signer, err := pki.ParseCertificate(key.Certificate)
	if err != nil {
		return o, err
	}
	o.Country, o.Authority = signer.Subject.Country(), c.Issuer.English[len(c.Issuer.English)-1]
	return o, nil
}

func dose(c certificate.Certificate, number int) int {
	return slices.IndexFunc(c.Doses, func(d certificate.Dose) bool { return d.Number == number })
}

func (e euCertificate) draft(c certificate.Certificate, key signing.Key, p Payload) ([]byte, error) {
	o, err := e.options(c, key, p)
	if err != nil {
		return nil, err
	}
	return hcert.DraftDCC(c, dose(c, p.Dose), o)
}

func (e euCertificate) read(text string) (code, error) {
	read, err := hcert.Parse(text)
	return euCertificateCode{e, read}, err
}

type euCertificateCode struct {
	euCertificate
	code *hcert.Code
}

func (e euCertificateCode) compare(c certificate.Certificate, key signing.Key, p Payload) []string {
	o, err := e.options(c, key, p)
	if err != nil {
		return []string{"options"}
	}
	return append(hcert.CompareDCC(c, dose(c, p.Dose), o, e.code), headers(o, e.code)...)
}

func (e euCertificateCode) broken() []string {
	found := notes(e.code)
	if e.code.DCC != nil {
		for _, f := range e.code.DCC.Findings {
			found = append(found, f.Field+" "+f.Code)
		}
	}
	return found
}

func (e euCertificateCode) verdict(b *trust.Bundle, at time.Time) verify.Verdict {
	return verify.Health(e.code, b, at)
}
