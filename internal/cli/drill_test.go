package cli_test

import (
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/trust"
	"akashi/certificate/verify"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/cli"
	"akashi/internal/clock"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/publish"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
	"akashi/signing"
	"akashi/signing/pki"
)

// heldBy is how many people the drill is with: a hundredth of a million where CI runs it on
// SQLite (S-068), else 30, or AKASHI_DRILL.
func heldBy(t *testing.T) int {
	t.Helper()
	text := os.Getenv("AKASHI_DRILL")
	switch {
	case text == "" && os.Getenv("CI") == "true" && strings.HasSuffix(t.Name(), "/sqlite"):
		return 10_000
	case text == "":
		return 30
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 30 {
		t.Fatalf("AKASHI_DRILL: %q", text)
	}
	return n
}

// given are the characters of the holders' given names.
var given = []rune("一二三四五六七八九十百千万東西南北春夏秋冬山川森林海空星月花")

// bringHolders registers people of the office with one dose each, and returns their
// applications, approved.
func bringHolders(t *testing.T, w *world.World) (applications []string) {
	t.Helper()
	subjects := "municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"
	records := "municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"
	all := make([]application.Subject, heldBy(t))
	for n := range all {
		ticket, born := fmt.Sprintf("%010d", 500000+n), time.Date(1970, 1, 1+n, 0, 0, 0, 0, time.UTC).Format(time.DateOnly)
		name := string([]rune{given[n%30], given[n/30%30], given[n/900%30]})
		all[n] = application.Subject{Ticket: ticket, Name: certificate.Name{Family: "架空", Given: name}, BirthDate: clock.Date(born)}
		subjects += fmt.Sprintf("900001,%s,2%09d,架空,%s,カクウ,ホジ,%s,1,resident,\n", ticket, n, name, born)
		records += fmt.Sprintf("900001,%s,1,2021-06-21,ファイザー,コミナティ,ZA1001,架空県証市保健センター,,ledger,%d,covid19\n", ticket, n+1)
	}
	w.Bring(t, vaccination.Subjects, []byte(subjects))
	w.Bring(t, vaccination.Records, []byte(records))
	for _, subject := range all {
		f := world.Form(certificate.Domestic)
		f.Subject = subject
		applications = append(applications, w.ApprovedForm(t, f))
	}
	return applications
}

// announceKey adds a key of a purpose to those of the TEST identity, announced for so
// long, as one in reserve is; a service takes it up at its next start.
func announceKey(t *testing.T, w *world.World, purpose signing.Purpose, ago time.Duration) signing.Key {
	t.Helper()
	other, own := filepath.Join(t.TempDir(), "keys"), filepath.Join(w.Config.Data, "keys")
	made, err := signing.MakeTestIdentity(other, time.Now().Add(-ago))
	if err != nil {
		t.Fatal(err)
	}
	keys, err := signing.MakeTestIdentity(own, time.Now())
	if err != nil {
		t.Fatal(err)
	}
	k := made[slices.IndexFunc(made, func(k signing.Key) bool { return k.Purpose == purpose })]
	private, err := os.ReadFile(filepath.Join(other, k.Handle))
	if err != nil {
		t.Fatal(err)
	}
	if purpose == signing.DSC {
		authority, signer := testAuthority(t, keys, own)
		k.Certificate, err = pki.CreateHealthSigner(pki.SignerTemplate{
			Country: signing.TestCountry, CommonName: "HC1 codes in reserve", NotBefore: k.NotBefore.Add(ago), NotAfter: k.NotAfter,
		}, publicOf(t, k), authority, signer)
		if err != nil {
			t.Fatal(err)
		}
	}
	k.State, k.Handle, k.UsageFrom = signing.Announced, string(purpose)+"-reserve.pem", k.UsageFrom.Add(7*24*time.Hour)
	list, err := json.Marshal(append(keys, k))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{k.Handle: private, signing.TestKeysFile: list} {
		if err := os.WriteFile(filepath.Join(own, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

// dying is a store whose process dies after a certificate was made again and before
// that is noted.
type dying struct {
	cli.Store
	left int
}

var errDied = errors.New("the process died")

func (s *dying) ReissuedItem(ctx context.Context, code string, item issuance.Item) (string, error) {
	if s.left--; s.left < 0 {
		return "", errDied
	}
	return s.Store.ReissuedItem(ctx, code, item)
}

// S-068, issue 5, section 5: the compromise drill. Many holders (heldBy) have certificates under
// key A. Two people withdraw it: what strangers load next says NOT VALID of all. Under
// key B, which was announced in reserve, all are made again, though the process dies in
// the middle; in the end each holder has one that is valid, the progress says all,
// the old ones are on every list within 15 minutes, and the log tells it.
func TestCompromiseDrill(t *testing.T) {
	t.Run("health cards", func(t *testing.T) {
		drill(t, signing.SHC, certificate.SHC, verify.KeyOfOtherTest, bringHolders)
	})
	t.Run("HC1 codes", func(t *testing.T) {
		drill(t, signing.DSC, certificate.ICVP, verify.KeyNotListed, func(t *testing.T, w *world.World) (applications []string) {
			w.BringInternational(t)
			for range 14 {
				applications = append(applications, w.Approved(t, certificate.International))
			}
			return applications
		})
	})
}

// drill withdraws the key of a purpose under which applications got their certificates. A
// stranger who loads the keys afterwards hears the reason of a code that they signed.
func drill(t *testing.T, purpose signing.Purpose, family certificate.Family, withdrawn string, bring func(*testing.T, *world.World) []string) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, code := t.Context(), w.Clerk.Office
		applications := bring(t, w)
		holders := len(applications)
		b := announceKey(t, w, purpose, 8*24*time.Hour)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w.Open(t)
		old := map[string]issuance.Issue{} // by application
		for _, id := range applications {
			i, _, err := w.Issuance.Issue(ctx, w.Clerk, id)
			if err != nil {
				t.Fatal(err)
			}
			old[id] = i
		}
		a := old[applications[0]].Payloads[0].KeyID
		runJob(t, w, "lists")
		dir := t.TempDir()
		before := carried(t, published(t, w), dir)
		keys, err := w.Published.Bundle(ctx) // without lists
		if err != nil {
			t.Fatal(err)
		}
		all := func(name string, list map[string]issuance.Issue, trusted *trust.Bundle, at time.Time, outcome verify.Outcome, facet, reason string) {
			t.Helper()
			for _, i := range list {
				v := verify.File("", []byte(i.Payloads[0].Text), trusted, at)[0]
				if v.Outcome != outcome || reason != "" && v.Facet(facet).Code != reason {
					t.Fatalf("%s: %s %v", name, v.Outcome, v.Facet(facet))
				}
			}
		}
		all("ok/issued", old, before, time.Now(), verify.Valid, "", "")
		if _, ok := before.Key(w.Config.SHCIssuer, b.ID); purpose == signing.SHC && !ok || a == b.ID {
			t.Error("error/the key in reserve is published before it signs")
		}

		began := time.Now()
		// 1. Withdraw, with two people; 2. publish.
		w.Approve(t, office.RetireKey, a)
		if err := w.Keys.Withdraw(ctx, operator, a); err != nil {
			t.Fatal(err)
		}
		after := carried(t, published(t, w), dir)
		all("error/withdrawn", old, after, time.Now(), verify.NotValid, verify.Key, withdrawn)
		all("ok/trust of before, until it is loaded again", old, before, time.Now(), verify.Valid, "", "")

		// 3. List; 4. activate the one in reserve, and ask for all to be made again.
		if told := certificatesOf(t, w, a, "--json"); strings.Count(told, `"state":"issued"}`+"\n") != holders {
			t.Errorf("ok/listed: %s", told)
		}
		one := w.Person(t, code+"-approver1", office.Approver).Actor(actor.Operate, "test", "", w.Clock.Now())
		two := w.Person(t, code+"-approver2", office.Approver).Actor(actor.Operate, "test", "", w.Clock.Now())
		r, err := w.Reissues.Ask(ctx, one, issuance.Selection{Key: a}, issuance.KeyCompromised, nil)
		if err == nil {
			_, err = w.Reissues.Start(ctx, two, r.ID)
		}
		if err != nil || r.Count != holders {
			t.Fatalf("ok/asked and started: %+v %v", r, err)
		}
		progress := func(done int) {
			t.Helper()
			if got, err := w.Reissues.Get(ctx, two, r.ID); err != nil || got.Done != done || got.Changed != done || got.Failed != 0 || got.Count != holders {
				t.Errorf("ok/progress: %+v %v, want %d", got, err, done)
			}
		}
		if n, err := w.Reissues.Step(ctx, 7); n != 0 || err == nil {
			t.Errorf("error/without a key: %d %v", n, err)
		}
		progress(0)
		w.Approve(t, office.ActivateKey, b.ID)
		if err := w.Keys.Activate(ctx, operator, b.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := w.Reissues.Step(ctx, 7); n != 7 || err != nil {
			t.Errorf("ok/step: %d %v", n, err)
		}
		progress(7)
		killed := *w.Reissues
		killed.Store = &dying{w.Store, 5}
		if n, err := killed.Step(ctx, 6); n != 5 || !errors.Is(err, errDied) {
			t.Errorf("error/died: %d %v", n, err)
		}
		progress(12)
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
		w.Open(t) // another process goes on
		progress(12)
		for done := 12; done < holders; {
			runJob(t, w, "reissue")
			got, err := w.Reissues.Get(ctx, two, r.ID)
			if err != nil || got.Done == done {
				t.Fatalf("error/no progress: %+v %v", got, err)
			}
			done = got.Done
		}
		t.Logf("made again: %s", time.Since(began).Round(time.Second))
		progress(holders)

		if told := certificatesOf(t, w, a); strings.Count(told, " superseded ") != holders || strings.Count(told, "\n") != holders {
			t.Errorf("ok/listed afterwards: %s", told)
		}

		// Each holder has one, under B, that is valid.
		fresh := map[string]issuance.Issue{}
		for _, id := range applications {
			list, err := w.Issuance.List(ctx, w.Clerk, issuance.Filter{Application: id, Limit: 10})
			live := slices.DeleteFunc(slices.Clone(list), func(i issuance.Issue) bool { return i.State != issuance.Issued })
			if err != nil || len(list) != 2 || len(live) != 1 || live[0].Certificate.Supersedes != old[id].Certificate.ID {
				t.Fatalf("error/of a holder: %d, live %d, %v", len(list), len(live), err)
			}
			if fresh[id], err = w.Issuance.Codes(ctx, w.Clerk, live[0].Certificate.ID); err != nil || fresh[id].Payloads[0].KeyID != b.ID {
				t.Fatalf("error/under another key: %v %v", fresh[id].Payloads, err)
			}
		}
		all("ok/made again", fresh, carried(t, published(t, w), dir), time.Now(), verify.Valid, "", "")

		// Whoever has not loaded the keys yet, but the status list, hears of a newer one.
		var now time.Time
		made := time.Now()
		w.Lists.Clock = func() time.Time { return now }
		listed := func() bool {
			l := published(t, w).Status(a)
			return l != nil && !slices.ContainsFunc(applications, func(id string) bool {
				return l.Why(family, old[id].Payloads[0].StatusID) != trust.Superseded
			})
		}
		for now = made; !listed() && now.Sub(made) <= 15*time.Minute; {
			now = now.Add(runJob(t, w, "lists").Every)
		}
		if now.Sub(made) > 15*time.Minute {
			t.Error("error/not on the list in 15 minutes")
		}
		final := carried(t, published(t, w), dir)
		all("error/old keys, new list", old, keys.WithStatus(final.Status(a)), time.Now(), verify.NotValid, verify.Revocation, verify.Superseded)
		all("error/new keys, new list", old, final, time.Now(), verify.NotValid, verify.Key, withdrawn)
		all("ok/made again", fresh, final, now, verify.Valid, "", "")

		// The log tells who, which and how far.
		for object, want := range map[string][]string{
			a: {"key.withdraw ok"}, b.ID: {"key.activate ok"}, r.ID: {"reissue.request ok", "reissue.start ok"},
			old[applications[0]].Certificate.ID: {"reissue.item ok"}, fresh[applications[0]].Certificate.ID: {"certificate.prepare ok", "certificate.issue ok"},
		} {
			told := logOf(t, w, object)
			for _, line := range want {
				if n := strings.Count(told, line+"\n"); n != 1 {
					t.Errorf("ok/log of %s: %q %d times in\n%s", object, line, n, told)
				}
			}
		}
	})
}

// certificatesOf is what akashi key certificates says of a key.
func certificatesOf(t *testing.T, w *world.World, key string, flags ...string) string {
	t.Helper()
	var out, errs bytes.Buffer
	env := []string{"AKASHI_DATA=" + w.Config.Data}
	if w.Config.DatabaseURL != "" {
		env = append(env, "AKASHI_DATABASE_URL="+string(w.Config.DatabaseURL), "AKASHI_DATABASE_URL_SIGNER="+string(w.Config.DatabaseURLSigner))
	}
	args := append([]string{"key", "certificates", w.Clerk.Office, key}, flags...)
	if status := cli.Run(t.Context(), args, nil, &out, &errs, cli.Adapters{Environ: env, Open: world.OpenStore}); status != 0 {
		t.Fatalf("%d %s", status, errs.String())
	}
	return out.String()
}

// logOf is the log of an object, an act and its result a line.
func logOf(t *testing.T, w *world.World, object string) (told string) {
	t.Helper()
	lines, err := w.Store.(interface {
		LogEntries(ctx context.Context, office, object string) ([][]byte, error)
	}).LogEntries(t.Context(), w.Clerk.Office, object)
	if err != nil {
		t.Fatal(err)
	}
	for _, line := range lines {
		var r struct{ Action, Result string }
		if err := json.Unmarshal(line, &r); err != nil {
			t.Fatal(err)
		}
		told += r.Action + " " + r.Result + "\n"
	}
	return told
}

// S-068: a bar code brings its signer with it, so that withdrawing the key is not enough
// for strangers: the authority has to revoke the signer. The playbook says so.
func TestWithdrawnSigner(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(i.Payloads, func(p issuance.Payload) bool { return p.Family == certificate.VDSNC })
	w.Approve(t, office.RetireKey, i.Payloads[at].KeyID)
	if err := w.Keys.Withdraw(t.Context(), operator, i.Payloads[at].KeyID); err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(w.Config.Data, "keys", signing.CRLFile)
	verdict := func() verify.Verdict {
		b, err := publish.New(w.Store, list, nil).Bundle(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		return verify.File("", []byte(i.Payloads[at].Text), b, time.Now())[0]
	}
	if v := verdict(); v.Outcome != verify.Valid {
		t.Errorf("ok/not revoked yet: %s", v.Outcome)
	}
	revokeSigner(t, w, i.Payloads[at].KeyID, list)
	if v := verdict(); v.Outcome != verify.NotValid || v.Facet(verify.Revocation).Code != verify.SignerRevoked {
		t.Errorf("error/revoked: %s %v", v.Outcome, v.Facet(verify.Revocation))
	}
}

// testAuthority is the TEST authority among the keys of a directory, and what it signs with.
func testAuthority(t *testing.T, keys []signing.Key, dir string) (certificate []byte, signer *ecdsa.PrivateKey) {
	t.Helper()
	authority := keys[slices.IndexFunc(keys, func(k signing.Key) bool { return k.Purpose == signing.Authority })]
	text, err := os.ReadFile(filepath.Join(dir, authority.Handle))
	if err != nil {
		t.Fatal(err)
	}
	block, _ := pem.Decode(text)
	private, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		t.Fatal(err)
	}
	return authority.Certificate, private.(*ecdsa.PrivateKey)
}

func publicOf(t *testing.T, k signing.Key) *ecdsa.PublicKey {
	t.Helper()
	public, err := x509.ParsePKIXPublicKey(k.Public)
	if err != nil {
		t.Fatal(err)
	}
	return public.(*ecdsa.PublicKey)
}

// revokeSigner writes a list of the TEST authority that names the signer.
func revokeSigner(t *testing.T, w *world.World, key, path string) {
	t.Helper()
	keys, err := w.Store.SigningKeys(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	signer := keys[slices.IndexFunc(keys, func(k signing.Key) bool { return k.ID == key })]
	authority, private := testAuthority(t, keys, filepath.Dir(path))
	certified, err := x509.ParseCertificate(signer.Certificate)
	if err != nil {
		t.Fatal(err)
	}
	crl, err := pki.CreateCRL(authority, private, 2, []*big.Int{certified.SerialNumber}, time.Now().Add(-time.Minute), time.Now().AddDate(0, 3, 0))
	if err == nil {
		err = os.WriteFile(path, crl, 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
}
