package pdf_test

import (
	"strings"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/pdf"
	"akashi/certificate/qr"
	"akashi/internal/clock"
	"akashi/passport"
)

// All people and offices here are invented.

var products = []catalogue.Product{
	{ID: "comirnaty", NameJA: "コミナティ", NameEN: "COMIRNATY", MakerJA: "ファイザー", MakerEN: "Pfizer", TypeJA: "mRNAワクチン", TypeEN: "mRNA"},
	{ID: "comirnaty-6m-4y", NameJA: "コミナティ（6ヵ月〜4歳用）", NameEN: "COMIRNATY (6 months to 4 years)", MakerJA: "ファイザー", MakerEN: "Pfizer", TypeJA: "mRNAワクチン", TypeEN: "mRNA"},
	{ID: "spikevax", NameJA: "スパイクバックス", NameEN: "Spikevax", MakerJA: "武田／モデルナ", MakerEN: "Takeda / Moderna", TypeJA: "mRNAワクチン", TypeEN: "mRNA"},
	{ID: "nuvaxovid", NameJA: "ヌバキソビッド", NameEN: "Nuvaxovid", MakerJA: "武田（ノババックス）", MakerEN: "Takeda (Novavax)", TypeJA: "組換えタンパクワクチン", TypeEN: "Recombinant protein"},
	{ID: "spikevax-ba45", NameJA: "スパイクバックス（BA.4-5）", NameEN: "Spikevax (BA.4-5)", MakerJA: "モデルナ", MakerEN: "Moderna", TypeJA: "mRNAワクチン", TypeEN: "mRNA"},
}

func doses(n, first int) []certificate.Dose {
	dates := []clock.Date{"2021-06-14", "2021-07-05", "2022-02-19", "2022-08-27", "2023-06-03"}
	lots := []string{"FC9880", "FE8206", "3005236", "SC020A", "057G22A"}
	var list []certificate.Dose
	for i := range n {
		list = append(list, certificate.Dose{Number: first + i, VaccinatedOn: dates[i], Product: products[i%len(products)], Lot: lots[i], Country: "JPN"})
	}
	return list
}

func domestic(n int) certificate.Certificate {
	issued := time.Date(2026, 11, 20, 3, 4, 5, 0, time.UTC)
	return certificate.Certificate{
		Office: "900001", ID: "7KQ4ZPWM2XNB", AI: "JPN90000120261120000001", Kind: certificate.Domestic, Programme: "covid19",
		IssuedAt: issued, IssuedOn: clock.DateOf(issued),
		Subject: certificate.Subject{Name: certificate.Name{Family: "証田", Given: "花子"}, BirthDate: "1985-04-12"},
		Doses:   doses(n, 1),
		Issuer: certificate.Issuer{
			Japanese: []string{"架空県証市長", "日本国厚生労働大臣"},
			English:  []string{"Mayor of Akashi City, Kaku Prefecture", "Minister of Health, Labour and Welfare, Government of Japan"},
		},
		Test: true, Layout: pdf.Layout,
	}
}

func travel(n int) certificate.Certificate {
	c := domestic(n)
	c.Kind = certificate.Travel
	c.Subject.Passport = &passport.Document{
		MRZName: passport.Name{Primary: "AKASHIDA", Secondary: "HANAKO"}, Number: passport.NewNumber("TK0000000"),
		IssuingState: "JPN", Nationality: "JPN", BirthDate: "1985-04-12", Expiry: "2031-05-01",
	}
	return c
}

// longest has the characters and lengths that go wrong elsewhere.
func longest() certificate.Certificate {
	c := travel(5)
	c.Doses = doses(5, 3)
	c.MoreDoses = 2
	c.Subject.Name = certificate.Name{Family: "𠮷田髙﨑", Given: "辻\U000E0100子マリアアレクサンドラエリザベータ"}
	c.Subject.Former = "葛\U000E0100城邉"
	p := c.Subject.Passport
	p.MRZName = passport.Name{Primary: "YOSHIDATAKASAKI LUKASZDANG CEGO", Secondary: "MARIA ALE"}
	p.DataPageName = passport.Name{Primary: "YOSHIDATAKASAKI-ŁUKASZ ĐẶNG ČĞŐ", Secondary: "MARIA ALEXANDRA ELISABETA CONSTANTINA"}
	p.Alternative = passport.AlternativeNames{FormerSurname: "KATSURAGIBE", Surname: "O'BRIEN-ØSTERGÅRD", GivenName: "ALEKSANDRA"}
	return c
}

// Codes with invented content, of the versions that real ones have.
var (
	vdsncSymbol = symbol(strings.Repeat("aZ09_-+/", 250), qr.L)
	hc1Symbol   = symbol("HC1:"+strings.Repeat("NCFOXN*TS0BI$ZD-PH", 36), qr.M)
	shcSymbol   = symbol("shc:/"+strings.Repeat("5676290952432060346029243740446031222959532654603460", 32), qr.L)
)

func symbol(text string, level qr.Level) *qr.Matrix {
	m, err := qr.EncodeText(text, level, qr.MaxVersion)
	if err != nil {
		panic(err)
	}
	return m
}

func page(c certificate.Certificate) pdf.Page {
	p := pdf.Page{Certificate: c, Copy: 1}
	if c.Kind == certificate.International {
		p.RenewBy = c.IssuedAt.AddDate(2, 0, 0)
	}
	for _, code := range c.Codes() {
		m := map[certificate.Family]*qr.Matrix{certificate.SHC: shcSymbol, certificate.VDSNC: vdsncSymbol, certificate.DCC: hc1Symbol, certificate.ICVP: hc1Symbol}[code.Family]
		p.Codes = append(p.Codes, pdf.Code{Family: code.Family, Dose: code.Dose, Matrix: m})
	}
	return p
}

// yellowCard has n doses against polio.
func yellowCard(n int) certificate.Certificate {
	c := international(n, catalogue.PolioProgramme, "PolioVaccineInactivatedSProduct031f63df3184acdf0cb82f90f316b6c3")
	c.Doses[0].Clinician = "Dr. Sato Kenji"
	return c
}

// yellowFever has the one dose that most cards show.
func yellowFever() certificate.Certificate {
	c := international(1, catalogue.YellowFeverProgramme, "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0")
	c.Doses[0].Clinician = "Dr. Sato Kenji"
	return c
}

func international(n int, programme, code string) certificate.Certificate {
	c := travel(n)
	c.Kind, c.Programme, c.Participant, c.Subject.Sex = certificate.International, programme, "UTO", certificate.Female
	product, err := catalogue.Default().Product(code, c.IssuedOn)
	if err != nil {
		panic(err)
	}
	for i := range c.Doses {
		d := &c.Doses[i]
		d.Product = product
		d.ValidFrom, _ = catalogue.ICVPProducts().ValidFrom(product.Disease, d.VaccinatedOn)
	}
	return c
}

// longestCard has the longest product, maker and names, and a guardian, on two sheets.
func longestCard() certificate.Certificate {
	l := longest()
	c := international(5, catalogue.PolioProgramme, "DiphtheriaTetanusPertussProductf4177b409d09d83e48630717437c5aea")
	c.Subject, c.MoreDoses = l.Subject, 2
	c.Subject.Sex, c.Subject.BirthDate = certificate.Unknown, "2020-02-01"
	c.Subject.Guardian = "KATSURAGIBE-ŁUKASZ ĐẶNG ČĞŐ MARIA ALEXANDRA ELISABETA CONSTANTINA ALEKSANDRA O’BRIEN-ØSTERGÅRD AKASHIDA"
	c.Issuer.English[0] = "Director of the Public Health Centre of Kita-Akashi Special Ward, Metropolis of Kaku"
	c.Issuer.Japanese = append(c.Issuer.Japanese, "架空県北証特別区保健所長事務取扱")
	for i := range c.Doses {
		d := &c.Doses[i]
		d.Number, d.Lot = i+3, "ABCDEFGHIJ1234567890"
		d.Clinician = "Professor Doctor Alexandra Elisabeta Constantina Østergård-Yamashita of the Quarantine Station Kaku"
		d.Product.MakerEN = "Federal State Autonomous Scientific Institution «Chumakov Federal Scientific Center for Research & Development of Immune-And Biological Products», Russian Academy of Sciences"
	}
	return c
}

// european is a travel certificate with a third code.
func european(c certificate.Certificate) certificate.Certificate {
	c.EU = true
	return c
}

func samples() map[string]pdf.Page {
	return map[string]pdf.Page{
		"domestic-1": page(domestic(1)), "travel-3": page(travel(3)), "travel-longest": page(longest()), "travel-eu": page(european(travel(3))),
		"icvp-1": page(yellowFever()), "icvp-3": page(yellowCard(3)), "icvp-5": page(yellowCard(5)), "icvp-longest": page(longestCard()),
	}
}

func text(pages [][]string) string {
	var b strings.Builder
	for _, p := range pages {
		b.WriteString(strings.Join(p, "\n") + "\n")
	}
	return b.String()
}
