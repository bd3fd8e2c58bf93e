package jsonld

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"math/big"
	"strings"
	"time"

	"akashi/internal/strictjson"
)

// Key is a key that signs documents, pinned by whoever relies on them.
type Key struct {
	ID     string // its DID, as proofs name it; empty: any name
	Public *ecdsa.PublicKey
}

// ErrProof says that a document has no proof of the key, or one that does not hold.
var ErrProof = errors.New("jsonld: the proof does not hold")

// Statements are those of a document that a proof covers.
type Statements struct {
	Created time.Time // of the proof, signed
	about   map[string]int
}

// About returns how many different statements about a subject were signed.
func (s Statements) About(subject string) int { return s.about[subject] }

// proofType is the only kind of proof that is checked here.
const proofType = "JsonWebSignature2020"

// Check checks the proof of a document: ES256 over the canonical form of the proof's own
// members and of the document, detached (RFC 7797). The signature is r and s, or DER as WHO
// writes it. The error is ErrProof where the signature does not hold, and says otherwise
// why it could not be checked.
func Check(document []byte, key Key) (s Statements, err error) {
	if strictjson.Values(document) > maxValues {
		return s, ErrLimit
	}
	if err := strictjson.Check(document, maxNesting); err != nil {
		return s, err
	}
	var object map[string]any
	if json.Unmarshal(document, &object) != nil {
		return s, errors.New("jsonld: not an object")
	}
	proof, ok := object["proof"].(map[string]any)
	if !ok {
		return s, ErrProof
	}
	options := maps.Clone(proof)
	delete(options, "jws")
	delete(object, "proof")
	if text(options, "type") != proofType || text(options, "proofPurpose") != "assertionMethod" ||
		key.ID != "" && text(options, "verificationMethod") != key.ID {
		return s, ErrProof
	}
	header, signature, ok := detached(text(proof, "jws"))
	if !ok {
		return s, ErrProof
	}
	options["@context"] = []any{contextDID, contextJWS}
	said, err := canonical(options, library{termsTNG[0]})
	if err != nil {
		return s, err
	}
	if s.Created, err = time.Parse(time.RFC3339, text(options, "created")); err != nil {
		return s, ErrProof
	}
	for _, terms := range termsTNG {
		of, err := canonical(object, library{terms})
		if err != nil {
			return s, err
		}
		if holds(key.Public, header, said.text, of.text, signature) {
			s.about = of.about
			return s, nil
		}
	}
	return s, ErrProof
}

func text(object map[string]any, name string) string {
	s, _ := object[name].(string)
	return s
}

// detached reads a JWS without payload, whose header says that it is not encoded.
func detached(jws string) (header string, signature []byte, ok bool) {
	header, rest, _ := strings.Cut(jws, ".")
	encoded, detached := strings.CutPrefix(rest, ".")
	b, err := base64.RawURLEncoding.DecodeString(header)
	signature, err2 := base64.RawURLEncoding.DecodeString(encoded)
	if !detached || errors.Join(err, err2) != nil || strictjson.Check(b, 2) != nil {
		return "", nil, false
	}
	var h struct {
		Algorithm string   `json:"alg"`
		Encoded   *bool    `json:"b64"`
		Critical  []string `json:"crit"`
	}
	d := json.NewDecoder(bytes.NewReader(b))
	d.DisallowUnknownFields()
	if d.Decode(&h) != nil || h.Algorithm != "ES256" || h.Encoded == nil || *h.Encoded || len(h.Critical) != 1 || h.Critical[0] != "b64" {
		return "", nil, false
	}
	return header, signature, true
}

func holds(key *ecdsa.PublicKey, header, options, document string, signature []byte) bool {
	first, second := sha256.Sum256([]byte(options)), sha256.Sum256([]byte(document))
	digest := sha256.Sum256(bytes.Join([][]byte{[]byte(header + "."), first[:], second[:]}, nil))
	if len(signature) == 64 {
		return ecdsa.Verify(key, digest[:], new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
	}
	return ecdsa.VerifyASN1(key, digest[:], signature)
}

// ParseKey reads the DID document of a signer, with one key on P-256. The key is the
// document's own, so that whoever pins it got the file from somewhere it trusts.
func ParseKey(file []byte) (k Key, err error) {
	malformed := errors.New("jsonld: not the DID document of one P-256 key")
	if strictjson.Check(file, maxNesting) != nil {
		return k, malformed
	}
	var document struct {
		Methods []struct {
			ID  string `json:"id"`
			Key struct {
				X string `json:"x"`
				Y string `json:"y"`
			} `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
	}
	if json.Unmarshal(file, &document) != nil || len(document.Methods) != 1 {
		return k, malformed
	}
	m := document.Methods[0]
	x, err := base64.RawURLEncoding.DecodeString(m.Key.X)
	y, err2 := base64.RawURLEncoding.DecodeString(m.Key.Y)
	if errors.Join(err, err2) != nil || len(x) != 32 || len(y) != 32 {
		return k, malformed
	}
	if k.Public, err = ecdsa.ParseUncompressedPublicKey(elliptic.P256(), bytes.Join([][]byte{{4}, x, y}, nil)); err != nil {
		return k, malformed
	}
	k.ID = m.ID
	return k, nil
}
