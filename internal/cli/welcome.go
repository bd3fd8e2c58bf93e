package cli

import (
	"fmt"
	"io"
)

// welcome tells a newcomer where the faces are, who may sign in, and what to try;
// app is nil without the staff face.
func welcome(out io.Writer, app *App, keys []StaffKey, bound map[string]string) {
	p := func(format string, args ...any) { _, _ = fmt.Fprintf(out, format+"\n", args...) }
	p("Akashi %s is ready. Everything it makes is TEST.", Version)
	p("")
	for _, face := range []struct{ name, what string }{
		{"staff", "counter and officers"}, {"public", "verifiers: keys, verify"}, {"ops", "health"},
	} {
		if at := bound[face.name]; at != "" {
			p("  %-7s %s   %s", face.name, at, face.what)
		}
	}
	if len(keys) < 2 {
		return
	}
	staff := bound["staff"]
	p("")
	p("The invented office %s has two people. Their keys (kept in %s/test-staff-keys.json):", TestOffice, app.Config.Data)
	for _, k := range keys {
		p("  %-8s %s\n           %s", k.Role, k.Name, k.Key)
	}
	p("")
	p("To try, in another terminal:")
	p("")
	p("  CLERK=%s", keys[0].Key)
	p("  OFFICER=%s", keys[1].Key)
	p("  # 1. bring subjects and records; a second person commits")
	p("  for KIND in subjects records; do")
	p("    ID=$(curl -s %s/api/v1/imports/$KIND -H \"Authorization: Bearer $CLERK\" -H 'Content-Type: text/csv' --data-binary @samples/$KIND.csv | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')", staff)
	p("    curl -s -X POST %s/api/v1/imports/$ID/commit -H \"Authorization: Bearer $OFFICER\"; echo", staff)
	p("  done")
	p("  # 2. an application with a passport, handed in and checked")
	p("  ID=$(curl -s %s/api/v1/applications -H \"Authorization: Bearer $CLERK\" -H 'Content-Type: application/json' -d @samples/travel.json | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')", staff)
	p("  curl -s -X POST %s/api/v1/applications/$ID/submit -H \"Authorization: Bearer $CLERK\"; echo", staff)
	p("  # 3. the certificate and its paper")
	p("  CERT=$(curl -s -X POST %s/api/v1/applications/$ID/certificate -H \"Authorization: Bearer $CLERK\" | sed 's/.*\"id\":\"\\([^\"]*\\)\".*/\\1/')", staff)
	p("  curl -s -X POST %s/api/v1/certificates/$CERT/prints -H \"Authorization: Bearer $CLERK\" -o certificate.pdf", staff)
	p("  curl -s %s/api/v1/certificates/$CERT/card -H \"Authorization: Bearer $CLERK\" -o certificate.smart-health-card", staff)
	p("  # 4. what a stranger sees")
	p("  AKASHI_DATA=%s go run ./cmd/akashi verify certificate.smart-health-card", app.Config.Data)
	p("")
	p("The API: %s/openapi.json. Stop with Ctrl-C.", staff)
}
