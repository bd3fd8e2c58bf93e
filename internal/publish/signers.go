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

// signersList makes the list of signers if it has to change. It is judged in each round:
// a withdrawn signer leaves it at once, the last one too.
func (m *Maker) signersList(ctx context.Context, versions map[string]int64, now time.Time) ([]List, error) {
	if m.Signers == nil {
		return nil, nil
	}
	keys, err := m.Store.SigningKeys(ctx)
	if err != nil {
		return nil, err
	}
	text, any, err := signers(keys, now)
	if err != nil || !any && versions[SignersName] == 0 {
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

// signers lists who signs and who signed, if anybody does: to be absent is to be withdrawn.
func signers(keys []signing.Key, now time.Time) (text []byte, any bool, err error) {
	list := struct {
		Certificates []signer `json:"certificates"`
	}{[]signer{}}
	for _, k := range keys {
		if k.Purpose != signing.DSC || k.State == signing.Compromised || now.After(k.NotAfter) {
			continue
		}
		c, err := pki.ParseCertificate(k.Certificate)
		if err != nil {
			return nil, false, fmt.Errorf("publish: signer of HC1 codes: %w", err)
		}
		list.Certificates = append(list.Certificates, signer{
			"DSC", c.Subject.Country(), base64.StdEncoding.EncodeToString(hcert.KeyID(k.Certificate)), base64.StdEncoding.EncodeToString(k.Certificate), k.ID,
		})
	}
	text, err = json.Marshal(list)
	return text, len(list.Certificates) > 0, err
}
