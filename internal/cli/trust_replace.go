package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"akashi/certificate/trust"
)

// replaceable refuses a bundle that must not take the place of what is in a directory: an
// older one, and one that shrinks sharply without the digest of the list being approved.
func replaceable(dir string, b *trust.Bundle, digests, approved []string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	old, _, err := trust.Load(os.DirFS(dir))
	switch {
	case err != nil:
		return usageError{errors.New("--out is neither a new directory nor a trust directory")}
	case b.MadeAt().Before(old.MadeAt()):
		return fmt.Errorf("the list is of %s, older than the one in use, of %s; that one is kept", stated(b.MadeAt()), stated(old.MadeAt()))
	}
	kinds := b.Shrunk(old)
	if len(kinds) == 0 || slices.ContainsFunc(digests, func(d string) bool { return slices.Contains(approved, d) }) {
		return nil
	}
	now, before := b.Count(), old.Count()
	var lines []string
	for _, kind := range kinds {
		lines = append(lines, fmt.Sprintf("%s from %d to %d", kind, before[kind], now[kind]))
	}
	return fmt.Errorf("the list shrinks sharply (%s); the one in use is kept. Look at it, and if it is right: --shrink %s", strings.Join(lines, ", "), strings.Join(digests, " --shrink "))
}

func stated(at time.Time) string {
	if at.IsZero() {
		return "a time not stated"
	}
	return at.Format(time.RFC3339)
}

// previous is how the name of what was replaced ends.
const previous = ".previous"

// put writes files as a directory or a zip beside what is there, and then takes its place.
// What was there is kept under the name with .previous.
func put(out string, files map[string][]byte) error {
	out = filepath.Clean(out)
	if strings.HasSuffix(out, bundleFile) {
		content, err := zipped(files)
		if err != nil {
			return err
		}
		if old, err := os.ReadFile(out); err == nil {
			if err := writeAnew(out+previous, old); err != nil {
				return err
			}
		}
		return writeAnew(out, content)
	}
	fresh := out + ".new"
	if err := os.RemoveAll(fresh); err != nil {
		return err
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		path := filepath.Join(fresh, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := writeAnew(path, files[name]); err != nil {
			return err
		}
	}
	if _, err := os.Stat(out); errors.Is(err, fs.ErrNotExist) {
		return os.Rename(fresh, out)
	}
	if err := os.RemoveAll(out + previous); err != nil {
		return err
	}
	if exchangeNames(fresh, out) == nil {
		return os.Rename(fresh, out+previous)
	}
	if err := os.Rename(out, out+previous); err != nil { // a file system that cannot
		return err
	}
	if err := os.Rename(fresh, out); err != nil {
		return errors.Join(err, os.Rename(out+previous, out))
	}
	return nil
}

// zipped is deterministic: the same files give the same bytes.
func zipped(files map[string][]byte) ([]byte, error) {
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, name := range slices.Sorted(maps.Keys(files)) {
		w, err := z.CreateHeader(&zip.FileHeader{Name: name, Method: zip.Deflate})
		if err != nil {
			return nil, err
		}
		if _, err := w.Write(files[name]); err != nil {
			return nil, err
		}
	}
	err := z.Close()
	return b.Bytes(), err
}

// writeAnew writes a file beside its place and renames it.
func writeAnew(path string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(f.Name()) }()
	_, err = f.Write(content)
	if err := errors.Join(err, f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
