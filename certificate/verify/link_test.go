package verify

import (
	"crypto/aes"
	"crypto/cipher"
	"encoding/base64"
	"encoding/json"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// opened is what a holder's program makes of a file behind a health link (JWE, dir, A256GCM).
func opened(t *testing.T, jwe, key string) []byte {
	t.Helper()
	var parts [5][]byte
	for i, s := range strings.Split(jwe, ".") {
		parts[i], _ = base64.RawURLEncoding.DecodeString(s)
	}
	secret, _ := base64.RawURLEncoding.DecodeString(key)
	block, err := aes.NewCipher(secret)
	if err != nil {
		t.Fatal(err)
	}
	gcm, err := cipher.NewGCM(block)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ := strings.Cut(jwe, ".")
	plain, err := gcm.Open(nil, parts[2], append(parts[3], parts[4]...), []byte(head))
	if err != nil {
		t.Fatal(err)
	}
	return plain
}

// Spec smart-health-cards, 9: what belongs to a health link is no card and is said to
// be none, encrypted files too; the card file that a holder gets out of one is judged
// as any other.
func TestBehindLinks(t *testing.T) {
	at := time.Unix(1720000000, 0)
	jwks := string(testkit.Read(t, "shc/keys/sample-issuer.jwks.json"))
	b, _ := withList(t, sampleIssuer, jwks, testkit.Read(t, "shc/keys/crl-of-sample-issuer.json"))
	var share struct {
		Payload struct{ Key string }
		Files   []string `json:"jweFiles"`
		QR      string   `json:"qrcode"`
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/shl/ERn18l4lL3_5yPXMSzx3ZejyMM_XIeWeseXa3DXsJD0.json"), &share); err != nil {
		t.Fatal(err)
	}
	example := strings.TrimSpace(string(testkit.Read(t, "shc/shl/spec-encryption-example.jwe")))
	png, _ := base64.StdEncoding.DecodeString(strings.TrimPrefix(share.QR, "data:image/png;base64,"))
	for name, c := range map[string]struct {
		content []byte
		code    string
	}{
		"payload":       {testkit.Read(t, "shc/shl/shlink-payload.txt"), NotRecognised},
		"manifest":      {testkit.Read(t, "shc/shl/shlink-manifest.txt"), NotRecognised},
		"manifest file": {testkit.Read(t, "shc/shl/shlink-manifest-file.txt"), NotRecognised},
		"share":         {testkit.Read(t, "shc/shl/ERn18l4lL3_5yPXMSzx3ZejyMM_XIeWeseXa3DXsJD0.json"), TooLong},
		"symbol":        {png, FamilyNotSupported},
		"example":       {[]byte(example), CardShape},
		"first file":    {[]byte(share.Files[0]), CardShape},
		"second file":   {[]byte(share.Files[1]), CardShape},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			for _, v := range File(name, c.content, b, at) {
				expect{Unreadable, Readable, Failed, c.code}.check(t, v)
			}
		})
	}
	for name, f := range map[string][]byte{
		"example":     opened(t, example, "rxTgYlOaKJPFtcEd0qcceN8wEU4p94SqAwIWQe6uX7Q"),
		"first file":  opened(t, share.Files[0], share.Payload.Key),
		"second file": opened(t, share.Files[1], share.Payload.Key),
	} {
		t.Run("ok/"+name, func(t *testing.T) {
			list := File("card.smart-health-card", f, b, at)
			for _, v := range list {
				expect{outcome: Valid}.check(t, v)
			}
			if len(list) != 1 {
				t.Errorf("%d cards", len(list))
			}
		})
	}
}
