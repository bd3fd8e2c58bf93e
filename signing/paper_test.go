package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// desk makes papers whose content is their copies.
type desk struct {
	asked []PaperCopy
	by    Key
	at    time.Time
	err   error
}

func (d *desk) Unsigned(_ context.Context, office string, copies []PaperCopy, by Key, at time.Time) (Unsigned, error) {
	d.asked, d.by, d.at = copies, by, at
	return sheet(office + "/" + copies[0].CertificateID), d.err
}

type sheet string

var errSheet = errors.New("not the signature of this sheet")

func (s sheet) Digest() [sha256.Size]byte { return sha256.Sum256([]byte(s)) }

func (s sheet) Complete(signature []byte) ([]byte, error) {
	if s == "900001/REFUSEDREFUS" {
		return nil, errSheet
	}
	return append([]byte(s), signature...), nil
}

// S-062: paper is signed by the name of its copies, with a key of its own
// purpose and office.
func TestSignPaper(t *testing.T) {
	private := newKey(t, elliptic.P256())
	good := registered(t, private, Paper, Active)
	good.Issuer, good.Certificate = "900001", []byte("certificate")
	copies := []PaperCopy{{"ABCDEFGHJKLM", 2}}
	for name, v := range map[string]struct {
		change func(k *Key, now *time.Time)
		code   string
	}{
		"ok/active":             {func(*Key, *time.Time) {}, ""},
		"error/announced":       {func(k *Key, _ *time.Time) { k.State = Announced }, "not_active"},
		"error/retired":         {func(k *Key, _ *time.Time) { k.State = Retired }, "not_active"},
		"error/card key":        {func(k *Key, _ *time.Time) { k.Purpose = SHC }, "wrong_purpose"},
		"error/bar code key":    {func(k *Key, _ *time.Time) { k.Purpose = VDSNC }, "wrong_purpose"},
		"error/authority":       {func(k *Key, _ *time.Time) { k.Purpose = Authority }, "wrong_purpose"},
		"error/another key":     {func(k *Key, _ *time.Time) { k.ID = "x" }, "not_registered"},
		"error/other office":    {func(k *Key, _ *time.Time) { k.Issuer = "900002" }, "wrong_office"},
		"error/uncertified":     {func(k *Key, _ *time.Time) { k.Certificate = nil }, "wrong_office"},
		"error/end of usage":    {func(k *Key, now *time.Time) { *now = k.UsageTo }, "outside_usage"},
		"error/other algorithm": {func(k *Key, _ *time.Time) { k.Algorithm = "ES384" }, "not_es256"},
	} {
		t.Run(name, func(t *testing.T) {
			key, now := good, noon.Add(time.Millisecond)
			v.change(&key, &now)
			papers, backend := &desk{}, &memory{key: private}
			signer := NewPaperSigner(backend, papers, func(context.Context, string) (Key, error) { return key, nil }, func() time.Time { return now })
			got, err := signer.Sign(t.Context(), "900001", copies, good.ID)
			if v.code != "" {
				var e *KeyError
				if !errors.As(err, &e) || e.Code != v.code || backend.signed != 0 || papers.asked != nil {
					t.Errorf("%v, %d signatures made", err, backend.signed)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(papers.asked, copies) || !papers.by.Equal(good) || !papers.at.Equal(noon) || !got.At.Equal(noon) || got.KeyID != good.ID {
				t.Errorf("asked for %v by %s at %s", papers.asked, papers.by.ID, papers.at)
			}
			if want := "900001/ABCDEFGHJKLM"; !verifies(&private.PublicKey, []byte(want), got.Value) || string(got.File) != want+string(got.Value) {
				t.Error("signature is not of the paper")
			}
			again, err := signer.Sign(t.Context(), "900001", copies, good.ID)
			if err != nil || !slices.Equal(again.File, got.File) {
				t.Errorf("signed again, the paper differs: %v", err)
			}
		})
	}
	lost := errors.New("database is away")
	find := func(context.Context, string) (Key, error) { return good, nil }
	now := func() time.Time { return noon }
	if _, err := NewPaperSigner(&memory{key: private}, &desk{err: lost}, find, now).Sign(t.Context(), "900001", copies, good.ID); !errors.Is(err, lost) {
		t.Errorf("error/no paper: %v", err)
	}
	refused := []PaperCopy{{"REFUSEDREFUS", 1}}
	if _, err := NewPaperSigner(&memory{key: private}, &desk{}, find, now).Sign(t.Context(), "900001", refused, good.ID); !errors.Is(err, errSheet) {
		t.Errorf("error/refused: %v", err)
	}
	gone := func(context.Context, string) (Key, error) { return Key{}, lost }
	if _, err := NewPaperSigner(&memory{}, &desk{}, gone, now).Sign(t.Context(), "900001", copies, good.ID); !errors.Is(err, lost) {
		t.Errorf("error/unknown key: %v", err)
	}
	intents := &office{items: []ToSign{{1, Paper, good.ID, []byte("anything")}}}
	var e *KeyError
	if _, err := NewSigner(&memory{key: private}, intents, find, now).Sign(t.Context(), "900001", "ABCDEFGHJKLM"); !errors.As(err, &e) || e.Code != "wrong_purpose" {
		t.Errorf("error/a paper key signs a code: %v", err)
	}
}

// RFC 6979, A.2.5: P-256 with SHA-256, message "sample". What is signed again has
// the same bytes.
func TestSignatureDeterministic(t *testing.T) {
	var v struct{ X, Message, R, S string }
	testkit.Example(t, "rfc6979-a25-p256-sha256-sample", &v)
	raw, _ := hex.DecodeString(v.X)
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		got, err := signES256(key, sha256.Sum256([]byte(v.Message)))
		if err != nil || !strings.EqualFold(hex.EncodeToString(got), v.R+v.S) {
			t.Errorf("%x, %v", got, err)
		}
	}
}
