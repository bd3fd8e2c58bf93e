package outside

import (
	"encoding/json"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/testkit/world"
)

// Issue 5, "tried against": somebody else's verifier finds our revocation list where
// the specification says (smart-health-cards, 7), refuses what it names and nothing else.
func TestOwnRevocation(t *testing.T) {
	t.Parallel()
	w := world.New(t, cli.Config{Data: t.TempDir()})
	cards := map[string][]string{}
	ids := map[string]string{}
	for _, name := range []string{"kept", "revoked"} {
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		ids[name] = i.Certificate.ID
		for _, p := range i.Payloads {
			if p.Family == certificate.SHC {
				cards[name] = append(cards[name], p.Text)
			}
		}
	}
	files := func() (jwks []byte, at map[string]any) {
		t.Helper()
		if err := w.Lists.Step(t.Context()); err != nil {
			t.Fatal(err)
		}
		b, err := w.Published.Whole(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		iss := w.Config.SHCIssuer
		at = map[string]any{iss + "/.well-known/jwks.json": json.RawMessage(b.JWKS(iss))}
		for _, id := range b.KeyIDs() {
			if l := b.CardList(iss, id); l != nil {
				at[iss+"/.well-known/crl/"+id+".json"] = json.RawMessage(l.Raw)
			}
		}
		return b.JWKS(iss), at
	}
	check := func(name string, good bool) {
		t.Helper()
		jwks, at := files()
		for _, text := range cards[name] {
			var v Verdict
			ask(t, string(KillTheClipboard), map[string]any{"text": text, "issuer": w.Config.SHCIssuer, "jwks": json.RawMessage(jwks), "files": at}, &v)
			if v.OK != good || !good && !strings.Contains(v.Error, "revoked") {
				t.Errorf("%s: %v %s", name, v.OK, v.Error)
			}
		}
	}
	check("revoked", true)
	if _, err := w.Issuance.Revoke(t.Context(), w.Officer, ids["revoked"], "wrong_content"); err != nil {
		t.Fatal(err)
	}
	check("revoked", false)
	check("kept", true)
}
