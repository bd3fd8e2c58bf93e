package trust

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// Limits of a trust directory.
const (
	maxManifest = 1 << 20  // bytes
	maxFile     = 8 << 20  // bytes of one file
	maxTotal    = 64 << 20 // bytes of all files
	maxEntries  = 2000     // of each list in the manifest
	maxValues   = 100_000  // of a published list: about 25 an entry
	maxName     = 2000     // bytes of a party's name, which reports repeat
)

// Load reads a trust directory, with its parts. A file that is missing or cannot be used is
// reported and skipped; without a manifest there is nothing to trust, which is an error. It
// follows the names in the manifest only within fsys.
func Load(fsys fs.FS) (*Bundle, Report, error) {
	m, err := readManifest(fsys, manifestFile)
	if err != nil {
		return nil, nil, err
	}
	w := newBuilder(m.MadeAt)
	r := &fileReader{fsys: fsys, builder: w}
	r.manifest(m)
	for _, folder := range m.Parts {
		if err := r.part(folder); err != nil {
			return nil, nil, err
		}
	}
	b, report := w.finish()
	return b, report, nil
}

// part reads a trust directory within another. Authorities of one part vouch for the lists
// of all; the date of the whole is that of its oldest part.
func (r *fileReader) part(folder string) error {
	name := folder + "/" + manifestFile
	if strings.Contains(folder, "/") || !fs.ValidPath(name) {
		return fmt.Errorf("trust: %q is no part", folder)
	}
	m, err := readManifest(r.fsys, name)
	if err != nil {
		return err
	}
	if len(m.Parts) > 0 {
		return fmt.Errorf("trust: %s: a part has parts", name)
	}
	r.folder = folder
	r.builder.begin(m.MadeAt)
	r.manifest(m)
	r.folder = ""
	return nil
}

func (r *fileReader) manifest(m manifest) {
	w := r.builder
	for _, i := range m.Issuers {
		if b, ok := r.read(i.JWKS); ok {
			w.issuer(i.JWKS, i.Issuer, b, chainRefused)
		}
		r.each(i.CRLs, func(name string, b []byte) { w.cardList(name, i.Issuer, b) })
	}
	r.each(m.CSCA, w.authority)
	for _, m := range m.Masters {
		l := &masterList{source: m.Source, madeAt: m.MadeAt}
		r.each(m.CSCA, func(name string, b []byte) { l.add(w.authorityIn(name, b)) })
		w.b.masters = append(w.b.masters, l)
	}
	r.each(m.DSC, w.signer)
	r.each(m.CRL, w.list)
	r.healthSigners(m.Health)
	for _, l := range m.Logs {
		r.issuances(l)
	}
	for _, l := range m.Status {
		r.status(l)
	}
}

// fileReader reads the files of a manifest and reports those that it cannot read.
type fileReader struct {
	fsys    fs.FS
	folder  string // of the part that is read; empty for the directory itself
	builder *builder
	total   int
}

func (r *fileReader) each(names []string, use func(name string, b []byte)) {
	for _, name := range names {
		if b, ok := r.read(name); ok {
			use(name, b)
		}
	}
}

// issuances reads an issuance log, whose digests count for themselves.
func (r *fileReader) issuances(l manifestLog) {
	checkpoint, ok := r.read(l.Checkpoint)
	if !ok {
		return
	}
	all, ok := r.limited(l.Digests, maxDigests)
	if !ok {
		return
	}
	log, err := openAll(l.Key, string(checkpoint), all, l.Covers)
	if err != nil {
		r.builder.problem(l.Digests, err.Error())
		return
	}
	r.builder.b.issuances = append(r.builder.b.issuances, log)
}

// status reads a status list. One that cannot be used leaves unknown what it would
// tell: dropping it must not make anything valid.
func (r *fileReader) status(m manifestStatus) {
	l := &StatusList{Key: m.Key, covers: m.Covers}
	if head, ok := r.limited(m.Head, maxHead); ok {
		if marks, ok := r.limited(m.Marks, maxStatus); ok {
			opened, err := OpenStatus(m.Key, string(head), marks, m.Covers)
			if err == nil {
				l = opened
			} else {
				r.builder.problem(m.Marks, err.Error())
			}
		}
	}
	r.builder.b.statuses = append(r.builder.b.statuses, l)
}

func (r *fileReader) read(name string) ([]byte, bool) {
	b, ok := r.limited(name, min(maxFile, maxTotal-r.total))
	r.total += len(b)
	return b, ok
}

func (r *fileReader) limited(name string, limit int) ([]byte, bool) {
	if !fs.ValidPath(name) {
		r.builder.problem(name, "bad_path")
		return nil, false
	}
	b, err := readLimited(r.fsys, path.Join(r.folder, name), limit)
	switch {
	case err == nil:
		return b, true
	case errors.Is(err, errTooLarge):
		r.builder.problem(name, "too_large")
	case errors.Is(err, fs.ErrNotExist):
		r.builder.problem(name, "missing")
	default:
		r.builder.problem(name, "unreadable")
	}
	return nil, false
}

var errTooLarge = errors.New("too large")

func readLimited(fsys fs.FS, name string, limit int) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, int64(limit)+1))
	if err == nil && len(b) > limit {
		err = fmt.Errorf("%s: %w", name, errTooLarge)
	}
	return b, err
}

// Files returns the bundle as the files of a trust directory, by path. The same
// bundle gives the same files.
func (b *Bundle) Files() (map[string][]byte, error) {
	m := manifest{Version: manifestVersion, MadeAt: b.madeAt,
		Issuers: []manifestIssuer{}, CSCA: []string{}, DSC: []string{}, CRL: []string{}, Status: []manifestStatus{}}
	w := fileSet{}
	for i, iss := range b.Issuers() {
		name := "jwks.json"
		if i > 0 {
			name = fmt.Sprintf("jwks-%d.json", i+1)
		}
		of := b.issuers[iss]
		w[name] = of.jwks
		entry := manifestIssuer{Issuer: iss, JWKS: name}
		for _, kid := range slices.Sorted(maps.Keys(of.lists)) {
			entry.CRLs = append(entry.CRLs, w.named("crls", ".json", of.lists[kid].Raw))
		}
		m.Issuers = append(m.Issuers, entry)
	}
	for _, c := range b.given {
		m.CSCA = append(m.CSCA, w.named("csca", ".der", c.Raw))
	}
	for _, l := range b.masters {
		entry := manifestMaster{Source: l.source, MadeAt: l.madeAt}
		for _, c := range l.authorities {
			entry.CSCA = append(entry.CSCA, w.named("csca", ".der", c.Raw))
		}
		m.Masters = append(m.Masters, entry)
	}
	for _, c := range b.signers {
		m.DSC = append(m.DSC, w.named("dsc", ".der", c.Raw))
	}
	for _, l := range b.lists {
		m.CRL = append(m.CRL, w.named("crl", ".crl", l.Raw))
	}
	for _, l := range b.issuances {
		m.Logs = append(m.Logs, manifestLog{
			Key: l.Key, Checkpoint: w.named("issuance", ".checkpoint", []byte(l.Checkpoint)), Digests: w.named("issuance", ".digests", l.all()), Covers: l.covers,
		})
	}
	for _, l := range b.statuses {
		m.Status = append(m.Status, manifestStatus{
			Key: l.Key, Head: w.named("status", ".head", []byte(l.Head)), Marks: w.named("status", ".marks", l.Marks), Covers: l.covers,
		})
	}
	var err error
	if m.Health, err = b.healthEntries(w); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("trust: %w", err)
	}
	w[manifestFile] = append(text, '\n')
	return w, nil
}

// ErrOlder says that a directory has a newer status list than the bundle.
var ErrOlder = errors.New("trust: the directory has a newer status list; it is kept")

// Write writes the bundle as a trust directory, which it makes if need be. Each file
// is written anew and then renamed, the manifest last, so that a reader finds the old
// bundle or the new one. Files that the manifest no longer names are left. A directory
// with a newer status list of the same key is left as it is: ErrOlder.
func (b *Bundle) Write(dir string) error {
	if old, _, err := Load(os.DirFS(dir)); err == nil && b.olderThan(old) {
		return ErrOlder
	}
	files, err := b.Files()
	if err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		if name != manifestFile {
			if err := replace(filepath.Join(dir, filepath.FromSlash(name)), files[name]); err != nil {
				return err
			}
		}
	}
	return replace(filepath.Join(dir, manifestFile), files[manifestFile])
}

func (b *Bundle) olderThan(old *Bundle) bool {
	return slices.ContainsFunc(b.statuses, func(l *StatusList) bool {
		return slices.ContainsFunc(old.statuses, l.Older)
	})
}

// fileSet is the files of a directory, by path.
type fileSet map[string][]byte

// named adds a file named after its content and returns its path.
func (f fileSet) named(folder, extension string, b []byte) string {
	digest := sha256.Sum256(b)
	name := folder + "/" + hex.EncodeToString(digest[:16]) + extension
	f[name] = b
	return name
}

func replace(path string, b []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	defer os.Remove(f.Name())
	_, err = f.Write(b)
	err = errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return fmt.Errorf("trust: %w", err)
	}
	return nil
}
