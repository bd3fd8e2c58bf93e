package issuance_test

import (
	"bytes"
	"context"
	"os"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/application"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
	"akashi/passport"
)

// seen is the digest of the preview of an application.
func seen(t *testing.T, w *world.World, id string) string {
	t.Helper()
	p, err := w.Issuance.Preview(t.Context(), w.Clerk, id)
	if err != nil || len(p.Findings) > 0 || len(p.Digest) != 22 {
		t.Fatalf("%v %v %q", err, p.Findings, p.Digest)
	}
	return p.Digest
}

// Issue 6, section 1: what a preview showed is what is issued, on another day too and while
// the key of the digests changes; asked again, the same certificate is there. Of two
// applications with the same content nobody can tell that they have it.
func TestIssueSeen(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		w.SetOffice(t, func(s *office.Settings) { s.EU = true })
		all := map[string]bool{}
		for _, id := range []string{
			w.Approved(t, certificate.Travel), w.Approved(t, certificate.Domestic), w.Approved(t, certificate.International), polio(t, w), w.Approved(t, certificate.Travel),
		} {
			digest := seen(t, w, id)
			if all[digest] || digest != seen(t, w, id) {
				t.Error("ok/one digest for each application")
			}
			all[digest] = true
			w.Issuance.Clock = func() time.Time { return time.Now().Add(24 * time.Hour).UTC() }
			digests := w.Issuance.Digests // its key is being changed
			w.Issuance.Digests = func(office, value string) [][]byte {
				return append([][]byte{[]byte("made with the next")}, digests(office, value)...)
			}
			made, first, err := w.Issuance.IssueSeen(t.Context(), w.Clerk, id, digest)
			w.Issuance.Clock, w.Issuance.Digests = nil, digests
			if err != nil || !first {
				t.Fatalf("ok/another day: %v %v", first, err)
			}
			again, first, err := w.Issuance.IssueSeen(t.Context(), w.Clerk, id, digest)
			if err != nil || first || again.Certificate.ID != made.Certificate.ID {
				t.Errorf("ok/again: %v %v", first, err)
			}
		}
	})
}

// What changed since somebody looked is not issued, whatever changed it: nothing is
// stored but that it was refused, and a new look issues.
func TestIssueSeenRefuses(t *testing.T) {
	renamed, err := os.ReadFile("../../certificate/catalogue/data/products.json")
	if err != nil {
		t.Fatal(err)
	}
	products, err := catalogue.Load(bytes.NewReader(bytes.ReplaceAll(renamed, []byte(`"COMIRNATY"`), []byte(`"COMIRNATY 30"`))))
	if err != nil {
		t.Fatal(err)
	}
	world.Each(t, func(t *testing.T, w *world.World) {
		travel, latin := world.Form(certificate.Travel), world.Form(certificate.Domestic)
		latin.Subject = application.Subject{Ticket: "0000000007", Name: certificate.Name{Family: "ARDIANSYAH"}, BirthDate: "1988-12-05"}
		for _, change := range []struct {
			what string
			form application.Form
			do   func(id string)
		}{
			{"register", latin, func(string) {
				w.Bring(t, vaccination.Subjects, []byte("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"+
					"900001,0000000007,,Ardiansyah,,アルディアンシャ,,1988-12-05,1,resident,\n"))
			}},
			{"settings", travel, func(string) { w.SetOffice(t, func(s *office.Settings) { s.EU = true }) }},
			{"issuer", travel, func(string) {
				w.Act(t, w.Clerk.Office, func(ctx context.Context) error {
					o, err := w.Store.Office(ctx, w.Clerk.Office)
					o.Issuer.English = append([]string{"Acting for"}, o.Issuer.English...)
					if err == nil {
						err = w.Store.SaveOffice(ctx, o)
					}
					return err
				})
			}},
			{"catalogue", travel, func(string) { w.Issuance.Catalogue = products }},
			{"form", travel, func(id string) {
				f := world.Form(certificate.Travel)
				f.Passport.DataPageName = passport.Name{Primary: "Sakurai", Secondary: "Mio"}
				a, err := w.Applications.Answer(t.Context(), w.Clerk, id, f, 0)
				if err == nil {
					_, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID)
				}
				if err != nil {
					t.Fatal(err)
				}
			}},
		} {
			id := w.ApprovedForm(t, change.form)
			digest := seen(t, w, id)
			change.do(id)
			if i, made, err := w.Issuance.IssueSeen(t.Context(), w.Clerk, id, digest); keyOf(err) != "preview_changed" || made || i.Certificate.ID != "" {
				t.Errorf("error/%s: %v %v", change.what, made, err)
			}
			log := entries(t, w, id)
			if list := certificates(t, w, id); len(list) != 0 || strings.Count(strings.Join(log, " "), "conflict:preview_changed") == 0 {
				t.Errorf("error/%s: %d certificates, %v", change.what, len(list), log)
			}
			if _, made, err := w.Issuance.IssueSeen(t.Context(), w.Clerk, id, seen(t, w, id)); err != nil || !made {
				t.Errorf("ok/%s, looked again: %v", change.what, err)
			}
			// The certificate that another clerk made of what is now is not what was seen.
			if _, _, err := w.Issuance.IssueSeen(t.Context(), w.Clerk, id, digest); keyOf(err) != "preview_changed" {
				t.Errorf("error/%s, issued meanwhile: %v", change.what, err)
			}
		}
		id, other := w.Approved(t, certificate.Travel), w.Approved(t, certificate.Travel)
		if _, _, err := w.Issuance.IssueSeen(t.Context(), w.Clerk, id, seen(t, w, other)); keyOf(err) != "preview_changed" {
			t.Errorf("error/another application: %v", err)
		}
	})
}
