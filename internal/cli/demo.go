package cli

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/issuance"
	"akashi/internal/vaccination"
	"akashi/passport"
	"akashi/samples"
)

// demoResult is the last line that demo prints.
type demoResult struct {
	Certificates []demoCertificate `json:"certificates"`
	Held         []demoHeld        `json:"held"`
}

type demoCertificate struct {
	ID       string     `json:"id"`
	Kind     string     `json:"kind"`
	IssuedOn string     `json:"issued_on"`
	PDF      string     `json:"pdf"`
	Codes    []demoCode `json:"codes"`
}

type demoCode struct {
	Family string `json:"family"`
	File   string `json:"file"`
}

type demoHeld struct {
	Application string   `json:"application"`
	Reasons     []string `json:"reasons"`
}

func demoCommand(parts Adapters) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use: "demo --out DIR", Short: "Do the whole job once, without a server, and write what came out", Args: noArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if out == "" {
				return usageError{errors.New("demo needs --out DIR")}
			}
			data, err := os.MkdirTemp("", "akashi-demo-*")
			if err != nil {
				return err
			}
			defer func() { _ = os.RemoveAll(data) }()
			c, err := LoadConfig([]string{prefix + "DATA=" + data})
			if err != nil {
				return err
			}
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			app, err := Open(cmd.Context(), c, parts.Open)
			if err != nil {
				return err
			}
			d := demo{app: app, out: out, to: cmd.OutOrStdout()}
			err = d.run(cmd.Context())
			return errors.Join(err, app.Close())
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "directory to write to")
	return cmd
}

// demo does by program what two people do at the counter.
type demo struct {
	app            *App
	out            string
	to             io.Writer
	clerk, officer actor.Actor
	result         demoResult
}

func (d *demo) say(format string, args ...any) { _, _ = fmt.Fprintf(d.to, format+"\n", args...) }

func (d *demo) run(ctx context.Context) error {
	if err := d.staff(ctx); err != nil {
		return err
	}
	for _, file := range []struct {
		name string
		kind vaccination.Kind
	}{{"subjects", vaccination.Subjects}, {"records", vaccination.Records}, {"records-international", vaccination.Records}} {
		if err := d.bring(ctx, file.kind, file.name); err != nil {
			return err
		}
	}
	for _, one := range demoApplications() {
		if err := d.apply(ctx, one.name, one.form); err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
	}
	bundle, err := d.app.Trust(ctx)
	if err != nil {
		return err
	}
	if err := bundle.Write(filepath.Join(d.out, "trust")); err != nil {
		return err
	}
	d.say("the keys to verify with: %s", filepath.Join(d.out, "trust"))
	line, err := json.Marshal(d.result)
	if err != nil {
		return err
	}
	d.say("%s", line)
	return nil
}

// staff lets the two officers of the invented office act; nobody signs in.
func (d *demo) staff(ctx context.Context) error {
	if _, err := d.app.FirstStart(ctx); err != nil {
		return err
	}
	list, err := d.app.Store.ListStaff(ctx, TestOffice)
	if err != nil {
		return err
	}
	for i, to := range []*actor.Actor{&d.clerk, &d.officer} {
		*to = list[i].Actor("", "demo", "", d.app.Clock.Now())
	}
	return nil
}

func (d *demo) bring(ctx context.Context, kind vaccination.Kind, name string) error {
	file, err := samples.Files.ReadFile(name + ".csv")
	if err != nil {
		return err
	}
	clerk, officer := d.clerk, d.officer
	clerk.Purpose, officer.Purpose = actor.Import, actor.Import
	i, err := d.app.Imports.Stage(ctx, clerk, kind, file, nil)
	if err != nil {
		return err
	}
	if i, err = d.app.Imports.Commit(ctx, officer, i.ID); err != nil {
		return err
	}
	d.say("%s: %d lines, %d stored, %d findings", name, i.Report.Rows, i.Outcome.New, len(i.Report.Findings))
	return nil
}

func (d *demo) apply(ctx context.Context, name string, f application.Form) error {
	clerk := d.clerk
	clerk.Purpose = actor.Certificate
	app, err := d.app.Applications.Create(ctx, clerk, f, nil)
	if err != nil {
		return err
	}
	if app, err = d.app.Applications.Submit(ctx, clerk, app.ID); err != nil {
		return err
	}
	if app.State != application.Approved {
		held := demoHeld{Application: app.ID}
		for _, r := range app.Reasons {
			ja, en := r.Sentence()
			d.say("%s: held. %s / %s", name, en, ja)
			held.Reasons = append(held.Reasons, r.Code)
		}
		d.result.Held = append(d.result.Held, held)
		return nil
	}
	issue, _, err := d.app.Issuance.Issue(ctx, clerk, app.ID)
	if err != nil {
		return err
	}
	return d.write(ctx, clerk, name, issue)
}

func (d *demo) write(ctx context.Context, clerk actor.Actor, name string, i issuance.Issue) error {
	c := i.Certificate
	done := demoCertificate{ID: c.ID, Kind: string(c.Kind), IssuedOn: string(c.IssuedOn), PDF: name + ".pdf"}
	file, _, err := d.app.Issuance.Print(ctx, clerk, []string{c.ID}, nil)
	if err != nil {
		return err
	}
	if err := d.save(done.PDF, file); err != nil {
		return err
	}
	for _, p := range i.Payloads {
		code := demoCode{string(p.Family), name + "." + string(p.Family) + ".txt"}
		if p.Dose > 1 {
			code.File = fmt.Sprintf("%s.%s-%d.txt", name, p.Family, p.Dose)
		}
		if err := d.save(code.File, []byte(p.Text)); err != nil {
			return err
		}
		done.Codes = append(done.Codes, code)
	}
	d.say("%s: certificate %s, %s", name, c.ID, filepath.Join(d.out, done.PDF))
	d.result.Certificates = append(d.result.Certificates, done)
	if c.Kind == certificate.International { // it has no health card
		return nil
	}
	card, err := d.app.Issuance.Card(ctx, clerk, c.ID)
	if err != nil {
		return err
	}
	return d.save(name+".smart-health-card", card)
}

func (d *demo) save(name string, content []byte) error {
	return os.WriteFile(filepath.Join(d.out, name), content, 0o644)
}

type demoApplication struct {
	name string
	form application.Form
}

// samplePassport is the zone of an invented person; its number is the one that
// the official specimen uses.
const samplePassport = "PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\n" +
	"TK00000003JPN9102181F3206308<<<<<<<<<<<<<<00"

// demoApplications are for the people of the sample files.
func demoApplications() []demoApplication {
	form := func(kind certificate.Kind, ticket, family, given, birth string) application.Form {
		f := application.Form{
			Kind: kind, Programme: application.Programmes(kind)[0], Channel: application.Counter, NoticeVersion: "2026-11",
			Documents: []string{"vaccination_ticket", "my_number_card"}, Applicant: application.Applicant{Relationship: application.Self},
		}
		f.Subject.Ticket, f.Subject.Name = ticket, certificate.Name{Family: family, Given: given}
		f.Subject.BirthDate = clock.Date(birth)
		return f
	}
	travel := form(certificate.Travel, "0000000001", "桜井", "澪", "1991-02-18")
	travel.Documents = append(travel.Documents, "passport")
	travel.Passport = &application.Passport{
		Zone:         application.NewZone(samplePassport),
		DataPageName: passport.Name{Primary: "SAKURAI", Secondary: "MIO"},
	}
	card := travel
	card.Kind, card.Programme = certificate.International, catalogue.YellowFeverProgramme
	return []demoApplication{
		{"travel", travel},
		{"yellow-card", card},
		{"domestic", form(certificate.Domestic, "0000000002", "見本", "太郎", "1958-11-03")},
		{"held", form(certificate.Domestic, "0000000003", "髙橋", "一郎", "1984-06-30")},
	}
}
