package paper

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"akashi/certificate/pdf"
	"akashi/internal/clock"
	"akashi/internal/office"
)

// MailingTitle is the title of the file that a mailing is.
const MailingTitle = "発送一覧 / Mailing list"

// Mailing is what the sheets around the certificates of a mailing say.
type Mailing struct {
	ID          string
	Office      office.Office
	RequestedAt time.Time
	Lines       []MailingLine // in order
}

// MailingLine is one application of a mailing.
type MailingLine struct {
	Number      int // from 1
	Application string
	Certificate string
	Copy        int    // 0: not sent
	Name        string // as the certificate has it
	JA, EN      string // why it is not sent
	Postal      MailingAddress
}

// MailingAddress is where a certificate goes and to whom; empty where an envelope came with the
// application.
type MailingAddress struct{ Code, Address, Name string }

// Sizes in millimetres: a list of so many lines, and sheets of 12 labels of 86.4 by 42.3,
// as they are sold for A4.
const (
	mailTop, mailRow, mailLines = 46.0, 6.0, 38
	labelLeft, labelTop         = 18.6, 21.5
	labelW, labelH              = 86.4, 42.3
	labelColumns, labelRows     = 2, 6
)

var mailColumns = []struct {
	x, w   float64
	ja, en string
}{
	{15, 11, "番号", "No."}, {27, 45, "氏名", "Name"}, {73, 28, "証明書ID", "Certificate ID"}, {102, 12, "写し", "Copy"},
	{115, 40, "申請番号", "Application"}, {156, 39, "封筒・備考", "Envelope, remarks"},
}

// MailingLists is how many sheets the list of so many applications takes, known before
// anything is printed.
func MailingLists(count int) int { return (count + mailLines - 1) / mailLines }

// Sheets are the list and, after it, the addresses; printable gives a text without the
// characters that no font has.
func (m Mailing) Sheets(printable func(string) string) (all []pdf.Sheet) {
	var addressed []MailingLine
	printed := 0
	for _, l := range m.Lines {
		if l.Copy > 0 {
			printed++
		}
		if l.Postal.Address != "" {
			addressed = append(addressed, l)
		}
	}
	sums := fmt.Sprintf("%s %s　証明書 %d 枚 / certificates　宛名 %d / addresses　発送できないもの %d / not sent",
		clock.DateOf(m.RequestedAt), clock.TimeOfDay(m.RequestedAt), printed, len(addressed), len(m.Lines)-printed)
	for lines := range slices.Chunk(m.Lines, mailLines) {
		all = append(all, m.list(mailSheet{printable: printable}, len(all)+1, sums, lines))
	}
	for lines := range slices.Chunk(addressed, labelColumns*labelRows) {
		all = append(all, labels(mailSheet{printable: printable}, lines))
	}
	return all
}

// mailSheet collects what stands on a sheet.
type mailSheet struct {
	pdf.Sheet
	printable func(string) string
}

// add puts a text into a rectangle; one without text is left out.
func (s *mailSheet) add(b pdf.Box, size, least float64, text string) {
	if text != "" {
		b.Paragraphs = []pdf.Paragraph{{Field: fmt.Sprintf("text[%d]", len(s.Boxes)), Text: s.printable(text), Size: size, Min: least}}
		s.Boxes = append(s.Boxes, b)
	}
}

func (s *mailSheet) rule(y float64) {
	s.Rules = append(s.Rules, pdf.Rule{X1: 15, Y1: y, X2: 195, Y2: y, Width: 0.15})
}

// list is one sheet of the list, counted from 1.
func (m Mailing) list(s mailSheet, n int, sums string, lines []MailingLine) pdf.Sheet {
	s.add(pdf.Box{X: 15, Y: 12, W: 130, H: 9, Role: "H1"}, 15, 8, MailingTitle)
	s.add(pdf.Box{X: 15, Y: 22, W: 130, H: 6, Role: "P"}, 9.5, 6, m.Office.NameJA+" / "+m.Office.NameEN)
	s.add(pdf.Box{X: 150, Y: 22, W: 45, H: 6, Role: "P"}, 9, 6, fmt.Sprintf("%d / %d", n, MailingLists(len(m.Lines))))
	s.add(pdf.Box{X: 15, Y: 28, W: 130, H: 6, Role: "P"}, 9, 5, sums)
	s.add(pdf.Box{X: 150, Y: 28, W: 45, H: 6, Role: "P"}, 8, 6, "取扱注意 / Confidential")
	s.add(pdf.Box{X: 15, Y: 34, W: 130, H: 5, Role: "P"}, 7.5, 5, m.ID)
	for _, c := range mailColumns {
		s.add(pdf.Box{X: c.x, Y: mailTop - 6, W: c.w, H: 6, Role: "TH", Row: 1, Column: true}, 7, 5, c.ja+" / "+c.en)
	}
	s.rule(mailTop)
	for i, l := range lines {
		cells := l.cells()
		y := mailTop + float64(i)*mailRow
		for k, c := range mailColumns {
			w := c.w
			if k == 1 && l.Copy == 0 { // a sentence has the room of what is not there
				w = mailColumns[4].x - c.x - 1
			}
			s.add(pdf.Box{X: c.x, Y: y, W: w, H: mailRow, Role: "TD", Row: i + 2}, 8, 4.5, cells[k])
		}
		s.rule(y + mailRow)
	}
	return s.Sheet
}

// cells are what a line of the list says, by column.
func (l MailingLine) cells() []string {
	if l.Copy == 0 {
		return []string{strconv.Itoa(l.Number), l.JA + " / " + l.EN, "", "", l.Application, "発送しない / not sent"}
	}
	envelope := "同封の封筒 / enclosed"
	if l.Postal.Address != "" {
		envelope = "宛名シート / address sheet"
	}
	return []string{strconv.Itoa(l.Number), l.Name, l.Certificate, strconv.Itoa(l.Copy), l.Application, envelope}
}

// labels are a sheet of addresses, in the order of the list.
func labels(s mailSheet, lines []MailingLine) pdf.Sheet {
	s.add(pdf.Box{X: labelLeft, Y: 8, W: 120, H: 8, Role: "H1"}, 10, 8, "宛名シート / Address sheet")
	for at, l := range lines {
		x, y := labelLeft+float64(at%labelColumns)*labelW+6, labelTop+float64(at/labelColumns)*labelH
		code := ""
		if l.Postal.Code != "" {
			code = "〒 " + l.Postal.Code
		}
		box := func(dy, h float64, lines int) pdf.Box {
			return pdf.Box{X: x, Y: y + dy, W: labelW - 10, H: h, Lines: lines, Role: "P"}
		}
		s.add(box(3, 6, 0), 11, 8, code)
		s.add(box(10, 14, 3), 10, 6, l.Postal.Address)
		s.add(box(25, 8, 0), 13, 7, l.Postal.Name+"　様")
		s.add(box(35.5, 4, 0), 6.5, 5, fmt.Sprintf("No. %d　%s", l.Number, l.Certificate))
	}
	return s.Sheet
}
