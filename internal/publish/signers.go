package publish

import (
	"bytes"
	"context"
	"encoding/base64"
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
	SignList(signers []signing.ListedSigner) ([]byte, error)
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
	list, err := signers(keys, now)
	if err != nil || len(list) == 0 && versions[SignersName] == 0 {
		return nil, err
	}
	text, err := signing.ListText(list)
	if err != nil {
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
	content, err := m.Signers.SignList(list)
	return []List{{SignersName, max(versions[SignersName]+1, now.Unix()), now, "", content}}, err
}

// signers lists who signs and who signed: to be absent is to be withdrawn.
func signers(keys []signing.Key, now time.Time) (list []signing.ListedSigner, err error) {
	for _, k := range keys {
		if k.Purpose != signing.DSC || k.State == signing.Compromised || now.After(k.NotAfter) {
			continue
		}
		c, err := pki.ParseCertificate(k.Certificate)
		if err != nil {
			return nil, fmt.Errorf("publish: signer of HC1 codes: %w", err)
		}
		list = append(list, signing.ListedSigner{
			Type: "DSC", Country: c.Subject.Country(), KeyID: base64.StdEncoding.EncodeToString(hcert.KeyID(k.Certificate)),
			Data: base64.StdEncoding.EncodeToString(k.Certificate), Thumbprint: k.ID,
		})
	}
	return list, nil
}
