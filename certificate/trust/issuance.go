package trust

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"sort"
	"strconv"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/merkle"
)

// The published form of an issuance log (docs/issuance-log.md): the first
// ShortSize bytes of each digest, sorted, in buckets by the first digits.
const (
	ShortSize  = 16   // finding another card with the same is 2^107 work among two million
	BucketSize = 1000 // cards, about, that a bucket must have for its name not to tell which is meant
	maxDigits  = 4
	padding    = 64 // entries
	filler     = 0xff
	maxDigests = 256 << 20 // bytes of all buckets
)

// Edition is an issuance log as it is published with one checkpoint.
type Edition struct {
	Digits  int      // hexadecimal digits in the name of a bucket
	Buckets [][]byte // all of one length
}

// MakeEdition sorts digests into buckets.
func MakeEdition(digests [][ShortSize]byte) Edition {
	digits := 0
	for digits < maxDigits && len(digests)>>(4*(digits+1)) >= BucketSize {
		digits++
	}
	sorted := slices.Clone(digests)
	slices.SortFunc(sorted, func(a, b [ShortSize]byte) int { return bytes.Compare(a[:], b[:]) })
	e := Edition{Digits: digits, Buckets: make([][]byte, 1<<(4*digits))}
	longest := 0
	for _, d := range sorted {
		i := bucketOf(d[:], digits)
		e.Buckets[i] = append(e.Buckets[i], d[:]...)
		longest = max(longest, len(e.Buckets[i]))
	}
	unit := padding * ShortSize
	longest = max((longest+unit-1)/unit, 1) * unit
	for i, b := range e.Buckets {
		e.Buckets[i] = append(b, bytes.Repeat([]byte{filler}, longest-len(b))...)
	}
	return e
}

// bucketOf returns the number that the first digits of a digest write.
func bucketOf(digest []byte, digits int) int {
	return (int(digest[0])<<8 | int(digest[1])) >> (16 - 4*digits)
}

// BucketName returns the name of the bucket in which a digest would be; "all"
// where there is one only.
func BucketName(digest []byte, digits int) string {
	if digits == 0 {
		return "all"
	}
	return fmt.Sprintf("%0*x", digits, bucketOf(digest, digits))
}

// Index returns the SHA-256 of each bucket, one after the other.
func (e Edition) Index() []byte {
	var index []byte
	for _, b := range e.Buckets {
		h := sha256.Sum256(b)
		index = append(index, h[:]...)
	}
	return index
}

// Line is what the checkpoint says of the edition.
func (e Edition) Line() string {
	h := sha256.Sum256(e.Index())
	return fmt.Sprintf("buckets %d %s", e.Digits, base64.StdEncoding.EncodeToString(h[:]))
}

// All returns the buckets as one file, as a trust directory holds them.
func (e Edition) All() []byte { return bytes.Join(e.Buckets, nil) }

// IssuanceLog tells whether a digest was logged, as far as its buckets are here.
type IssuanceLog struct {
	Key        string // of the log, name+hash+key
	Checkpoint string
	Through    time.Time // what was issued later is not in it
	// Newer tells of a digest that is not in the buckets whether it was logged since;
	// the service itself can. Nil: unknown.
	Newer   func(digest [sha256.Size]byte) bool
	digits  int
	buckets map[int][]byte
	Since   time.Time // what was issued before is not in it; zero: everything is
	covers  []string  // thumbprints of the keys that sign nothing else
}

// SinceLine begins the line of a checkpoint that says when its log began.
const SinceLine = "since "

var errIssuance = errors.New("not_this_checkpoint")

// OpenIssuanceLog checks a checkpoint with the log's key, and buckets, by their
// name, with the index that the checkpoint vouches for. covers names the keys,
// by thumbprint, that sign nothing that is not in the log.
func OpenIssuanceLog(key, checkpoint string, index []byte, buckets map[string][]byte, covers []string) (*IssuanceLog, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return nil, errors.New("wrong_key")
	}
	c, err := merkle.OpenCheckpoint(checkpoint, verifier)
	if err != nil {
		return nil, errors.New("not_signed")
	}
	l := &IssuanceLog{Key: key, Checkpoint: checkpoint, Through: c.Time, buckets: map[int][]byte{}, covers: covers}
	var digest string
	for _, line := range c.Also {
		if at, ok := strings.CutPrefix(line, SinceLine); ok {
			if l.Since, err = time.Parse(time.RFC3339, at); err != nil {
				return nil, errIssuance
			}
		}
		if rest, ok := strings.CutPrefix(line, "buckets "); ok {
			number, sum, _ := strings.Cut(rest, " ")
			if l.digits, err = strconv.Atoi(number); err != nil || l.digits < 0 || l.digits > maxDigits {
				return nil, errIssuance
			}
			digest = sum
		}
	}
	h := sha256.Sum256(index)
	if base64.StdEncoding.EncodeToString(h[:]) != digest || len(index) != sha256.Size<<(4*l.digits) {
		return nil, errIssuance
	}
	for name, b := range buckets {
		i, err := bucketNumber(name, l.digits)
		if err != nil {
			return nil, err
		}
		if h := sha256.Sum256(b); !bytes.Equal(h[:], index[i*sha256.Size:(i+1)*sha256.Size]) || len(b)%ShortSize != 0 {
			return nil, errIssuance
		}
		l.buckets[i] = b
	}
	return l, nil
}

func bucketNumber(name string, digits int) (int, error) {
	if digits == 0 && name == "all" {
		return 0, nil
	}
	n, err := strconv.ParseUint(name, 16, 16)
	if err != nil || len(name) != digits {
		return 0, errIssuance
	}
	return int(n), nil
}

// openAll reads the file of all buckets.
func openAll(key, checkpoint string, all []byte, covers []string) (*IssuanceLog, error) {
	for digits := range maxDigits + 1 {
		n := 1 << (4 * digits)
		if len(all) == 0 || len(all)%(n*ShortSize) != 0 {
			continue
		}
		e := Edition{Digits: digits}
		buckets := map[string][]byte{}
		size := len(all) / n
		for i := range n {
			b := all[i*size : (i+1)*size]
			e.Buckets = append(e.Buckets, b)
			buckets[BucketName([]byte{byte(i << (16 - 4*digits) >> 8), byte(i << (16 - 4*digits))}, digits)] = b
		}
		if !strings.Contains(checkpoint, "\n"+e.Line()+"\n") {
			continue
		}
		return OpenIssuanceLog(key, checkpoint, e.Index(), buckets, covers)
	}
	return nil, errIssuance
}

// all returns the buckets in order.
func (l *IssuanceLog) all() []byte {
	var out []byte
	for i := range 1 << (4 * l.digits) {
		out = append(out, l.buckets[i]...)
	}
	return out
}

// Has tells whether the digest is logged; known is false if its bucket is not here.
func (l *IssuanceLog) Has(digest [sha256.Size]byte) (logged, known bool) {
	b, known := l.buckets[bucketOf(digest[:], l.digits)]
	n := len(b) / ShortSize
	at := sort.Search(n, func(i int) bool { return bytes.Compare(b[i*ShortSize:(i+1)*ShortSize], digest[:ShortSize]) >= 0 })
	logged = at < n && bytes.Equal(b[at*ShortSize:(at+1)*ShortSize], digest[:ShortSize])
	return logged || l.Newer != nil && l.Newer(digest), known
}

// Issuances returns the log that covers a key, by its thumbprint; nil if none does.
func (b *Bundle) Issuances(key string) *IssuanceLog {
	for _, l := range b.issuances {
		if slices.Contains(l.covers, key) {
			return l
		}
	}
	return nil
}

// WithIssuances returns a bundle that also has the logs.
func (b *Bundle) WithIssuances(logs ...*IssuanceLog) *Bundle {
	c := b.clone()
	c.issuances = append(slices.Clone(b.issuances), logs...)
	return c
}

// WithoutIssuances returns the bundle without the logs.
func (b *Bundle) WithoutIssuances() *Bundle {
	c := b.clone()
	c.issuances = nil
	return c
}
