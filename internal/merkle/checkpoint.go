package merkle

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// Checkpoint is what is signed of a tree (C2SP tlog-checkpoint): whose tree it
// is, its size and root, and as further lines the time and what else the log
// says of itself.
type Checkpoint struct {
	Origin string
	Size   int64
	Root   Hash
	Time   time.Time // UTC, milliseconds
	Also   []string  // further lines, such as "buckets 2 …"
}

const timeForm = "2006-01-02T15:04:05.000Z"

// ErrCheckpoint tells that a text is not a checkpoint signed with the key.
var ErrCheckpoint = errors.New("merkle: not a checkpoint signed with this key")

// Sign returns the checkpoint as a signed note.
func (c Checkpoint) Sign(by note.Signer) (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n%d\n%s\ntime %s\n", c.Origin, c.Size, base64.StdEncoding.EncodeToString(c.Root[:]), c.Time.UTC().Format(timeForm))
	for _, line := range c.Also {
		b.WriteString(line + "\n")
	}
	signed, err := note.Sign(&note.Note{Text: b.String()}, by)
	return string(signed), err
}

// OpenCheckpoint reads a signed note. It is refused unless the key signed it and
// the origin is the key's name.
func OpenCheckpoint(text string, key note.Verifier) (c Checkpoint, err error) {
	n, err := note.Open([]byte(text), note.VerifierList(key))
	if err != nil {
		return c, fmt.Errorf("%w: %w", ErrCheckpoint, err)
	}
	if c, err = parseCheckpoint(n.Text); err == nil && c.Origin != key.Name() {
		return Checkpoint{}, ErrCheckpoint
	}
	return c, err
}

// ReadCheckpoint reads a signed note of whatever key, for those who hand it on to others
// that open it.
func ReadCheckpoint(text string) (Checkpoint, error) {
	_, err := note.Open([]byte(text), note.VerifierList())
	var n *note.UnverifiedNoteError
	if !errors.As(err, &n) {
		return Checkpoint{}, ErrCheckpoint
	}
	return parseCheckpoint(n.Note.Text)
}

func parseCheckpoint(text string) (c Checkpoint, err error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 4 {
		return c, ErrCheckpoint
	}
	c.Origin, c.Also = lines[0], lines[4:]
	size, err := strconv.ParseInt(lines[1], 10, 64)
	root, err2 := base64.StdEncoding.Strict().DecodeString(lines[2])
	at, found := strings.CutPrefix(lines[3], "time ")
	when, err3 := time.Parse(timeForm, at)
	hash, whole := HashOf(root)
	if errors.Join(err, err2, err3) != nil || !found || !whole || size < 0 || strconv.FormatInt(size, 10) != lines[1] {
		return Checkpoint{}, ErrCheckpoint
	}
	c.Size, c.Root, c.Time = size, hash, when
	return c, nil
}
