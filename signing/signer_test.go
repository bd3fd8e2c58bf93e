package signing

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// States and their transitions (design 2): each pair of states is legal or not.
func TestTransitions(t *testing.T) {
	states := []State{Announced, Active, Retired, Compromised}
	legal := map[[2]State]bool{
		{Announced, Active}: true, {Active, Retired}: true,
		{Announced, Compromised}: true, {Active, Compromised}: true, {Retired, Compromised}: true,
	}
	for _, from := range states {
		for _, to := range states {
			if got := from.CanBecome(to); got != legal[[2]State{from, to}] {
				t.Errorf("%s to %s: %t", from, to, got)
			}
		}
	}
	if State("").CanBecome(Active) || Active.CanBecome("") {
		t.Error("an unknown state has transitions")
	}
}

// office is a store with one certificate.
type office struct {
	items []ToSign
	err   error
	asked []string
}

func (o *office) ToSign(_ context.Context, office, certificateID string) ([]ToSign, error) {
	o.asked = append(o.asked, office+"/"+certificateID)
	return o.items, o.err
}

// memory is a backend that counts.
type memory struct {
	key    *ecdsa.PrivateKey
	signed int
}

func (m *memory) signES256(_ context.Context, _ string, digest [sha256.Size]byte) ([]byte, error) {
	m.signed++
	return signES256(m.key, digest)
}

func verifies(public *ecdsa.PublicKey, message, signature []byte) bool {
	digest := sha256.Sum256(message)
	return len(signature) == 64 && ecdsa.Verify(public, digest[:],
		new(big.Int).SetBytes(signature[:32]), new(big.Int).SetBytes(signature[32:]))
}

// S-056, S-062: the signer signs what was committed, all of it or nothing.
func TestSign(t *testing.T) {
	private := newKey(t, elliptic.P256())
	good := registered(t, private, SHC, Active)
	cases := map[string]struct {
		change func(*Key, *time.Time, *ToSign)
		code   string
	}{
		"ok/active":              {func(*Key, *time.Time, *ToSign) {}, ""},
		"ok/first second":        {func(k *Key, now *time.Time, _ *ToSign) { *now = k.UsageFrom }, ""},
		"error/announced":        {func(k *Key, _ *time.Time, _ *ToSign) { k.State = Announced }, "not_active"},
		"error/retired":          {func(k *Key, _ *time.Time, _ *ToSign) { k.State = Retired }, "not_active"},
		"error/compromised":      {func(k *Key, _ *time.Time, _ *ToSign) { k.State = Compromised }, "not_active"},
		"error/purpose":          {func(k *Key, _ *time.Time, _ *ToSign) { k.Purpose = VDSNC }, "wrong_purpose"},
		"error/authority":        {func(k *Key, _ *time.Time, i *ToSign) { k.Purpose, i.Purpose = Authority, Authority }, "wrong_purpose"},
		"error/algorithm":        {func(k *Key, _ *time.Time, _ *ToSign) { k.Algorithm = "ES384" }, "not_es256"},
		"error/before usage":     {func(k *Key, now *time.Time, _ *ToSign) { *now = k.UsageFrom.Add(-1) }, "outside_usage"},
		"error/end of usage":     {func(k *Key, now *time.Time, _ *ToSign) { *now = k.UsageTo }, "outside_usage"},
		"error/no usage":         {func(k *Key, _ *time.Time, _ *ToSign) { k.UsageTo = time.Time{} }, "outside_usage"},
		"error/another key came": {func(k *Key, _ *time.Time, _ *ToSign) { k.ID = strings.Repeat("A", 43) }, "not_registered"},
	}
	for name, v := range cases {
		t.Run(name, func(t *testing.T) {
			first := ToSign{1, SHC, good.ID, []byte("first")}
			second, key, now := ToSign{2, SHC, good.ID, []byte("second")}, good, noon
			v.change(&key, &now, &second)
			intents := &office{items: []ToSign{first, second}}
			backend := &memory{key: private}
			calls := 0
			find := func(context.Context, string) (Key, error) {
				if calls++; calls == 1 && v.code != "" && v.code != "outside_usage" {
					return good, nil // only the second code is at fault
				}
				return key, nil
			}
			signer := NewSigner(backend, intents, find, func() time.Time { return now })
			got, err := signer.Sign(t.Context(), "900001", "ABCDEFGHJKLM")
			if v.code != "" {
				var e *KeyError
				if !errors.As(err, &e) || e.Code != v.code || e.KeyID != good.ID || got != nil || backend.signed != 0 {
					t.Errorf("%v, %d signatures made", err, backend.signed)
				}
				return
			}
			if err != nil || len(got) != 2 {
				t.Fatal(err)
			}
			for i, item := range intents.items {
				if got[i].Number != item.Number || got[i].KeyID != item.KeyID || !verifies(&private.PublicKey, item.Bytes, got[i].Value) {
					t.Errorf("signature %d is not of its bytes", i)
				}
			}
			if !slices.Equal(intents.asked, []string{"900001/ABCDEFGHJKLM"}) {
				t.Errorf("asked for %v", intents.asked)
			}
		})
	}
}

func TestSignWithoutIntent(t *testing.T) {
	lost := errors.New("database is away")
	for name, v := range map[string]struct{ intents, want error }{
		"error/none": {nil, ErrNothingToSign}, "error/store": {lost, lost},
	} {
		signer := NewSigner(&memory{}, &office{err: v.intents}, nil, nil)
		if _, err := signer.Sign(t.Context(), "900001", "ABCDEFGHJKLM"); !errors.Is(err, v.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	find := func(context.Context, string) (Key, error) { return Key{}, lost }
	signer := NewSigner(&memory{}, &office{items: []ToSign{{KeyID: "a"}}}, find, nil)
	if _, err := signer.Sign(t.Context(), "900001", "ABCDEFGHJKLM"); !errors.Is(err, lost) {
		t.Errorf("error/unknown key: %v", err)
	}
}

// S-062: no exported function of this package that could sign takes bytes.
// Complete is a method that the paper signer calls with a signature.
func TestNothingSignsBytes(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			var fn *ast.FuncType
			var ident string
			switch n := n.(type) {
			case *ast.FuncDecl:
				fn, ident = n.Type, n.Name.Name
			case *ast.Field: // method of an interface
				if f, ok := n.Type.(*ast.FuncType); ok && len(n.Names) == 1 {
					fn, ident = f, n.Names[0].Name
				}
			}
			if fn != nil && ast.IsExported(ident) && takesBytes(fn) {
				found = append(found, ident)
			}
			return true
		})
	}
	slices.Sort(found)
	if want := []string{"Complete", "ParseJWKS"}; !slices.Equal(found, want) {
		t.Errorf("exported functions that take bytes: %v, want %v", found, want)
	}
}

func takesBytes(fn *ast.FuncType) bool {
	for _, field := range fn.Params.List {
		if a, ok := field.Type.(*ast.ArrayType); ok {
			if elem, ok := a.Elt.(*ast.Ident); ok && elem.Name == "byte" {
				return true
			}
		}
	}
	return false
}

// Signatures with a short r or s keep 64 bytes.
func TestSignatureLength(t *testing.T) {
	key, short := newKey(t, elliptic.P256()), 0
	for i := 0; i < 5000 && short < 4; i++ {
		signature, err := signES256(key, sha256.Sum256([]byte{byte(i), byte(i >> 8)}))
		if err != nil || len(signature) != 64 {
			t.Fatalf("%d bytes, %v", len(signature), err)
		}
		if signature[0] == 0 || signature[32] == 0 {
			short++
		}
	}
	if short == 0 {
		t.Error("no short r or s among 5,000 signatures")
	}
}

func writeFile(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}
