package seal

import (
	"bytes"
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"akashi/internal/testkit"
)

type octets []byte

func (o *octets) UnmarshalText(b []byte) (err error) {
	*o, err = hex.DecodeString(string(b))
	return err
}

// vector is a row of any of Wycheproof's files.
type vector struct {
	ID                                               int `json:"tcId"`
	Key, IV, AAD, Msg, CT, Tag, IKM, Salt, Info, OKM octets
	Size                                             int
	Result                                           string
	tagBits                                          int
}

func vectors(t *testing.T, file string) (list []vector) {
	t.Helper()
	var f struct {
		Groups []struct {
			TagSize int
			Tests   []vector
		} `json:"testGroups"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/"+file+".json"), &f); err != nil {
		t.Fatal(err)
	}
	for _, g := range f.Groups {
		for _, v := range g.Tests {
			v.tagBits = g.TagSize
			list = append(list, v)
		}
	}
	return list
}

func check(t *testing.T, ran, want map[string]int) {
	t.Helper()
	if diff := cmp.Diff(want, ran); diff != "" {
		t.Errorf("rows that ran: %s", diff)
	}
}

// S-074: what a field is sealed with. A key of another length than 256 bits is no
// key, and a nonce of another length than 96 bits is never taken.
func TestWycheproofGCM(t *testing.T) {
	ran := map[string]int{}
	for _, v := range vectors(t, "aes_gcm") {
		k, err := newKey("k", v.Key)
		if len(v.Key) != keySize {
			ran["key refused"]++
			if err == nil {
				t.Errorf("error/test %d: a key of %d bytes", v.ID, len(v.Key))
			}
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		if len(v.IV) != nonceSize {
			ran["nonce refused"]++
			if opens(k, v) {
				t.Errorf("error/test %d: a nonce of %d bytes", v.ID, len(v.IV))
			}
			continue
		}
		ran[v.Result]++
		plain, err := k.aead.Open(nil, v.IV, slices.Concat(v.CT, v.Tag), v.AAD)
		if (err == nil) != (v.Result == "valid") || err == nil && !bytes.Equal(plain, v.Msg) {
			t.Errorf("test %d, %s: %x, %v", v.ID, v.Result, plain, err)
		}
		if err == nil && !bytes.Equal(k.aead.Seal(nil, v.IV, v.Msg, v.AAD), slices.Concat(v.CT, v.Tag)) {
			t.Errorf("ok/test %d: another box", v.ID)
		}
	}
	check(t, ran, map[string]int{"valid": 26, "invalid": 18, "key refused": 143, "nonce refused": 24})
}

// opens tells whether the key takes the row's nonce; the library panics at a wrong length.
func opens(k Key, v vector) (opened bool) {
	defer func() { _ = recover() }()
	_, err := k.aead.Open(nil, v.IV, slices.Concat(v.CT, v.Tag), v.AAD)
	return err == nil
}

// S-073: a key is wrapped in a box bound to its place, not by AES-KWP, which knows no
// place. What KWP wrapped is no box, and each of its secrets goes through ours.
func TestWycheproofKeyWrap(t *testing.T) {
	ran, at := map[string]int{}, Place{Office: code, Table: "data_keys", Row: "a"}
	for _, v := range vectors(t, "aes_kwp") {
		ran[v.Result]++
		f := randomFileKey()
		if len(v.Key) == keySize {
			var err error
			if f, err = newFileKey("f1", v.Key); err != nil {
				t.Fatal(err)
			}
		}
		if secret, err := f.Unwrap(at, v.CT); err == nil {
			t.Errorf("error/test %d: unwrapped %x", v.ID, secret)
		}
		box, err := f.Wrap(at, v.Msg)
		if err != nil || len(v.Msg) >= 8 && bytes.Contains(box, v.Msg) { // fewer bytes are there by chance
			t.Fatalf("ok/test %d: %x, %v", v.ID, box, err)
		}
		if secret, err := f.Unwrap(at, box); err != nil || !bytes.Equal(secret, v.Msg) {
			t.Errorf("ok/test %d: %x, %v", v.ID, secret, err)
		}
	}
	check(t, ran, map[string]int{"valid": 52, "invalid": 118})
}

// S-073: the derivation of version 0, by the same library; what the vectors prove of
// RFC 5869 in eight lines proves our salt, context and length of it.
func TestWycheproofHKDF(t *testing.T) {
	ran := map[string]int{}
	for _, v := range vectors(t, "hkdf_sha256") {
		ran[v.Result]++
		okm, err := hkdf.Key(sha256.New, v.IKM, v.Salt, string(v.Info), v.Size)
		if (err == nil) != (v.Result == "valid") || !bytes.Equal(okm, v.OKM) {
			t.Errorf("test %d, %s: %x, %v", v.ID, v.Result, okm, err)
		}
		if err != nil {
			continue
		}
		if got := rfc5869(v.IKM, v.Salt, v.Info, v.Size); !bytes.Equal(got, v.OKM) {
			t.Fatalf("test %d: %x by the RFC's words", v.ID, got)
		}
		want := rfc5869(v.IKM, v.Salt, slices.Concat([]byte("akashi "), v.Info), keySize)
		if got := derive(v.IKM, string(v.Salt), string(v.Info)); !bytes.Equal(got, want) {
			t.Errorf("ok/test %d: derived %x, want %x", v.ID, got, want)
		}
	}
	check(t, ran, map[string]int{"valid": 56, "invalid": 2})
}

func rfc5869(secret, salt, info []byte, size int) (out []byte) {
	prk, block := hash(salt, secret), []byte(nil)
	for i := byte(1); len(out) < size; i++ {
		block = hash(prk, slices.Concat(block, info, []byte{i}))
		out = append(out, block...)
	}
	return out[:size]
}

func hash(key, text []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(text)
	return mac.Sum(nil)
}

// S-075: search keys are the tags of 128 bits, the pepper those of 256.
func TestWycheproofHMAC(t *testing.T) {
	ran := map[string]int{}
	for _, v := range vectors(t, "hmac_sha256") {
		ran[v.Result]++
		index := &held{kinds: map[string][]byte{"any": v.Key}}
		got := index.index("any", string(v.Msg))
		if v.tagBits == 256 {
			pepper := &held{DataKey: DataKey{State: Active}, secret: v.Key}
			r := &Ring{file: randomFileKey(), offices: map[string]*office{code: {keys: map[Purpose][]*held{Pepper: {pepper}}}}}
			got = r.Pepper(code, string(v.Msg))
		}
		if hmac.Equal(got, v.Tag) != (v.Result == "valid") {
			t.Errorf("test %d, %s: %x", v.ID, v.Result, got)
		}
	}
	check(t, ran, map[string]int{"valid": 44, "invalid": 72})
}
