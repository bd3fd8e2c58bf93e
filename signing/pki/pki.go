// Package pki reads the certificates and revocation lists of Doc 9303-12 and the signed
// messages (CMS) of chips and master lists, and makes certificates for the TEST identity.
//
// It exists because crypto/x509 refuses what country authorities really use:
// explicit curve parameters, and the curves of brainpool. A curve is only ever recognised,
// by comparing all of p, a, b, G, n and h with the curves known here, and computed
// with that one; parameters of a certificate never reach a calculation
// (CVE-2020-0601, CVE-2022-0778).
//
// What a certificate may be used for is decided by the caller: this package
// tells what it says and whether a signature holds. A key or algorithm that it does
// not know is ErrUnsupported, never ErrSignature, and does not keep the rest of
// the certificate from being read.
package pki

import (
	"errors"
	"fmt"
)

// The kinds of failure; test with errors.Is.
var (
	ErrMalformed   = errors.New("malformed")
	ErrTooLarge    = errors.New("too large")
	ErrUnsupported = errors.New("not supported")
	ErrSignature   = errors.New("signature does not verify")
	ErrUntrusted   = errors.New("no trusted authority issued it")
)

// Limits that act before parsing, in bytes.
const (
	MaxCertificate = 16 << 10
	MaxCRL         = 8 << 20
)

const maxParts = 64 // extensions of one certificate, attributes of one name

func malformed(part string) error   { return fmt.Errorf("pki: %s: %w", part, ErrMalformed) }
func unsupported(part string) error { return fmt.Errorf("pki: %s: %w", part, ErrUnsupported) }
