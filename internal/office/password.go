package office

import (
	"context"
	"crypto/subtle"
	_ "embed"
	"encoding/base64"
	"fmt"
	"runtime"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/argon2"
	"golang.org/x/text/unicode/norm"

	"akashi/internal/fault"
	"akashi/internal/idgen"
)

// Cost is how much work a hash is.
type Cost struct {
	Memory  uint32 // KiB
	Passes  uint32
	Threads uint8
}

// Costs of S-012: what new hashes have, and the least that an old one may have.
var (
	hashCost  = Cost{Memory: 46 << 10, Passes: 2, Threads: 1}
	floorCost = Cost{Memory: 19 << 10, Passes: 2, Threads: 1}
)

const (
	saltSize = 16
	tagSize  = 32
	// hashesAtOnce bounds the memory of sign-ins: 4 × 46 MiB.
	hashesAtOnce = 4
)

// Hasher turns passwords into argon2id strings and compares. It is safe for
// concurrent use; at most four hashes are computed at once.
type Hasher struct {
	// Derive is the slow hash, argon2id; tests count its work or spare it.
	Derive func(password, salt []byte, passes, memory uint32, threads uint8, size uint32) []byte

	pepper func(office, password string) []byte
	ids    idgen.Gen
	slots  chan struct{}
}

// NewHasher takes the keyed hash that stands before the slow one, and the source of salts.
func NewHasher(pepper func(office, password string) []byte, ids idgen.Gen) *Hasher {
	return &Hasher{pepper: pepper, ids: ids, Derive: argon2.IDKey, slots: make(chan struct{}, hashesAtOnce)}
}

// Hash returns the PHC string of a password.
func (h *Hasher) Hash(ctx context.Context, office, password string) (string, error) {
	salt := h.ids.Bytes(saltSize)
	tag, err := h.tag(ctx, office, password, salt, hashCost)
	if err != nil {
		return "", err
	}
	return phc{hashCost, salt, tag}.String(), nil
}

// Compare tells whether the password is that of the string, and whether it
// should be hashed anew because the cost has risen. An empty string stands for
// nobody: the work is done all the same (S-015).
func (h *Hasher) Compare(ctx context.Context, office, password, stored string) (same, stale bool, err error) {
	p, known := parsePHC(stored)
	if !known {
		p = phc{hashCost, make([]byte, saltSize), make([]byte, tagSize)}
	}
	tag, err := h.tag(ctx, office, password, p.salt, p.cost)
	if err != nil {
		return false, false, err
	}
	same = subtle.ConstantTimeCompare(tag, p.tag) == 1 && known
	return same, same && p.cost.below(hashCost), nil
}

func (h *Hasher) tag(ctx context.Context, office, password string, salt []byte, c Cost) ([]byte, error) {
	select {
	case h.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() {
		// What a hash used is garbage now. Without this its 46 MiB would stay until
		// the heap had grown to several times what lives.
		runtime.GC()
		<-h.slots
	}()
	return h.Derive(h.pepper(office, norm.NFKC.String(password)), salt, c.Passes, c.Memory, c.Threads, tagSize), nil
}

func (c Cost) below(other Cost) bool {
	return c.Memory < other.Memory || c.Passes < other.Passes || c.Threads < other.Threads
}

// phc is "$argon2id$v=19$m=47104,t=2,p=1$salt$tag".
type phc struct {
	cost      Cost
	salt, tag []byte
}

const phcForm = "$argon2id$v=19$m=%d,t=%d,p=%d$"

func (p phc) String() string {
	b64 := base64.RawStdEncoding.EncodeToString
	return fmt.Sprintf(phcForm, p.cost.Memory, p.cost.Passes, p.cost.Threads) + b64(p.salt) + "$" + b64(p.tag)
}

// parsePHC reads what String wrote; a cost below the floor is no hash at all.
func parsePHC(s string) (p phc, ok bool) {
	if n, err := fmt.Sscanf(s, phcForm, &p.cost.Memory, &p.cost.Passes, &p.cost.Threads); n != 3 || err != nil {
		return p, false
	}
	parts := strings.Split(s, "$")
	if len(parts) != 6 || p.cost.below(floorCost) || p.cost.Memory > 1<<20 || p.cost.Passes > 16 {
		return p, false
	}
	var errs [2]error
	p.salt, errs[0] = base64.RawStdEncoding.DecodeString(parts[4])
	p.tag, errs[1] = base64.RawStdEncoding.DecodeString(parts[5])
	return p, errs[0] == nil && errs[1] == nil && len(p.salt) == saltSize && len(p.tag) == tagSize
}

// Lengths of S-013, in characters.
const (
	minPassword = 15
	maxPassword = 128
)

//go:embed common.txt
var commonFile string

// common are passwords and parts of passwords that everybody tries, folded.
var common = func() map[string]bool {
	list := map[string]bool{}
	for word := range strings.FieldsSeq(commonFile) {
		list[word] = true
	}
	return list
}()

// CheckPassword refuses what S-013 refuses. Any character may stand in it and
// none must; names are those of the municipality.
func CheckPassword(password, user string, names ...string) error {
	if !utf8.ValidString(password) {
		return fault.New(fault.Invalid, "json_text", "password")
	}
	plain := norm.NFKC.String(password)
	switch n := utf8.RuneCountInString(plain); {
	case n < minPassword:
		return fault.New(fault.Invalid, "password_short", "password").With("min", fmt.Sprint(minPassword))
	case n > maxPassword || len(password) > 8*maxPassword:
		return fault.New(fault.Invalid, "password_long", "password").With("max", fmt.Sprint(maxPassword))
	}
	folded := fold(plain)
	for _, w := range append([]string{user, strings.TrimLeft(user, "0123456789-")}, names...) {
		if w := fold(w); len(w) >= 4 && strings.Contains(folded, w) { // bytes: two characters of a Japanese name
			return fault.New(fault.Invalid, "password_name", "password")
		}
	}
	if isCommon(folded) {
		return fault.New(fault.Invalid, "password_common", "password")
	}
	return nil
}

// fold leaves letters and digits, in lower case: "Pass-Word 1" is "password1".
func fold(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, norm.NFKC.String(s))
}

// shortUnit is how many characters repeated over and over are no password.
const shortUnit = 10

// isCommon tells whether a folded password is a listed one, a listed word with
// digits around it, or a few characters over and over.
func isCommon(folded string) bool {
	if whole := unit(folded); whole != folded && utf8.RuneCountInString(whole) <= shortUnit {
		return true
	}
	core := unit(strings.Trim(folded, "0123456789"))
	return common[folded] || common[core]
}

// unit returns the shortest text of which s is a repetition; the last may be cut off.
func unit(s string) string {
	for i := range s {
		if i > 0 && strings.HasPrefix(strings.Repeat(s[:i], len(s)/i+1), s) {
			return s[:i]
		}
	}
	return s
}
