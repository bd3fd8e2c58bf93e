package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"akashi/certificate/trust"
)

// seenFile keeps, beside a trust directory, key and head of the newest signed bundle seen
// there: what was signed once is not taken unsigned, under another key, or older.
func seenFile(name string) string { return filepath.Clean(name) + ".seen" }

// Refusals of what was seen before.
var (
	errUnsigned   = errors.New("the bundle is not signed, but was before, or must be; nothing of it is used")
	errAnotherKey = errors.New("the bundle is signed with another key than the pinned one; nothing of it is used")
)

// admit pins the key at the first use, or compares it, and remembers the version.
func admit(name string, head *trust.Head, key string, errs io.Writer) error {
	seen, err := readSeen(name)
	switch {
	case err != nil:
		return err
	case head == nil && (seen != nil || key != ""):
		return errUnsigned
	case head == nil:
		return nil
	case key != "" && key != head.Key:
		return errAnotherKey
	case seen != nil && seen.Key != head.Key:
		return errAnotherKey
	case !head.After(seen):
		return trust.ErrStale
	case seen != nil && seen.Text == head.Text:
		return nil
	}
	if seen == nil && key == "" {
		_, _ = fmt.Fprintf(errs, "akashi: %s is pinned at its first use to the key %s\n", name, clean1(head.Key))
	}
	if err := writeSeen(name, head); err != nil {
		_, _ = fmt.Fprintf(errs, "akashi: the version of %s cannot be remembered: %v\n", name, err)
	}
	return nil
}

func readSeen(name string) (*trust.Head, error) {
	text, err := os.ReadFile(seenFile(name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	key, head, _ := strings.Cut(string(text), "\n")
	h, _, err := trust.OpenHead(key, head)
	if err != nil {
		return nil, fmt.Errorf("%s is damaged: %w", seenFile(name), err)
	}
	return &h, nil
}

func writeSeen(name string, head *trust.Head) error {
	return writeAnew(seenFile(name), []byte(head.Key+"\n"+head.Text))
}
