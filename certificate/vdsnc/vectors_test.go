package vdsnc

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gowebpki/jcs"

	"akashi/internal/testkit"
	"akashi/signing/pki"
)

// vector is a line of real/index.json or synthetic/index.json.
type vector struct {
	File, Signature, Chain, Schema, Verdict, Why string
	Anchors                                      []string
	CheckTime                                    time.Time `json:"check_time"`
	Name, DOB, I, AI, UVCI                       string
	Doses                                        int
}

func readIndex(t *testing.T, dir string) (vectors []vector) {
	t.Helper()
	if err := json.Unmarshal(testkit.Read(t, "vdsnc/"+dir+"/index.json"), &vectors); err != nil {
		t.Fatal(err)
	}
	return vectors
}

func readCertificate(t testing.TB, name string) *pki.Certificate {
	t.Helper()
	c, err := pki.ParseCertificate(testkit.Read(t, "vdsnc/"+name))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// trust is what the vectors assume a verifier to have.
type trust struct {
	authorities []*pki.Certificate
	list        *pki.CRL
	at          time.Time
}

// chain takes the steps 5 to 8.
func (tr trust) chain(b *Barcode) error {
	authority, err := pki.FindAuthority(b.Signer, tr.authorities)
	if err != nil {
		return err
	}
	if err := SignerRules(b.Signer, authority, b.Type, b.Issuer, tr.at); err != nil {
		return err
	}
	if tr.list == nil {
		return nil
	}
	if err := authority.CheckCRL(tr.list); err != nil {
		return err
	}
	if !tr.list.Current(tr.at) {
		return errors.New("stale list")
	}
	if tr.list.Lists(b.Signer.Serial) {
		return errRevoked
	}
	return nil
}

var errRevoked = errors.New("revoked")

// stepOf names the step of a failure; "" for nil.
func stepOf(err error) Step {
	var e *Error
	if errors.As(err, &e) {
		return e.Step
	}
	if err != nil {
		return Step(err.Error())
	}
	return ""
}

// facets reads the parts of a barcode independently of each other, as the
// index judges them: a barcode with a wrong schema may be well signed.
func facets(t *testing.T, text string, tr trust) (signature, chain, schema string, notes, unknown []string) {
	t.Helper()
	b := &Barcode{}
	data, tree, sig, err := b.open(text)
	if err != nil {
		return "malformed", "-", "bad", nil, nil
	}
	if err := b.canonicalize(data, tree); err != nil {
		t.Fatal(err)
	}
	schema = "ok"
	switch err := b.readData(b.tree); {
	case err != nil:
		schema = "bad"
	case len(b.Unknown) > 0:
		schema = "unknown-member"
	case slices.Contains(b.Notes, NotePartialBirthDate):
		schema = "bad" // by the published schema; accepted with a note
	case slices.Contains(b.Notes, NoteArray):
		schema = "wrapped"
	}
	if err := b.readSeal(sig); err != nil {
		signature = string(stepOf(err))
	} else if err := b.CheckSignature(); err != nil {
		signature = "invalid"
	} else {
		signature = "valid"
	}
	chain = "trusted"
	if b.Type == "" || b.Version != Version { // fill in what step 2 refused, to see the chain alone
		b.Type = TypeVaccination
	}
	if !slices.Contains([]string{TypeVaccination, TypeTest}, b.Type) {
		b.Type = TypeVaccination
	}
	if err := tr.chain(b); err != nil {
		chain = "untrusted"
	}
	return signature, chain, schema, b.Notes, b.Unknown
}

// verdict takes all steps and returns the first failure.
func verdict(text string, tr trust) (*Barcode, error) {
	b, err := Parse(text)
	if err != nil {
		return nil, err
	}
	if err := b.CheckSignature(); err != nil {
		return b, err
	}
	return b, tr.chain(b)
}

// Spec icao-vds-nc, 10: every case fails at its step, and nothing else does.
func TestSyntheticVectors(t *testing.T) {
	list, err := pki.ParseCRL(testkit.Read(t, "vdsnc/synthetic/jpn.crl"))
	if err != nil {
		t.Fatal(err)
	}
	tr := trust{[]*pki.Certificate{readCertificate(t, "synthetic/csca-jpn-test.der")}, list, time.Date(2026, 6, 1, 0, 0, 0, 0, time.UTC)}
	untrusted := Step("pki: " + pki.ErrUntrusted.Error())
	steps := map[string]Step{
		"20": StepSignature, "22": StepSchema, "23": StepSignature, "24": StepMalformed, "26": StepMalformed,
		"27": StepUnsupported, "28": StepUnsupported, "30": StepSignature, "33": StepMalformed,
		"40": StepCertificate, "42": StepCertificate, "43": StepCertificate, "46": StepCertificate, "47": StepCertificate,
		"48": Step(errRevoked.Error()), "49": untrusted, "51": StepCountry, "52": StepCountry,
		"60": StepSchema, "62": StepSchema, "63": StepSchema, "65": StepSchema, "67": StepSchema, "69": StepSchema, "71": StepSchema,
		"73": StepSchema, "75": StepSchema, "76": StepSchema, "78": StepSchema, "79": StepSchema, "80": StepSchema, "91": StepMalformed,
	}
	// The choices of the package comment.
	notes := map[string]string{"82": NotePartialBirthDate, "83": NotePartialBirthDate, "90": NoteArray}
	vectors := readIndex(t, "synthetic")
	ran := map[string]int{}
	for _, v := range vectors {
		ran[v.Verdict]++
		number := strings.Split(v.File, "-")[1]
		t.Run(map[bool]string{true: "error/", false: "ok/"}[v.Verdict == "reject"]+v.File, func(t *testing.T) {
			text := string(testkit.Read(t, "vdsnc/synthetic/"+v.File))
			b, err := verdict(text, tr)
			if stepOf(err) != steps[number] {
				t.Errorf("%s: got %v, want step %q", v.Why, err, steps[number])
			}
			if (err != nil) != (v.Verdict == "reject") {
				t.Errorf("%s: got %v, want %s", v.Why, err, v.Verdict)
			}
			if want := notes[number]; err == nil && strings.Join(b.Notes, " ") != want {
				t.Errorf("notes %v, want %q", b.Notes, want)
			}
			signature, chain, schema, _, unknown := facets(t, text, tr)
			if stepOf(err) == StepMalformed && schema == "bad" { // nothing more can be said of it
				chain, schema = v.Chain, v.Schema
			}
			if signature != v.Signature || chain != v.Chain || schema != v.Schema {
				t.Errorf("%s: signature %s, chain %s, schema %s; want %s, %s, %s", v.Why, signature, chain, schema, v.Signature, v.Chain, v.Schema)
			}
			if number == "23" && !slices.Equal(unknown, []string{"data.msg.note"}) {
				t.Errorf("unknown members %v", unknown)
			}
		})
	}
	if len(vectors) != 42 || ran["reject"] != 32 || ran["accept"] != 6 || ran["policy"] != 3 || ran["either"] != 1 {
		t.Errorf("ran %d vectors: %v", len(vectors), ran)
	}
}

func TestRealVectors(t *testing.T) {
	digests := map[string]string{ // README.md
		"jpn-three-doses.json":            "fef380de86a95d431d72672340592fb418e2ce419a5ea41cb677cf006dccd39e",
		"aus-two-doses.json":              "eb40b3b12e81663b9ff403d84fe4ecaad22bda5890a54a74c28d8d1b5a83dc16",
		"uto-tr-example-two-doses.json":   "19c84aa8bc7e13b87e556ea7cf3041d2cace6668f050e5ad4cb1e3c43300381a",
		"uto-one-dose-seq-string.json":    "1fd14a378c3de4222f8bfd331987ca064c83c8932cff80ad274d1908e310a640",
		"aus-two-doses-name-changed.json": "",
	}
	list, err := pki.ParseCRL(testkit.Read(t, "vdsnc/trust/aus-2021-08-19.crl"))
	if err != nil {
		t.Fatal(err)
	}
	vectors := readIndex(t, "real")
	if len(vectors) != len(digests) {
		t.Errorf("%d vectors, want %d", len(vectors), len(digests))
	}
	for _, v := range vectors {
		t.Run(v.File, func(t *testing.T) {
			tr := trust{at: v.CheckTime}
			for _, name := range v.Anchors {
				tr.authorities = append(tr.authorities, readCertificate(t, "trust/"+name))
			}
			if strings.HasPrefix(v.File, "aus") {
				tr.list = list
			}
			text := string(testkit.Read(t, "vdsnc/real/"+v.File))
			signature, chain, schema, _, _ := facets(t, text, tr)
			if signature != v.Signature || chain != v.Chain || schema != v.Schema {
				t.Errorf("signature %s, chain %s, schema %s; want %s, %s, %s", signature, chain, schema, v.Signature, v.Chain, v.Schema)
			}
			b, err := verdict(text, tr)
			if good := v.Signature == "valid" && v.Chain == "trusted" && v.Schema != "bad"; good != (err == nil) {
				t.Errorf("verdict %v", err)
			}
			if b == nil {
				return
			}
			if sum := sha256.Sum256(b.Signed); digests[v.File] != "" && hex.EncodeToString(sum[:]) != digests[v.File] {
				t.Errorf("canonical data of %d bytes have digest %x", len(b.Signed), sum)
			}
			doses := 0
			for _, ve := range b.Vaccinations {
				doses += len(ve.Doses)
			}
			if v.Name != "" && (b.Person.Name != v.Name || doses != v.Doses) {
				t.Errorf("name or doses (%d) differ", doses)
			}
			if v.I != "" && (b.Person.Number.Reveal() != v.I || string(b.Person.BirthDate) != v.DOB || b.Person.OtherID != v.AI || b.ID != v.UVCI) {
				t.Error("number, birth date or identifiers differ")
			}
		})
	}
	t.Run("ok/link certificates lead to the same signer", func(t *testing.T) {
		for file, anchor := range map[string]string{"jpn-three-doses.json": "jpn-csca-e5-link-rsapss.der", "aus-two-doses.json": "aus-csca-16f5-link.der"} {
			tr := trust{authorities: []*pki.Certificate{readCertificate(t, "trust/"+anchor)}, at: time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)}
			if _, err := verdict(string(testkit.Read(t, "vdsnc/real/"+file)), tr); err != nil {
				t.Errorf("%s: %v", file, err)
			}
		}
	})
	t.Run("ok/canonical form of a whole object", func(t *testing.T) {
		got, err := jcs.Transform(testkit.Read(t, "vdsnc/real/aus-two-doses.json"))
		if err != nil || string(got) != string(testkit.Read(t, "vdsnc/real/aus-two-doses.canonical.txt")) {
			t.Errorf("differs: %v", err)
		}
	})
}
