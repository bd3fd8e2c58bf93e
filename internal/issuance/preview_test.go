package issuance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/signing"
)

// onlyReads is a store of which nothing that writes may be called.
type onlyReads struct {
	issuance.Store
	t *testing.T
}

func (o onlyReads) wrote(what string) error {
	o.t.Errorf("error/a preview wrote: %s", what)
	return errors.New(what)
}

func (o onlyReads) SaveApplication(context.Context, *application.Application) error {
	return o.wrote("application")
}
func (o onlyReads) Prepare(context.Context, issuance.Issue, int) error { return o.wrote("intent") }
func (o onlyReads) Claim(context.Context, string, string, time.Time) error {
	return o.wrote("claim")
}
func (o onlyReads) Commit(context.Context, issuance.Issue) error { return o.wrote("certificate") }
func (o onlyReads) CloseIssue(context.Context, string, string, []issuance.State, issuance.State, string) error {
	return o.wrote("closed")
}
func (o onlyReads) AddCopy(context.Context, string, issuance.Copy, string) error {
	return o.wrote("copy")
}
func (o onlyReads) TakeNumbers(context.Context, string, string, int) (int, error) {
	return 0, o.wrote("numbers")
}

// noSigner is asked by nobody.
type noSigner struct{ t *testing.T }

func (n noSigner) Reserve(ctx context.Context) (context.Context, func(), error) {
	_, err := n.Sign(ctx, "", "")
	return ctx, nil, err
}

func (n noSigner) Sign(context.Context, string, string) ([]signing.Signature, error) {
	n.t.Error("error/a signer was asked")
	return nil, errors.New("no signer")
}

// previewing lets previews be made where nothing can be written or signed.
func previewing(t *testing.T, w *world.World, use func()) {
	t.Helper()
	s := w.Issuance
	store, signer, paper := s.Store, s.Signer, s.Paper
	s.Store, s.Signer, s.Paper = onlyReads{store, t}, noSigner{t}, signing.NewPaperSigner(nil, nil, nil, nil) // panics when asked
	use()
	s.Store, s.Signer, s.Paper = store, signer, paper
}

func polio(t *testing.T, w *world.World) string { return w.ApprovedForm(t, world.ChildForm()) }

// Issue 6, section 1: a preview says of every kind what the certificate then says, with
// codes of the same size; it writes nothing but its log entry and asks no signer.
func TestPreview(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		if _, err := signing.MakeTestPaperKey(w.Config.Data+"/keys", w.Clerk.Office, time.Now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.Open(t) // takes up the key
		for name, id := range map[string]string{
			"travel": w.Approved(t, certificate.Travel), "domestic": w.Approved(t, certificate.Domestic),
			"yellow fever": w.Approved(t, certificate.International), "polio": polio(t, w), "eu": w.Approved(t, certificate.Travel),
		} {
			w.SetOffice(t, func(s *office.Settings) { s.EU = name == "eu" })
			var p issuance.Preview
			var file []byte
			previewing(t, w, func() {
				var err error
				if p, err = w.Issuance.Preview(t.Context(), w.Clerk, id); err != nil || len(p.Findings) > 0 {
					t.Fatalf("ok/%s: %v %v", name, err, p.Findings)
				}
				if file, err = w.Issuance.PreviewPaper(t.Context(), w.Clerk, id); err != nil {
					t.Fatalf("ok/%s: %v", name, err)
				}
			})
			if got := entries(t, w, id); !slices.Equal(got, []string{"certificate.preview ok", "certificate.preview ok"}) {
				t.Errorf("ok/%s logged: %v", name, got)
			}
			if list := certificates(t, w, id); len(list) != 0 {
				t.Errorf("ok/%s: %d certificates", name, len(list))
			}
			if bytes.Contains(file, []byte("/Sig")) || bytes.Contains(file, []byte("/Image")) {
				t.Errorf("ok/%s: the preview has a signature or a picture", name)
			}
			i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			if err != nil {
				t.Fatal(err)
			}
			sameAsIssued(t, name, p, file, i)
		}
	})
}

func sameAsIssued(t *testing.T, name string, p issuance.Preview, file []byte, i issuance.Issue) {
	t.Helper()
	c := i.Certificate
	if p.Certificate.ID != "" || p.Certificate.AI != "" {
		t.Errorf("ok/%s: has an identifier", name)
	}
	p.Certificate.ID, p.Certificate.AI, p.Certificate.IssuedAt = c.ID, c.AI, c.IssuedAt
	want, _ := certificate.Encode(c)
	if got, _ := certificate.Encode(p.Certificate); !bytes.Equal(got, want) {
		t.Errorf("ok/%s: the certificate says something else", name)
	}
	if len(p.Sizes) != len(i.Payloads) {
		t.Fatalf("ok/%s: %d sizes, %d codes", name, len(p.Sizes), len(i.Payloads))
	}
	for n, code := range i.Payloads {
		// What is random compresses by chance: a symbol at the edge may be one version off.
		size := issuance.SymbolSize(t, code)
		if differ := p.Sizes[n] - size; differ < -4 || differ > 4 || code.Family == certificate.VDSNC && differ != 0 {
			t.Errorf("ok/%s: a frame of %d, a code of %d", name, p.Sizes[n], size)
		}
	}
	texts, err := pdf.Text(file)
	if err != nil || strings.Contains(fmt.Sprint(texts), c.ID) || !strings.Contains(fmt.Sprint(texts), c.Subject.Name.Family) {
		t.Errorf("ok/%s: %v", name, err)
	}
}

// Issue 6, section 1: field by field, with the reason where sources differ.
func TestPreviewCompares(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		rows := func(id string) map[string]string {
			p, err := w.Issuance.Preview(t.Context(), w.Clerk, id)
			if err != nil || len(p.Findings) > 0 {
				t.Fatal(err, p.Findings)
			}
			all := map[string]string{}
			for _, r := range p.Rows {
				if !slices.Contains(issuance.Fields, r.Field) {
					t.Errorf("an unknown row %q", r.Field)
				}
				for _, why := range r.Why {
					if !slices.Contains(issuance.Differences(), why) {
						t.Errorf("an unknown reason %q", why)
					}
				}
				name := r.Field
				if r.Dose > 1 {
					name = fmt.Sprintf("%s %d", name, r.Dose)
				}
				all[name] = strings.Join([]string{r.Passport, r.Register, r.Certificate, string(r.Mark), strings.Join(r.Why, "+"), r.Hint}, "|")
			}
			return all
		}
		want := func(name string, got map[string]string, wanted map[string]string) {
			for field, row := range wanted {
				if got[field] != row {
					t.Errorf("ok/%s %s: %q, want %q", name, field, got[field], row)
				}
			}
		}
		want("travel", rows(w.Approved(t, certificate.Travel)), map[string]string{
			"name": "|桜井　澪|桜井　澪|same||", "passport_name": "SAKURAI MIO|サクライ　ミオ|SAKURAI MIO|same|kana|SAKURAI MIO",
			"birth_date": "1991-02-18|1991-02-18|1991-02-18|same||", "sex": "female|female||same|not_printed|",
			"nationality": "JPN||日本 / Japan (JPN)|same||", "passport_number": "TK0000000||TK0000000|same||", "mrz_name": "SAKURAI MIO||SAKURAI MIO|same||",
			"expiry": "2032-06-30|||alone|not_printed|", "vaccinated_on": "|2021-06-21|2021-06-21|same||",
		})
		want("domestic", rows(w.Approved(t, certificate.Domestic)), map[string]string{"name": "|桜井　澪|桜井　澪|same||", "passport_name": "", "passport_number": ""})
		want("polio", rows(polio(t, w)), map[string]string{"guardian": "||IKEDA Jun|alone|from_form|", "nationality": "JPN||JPN|same||"})

		other := world.Form(certificate.Travel)
		other.Subject.Former = "佐藤"
		other.Passport.Alternative.FormerSurname = "SATO"
		a, err := w.Applications.Create(t.Context(), w.Clerk, other, nil)
		if err != nil {
			t.Fatal(err)
		}
		if a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID); err != nil {
			t.Fatal(err)
		}
		if _, err = w.Applications.Decide(t.Context(), w.Officer, a.ID, application.Verdict{Outcome: "approve", Reason: "戸籍で確認"}); err != nil {
			t.Fatal(err)
		}
		want("former name", rows(a.ID), map[string]string{
			"name": "|桜井　澪|桜井（佐藤）　澪|explained|former_name|", "passport_name": "SAKURAI MIO|サクライ　ミオ|SAKURAI (SATO) MIO|explained|kana+brackets|SAKURAI MIO",
		})
	})
}

// What would be refused is told with its row, and there is no paper of it; an application
// that is not approved, one's own and one of another office have no preview at all.
func TestPreviewRefuses(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		finding := func(name, id, want string) {
			t.Helper()
			previewing(t, w, func() {
				p, err := w.Issuance.Preview(t.Context(), w.Clerk, id)
				var got []string
				for _, f := range p.Findings {
					got = append(got, strings.TrimSpace(f.Fault.Key+" "+f.Field))
				}
				if err != nil || len(p.Sizes) > 0 || !slices.Contains(got, want) {
					t.Errorf("error/%s: %v %v", name, err, got)
				}
				if file, err := w.Issuance.PreviewPaper(t.Context(), w.Clerk, id); file != nil || err == nil {
					t.Errorf("error/%s: a paper: %v", name, err)
				}
			})
			if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id); err == nil {
				t.Errorf("error/%s: issued all the same", name)
			}
		}
		id := w.Approved(t, certificate.Travel)
		w.Issuance.Clock = func() time.Time { return time.Now().AddDate(20, 0, 0) }
		finding("expired passport", id, "content_expired expiry")
		w.Issuance.Clock = nil
		list := w.Issuance.Catalogue
		w.Issuance.Catalogue = &catalogue.Catalogue{}
		finding("no product", id, "dose_not_certifiable product")
		p, err := w.Issuance.Preview(t.Context(), w.Clerk, id)
		if last := p.Rows[len(p.Rows)-1]; err != nil || p.Findings[0].Dose != 1 || last.Field != "lot" || last.Dose != 3 || last.Register == "" || last.Mark != issuance.Alone {
			t.Errorf("error/no product: %v %+v", err, p.Findings)
		}
		w.Issuance.Catalogue = list
		keys := w.Issuance.Store
		w.Issuance.Store = noKeys{keys}
		finding("no key", id, "no_active_key")
		w.Issuance.Store = keys

		var f *fault.Error
		refused := func(name string, a actor.Actor, id, key string) {
			t.Helper()
			if p, err := w.Issuance.Preview(t.Context(), a, id); !errors.As(err, &f) || f.Key != key || p.Certificate.Subject.Name.Family != "" || len(p.Rows) > 0 {
				t.Errorf("error/%s: %v", name, err)
			}
		}
		own := w.Clerk
		own.Name = "桜井 澪"
		refused("own case", own, id, "own_case")
		elsewhere := w.Clerk
		elsewhere.Office = "900010"
		refused("another office", elsewhere, id, "application")
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id); err != nil {
			t.Fatal(err)
		}
		refused("issued", w.Clerk, id, "not_approved")
		if got := entries(t, w, id); got[len(got)-1] != "certificate.preview conflict:not_approved" {
			t.Errorf("error/logged: %v", got)
		}
	})
}

// noKeys is a store without signing keys.
type noKeys struct{ issuance.Store }

func (noKeys) SigningKeys(context.Context) ([]signing.Key, error) { return nil, nil }
