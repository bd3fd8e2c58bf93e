// Package softkey is a passkey in software: ES256, no attestation, always "user
// verified". It stands in for an authenticator where there is no browser: in
// tests, and for newcomers who try the service with curl under the TEST identity.
package softkey

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
)

// Key is one credential of one account.
type Key struct {
	ID      []byte
	Counter uint32
	private *ecdsa.PrivateKey
}

// New makes a key with a random id.
func New() (*Key, error) {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, err
	}
	id := make([]byte, 16)
	_, err = rand.Read(id)
	return &Key{ID: id, private: private}, err
}

type file struct {
	ID      []byte `json:"id"`
	Counter uint32 `json:"counter"`
	Private []byte `json:"private"` // SEC 1
}

// MarshalJSON writes the key with its secret: keep it like one.
func (k *Key) MarshalJSON() ([]byte, error) {
	secret, err := x509.MarshalECPrivateKey(k.private)
	if err != nil {
		return nil, err
	}
	return json.Marshal(file{k.ID, k.Counter, secret})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (k *Key) UnmarshalJSON(b []byte) error {
	var f file
	if err := json.Unmarshal(b, &f); err != nil {
		return err
	}
	private, err := x509.ParseECPrivateKey(f.Private)
	if err == nil && private.Curve != elliptic.P256() {
		err = errors.New("softkey: not a P-256 key")
	}
	k.ID, k.Counter, k.private = f.ID, f.Counter, private
	return err
}

var b64 = base64.RawURLEncoding

// options are what the service asks for (WebAuthn 3, 5.4 and 5.5).
type options struct {
	Challenge string `json:"challenge"`
	RPID      string `json:"rpId"` // of an assertion
	RP        struct {
		ID string `json:"id"`
	} `json:"rp"` // of a creation
	AllowCredentials []struct {
		ID string `json:"id"`
	} `json:"allowCredentials"`
}

// Flags of authenticator data (WebAuthn 3, 6.1).
const (
	userPresent, userVerified, attested = 0x01, 0x04, 0x40
)

// Create answers navigator.credentials.create with a credential as JSON.
func (k *Key) Create(origin string, asked []byte) (json.RawMessage, error) {
	var o options
	if err := json.Unmarshal(asked, &o); err != nil {
		return nil, err
	}
	public, err := k.private.PublicKey.Bytes() // 04 ‖ x ‖ y
	if err != nil {
		return nil, err
	}
	data := k.data(o.RP.ID, userPresent|userVerified|attested)
	data = append(data, make([]byte, 16)...) // AAGUID: none
	data = binary.BigEndian.AppendUint16(data, uint16(len(k.ID)))
	data = append(data, k.ID...)
	// COSE_Key {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y}
	data = append(data, 0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01, 0x21, 0x58, 32)
	data = append(data, public[1:33]...)
	data = append(data, 0x22, 0x58, 32)
	data = append(data, public[33:]...)
	// {"fmt": "none", "attStmt": {}, "authData": bytes}
	object := slices.Concat([]byte("\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58"), []byte{byte(len(data))}, data)
	return k.credential(map[string]string{
		"clientDataJSON": b64.EncodeToString(clientData("webauthn.create", o.Challenge, origin)), "attestationObject": b64.EncodeToString(object),
	})
}

// Get answers navigator.credentials.get; the counter rises.
func (k *Key) Get(origin string, asked []byte) (json.RawMessage, error) {
	var o options
	if err := json.Unmarshal(asked, &o); err != nil {
		return nil, err
	}
	known := false
	for _, c := range o.AllowCredentials {
		known = known || c.ID == b64.EncodeToString(k.ID)
	}
	if !known {
		return nil, errors.New("softkey: the service does not ask for this passkey")
	}
	k.Counter++
	data, client := k.data(o.RPID, userPresent|userVerified), clientData("webauthn.get", o.Challenge, origin)
	digest := sha256.Sum256(client)
	digest = sha256.Sum256(slices.Concat(data, digest[:]))
	signature, err := ecdsa.SignASN1(rand.Reader, k.private, digest[:])
	if err != nil {
		return nil, err
	}
	return k.credential(map[string]string{
		"clientDataJSON": b64.EncodeToString(client), "authenticatorData": b64.EncodeToString(data), "signature": b64.EncodeToString(signature),
	})
}

func (k *Key) data(rp string, flags byte) []byte {
	id := sha256.Sum256([]byte(rp))
	return binary.BigEndian.AppendUint32(append(id[:], flags), k.Counter)
}

func clientData(kind, challenge, origin string) []byte {
	return fmt.Appendf(nil, `{"type":%q,"challenge":%q,"origin":%q,"crossOrigin":false}`, kind, challenge, origin)
}

func (k *Key) credential(response map[string]string) (json.RawMessage, error) {
	id := b64.EncodeToString(k.ID)
	return json.Marshal(map[string]any{"id": id, "rawId": id, "type": "public-key", "clientExtensionResults": struct{}{}, "response": response})
}
