package catalogue

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"akashi/internal/clock"
)

// certificate-japan.md 5 and 6.4: names, maker labels and dated codes.
func TestResolve(t *testing.T) {
	const today = "2026-11-21"
	ok := []struct {
		maker, product string
		on             clock.Date
		id, cvx        string
		how            How
	}{
		{"ファイザー", "コミナティ", today, "comirnaty", "208", ByName},
		{"ファイザー", "", today, "comirnaty", "208", ByMaker},
		{"Pfizer", "", today, "comirnaty", "208", ByMaker},
		{"pfizer", "comirnaty", today, "comirnaty", "208", ByName},
		{"ﾌｧｲｻﾞｰ", "ｺﾐﾅﾃｨ", today, "comirnaty", "208", ByName},
		{"", "コミナティ（BA.1）", "2023-02-06", "comirnaty-ba1", "208", ByName},
		{"", "コミナティ（BA.1）", "2023-02-07", "comirnaty-ba1", "520", ByName},
		{"", "スパイクバックス(BA.1)", "2022-11-27", "spikevax-ba1", "207", ByName},
		{"", "スパイクバックス(BA.1)", "2022-11-28", "spikevax-ba1", "229", ByName},
		{"", "スパイクバックス(BA.1)", "2023-02-06", "spikevax-ba1", "229", ByName},
		{"", "スパイクバックス(BA.1)", "2023-02-07", "spikevax-ba1", "519", ByName},
		{"武田／モデルナ", "COVID-19ワクチンモデルナ", today, "spikevax", "207", ByAlias},
		{"武田", "スパイクバックス", today, "spikevax", "207", ByName},
		{"武田", "ヌバキソビッド", today, "nuvaxovid", "211", ByName},
		{"武田/モデルナ", "", today, "spikevax", "207", ByMaker},
		{"モデルナ", "モデルナ", today, "spikevax", "207", ByMaker},
		{"ファイザー", "Pfizer", today, "comirnaty", "208", ByMaker},
		{"", "ファイザー", today, "comirnaty", "208", ByMaker},
		{"ファイザー（BA.1）", "", today, "comirnaty-ba1", "520", ByAlias},
		{"ファイザー（BA.1）", "コミナティ（BA.1）", today, "comirnaty-ba1", "520", ByName},
		{"ファイザー", "コミナティ（5～11歳用）", today, "comirnaty-5-11", "218", ByName}, // U+FF5E as CP932 decodes
		{"ファイザー", "コミナティ（5〜11歳用）", today, "comirnaty-5-11", "218", ByName}, // U+301C
		{"ファイザー", "コミナティ（６ヶ月－４歳用）", today, "comirnaty-6m-4", "219", ByName},
		{"ファイザー", "コミナティRTU筋注(2価:起源株/オミクロン株BA.4-5)", today, "comirnaty-ba45", "300", ByAlias},
		{"アストラゼネカ", "", today, "vaxzevria", "210", ByMaker},
		{"第一三共", "ダイチロナ", today, "daichirona-xbb", "500", ByAlias},
	}
	for _, c := range ok {
		t.Run("ok/"+c.maker+"/"+c.product+"/"+string(c.on), func(t *testing.T) {
			p, how, err := Default().Resolve("covid19", c.maker, c.product, c.on)
			if err != nil || p.ID != c.id || p.CVX != c.cvx || how != c.how {
				t.Errorf("got %q cvx %q by %q, %v", p.ID, p.CVX, how, err)
			}
		})
	}
	bad := []struct {
		programme, maker, product string
		on                        clock.Date
		want                      Reason
	}{
		{"covid19", "", "", today, Unknown},
		{"covid19", "ファイザー", "無名", today, Unknown},
		{"covid19", "誰か", "", today, Unknown},
		{"covid19", "誰か", "コミナティ", today, MakerMismatch},
		{"covid19", "モデルナ", "コミナティ", today, MakerMismatch},
		{"covid19", "ファイザー（BA.1）", "コミナティ", today, MakerMismatch},
		{"covid19", "モデルナ", "ファイザー", today, Unknown},
		{"covid19", "武田", "", today, Ambiguous},
		{"covid19", "Takeda", "", today, Ambiguous},
		{"covid19", "Meiji Seika", "コスタイベ", today, NotCertifiable},
		{"covid19", "", "コミナティ（BA.1）", "2021-06-01", NoCode},
		{"routine", "ファイザー", "コミナティ", today, Unknown},
		{"routine", "ファイザー", "", today, Unknown},
	}
	for _, c := range bad {
		t.Run("error/"+c.programme+"/"+c.maker+"/"+c.product, func(t *testing.T) {
			if p, _, err := Default().Resolve(c.programme, c.maker, c.product, c.on); !errors.Is(err, c.want) {
				t.Errorf("got %q, %v, want %v", p.ID, err, c.want)
			}
		})
	}
}

// icao-vds-nc.md 1.1 and 1.3: the official specimen names COMIRNATY, XM0GQ8, RA01.0.
func TestProductOfSpecimen(t *testing.T) {
	p, err := Default().Product("comirnaty", "2021-12-09")
	if err != nil || p.Brand != "COMIRNATY" || p.ICD11Class != "XM0GQ8" || p.Disease != "RA01.0" || p.ICD11Product != "XM8NQ0" {
		t.Errorf("%+v %v", p, err)
	}
}

// Every certifiable product has all that a certificate prints and a code today.
func TestDefaultIsComplete(t *testing.T) {
	c := Default()
	if c.Version() == "" || len(c.products) < 18 {
		t.Fatalf("version %q, %d products", c.Version(), len(c.products))
	}
	for id, e := range c.products {
		p, err := c.Product(id, "2026-11-21")
		if !e.product.Certifiable {
			if !errors.Is(err, NotCertifiable) {
				t.Errorf("%s: %v", id, err)
			}
			continue
		}
		if err != nil || (p.CVX == "" || p.ICD11Class == "") != e.international || (p.ICVP == "") == e.international || p.MakerJA == "" || p.MakerEN == "" || p.TypeJA == "" || p.TypeEN == "" {
			t.Errorf("%s: %+v %v", id, p, err)
		}
		if r, ok := c.Rules(id); !ok || !r.Approved.Full() || !r.GivenFrom.Full() || r.Approved > r.GivenFrom {
			t.Errorf("%s: rules %+v", id, r)
		}
	}
	// Only from September 2022 on the maker alone leaves the product open for ages of 12 and more.
	for id, want := range map[string]clock.Date{"comirnaty": "2022-09-20", "spikevax": "2022-09-12", "vaxzevria": ""} {
		if r, _ := c.Rules(id); r.RivalFrom != want {
			t.Errorf("%s: rival from %q", id, r.RivalFrom)
		}
	}
	if p, ok := c.Programme("covid19"); !ok || p.FirstDose != "2021-02-17" || p.LastDose != "2024-03-31" {
		t.Errorf("programme %+v", p)
	}
}

func TestLoad(t *testing.T) {
	edit := func(change func(*list)) string {
		var l list
		if err := json.Unmarshal(embedded, &l); err != nil {
			t.Fatal(err)
		}
		change(&l)
		b, _ := json.Marshal(l)
		return string(b)
	}
	t.Run("ok/same", func(t *testing.T) {
		if _, err := Load(strings.NewReader(edit(func(*list) {}))); err != nil {
			t.Error(err)
		}
	})
	for name, text := range map[string]string{
		"no version":        edit(func(l *list) { l.Version = "" }),
		"product twice":     edit(func(l *list) { l.Products = append(l.Products, l.Products[0]) }),
		"alias of two":      edit(func(l *list) { l.Products[1].Aliases = []string{"コミナティ 筋注"} }),
		"brand in kana":     edit(func(l *list) { l.Products[0].Brand = "コミナティ" }),
		"brand in brackets": edit(func(l *list) { l.Products[0].Brand = "COMIRNATY (BA.1)" }),
		"unknown maker":     edit(func(l *list) { l.Products[0].Maker = "x" }),
		"unknown type":      edit(func(l *list) { l.Products[0].Type = "x" }),
		"unknown programme": edit(func(l *list) { l.Products[0].Programme = "x" }),
		"overlap":           edit(func(l *list) { l.Products[1].CVX[0].To = "2023-02-07" }),
		"open then more":    edit(func(l *list) { l.Products[1].CVX[0].To = "" }),
		"bad date":          edit(func(l *list) { l.Products[0].GivenFrom = "2021-02-30" }),
		"bad code":          edit(func(l *list) { l.Products[0].CVX[0].Code = "20x" }),
		"bad pattern":       edit(func(l *list) { l.Products[0].Lot = "[" }),
		"bad ages":          edit(func(l *list) { l.Products[0].AgeBelowMonths = 1 }),
		"foreign default":   edit(func(l *list) { l.Makers[0].Default = "spikevax" }),
		"maker twice":       edit(func(l *list) { l.Makers = append(l.Makers, l.Makers[0]) }),
		"programme twice":   edit(func(l *list) { l.Programmes = append(l.Programmes, l.Programmes[0]) }),
		"unknown member":    `{"version":"1","extra":1}`,
		"two values":        `{"version":"1"}{}`,
		"not JSON":          `コミナティ`,
		"too large":         `{"version":"` + strings.Repeat("x", maxList) + `"}`,
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if _, err := Load(strings.NewReader(text)); err == nil {
				t.Error("accepted")
			}
		})
	}
}

func FuzzResolve(f *testing.F) {
	f.Add("ファイザー", "コミナティ（BA.1）", "2026-11-21")
	f.Add("武田", "", "2022")
	f.Add("\xff", "\u0000", "")
	f.Fuzz(func(t *testing.T, maker, product, on string) {
		p, _, err := Default().Resolve("covid19", maker, product, clock.Date(on))
		if err == nil && (p.CVX == "" || !p.Certifiable) {
			t.Errorf("%q %q gives %+v without error", maker, product, p)
		}
	})
}
