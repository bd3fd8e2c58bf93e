package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"time"
)

// AuthorityTemplate describes a country signing authority (CSCA) of the TEST identity.
type AuthorityTemplate struct {
	Country      string // two letters, such as "UT"
	Organization string
	CommonName   string
	Serial       *big.Int // positive; nil draws a random one
	NotBefore    time.Time
	NotAfter     time.Time
}

// CreateAuthority makes a self-signed CSCA certificate as Doc 9303-12 asks for:
// CA without intermediates, key usage keyCertSign and cRLSign, subject key identifier.
func CreateAuthority(t AuthorityTemplate, key crypto.Signer) (der []byte, err error) {
	if err := validity(t.Country, t.NotBefore, t.NotAfter); err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:          t.Serial,
		Subject:               pkix.Name{Country: []string{t.Country}, CommonName: t.CommonName},
		NotBefore:             t.NotBefore,
		NotAfter:              t.NotAfter,
		KeyUsage:              x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		BasicConstraintsValid: true,
		IsCA:                  true,
		MaxPathLenZero:        true,
	}
	if t.Organization != "" {
		template.Subject.Organization = []string{t.Organization}
	}
	der, err = x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("pki: create authority: %w", err)
	}
	return der, nil
}

// SignerTemplate describes a signer of bar codes or HC1 codes of the TEST identity.
type SignerTemplate struct {
	Country            string // two letters, the same as the authority's
	CommonName         string
	Serial             *big.Int // positive; nil draws a random one
	NotBefore          time.Time
	NotAfter           time.Time
	UsageFrom, UsageTo time.Time // private key usage period; zero for none
	DocumentTypes      []string  // of a bar code signer, such as "NV"; empty for no document type list
}

// CreateBarcodeSigner makes the certificate of a bar code signer with the parts
// that the VDS-NC report demands (spec icao-vds-nc, 4) and no others: authority
// key identifier, digitalSignature, the purpose 2.23.136.1.1.14.2, both critical.
// The authority is a certificate made by CreateAuthority.
func CreateBarcodeSigner(t SignerTemplate, public *ecdsa.PublicKey, authority []byte, authorityKey crypto.Signer) (der []byte, err error) {
	return createSigner(t, PurposeBarcodeSigner, true, public, authority, authorityKey)
}

// CreateHealthSigner makes the certificate of a signer of HC1 codes (spec eu-dcc, 6):
// authority key identifier, digitalSignature, and the purpose of doses, which other
// readers take for any.
func CreateHealthSigner(t SignerTemplate, public *ecdsa.PublicKey, authority []byte, authorityKey crypto.Signer) (der []byte, err error) {
	return createSigner(t, PurposeHealthDose, false, public, authority, authorityKey)
}

func createSigner(t SignerTemplate, purpose asn1.ObjectIdentifier, critical bool, public *ecdsa.PublicKey, authority []byte, authorityKey crypto.Signer) (der []byte, err error) {
	if err := validity(t.Country, t.NotBefore, t.NotAfter); err != nil {
		return nil, err
	}
	parent, err := x509.ParseCertificate(authority)
	if err != nil {
		return nil, fmt.Errorf("pki: create signer: authority: %w", err)
	}
	extensions, err := signerExtensions(t, purpose, critical)
	if err != nil {
		return nil, err
	}
	template := &x509.Certificate{
		SerialNumber:    t.Serial,
		Subject:         pkix.Name{Country: []string{t.Country}, CommonName: t.CommonName},
		NotBefore:       t.NotBefore,
		NotAfter:        t.NotAfter,
		KeyUsage:        x509.KeyUsageDigitalSignature,
		ExtraExtensions: extensions,
	}
	der, err = x509.CreateCertificate(rand.Reader, template, parent, public, authorityKey)
	if err != nil {
		return nil, fmt.Errorf("pki: create signer: %w", err)
	}
	return der, nil
}

// CreateCRL makes the revocation list of an authority made by CreateAuthority.
func CreateCRL(authority []byte, authorityKey crypto.Signer, number int64, revoked []*big.Int, thisUpdate, nextUpdate time.Time) ([]byte, error) {
	issuer, err := x509.ParseCertificate(authority)
	if err != nil {
		return nil, fmt.Errorf("pki: create revocation list: authority: %w", err)
	}
	template := &x509.RevocationList{Number: big.NewInt(number), ThisUpdate: thisUpdate, NextUpdate: nextUpdate}
	for _, serial := range revoked {
		template.RevokedCertificateEntries = append(template.RevokedCertificateEntries,
			x509.RevocationListEntry{SerialNumber: serial, RevocationTime: thisUpdate})
	}
	der, err := x509.CreateRevocationList(rand.Reader, template, issuer, authorityKey)
	if err != nil {
		return nil, fmt.Errorf("pki: create revocation list: %w", err)
	}
	return der, nil
}

func validity(country string, from, to time.Time) error {
	switch {
	case len(country) != 2:
		return errors.New("pki: country of a certificate has two letters")
	case from.IsZero() || !to.After(from):
		return errors.New("pki: certificate ends before it begins")
	}
	return nil
}

func signerExtensions(t SignerTemplate, purpose asn1.ObjectIdentifier, critical bool) ([]pkix.Extension, error) {
	usage, err := asn1.Marshal([]asn1.ObjectIdentifier{purpose})
	if err != nil {
		return nil, err
	}
	extensions := []pkix.Extension{{Id: oidExtKeyUsage, Critical: critical, Value: usage}}
	if len(t.DocumentTypes) > 0 {
		list, err := asn1.Marshal(struct {
			Version int
			Types   []string `asn1:"set"`
		}{0, t.DocumentTypes})
		if err != nil {
			return nil, fmt.Errorf("pki: document types: %w", err)
		}
		extensions = append(extensions, pkix.Extension{Id: oidDocumentTypes, Value: list})
	}
	if !t.UsageFrom.IsZero() || !t.UsageTo.IsZero() {
		period, err := asn1.Marshal(struct {
			From time.Time `asn1:"tag:0,generalized"`
			To   time.Time `asn1:"tag:1,generalized"`
		}{t.UsageFrom.UTC(), t.UsageTo.UTC()})
		if err != nil {
			return nil, fmt.Errorf("pki: private key usage period: %w", err)
		}
		extensions = append(extensions, pkix.Extension{Id: oidPrivateKeyUsage, Value: period})
	}
	return extensions, nil
}
