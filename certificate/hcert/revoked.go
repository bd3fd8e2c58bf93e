package hcert

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/json"
	"math"
	"math/big"
	"slices"
	"time"

	"akashi/internal/strictjson"
)

// Mark is how a withdrawn EU certificate is named in lists: the first 128 bits of a
// SHA-256, so that a list holds no identifier (spec eu-dcc, 12).
type Mark [16]byte

// MarkType says of what a Mark is the hash.
type MarkType string

const (
	MarkOfID        MarkType = "UCI"            // the identifier as printed
	MarkOfCountryID MarkType = "COUNTRYCODEUCI" // issuer's country and identifier
	MarkOfSignature MarkType = "SIGNATURE"      // of ES256 the first half, r alone
)

// MarkTypes lists all types.
var MarkTypes = []MarkType{MarkOfID, MarkOfCountryID, MarkOfSignature}

// MarkOf names an EU certificate as a list of the type would.
func (c *Code) MarkOf(t MarkType) Mark {
	switch t {
	case MarkOfID:
		return IDMark(c.DCC.ID)
	case MarkOfCountryID:
		return markOf([]byte(c.Issuer + c.DCC.ID))
	}
	signature := c.Signature
	if c.Algorithm == ES256 {
		signature = signature[:len(signature)/2]
	}
	return markOf(signature)
}

// IDMark is the mark of an identifier as printed.
func IDMark(id string) Mark { return markOf([]byte(id)) }

func markOf(text []byte) Mark {
	sum := sha256.Sum256(text)
	return Mark(sum[:len(Mark{})])
}

// Batch is a list of withdrawn certificates in the form of the EU gateway.
type Batch struct {
	Country string // alpha-2
	Expires time.Time
	KeyID   []byte // of the signer; nil: of any
	Type    MarkType
	Marks   []Mark // ascending
}

// Limits of what is read.
const (
	maxBatch  = 1000    // entries, by the gateway's rule
	maxFilter = 8 << 20 // bytes of a filter or a list of hashes
	unknownID = "UNKNOWN_KID"
)

type batchJSON struct {
	Country string       `json:"country"`
	Expires time.Time    `json:"expires"`
	KeyID   string       `json:"kid"`
	Type    MarkType     `json:"hashType"`
	Entries []batchEntry `json:"entries"`
}

type batchEntry struct {
	Hash []byte `json:"hash"`
}

// Split parts a list into batches of as many marks as one may have, all in order.
func (b Batch) Split() (batches []Batch) {
	marks := slices.SortedFunc(slices.Values(b.Marks), compareMarks)
	for some := range slices.Chunk(marks, maxBatch) {
		b.Marks = some
		batches = append(batches, b)
	}
	return batches
}

// MarshalJSON writes the batch. It refuses more than 1,000 entries.
func (b Batch) MarshalJSON() ([]byte, error) {
	if len(b.Marks) == 0 || len(b.Marks) > maxBatch || !slices.Contains(MarkTypes, b.Type) {
		return nil, fail(StepDraft, "batch", "")
	}
	out := batchJSON{Country: b.Country, Expires: b.Expires.UTC(), KeyID: unknownID, Type: b.Type}
	if b.KeyID != nil {
		out.KeyID = base64.StdEncoding.EncodeToString(b.KeyID)
	}
	for _, m := range b.Marks {
		out.Entries = append(out.Entries, batchEntry{m[:]})
	}
	return json.Marshal(out)
}

// ParseBatch reads a batch.
func ParseBatch(text []byte) (Batch, error) {
	bad := fail(StepContent, "batch", "")
	if len(text) > 1<<20 || strictjson.Check(text, 4) != nil {
		return Batch{}, bad
	}
	var in batchJSON
	if err := json.Unmarshal(text, &in); err != nil || len(in.Entries) == 0 || len(in.Entries) > maxBatch || !slices.Contains(MarkTypes, in.Type) {
		return Batch{}, bad
	}
	b := Batch{Country: in.Country, Expires: in.Expires, Type: in.Type}
	if in.KeyID != unknownID {
		id, err := base64.StdEncoding.DecodeString(in.KeyID)
		if err != nil || len(id) == 0 {
			return Batch{}, bad
		}
		b.KeyID = id
	}
	for _, e := range in.Entries {
		if len(e.Hash) != len(Mark{}) {
			return Batch{}, bad
		}
		b.Marks = append(b.Marks, Mark(e.Hash))
	}
	slices.SortFunc(b.Marks, compareMarks)
	return b, nil
}

func compareMarks(a, b Mark) int { return bytes.Compare(a[:], b[:]) }

// Has tells whether a mark is in the batch.
func (b Batch) Has(m Mark) bool {
	_, found := slices.BinarySearchFunc(b.Marks, m, compareMarks)
	return found
}

// Filter is a Bloom filter of marks: what it does not have is not withdrawn; what it
// has is withdrawn with a probability of 1 - P, so that a hit has to be confirmed.
type Filter struct {
	P     float32 // how often it is wrong about a mark that it never got
	N     int     // marks that it is made for
	Used  int     // marks that it has
	k     int     // bits of each mark
	words []uint32
}

// filterVersion is the version of the form that is written and read.
const filterVersion = 1

// NewFilter makes an empty filter for n marks that is wrong with probability p. It
// refuses n below 1, p outside (0, 1), and what would be larger than a reader takes.
func NewFilter(n int, p float64) (*Filter, error) {
	if n < 1 || n > 1<<31-1 || !(p > 0 && p < 1) {
		return nil, fail(StepDraft, "filter", "")
	}
	bits := math.Ceil(-float64(n) * math.Log(p) / (math.Ln2 * math.Ln2))
	words := int(math.Ceil(bits / 32))
	if 4*words > maxFilter {
		return nil, fail(StepDraft, "filter_too_large", "")
	}
	k := max(1, int(math.Round(float64(32*words)/float64(n)*math.Ln2)))
	return &Filter{P: float32(p), N: n, k: min(k, math.MaxInt8), words: make([]uint32, words)}, nil
}

// bits calls do with the place of each bit of a mark, as long as it returns true.
func (f *Filter) bits(m Mark, do func(word int, bit uint32) bool) bool {
	size := big.NewInt(int64(len(f.words)) * 32)
	element := append(m[:], 0)
	for i := range f.k {
		element[len(m)] = byte(i)
		sum := sha256.Sum256(element)
		at := new(big.Int).SetBytes(sum[:])
		if sum[0] >= 0x80 { // a signed number
			at.Sub(at, new(big.Int).Lsh(big.NewInt(1), 256))
		}
		n := at.Mod(at, size).Int64() // never negative
		if !do(int(n/32), 1<<(31-n%32)) {
			return false
		}
	}
	return true
}

// Add puts a mark in.
func (f *Filter) Add(m Mark) {
	f.Used++
	f.bits(m, func(word int, bit uint32) bool { f.words[word] |= bit; return true })
}

// Has tells whether a mark may be in the filter; false is certain.
func (f *Filter) Has(m Mark) bool {
	return f.bits(m, func(word int, bit uint32) bool { return f.words[word]&bit != 0 })
}

// filterHead is the beginning of a filter, big endian.
type filterHead struct {
	Version       int16
	K, Hash       int8 // Hash 0: SHA-256
	P             float32
	N, Used, Size int32 // Size: of words
}

// MarshalBinary writes the filter: a head of 20 bytes, then 32-bit words.
func (f *Filter) MarshalBinary() ([]byte, error) {
	var b bytes.Buffer
	head := filterHead{filterVersion, int8(f.k), 0, f.P, int32(f.N), int32(f.Used), int32(len(f.words))}
	if err := binary.Write(&b, binary.BigEndian, head); err != nil {
		return nil, err
	}
	err := binary.Write(&b, binary.BigEndian, f.words)
	return b.Bytes(), err
}

// ParseFilter reads a filter. Nothing is allocated from the declared size.
func ParseFilter(b []byte) (*Filter, error) {
	var h filterHead
	size := binary.Size(h)
	if len(b) < size || len(b) > maxFilter+size {
		return nil, fail(StepContent, "filter", "")
	}
	if _, err := binary.Decode(b, binary.BigEndian, &h); err != nil {
		return nil, fail(StepContent, "filter", "")
	}
	words := b[size:]
	if h.Version != filterVersion || h.Hash != 0 || h.K < 1 || h.Size < 1 || int(h.Size)*4 != len(words) || h.N < 0 || h.Used < 0 || !(h.P > 0 && h.P < 1) {
		return nil, fail(StepContent, "filter", "")
	}
	f := &Filter{P: h.P, N: int(h.N), Used: int(h.Used), k: int(h.K), words: make([]uint32, h.Size)}
	for i := range f.words {
		f.words[i] = binary.BigEndian.Uint32(words[4*i:])
	}
	return f, nil
}

// hashListHead is the beginning of a partial hash list, big endian.
type hashListHead struct {
	Version int16
	P       float32
	N       int32
	Size    int8 // bytes of each hash
}

// HashList is a list of marks cut short: what it does not have is not withdrawn.
type HashList struct {
	P    float32 // how often it is wrong about a mark that it never got
	size int
	cut  []byte // ascending, size bytes each
}

// NewHashList cuts the marks as short as p allows, at least to one byte.
func NewHashList(marks []Mark, p float64) (*HashList, error) {
	if !(p > 0 && p < 1) {
		return nil, fail(StepDraft, "hash_list", "")
	}
	size := int(math.Ceil(math.Log2(float64(max(len(marks), 1))/p) / 8))
	l := &HashList{P: float32(p), size: min(max(size, 1), len(Mark{}))}
	if len(marks) > maxFilter/l.size {
		return nil, fail(StepDraft, "hash_list", "")
	}
	sorted := slices.SortedFunc(slices.Values(marks), compareMarks)
	for _, m := range sorted {
		l.cut = append(l.cut, m[:l.size]...)
	}
	return l, nil
}

// Has tells whether a mark may be in the list; false is certain.
func (l *HashList) Has(m Mark) bool {
	low, high := 0, len(l.cut)/l.size
	for low < high {
		middle := (low + high) / 2
		switch c := bytes.Compare(l.cut[middle*l.size:(middle+1)*l.size], m[:l.size]); {
		case c == 0:
			return true
		case c < 0:
			low = middle + 1
		default:
			high = middle
		}
	}
	return false
}

// MarshalBinary writes the list: a head of 11 bytes, then the hashes.
func (l *HashList) MarshalBinary() ([]byte, error) {
	b, err := binary.Append(nil, binary.BigEndian, hashListHead{filterVersion, l.P, int32(len(l.cut) / l.size), int8(l.size)})
	return append(b, l.cut...), err
}

// ParseHashList reads a list, which must be in order.
func ParseHashList(b []byte) (*HashList, error) {
	var h hashListHead
	size := binary.Size(h)
	if len(b) < size || len(b) > maxFilter+size {
		return nil, fail(StepContent, "hash_list", "")
	}
	if _, err := binary.Decode(b, binary.BigEndian, &h); err != nil {
		return nil, fail(StepContent, "hash_list", "")
	}
	l := &HashList{P: h.P, size: int(h.Size), cut: slices.Clone(b[size:])}
	if h.Version != filterVersion || l.size < 1 || l.size > len(Mark{}) || h.N < 0 || !(h.P > 0 && h.P < 1) || int64(h.N)*int64(l.size) != int64(len(l.cut)) {
		return nil, fail(StepContent, "hash_list", "")
	}
	for i := l.size; i < len(l.cut); i += l.size {
		if bytes.Compare(l.cut[i-l.size:i], l.cut[i:i+l.size]) > 0 {
			return nil, fail(StepContent, "hash_list_order", "")
		}
	}
	return l, nil
}
