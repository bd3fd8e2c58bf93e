package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// Files is a backend whose private keys are PKCS#8 PEM files, one per key, in
// a directory that nobody else may enter. The handle of a key is its file name.
type Files struct {
	keys map[string]*ecdsa.PrivateKey
}

// OpenFiles loads the private keys of those keys that sign certificates and
// paper; others (country authorities) are left where they are. It refuses a directory or a
// file that group or others can use, and a private key that is not the one
// registered. Files are read once.
func OpenFiles(dir string, keys []Key) (*Files, error) {
	if err := checkPrivate(dir, fs.ModeDir); err != nil {
		return nil, err
	}
	f := &Files{map[string]*ecdsa.PrivateKey{}}
	for _, k := range keys {
		if !k.Purpose.inService() {
			continue
		}
		private, err := readPrivateKey(dir, k.Handle)
		if err != nil {
			return nil, err
		}
		if Thumbprint(&private.PublicKey) != k.ID || private.Curve != elliptic.P256() {
			return nil, fmt.Errorf("signing: %s is not the private key of %s", k.Handle, k.ID)
		}
		f.keys[k.Handle] = private
	}
	return f, nil
}

func (f *Files) signES256(_ context.Context, handle string, digest [sha256.Size]byte) ([]byte, error) {
	key, ok := f.keys[handle]
	if !ok {
		return nil, fmt.Errorf("no private key %q loaded", handle)
	}
	return signES256(key, digest)
}

// maxKeyFile bounds what is read as a private key.
const maxKeyFile = 16 << 10

func readPrivateKey(dir, name string) (*ecdsa.PrivateKey, error) {
	if name == "" || name != filepath.Base(name) || !filepath.IsLocal(name) {
		return nil, errors.New("signing: handle of a key file is not a plain name")
	}
	path := filepath.Join(dir, name)
	if err := checkPrivate(path, 0); err != nil {
		return nil, err
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("signing: open key file: %w", err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxKeyFile))
	if err != nil {
		return nil, fmt.Errorf("signing: read key file: %w", err)
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "PRIVATE KEY" {
		return nil, fmt.Errorf("signing: %s is not a PKCS#8 PEM file", name)
	}
	parsed, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("signing: %s does not parse", name) // the cause may quote the key
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("signing: %s is not an elliptic key", name)
	}
	return key, nil
}

// writePrivateKey writes a key file, mode 0600, and flushes it to the disk.
func writePrivateKey(dir, name string, key *ecdsa.PrivateKey) error {
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("signing: encode key: %w", err)
	}
	return writePrivate(dir, name, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// writePrivate puts a file in place whole or not at all.
func writePrivate(dir, name string, content []byte) error {
	temporary, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return fmt.Errorf("signing: write %s: %w", name, err)
	}
	_, err = temporary.Write(content)
	err = errors.Join(err, temporary.Sync(), temporary.Close())
	if err == nil {
		err = os.Rename(temporary.Name(), filepath.Join(dir, name))
	}
	if err != nil {
		_ = os.Remove(temporary.Name())
		return fmt.Errorf("signing: write %s: %w", name, err)
	}
	return nil
}

// checkPrivate refuses a path of another kind (regular file or directory) and
// one that group or others have any right to.
func checkPrivate(path string, kind fs.FileMode) error {
	info, err := os.Lstat(path)
	if err != nil {
		return fmt.Errorf("signing: %w", err)
	}
	if info.Mode().Type() != kind {
		return fmt.Errorf("signing: %s is not what it should be: %s", path, info.Mode())
	}
	if info.Mode().Perm()&0o077 != 0 {
		return fmt.Errorf("signing: %s can be used by others: %s", path, info.Mode())
	}
	return nil
}
