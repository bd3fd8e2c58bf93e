package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/certificate"
)

// Ended is why a code is no longer to be taken.
type Ended string

const (
	Revoked    Ended = "revoked"
	Superseded Ended = "superseded" // there is a newer certificate of the same record
)

// The form of a status list (docs/status-list.md): marks of MarkSize bytes, sorted,
// filled up with random ones to a power of two.
const (
	MarkSize     = 8       // of 10^8 codes and 10^6 marks one is struck by chance with 10^-5
	LeastMarks   = 1 << 12 // below, a list does not grow
	SaltSize     = 16
	maxStatus    = 64 << 20 // bytes of the marks
	maxHead      = 4 << 10  // bytes of the signed head
	statusPrefix = "akashi status 1"
)

// EndedCode is a code that is no longer to be taken: its family and the id that a
// list knows it by (rid of a health card, uvci of a bar code).
type EndedCode struct {
	Family certificate.Family
	ID     string
	Why    Ended
}

type mark [MarkSize]byte

// mark is random to whoever does not know the id, and another one in each edition.
func (c EndedCode) mark(salt []byte) mark {
	text := make([]byte, 0, 96)
	text = append(append(text, statusPrefix+"\n"...), salt...)
	for _, part := range []string{string(c.Family), string(c.Why), c.ID} {
		text = append(append(text, '\n'), part...)
	}
	sum := sha256.Sum256(text)
	return mark(sum[:MarkSize])
}

// StatusEdition is a status list before it is signed.
type StatusEdition struct {
	Version int64 // grows with each edition
	MadeAt  time.Time
	Salt    [SaltSize]byte
	Marks   []byte
}

// MakeStatus makes an edition. The seed is secret, and another one each time: it
// gives the salt and the marks that fill the list up, which nobody can then tell
// from the others, in one edition or by comparing two.
func MakeStatus(version int64, at time.Time, codes []EndedCode, seed [sha256.Size]byte) StatusEdition {
	e := StatusEdition{Version: version, MadeAt: at.UTC().Truncate(time.Second)}
	salt := sha256.Sum256(append([]byte("salt\n"), seed[:]...))
	copy(e.Salt[:], salt[:])
	n := LeastMarks
	for n < len(codes)+1 {
		n *= 2
	}
	marks := make([]mark, 0, n)
	for _, c := range codes {
		marks = append(marks, c.mark(e.Salt[:]))
	}
	for i := uint64(0); len(marks) < n; i++ {
		block := sha256.Sum256(binary.BigEndian.AppendUint64(append([]byte("fill\n"), seed[:]...), i))
		for m := range slices.Chunk(block[:], MarkSize) {
			if len(marks) < n {
				marks = append(marks, mark(m))
			}
		}
	}
	slices.SortFunc(marks, func(a, b mark) int { return bytes.Compare(a[:], b[:]) })
	e.Marks = make([]byte, 0, n*MarkSize)
	for _, m := range marks {
		e.Marks = append(e.Marks, m[:]...)
	}
	return e
}

// Head is what is signed of an edition, without the origin.
func (e StatusEdition) Head() string {
	sum := sha256.Sum256(e.Marks)
	return fmt.Sprintf("version %d\ntime %s\nsalt %x\nmarks %d\nsha256 %s\n",
		e.Version, e.MadeAt.Format(time.RFC3339), e.Salt, len(e.Marks)/MarkSize, base64.StdEncoding.EncodeToString(sum[:]))
}

// StatusList is a signed list of codes that are no longer to be taken.
type StatusList struct {
	Key     string    // of the list, name+hash+key
	Head    string    // the signed note
	Version int64     // of two lists of one key the higher counts
	MadeAt  time.Time // what ended later is not in it
	Marks   []byte    // nil: the list could not be used, so that nothing is known
	salt    []byte
	covers  []string // thumbprints of the keys whose codes would be in it
}

var errStatus = errors.New("not_this_list")

// OpenStatus checks the head of a list with the list's key, and the marks with the
// head. covers names the keys, by thumbprint, whose ended codes are all in it. The
// error is the code of the first fault.
func OpenStatus(key, head string, marks []byte, covers []string) (*StatusList, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, errors.New("wrong_key")
	}
	if len(head) > maxHead || len(marks) > maxStatus {
		return nil, errors.New("too_large")
	}
	n, err := note.Open([]byte(head), note.VerifierList(verifier))
	if err != nil {
		return nil, errors.New("not_signed")
	}
	e, sum, err := parseHead(n.Text, verifier.Name())
	if err != nil {
		return nil, err
	}
	got := sha256.Sum256(marks)
	if !bytes.Equal(got[:], sum) || len(marks) != e.count*MarkSize {
		return nil, errStatus
	}
	return &StatusList{Key: key, Head: head, Version: e.version, MadeAt: e.at, Marks: marks, salt: e.salt, covers: covers}, nil
}

type statusHead struct {
	version int64
	at      time.Time
	salt    []byte
	count   int
}

func parseHead(text, origin string) (h statusHead, sum []byte, err error) {
	values, err := headLines(text, origin, "version ", "time ", "salt ", "marks ", "sha256 ")
	if err != nil {
		return h, nil, err
	}
	var errs [4]error
	h.version, errs[0] = strconv.ParseInt(values[0], 10, 64)
	h.at, errs[1] = time.Parse(time.RFC3339, values[1])
	h.count, errs[2] = strconv.Atoi(values[3])
	sum, errs[3] = base64.StdEncoding.Strict().DecodeString(values[4])
	if _, err := fmt.Sscanf(values[2], "%x", &h.salt); err != nil || errors.Join(errs[:]...) != nil ||
		h.version < 1 || h.count < 1 || h.count > maxStatus/MarkSize || len(h.salt) != SaltSize {
		return h, nil, errHead
	}
	return h, sum, nil
}

var errHead = errors.New("wrong_head")

// headLines returns the values of the lines of a signed text, which begins with its origin;
// further lines may follow.
func headLines(text, origin string, names ...string) ([]string, error) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	if len(lines) < 1+len(names) || lines[0] != origin {
		return nil, errHead
	}
	values := make([]string, len(names))
	for i, name := range names {
		value, ok := strings.CutPrefix(lines[i+1], name)
		if !ok {
			return nil, errHead
		}
		values[i] = value
	}
	return values, nil
}

// Why tells whether a code is in the list, and why; empty if it is not.
func (l *StatusList) Why(family certificate.Family, id string) Ended {
	for _, why := range []Ended{Revoked, Superseded} {
		if l.has(EndedCode{family, id, why}.mark(l.salt)) {
			return why
		}
	}
	return ""
}

func (l *StatusList) has(m mark) bool {
	n := len(l.Marks) / MarkSize
	at := sort.Search(n, func(i int) bool { return bytes.Compare(l.Marks[i*MarkSize:(i+1)*MarkSize], m[:]) >= 0 })
	return at < n && bytes.Equal(l.Marks[at*MarkSize:(at+1)*MarkSize], m[:])
}

// Covering returns the list as one that covers these keys.
func (l StatusList) Covering(keys []string) *StatusList {
	l.covers = keys
	return &l
}

// Older tells whether a list is older than one of the same key, or another one of
// the same version: it is not to be taken for it.
func (l *StatusList) Older(than *StatusList) bool {
	return than != nil && than.Marks != nil && l.Key == than.Key &&
		(l.Version < than.Version || l.Version == than.Version && l.Head != than.Head)
}

// Status returns the status list that covers a key, by its thumbprint; nil if none
// does. Its marks are nil if there should be one that could not be used.
func (b *Bundle) Status(key string) *StatusList {
	for _, l := range b.statuses {
		if slices.Contains(l.covers, key) {
			return l
		}
	}
	return nil
}

// WithStatus returns a bundle that also has the status list.
func (b *Bundle) WithStatus(l *StatusList) *Bundle {
	c := b.clone()
	c.statuses = append(slices.Clone(b.statuses), l)
	return c
}
