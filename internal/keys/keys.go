// Package keys takes the signing keys of an installation through their life:
// made in the token, certified by the country's authority where a family asks
// for it, announced, active, retired, withdrawn (S-067, S-068).
//
// Making, activating and withdrawing are dangerous acts (S-029): each uses an
// approval that two people gave before, inside its own act. A key signs nothing
// before it was published for seven days.
package keys

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"crypto/x509/pkix"
	"fmt"
	"regexp"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/signing"
	"akashi/signing/pki"
)

// Kinds of approvals. The object of Generate is PURPOSE/LABEL, that of the
// others the key's id.
const (
	Generate = "key.generate"
	Activate = "key.activate"
	Withdraw = "key.retire"
)

// Announcement is how long a key is published before it signs (S-067).
const Announcement = 7 * 24 * time.Hour

// Years that a health card key signs, and that its certificates can be verified;
// those of certified keys stand in their certificates.
const (
	signsFor = 1
	validFor = 6
)

// Approvals is the four-eyes rule. Use consumes the approval of exactly this act
// and runs inside it; without one it is a fault.
type Approvals interface {
	Use(ctx context.Context, a actor.Actor, kind, object string, parameters map[string]string) error
}

// Store keeps the public halves; the changes run inside an act.
type Store interface {
	SigningKeys(ctx context.Context) ([]signing.Key, error)
	SigningKey(ctx context.Context, id string) (signing.Key, error) // fault NotFound "signing_key"
	RegisterKeys(ctx context.Context, office string, keys []signing.Key) error
	MoveKey(ctx context.Context, office string, k signing.Key, to signing.State) error
}

// Token holds the private halves, which never leave it.
type Token interface {
	// Generate makes a key pair, or returns the one that has the label.
	Generate(label string) (*ecdsa.PublicKey, error)
	Public(label string) (*ecdsa.PublicKey, error) // signing.ErrNoSuchKey
	// Request is a certificate request (PKCS#10, DER).
	Request(label string, subject pkix.Name) ([]byte, error)
}

// Service is the use cases.
type Service struct {
	Log                    *audit.Log
	Store                  Store
	Approvals              Approvals
	Token                  Token // nil: keys are not made here
	Clock                  clock.Clock
	SHCIssuer, VDSNCIssuer string
	Test                   bool
	// Published is what verifiers get: a bar code signer is activated only where its
	// authority's revocation list is published too, or no code would verify.
	Published func(ctx context.Context) (*trust.Bundle, error)
}

var errNoToken = fault.New(fault.Conflict, "no_token", "")

// labels are what every token takes.
var labels = regexp.MustCompile(`^[a-z0-9][a-z0-9-]{0,31}$`)

// Wanted is a key to be made.
type Wanted struct {
	Purpose signing.Purpose // shc, vdsnc, dsc or paper
	Label   string          // in the token
	Subject pkix.Name       // of the certificate request; not for shc
}

func (w Wanted) object() string { return string(w.Purpose) + "/" + w.Label }

func (w Wanted) check() error {
	if err := fault.OneOf("purpose", w.Purpose, signing.SHC, signing.VDSNC, signing.DSC, signing.Paper); err != nil {
		return err
	}
	if !labels.MatchString(w.Label) {
		return fault.New(fault.Invalid, "key_label", "label")
	}
	if (w.Purpose == signing.VDSNC || w.Purpose == signing.DSC) && (len(w.Subject.Country) != 1 || len(w.Subject.Country[0]) != 2 || w.Subject.CommonName == "") {
		return fault.New(fault.Invalid, "key_subject", "subject") // spec icao-vds-nc, 4; eu-dcc, 6
	}
	return nil
}

// Made is what Make leaves: a health card key that is announced, or the request
// with which a country's or a paper authority certifies the key.
type Made struct {
	Key     signing.Key
	Request []byte // PKCS#10, DER; nil for a key that needs no certificate
}

// Make makes a key in the token, as two people approved. It may be repeated
// with a new approval: the key is the same.
func (s *Service) Make(ctx context.Context, a actor.Actor, w Wanted) (m Made, err error) {
	if err := w.check(); err != nil {
		return m, err
	}
	if s.Token == nil {
		return m, errNoToken
	}
	err = s.Log.Act(ctx, a, audit.Entry{Action: "key.generate", Object: w.object()}, func(ctx context.Context, e *audit.Entry) error {
		if err := s.Approvals.Use(ctx, a, Generate, w.object(), nil); err != nil {
			return err
		}
		if err := s.free(ctx, w.Label); err != nil {
			return err
		}
		public, err := s.Token.Generate(w.Label)
		if err != nil {
			return unavailable(err)
		}
		if w.Purpose != signing.SHC {
			m.Request, err = s.Token.Request(w.Label, w.Subject)
			return unavailable(err)
		}
		now := s.now()
		m.Key = signing.Key{
			Purpose: w.Purpose, Issuer: s.SHCIssuer, Handle: w.Label, NotBefore: now, NotAfter: now.AddDate(validFor, 0, 0),
			UsageFrom: now.Add(Announcement), UsageTo: now.Add(Announcement).AddDate(signsFor, 0, 0),
		}
		m.Key, err = s.announce(ctx, a, e, m.Key, public)
		return err
	})
	return m, err
}

// free refuses a label under which a key is registered.
func (s *Service) free(ctx context.Context, label string) error {
	known, err := s.Store.SigningKeys(ctx)
	if err != nil {
		return err
	}
	for _, k := range known {
		if k.Handle == label {
			return fault.New(fault.Conflict, "key_label_taken", "label")
		}
	}
	return nil
}

func (s *Service) announce(ctx context.Context, a actor.Actor, e *audit.Entry, k signing.Key, public *ecdsa.PublicKey) (signing.Key, error) {
	der, err := x509.MarshalPKIXPublicKey(public)
	if err != nil {
		return k, fmt.Errorf("keys: encode: %w", err)
	}
	k.ID, k.Public, k.Algorithm, k.State, k.Test = signing.Thumbprint(public), der, signing.ES256, signing.Announced, s.Test
	e.Fact("key", k.ID)
	return k, s.Store.RegisterKeys(ctx, a.Office, []signing.Key{k})
}

// Activate lets an announced key sign, as two people approved, and retires the
// one that signed for the same purpose and issuer until now: there is one at a
// time. Fault Conflict "key_announced" before it was published long enough.
func (s *Service) Activate(ctx context.Context, a actor.Actor, id string) error {
	return s.Log.Act(ctx, a, audit.Entry{Action: "key.activate", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		key, err := s.Store.SigningKey(ctx, id)
		if err != nil {
			return err
		}
		if err := s.Approvals.Use(ctx, a, Activate, id, nil); err != nil {
			return err
		}
		now := s.now()
		switch {
		case !key.State.CanBecome(signing.Active):
			return fault.New(fault.Conflict, "key_state", "").With("state", string(key.State))
		case now.Before(key.UsageFrom):
			return fault.New(fault.Conflict, "key_announced", "").With("from", key.UsageFrom.Format(time.RFC3339))
		case !now.Before(key.UsageTo):
			return fault.New(fault.Conflict, "key_over", "").With("until", key.UsageTo.Format(time.RFC3339))
		}
		if err := s.listed(ctx, key, now); err != nil {
			return err
		}
		known, err := s.Store.SigningKeys(ctx)
		if err != nil {
			return err
		}
		for _, k := range known {
			if k.State == signing.Active && k.Purpose == key.Purpose && k.Issuer == key.Issuer {
				e.Fact("retired", k.ID)
				if err := s.Store.MoveKey(ctx, a.Office, k, signing.Retired); err != nil {
					return err
				}
			}
		}
		return s.Store.MoveKey(ctx, a.Office, key, signing.Active)
	})
}

// listed refuses a bar code signer without a current revocation list.
func (s *Service) listed(ctx context.Context, k signing.Key, now time.Time) error {
	if k.Purpose != signing.VDSNC {
		return nil
	}
	signer, err := pki.ParseCertificate(k.Certificate)
	if err != nil {
		return err
	}
	bundle, err := s.Published(ctx)
	if err != nil {
		return err
	}
	authority, err := bundle.FindAuthority(signer, now)
	if err != nil {
		return err
	}
	lists := bundle.CRLs(authority)
	if len(lists) == 0 || !now.Before(lists[0].NextUpdate) {
		return fault.New(fault.Conflict, "key_list", "")
	}
	return nil
}

// Withdraw declares a key compromised, as two people approved: it signs nothing
// more and is published no more (S-068). There is no way back.
func (s *Service) Withdraw(ctx context.Context, a actor.Actor, id string) error {
	return s.Log.Act(ctx, a, audit.Entry{Action: "key.withdraw", Object: id}, func(ctx context.Context, e *audit.Entry) error {
		key, err := s.Store.SigningKey(ctx, id)
		if err != nil {
			return err
		}
		if err := s.Approvals.Use(ctx, a, Withdraw, id, nil); err != nil {
			return err
		}
		e.Fact("from", string(key.State))
		return s.Store.MoveKey(ctx, a.Office, key, signing.Compromised)
	})
}

func (s *Service) now() time.Time { return s.Clock.Now().UTC().Truncate(time.Second) }

// unavailable says that the token did not do it.
func unavailable(err error) error {
	if err == nil {
		return nil
	}
	return fault.New(fault.Unavailable, "token", "").Because(err)
}
