package trust

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"akashi/certificate/jsonld"
	"akashi/internal/strictjson"
	"akashi/signing/pki"
)

// DIDDocument is a trust list of the GDHCN, with what it is taken by: the key that signs
// the lists of its environment, pinned by the operator, or the SHA-256 (hex) of the bytes
// that were looked at and approved.
type DIDDocument struct {
	Content []byte
	Digest  string
	Signer  *jsonld.Key
}

// ErrNotPinned says that a list is not the one that was approved.
var ErrNotPinned = errors.New("trust: the list is not the one whose digest was approved")

// ErrNoProof says that the proof of a list does not hold under what is pinned or held, and
// no digest was approved.
var ErrNoProof = errors.New("trust: the proof of the list does not hold; look at it, and pin its digest if it is to be taken")

// ParseListKey reads the pinned key of a publisher: PEM (public key or certificate), or the
// DID document of WHO's signer.
func ParseListKey(file []byte) (*jsonld.Key, error) {
	if bytes.HasPrefix(bytes.TrimSpace(file), []byte("{")) {
		k, err := jsonld.ParseKey(file)
		return &k, err
	}
	public, err := publicKey(file)
	return &jsonld.Key{Public: public}, err
}

// Codes of the report that are no flaws: by what a list was taken.
const (
	TakenByProof  = "taken_by_proof"
	TakenByDigest = "taken_by_digest"
)

// did is a DID document as WHO publishes it (spec who-icvp-gdhcn, 7).
type did struct {
	ID      string            `json:"id"`
	Methods []json.RawMessage `json:"verificationMethod"`
	Proof   struct {
		Created time.Time `json:"created"`
	} `json:"proof"`
}

// method is an entry: a key with its certificate, for a domain and a participant.
type method struct {
	ID  string `json:"id"`
	Key struct {
		KeyID string   `json:"kid"`
		Type  string   `json:"kty"`
		Chain []string `json:"x5c"` // leaf, then its authority; standard base64
		X     string   `json:"x"`
		Y     string   `json:"y"`
		N     string   `json:"n"`
	} `json:"publicKeyJwk"`
	Domain      code `json:"domain"`
	Participant code `json:"participant"`
	Usage       code `json:"keyusage"`
}

type code struct {
	Code string `json:"code"`
}

func (c code) text() string { return strings.TrimPrefix(c.Code, "#") }

// ImportGDHCN makes a bundle of trust lists of WHO: the signers (DSC) and, to judge
// them, their authorities (SCA). A list is taken by its proof, else by its digest, and
// refused without either; the report says by which (TakenByProof, TakenByDigest).
//
// What is known to be wrong with the lists is survived and reported: keys come from the
// certificate, as coordinates are written with a zero before them; texts stand among the
// entries; curves and key ids are of other kinds. An entry whose key is not that of
// its certificate is refused, and so is one of which the proof does not cover every
// member. A signer whose authority is on none of the lists, or not of the same
// participant and domain, is kept and reported: to be listed is what counts.
func ImportGDHCN(documents ...DIDDocument) (*Bundle, Report, error) {
	var made time.Time
	w := newBuilder(made)
	i := &gdhcnImport{w: w}
	for _, d := range documents {
		created, err := i.document(d)
		if err != nil {
			return nil, nil, err
		}
		if made.IsZero() || !created.IsZero() && created.Before(made) {
			made = created // the age of the oldest
		}
	}
	w.begin(made)
	i.chains()
	b, report := w.finish()
	return b, report, nil
}

// document takes a list and returns when it says that it was made.
func (i *gdhcnImport) document(d DIDDocument) (created time.Time, err error) {
	if len(d.Content) > maxFile || strictjson.Values(d.Content) > maxValues {
		return created, fmt.Errorf("trust: list: %w", errTooLarge)
	}
	signed, taken, err := d.taken()
	if err != nil {
		return created, err
	}
	if err := strictjson.Check(d.Content, 8); err != nil {
		return created, fmt.Errorf("trust: list: %w", err)
	}
	var list did
	if err := json.Unmarshal(d.Content, &list); err != nil {
		return created, errors.New("trust: list: malformed")
	}
	if len(list.Methods) == 0 || len(list.Methods) > maxEntries {
		return created, errors.New("trust: list: number of entries")
	}
	if len(list.ID) > maxName {
		return created, errors.New("trust: list: its name is too long")
	}
	i.w.problem(list.ID, taken)
	for n, entry := range list.Methods {
		source := fmt.Sprintf("%s entry %d", list.ID, n)
		if signed != nil && !covers(*signed, entry) {
			i.w.problem(source, "not_signed")
			continue
		}
		i.entry(source, entry)
	}
	return list.Proof.Created, nil
}

// taken tells by what a list is to be taken; signed is what its proof covers.
func (d DIDDocument) taken() (signed *jsonld.Statements, by string, err error) {
	failure := ErrNotPinned
	if d.Signer != nil {
		s, err := jsonld.Check(d.Content, *d.Signer)
		if err == nil {
			return &s, TakenByProof, nil
		}
		failure = fmt.Errorf("%w: %w", ErrNoProof, err)
	}
	digest := sha256.Sum256(d.Content)
	if d.Digest != "" && strings.EqualFold(hex.EncodeToString(digest[:]), d.Digest) {
		return nil, TakenByDigest, nil
	}
	if d.Digest != "" {
		failure = ErrNotPinned
	}
	return nil, "", failure
}

// covers tells whether every member of an entry was signed: each is one statement about
// it. Two entries of one name have those of both, and neither can be told from a mixture.
func covers(s jsonld.Statements, entry json.RawMessage) bool {
	var members map[string]json.RawMessage
	if json.Unmarshal(entry, &members) != nil {
		return true // a reference, which is not followed
	}
	var id string
	return json.Unmarshal(members["id"], &id) == nil && s.About(id) == len(members)-1
}

type gdhcnImport struct {
	w           *builder
	authorities []HealthSigner
	signers     []HealthSigner
	sources     []string // of the signers
}

func (i *gdhcnImport) entry(source string, b json.RawMessage) {
	var m method
	if json.Unmarshal(b, &m) != nil {
		var reference string
		if json.Unmarshal(b, &reference) == nil {
			i.w.problem(source, "reference") // to another list, which nobody fetches
		} else {
			i.w.problem(source, "malformed")
		}
		return
	}
	s, problem := m.signer()
	if problem != "" {
		i.w.problem(source, problem)
		return
	}
	switch usage := m.Usage.text(); {
	case usage == "DSC", usage == "" && !s.Certificate.IsCA: // the first version states no usage
		i.signers, i.sources = append(i.signers, s), append(i.sources, source)
	case usage == "SCA", usage == "CSCA", usage == "":
		i.authorities = append(i.authorities, s)
	default:
		i.w.problem(source, "other_usage")
	}
}

// signer takes key and key id out of an entry.
func (m method) signer() (s HealthSigner, problem string) {
	_, fragment, _ := strings.Cut(m.ID, "#")
	if decoded, err := url.PathUnescape(fragment); err == nil {
		fragment = decoded
	}
	id, err := base64.StdEncoding.DecodeString(fragment)
	switch {
	case err != nil || len(id) == 0:
		return s, "no_key_id"
	case len(m.Key.Chain) == 0:
		return s, "no_certificate"
	}
	der, err := base64.StdEncoding.DecodeString(m.Key.Chain[0])
	if err != nil {
		return s, "malformed"
	}
	c, err := pki.ParseCertificate(der)
	if err != nil {
		return s, codeOf(err)
	}
	s = HealthSigner{KeyID: id, Participant: m.participant(), Domain: m.Domain.text(), Certificate: c}
	if !m.holds(c) {
		return s, "key_differs"
	}
	return s, ""
}

// participant is stated, or, in the first version, part of the id in lower case.
func (m method) participant() string {
	if p := m.Participant.text(); p != "" {
		return p
	}
	before, _, _ := strings.Cut(m.ID, "#")
	return strings.ToUpper(before[strings.LastIndexByte(before, ':')+1:])
}

// holds tells whether the key beside a certificate is its own, leading zeros apart.
func (m method) holds(c *pki.Certificate) bool {
	switch key := c.PublicKey.(type) {
	case *ecdsa.PublicKey:
		point, err := key.Bytes()
		if err != nil {
			return false
		}
		size := (len(point) - 1) / 2
		return sameNumber(m.Key.X, point[1:1+size]) && sameNumber(m.Key.Y, point[1+size:])
	case *rsa.PublicKey:
		return sameNumber(m.Key.N, key.N.Bytes())
	}
	return true // not supported: told apart later
}

func sameNumber(text string, b []byte) bool {
	n, err := base64.RawURLEncoding.DecodeString(strings.TrimRight(text, "="))
	return err == nil && bytes.Equal(bytes.TrimLeft(n, "\x00"), bytes.TrimLeft(b, "\x00"))
}

// chains takes the signers and reports those without an authority of their own participant
// and domain.
func (i *gdhcnImport) chains() {
	for n, s := range i.signers {
		var authorities []*pki.Certificate
		for _, a := range i.authorities {
			if a.Participant == s.Participant && a.Domain == s.Domain {
				authorities = append(authorities, a.Certificate)
			}
		}
		if _, err := pki.FindAuthority(s.Certificate, authorities); err != nil {
			i.w.problem(i.sources[n], "no_authority")
		}
		i.w.healthSigner(i.sources[n], s)
	}
}
