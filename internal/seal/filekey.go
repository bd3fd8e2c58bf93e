package seal

import (
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// Keeper holds the key-encryption key and never gives it away: a file key here,
// a device elsewhere.
type Keeper interface {
	ID() string
	Wrap(at Place, secret []byte) ([]byte, error)
	Unwrap(at Place, box []byte) ([]byte, error) // ErrOpen, ErrForeignKeeper
}

// ErrForeignKeeper tells that a data key was wrapped by another key-encryption key.
var ErrForeignKeeper = errors.New("seal: wrapped by another file key")

// fileKey is a Keeper whose key is the text "id:base64" of a file.
type fileKey struct {
	id     string
	master []byte
	key    Key
}

func newFileKey(id string, master []byte) (*fileKey, error) {
	f := &fileKey{id: id, master: master}
	var err error
	f.key, err = newKey(id, f.derive("", "data keys"))
	return f, err
}

func randomFileKey() *fileKey {
	master := newSecret()
	sum := sha256.Sum256(master)
	f, err := newFileKey(fmt.Sprintf("f%x", sum[:4]), master)
	if err != nil {
		panic(err) // only for impossible lengths
	}
	return f
}

func (f *fileKey) ID() string { return f.id }

func (f *fileKey) Wrap(at Place, secret []byte) ([]byte, error) { return f.key.Seal(at, secret), nil }

func (f *fileKey) Unwrap(at Place, box []byte) ([]byte, error) {
	if id, _, err := KeyID(box); err != nil || id != f.id {
		return nil, errors.Join(err, ErrForeignKeeper)
	}
	return f.key.Open(at, box)
}

// derive makes the keys of version 0, from before there were data keys, and what
// belongs to the installation.
func (f *fileKey) derive(office, purpose string) []byte { return derive(f.master, office, purpose) }

// zero returns the secret of version 0 of a data key.
func (f *fileKey) zero(office string, p Purpose) []byte {
	if !p.Seals() {
		return f.master // a key for each kind of value is derived from it
	}
	return f.derive(office, string(p))
}

func derive(secret []byte, office, purpose string) []byte {
	key, err := hkdf.Key(sha256.New, secret, []byte(office), "akashi "+purpose, keySize)
	if err != nil {
		panic(err) // only for impossible lengths
	}
	return key
}

// OpenFile reads the file key; with create it makes a new one where there is
// none, which lies in memory until Keep. The file holds "id:base64" and must not
// be readable by others.
func OpenFile(path string, create bool) (*Ring, error) {
	f, err := readFile(path)
	fresh := errors.Is(err, os.ErrNotExist) && create
	if fresh {
		f, err = randomFileKey(), nil
	}
	if err != nil {
		return nil, err
	}
	r := newRing(f)
	r.path, r.fresh = path, fresh
	return r, nil
}

// Keep writes a file key that OpenFile made, before the first thing that it seals.
// Of two processes that do so at once one wins, and both hold its key.
func (r *Ring) Keep() error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.fresh {
		return nil
	}
	err := writeNew(r.path, r.file)
	if errors.Is(err, os.ErrExist) {
		r.file, err = readFile(r.path)
	}
	r.fresh = err != nil
	return err
}

func readFile(path string) (*fileKey, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm()&0o077 != 0 {
		return nil, fmt.Errorf("seal: %s must be readable by its owner only (chmod 600)", filepath.Base(path))
	}
	id, text, ok := strings.Cut(strings.TrimSpace(string(b)), ":")
	master, err := base64.StdEncoding.DecodeString(text)
	if !ok || err != nil || len(master) != keySize {
		return nil, fmt.Errorf("seal: %s is not a key file", filepath.Base(path))
	}
	return newFileKey(id, master)
}

// writeNew makes the file complete before it gets its name, and takes no other's.
func writeNew(path string, f *fileKey) error {
	tmp, err := os.CreateTemp(filepath.Dir(path), ".seal-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }()
	if _, err := fmt.Fprintf(tmp, "%s:%s\n", f.id, base64.StdEncoding.EncodeToString(f.master)); err != nil {
		return err
	}
	if err := errors.Join(tmp.Sync(), tmp.Close()); err != nil {
		return err
	}
	return errors.Join(os.Link(tmp.Name(), path), syncDir(path))
}

// syncDir makes a new name in the file's directory durable.
func syncDir(path string) error {
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

// NextFile is where the file key lies that is to follow the one at path.
func NextFile(path string) string { return path + ".next" }

// PrepareNext makes the file key that is to follow this one, or finds it made,
// and returns a ring of it alone.
func (r *Ring) PrepareNext() (*Ring, error) {
	if r.path == "" {
		return newRing(randomFileKey()), nil
	}
	next, err := OpenFile(NextFile(r.path), true)
	if err != nil {
		return nil, err
	}
	return next, next.Keep()
}

// Adopt looks for the file key that made the proof: somebody has changed it, or
// died before the file got its name.
func (r *Ring) Adopt(proof []byte) bool {
	if r.path == "" {
		return false
	}
	if f, err := readFile(r.path); err == nil && newRing(f).Proves(proof) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.file, r.fresh = f, false
		return true
	}
	f, err := readFile(NextFile(r.path))
	return err == nil && newRing(f).Proves(proof) && r.Follow(newRing(f)) == nil
}

// Follow puts the next file key in the place of the present one, which is gone
// from then on. Again is no error.
func (r *Ring) Follow(next *Ring) error {
	if r.path != "" {
		switch err := os.Rename(NextFile(r.path), r.path); {
		case errors.Is(err, os.ErrNotExist): // done before
		case err != nil:
			return err
		default:
			if err := syncDir(r.path); err != nil {
				return err
			}
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.file = next.file
	return nil
}
