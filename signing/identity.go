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
	"slices"
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
// at the first call: a health card key, a country authority, signers of bar codes
// and of HC1 codes certified by it, and the authority's empty revocation list. Of two
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
	now = now.UTC().Truncate(time.Second)
	keys, err := readKeys(dir)
	if errors.Is(err, fs.ErrNotExist) {
		keys, err = makeTestKeys(dir, now)
	}
	if err != nil || slices.ContainsFunc(keys, func(k Key) bool { return k.Purpose == DSC }) {
		return keys, err
	}
	return addTestKey(dir, keys, Key{Purpose: DSC, Issuer: TestState, Handle: "dsc.pem"}, now, certifyHealthSigner)
}

// certify makes the certificate of a key by the TEST authority.
type certify func(k Key, public *ecdsa.PublicKey, authority []byte, signer *ecdsa.PrivateKey) ([]byte, error)

func certifyHealthSigner(k Key, public *ecdsa.PublicKey, authority []byte, signer *ecdsa.PrivateKey) ([]byte, error) {
	return pki.CreateHealthSigner(pki.SignerTemplate{
		Country: TestCountry, CommonName: "Akashi TEST HC1 codes", NotBefore: k.NotBefore, NotAfter: k.NotAfter,
	}, public, authority, signer)
}

// addTestKey makes a key that the TEST authority certifies, and writes the list with it
// at its end.
func addTestKey(dir string, keys []Key, k Key, now time.Time, certify certify) ([]Key, error) {
	at := slices.IndexFunc(keys, func(k Key) bool { return k.Purpose == Authority })
	if at < 0 {
		return nil, fmt.Errorf("signing: %s has no authority", TestKeysFile)
	}
	authority := keys[at]
	signer, err := readPrivateKey(dir, authority.Handle)
	if err != nil {
		return nil, err
	}
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, fmt.Errorf("signing: make key: %w", err)
	}
	if k.Public, err = x509.MarshalPKIXPublicKey(&private.PublicKey); err != nil {
		return nil, fmt.Errorf("signing: encode key: %w", err)
	}
	k.ID, k.Algorithm, k.State, k.Test = Thumbprint(&private.PublicKey), ES256, Active, true
	k.NotBefore, k.NotAfter, k.UsageFrom, k.UsageTo = now, authority.NotAfter, now, now.AddDate(testUsage, 0, 0)
	if k.Certificate, err = certify(k, &private.PublicKey, authority.Certificate, signer); err != nil {
		return nil, err
	}
	if err := writePrivateKey(dir, k.Handle, private); err != nil {
		return nil, err
	}
	keys = append(keys, k)
	return keys, writeKeys(dir, keys)
}

func writeKeys(dir string, keys []Key) error {
	text, err := json.MarshalIndent(keys, "", "  ")
	if err != nil {
		return fmt.Errorf("signing: encode keys: %w", err)
	}
	return writePrivate(dir, TestKeysFile, append(text, '\n'))
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
	return keys[:], writeKeys(dir, keys[:])
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
	for _, k := range keys {
		if k.Purpose == Paper && k.Issuer == office {
			return k, nil
		}
	}
	k := Key{Purpose: Paper, Issuer: office, Handle: "paper-" + office + ".pem"}
	if keys, err = addTestKey(dir, keys, k, now.UTC().Truncate(time.Second), certifyPaper); err != nil {
		return Key{}, err
	}
	return keys[len(keys)-1], nil
}

func certifyPaper(k Key, public *ecdsa.PublicKey, authority []byte, signer *ecdsa.PrivateKey) ([]byte, error) {
	parent, err := x509.ParseCertificate(authority)
	if err != nil {
		return nil, fmt.Errorf("signing: authority: %w", err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		Subject:   pkix.Name{Country: []string{TestCountry}, Organization: []string{"Akashi TEST"}, CommonName: "Akashi TEST paper " + k.Issuer},
		NotBefore: k.NotBefore, NotAfter: k.NotAfter,
		KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment,
	}, parent, public, signer)
	if err != nil {
		return nil, fmt.Errorf("signing: certify key: %w", err)
	}
	return der, nil
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
