package signing

import (
	"bufio"
	"bytes"
	"context"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/internal/clock"
)

// childDir makes a second process of the test make an identity and print its ids.
const childDir = "AKASHI_TEST_IDENTITY_DIR"

func TestMain(m *testing.M) {
	dir := os.Getenv(childDir)
	if dir == "" {
		os.Exit(m.Run())
	}
	_, _ = bufio.NewReader(os.Stdin).ReadString('\n') // all children start together
	keys, err := MakeTestIdentity(dir, noon)
	if err != nil {
		_, _ = os.Stderr.WriteString(err.Error())
		os.Exit(1)
	}
	_, _ = os.Stdout.WriteString(ids(keys))
}

func ids(keys []Key) string {
	var out []string
	for _, k := range keys {
		out = append(out, k.ID)
	}
	return strings.Join(out, " ")
}

// Design 3.7: one identity, whoever starts first, in processes and goroutines.
func TestIdentityIsMadeOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	const processes = 4
	var out [processes]bytes.Buffer
	var commands [processes]*exec.Cmd
	reader, writer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	for i := range commands {
		commands[i] = exec.Command(os.Args[0])
		commands[i].Env = append(os.Environ(), childDir+"="+dir)
		commands[i].Stdin, commands[i].Stdout, commands[i].Stderr = reader, &out[i], &out[i]
		if err := commands[i].Start(); err != nil {
			t.Fatal(err)
		}
	}
	writer.Close() // the end of input releases them
	for i, c := range commands {
		if err := c.Wait(); err != nil {
			t.Fatalf("%v: %s", err, out[i].String())
		}
	}
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			keys, err := MakeTestIdentity(dir, noon.AddDate(0, 1, 0))
			if err != nil || ids(keys) != out[0].String() {
				t.Errorf("%s, %v", ids(keys), err)
			}
		})
	}
	group.Wait()
	for i := range out {
		if out[i].String() != out[0].String() || strings.Count(out[i].String(), " ") != 3 {
			t.Errorf("process %d has keys %s, process 0 %s", i, out[i].String(), out[0].String())
		}
	}
}

func TestIdentity(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "data", "keys")
	keys, err := MakeTestIdentity(dir, noon.Add(time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	again, err := MakeTestIdentity(dir, noon.AddDate(3, 0, 0))
	if err != nil {
		t.Fatal(err)
	}
	first, _ := json.Marshal(keys)
	second, _ := json.Marshal(again)
	if !bytes.Equal(first, second) {
		t.Errorf("second call gives other keys:\n%s\n%s", first, second)
	}
	for i, want := range []struct {
		purpose Purpose
		issuer  string
	}{{SHC, "https://issuer.akashi.test"}, {Authority, "UTO"}, {VDSNC, "UTO"}, {DSC, "UTO"}} {
		k := keys[i]
		if k.Purpose != want.purpose || k.Issuer != want.issuer || !k.Test || k.State != Active || k.Algorithm != ES256 {
			t.Errorf("key %+v", k)
		}
		if !k.NotAfter.Equal(noon.AddDate(5, 0, 0)) || !k.UsageTo.Equal(noon.AddDate(1, 0, 0)) {
			t.Errorf("periods %s %s", k.NotAfter, k.UsageTo)
		}
	}
	checkCertificates(t, dir, keys)
	checkModes(t, dir)
	if bytes.Contains(readFile(t, dir, TestKeysFile), []byte("PRIVATE")) {
		t.Error("the list of keys holds a private key")
	}
}

func checkCertificates(t *testing.T, dir string, keys []Key) {
	t.Helper()
	authority, err := x509.ParseCertificate(keys[1].Certificate)
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range keys[2:] {
		signer, err := x509.ParseCertificate(k.Certificate)
		if err != nil {
			t.Fatal(err)
		}
		if err := signer.CheckSignatureFrom(authority); err != nil {
			t.Error(err)
		}
		if public, err := k.PublicKey(); err != nil || !public.Equal(signer.PublicKey) {
			t.Errorf("certificate is for another key: %v", err)
		}
	}
	crl, err := x509.ParseRevocationList(readFile(t, dir, CRLFile))
	if err != nil || len(crl.RevokedCertificateEntries) > 0 || crl.CheckSignatureFrom(authority) != nil {
		t.Errorf("revocation list: %v", err)
	}
}

func checkModes(t *testing.T, dir string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		want := fs.FileMode(0o600)
		if d.IsDir() {
			want = 0o700
		}
		if info.Mode().Perm() != want && d.Name() != ".lock" { // the lock file is empty
			t.Errorf("%s has mode %s", d.Name(), info.Mode())
		}
		if strings.HasPrefix(d.Name(), ".new-") {
			t.Errorf("%s was left behind", d.Name())
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

func readFile(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// A directory of before there were HC1 codes gets their signer, and keeps its keys.
func TestIdentityGrows(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	keys, err := MakeTestIdentity(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	if err := writeKeys(dir, keys[:3]); err != nil {
		t.Fatal(err)
	}
	grown, err := MakeTestIdentity(dir, noon.AddDate(0, 1, 0))
	if err != nil || len(grown) != 4 || ids(grown[:3]) != ids(keys[:3]) || grown[3].Purpose != DSC || grown[3].ID == keys[3].ID {
		t.Errorf("%s, %v", ids(grown), err)
	}
	if _, err := OpenFiles(dir, grown); err != nil {
		t.Error(err)
	}
}

// A start that died before the list was written is made good by the next.
func TestIdentityAfterDeath(t *testing.T) {
	dir := t.TempDir()
	if err := os.Chmod(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	writeFile(t, filepath.Join(dir, "shc.pem"), "half a ke", 0o600)
	keys, err := MakeTestIdentity(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenFiles(dir, keys); err != nil {
		t.Error(err)
	}
}

func TestIdentityRefuses(t *testing.T) {
	for name, spoil := range map[string]func(t *testing.T, dir string){
		"error/list broken":    func(t *testing.T, dir string) { writeFile(t, filepath.Join(dir, TestKeysFile), "[{", 0o600) },
		"error/not a test key": func(t *testing.T, dir string) { replace(t, dir, `"test": true`, `"test": false`) },
		"error/other id":       func(t *testing.T, dir string) { replace(t, dir, `"id": "`, `"id": "x`) },
		"error/open to group": func(t *testing.T, dir string) {
			if err := os.Chmod(dir, 0o750); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			if _, err := MakeTestIdentity(dir, noon); err != nil {
				t.Fatal(err)
			}
			spoil(t, dir)
			if keys, err := MakeTestIdentity(dir, noon); err == nil {
				t.Errorf("accepted: %v", keys)
			}
		})
	}
}

func replace(t *testing.T, dir, old, new string) {
	t.Helper()
	text := strings.Replace(string(readFile(t, dir, TestKeysFile)), old, new, 1)
	writeFile(t, filepath.Join(dir, TestKeysFile), text, 0o600)
}

// The file backend signs with the loaded keys, and not with the authority's.
func TestFiles(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "keys")
	keys, err := MakeTestIdentity(dir, noon)
	if err != nil {
		t.Fatal(err)
	}
	files, err := OpenFiles(dir, keys)
	if err != nil {
		t.Fatal(err)
	}
	find := func(id string) (k Key) {
		for _, k := range keys {
			if k.ID == id {
				return k
			}
		}
		return Key{}
	}
	intents := &office{items: []ToSign{{1, VDSNC, keys[2].ID, []byte("a")}, {2, SHC, keys[0].ID, []byte("b")}}}
	signer := NewSigner(files, intents, keysOf(find), clock.Clock(func() time.Time { return noon }))
	got, err := signer.Sign(t.Context(), "900001", "ABCDEFGHJKLM")
	if err != nil {
		t.Fatal(err)
	}
	for i, item := range intents.items {
		public, _ := find(item.KeyID).PublicKey()
		if !verifies(public, item.Bytes, got[i].Value) {
			t.Errorf("signature %d does not verify", i)
		}
	}
	if _, err := files.signES256(t.Context(), "csca.pem", [32]byte{}); err == nil {
		t.Error("error/the authority's key was loaded")
	}
}

func TestOpenFilesRefuses(t *testing.T) {
	pem := func(name string) func(t *testing.T, dir string, k *Key) {
		return func(t *testing.T, dir string, k *Key) { k.Handle = name }
	}
	for name, spoil := range map[string]func(t *testing.T, dir string, k *Key){
		"error/directory open": func(t *testing.T, dir string, _ *Key) { chmod(t, dir, 0o701) },
		"error/file open":      func(t *testing.T, dir string, k *Key) { chmod(t, filepath.Join(dir, k.Handle), 0o640) },
		"error/other key":      pem("vdsnc.pem"),
		"error/missing":        pem("none.pem"),
		"error/path":           pem("../keys/shc.pem"),
		"error/parent":         pem(".."),
		"error/empty handle":   pem(""),
		"error/not PEM":        func(t *testing.T, dir string, k *Key) { writeFile(t, filepath.Join(dir, k.Handle), "key", 0o600) },
		"error/not a key": func(t *testing.T, dir string, k *Key) {
			writeFile(t, filepath.Join(dir, k.Handle), "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", 0o600)
		},
		"error/link": func(t *testing.T, dir string, k *Key) {
			if err := os.Symlink("shc.pem", filepath.Join(dir, "link.pem")); err != nil {
				t.Fatal(err)
			}
			k.Handle = "link.pem"
		},
		"error/other curve": func(t *testing.T, dir string, k *Key) {
			private := newKey(t, elliptic.P384())
			if err := writePrivateKey(dir, k.Handle, private); err != nil {
				t.Fatal(err)
			}
			k.ID = Thumbprint(&private.PublicKey)
		},
	} {
		t.Run(name, func(t *testing.T) {
			dir := filepath.Join(t.TempDir(), "keys")
			keys, err := MakeTestIdentity(dir, noon)
			if err != nil {
				t.Fatal(err)
			}
			spoil(t, dir, &keys[0])
			if _, err := OpenFiles(dir, keys); err == nil {
				t.Error("opened")
			} else if strings.Contains(err.Error(), "AAAA") {
				t.Errorf("error quotes the file: %v", err)
			}
		})
	}
}

func chmod(t *testing.T, path string, mode fs.FileMode) {
	t.Helper()
	if err := os.Chmod(path, mode); err != nil {
		t.Fatal(err)
	}
}

// Design 3.7, S-067: test keys refuse a production issuer, and the reverse.
func TestCheckIdentity(t *testing.T) {
	const city = "https://certificates.city.example"
	key := func(purpose Purpose, issuer string, test bool) Key {
		return Key{ID: "a", Purpose: purpose, Issuer: issuer, Test: test}
	}
	for name, v := range map[string]struct {
		keys       []Key
		issuer     string
		production bool
		ok         bool
	}{
		"ok/test":                        {[]Key{key(SHC, TestIssuer, true), key(VDSNC, TestState, true)}, TestIssuer, false, true},
		"ok/production":                  {[]Key{key(SHC, city, false), key(VDSNC, "JPN", false)}, city, true, true},
		"error/test key in production":   {[]Key{key(SHC, city, true)}, city, true, false},
		"error/test signer":              {[]Key{key(SHC, city, false), key(VDSNC, "JPN", true)}, city, true, false},
		"error/test issuer":              {[]Key{key(SHC, TestIssuer, false)}, TestIssuer, true, false},
		"error/specimen state":           {[]Key{key(VDSNC, TestState, false)}, city, true, false},
		"error/production key in test":   {[]Key{key(SHC, TestIssuer, false)}, TestIssuer, false, false},
		"error/production issuer, tests": {[]Key{key(SHC, city, true)}, city, false, false},
		"error/another issuer's key":     {[]Key{key(SHC, city, false)}, city + ".example", true, false},
	} {
		t.Run(name, func(t *testing.T) {
			err := CheckIdentity(v.keys, v.issuer, v.production)
			if (err == nil) != v.ok || err != nil && !errors.Is(err, ErrIdentity) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func keysOf(find func(id string) Key) Keys {
	return func(_ context.Context, id string) (Key, error) { return find(id), nil }
}
