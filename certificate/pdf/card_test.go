package pdf_test

import (
	"encoding/json"
	"errors"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/passport"
	"akashi/templates"
)

// fixedEnglish is the text that follows the table in the model of Annex 6 (spec
// who-icvp-gdhcn, 5), in force since 19 September 2025. It must not be paraphrased.
const fixedEnglish = "This certificate is valid only if the vaccine or prophylaxis used has been approved by the World Health Organization. " +
	"This certificate in non-digital format must be signed by the clinician, who shall be a medical practitioner or other " +
	"authorized health worker supervising the administration of the vaccine or prophylaxis. The certificate must also bear the " +
	"official stamp of the administering centre; however, this shall not be an accepted substitute for the signature. " +
	"Regardless of the format in which this certificate has been issued, it must bear the name of the clinician supervising " +
	"the administration of the vaccine or prophylaxis, or of the relevant authority responsible for issuing the certificate or " +
	"overseeing the administering centre. Any amendment of this certificate, or erasure, or failure to complete any part of " +
	"it, may render it invalid. The validity of this certificate shall extend until the date indicated for the particular " +
	"vaccination or prophylaxis. The certificate shall be fully completed in English or in French. The certificate may also be " +
	"completed in another language on the same document, in addition to either English or French."

// cardWords are the words of the yellow card as they ship.
type cardWords struct {
	Labels, Texts    map[string]struct{ JA, EN, FR string }
	Months           map[string][]string
	UnofficialFrench []string `json:"unofficial_french"`
}

func readCardWords(t *testing.T) (w cardWords) {
	t.Helper()
	data, err := templates.Pages.ReadFile("page/" + pdf.Layout + "/icvp.json")
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &w); err != nil {
		t.Fatal(err)
	}
	return w
}

// The words that the model fixes are exactly those of the spec, and every label has both
// official languages.
func TestCardWords(t *testing.T) {
	w := readCardWords(t)
	for got, want := range map[string]string{
		w.Labels["fixed"].EN:             fixedEnglish,
		w.Labels["title"].EN:             "INTERNATIONAL CERTIFICATE OF VACCINATION OR PROPHYLAXIS",
		w.Labels["title"].FR:             "CERTIFICAT INTERNATIONAL DE VACCINATION OU DE PROPHYLAXIE",
		w.Texts["until.yellow_fever"].EN: certificate.ForLife,
		w.Texts["until.yellow_fever"].FR: certificate.ForLifeFR,
		w.Texts["statement"].EN:          "has on the date indicated been vaccinated or received prophylaxis against: {disease} in accordance with the International Health Regulations.",
		w.Labels["authority"].EN:         "Relevant authority responsible for issuing, or for overseeing the administering centre",
		w.Labels["batch"].FR:             "Fabricant et numéro du lot",
		w.Labels["vaccine"].FR:           "Vaccin ou agent prophylactique",
		w.Labels["clinician"].FR:         "Nom du clinicien responsable", //nolint:misspell // French
		w.Labels["authority"].FR:         "Autorité compétente",
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	for key, l := range w.Labels {
		if l.EN == "" || l.FR == "" || l.JA == "" && key != "fixed" {
			t.Errorf("label %s lacks a language", key)
		}
	}
	for _, key := range w.UnofficialFrench {
		if w.Labels[key].FR == "" && w.Texts[key].FR == "" {
			t.Errorf("no French %s to be checked", key)
		}
	}
	if len(w.Months["en"]) != 12 || len(w.Months["fr"]) != 12 {
		t.Error("months")
	}
}

// What Annex 6 asks for is on the sheet, in its order: title, statement, rows, fixed text.
func TestCardText(t *testing.T) {
	r := renderer(t)
	got := withoutBlanks(run(t, "pdftotext", "-raw", write(t, render(t, r, page(yellowFever()))), "-"))
	w := readCardWords(t)
	for _, text := range []string{
		"INTERNATIONAL CERTIFICATE OF VACCINATION OR PROPHYLAXIS", "CERTIFICAT INTERNATIONAL DE VACCINATION OU DE PROPHYLAXIE",
		"12 April 1985", "12 avril 1985", "female", "féminin", "TK0000000 (passport / passeport)",
		"vaccinated or received prophylaxis against: YELLOW FEVER in accordance", "contre\u00a0: FIÈVRE JAUNE conformément au Règlement sanitaire international",
		"STAMARIL", "14 June 2021", "14 juin 2021", "Sanofi Pasteur", "FC9880", "(UTO)", "from 24 June 2021 until " + certificate.ForLife, certificate.ForLifeFR,
		fixedEnglish, w.Labels["fixed"].FR, "must be renewed by 19 November 2028; renewal is free of charge",
	} {
		if !strings.Contains(got, withoutBlanks(text)) {
			t.Errorf("the sheet lacks %q", text)
		}
	}
	// The digital format is never mixed with the one to be signed: no place for either.
	for _, text := range []string{fixedEnglish, w.Labels["fixed"].FR, w.Labels["format"].EN, w.Labels["format"].FR, w.Labels["format"].JA} {
		got = strings.Replace(got, withoutBlanks(text), "", 1)
	}
	if found := regexp.MustCompile(`(?i)signature|stamp|cachet|署名|押印`).FindString(got); found != "" {
		t.Errorf("%q outside of the fixed text", found)
	}
}

// Without a time the card says nothing about renewal, and all else.
func TestCardWithoutRenewal(t *testing.T) {
	r := renderer(t)
	p := page(yellowFever())
	with, _ := pdf.Text(render(t, r, p))
	p.RenewBy = time.Time{}
	file := render(t, r, p)
	without, err := pdf.Text(file)
	if err != nil || len(without[0]) != len(with[0])-3 || strings.Contains(text(without), "renew") {
		t.Errorf("%q, %v", without, err)
	}
	if err := r.Verify(file, p); err != nil {
		t.Error(err)
	}
	for _, fault := range pdf.Archive(file) {
		t.Error(fault)
	}
}

// Three doses stand on a sheet; more are spread over two sheets, each complete in itself.
func TestCardSheets(t *testing.T) {
	r := renderer(t)
	for doses, want := range map[int][]int{1: {1}, 2: {2}, 3: {3}, 4: {2, 2}, 5: {3, 2}} {
		p := page(yellowCard(doses))
		file := render(t, r, p)
		texts, err := pdf.Text(file)
		if err != nil || len(texts) != len(want) {
			t.Fatalf("%d doses: %d sheets, %v", doses, len(texts), err)
		}
		from := 0
		for n, sheet := range texts {
			for i, d := range p.Certificate.Doses {
				if on := i >= from && i < from+want[n]; slices.Contains(sheet, d.Lot) != on {
					t.Errorf("%d doses: sheet %d has dose %d: %v", doses, n+1, i+1, !on)
				}
			}
			for _, text := range []string{p.Certificate.ID, "AKASHIDA HANAKO", "12 April 1985", "TK0000000 (passport / passeport)"} {
				if !slices.Contains(sheet, text) {
					t.Errorf("%d doses: sheet %d lacks %q", doses, n+1, text)
				}
			}
			from += want[n]
		}
	}
	// The codes follow their doses on to the second sheet.
	p, codes := cardOf(t, yellowCard(5), 12)
	path := write(t, render(t, r, p))
	for sheet, want := range [][]string{codes[:3], codes[3:]} {
		base := strings.TrimSuffix(path, ".pdf")
		run(t, "pdftoppm", "-r", "200", "-f", string(rune('1'+sheet)), "-l", string(rune('1'+sheet)), "-png", "-singlefile", path, base)
		got := strings.Split(strings.TrimSpace(zbarimg(t, base+".png")), "\n")
		if slices.Sort(got); !slices.Equal(got, want) {
			t.Errorf("sheet %d: %d codes, want %d", sheet+1, len(got), len(want))
		}
	}
}

// Text read back names each field of a yellow card that is not the certificate's, on
// either sheet (S-058).
func TestCardVerify(t *testing.T) {
	r := renderer(t)
	file := render(t, r, page(longestCard()))
	if err := r.Verify(file, page(longestCard())); err != nil {
		t.Error(err)
	}
	for field, change := range map[string]func(p *pdf.Page){
		"passport.name":          func(p *pdf.Page) { p.Certificate.Subject.Passport.DataPageName.Primary = "ELSE" },
		"passport.name.ja":       func(p *pdf.Page) { p.Certificate.Subject.Name.Given = "辻子" },
		"subject.birth_date":     func(p *pdf.Page) { p.Certificate.Subject.BirthDate = "2020-01-02" },
		"passport.nationality":   func(p *pdf.Page) { p.Certificate.Subject.Passport.Nationality = "FRA" },
		"subject.sex":            func(p *pdf.Page) { p.Certificate.Subject.Sex = certificate.Male },
		"passport.number":        func(p *pdf.Page) { p.Certificate.Subject.Passport.Number = passport.NewNumber("TK0000001") },
		"subject.guardian":       func(p *pdf.Page) { p.Certificate.Subject.Guardian = "" },
		"fact.issued_on":         func(p *pdf.Page) { p.Certificate.IssuedOn = "2026-11-21" },
		"statement.en":           func(p *pdf.Page) { p.Certificate.Programme = "yellow_fever" },
		"doses[1].clinician":     func(p *pdf.Page) { p.Certificate.Doses[1].Clinician = "" },
		"doses[0].participant":   func(p *pdf.Page) { p.Certificate.Participant = "JPN" },
		"doses[0].authority.0":   func(p *pdf.Page) { p.Certificate.Issuer.English[0] = "Mayor" },
		"doses[4].maker":         func(p *pdf.Page) { p.Certificate.Doses[4].Product.MakerEN = "else" },
		"doses[4].lot":           func(p *pdf.Page) { p.Certificate.Doses[4].Lot += "X" },
		"doses[3].vaccinated_on": func(p *pdf.Page) { p.Certificate.Doses[3].VaccinatedOn = "2022-08-28" },
		"doses[3].valid_from":    func(p *pdf.Page) { p.Certificate.Doses[3].ValidFrom = "2022-08-28" },
		"renew.en":               func(p *pdf.Page) { p.RenewBy = p.RenewBy.AddDate(0, 0, 1) },
		"more_doses.en":          func(p *pdf.Page) { p.Certificate.MoreDoses++ },
	} {
		t.Run("error/"+field, func(t *testing.T) {
			p := page(longestCard())
			change(&p)
			var e *pdf.FieldError
			if err := r.Verify(file, p); !errors.As(err, &e) || e.Field != field || e.Reason != pdf.Altered {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestCardRefused(t *testing.T) {
	r := renderer(t)
	for name, c := range map[string]struct {
		field, reason string
		change        func(p *pdf.Page)
	}{
		"error/no sex":           {"subject.sex", pdf.UnknownValue, func(p *pdf.Page) { p.Certificate.Subject.Sex = "" }},
		"error/no authority":     {"participant", pdf.Required, func(p *pdf.Page) { p.Certificate.Participant = "" }},
		"error/no validity":      {"doses[3].valid_from", pdf.Required, func(p *pdf.Page) { p.Certificate.Doses[3].ValidFrom = "" }},
		"error/no passport":      {"subject.passport", pdf.Wrong, func(p *pdf.Page) { p.Certificate.Subject.Passport = nil }},
		"error/six doses":        {"doses", pdf.Wrong, func(p *pdf.Page) { p.Certificate.Doses = append(p.Certificate.Doses, p.Certificate.Doses[4]) }},
		"error/codes swapped":    {"codes.icvp", pdf.Wrong, func(p *pdf.Page) { p.Codes[0], p.Codes[4] = p.Codes[4], p.Codes[0] }},
		"error/clinician wide":   {"doses[4].clinician", pdf.TooLong, func(p *pdf.Page) { p.Certificate.Doses[4].Clinician = strings.Repeat("W", 121) }},
		"error/maker of no end":  {"doses[1].product.maker_en", pdf.TooLong, func(p *pdf.Page) { p.Certificate.Doses[1].Product.MakerEN = strings.Repeat("W", 241) }},
		"error/programme":        {"programme", pdf.UnknownValue, func(p *pdf.Page) { p.Certificate.Programme = "covid19" }},
		"error/no name of maker": {"doses[2].product.maker_en", pdf.Required, func(p *pdf.Page) { p.Certificate.Doses[2].Product.MakerEN = "" }},
	} {
		t.Run(name, func(t *testing.T) {
			p := page(yellowCard(5))
			c.change(&p)
			_, err := r.Render(p)
			var e *pdf.FieldError
			if !errors.As(err, &e) || e.Field != c.field || e.Reason != c.reason {
				t.Errorf("error %v, want %s: %s", err, c.field, c.reason)
			}
		})
	}
	c := yellowCard(5)
	c.Doses[4].Clinician, c.Subject.Guardian = "नेहा", "नेहा"
	m := r.Missing(c)
	if len(m) != 2 || m[0].Field != "subject.guardian" || m[1].Field != "doses[4].clinician" {
		t.Errorf("missing %+q", m)
	}
	if err := r.Check(longestCard()); err != nil {
		t.Errorf("Check: %v", err)
	}
}

// Other readers see title, tables with row heads, and each code with what to read instead.
func TestCardStructureInOtherReaders(t *testing.T) {
	path := write(t, render(t, renderer(t), page(yellowCard(2))))
	if info := run(t, "pdfinfo", path); !regexp.MustCompile(`Title:\s+INTERNATIONAL CERTIFICATE .* / CERTIFICAT INTERNATIONAL`).MatchString(info) {
		t.Error(info)
	}
	tree := run(t, "pdfinfo", "-struct-text", path)
	for _, want := range []string{"H1", "Table", "TH", "Figure", `"AKASHIDA HANAKO"`} {
		if !strings.Contains(tree, want) {
			t.Errorf("structure lacks %s", want)
		}
	}
	if n := strings.Count(tree, "Figure"); n != 2 {
		t.Errorf("%d figures", n)
	}
	content := run(t, "qpdf", "--qdf", "--object-streams=disable", path, "-")
	for lang, least := range map[string]int{"en": 40, "fr": 30} {
		if n := strings.Count(content, "/Lang("+lang+")"); n < least {
			t.Errorf("%d texts are marked as %s", n, lang)
		}
	}
}

// The usual card stays within 60 KB.
func TestCardSize(t *testing.T) {
	p, _ := cardOf(t, yellowFever(), 15)
	if n := len(render(t, renderer(t), p)); n > 60_000 {
		t.Errorf("%d bytes", n)
	} else {
		t.Logf("%d bytes", n)
	}
}
