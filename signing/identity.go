package signing

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/rogpeppe/go-internal/lockedfile"

	"akashi/signing/pki"
)

// The TEST identity (design 3.7). Names under .test belong to nobody, and Doc
// 9303 gives UTO to its specimens.
const (
	TestIssuer  = "https://issuer.akashi.test" // iss of health cards
	TestState   = "UTO"                        // issuer of bar codes
	TestCountry = "UT"                         // country of their signer's certificate
)

// Files of the TEST identity beside the private keys.
const (
	TestKeysFile = "keys.json" // the registered keys
	CRLFile      = "csca.crl"  // the authority's revocation list; empty where the authority is a TEST one
)

const (
	testValidity = 5 // years in which the public keys count
	testUsage    = 1 // years in which the private keys sign
)

// MakeTestIdentity returns the keys of the TEST identity in dir, which it makes
// at the first call: a health card key, a country authority and a bar code
// signer certified by it, and the authority's empty revocation list. Of two
// processes that start at once one makes the keys and the other finds them. The
// keys come from the system generator; dir gets mode 0700, its files 0600.
func MakeTestIdentity(dir string, now time.Time) ([]Key, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	if err := checkPrivate(dir, fs.ModeDir); err != nil {
		return nil, err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, ".lock")).Lock()
	if err != nil {
		return nil, fmt.Errorf("signing: lock %s: %w", dir, err)
	}
	defer unlock()
	keys, err := readKeys(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return makeTestKeys(dir, now.UTC().Truncate(time.Second))
	}
	return keys, err
}

func readKeys(dir string) ([]Key, error) {
	text, err := os.ReadFile(filepath.Join(dir, TestKeysFile))
	if err != nil {
		return nil, fmt.Errorf("signing: %w", err)
	}
	var keys []Key
	if err := json.Unmarshal(text, &keys); err != nil {
		return nil, fmt.Errorf("signing: %s: %w", TestKeysFile, err)
	}
	for _, k := range keys {
		public, err := k.PublicKey()
		if err != nil || !k.Test || Thumbprint(public) != k.ID {
			return nil, fmt.Errorf("signing: %s holds what is not a test key", TestKeysFile)
		}
	}
	return keys, nil
}

// makeTestKeys writes the list of keys last: without it, what is in dir is the
// rest of a start that died, and is made again.
func makeTestKeys(dir string, now time.Time) ([]Key, error) {
	var private [3]*ecdsa.PrivateKey
	var keys [3]Key
	for i, k := range []Key{
		{Purpose: SHC, Issuer: TestIssuer, Handle: "shc.pem"},
		{Purpose: Authority, Issuer: TestState, Handle: "csca.pem"},
		{Purpose: VDSNC, Issuer: TestState, Handle: "vdsnc.pem"},
	} {
		var err error
		if private[i], err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
			return nil, fmt.Errorf("signing: make key: %w", err)
		}
		if k.Public, err = x509.MarshalPKIXPublicKey(&private[i].PublicKey); err != nil {
			return nil, fmt.Errorf("signing: encode key: %w", err)
		}
		k.ID = Thumbprint(&private[i].PublicKey)
		k.Algorithm, k.State, k.Test = ES256, Active, true
		k.NotBefore, k.NotAfter = now, now.AddDate(testValidity, 0, 0)
		k.UsageFrom, k.UsageTo = now, now.AddDate(testUsage, 0, 0)
		keys[i] = k
	}
	crl, err := certifyTestKeys(&keys[1], &keys[2], private[1], &private[2].PublicKey)
	if err != nil {
		return nil, err
	}
	for i, k := range keys {
		if err := writePrivateKey(dir, k.Handle, private[i]); err != nil {
			return nil, err
		}
	}
	if err := writePrivate(dir, CRLFile, crl); err != nil {
		return nil, err
	}
	text, err := json.MarshalIndent(keys[:], "", "  ")
	if err != nil {
		return nil, fmt.Errorf("signing: encode keys: %w", err)
	}
	return keys[:], writePrivate(dir, TestKeysFile, append(text, '\n'))
}

// certifyTestKeys makes the certificates of authority and signer. The list
// lasts as long as the authority, for nobody renews it.
func certifyTestKeys(authority, signer *Key, private *ecdsa.PrivateKey, public *ecdsa.PublicKey) (crl []byte, err error) {
	authority.Certificate, err = pki.CreateAuthority(pki.AuthorityTemplate{
		Country: TestCountry, Organization: "Akashi TEST", CommonName: "Akashi TEST CSCA",
		NotBefore: authority.NotBefore, NotAfter: authority.NotAfter,
	}, private)
	if err != nil {
		return nil, err
	}
	signer.Certificate, err = pki.CreateBarcodeSigner(pki.SignerTemplate{
		Country: TestCountry, CommonName: "Akashi TEST bar codes",
		NotBefore: signer.NotBefore, NotAfter: signer.NotAfter,
		UsageFrom: signer.UsageFrom, UsageTo: signer.UsageTo,
		DocumentTypes: []string{"NV"},
	}, public, authority.Certificate, private)
	if err != nil {
		return nil, err
	}
	return pki.CreateCRL(authority.Certificate, private, 1, nil, authority.NotBefore, authority.NotAfter)
}

// MakeTestPaperKey gives an office a key that signs printed pages, certified by
// the TEST authority, and registers it in the directory of the TEST identity. A
// second call returns the key there is. A service that runs takes it up at its
// next start.
func MakeTestPaperKey(dir, office string, now time.Time) (Key, error) {
	if _, err := MakeTestIdentity(dir, now); err != nil {
		return Key{}, err
	}
	unlock, err := lockedfile.MutexAt(filepath.Join(dir, ".lock")).Lock()
	if err != nil {
		return Key{}, fmt.Errorf("signing: lock %s: %w", dir, err)
	}
	defer unlock()
	keys, err := readKeys(dir)
	if err != nil {
		return Key{}, err
	}
	var authority Key
	for _, k := range keys {
		if k.Purpose == Paper && k.Issuer == office {
			return k, nil
		}
		if k.Purpose == Authority {
			authority = k
		}
	}
	key, private, err := certifyPaperKey(dir, office, authority, now.UTC().Truncate(time.Second))
	if err != nil {
		return Key{}, err
	}
	if err := writePrivateKey(dir, key.Handle, private); err != nil {
		return Key{}, err
	}
	text, err := json.MarshalIndent(append(keys, key), "", "  ")
	if err != nil {
		return Key{}, fmt.Errorf("signing: encode keys: %w", err)
	}
	return key, writePrivate(dir, TestKeysFile, append(text, '\n'))
}

func certifyPaperKey(dir, office string, authority Key, now time.Time) (Key, *ecdsa.PrivateKey, error) {
	parent, err := x509.ParseCertificate(authority.Certificate)
	if err != nil {
		return Key{}, nil, fmt.Errorf("signing: authority: %w", err)
	}
	signer, err := readPrivateKey(dir, authority.Handle)
	if err != nil {
		return Key{}, nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return Key{}, nil, fmt.Errorf("signing: make key: %w", err)
	}
	public, err := x509.MarshalPKIXPublicKey(&private.PublicKey)
	if err != nil {
		return Key{}, nil, fmt.Errorf("signing: encode key: %w", err)
	}
	k := Key{
		ID: Thumbprint(&private.PublicKey), Purpose: Paper, Issuer: office, Algorithm: ES256, Public: public, State: Active, Test: true,
		NotBefore: now, NotAfter: authority.NotAfter, UsageFrom: now, UsageTo: now.AddDate(testUsage, 0, 0), Handle: "paper-" + office + ".pem",
	}
	k.Certificate, err = x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject:   pkix.Name{Country: []string{TestCountry}, Organization: []string{"Akashi TEST"}, CommonName: "Akashi TEST paper " + office},
		NotBefore: k.NotBefore, NotAfter: k.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}, parent, &private.PublicKey, signer)
	if err != nil {
		return Key{}, nil, fmt.Errorf("signing: certify key: %w", err)
	}
	return k, private, nil
}

// ErrIdentity is wrapped by every refusal of CheckIdentity.
var ErrIdentity = errors.New("signing: keys and issuer do not belong together")

// CheckIdentity refuses to start with test keys for a production issuer, with
// production keys for tests, with the test issuer in production, and with a
// health card key of another issuer (design 3.7, S-067).
func CheckIdentity(keys []Key, issuer string, production bool) error {
	if production == (issuer == TestIssuer) {
		return fmt.Errorf("%w: issuer %s, production %t", ErrIdentity, issuer, production)
	}
	for _, k := range keys {
		if k.Test == production {
			return fmt.Errorf("%w: key %s, test %t, production %t", ErrIdentity, k.ID, k.Test, production)
		}
		if k.Purpose == SHC && k.Issuer != issuer {
			return fmt.Errorf("%w: key %s is of another issuer", ErrIdentity, k.ID)
		}
		if production && k.Issuer == TestState {
			return fmt.Errorf("%w: key %s is of the specimen state", ErrIdentity, k.ID)
		}
	}
	return nil
}
