package issuance

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"akashi/certificate/qr"
	"akashi/certificate/verify"
	"akashi/internal/fault"
	"akashi/signing"
)

// unsigned stands in a draft's code where its signature will be. Halves of zero
// verify under no key (FIPS 186-5, 6.4.2), so what carries it can never be taken
// for a certificate.
var unsigned [64]byte

// lint seals each draft with a signature that is none, reads it back as a stranger
// would and compares every field with the certificate (step 7). Since all families
// are compared with the same value, they agree with each other. The rules for issuers
// are asked here, once: what the self-check finds equal keeps them too.
func (s *Service) lint(ctx context.Context, i Issue) error {
	var found []string
	for _, p := range i.Payloads {
		fields, err := s.lintPayload(ctx, i, p)
		if fault.CodeOf(err) == fault.Unavailable {
			return err // says nothing about the draft
		}
		if err != nil {
			return fault.New(fault.Conflict, "draft", string(p.Family)).Because(err)
		}
		for _, field := range fields {
			found = append(found, string(p.Family)+":"+field)
		}
	}
	if len(found) > 0 {
		return fault.New(fault.Internal, "lint", found[0]).With("fields", strings.Join(found, " "))
	}
	return nil
}

// lintPayload names the fields of one code that do not say what the certificate says.
func (s *Service) lintPayload(ctx context.Context, i Issue, p Payload) ([]string, error) {
	f, key, err := s.means(ctx, p)
	if err != nil {
		return nil, err
	}
	text, err := f.seal(p.ToSign, unsigned[:], key)
	if err != nil {
		return nil, err
	}
	if err := fits(f, text); err != nil {
		return nil, err
	}
	read, err := f.read(text)
	if err != nil {
		return []string{"unreadable " + err.Error()}, nil //nolint:nilerr // that it cannot be read is the finding
	}
	return append(read.compare(i.Certificate, key, p), read.broken()...), nil
}

// means are the family of a payload and the key it is, or is to be, signed with.
func (s *Service) means(ctx context.Context, p Payload) (family, signing.Key, error) {
	f, err := s.family(p.Family)
	if err != nil {
		return nil, signing.Key{}, err
	}
	key, err := s.key(ctx, p.KeyID)
	return f, key, err
}

// sign asks the signer by the certificate's name and seals what comes back (step 9).
func (s *Service) sign(ctx context.Context, i *Issue) error {
	signatures, err := s.Signer.Sign(ctx, i.Certificate.Office, i.Certificate.ID)
	if err != nil {
		return err
	}
	s.point("signed")
	i.Payloads = slices.Clone(i.Payloads)
	for n, p := range i.Payloads {
		at := slices.IndexFunc(signatures, func(x signing.Signature) bool { return x.Number == p.Number && x.KeyID == p.KeyID })
		if at < 0 {
			return &wrongResult{"signature_missing", fmt.Errorf("payload %d", p.Number)}
		}
		f, key, err := s.means(ctx, p)
		if err != nil {
			return err
		}
		if i.Payloads[n].Text, err = f.seal(p.ToSign, signatures[at].Value, key); err != nil {
			return &wrongResult{"seal", err}
		}
	}
	s.point("sealed")
	return nil
}

// wrongResult says that what was made must never be released.
type wrongResult struct {
	code string
	err  error
}

func (w *wrongResult) Error() string { return "issuance: " + w.code + ": " + w.err.Error() }
func (w *wrongResult) Unwrap() error { return w.err }

// selfCheck reads every symbol back from its own modules, verifies the text with
// the keys as published, and compares it with the certificate (step 10).
func (s *Service) selfCheck(ctx context.Context, i Issue) error {
	bundle, err := s.Published(ctx)
	if err != nil {
		return err
	}
	for _, p := range i.Payloads {
		f, key, err := s.means(ctx, p)
		if err != nil {
			return err
		}
		matrix, err := symbol(f, p.Text)
		if err != nil {
			return &wrongResult{"symbol", err}
		}
		if s.Damage != nil {
			matrix = s.Damage(matrix)
		}
		reading, err := qr.Read(matrix)
		switch {
		case err != nil:
			return &wrongResult{"symbol_unreadable", err}
		case reading.Text != p.Text:
			return &wrongResult{"symbol_differs", fmt.Errorf("%s", p.Family)}
		case reading.Corrected > 0:
			return &wrongResult{"symbol_damaged", fmt.Errorf("%s: %d codewords", p.Family, reading.Corrected)}
		}
		read, err := f.read(reading.Text)
		if err != nil {
			return &wrongResult{"unreadable", err}
		}
		if v := read.verdict(bundle, s.Clock.Now()); v.Outcome != verify.Valid {
			return &wrongResult{"not_valid", fmt.Errorf("%s: %s", p.Family, problem(v))}
		}
		if differ := read.compare(i.Certificate, key, p); len(differ) > 0 {
			return &wrongResult{"differs", fmt.Errorf("%s: %s", p.Family, strings.Join(differ, " "))}
		}
		s.drawn.put(p.Text, matrix)
	}
	return nil
}

// problem names the first facet that is in the way.
func problem(v verify.Verdict) string {
	for _, f := range v.Facets {
		if f.Result == verify.Failed || f.Result == verify.Unknown {
			return f.Name + " " + f.Code
		}
	}
	return string(v.Outcome)
}

func (s *Service) key(ctx context.Context, id string) (signing.Key, error) {
	keys, err := s.Store.SigningKeys(ctx)
	if err != nil {
		return signing.Key{}, err
	}
	at := slices.IndexFunc(keys, func(k signing.Key) bool { return k.ID == id })
	if at < 0 {
		return signing.Key{}, fault.New(fault.Internal, "signing_key", "")
	}
	return keys[at], nil
}
