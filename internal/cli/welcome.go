package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// welcome tells a newcomer where the faces are, who may set up an account, and
// what to try; app is nil without the staff face.
func welcome(out io.Writer, app *App, links []SetupLink, bound map[string]string) {
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
	if app == nil {
		return
	}
	origin := app.Config.StaffOrigin
	p("")
	p("Staff sign in at %s/sign-in with password and passkey.", origin)
	if len(links) == 0 {
		return
	}
	p("People of the invented office %s have no credentials yet: an officer asks and approves, an operator carries out.", TestOffice)
	p("Each link sets password and passkey of one, once, within 24 hours (kept in %s/%s):", app.Config.Data, linksFile)
	showLinks(out, origin, links)
	p("")
	p("In a browser: follow the links, sign in as the first officer, and bring samples/subjects.csv and samples/records.csv under 取込 (Imports);")
	p("the second officer takes each in there. README.md tells the rest.")
	if len(links) > 1 && links[1].User == TestOffice+"-officer2" {
		p("")
		p("To try without a browser, in another terminal, in a copy of the source tree (it reads samples/):")
		p("")
		before, options := app.Config.reach()
		_, _ = io.WriteString(out, before+strings.NewReplacer(
			"{data}", app.Config.Data, "{origin}", origin, "{one}", links[0].Link, "{two}", links[1].Link,
			"{akashi}", program(), "{options}", options, "{user1}", links[0].User, "{user2}", links[1].User, "{office}", TestOffice,
		).Replace(tour))
	}
	p("")
	p("The API: %s/openapi.json. Stop with Ctrl-C.", origin)
}

// reach is what the lines of the tour need where the staff face speaks TLS: what stands
// before them, and what `akashi sign-in` is told.
func (c Config) reach() (before, options string) {
	if c.TLSCertificate == "" {
		return "", ""
	}
	before, curl := "  # ca.pem: the authority of the server's certificate", "--cacert ca.pem"
	options = " --ca ca.pem"
	if c.ClientCA != "" {
		before += "; terminal.pem, terminal.key: those of a registered terminal"
		curl += " --cert terminal.pem --key terminal.key"
		options += " --certificate terminal.pem --key terminal.key"
	}
	return before + "\n  curl() { command curl " + curl + ` "$@"; }` + "\n", options
}

// program is how this program was called.
func program() string {
	if strings.Contains(os.Args[0], "go-build") { // by go run
		return "go run ./cmd/akashi"
	}
	return os.Args[0]
}

// tour is what the README promises, as lines for a shell.
const tour = `  export AKASHI_DATA={data}
  STAFF={origin}/api/v1; id() { sed 's/.*"id":"\([^"]*\)".*/\1/'; }
  # 1. two officers set password and (software) passkey, and sign in
  {akashi} sign-in --url {origin}{options} --setup {one} --jar one.jar
  {akashi} sign-in --url {origin}{options} --setup {two} --jar two.jar
  # 2. bring subjects and records; a second person commits
  for KIND in subjects records; do
    ID=$(curl -s -b one.jar $STAFF/imports/$KIND -H 'Content-Type: text/csv' --data-binary @samples/$KIND.csv | id)
    curl -s -b two.jar -X POST $STAFF/imports/$ID/commit; echo
  done
  # 3. an application with a passport, handed in and checked
  ID=$(curl -s -b one.jar $STAFF/applications -H 'Content-Type: application/json' -d @samples/travel.json | id)
  curl -s -b one.jar -X POST $STAFF/applications/$ID/submit; echo
  # 4. the certificate and its paper
  CERT=$(curl -s -b one.jar -X POST $STAFF/applications/$ID/certificate | id)
  curl -s -b one.jar -X POST $STAFF/certificates/$CERT/prints -o certificate.pdf
  curl -s -b one.jar $STAFF/certificates/$CERT/card -o certificate.smart-health-card
  # 5. what a stranger sees
  {akashi} verify certificate.smart-health-card
  # 6. the passkey counts for five minutes: what is dangerous asks for it again
  {akashi} sign-in --url {origin}{options} --user {user1} --jar one.jar
  {akashi} sign-in --url {origin}{options} --user {user2} --jar two.jar
  # 7. an account for a clerk: asked for, approved by another, carried out by a third
  BODY='{"user_id":"{office}-clerk1","name":"窓口 花子","unit":"健康推進課","role":"clerk","section_head":"健康推進課長","system_owner":"情報政策課長"'
  BODY=$BODY',"ends_on":"'$(($(date +%Y)+1))'-03-31","trained_on":"'$(date +%F)'"}'
  REQUEST=$(curl -s -b one.jar $STAFF/accounts/requests -H 'Content-Type: application/json' -d "$BODY")
  APPROVAL=$(echo "$REQUEST" | sed 's/.*"approval":"\([^"]*\)".*/\1/')
  curl -s -b two.jar $STAFF/approvals/$APPROVAL/approve -H 'Content-Type: application/json' -d '{"reason":""}'; echo
  {akashi} office account carry-out {office} $(echo "$REQUEST" | id)
`
