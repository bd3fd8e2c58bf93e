package issuance

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"akashi/certificate/pdf"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/audit"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
)

// Say is a sentence for a fault of an item, in Japanese and English.
type Say func(fault string) (ja, en string)

// Printable tells why the person does not get the file of the mailing as it is: to be asked
// before people are taken from a budget.
func (m Mailing) Printable(a actor.Actor, now time.Time) error {
	switch {
	case m.Count > FewMailing && a.Person != m.RequestedBy:
		return fault.New(fault.Forbidden, "mailing_of_another", "")
	case m.Open(), m.Done == 0:
		return fault.New(fault.Conflict, "mailing_open", "")
	case now.Sub(m.RequestedAt) > MailingLasts:
		return fault.New(fault.Conflict, "mailing_closed", "")
	}
	return nil
}

// File makes the file of a mailing: a list, the certificates, and the addresses. The file
// is not kept; copies and order are, so that the same bytes come again, as long as no
// certificate has ended since: that one then stands in the list with the reason. Each person
// whose certificate is in it is logged. More than FewMailing go only to the one who asked for them
// (fault Forbidden "mailing_of_another"). Faults Conflict "mailing_open", "mailing_closed".
func (s *Mailings) File(ctx context.Context, a actor.Actor, id string, say Say) ([]byte, error) {
	var m Mailing
	var o office.Office
	err := s.Log.Act(ctx, a, audit.Entry{Action: "mailing.print", Object: id}, func(ctx context.Context, e *audit.Entry) (err error) {
		if m, err = s.Store.Mailing(ctx, a.Office, id); err != nil {
			return err
		}
		if o, err = s.Store.Office(ctx, a.Office); err != nil {
			return err
		}
		e.Fact("copies", strconv.Itoa(m.Done))
		return m.Printable(a, s.now())
	})
	if err != nil {
		return nil, err
	}
	f := mailingFile{mailing: m, office: o, say: say, renderer: s.Issuance.Renderer}
	b := f.renderer.NewBatch(mailingTitle, m.Office+" "+m.ID, m.RequestedAt, f.listSheets())
	defer b.Free()
	for _, item := range m.Items {
		line := mailingLine{MailingItem: item}
		if item.Copy > 0 {
			if err := s.page(ctx, a, b, &line); err != nil {
				return nil, err
			}
		}
		f.lines = append(f.lines, line)
	}
	for _, sheet := range f.sheets() {
		if err := b.Sheet(sheet, s.Issuance.Identity.Test); err != nil {
			return nil, fault.New(fault.Internal, "page_check", "").Because(err)
		}
	}
	file, err := b.Finish()
	if err != nil {
		return nil, fault.New(fault.Internal, "page_check", "").Because(err)
	}
	return file, nil
}

// page puts one copy into the file, or notes why it is not there.
func (s *Mailings) page(ctx context.Context, a actor.Actor, b *pdf.Batch, line *mailingLine) error {
	var i Issue
	e := audit.Entry{Action: "certificate.reprint", Object: Copy{CertificateID: line.Certificate, Number: line.Copy}.String()}
	err := s.Log.Act(ctx, a, e, func(ctx context.Context, e *audit.Entry) (err error) {
		if i, err = s.Store.Issue(ctx, a.Office, line.Certificate); err != nil {
			return err
		}
		app, err := s.Store.Application(ctx, a.Office, line.Application)
		if err != nil {
			return err
		}
		e.Person = app.Record.PersonID
		if i.State != Issued {
			return stateConflict(i)
		}
		line.name, line.postal = i.Certificate.Subject.Name.Family+"\u3000"+i.Certificate.Subject.Name.Given, addressed(app.Form)
		return cmp.Or(application.NotOwn(a, "", i.Certificate.Subject.Name), app.NotOwnOf(a))
	})
	if err == nil {
		var page pdf.Page
		if page, err = s.Issuance.page(i, line.Copy); err == nil {
			return b.Add(page)
		}
	}
	switch fault.CodeOf(err) {
	case fault.Conflict, fault.NotFound, fault.Forbidden: // ended, erased or of the actor's own since
		line.MailingItem.Copy, line.name, line.postal, line.Fault = 0, "", application.Postal{}, audit.Result(err)
		return nil
	}
	return errors.Join(fmt.Errorf("mailing: certificate %s", line.Certificate), err)
}

// addressed is where a certificate is sent, and to whom; empty where an envelope came with
// the application.
func addressed(f application.Form) application.Postal {
	if f.Postal == nil {
		return application.Postal{}
	}
	p := application.Postal{Code: f.Postal.PostalCode(), Address: f.Postal.Address, Name: f.Postal.Name}
	if p.Name == "" {
		to := f.Applicant.Name
		if to.Family == "" {
			to = f.Subject.Name
		}
		p.Name = to.Family + "\u3000" + to.Given
	}
	return p
}

// mailingFile lays out the sheets around the certificates.
type mailingFile struct {
	mailing  Mailing
	office   office.Office
	lines    []mailingLine
	say      Say
	renderer *pdf.Renderer
}

type mailingLine struct {
	MailingItem
	name   string // as the certificate has it
	postal application.Postal
}

const mailingTitle = "発送一覧 / Mailing list"

// Sizes in millimetres: a list of so many lines, and sheets of 12 labels of 86.4 by 42.3,
// as they are sold for A4.
const (
	listTop, listRow, listLines = 46.0, 6.0, 38
	labelLeft, labelTop         = 18.6, 21.5
	labelW, labelH              = 86.4, 42.3
	labelColumns, labelRows     = 2, 6
)

var listColumns = []struct {
	x, w   float64
	ja, en string
}{
	{15, 11, "番号", "No."}, {27, 45, "氏名", "Name"}, {73, 28, "証明書ID", "Certificate ID"}, {102, 12, "写し", "Copy"},
	{115, 40, "申請番号", "Application"}, {156, 39, "封筒・備考", "Envelope, remarks"},
}

// listSheets is how many sheets the list takes, known before anything is printed.
func (f mailingFile) listSheets() int { return (f.mailing.Count + listLines - 1) / listLines }

func (f mailingFile) sheets() (all []pdf.Sheet) {
	total, labels := f.listSheets(), 0
	for i := range f.lines {
		if f.lines[i].postal.Address != "" {
			labels++
		}
	}
	for n := range total {
		all = append(all, f.list(n, total, labels, f.lines[n*listLines:min(len(f.lines), (n+1)*listLines)]))
	}
	return append(all, f.labels()...)
}

// form collects what stands on a sheet.
type form struct {
	pdf.Sheet
	renderer *pdf.Renderer
}

// add puts a text into a rectangle; one without text is left out.
func (f *form) add(b pdf.Box, size, least float64, text string) {
	if text != "" {
		b.Paragraphs = []pdf.Paragraph{{Field: fmt.Sprintf("text[%d]", len(f.Boxes)), Text: f.renderer.Printable(text), Size: size, Min: least}}
		f.Boxes = append(f.Boxes, b)
	}
}

func (f *form) rule(y float64) {
	f.Rules = append(f.Rules, pdf.Rule{X1: 15, Y1: y, X2: 195, Y2: y, Width: 0.15})
}

// list is one sheet of the list.
func (f mailingFile) list(n, total, labels int, lines []mailingLine) pdf.Sheet {
	m, printed := f.mailing, 0
	for _, l := range f.lines {
		if l.Copy > 0 {
			printed++
		}
	}
	s := form{renderer: f.renderer}
	s.add(pdf.Box{X: 15, Y: 12, W: 130, H: 9, Role: "H1"}, 15, 8, mailingTitle)
	s.add(pdf.Box{X: 15, Y: 22, W: 130, H: 6, Role: "P"}, 9.5, 6, f.office.NameJA+" / "+f.office.NameEN)
	s.add(pdf.Box{X: 150, Y: 22, W: 45, H: 6, Role: "P"}, 9, 6, fmt.Sprintf("%d / %d", n+1, total))
	s.add(pdf.Box{X: 15, Y: 28, W: 130, H: 6, Role: "P"}, 9, 5, fmt.Sprintf("%s %s　証明書 %d 枚 / certificates　宛名 %d / addresses　発送できないもの %d / not sent",
		clock.DateOf(m.RequestedAt), clock.TimeOfDay(m.RequestedAt), printed, labels, m.Count-printed))
	s.add(pdf.Box{X: 150, Y: 28, W: 45, H: 6, Role: "P"}, 8, 6, "取扱注意 / Confidential")
	s.add(pdf.Box{X: 15, Y: 34, W: 130, H: 5, Role: "P"}, 7.5, 5, m.ID)
	for _, c := range listColumns {
		s.add(pdf.Box{X: c.x, Y: listTop - 6, W: c.w, H: 6, Role: "TH", Row: 1, Column: true}, 7, 5, c.ja+" / "+c.en)
	}
	s.rule(listTop)
	for i, l := range lines {
		cells := f.cells(l)
		y := listTop + float64(i)*listRow
		for k, c := range listColumns {
			w := c.w
			if k == 1 && l.Copy == 0 { // a sentence has the room of what is not there
				w = listColumns[4].x - c.x - 1
			}
			s.add(pdf.Box{X: c.x, Y: y, W: w, H: listRow, Role: "TD", Row: i + 2}, 8, 4.5, cells[k])
		}
		s.rule(y + listRow)
	}
	return s.Sheet
}

// cells are what a line of the list says, by column.
func (f mailingFile) cells(l mailingLine) []string {
	switch {
	case l.Copy == 0:
		ja, en := f.say(l.Fault)
		return []string{strconv.Itoa(l.Number), ja + " / " + en, "", "", l.Application, "発送しない / not sent"}
	case l.postal.Address != "":
		return []string{strconv.Itoa(l.Number), l.name, l.Certificate, strconv.Itoa(l.Copy), l.Application, "宛名シート / address sheet"}
	}
	return []string{strconv.Itoa(l.Number), l.name, l.Certificate, strconv.Itoa(l.Copy), l.Application, "同封の封筒 / enclosed"}
}

// labels are the sheets of addresses, in the order of the list.
func (f mailingFile) labels() (all []pdf.Sheet) {
	var addressed []mailingLine
	for _, l := range f.lines {
		if l.postal.Address != "" {
			addressed = append(addressed, l)
		}
	}
	for sheet := range slices.Chunk(addressed, labelColumns*labelRows) {
		s := form{renderer: f.renderer}
		s.add(pdf.Box{X: labelLeft, Y: 8, W: 120, H: 8, Role: "H1"}, 10, 8, "宛名シート / Address sheet")
		for at, l := range sheet {
			x, y := labelLeft+float64(at%labelColumns)*labelW+6, labelTop+float64(at/labelColumns)*labelH
			code := ""
			if l.postal.Code != "" {
				code = "〒 " + l.postal.Code
			}
			box := func(dy, h float64, lines int) pdf.Box {
				return pdf.Box{X: x, Y: y + dy, W: labelW - 10, H: h, Lines: lines, Role: "P"}
			}
			s.add(box(3, 6, 0), 11, 8, code)
			s.add(box(10, 14, 3), 10, 6, l.postal.Address)
			s.add(box(25, 8, 0), 13, 7, l.postal.Name+"　様")
			s.add(box(35.5, 4, 0), 6.5, 5, fmt.Sprintf("No. %d　%s", l.Number, l.Certificate))
		}
		all = append(all, s.Sheet)
	}
	return all
}
