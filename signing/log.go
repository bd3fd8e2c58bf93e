package signing

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/rogpeppe/go-internal/lockedfile"
	"golang.org/x/mod/sumdb/note"

	"akashi/internal/merkle"
)

// Purposes of the keys that sign checkpoints, the status list and the trust bundles of an
// operator. They stand in no table and never sign a certificate; each is a file of its own.
const (
	OperationLog Purpose = "operation-log"
	IssuanceLog  Purpose = "issuance-log"
	StatusList   Purpose = "status-list"
	TrustBundle  Purpose = "trust-bundle"
)

// LogKey signs checkpoints of one log, or the status list, or trust bundles, and nothing else (S-086).
type LogKey struct {
	signer note.Signer
	public note.Verifier
	text   string
}

// OpenLogKey returns the key of a log, kept in dir as PURPOSE.key (mode 0600) with
// its public part beside it as PURPOSE.pub, both in the form of C2SP signed-note,
// Ed25519. It is made where there is none. The key's name, which is the origin of
// its checkpoints, is the issuer without scheme and the purpose.
func OpenLogKey(dir string, p Purpose, issuer string) (*LogKey, error) {
	name := strings.TrimPrefix(issuer, "https://") + "/" + string(p)
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, ".lock")).Lock()
	if err != nil {
		return nil, fmt.Errorf("signing: lock %s: %w", dir, err)
	}
	defer unlock()
	file := string(p) + ".key"
	if _, err := os.Stat(filepath.Join(dir, file)); errors.Is(err, fs.ErrNotExist) {
		secret, public, err := note.GenerateKey(rand.Reader, name)
		if err != nil {
			return nil, fmt.Errorf("signing: make log key: %w", err)
		}
		if err := errors.Join(writePrivate(dir, file, []byte(secret+"\n")), writePrivate(dir, string(p)+".pub", []byte(public+"\n"))); err != nil {
			return nil, err
		}
	}
	return readLogKey(filepath.Join(dir, file), name)
}

func readLogKey(path, name string) (*LogKey, error) {
	if err := checkPrivate(path, 0); err != nil {
		return nil, err
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("signing: read log key: %w", err)
	}
	damaged := fmt.Errorf("signing: %s is not the key of %s", filepath.Base(path), name) // the cause may quote the key
	secret := strings.TrimSpace(string(text))
	signer, err := note.NewSigner(secret)
	if err != nil || signer.Name() != name {
		return nil, damaged
	}
	parts := strings.SplitN(secret, "+", 5) // PRIVATE+KEY+name+hash+seed
	seed, err := base64.StdEncoding.DecodeString(parts[4])
	if err != nil || len(seed) != 1+ed25519.SeedSize {
		return nil, damaged
	}
	public, err := note.NewEd25519VerifierKey(name, ed25519.NewKeyFromSeed(seed[1:]).Public().(ed25519.PublicKey))
	if err != nil {
		return nil, damaged
	}
	verifier, err := note.NewVerifier(public)
	return &LogKey{signer, verifier, public}, err
}

// SignCheckpoint signs the size and root of the log.
func (k *LogKey) SignCheckpoint(c merkle.Checkpoint) (string, error) {
	if c.Origin != k.signer.Name() {
		return "", errors.New("signing: checkpoint of another log")
	}
	return c.Sign(k.signer)
}

// SignStatus signs the head of an edition of the status list (docs/status-list.md).
func (k *LogKey) SignStatus(head string) (string, error) { return k.signHead(head) }

// SignBundle signs the head of a trust bundle (docs/trust-bundle.md).
func (k *LogKey) SignBundle(head string) (string, error) { return k.signHead(head) }

func (k *LogKey) signHead(head string) (string, error) {
	signed, err := note.Sign(&note.Note{Text: k.signer.Name() + "\n" + head}, k.signer)
	return string(signed), err
}

// Verifier is the public key; its name is the log's origin.
func (k *LogKey) Verifier() note.Verifier { return k.public }

// Public is the public key as text, to be pinned by those who verify.
func (k *LogKey) Public() string { return k.text }
