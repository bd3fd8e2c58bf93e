package hcert

import (
	"crypto"
	"crypto/sha256"
	"strings"
)

// Code is a code that was read. Until its signature was checked with a trusted key, all
// of it is hearsay.
type Code struct {
	Claims
	Algorithm Algorithm // 0 when it is none that is allowed
	KeyID     []byte    // as stated, usually 8 bytes; nil when none is
	Signed    []byte    // the bytes that the signature covers
	Signature []byte
	Notes     []string // flaws that do not spoil it

	// The content, as far as it could be read.
	DCC    *DCC
	ICVP   *ICVP
	Record *Record
	Links  []Link
	Fault  error // an *Error of StepContent: why the content proves nothing; nil when it does

	token table
}

// Parse reads the text of a code. The signature is not checked. Errors are *Error of
// the steps from StepPrefix to StepClaims. Content that proves nothing is told by
// Code.Fault, so that its signature can be checked nevertheless.
func Parse(text string) (*Code, error) { return DefaultRegistry.Parse(text) }

// Parse reads the text of a code with other numbers for its contents.
func (r Registry) Parse(text string) (*Code, error) {
	b, err := unpack(text)
	if err != nil {
		return nil, err
	}
	m, err := parseMessage(b)
	if err != nil {
		return nil, err
	}
	c := &Code{Algorithm: m.algorithm, KeyID: m.keyID, Signature: m.signature}
	if m.unprotected {
		c.Notes = append(c.Notes, NoteHeaderUnprotected)
	}
	if c.Signed, err = m.signed(); err != nil {
		return nil, err
	}
	tree, err := decode(m.payload)
	if err != nil {
		return nil, err
	}
	var ok bool
	if c.token, ok = tree.(table); !ok {
		return nil, fail(StepClaims, "not_a_map", "")
	}
	claims, health, notes, err := readClaims(c.token)
	if err != nil {
		return nil, err
	}
	c.Claims, c.Notes = claims, append(c.Notes, notes...)
	if c.Expires.IsZero() {
		c.Notes = append(c.Notes, NoteNoExpiry)
	}
	c.readContent(r, health)
	return c, nil
}

// unpack returns the inflated bytes of a text. Blanks and line ends before the prefix, and
// line ends after the text, do not count; a space after the prefix is a symbol.
func unpack(text string) ([]byte, error) {
	text = strings.TrimRight(strings.TrimLeft(text, " \t\r\n"), "\r\n")
	if len(text) > maxText {
		return nil, fail(StepPrefix, "too_long", "")
	}
	rest, ok := strings.CutPrefix(text, Prefix)
	if !ok {
		return nil, fail(StepPrefix, "not_hc1", "")
	}
	b, err := decodeBase45(rest)
	if err != nil {
		return nil, err
	}
	return inflate(b)
}

// CheckSignature verifies the signature with a key, which must be of the kind that
// the algorithm has: P-256 for ES256, RSA of 2048 to 4096 bits for PS256. The
// error is an *Error of StepSignature.
func (c *Code) CheckSignature(key crypto.PublicKey) error {
	if c.Algorithm == 0 {
		return fail(StepSignature, "algorithm", "")
	}
	return c.Algorithm.check(key, c.Signed, c.Signature)
}

// Digest returns the SHA-256 of the signed bytes, by which an issuance log knows the code.
func (c *Code) Digest() [sha256.Size]byte { return sha256.Sum256(c.Signed) }
