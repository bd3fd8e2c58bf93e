package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

// operator is who carries out what two officers approved: the command line.
var operator = actor.Actor{
	Office: cli.TestOffice, Person: "job:test", Terminal: "command", Purpose: actor.Operate,
	Permissions: map[string]bool{string(office.CarryOutKeys): true},
}

// S-029, S-068: a key is withdrawn by two officers and whoever carries it out; what
// it signed is listed and fails our own verification, and it signs no more.
func TestWithdrawKey(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		app := w.Approved(t, certificate.Domestic)
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, app)
		if err != nil {
			t.Fatal(err)
		}
		key, code := i.Payloads[0].KeyID, w.Officer.Office
		if list, err := w.Store.CertificatesOfKey(t.Context(), code, key); err != nil || len(list) != 1 || list[0].Certificate.ID != i.Certificate.ID || list[0].State != issuance.Issued {
			t.Errorf("ok/what it signed: %v %v", list, err)
		}
		if err := w.Keys.Withdraw(t.Context(), operator, key); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/nobody approved: %v", err)
		}
		w.Approve(t, office.RetireKey, key)
		if err := w.Keys.Withdraw(t.Context(), operator, "nobody"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/no such key: %v", err)
		}
		if err := w.Keys.Withdraw(t.Context(), operator, key); err != nil {
			t.Fatalf("ok/withdrawn: %v", err)
		}
		if k, err := w.Store.SigningKey(t.Context(), key); err != nil || k.State != signing.Compromised {
			t.Errorf("ok/state: %+v %v", k, err)
		}
		next := w.Approved(t, certificate.Domestic)
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, next); err == nil {
			t.Error("error/it still signs")
		}
	})
}

// What goes wrong at the command line is told in the caller's language.
func TestExplained(t *testing.T) {
	data := t.TempDir()
	id := "-" + strings.Repeat("A", 42) // as a key's id may begin
	for locale, want := range map[string]string{
		"LANG=ja_JP.UTF-8":              "akashi: その鍵はありません。 [signing_key]\n",
		"LANG=en_US.UTF-8":              "akashi: There is no such key. [signing_key]\n",
		"LC_ALL=C.UTF-8,LANG=ja_JP":     "akashi: There is no such key. [signing_key]\n",
		"LC_ALL=,LC_MESSAGES=ja,LANG=C": "akashi: その鍵はありません。 [signing_key]\n",
	} {
		var out, errs bytes.Buffer
		status := cli.Run(t.Context(), []string{"key", "withdraw", cli.TestOffice, id}, nil, &out, &errs, cli.Adapters{
			Environ: append(strings.Split(locale, ","), "AKASHI_DATA="+data), Open: world.OpenStore,
			Sentence: func(*fault.Error) (ja, en string) { return "その鍵はありません。", "There is no such key." },
		})
		if status != 1 || errs.String() != want {
			t.Errorf("error/%s: %d %q", locale, status, errs.String())
		}
	}
}
