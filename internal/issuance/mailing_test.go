package issuance_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/cli"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit"
	"akashi/internal/testkit/world"
)

// byMail is an approved application that came by mail.
func byMail(t *testing.T, w *world.World, kind certificate.Kind, postal *application.Postal, change ...func(*application.Form)) string {
	t.Helper()
	f := world.Form(kind)
	f.Channel, f.Postal = application.Mail, postal
	for _, c := range change {
		c(&f)
	}
	return w.ApprovedForm(t, f)
}

func yoshino(f *application.Form) {
	f.Subject.Ticket, f.Subject.Name, f.Subject.BirthDate = "0000000004", certificate.Name{Family: "𠮷野", Given: "花子"}, "1949-01-08"
}

// say is what a page would tell of a fault.
func say(fault string) (ja, en string) { return "発行できません", fault }

// mailStore is a store whose process dies after it noted some copies, and before that is committed.
type mailStore struct {
	issuance.MailingStore
	issuance.Store
	rest office.WorkStore
	left int
}

func (s *mailStore) Office(ctx context.Context, code string) (office.Office, error) {
	return s.rest.Office(ctx, code)
}

func (s *mailStore) Staff(ctx context.Context, code, id string) (office.Staff, error) {
	return s.rest.Staff(ctx, code, id)
}

func (s *mailStore) Mailed(ctx context.Context, code string, item issuance.ToMail, c issuance.Copy) error {
	err := s.MailingStore.Mailed(ctx, code, item, c)
	if s.left--; s.left < 0 {
		return errDied
	}
	return err
}

// R-166, adr/0033: what came by mail and is approved is issued and printed into one file,
// once each though the process dies in the middle; what cannot be issued stands in the list
// and stops nothing; the file is the same whenever it is asked for.
func TestMailing(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Mailings
		home := &application.Postal{Code: "１０００００１", Address: "架空県証市明石一丁目2番3号 証マンション405号室"}
		first := byMail(t, w, certificate.Travel, home)
		other := byMail(t, w, certificate.Domestic, &application.Postal{Address: "12 Kaku Street, Kaku City, Republic of Utopia", Name: "𠮷野 花子"}, yoshino)
		enclosed := byMail(t, w, certificate.Domestic, nil)
		fails := byMail(t, w, certificate.Domestic, home)
		counter := w.Approved(t, certificate.Domestic)
		if n, err := s.Ready(ctx, w.Clerk); n != 4 || err != nil {
			t.Fatalf("ok/ready: %d %v", n, err)
		}
		m, err := s.Ask(ctx, w.Clerk, nil, nil)
		if err != nil || m.Count != 4 || m.StartedBy != w.Clerk.Person {
			t.Fatalf("ok/asked: %+v %v", m, err)
		}
		if n, err := s.Ready(ctx, w.Clerk); n != 0 || err != nil {
			t.Errorf("error/asked for twice: %d %v", n, err)
		}
		if _, err := s.Ask(ctx, w.Clerk, nil, nil); !errors.Is(err, fault.New(fault.Conflict, "mailing_empty", "")) {
			t.Errorf("error/nothing left: %v", err)
		}
		if _, err := s.File(ctx, w.Clerk, m.ID, say); !errors.Is(err, fault.New(fault.Conflict, "mailing_open", "")) {
			t.Errorf("error/not printed yet: %v", err)
		}
		if _, err := w.Applications.Withdraw(ctx, w.Clerk, fails); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 1); n != 1 || err != nil { // at a pace
			t.Errorf("ok/step: %d %v", n, err)
		}
		dying := *s
		dying.Store = &mailStore{w.Store, w.Store, w.Store, 0}
		if n, err := dying.Step(ctx, 1); n != 0 || !errors.Is(err, errDied) {
			t.Errorf("error/died: %d %v", n, err)
		}
		if n, err := s.Step(ctx, 10); n != 2 || err == nil {
			t.Errorf("ok/goes on: %d %v", n, err)
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("ok/finished: %d %v", n, err)
		}
		got, err := s.Get(ctx, w.Clerk, m.ID)
		if err != nil || got.Done != 3 || got.Failed != 1 || got.Open() {
			t.Fatalf("ok/progress: %+v %v", got, err)
		}
		for i, id := range []string{first, other, enclosed, fails} {
			item, want := got.Items[i], 1
			if id == fails {
				want = 0
			}
			if item.Application != id || item.Copy != want || want == 1 != (item.Fault == "") {
				t.Errorf("ok/item %d: %+v", i+1, item)
			}
			if made := certificates(t, w, id); want == 1 && (len(made) != 1 || made[0].Copies != 1 || made[0].Certificate.ID != item.Certificate) {
				t.Errorf("ok/once %d: %+v", i+1, made)
			}
		}
		if got.Items[3].Fault != "conflict:not_approved" {
			t.Errorf("ok/why: %+v", got.Items[3])
		}
		if made := certificates(t, w, counter); len(made) != 0 {
			t.Errorf("error/of the counter: %+v", made)
		}

		file, err := s.File(ctx, w.Clerk, m.ID, say)
		if err != nil {
			t.Fatal(err)
		}
		again, err := s.File(ctx, w.Officer, m.ID, say)
		if err != nil || !bytes.Equal(file, again) {
			t.Errorf("ok/the same bytes: %v", err)
		}
		pages, err := pdf.Text(file)
		if err != nil || len(pages) != 1+3+1 {
			t.Fatalf("ok/pages: %d %v", len(pages), err)
		}
		for page, texts := range map[int][]string{
			0: {"桜井　澪", "𠮷野　花子", "同封の封筒 / enclosed", "宛名シート / address sheet", "発行できません / conflict:not_approved", got.Items[1].Certificate, fails},
			1: {got.Items[0].Certificate}, 2: {got.Items[1].Certificate}, 3: {got.Items[2].Certificate},
			4: {"〒 100-0001", home.Address, "桜井　澪　様", "𠮷野 花子　様", "12 Kaku Street, Kaku City, Republic of Utopia"},
		} {
			for _, text := range texts {
				if !slices.Contains(pages[page], text) {
					t.Errorf("ok/page %d has not %q: %q", page+1, text, pages[page])
				}
			}
		}
		keep(t, file)
		alone, err := w.Issuance.Reprint(ctx, w.Clerk, got.Items[0].Certificate, 1)
		if texts, failed := pdf.Text(alone); err != nil || failed != nil || !slices.Equal(texts[0], pages[1]) {
			t.Errorf("ok/a copy of it alone: %v %v", err, failed)
		}
		if _, copies, err := w.Issuance.Print(ctx, w.Clerk, []string{got.Items[0].Certificate}, nil); err != nil || copies[0].Number != 2 {
			t.Errorf("ok/another copy: %v %v", copies, err)
		}

		// A certificate that has ended since stands in the list, and is not in the file.
		if _, err := w.Issuance.Revoke(ctx, w.Officer, got.Items[1].Certificate, "fraud"); err != nil {
			t.Fatal(err)
		}
		after, err := s.File(ctx, w.Clerk, m.ID, say)
		if err != nil {
			t.Fatal(err)
		}
		if pages, err := pdf.Text(after); err != nil || len(pages) != 1+2+1 || !slices.Contains(pages[0], "発行できません / conflict:certificate_state") || strings.Contains(fmt.Sprint(pages), "𠮷野") {
			t.Errorf("ok/one has ended: %q %v", pages, err)
		}
		now := s.Clock
		s.Clock = func() time.Time { return now.Now().Add(issuance.MailingLasts + time.Hour) }
		if _, err := s.File(ctx, w.Clerk, m.ID, say); !errors.Is(err, fault.New(fault.Conflict, "mailing_closed", "")) {
			t.Errorf("error/after its time: %v", err)
		}
	})
}

// keep leaves a file where somebody wants to look at it.
func keep(t *testing.T, file []byte) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "mailing.pdf")
	if dir := os.Getenv("TEST_KEEP_PDF"); dir != "" {
		path = filepath.Join(dir, "mailing.pdf")
	}
	if err := os.WriteFile(path, file, 0o600); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command(testkit.Tool(t, "qpdf"), "--check", path).CombinedOutput(); err != nil || !bytes.Contains(out, []byte("No syntax or stream encoding errors found")) {
		t.Errorf("qpdf: %s %v", out, err)
	}
}

// S-029, adr/0033: a list of more than a few waits for a second person, who is not the one
// who asked and has none of his own among them, and its file goes to the one who asked.
func TestMailingByTwo(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Mailings
		clerk, tired := w.Clerk, w.Clerk
		tired.SteppedUp = time.Time{}
		_, approver := approvers(t, w)
		one := byMail(t, w, certificate.Domestic, nil)
		var many []string
		for range issuance.FewMailing {
			a, err := w.Applications.Create(ctx, w.Clerk, world.Form(certificate.Domestic), nil)
			if err != nil {
				t.Fatal(err)
			}
			many = append(many, a.ID)
		}
		if _, err := s.Ask(ctx, clerk, append(many, many[0]), nil); !errors.Is(err, fault.New(fault.Invalid, "repeated_value", "")) {
			t.Errorf("error/one twice: %v", err)
		}
		if _, err := s.Ask(ctx, clerk, append(many, w.IDs.Row()), nil); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/one of nobody: %v", err)
		}
		if _, err := s.Ask(ctx, clerk, make([]string, issuance.MaxMailing+1), nil); !errors.Is(err, fault.New(fault.Invalid, "count", "")) {
			t.Errorf("error/too many: %v", err)
		}
		if _, err := s.Ask(ctx, tired, append(many, one), nil); !errors.Is(err, fault.New(fault.Forbidden, "step_up", "")) {
			t.Errorf("error/without a step-up: %v", err)
		}
		m, err := s.Ask(ctx, clerk, append([]string{one}, many...), nil)
		if err != nil || m.Approval == "" || !m.StartedAt.IsZero() {
			t.Fatalf("ok/asked: %+v %v", m, err)
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("error/nobody approved: %d %v", n, err)
		}
		if _, err := s.Start(ctx, clerk, m.ID); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/started by the same: %v", err)
		}
		own := approver
		own.Name = "桜井 澪"
		if _, err := s.Start(ctx, own, m.ID); !errors.Is(err, fault.New(fault.Forbidden, "own_case", "")) {
			t.Errorf("error/the approver's own: %v", err)
		}
		if _, err := s.Start(ctx, approver, m.ID); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 200); n != 1 || err == nil { // the others are drafts
			t.Errorf("ok/step: %d %v", n, err)
		}
		if _, err := s.File(ctx, approver, m.ID, say); !errors.Is(err, fault.New(fault.Forbidden, "mailing_of_another", "")) {
			t.Errorf("error/given to another: %v", err)
		}
		if file, err := s.File(ctx, clerk, m.ID, say); err != nil {
			t.Error(err)
		} else if pages, err := pdf.Text(file); err != nil || len(pages) != 3+1 {
			t.Errorf("ok/pages: %d %v", len(pages), err)
		}

		// Stopped by one person; what is left says so, and may be asked for anew.
		printed, next := byMail(t, w, certificate.Domestic, nil), byMail(t, w, certificate.Domestic, nil)
		if m, err = s.Ask(ctx, clerk, []string{printed, next}, nil); err != nil {
			t.Fatal(err)
		}
		if n, err := s.Step(ctx, 1); n != 1 || err != nil {
			t.Errorf("ok/one of two: %d %v", n, err)
		}
		if _, err := s.Stop(ctx, approver, m.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := s.Stop(ctx, approver, m.ID); !errors.Is(err, fault.New(fault.Conflict, "bulk_stopped", "")) {
			t.Errorf("error/stopped twice: %v", err)
		}
		if n, err := s.Step(ctx, 10); n != 0 || err != nil {
			t.Errorf("error/goes on: %d %v", n, err)
		}
		if file, err := s.File(ctx, clerk, m.ID, say); err != nil {
			t.Error(err)
		} else if pages, err := pdf.Text(file); err != nil || len(pages) != 1+1 || !slices.Contains(pages[0], "発行できません / conflict:mailing_left") {
			t.Errorf("ok/left: %q %v", pages, err)
		}

		// Nobody gets by it what he would not get alone.
		if m, err = s.Ask(ctx, w.Officer, []string{next}, nil); err != nil {
			t.Fatal(err)
		}
		w.Act(t, w.Officer.Office, func(ctx context.Context) error {
			_, err := w.Accounts.Change(ctx, w.Officer.Office, w.Officer.Person, func(s *office.Staff) { s.State = office.SuspendedAccount })
			return err
		})
		if _, err := s.Step(ctx, 10); fault.CodeOf(err) != fault.Forbidden {
			t.Errorf("error/suspended meanwhile: %v", err)
		}
		if got, err := s.Get(ctx, clerk, m.ID); err != nil || got.Failed != 1 || got.Items[0].Fault != "forbidden:permission" {
			t.Errorf("ok/left for a person: %+v %v", got, err)
		}
		list, err := s.List(ctx, clerk, "", 10)
		if err != nil || len(list) != 3 || list[0].ID != m.ID || list[0].Failed != 1 {
			t.Errorf("ok/list: %+v %v", list, err)
		}
	})
}

// adr/0033: of clerks who ask for a mailing at once, one gets what is ready; who names what
// an open mailing has is refused.
func TestMailingsAtOnce(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Mailings
		ids := []string{byMail(t, w, certificate.Domestic, nil), byMail(t, w, certificate.Domestic, nil)}
		var all sync.WaitGroup
		results := make([]error, 8)
		for i, by := range slices.Repeat([]actor.Actor{w.Clerk, w.Officer}, len(results)/2) {
			named := ids[i/2%2:]
			if i%2 == 0 {
				named = nil
			}
			all.Go(func() { _, results[i] = s.Ask(ctx, by, named, nil) })
		}
		all.Wait()
		list, err := s.List(ctx, w.Clerk, "", 10)
		if err != nil {
			t.Fatal(err)
		}
		got := 0
		for _, m := range list {
			got += m.Count
		}
		if got > len(ids) || len(list) == 0 {
			t.Errorf("error/asked for at once: %d items of %d applications in %d mailings", got, len(ids), len(list))
		}
		for _, err := range results {
			if err != nil && fault.CodeOf(err) != fault.Conflict {
				t.Errorf("error/at once: %v", err)
			}
		}
		if _, err := s.Step(ctx, 100); err != nil {
			t.Fatal(err)
		}
		for _, id := range ids {
			for _, made := range certificates(t, w, id) {
				if made.Copies != 1 {
					t.Errorf("error/copies: %d", made.Copies)
				}
			}
		}
	})
}

// L-09, adr/0033: while the office is closed a mailing waits for whose clerk may not issue then,
// and nothing is counted; one of somebody who may goes on.
func TestMailingAfterHours(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		ctx, s := t.Context(), w.Mailings
		now := time.Date(2026, 11, 23, 7, 0, 0, 0, time.UTC) // Monday, 16:00 in Japan
		w.SetOffice(t, func(s *office.Settings) { s.Hours.Week = map[string]office.Span{"mon": {From: "08:45", To: "17:15"}} })
		ask := func(by actor.Actor) issuance.Mailing {
			m, err := s.Ask(ctx, by, []string{byMail(t, w, certificate.Domestic, nil), byMail(t, w, certificate.Domestic, nil)}, nil)
			if err != nil {
				t.Fatal(err)
			}
			return m
		}
		clerks, officers := ask(w.Clerk), ask(w.Officer)
		s.Clock = func() time.Time { return now }
		step := func(most, clerk, officer int) {
			t.Helper()
			if _, err := s.Step(ctx, most); err != nil {
				t.Error(err)
			}
			for id, want := range map[string]int{clerks.ID: clerk, officers.ID: officer} {
				m, err := s.Get(ctx, w.Clerk, id)
				if err != nil || m.Done != want || m.Failed != 0 || m.Items[m.Count-1].Fault != "" {
					t.Errorf("%+v %v, want %d", m, err, want)
				}
			}
		}
		step(1, 1, 0) // open
		now = now.Add(2 * time.Hour)
		step(1, 1, 1)
		step(10, 1, 2)
		for range issuance.Tries {
			step(10, 1, 2)
		}
		now = now.AddDate(0, 0, 7).Add(-2 * time.Hour)
		step(10, 2, 2)
	})
}

// S-060 with least privileges: killed at each point of the first certificate, the role of
// the jobs goes on with a mailing, and each has one certificate and one copy.
func TestMailingKilled(t *testing.T) {
	d := testkit.Postgres(t)
	w := world.New(t, cli.Config{Data: t.TempDir(), DatabaseURL: cli.Secret(d.StaffURL), MigrateURL: cli.Secret(d.OwnerURL)})
	var ids []string
	for range 3 {
		ids = append(ids, byMail(t, w, certificate.Domestic, nil))
	}
	m, err := w.Mailings.Ask(t.Context(), w.Clerk, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, point := range []string{"intent_stored", "commit_uncommitted", "committed"} {
		if out, err := childOf(w, mailStep, point).CombinedOutput(); err == nil || !strings.Contains(err.Error(), "killed") {
			t.Fatalf("%s: the child was not killed: %v %s", point, err, out)
		}
		if _, err := w.Issuance.Recover(t.Context(), 0); err != nil {
			t.Fatal(err)
		}
		if _, err := w.Mailings.Step(t.Context(), 1); err != nil {
			t.Fatal(err)
		}
	}
	jobs := w.OpenJobs(t, d)
	ids = append(ids, byMail(t, w, certificate.Domestic, nil))
	next, err := w.Mailings.Ask(t.Context(), w.Clerk, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if n, err := jobs.Mailings.Step(t.Context(), 10); n != 1 || err != nil {
		t.Errorf("by the role of the jobs: %d %v", n, err)
	}
	for _, id := range ids {
		if made := certificates(t, w, id); len(made) != 1 || made[0].State != issuance.Issued || made[0].Copies != 1 {
			t.Errorf("%+v", made)
		}
	}
	for _, id := range []string{m.ID, next.ID} {
		if got, err := w.Mailings.Get(t.Context(), w.Clerk, id); err != nil || got.Done != got.Count {
			t.Errorf("%+v %v", got, err)
		}
	}
}

// mailStep stands for an application: the child prints the next of a mailing.
const mailStep = "mail step"
