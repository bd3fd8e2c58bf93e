package signing

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"akashi/internal/testkit"
)

// Wycheproof's key sets, for a program that verifies ES256 only: the first problem of
// each key by the name of its group, "" for one that is used. The key id is set
// to the thumbprint before, for otherwise none would be.
var keySets = map[string][]string{
	"jws_mixedSymmetryKeyset": {"private", ""}, "jws_keyset": {"private", "private"}, "jws_duplicate_kid": {"private", "private"},
	"rs256": {"wrong_kty"}, "jws_rsa_roca_key": {"wrong_kty"}, "keysize_too_small": {"wrong_kty"}, "jws_rsa": {"wrong_kty"},
	"HS256": {"private"}, "HS384": {"private"}, "jws_aes": {"private"}, "jwe_aes": {"private"},
	"wrong_algorithm": {"wrong_alg"}, "invalid_algorithm": {"wrong_alg"}, "invalid_point": {"not_a_point"}, "wrong_curve": {"wrong_crv"},
	"invalid_aes_gcm_key": {"private"}, "invalid_aes_kw_key": {"private"}, "jws_ec": {""}, "jwe_ec": {"private"},
}

// S-064, S-066.
func TestWycheproofKeys(t *testing.T) {
	ran := map[string]int{}
	for _, file := range []string{"json_web_key", "json_web_crypto"} {
		var list struct {
			Groups []struct {
				Comment         string
				Private, Public json.RawMessage
				Tests           []struct{}
			} `json:"testGroups"`
		}
		if err := json.Unmarshal(testkit.Read(t, "security/wycheproof/"+file+".json"), &list); err != nil {
			t.Fatal(err)
		}
		for _, g := range list.Groups {
			text := g.Public
			if text == nil {
				text = g.Private
			}
			ran[file] += len(g.Tests)
			t.Run(file+"/"+g.Comment, func(t *testing.T) {
				keys, problems, err := ParseJWKS(keySet(t, text))
				if err != nil {
					t.Fatal(err)
				}
				got := make([]string, len(keys)+len(problems))
				for _, p := range problems {
					got[p.Index] = p.Code
				}
				if diff := cmp.Diff(keySets[g.Comment], got); diff != "" {
					t.Error(diff)
				}
			})
		}
	}
	if ran["json_web_key"] != 18 || ran["json_web_crypto"] != 56 {
		t.Errorf("ran %v, want 18 and 56", ran)
	}
}

// keySet makes a key set of a set, a set as text, or a single key.
func keySet(t *testing.T, text []byte) []byte {
	t.Helper()
	var quoted string
	if json.Unmarshal(text, &quoted) == nil {
		text = []byte(quoted)
	}
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if !strings.Contains(string(text), `"keys"`) {
		text = []byte(`{"keys":[` + string(text) + `]}`)
	}
	if err := json.Unmarshal(text, &set); err != nil {
		t.Fatal(err)
	}
	for _, k := range set.Keys {
		x, _ := k["x"].(string)
		y, _ := k["y"].(string)
		k["kid"] = thumbprint("P-256", x, y)
	}
	out, err := json.Marshal(set)
	if err != nil {
		t.Fatal(err)
	}
	return out
}
