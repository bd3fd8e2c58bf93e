package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"time"

	"akashi/internal/strictjson"
	"akashi/signing/pki"
)

// dccList is the JSON of a national trust list of EU certificates.
type dccList struct {
	Certificates []struct {
		Type    string `json:"certificateType"`
		Country string `json:"country"`
		KeyID   string `json:"kid"`
		Data    string `json:"rawData"` // DER, base64
	} `json:"certificates"`
}

// ImportDCC makes a bundle of a trust list in the form that national systems publish: a
// line with the signature (base64, ES256: r then s, or DER), then JSON, which is what was
// signed. key is the public key or certificate of the publisher (PEM), which the caller got
// from somewhere it trusts. The list does not say when it was made; the caller does.
//
// Entries of other types than DSC are no signers of codes and are left out.
func ImportDCC(file, key []byte, madeAt time.Time) (*Bundle, Report, error) {
	if len(file) > maxFile || strictjson.Values(file) > maxValues {
		return nil, nil, fmt.Errorf("trust: list: %w", errTooLarge)
	}
	public, err := publicKey(key)
	if err != nil {
		return nil, nil, err
	}
	line, body, ok := bytes.Cut(file, []byte("\n"))
	if !ok {
		return nil, nil, errors.New("trust: list: no signature line")
	}
	signature, err := base64.StdEncoding.DecodeString(string(bytes.TrimSpace(line)))
	if err != nil {
		return nil, nil, errors.New("trust: list: signature line is no base64")
	}
	if !checkES256(public, body, signature) && !checkES256(public, bytes.TrimSpace(body), signature) {
		return nil, nil, ErrNotSigned
	}
	if err := strictjson.Check(body, 8); err != nil {
		return nil, nil, fmt.Errorf("trust: list: %w", err)
	}
	var list dccList
	if err := json.Unmarshal(body, &list); err != nil {
		return nil, nil, errors.New("trust: list: malformed")
	}
	if len(list.Certificates) == 0 || len(list.Certificates) > maxEntries {
		return nil, nil, errors.New("trust: list: number of certificates")
	}
	w := newBuilder(madeAt)
	for i, entry := range list.Certificates {
		if entry.Type != "DSC" {
			continue
		}
		source := fmt.Sprintf("%s %d", entry.Country, i)
		if s, code := dccSigner(entry.Data, entry.KeyID); code != "" {
			w.problem(source, code)
		} else {
			s.Participant = entry.Country
			w.healthSigner(source, s)
		}
	}
	b, report := w.finish()
	return b, report, nil
}

func dccSigner(data, keyID string) (s HealthSigner, problem string) {
	der, err := base64.StdEncoding.DecodeString(data)
	if err != nil {
		return s, "malformed"
	}
	if s.Certificate, err = pki.ParseCertificate(der); err != nil {
		return s, codeOf(err)
	}
	if s.KeyID, err = base64.StdEncoding.DecodeString(keyID); err != nil {
		return s, "no_key_id"
	}
	return s, ""
}

// publicKey reads the P-256 key of a PEM block, a certificate or a bare key.
func publicKey(text []byte) (*ecdsa.PublicKey, error) {
	block, rest := pem.Decode(text)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("trust: key of the list: not one PEM block")
	}
	var found any
	if block.Type == "CERTIFICATE" {
		c, err := pki.ParseCertificate(block.Bytes)
		if err != nil {
			return nil, fmt.Errorf("trust: key of the list: %w", err)
		}
		found = c.PublicKey
	} else if key, err := x509.ParsePKIXPublicKey(block.Bytes); err == nil {
		found = key
	}
	key, ok := found.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("trust: key of the list: not a P-256 key")
	}
	return key, nil
}

// checkES256 checks a signature as r and s of 32 bytes each, or in DER.
func checkES256(key *ecdsa.PublicKey, message, signature []byte) bool {
	digest := sha256.Sum256(message)
	if len(signature) == 64 {
		return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return ecdsa.VerifyASN1(key, digest[:], signature)
}
