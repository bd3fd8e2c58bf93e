package vdsnc

import (
	"bytes"
	"crypto/ecdsa"
	"encoding/base64"
	"strings"

	"akashi/internal/strictjson"
)

// Parse reads the text of a barcode: steps 1 to 3. The signature is not checked.
// Errors are *Error of StepMalformed, StepSchema or StepUnsupported.
func Parse(text string) (*Barcode, error) {
	b := &Barcode{}
	data, tree, sig, err := b.open(text)
	if err != nil {
		return nil, err
	}
	if err := b.canonicalize(data, tree); err != nil {
		return nil, err
	}
	if err := b.readData(b.tree); err != nil {
		return nil, err
	}
	if err := b.readSeal(sig); err != nil {
		return nil, err
	}
	return b, nil
}

// open takes the two parts out of the text, which is one JSON object: the data,
// as text and as read, and the signature part.
func (b *Barcode) open(text string) (data []byte, tree, sig any, err error) {
	if len(text) > maxReadable {
		return nil, nil, nil, fail(StepMalformed, "too_long", "")
	}
	value, texts, err := strictjson.Members([]byte(text), maxDepth)
	if err != nil {
		return nil, nil, nil, fail(StepMalformed, "not_json", "")
	}
	if list, ok := value.([]any); ok && len(list) == 1 {
		value = list[0]
		b.Notes = append(b.Notes, NoteArray)
	}
	parts, ok := value.(map[string]any)
	if !ok {
		return nil, nil, nil, fail(StepMalformed, "not_an_object", "")
	}
	for _, name := range []string{"data", "sig"} {
		if _, ok := parts[name]; !ok {
			return nil, nil, nil, fail(StepSchema, "missing", name)
		}
	}
	if len(parts) > 2 {
		return nil, nil, nil, fail(StepSchema, "unknown_member", "")
	}
	return []byte(texts["data"]), parts["data"], parts["sig"], nil
}

// canonicalize sets the signed bytes and what they say, so that nothing else is ever shown.
func (b *Barcode) canonicalize(data []byte, tree any) (err error) {
	if b.Signed, err = canonical(data); err != nil {
		return fail(StepMalformed, "not_canonicalizable", "data") // the cause may quote the text
	}
	if b.tree = tree; bytes.Equal(b.Signed, data) {
		return nil
	}
	if b.tree, err = strictjson.Parse(b.Signed, maxDepth); err != nil {
		return fail(StepMalformed, "not_json", "data")
	}
	return nil
}

// readSeal reads the signature part: its shape (step 2), then what is in it (step 3).
func (b *Barcode) readSeal(tree any) (err error) {
	r := &reader{}
	members := r.object(tree, "sig")
	b.Algorithm = members.text("alg", 0)
	cer, sigvl := members.text("cer", 0), members.text("sigvl", 0)
	members.closed()
	if r.err != nil {
		return r.err
	}
	der, ok := decodeBase64(cer)
	if !ok {
		return fail(StepMalformed, "not_base64url", "sig.cer")
	}
	if b.Signer, err = parseSigner(der); err != nil {
		return fail(StepMalformed, "not_a_certificate", "sig.cer")
	}
	if b.Signature, ok = decodeBase64(sigvl); !ok {
		return fail(StepMalformed, "not_base64url", "sig.sigvl")
	}
	return b.checkAlgorithm()
}

func (b *Barcode) checkAlgorithm() error {
	a, ok := algorithms[b.Algorithm]
	if !ok {
		b.Algorithm = ""
		return fail(StepUnsupported, "algorithm", "sig.alg")
	}
	if key, ok := b.Signer.PublicKey.(*ecdsa.PublicKey); !ok || key.Curve != a.curve {
		return fail(StepUnsupported, "key", "sig.cer")
	}
	if len(b.Signature) != 2*a.size() {
		return fail(StepMalformed, "signature_length", "sig.sigvl")
	}
	return nil
}

// decodeBase64 reads base64url, with right padding or none. Line breaks, which the decoder
// skips, were refused with the other control characters.
func decodeBase64(s string) ([]byte, bool) {
	bare := strings.TrimRight(s, "=")
	if bare != s && (len(s)%4 != 0 || len(s)-len(bare) > 2) {
		return nil, false
	}
	out, err := base64.RawURLEncoding.Strict().DecodeString(bare)
	return out, err == nil
}
