package publish

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"akashi/certificate/hcert"
	"akashi/signing"
	"akashi/signing/pki"
)

// SignersName names the list of our signers of HC1 codes, in the form that national
// systems publish: a line with the signature, then JSON (spec eu-dcc, 12).
const SignersName = "dcc-signers"

// SignersFile is that list as strangers ask for it.
const SignersFile = "signers"

// ListSigner signs such a list.
type ListSigner interface {
	SignList(text []byte) ([]byte, error)
}

// signer is one line of the list. Names and order are of the national systems.
type signer struct {
	Type       string `json:"certificateType"`
	Country    string `json:"country"`
	KeyID      string `json:"kid"`
	Data       string `json:"rawData"`    // DER, base64
	Thumbprint string `json:"thumbprint"` // RFC 7638, as in the key set
}

// signersList makes the list of signers if it has to change.
func (m *Maker) signersList(ctx context.Context, keys []signing.Key, versions map[string]int64, now time.Time) ([]List, error) {
	text, err := signers(keys, now)
	if err != nil || text == nil || m.Signers == nil {
		return nil, err
	}
	if versions[SignersName] > 0 {
		stored, err := m.Store.List(ctx, SignersName)
		if err != nil {
			return nil, err
		}
		if _, before, _ := bytes.Cut(stored.Content, []byte("\n")); bytes.Equal(before, text) {
			return nil, nil
		}
	}
	content, err := m.Signers.SignList(text)
	return []List{{SignersName, max(versions[SignersName]+1, now.Unix()), now, "", content}}, err
}

// signers lists who signs and who signed: to be absent is to be withdrawn. nil: nobody.
func signers(keys []signing.Key, now time.Time) ([]byte, error) {
	var list struct {
		Certificates []signer `json:"certificates"`
	}
	for _, k := range keys {
		if k.Purpose != signing.DSC || k.State == signing.Compromised || now.After(k.NotAfter) {
			continue
		}
		c, err := pki.ParseCertificate(k.Certificate)
		if err != nil {
			return nil, fmt.Errorf("publish: signer of HC1 codes: %w", err)
		}
		list.Certificates = append(list.Certificates, signer{
			"DSC", c.Subject.Country(), base64.StdEncoding.EncodeToString(hcert.KeyID(k.Certificate)), base64.StdEncoding.EncodeToString(k.Certificate), k.ID,
		})
	}
	if list.Certificates == nil {
		return nil, nil
	}
	return json.Marshal(list)
}
