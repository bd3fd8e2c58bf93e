package trust

import (
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"akashi/signing/pki"
)

// MasterList is a signed list of country authorities: ICAO's, a state's, or the Health Master
// List (Doc 9303-12, 9).
type MasterList struct {
	Content []byte
	// Digest is the SHA-256 (hex) of the bytes that were looked at and approved; then the
	// proof of the list need not hold. Empty: it must.
	Digest string
}

var masterListType = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 2}

// ImportMasterList adds the authorities of a master list to what is held. Its signer must have
// the purpose for it, be certified by an authority that is held already (what the list
// brings along proves nothing), not be revoked, and have been in force when it signed.
// The list is dated by its signing time. Certificates that cannot be used are reported
// and left out. Errors are ErrNoProof, ErrNotPinned and those of the form.
func ImportMasterList(list MasterList, held *Bundle, at time.Time) (*Bundle, Report, error) {
	if len(list.Content) > maxFile {
		return nil, nil, fmt.Errorf("trust: master list: %w", errTooLarge)
	}
	digest := sha256.Sum256(list.Content)
	if list.Digest != "" && !strings.EqualFold(hex.EncodeToString(digest[:]), list.Digest) {
		return nil, nil, ErrNotPinned
	}
	d, err := pki.ParseSignedData(list.Content)
	if err != nil {
		return nil, nil, fmt.Errorf("trust: master list: %w", err)
	}
	if !d.ContentType.Equal(masterListType) {
		return nil, nil, errors.New("trust: not a master list")
	}
	if d.SigningTime.After(at.Add(maxAhead)) {
		return nil, nil, errors.New("trust: the list is dated in the future: " + d.SigningTime.UTC().Format(time.RFC3339))
	}
	made := d.SigningTime
	if made.IsZero() {
		made = at
	}
	w := continued(held, made)
	if code := proofFault(d, held, made); code != "" {
		w.problem("proof", code)
		if list.Digest == "" {
			return nil, w.report, ErrNoProof
		}
	}
	count, err := w.masterList(d.Content)
	if err != nil {
		return nil, w.report, err
	}
	return w.taken(count)
}

// proofFault tells why the proof of a list does not hold; empty if it does.
func proofFault(d *pki.SignedData, held *Bundle, at time.Time) string {
	signer := d.Signer()
	if held == nil {
		held = &Bundle{}
	}
	switch {
	case signer == nil:
		return "no_signer"
	case d.Weak():
		return "hash_weak"
	case errors.Is(d.Check(signer), pki.ErrUnsupported):
		return "signature_unsupported"
	case d.Check(signer) != nil:
		return "signature_wrong"
	case signer.IsCA, !signer.HasPurpose(pki.PurposeMasterListSigner), len(signer.UnknownCritical) > 0:
		return "signer_not_allowed"
	}
	authority, err := held.FindAuthority(signer, at)
	switch {
	case err != nil:
		return "no_authority"
	case !signer.Valid(at) || !authority.Valid(at):
		return "signer_not_in_force"
	case pki.State(signer.Subject.Country()) == "" || signer.Subject.Country() != authority.Subject.Country():
		return "country_differs"
	}
	for _, l := range held.CRLs(authority) {
		if l.Lists(signer.Serial) {
			return "signer_revoked"
		}
	}
	return ""
}

// masterList takes the certificates of SEQUENCE {version INTEGER 0, SET OF Certificate}, and
// counts those that can be used.
func (w *builder) masterList(content cryptobyte.String) (count int, err error) {
	var list, set cryptobyte.String
	var version int
	if !content.ReadASN1(&list, der.SEQUENCE) || !content.Empty() || !list.ReadASN1Integer(&version) || version != 0 ||
		!list.ReadASN1(&set, der.SET) || !list.Empty() {
		return 0, errors.New("trust: master list: malformed")
	}
	for n := 0; !set.Empty(); n++ {
		_, rest, ok := pki.ReadElement(set, byte(der.SEQUENCE)) // one in BER is no reason to lose the others
		if n == maxEntries || !ok {
			return 0, errors.New("trust: master list: number or form of its certificates")
		}
		if w.country(fmt.Sprintf("certificate %d", n), set[:len(set)-len(rest)]) {
			count++
		}
		set = rest
	}
	return count, nil
}
