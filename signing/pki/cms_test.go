package pki

import (
	"bytes"
	"errors"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"

	"akashi/internal/testkit"
)

// messageOf takes the message out of EF.SOD (tag 77).
func messageOf(t testing.TB, sod []byte) []byte {
	t.Helper()
	in := cryptobyte.String(sod)
	_, content, ok := readBER(&in, der.Tag(0x77))
	if !ok {
		t.Fatal("no EF.SOD")
	}
	return content
}

// emrtd/README.md: the messages of eight real passports, of the German reference data set and of
// the specimens verify with the certificate inside; what is changed does not.
func TestSignedDataVectors(t *testing.T) {
	weak := map[string]bool{"bsi-reference": true, "bad-16-sha1": true}
	flipped := map[string]bool{"bad-03-signature-flipped": true}
	var files []string
	for _, pattern := range []string{"real-sod/*.EF_SOD.bin", "bsi-reference/EF_SOD.bin", "synthetic/*/EF_SOD.bin"} {
		found, _ := filepath.Glob(filepath.Join(testkit.Shared(t, "emrtd"), pattern))
		files = append(files, found...)
	}
	if len(files) != 8+1+18 {
		t.Errorf("%d messages, want 27", len(files))
	}
	for _, file := range files {
		name, _ := filepath.Rel(testkit.Shared(t, "emrtd"), file)
		folder := filepath.Base(filepath.Dir(name))
		t.Run(name, func(t *testing.T) {
			sod := testkit.Read(t, "emrtd/"+filepath.ToSlash(name))
			if folder == "bad-17-wrong-tag" {
				sod = append([]byte{0x77}, sod[1:]...)
			}
			message := messageOf(t, sod)
			d, err := ParseSignedData(message)
			if err != nil {
				t.Fatal(err)
			}
			signer := d.Signer()
			if signer == nil || d.Weak() != weak[folder] {
				t.Fatalf("signer %v, weak %t", signer, d.Weak())
			}
			if err := d.Check(signer); errors.Is(err, ErrSignature) != flipped[folder] || !flipped[folder] && err != nil {
				t.Fatal(err)
			}
			changed := *d
			changed.Content = flipped1(d.Content, len(d.Content)-1)
			if err := changed.Check(signer); !errors.Is(err, ErrSignature) {
				t.Errorf("error/content: %v", err)
			}
			changed = *d
			changed.ContentType = oidSignedData
			if err := changed.Check(signer); !errors.Is(err, ErrSignature) {
				t.Errorf("error/content type: %v", err)
			}
			changed = *d
			changed.signer.attributes = flipped1(d.signer.attributes, len(d.signer.attributes)-1)
			if err := changed.Check(signer); !errors.Is(err, ErrSignature) {
				t.Errorf("error/attributes: %v", err)
			}
		})
	}
}

func flipped1(b []byte, at int) []byte {
	out := bytes.Clone(b)
	out[at] ^= 1
	return out
}

// CheckSignature and CheckCRL never take SHA-1; a message does, and says so.
func TestWeakIsForMessagesOnly(t *testing.T) {
	d, err := ParseSignedData(messageOf(t, testkit.Read(t, "emrtd/bsi-reference/EF_SOD.bin")))
	if err != nil {
		t.Fatal(err)
	}
	signer := d.Signer()
	if err := d.Check(signer); err != nil || !d.Weak() {
		t.Errorf("ok/message: %v", err)
	}
	if err := signer.CheckSignature(signer); !errors.Is(err, ErrUnsupported) {
		t.Errorf("error/certificate: %v", err)
	}
}

var made = time.Date(2026, 5, 1, 0, 0, 0, 0, time.UTC)

func newMessage(t testing.TB) testkit.Message {
	t.Helper()
	signer, key := testkit.NewCountry(t, "UT", begin, end).Signer(nil)
	return testkit.Message{Type: testkit.SecurityObjectType, Content: []byte("content of the message"), Signer: signer, Key: key, At: made}
}

// The signer is the one certificate that is named; two of them are none.
func TestSignerOfMessage(t *testing.T) {
	m := newMessage(t)
	d, err := ParseSignedData(m.Sign(t))
	if err != nil {
		t.Fatal(err)
	}
	if c := d.Signer(); c == nil || !bytes.Equal(c.Raw, m.Signer) || !d.SigningTime.Equal(made) || string(d.Content) != string(m.Content) || d.Check(c) != nil {
		t.Fatalf("ok/one: %v %v", c, d.SigningTime)
	}
	m.Enclosed = [][]byte{m.Signer}
	if d, err = ParseSignedData(m.Sign(t)); err != nil || d.Signer() == nil {
		t.Errorf("ok/the same twice: %v", err)
	}
	other, _ := testkit.NewCountry(t, "UT", begin, end).Signer(nil)
	named := d.Certificates
	if d.Certificates = []*Certificate{parsed(t, other)}; d.Signer() != nil {
		t.Error("error/another serial number")
	}
	d.Certificates = named
	d.signer.keyID = []byte("signer") // of both
	d.Certificates = append(d.Certificates, parsed(t, other))
	if d.Signer() != nil {
		t.Error("error/two of one key identifier")
	}
	d.Certificates = nil
	if d.Signer() != nil {
		t.Error("error/none")
	}
	if err := d.Check(parsed(t, other)); !errors.Is(err, ErrSignature) {
		t.Errorf("error/another signer: %v", err)
	}
}

func parsed(t testing.TB, b []byte) *Certificate {
	t.Helper()
	c, err := ParseCertificate(b)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestParseSignedDataErrors(t *testing.T) {
	m := newMessage(t)
	good := m.Sign(t)
	many := m
	for range maxEnclosed {
		many.Enclosed = append(many.Enclosed, m.Signer)
	}
	without := func(find []byte) []byte { // an attribute under another name
		b := bytes.Clone(good)
		at := bytes.LastIndex(b, find)
		if at < 0 {
			t.Fatal("attribute not found")
		}
		b[at+len(find)-1] = 99
		return b
	}
	twice := bytes.Clone(good)
	at := bytes.LastIndex(twice, []byte{42, 134, 72, 134, 247, 13, 1, 9, 5})
	twice[at+8] = 3
	cases := map[string]struct {
		b    []byte
		want error
	}{
		"error/empty":                  {nil, ErrMalformed},
		"error/too large":              {make([]byte, MaxSignedData+1), ErrTooLarge},
		"error/something after it":     {append(bytes.Clone(good), 0), ErrMalformed},
		"error/too many certificates":  {many.Sign(t), ErrTooLarge},
		"error/no content type":        {without([]byte{42, 134, 72, 134, 247, 13, 1, 9, 3}), ErrMalformed},
		"error/no digest":              {without([]byte{42, 134, 72, 134, 247, 13, 1, 9, 4}), ErrMalformed},
		"error/an attribute twice":     {twice, ErrMalformed},
		"error/certificate":            {m.Signer, ErrMalformed},
		"error/without end":            {bytes.Repeat([]byte{0x30, 0x80}, 1000), ErrMalformed},
		"error/length of five bytes":   {[]byte{0x30, 0x85, 0, 0, 0, 0, 1, 0}, ErrMalformed},
		"error/length beyond":          {[]byte{0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 6}, ErrMalformed},
		"error/primitive without end":  {[]byte{0x04, 0x80, 0, 0}, ErrMalformed},
		"error/high tag":               {[]byte{0x3f, 0x81, 1, 0}, ErrMalformed},
		"error/an end that is not one": {[]byte{0x30, 0x80, 6, 0, 0}, ErrMalformed},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			if _, err := ParseSignedData(c.b); !errors.Is(err, c.want) {
				t.Errorf("got %v, want %v", err, c.want)
			}
		})
	}
	t.Run("error/any cut", func(t *testing.T) {
		for i := range good {
			if _, err := ParseSignedData(good[:i]); !errors.Is(err, ErrMalformed) {
				t.Fatalf("%d bytes: %v", i, err)
			}
		}
	})
}

// The same message with indefinite lengths at every outer layer, and its content in parts.
func TestIndefiniteLengths(t *testing.T) {
	message := messageOf(t, testkit.Read(t, "emrtd/real-sod/NZ.EF_SOD.bin"))
	if message[1] != 0x80 {
		t.Fatal("the vector has no indefinite length")
	}
	var shape cryptobyte.String = message
	var definite cryptobyte.String
	if shape.ReadASN1(&definite, der.SEQUENCE) {
		t.Error("a strict reader reads it: the vector proves nothing")
	}
	octets := cryptobyte.String{0x24, 0x80, 4, 1, 'a', 4, 0x81, 1, 'b', 0, 0}
	if got, ok := readOctets(&octets); !ok || string(got) != "ab" || !octets.Empty() {
		t.Errorf("%q %t", got, ok)
	}
	nested := cryptobyte.String{0x24, 0x80, 0x24, 3, 4, 1, 'a', 0, 0}
	if _, ok := readOctets(&nested); ok {
		t.Error("error/parts of parts")
	}
	deep := append(bytes.Repeat([]byte{0x30, 0x80}, maxBER), bytes.Repeat([]byte{0, 0}, maxBER)...)
	if n := endBER(deep, maxBER); n != len(deep) {
		t.Errorf("ok/%d layers: %d", maxBER, n)
	}
	if n := endBER(deep, maxBER-1); n >= 0 {
		t.Error("error/too deep")
	}
}

// Work on hostile input: what is allocated is bounded by the size of the input, however it is nested.
func TestSignedDataWork(t *testing.T) {
	const size = 1 << 20
	inputs := map[string][]byte{
		"layers":    bytes.Repeat([]byte{0x30, 0x80}, size/2),
		"parts":     append([]byte{0x24, 0x80}, bytes.Repeat([]byte{4, 0}, size/2)...),
		"attribute": bytes.Repeat([]byte{0x31, 0}, size/2),
	}
	m := newMessage(t)
	m.Content = bytes.Repeat([]byte{0x30, 0x80}, size/2) // content is nobody's structure here
	inputs["content"] = m.Sign(t)
	for name, b := range inputs {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, _ = ParseSignedData(b)
		runtime.ReadMemStats(&after)
		if got, limit := after.TotalAlloc-before.TotalAlloc, uint64(len(b)*3+64<<10); got > limit {
			t.Errorf("%s: %d bytes allocated for %d", name, got, len(b))
		}
	}
}

func FuzzParseSignedData(f *testing.F) {
	f.Add(messageOf(f, testkit.Read(f, "emrtd/real-sod/NZ.EF_SOD.bin")))
	f.Add(messageOf(f, testkit.Read(f, "emrtd/real-sod/AT.EF_SOD.bin")))
	f.Add(messageOf(f, testkit.Read(f, "emrtd/bsi-reference/EF_SOD.bin")))
	f.Add(testkit.Read(f, "emrtd/synthetic/masterlist-test.ml"))
	f.Fuzz(func(t *testing.T, b []byte) {
		d, err := ParseSignedData(b)
		if err != nil {
			return
		}
		_ = d.Weak()
		if signer := d.Signer(); signer != nil {
			_ = d.Check(signer)
		}
	})
}
