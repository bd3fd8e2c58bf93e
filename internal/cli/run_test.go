package cli_test

import (
	"bytes"
	"errors"
	"regexp"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/actor"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
)

// elsewhere is the same service seen from a further office, with one person of its own.
func elsewhere(t *testing.T, w *world.World, code string) *world.World {
	t.Helper()
	o, err := office.New(code, "架空県隣市", "Tonari City")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.AddOffice(t.Context(), o, nil, nil); err != nil {
		t.Fatal(err)
	}
	here, err := w.Store.Office(t.Context(), w.Clerk.Office)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.ChangeOffice(t.Context(), code, func(s *office.Settings) { *s = here.Settings }); err != nil {
		t.Fatal(err)
	}
	other := *w
	other.Clerk = w.Person(t, code+"-clerk", office.Clerk).Actor(actor.Certificate, "test", "", w.Clock.Now())
	other.Officer = w.Person(t, code+"-officer1", office.Officer).Actor(actor.Certificate, "test", "", w.Clock.Now())
	other.Bring(t, vaccination.Subjects, []byte("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"+
		code+",0000000001,300001,桜井,澪,サクライ,ミオ,1991-02-18,2,resident,\n"))
	other.Bring(t, vaccination.Records, []byte("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"+
		code+",0000000001,1,2021-06-21,ファイザー,コミナティ,ZA1001,架空県隣市保健センター,,ledger,1,covid19\n"))
	return &other
}

// S-029, S-068, issue 5, 4 and 5: a key that offices share is withdrawn once. What each of
// them made with it is listed over all, asked for in those that are named, approved and
// started by two people of each, and told in one list; no other office is touched.
func TestRunOverOffices(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, here, there, third := t.Context(), w.Clerk.Office, "900010", "900028"
		offices := map[string]*world.World{here: w, there: elsewhere(t, w, there), third: elsewhere(t, w, third)}
		made := map[string][]string{}
		key := ""
		for n, code := range []string{here, there, third} {
			for range n + 1 {
				i, _, err := w.Issuance.Issue(ctx, offices[code].Clerk, offices[code].Approved(t, certificate.Domestic))
				if err != nil {
					t.Fatal(err)
				}
				made[code], key = append(made[code], i.Certificate.ID), i.Payloads[0].KeyID
			}
		}
		command := func(status int, args ...string) string {
			t.Helper()
			var out, errs bytes.Buffer
			env := []string{"AKASHI_DATA=" + w.Config.Data}
			if w.Config.DatabaseURL != "" {
				env = append(env, "AKASHI_DATABASE_URL="+string(w.Config.DatabaseURL), "AKASHI_DATABASE_URL_SIGNER="+string(w.Config.DatabaseURLSigner))
			}
			if got := cli.Run(ctx, args, nil, &out, &errs, cli.Adapters{Environ: env, Open: world.OpenStore}); got != status {
				t.Fatalf("%v: %d %s%s", args, got, out.String(), errs.String())
			}
			return out.String() + errs.String()
		}
		has := func(name, said string, wants ...string) {
			t.Helper()
			for _, want := range wants {
				if !strings.Contains(said, want) {
					t.Errorf("%s: no %q in\n%s", name, want, said)
				}
			}
		}
		states := func(code string) (found string) {
			t.Helper()
			list, err := w.Store.CertificatesOfKey(ctx, code, key)
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range list {
				found += string(i.State) + " "
			}
			return strings.TrimSpace(found)
		}

		listed := command(0, "key", "certificates", "--all", key)
		if n := strings.Count(listed, "\n"); n != 6 {
			t.Errorf("ok/listed over all: %s", listed)
		}
		for code, ids := range made {
			for _, id := range ids {
				has("ok/listed", listed, code+" "+id+" issued\n")
			}
		}
		if some := command(0, "key", "certificates", here, there, key); strings.Count(some, "\n") != 3 || strings.Contains(some, third) {
			t.Errorf("ok/listed of some: %s", some)
		}

		w.Approve(t, office.RetireKey, key)
		if err := w.Keys.Withdraw(ctx, operator, key); err != nil {
			t.Fatal(err)
		}
		said := command(0, "run", "ask", "revoke", "--key", key, "--reason", "key_compromised", here, there)
		has("ok/asked", said, here+"  ", ": 1 certificates, to be approved", there+"  ", ": 2 certificates, to be approved")
		has("ok/an office that nobody asked", command(0, "run", "list", "--key", key, "--all"), third+"  3 certificates under the key, nothing asked for", "2 runs in 3 offices: 0 of 3 certificates done")
		again := command(0, "run", "ask", "revoke", "--key", key, "--reason", "key_compromised", "--all")
		has("ok/asked again", again, "1 certificates, requested already", "2 certificates, requested already", "3 certificates, to be approved")
		has("ok/an office without any", command(0, "run", "ask", "revoke", "--catalogue", "none", "--reason", "key_compromised", here), here+"  has none", "no office has any")
		has("error/a reason that is none", command(cli.UsageStatus, "run", "ask", "revoke", "--key", key, "--reason", "boredom", here, there), "--reason of revoke is one of", "key_compromised")
		has("error/days the wrong way round", command(cli.UsageStatus, "run", "ask", "revoke", "--issued-from", "2026-02-02", "--issued-until", "2026-02-01", "--reason", "key_compromised", here), "days_reversed")
		progress := command(0, "run", "list", "--key", key, "--all")
		has("ok/nothing is done", progress, "requested (key_compromised): 0 of 1 done", "3 runs in 3 offices: 0 of 6 certificates done")

		// Two people of each office; one of them alone, or of another office, does not do.
		run := map[string]string{}
		for _, line := range regexp.MustCompile(`(?m)^(\d{6})  revoke (\S+) `).FindAllStringSubmatch(progress, -1) {
			run[line[1]] = line[2]
		}
		person := func(code, name string) actor.Actor {
			return w.Person(t, code+"-"+name, office.Approver).Actor(actor.Operate, "test", "", w.Clock.Now())
		}
		refused := func(name, key string, by actor.Actor, id string) {
			t.Helper()
			var f *fault.Error
			if _, err := w.Revocations.Start(ctx, by, id); !errors.As(err, &f) || f.Key != key {
				t.Errorf("error/%s: %v", name, err)
			}
		}
		for _, code := range []string{here, there} {
			one, two := person(code, "approver1"), person(code, "approver2")
			refused("nobody has approved", "approval_needed", two, run[code])
			r, err := w.Revocations.Get(ctx, one, run[code])
			if err == nil {
				_, err = w.Approvals.Approve(ctx, one, r.Approval, "")
			}
			if err != nil {
				t.Fatal(err)
			}
			refused("one person alone", "third_person", one, run[code])
			refused("of another office", "bulk", person(third, "approver1"), run[code])
			if _, err := w.Revocations.Start(ctx, two, run[code]); err != nil {
				t.Fatal(err)
			}
			if code == here {
				runJob(t, w, "revoke")
				if got := states(here) + ", " + states(there) + ", " + states(third); got != "revoked, issued issued, issued issued issued" {
					t.Errorf("ok/one office has started: %s", got)
				}
				has("ok/progress", command(0, "run", "list", "--key", key, "--all"), here+"  revoke "+run[here]+" finished (key_compromised): 1 of 1 done", "3 runs in 3 offices: 1 of 6 certificates done")
			}
		}
		runJob(t, w, "revoke")
		if got := states(here) + ", " + states(there) + ", " + states(third); got != "revoked, revoked revoked, issued issued issued" {
			t.Errorf("error/the office that did not start: %s", got)
		}
		has("ok/two of three", command(0, "run", "list", "--key", key, here, there), "2 runs in 2 offices: 3 of 3 certificates done")
		has("ok/finished", command(0, "run", "list", "--key", key, "--all"), "requested (key_compromised): 0 of 3 done", "3 runs in 3 offices: 3 of 6 certificates done")
		if _, err := w.Revocations.Stop(ctx, person(third, "approver1"), run[third]); err != nil {
			t.Fatal(err)
		}
		has("ok/asked anew once it was stopped", command(0, "run", "ask", "revoke", "--key", key, "--reason", "key_compromised", "--all"), "3 certificates, to be approved", here+"  has none")
		for _, bad := range [][]string{{"run", "list", "--key", key + "x", "--all"}, {"run", "ask", "revoke", "--key", key[1:], "--reason", "key_compromised", "--all"}, {"key", "certificates", "--all", key + "x"}} {
			has("error/a key that is not here", command(1, bad...), "there is no key")
		}
		command(cli.UsageStatus, "run", "ask", "revoke", "--key", "", "--reason", "key_compromised", "--all") // an empty variable of a script selects all
		for _, bad := range [][]string{{"ask", "revoke"}, {"ask", "burn", "--all"}, {"ask", "revoke", "--all", here}, {"list"}, {"list", "900011"}} {
			command(cli.UsageStatus, append([]string{"run"}, bad...)...)
		}
		has("error/an office that is not here", command(1, "run", "list", "900036"), "there is no office 900036")
		for code, id := range run {
			if told := logOf(t, offices[code], id); strings.Count(told, "revocation.request ok\n") != 1 || strings.Count(told, "revocation.start ok\n") != map[string]int{here: 1, there: 1}[code] {
				t.Errorf("ok/log of %s: %s", code, told)
			}
		}
	})
}
