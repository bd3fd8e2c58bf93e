package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strconv"
	"strings"
	"testing/fstest"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// The files by which a trust directory is signed (docs/trust-bundle.md).
const (
	signedFolder = "signed"
	headFile     = signedFolder + "/head"  // signed note: what vouches for the index
	indexFile    = signedFolder + "/index" // SHA-256 and path of each other file, as sha256sum writes them
	keyFile      = signedFolder + "/key"   // name+hash+key, which a verifier pins
	maxIndex     = 4 << 20
	maxFiles     = 20_000
)

// Head is what is signed of a trust bundle: a trust directory with a version that only grows.
type Head struct {
	Key     string // of whoever put it together, name+hash+key
	Text    string // the signed note
	Version int64
	MadeAt  time.Time
	Files   int
}

// Refusals of a signed directory.
var (
	ErrForged = errors.New("trust: the bundle is not what was signed")
	ErrStale  = errors.New("trust: the bundle is older than one seen before, or another one of the same version")
)

// BundleSigner signs the head of a bundle; its origin is put before it.
type BundleSigner interface {
	SignBundle(head string) (string, error)
	Public() string
}

// Sign adds to the files of a trust directory those that sign it.
func Sign(files map[string][]byte, version int64, at time.Time, by BundleSigner) error {
	if len(files) > maxFiles {
		return errTooLarge
	}
	var index bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if !fs.ValidPath(name) || strings.ContainsAny(name, "\n\\") || strings.HasPrefix(name, signedFolder+"/") {
			return fmt.Errorf("trust: %q cannot be in a bundle", name)
		}
		digest := sha256.Sum256(files[name])
		fmt.Fprintf(&index, "%x  %s\n", digest, name)
	}
	digest := sha256.Sum256(index.Bytes())
	text, err := by.SignBundle(fmt.Sprintf("version %d\ntime %s\nfiles %d\nsha256 %s\n",
		version, at.UTC().Format(time.RFC3339), len(files), base64.StdEncoding.EncodeToString(digest[:])))
	if err != nil {
		return err
	}
	files[headFile], files[indexFile], files[keyFile] = []byte(text), index.Bytes(), []byte(by.Public()+"\n")
	return nil
}

// OpenHead checks the head of a bundle with a key, and returns the SHA-256 of its index.
func OpenHead(key, text string) (h Head, index []byte, err error) {
	verifier, err := note.NewVerifier(key)
	if err != nil || len(text) > maxHead {
		return h, nil, ErrForged
	}
	n, err := note.Open([]byte(text), note.VerifierList(verifier))
	if err != nil {
		return h, nil, ErrForged
	}
	values, err := headLines(n.Text, verifier.Name(), "version ", "time ", "files ", "sha256 ")
	if err != nil {
		return h, nil, ErrForged
	}
	h = Head{Key: key, Text: text}
	var errs [4]error
	h.Version, errs[0] = strconv.ParseInt(values[0], 10, 64)
	h.MadeAt, errs[1] = time.Parse(time.RFC3339, values[1])
	h.Files, errs[2] = strconv.Atoi(values[2])
	index, errs[3] = base64.StdEncoding.Strict().DecodeString(values[3])
	if errors.Join(errs[:]...) != nil || h.Version < 1 || h.Files < 1 || h.Files > maxFiles {
		return h, nil, ErrForged
	}
	return h, index, nil
}

// After tells whether a bundle may take the place of one that was seen before, nil if none was.
func (h Head) After(seen *Head) bool {
	return seen == nil || h.Key == seen.Key && (h.Version > seen.Version || h.Text == seen.Text)
}

// OpenSigned reads a signed trust directory: every file must be in the index, with its
// digest, and every file of the index must be there, else it is refused as a whole. What it
// returns holds exactly what was signed, whatever becomes of fsys. A directory that is not
// signed is returned as it is, with a nil head. Whether the key is the right one, and the
// version not older than one seen before, is for the caller: this package keeps no state.
func OpenSigned(fsys fs.FS) (fs.FS, *Head, error) {
	text, err := readLimited(fsys, headFile, maxHead)
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := fs.Stat(fsys, signedFolder); err == nil {
			return nil, nil, fmt.Errorf("%w: its head is gone", ErrForged)
		}
		return fsys, nil, nil
	}
	if err != nil {
		return nil, nil, fmt.Errorf("trust: %w", err)
	}
	key, err := readLimited(fsys, keyFile, maxHead)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrForged, err)
	}
	h, sum, err := OpenHead(strings.TrimSuffix(string(key), "\n"), string(text))
	if err != nil {
		return nil, nil, err
	}
	index, err := readLimited(fsys, indexFile, maxIndex)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrForged, err)
	}
	if digest := sha256.Sum256(index); !bytes.Equal(digest[:], sum) {
		return nil, nil, ErrForged
	}
	files, err := readIndexed(fsys, string(index), h.Files)
	if err != nil {
		return nil, nil, err
	}
	if err := nothingElse(fsys, files); err != nil {
		return nil, nil, err
	}
	files[headFile], files[keyFile], files[indexFile] = &fstest.MapFile{Data: text}, &fstest.MapFile{Data: key}, &fstest.MapFile{Data: index}
	return files, &h, nil
}

func readIndexed(fsys fs.FS, index string, count int) (fstest.MapFS, error) {
	files, total := fstest.MapFS{}, 0
	for line := range strings.Lines(index) {
		sum, name, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "  ")
		if !ok || !fs.ValidPath(name) || files[name] != nil || len(files) == count {
			return nil, ErrForged
		}
		limit := maxFile
		if strings.HasSuffix(name, ".digests") || strings.HasSuffix(name, ".marks") {
			limit = maxDigests
		}
		content, err := readLimited(fsys, name, min(limit, maxTotal+maxDigests-total))
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrForged, err)
		}
		if digest := sha256.Sum256(content); hex.EncodeToString(digest[:]) != sum {
			return nil, fmt.Errorf("%w: %s", ErrForged, name)
		}
		total += len(content)
		files[name] = &fstest.MapFile{Data: content}
	}
	if len(files) != count {
		return nil, ErrForged
	}
	return files, nil
}

// nothingElse refuses files that nobody signed.
func nothingElse(fsys fs.FS, files fstest.MapFS) error {
	return fs.WalkDir(fsys, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return fmt.Errorf("trust: %w", err)
		case d.IsDir() || name == headFile || name == indexFile || name == keyFile || files[name] != nil:
			return nil
		}
		return fmt.Errorf("%w: %s is not in it", ErrForged, name)
	})
}
