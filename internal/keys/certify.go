package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"time"

	"akashi/certificate/hcert"
	"akashi/certificate/vdsnc"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/signing"
	"akashi/signing/pki"
)

// Certified is what came back for a certificate request.
type Certified struct {
	Purpose     signing.Purpose // vdsnc, dsc or paper
	Label       string          // of the key in the token
	Certificate []byte          // DER
	Authority   []byte          // of bar codes and HC1 codes: the country's authority that signed it, DER
}

// Certify announces a key that was made by Make with the certificate that came
// back for it, if key, authority and profile are right (spec icao-vds-nc, 4).
// Activating it takes two people again.
func (s *Service) Certify(ctx context.Context, a actor.Actor, c Certified) (key signing.Key, err error) {
	if err := fault.OneOf("purpose", c.Purpose, signing.VDSNC, signing.DSC, signing.Paper); err != nil {
		return key, err
	}
	if s.Token == nil {
		return key, errNoToken
	}
	signer, err := pki.ParseCertificate(c.Certificate)
	if err != nil {
		return key, fault.New(fault.Invalid, "key_certificate", "certificate").Because(err)
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: "key.certify", Object: string(c.Purpose) + "/" + c.Label}, func(ctx context.Context, e *audit.Entry) error {
		if err := s.free(ctx, c.Label); err != nil {
			return err
		}
		public, err := s.Token.Public(c.Label)
		switch {
		case errors.Is(err, signing.ErrNoSuchKey):
			return fault.New(fault.Conflict, "key_not_made", "label")
		case err != nil:
			return unavailable(err)
		}
		if certified, ok := signer.PublicKey.(*ecdsa.PublicKey); !ok || !public.Equal(certified) {
			return fault.New(fault.Invalid, "key_certificate_other", "certificate")
		}
		switch c.Purpose {
		case signing.VDSNC:
			err = s.authority(ctx, a, c.Authority, signer)
		case signing.DSC:
			err = s.healthSigner(c.Authority, signer)
		}
		if err != nil {
			return err
		}
		key, err = s.announce(ctx, a, e, s.described(c, signer, a.Office), public)
		return err
	})
	return key, err
}

// described is the key as its certificate describes it. It signs from seven days
// after now, for as long as its certificate or the private key usage period in
// it allows, and a year at most.
func (s *Service) described(c Certified, signer *pki.Certificate, office string) signing.Key {
	now := s.now()
	k := signing.Key{
		Purpose: c.Purpose, Issuer: s.VDSNCIssuer, Handle: c.Label, Certificate: c.Certificate,
		NotBefore: signer.NotBefore, NotAfter: signer.NotAfter,
		UsageFrom: later(now.Add(Announcement), signer.NotBefore), UsageTo: signer.NotAfter,
	}
	if c.Purpose == signing.Paper {
		k.Issuer = office
	}
	if p := signer.PrivateKeyUsage; !p.From.IsZero() {
		k.UsageFrom = later(k.UsageFrom, p.From)
	}
	if p := signer.PrivateKeyUsage; !p.To.IsZero() {
		k.UsageTo = earlier(k.UsageTo, p.To)
	}
	k.UsageTo = earlier(k.UsageTo, k.UsageFrom.AddDate(signsFor, 0, 0))
	return k
}

// healthSigner refuses what is not a signer of doses that the authority made. Verifiers find
// the signer on a list, so that its authority is not kept.
func (s *Service) healthSigner(der []byte, signer *pki.Certificate) error {
	authority, err := pki.ParseCertificate(der)
	if err == nil {
		err = hcert.CheckSigner(signer, authority, s.VDSNCIssuer)
	}
	return profile(err)
}

func profile(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Invalid, "key_profile", "certificate").With("reason", err.Error()).Because(err)
}

func later(a, b time.Time) time.Time {
	if a.After(b) {
		return a
	}
	return b
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// authority registers the country's authority if it issued the signer's
// certificate and the two can sign bar codes of this installation.
func (s *Service) authority(ctx context.Context, a actor.Actor, der []byte, signer *pki.Certificate) error {
	parent, err := pki.ParseCertificate(der)
	if err == nil {
		_, err = pki.FindAuthority(signer, []*pki.Certificate{parent})
	}
	if err == nil {
		at := later(s.now(), signer.NotBefore)
		err = vdsnc.SignerRules(signer, parent, vdsnc.TypeVaccination, s.VDSNCIssuer, at)
	}
	if err != nil {
		return profile(err)
	}
	sum := sha256.Sum256(der)
	return s.Store.RegisterKeys(ctx, a.Office, []signing.Key{{
		ID: base64.RawURLEncoding.EncodeToString(sum[:]), Purpose: signing.Authority, Issuer: s.VDSNCIssuer, State: signing.Active,
		Public: []byte{}, Certificate: der, NotBefore: parent.NotBefore, NotAfter: parent.NotAfter,
		UsageFrom: parent.NotBefore, UsageTo: parent.NotAfter, Test: s.Test,
	}})
}
