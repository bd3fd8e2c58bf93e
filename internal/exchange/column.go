package exchange

import (
	"slices"
	"strings"

	"akashi/certificate"
	"akashi/internal/application"
	"akashi/internal/clock"
	"akashi/internal/vaccination"
	"akashi/passport"
)

// column is one that a file may have. Its header is the key or the Japanese name.
type column struct {
	key, ja  string
	field    string                                 // of the form, as faults name it
	required bool                                   // the file must have it
	words    map[string]string                      // Japanese and other ways to write a value
	fill     func(f *application.Form, cell string) // of a cell that is not empty
}

// columns in the order of the template (certificate-japan.md 7).
var columns = []column{
	{"kind", "種類", "kind", true, map[string]string{"国内用": "domestic", "海外用": "travel", "国際証明書": "icvp"},
		func(f *application.Form, c string) { f.Kind = certificate.Kind(c) }},
	{"programme", "対象", "programme", false, map[string]string{"黄熱": "yellow_fever", "ポリオ": "polio"},
		func(f *application.Form, c string) { f.Programme = c }},
	{"channel", "受付", "channel", false, map[string]string{"郵送": "mail", "窓口": "counter", "アプリ": "app"},
		func(f *application.Form, c string) { f.Channel = application.Channel(c) }},
	{"ticket_number", "接種券番号", "subject.ticket_number", false, nil, func(f *application.Form, c string) { f.Subject.Ticket = c }},
	{"address_number", "宛名番号", "subject.address_number", false, nil, func(f *application.Form, c string) { f.Subject.Address = c }},
	{"family_name", "姓", "subject.name.family", false, nil, func(f *application.Form, c string) { f.Subject.Name.Family = c }},
	{"given_name", "名", "subject.name.given", false, nil, func(f *application.Form, c string) { f.Subject.Name.Given = c }},
	{"birth_date", "生年月日", "subject.birth_date", true, nil, func(f *application.Form, c string) { f.Subject.BirthDate = typedDate(c) }},
	{"former_name", "旧姓", "subject.former_name", false, nil, func(f *application.Form, c string) { f.Subject.Former = c }},
	{"earlier_doses_elsewhere", "他自治体の接種", "subject.earlier_doses_elsewhere", false, map[string]string{"あり": "true", "有": "true", "1": "true", "なし": "false", "無": "false", "0": "false"},
		func(f *application.Form, c string) { f.Subject.Elsewhere = c == "true" }},
	{"guardian", "保護者", "subject.guardian", false, nil, func(f *application.Form, c string) { f.Subject.Guardian = c }},
	{"mrz_1", "旅券MRZ1", "passport.mrz", false, nil, func(f *application.Form, c string) { zoneLine(f, c) }},
	{"mrz_2", "旅券MRZ2", "passport.mrz", false, nil, func(f *application.Form, c string) { zoneLine(f, c) }},
	{"passport_primary", "旅券の姓", "passport.data_page_name.primary", false, nil, func(f *application.Form, c string) { book(f).DataPageName.Primary = c }},
	{"passport_secondary", "旅券の名", "passport.data_page_name.secondary", false, nil, func(f *application.Form, c string) { book(f).DataPageName.Secondary = c }},
	{"relationship", "申請者", "applicant.relationship", false, map[string]string{
		"本人": "self", "配偶者": "spouse", "父母": "parent", "子": "child", "祖父母": "grandparent", "孫": "grandchild", "法定代理人": "legal_representative", "その他": "other",
	}, func(f *application.Form, c string) { f.Applicant.Relationship = application.Relationship(c) }},
	{"applicant_family", "申請者の姓", "applicant.name.family", false, nil, func(f *application.Form, c string) { f.Applicant.Name.Family = c }},
	{"applicant_given", "申請者の名", "applicant.name.given", false, nil, func(f *application.Form, c string) { f.Applicant.Name.Given = c }},
	{"proof", "代理の証明", "applicant.proof", false, map[string]string{"委任状": "power_of_attorney", "登記事項証明書": "registration_certificate", "戸籍": "family_register"},
		func(f *application.Form, c string) { f.Applicant.Proof = c }},
	{"documents", "確認書類", "documents", false, map[string]string{
		"マイナンバーカード": "my_number_card", "運転免許証": "driving_licence", "旅券": "passport", "在留カード": "residence_card", "健康保険証": "health_insurance",
		"接種券": "vaccination_ticket", "接種済証": "vaccination_record", "通知カード": "notification_card",
	}, func(f *application.Form, c string) { f.Documents = append(f.Documents, c) }},
	{"postal_code", "郵便番号", "postal.postal_code", false, nil, func(f *application.Form, c string) { postal(f).Code = c }},
	{"postal_address", "住所", "postal.address", false, nil, func(f *application.Form, c string) { postal(f).Address = c }},
	{"postal_name", "宛名", "postal.name", false, nil, func(f *application.Form, c string) { postal(f).Name = c }},
}

// Columns that come back with a file; one that is handed in again may have them.
const (
	errorColumn = "エラー / error"
	noteColumn  = "確認 / to confirm"
	lineColumn  = "行 / line"
)

// Template is the header of a file with all columns, as UTF-8 with a mark, so that
// spreadsheet programs read it.
func Template() []byte {
	header := make([]string, len(columns))
	for i, c := range columns {
		header[i] = c.ja
	}
	return append([]byte("\uFEFF"), line(header)...)
}

func columnOf(header string) (column, bool) {
	header = strings.TrimSpace(header)
	i := slices.IndexFunc(columns, func(c column) bool { return header == c.key || header == c.ja })
	if i < 0 {
		return column{}, false
	}
	return columns[i], true
}

// columnAt names the column of a field of the form, as the file's header has it; empty if
// the file has none.
func columnAt(header []string, field string) string {
	field, _, _ = strings.Cut(field, "[")
	for _, exact := range []bool{true, false} {
		for _, h := range header {
			if c, ok := columnOf(h); ok && (c.field == field || !exact && strings.HasPrefix(c.field, field+".")) {
				return h
			}
		}
	}
	return ""
}

// formOf makes an application of a row.
func formOf(header, cells []string, notice string) application.Form {
	f := application.Form{Channel: application.Mail, NoticeVersion: notice, Applicant: application.Applicant{Relationship: application.Self}}
	for i, h := range header {
		c, ok := columnOf(h)
		if !ok || i >= len(cells) {
			continue
		}
		parts := []string{cells[i]}
		if c.key == "documents" {
			parts = strings.FieldsFunc(cells[i], func(r rune) bool { return strings.ContainsRune(";；、,", r) })
		}
		for _, cell := range parts {
			cell = strings.TrimSpace(cell)
			if word, ok := c.words[cell]; ok {
				cell = word
			}
			if cell != "" {
				c.fill(&f, cell)
			}
		}
	}
	if f.Programme == "" {
		f.Programme = application.Programmes(f.Kind)[0]
	}
	return f
}

// unknownWord is the column of a yes or no in which something else stands, and its words.
func unknownWord(header, cells []string) (column, allowed string) {
	for i, h := range header {
		c, ok := columnOf(h)
		if !ok || i >= len(cells) || c.key != "earlier_doses_elsewhere" {
			continue
		}
		cell := strings.TrimSpace(cells[i])
		if _, known := c.words[cell]; cell != "" && !known && cell != "true" && cell != "false" {
			return h, "あり, なし"
		}
	}
	return "", ""
}

// About tells whether a row is about somebody of the register: by ticket, by the office's own
// number, or by date of birth and name. In one that was not accepted these may stand in any column, and be all that is right.
func About(header, cells []string, accepted bool, s vaccination.Subject) bool {
	row, name := formOf(header, cells, "").Subject, vaccination.LooseKey(s.Family+s.Given)
	for typed, known := range map[string]string{row.Ticket: s.Ticket, row.Address: s.Address} {
		if typed != "" && vaccination.FoldWidth(typed) == known {
			return true
		}
	}
	if row.BirthDate == s.BirthDate && vaccination.LooseKey(row.Name.Family+row.Name.Given) == name {
		return true
	}
	text := vaccination.LooseKey(strings.NewReplacer(",", "", `"`, "").Replace(strings.Join(cells, "")))
	return !accepted && (name != "" && strings.Contains(text, name) || s.Ticket != "" && strings.Contains(text, s.Ticket))
}

func book(f *application.Form) *application.Passport {
	if f.Passport == nil {
		f.Passport = &application.Passport{DataPageName: passport.Name{}}
	}
	return f.Passport
}

// typedDate is a date as ISO where it can be read; any other text stays as it is, to be
// judged as it was typed.
func typedDate(text string) clock.Date {
	if d, err := vaccination.ReadDate(text); err == nil {
		return d
	}
	return clock.Date(text)
}

func zoneLine(f *application.Form, text string) {
	p := book(f)
	p.Zone = application.NewZone(strings.TrimPrefix(p.Zone.Reveal()+"\n"+text, "\n"))
}

func postal(f *application.Form) *application.Postal {
	if f.Postal == nil {
		f.Postal = &application.Postal{}
	}
	return f.Postal
}
