package cli_test

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"akashi/internal/cli"
)

// L-02, S-004, S-025: what is refused at start, and why.
func TestConfig(t *testing.T) {
	tls := []string{"TLS_CERTIFICATE=c.pem", "TLS_KEY=k.pem"}
	staff := append([]string{"STAFF_CLIENT_CA=ca.pem"}, tls...)
	production := append([]string{
		"PRODUCTION=true", "SHC_ISSUER=https://issuer.example.jp", "VDSNC_ISSUER=JPN",
		"DATABASE_URL=postgres://akashi_staff@db.example.jp/akashi?sslmode=verify-full", "STAFF_ADDR=10.1.2.3:443", "NODES=2",
		"PKCS11_MODULE=/usr/lib/token.so", "PKCS11_PIN=of the test",
	}, staff...)
	with := func(base []string, more ...string) []string { return append(append([]string{}, base...), more...) }
	for name, c := range map[string]struct {
		settings []string
		refusal  string // part of the message; empty: accepted
	}{
		"ok/nothing":                        {nil, ""},
		"ok/public alone":                   {[]string{"FACES=public"}, ""},
		"ok/jobs alone":                     {[]string{"FACES=jobs"}, ""},
		"ok/other loopback":                 {[]string{"STAFF_ADDR=[::1]:80", "PUBLIC_ADDR=localhost:1", "OPS_ADDR=127.9.9.9:0"}, ""},
		"ok/TLS elsewhere":                  {with(tls, "PUBLIC_ADDR=0.0.0.0:443"), ""},
		"ok/address of a face not served":   {[]string{"FACES=staff", "PUBLIC_ADDR=0.0.0.0:443"}, ""},
		"ok/proxies":                        {[]string{"TRUSTED_PROXIES=10.0.0.0/8,fd00::/8"}, ""},
		"ok/production":                     {production, ""},
		"ok/production, public alone":       {with(production, "FACES=public", "STAFF_CLIENT_CA=", "PKCS11_MODULE="), ""},
		"ok/production, jobs without TLS":   {with(production, "FACES=jobs", "TLS_CERTIFICATE=", "TLS_KEY=", "STAFF_CLIENT_CA="), ""},
		"ok/production over a socket":       {with(production, "DATABASE_URL=postgres:///akashi?host=/run/postgresql"), ""},
		"error/unknown setting":             {[]string{"FACE=staff"}, "unknown setting"},
		"error/unknown face":                {[]string{"FACES=staff,venue"}, "venue"},
		"error/face twice":                  {[]string{"FACES=staff,staff"}, "each once"},
		"error/ops alone":                   {[]string{"FACES=ops"}, "beside ops"},
		"error/plain HTTP to all":           {[]string{"STAFF_ADDR=0.0.0.0:8080"}, "only loopback"},
		"error/plain HTTP, no host":         {[]string{"OPS_ADDR=:8090"}, "only loopback"},
		"error/plain HTTP, a name":          {[]string{"PUBLIC_ADDR=akashi.example.jp:80"}, "only loopback"},
		"error/certificate without key":     {tls[:1], "belong together"},
		"error/terminals without TLS":       {staff[:1], "needs AKASHI_TLS_CERTIFICATE"},
		"error/terminals perhaps":           {with(staff, "STAFF_TERMINALS=perhaps"), "required or optional"},
		"error/proxies by name":             {[]string{"TRUSTED_PROXIES=proxy.example.jp"}, "TrustedProxies"},
		"error/production without TLS":      {with(production, "TLS_CERTIFICATE=", "TLS_KEY=", "STAFF_CLIENT_CA=", "STAFF_ADDR=127.0.0.1:1"), "on every face"},
		"error/production, any terminal":    {with(production, "STAFF_TERMINALS=optional"), "registered terminals"},
		"error/production, no terminals":    {with(production, "STAFF_CLIENT_CA="), "registered terminals"},
		"error/production, database in TLS": {with(production, "DATABASE_URL=postgres://akashi_staff@db/akashi?sslmode=require"), "verify-full in AKASHI_DATABASE_URL"},
		"error/production, no sslmode":      {with(production, "DATABASE_URL_PUBLIC=postgres://akashi_public@db/akashi"), "verify-full in AKASHI_DATABASE_URL_PUBLIC"},
		"error/production, sslmode twice":   {with(production, "MIGRATE_URL=postgres://o@db/a?sslmode=verify-full&sslmode=disable"), "verify-full in AKASHI_MIGRATE_URL"},
		"error/production, signer":          {with(production, "DATABASE_URL_SIGNER=postgres://s@db/a?sslmode=disable"), "verify-full"},
		"error/production, jobs":            {with(production, "DATABASE_URL_JOBS=host=db sslmode=verify-full"), "verify-full"},
		"error/production, how many nodes":  {with(production, "NODES="), "AKASHI_NODES"},
		"error/production on SQLite":        {with(production, "DATABASE_URL="), "needs"},
		"error/production with file keys":   {with(production, "PKCS11_MODULE="), "keys in a token"},
		"error/production without a PIN":    {with(production, "PKCS11_PIN="), "keys in a token"},
		"error/no sessions":                 {with(production, "PKCS11_SESSIONS=0"), "at least 1"},
		"error/a token for TEST":            {[]string{"PKCS11_MODULE=/usr/lib/token.so"}, "needs AKASHI_PRODUCTION"},
	} {
		t.Run(name, func(t *testing.T) {
			var environ []string
			for _, s := range c.settings {
				environ = append(environ, "AKASHI_"+s)
			}
			config, err := cli.LoadConfig(environ)
			if c.refusal == "" && err != nil || c.refusal != "" && (err == nil || !strings.Contains(err.Error(), c.refusal)) {
				t.Errorf("%v, want %q", err, c.refusal)
			}
			if text := fmt.Sprintf("%v %+v", config, err); strings.Contains(text, "postgres://") {
				t.Error("a database URL is shown")
			}
		})
	}
}

// docs/operator.md names every setting, and no other.
func TestSettingsAreDocumented(t *testing.T) {
	_, err := cli.LoadConfig([]string{"AKASHI_NONSENSE=1"})
	if err == nil {
		t.Fatal("an unknown setting was accepted")
	}
	_, list, _ := strings.Cut(err.Error(), "known are ")
	known := strings.Split(strings.ReplaceAll(list, "AKASHI_", ""), ", ")
	text, err := os.ReadFile("../../docs/operator.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(text), "\n| variable | what |\n|---|---|\n")
	var named []string
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 {
			break
		}
		first := ""
		for _, name := range regexp.MustCompile("`([A-Z0-9_]+)`").FindAllStringSubmatch(cells[1], -1) {
			if strings.HasPrefix(name[1], "_") { // what ends otherwise than the first of the line
				named = append(named, first+name[1])
				continue
			}
			first, named = name[1], append(named, name[1])
		}
	}
	slices.Sort(named)
	slices.Sort(known)
	if len(known) < 20 || !slices.Equal(named, known) {
		t.Errorf("documented %v\nknown      %v", named, known)
	}
}
