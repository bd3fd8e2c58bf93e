package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rogpeppe/go-internal/lockedfile"
)

// ListKey signs the list of signers of EU certificates in the form that national systems
// publish (spec eu-dcc, 12), and nothing else.
type ListKey struct {
	private *ecdsa.PrivateKey
	public  []byte // PEM
}

// listKeyFile is the name of the key, and of its public part with .pub, in the folder of keys.
const listKeyFile = "dcc-signers"

// OpenListKey returns the key, P-256, kept in dir (mode 0600) with its public part as PEM
// beside it. It is made where there is none.
func OpenListKey(dir string) (*ListKey, error) {
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, ".lock")).Lock()
	if err != nil {
		return nil, fmt.Errorf("signing: lock %s: %w", dir, err)
	}
	defer unlock()
	path := filepath.Join(dir, listKeyFile+".key")
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		if err := makeListKey(dir); err != nil {
			return nil, err
		}
	}
	if err := checkPrivate(path, 0); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("signing: read list key: %w", err)
	}
	damaged := errors.New("signing: " + listKeyFile + ".key is no key of P-256") // the cause may quote the key
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, damaged
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	private, ok := key.(*ecdsa.PrivateKey)
	if err != nil || !ok || private.Curve != elliptic.P256() {
		return nil, damaged
	}
	public, err := publicPEM(private)
	return &ListKey{private, public}, err
}

func makeListKey(dir string) error {
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return fmt.Errorf("signing: make list key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		return fmt.Errorf("signing: make list key: %w", err)
	}
	public, err := publicPEM(private)
	if err != nil {
		return err
	}
	return errors.Join(
		writePrivate(dir, listKeyFile+".key", pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})),
		writePrivate(dir, listKeyFile+".pub", public),
	)
}

func publicPEM(private *ecdsa.PrivateKey) ([]byte, error) {
	der, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return nil, fmt.Errorf("signing: list key: %w", err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), nil
}

// ListedSigner is one line of the list; names and order are of the national systems.
type ListedSigner struct {
	Type       string `json:"certificateType"` // DSC
	Country    string `json:"country"`
	KeyID      string `json:"kid"`        // base64
	Data       string `json:"rawData"`    // the certificate, DER, base64
	Thumbprint string `json:"thumbprint"` // RFC 7638, as in the key set
}

// ListText is the text of a list: the same bytes for the same signers.
func ListText(signers []ListedSigner) ([]byte, error) {
	return json.Marshal(struct {
		Certificates []ListedSigner `json:"certificates"`
	}{append([]ListedSigner{}, signers...)})
}

// SignList returns a list with its signature line before it: base64 of r then s, then
// the line end, then the text that was signed.
func (k *ListKey) SignList(signers []ListedSigner) ([]byte, error) {
	text, err := ListText(signers)
	if err != nil {
		return nil, fmt.Errorf("signing: list: %w", err)
	}
	digest := sha256.Sum256(text)
	r, s, err := ecdsa.Sign(rand.Reader, k.private, digest[:])
	if err != nil {
		return nil, fmt.Errorf("signing: list: %w", err)
	}
	signature := make([]byte, 64)
	r.FillBytes(signature[:32])
	s.FillBytes(signature[32:])
	return append([]byte(base64.StdEncoding.EncodeToString(signature)+"\n"), text...), nil
}

// Public is the public key as PEM, to be pinned by those who verify.
func (k *ListKey) Public() []byte { return k.public }
