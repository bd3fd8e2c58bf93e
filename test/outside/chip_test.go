package outside

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/testkit"
	"akashi/passport/chip"
	"akashi/signing/pki"
)

// openssl runs openssl and tells whether it said yes.
func openssl(t *testing.T, args ...string) (ok bool, said string) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), testkit.Tool(t, "openssl"), args...).CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return err == nil, string(out)
}

func written(t *testing.T, b []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// message is what stands inside EF.SOD, without what follows it.
func message(t *testing.T, sod []byte) []byte {
	t.Helper()
	content, _, ok := pki.ReadElement(sod, sod[0])
	if !ok {
		t.Fatal("no EF.SOD")
	}
	return content
}

// Issue 5, tried against: openssl and we say the same about the signature of every EF.SOD of the
// vectors, as it is and with a bit of it changed; about the chain, where openssl reads
// it: it refuses certificates with explicit curve parameters, as Doc 9303-12 demands them.
func TestChipSignatures(t *testing.T) {
	t.Parallel()
	root := testkit.Shared(t, "emrtd")
	var files []string
	for _, pattern := range []string{"real-sod/*.EF_SOD.bin", "synthetic/*/EF_SOD.bin", "bsi-reference/EF_SOD.bin"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, found...)
	}
	if len(files) != 27 {
		t.Errorf("%d files, want 27", len(files))
	}
	asked, chained := map[bool]int{}, 0
	for _, file := range files {
		name, _ := filepath.Rel(root, file)
		sod := testkit.Read(t, "emrtd/"+filepath.ToSlash(name))
		whole := message(t, sod)
		d, err := pki.ParseSignedData(whole)
		if err != nil {
			t.Fatal(err)
		}
		content := bytes.Index(whole, d.Content)
		if content < 0 {
			t.Fatalf("%s: content in parts", name)
		}
		places := map[string]int{"as it is": -1, "content": content + len(d.Content) - 1, "signature": len(whole) - 3}
		if whole[1] == 0x80 { // four ends stand behind it
			places["signature"] -= 8
		}
		for place, at := range places {
			changed := bytes.Clone(whole)
			if at >= 0 {
				changed[at] ^= 1
			}
			yes, said := openssl(t, "cms", "-verify", "-inform", "DER", "-in", written(t, changed), "-noverify", "-out", os.DevNull)
			d, err := pki.ParseSignedData(changed)
			ours := err == nil && d.Signer() != nil && d.Check(d.Signer()) == nil
			asked[yes]++
			if yes != ours {
				t.Errorf("%s, %s: openssl says %t, we %t (%v)\n%s", name, place, yes, ours, err, said)
			}
		}
		if state, real := strings.CutSuffix(filepath.Base(name), ".EF_SOD.bin"); real {
			chained += chains(t, state, sod, whole)
		}
	}
	if asked[true] != 26 || asked[false] != 55 || chained != 5 {
		t.Errorf("asked %v about signatures, %d chains", asked, chained)
	}
}

// chains compares about the chain of a real passport, under its own authority and under another's.
func chains(t *testing.T, state string, sod, whole []byte) (compared int) {
	t.Helper()
	d, err := pki.ParseSignedData(whole)
	if err != nil {
		t.Fatal(err)
	}
	at := d.Signer().NotBefore.AddDate(0, 0, 1)
	for _, authority := range []string{state, "FR", "US"} {
		csca := testkit.Read(t, "emrtd/real-sod/"+authority+".csca.der")
		pem := filepath.Join(t.TempDir(), "csca.pem")
		if ok, said := openssl(t, "x509", "-inform", "DER", "-in", written(t, csca), "-out", pem); !ok {
			t.Fatal(said)
		}
		yes, said := openssl(t, "cms", "-verify", "-inform", "DER", "-in", written(t, whole), "-CAfile", pem, "-partial_chain", "-purpose", "any", "-attime", fmt.Sprint(at.Unix()), "-out", os.DevNull)
		b, _, err := trust.ImportCSCA([]trust.File{{Name: "csca", Content: csca}}, nil, at)
		if err != nil {
			t.Fatal(err)
		}
		ours := chip.Check(chip.Input{SOD: sod}, b, at).Facet(chip.Issuer).Code == chip.IssuerKnown
		if strings.Contains(said, "explicit ECC parameters") {
			continue
		}
		if yes != ours || ours != (authority == state) {
			t.Errorf("%s under %s: openssl says %t, we %t\n%s", state, authority, yes, ours, said)
		}
		if authority == state {
			compared = 1
		}
	}
	return compared
}

// What openssl signs on every kind of key that passports have, we read and verify: explicit and
// named parameters, brainpool, RSASSA-PSS; and refuse with a bit of the content changed.
func TestSignedByOpenSSL(t *testing.T) {
	t.Parallel()
	content := testkit.SecurityObject(t, map[int][]byte{1: []byte("1"), 2: []byte("2")})
	curve := func(name, encoding string) []string {
		return []string{"-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:" + name, "-pkeyopt", "ec_param_enc:" + encoding}
	}
	rsa := []string{"-newkey", "rsa:2048"}
	pss := []string{"-keyopt", "rsa_padding_mode:pss", "-keyopt", "rsa_pss_saltlen:32"}
	kinds := map[string]struct{ key, sign []string }{
		"RSA PKCS#1": {rsa, nil}, "RSASSA-PSS": {rsa, pss}, "RSASSA-PSS key": {[]string{"-newkey", "rsa-pss", "-pkeyopt", "rsa_keygen_bits:2048"}, pss},
	}
	for _, name := range []string{"secp224r1", "prime256v1", "secp384r1", "secp521r1", "brainpoolP224r1", "brainpoolP256r1", "brainpoolP320r1", "brainpoolP384r1", "brainpoolP512r1"} {
		for _, encoding := range []string{"explicit", "named_curve"} {
			kinds[name+" "+encoding] = struct{ key, sign []string }{curve(name, encoding), nil}
		}
	}
	for name, kind := range kinds {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			key, certificate, signed := filepath.Join(dir, "key"), filepath.Join(dir, "certificate"), filepath.Join(dir, "signed")
			make := append([]string{"req", "-x509", "-nodes", "-subj", "/C=UT/CN=signer", "-sha256", "-days", "2", "-keyout", key, "-out", certificate}, kind.key...)
			if ok, said := openssl(t, make...); !ok {
				t.Fatal(said)
			}
			sign := append([]string{"cms", "-sign", "-binary", "-nodetach", "-md", "sha256", "-econtent_type", "2.23.136.1.1.1", "-in", written(t, content), "-signer", certificate, "-inkey", key, "-outform", "DER", "-out", signed}, kind.sign...)
			if ok, said := openssl(t, sign...); !ok {
				t.Fatal(said)
			}
			b, err := os.ReadFile(signed)
			if err != nil {
				t.Fatal(err)
			}
			facet := func(message []byte) chip.Facet {
				return chip.Check(chip.Input{SOD: testkit.SOD(t, message)}, &trust.Bundle{}, time.Now()).Facet(chip.Signature)
			}
			if f := facet(b); f.Code != chip.SignatureGood {
				t.Errorf("%+v", f)
			}
			changed := bytes.Clone(b)
			changed[bytes.Index(b, content)+len(content)-1] ^= 1
			if f := facet(changed); f.Code != chip.SignatureWrong {
				t.Errorf("changed: %+v", f)
			}
		})
	}
}
