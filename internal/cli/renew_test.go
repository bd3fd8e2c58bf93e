package cli_test

import (
	"bytes"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/cli"
	"akashi/internal/testkit/world"
)

// spec who-icvp-gdhcn, 4: what expires is listed and counted; nobody makes it again from here.
func TestRenew(t *testing.T) {
	w := world.New(t, cli.Config{Data: t.TempDir()})
	w.BringInternational(t)
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.International))
	if err != nil {
		t.Fatal(err)
	}
	renew := func(args ...string) (int, string) {
		var out, errs bytes.Buffer
		status := cli.Run(t.Context(), append([]string{"renew"}, args...), strings.NewReader(""), &out, &errs, adapters("AKASHI_DATA="+w.Config.Data))
		return status, out.String() + errs.String()
	}
	id := i.Certificate.ID
	if status, out := renew(cli.TestOffice); status != 0 || !strings.HasPrefix(out, "0 certificates with codes until ") {
		t.Errorf("ok/nothing yet: %d %s", status, out)
	}
	if status, out := renew(cli.TestOffice, "--within", "800"); status != 0 || !strings.HasPrefix(out, id+"  icvp") || !strings.Contains(out, "\n1 certificates with codes until ") {
		t.Errorf("ok/listed: %d %s", status, out)
	}
	if status, out := renew(cli.TestOffice, id); status != 64 {
		t.Errorf("error/made again by one person: %d %s", status, out)
	}
	for _, args := range [][]string{{}, {"1"}, {cli.TestOffice, "--within", "0"}} {
		if status, _ := renew(args...); status != 64 {
			t.Errorf("error/%v: %d", args, status)
		}
	}
}
