package trust

import (
	"cmp"
	"crypto/sha256"
	"encoding/asn1"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
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
	// Label tells lists of one state apart, such as "health"; most have one, and no label.
	Label string
}

// masterList is what a bundle has of one.
type masterList struct {
	source      string // Doc 9303-3 code of the state whose signer the list names, and the label
	madeAt      time.Time
	authorities []*pki.Certificate
}

func (l *masterList) add(c *pki.Certificate) {
	if c != nil && !has(l.authorities, c) {
		l.authorities = append(l.authorities, c)
	}
}

// ErrOlderList says that a newer list of the same source is held.
var ErrOlderList = errors.New("trust: a newer list of this source is held")

var masterListType = asn1.ObjectIdentifier{2, 23, 136, 1, 1, 2}

// ImportMasterList takes a master list in place of the one of the same source, with what else
// is held: an authority that only the older list had ends (Bundle.Removed), with the revocation lists that it
// alone vouched for, and one that the operator gave, or another list has, stays. Its signer must have
// the purpose for it, be certified by an authority that is held already (what the list
// brings along proves nothing), not be revoked, and have been in force when it signed.
// The list is dated by its signing time. Certificates that cannot be used are reported
// and left out. Errors are ErrNoProof, ErrNotPinned, ErrOlderList and those of the form.
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
	l := &masterList{source: sourceOf(d, list.Label), madeAt: made.UTC().Truncate(time.Second)}
	if err := w.masterList(d.Content, l); err != nil {
		return nil, w.report, err
	}
	if err := w.renewed(l); err != nil {
		return nil, w.report, err
	}
	return w.taken(len(l.authorities))
}

// sourceOf names whose list it is. Where the proof does not hold it is what the list claims,
// which was looked at with the rest of it.
func sourceOf(d *pki.SignedData, label string) string {
	state := ""
	if signer := d.Signer(); signer != nil {
		state = pki.State(signer.Subject.Country())
	}
	return strings.TrimSpace(cmp.Or(state, "?") + " " + label)
}

// renewed puts a list in the place of that of its source, and leaves out the revocation lists for
// which nobody vouches any more.
func (w *builder) renewed(l *masterList) error {
	kept := []*masterList{l}
	for _, o := range w.b.masters {
		switch {
		case o.source != l.source:
			kept = append(kept, o)
		case o.madeAt.After(l.madeAt):
			return fmt.Errorf("%w: it is of %s", ErrOlderList, o.madeAt.Format(time.RFC3339))
		}
	}
	slices.SortStableFunc(kept, func(x, y *masterList) int { return strings.Compare(x.source, y.source) })
	w.b.masters = kept
	w.b.gather()
	w.b.lists = slices.DeleteFunc(w.b.lists, func(crl *pki.CRL) bool { return !w.issued(crl) })
	return nil
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

// masterList takes the certificates of SEQUENCE {version INTEGER 0, SET OF Certificate} into a list.
func (w *builder) masterList(content cryptobyte.String, into *masterList) error {
	var list, set cryptobyte.String
	var version int
	if !content.ReadASN1(&list, der.SEQUENCE) || !content.Empty() || !list.ReadASN1Integer(&version) || version != 0 ||
		!list.ReadASN1(&set, der.SET) || !list.Empty() {
		return errors.New("trust: master list: malformed")
	}
	for n := 0; !set.Empty(); n++ {
		_, rest, ok := pki.ReadElement(set, byte(der.SEQUENCE)) // one in BER is no reason to lose the others
		if n == maxEntries || !ok {
			return errors.New("trust: master list: number or form of its certificates")
		}
		into.add(w.country(fmt.Sprintf("certificate %d", n), set[:len(set)-len(rest)]))
		set = rest
	}
	return nil
}
