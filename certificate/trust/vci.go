package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/sha512"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"time"

	"akashi/internal/strictjson"
	"akashi/signing/pki"
)

// ErrNotSigned says that the signature of an imported trust list does not hold.
var ErrNotSigned = errors.New("trust: the list was not signed with this certificate")

// snapshot is the file of the VCI directory (spec smart-health-cards, 9).
type snapshot struct {
	Time       time.Time
	IssuerInfo []struct {
		Issuer struct{ Iss string }
		Keys   json.RawMessage
		CRLs   []json.RawMessage
	}
}

// ImportVCI makes a bundle of a snapshot of the VCI directory: issuers of health
// cards, their keys and revocation lists. The three files are those that the
// directory offers: the snapshot, its detached signature (DER) and the certificate
// (PEM), which the caller got from somewhere it trusts. It must have been in force
// when the snapshot was made.
//
// The signature vouches for each key under its issuer. A certificate chain beside a
// key that names another issuer, as eight do, is therefore reported and left out,
// and the key kept; in a trust directory such a key is refused.
func ImportVCI(file, signature, certificate []byte) (*Bundle, Report, error) {
	if len(file) > maxFile || strictjson.Values(file) > MaxCardList {
		return nil, nil, fmt.Errorf("trust: snapshot: %w", errTooLarge)
	}
	signer, err := checkDetached(file, signature, certificate)
	if err != nil {
		return nil, nil, err
	}
	if err := strictjson.Check(file, 8); err != nil {
		return nil, nil, fmt.Errorf("trust: snapshot: %w", err)
	}
	var s snapshot
	if err := json.Unmarshal(file, &s); err != nil {
		return nil, nil, errors.New("trust: snapshot: malformed")
	}
	if len(s.IssuerInfo) == 0 || len(s.IssuerInfo) > maxEntries {
		return nil, nil, errors.New("trust: snapshot: number of issuers")
	}
	if !signer.Valid(s.Time) {
		return nil, nil, errors.New("trust: snapshot: signed when the certificate was not in force")
	}
	w := newBuilder(s.Time)
	for n, i := range s.IssuerInfo {
		iss := i.Issuer.Iss
		if len(iss) > maxName {
			w.problem(fmt.Sprintf("issuer %d", n), "name_too_long")
			continue
		}
		w.issuer(iss, iss, fmt.Appendf(nil, `{"keys":%s}`, i.Keys), chainDropped)
		if len(i.CRLs) > maxEntries {
			return nil, nil, errors.New("trust: snapshot: number of revocation lists")
		}
		for n, list := range i.CRLs {
			w.cardList(fmt.Sprintf("%s crl %d", iss, n), iss, list)
		}
	}
	b, report := w.finish()
	return b, report, nil
}

// checkDetached checks an ECDSA signature with SHA-512 over the bytes of a file.
func checkDetached(file, signature, certificate []byte) (*pki.Certificate, error) {
	block, rest := pem.Decode(certificate)
	if block == nil || block.Type != "CERTIFICATE" || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("trust: certificate of the list: not one PEM certificate")
	}
	signer, err := pki.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("trust: certificate of the list: %w", err)
	}
	digest := sha512.Sum512(file)
	key, ok := signer.PublicKey.(*ecdsa.PublicKey)
	if !ok || !ecdsa.VerifyASN1(key, digest[:], signature) {
		return nil, ErrNotSigned
	}
	return signer, nil
}
