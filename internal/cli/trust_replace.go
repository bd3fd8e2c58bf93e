package cli

import (
	"archive/zip"
	"bytes"
	"errors"
	"fmt"
	"io"
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
// older one, and one by which much ends there, or of what is held, without the digest of the list being
// approved. It names what ends.
func replaceable(said io.Writer, dir string, b, held *trust.Bundle, digests, approved []string) error {
	entries, err := os.ReadDir(dir)
	var old *trust.Bundle
	if !errors.Is(err, fs.ErrNotExist) && (err != nil || len(entries) > 0) {
		if old, _, err = trust.Load(os.DirFS(dir)); err != nil {
			return usageError{errors.New("--out is neither a new directory nor a trust directory")}
		}
		if b.MadeAt().Before(old.MadeAt()) {
			return fmt.Errorf("the list is of %s, older than the one in use, of %s; that one is kept", stated(b.MadeAt()), stated(old.MadeAt()))
		}
	}
	var much []string
	for _, before := range []*trust.Bundle{old, held} {
		if before == nil {
			continue
		}
		for _, e := range b.Removed(before) {
			if line := fmt.Sprintf("no longer listed: %s %s\n", e.Kind, clean1(e.Name)); before == old || old == nil {
				_, _ = io.WriteString(said, line)
			}
		}
		for _, s := range b.Shrunk(before) {
			if line := clean1(s.String()); !slices.Contains(much, line) {
				much = append(much, line)
			}
		}
	}
	if len(much) == 0 || slices.ContainsFunc(digests, func(d string) bool { return slices.Contains(approved, d) }) {
		return nil
	}
	return fmt.Errorf("the list shrinks sharply (%s); the one in use is kept. Look at it, and if it is right: --shrink %s", strings.Join(much, ", "), strings.Join(digests, " --shrink "))
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
