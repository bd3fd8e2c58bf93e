package catalogue

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"akashi/internal/clock"
	"akashi/internal/testkit"
)

// spec who-icvp-gdhcn, 3: every code of the value set, and those of the newer list that are
// for the same diseases, lead to a product; an alias and a new code to the same as the old.
func TestICVPProducts(t *testing.T) {
	p := ICVPProducts()
	var list struct {
		Products []struct {
			Code, Disease, Manufacturer string
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "who/icvp/icvp-product-ids-2025-10.json"), &list); err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	for _, one := range list.Products {
		got, listed, ok := p.Find(one.Code)
		if !ok || listed != "2025-10-30" || got.Code != one.Code || got.Manufacturer != strings.TrimSpace(one.Manufacturer) {
			t.Errorf("ok/%s: %+v", one.Code, got)
		}
		count[one.Disease+" "+got.Disease]++
	}
	if len(list.Products) != 60 || count["yellow-fever "+YellowFever] != 11 || count["poliomyelitis "+Polio] != 49 {
		t.Errorf("%v", count)
	}
	var newer struct {
		Products []struct {
			Code, Name string
			Vaccine    struct{ VaccineName struct{ FullName string } }
		}
	}
	if err := json.Unmarshal(testkit.Read(t, "who/icvp/prequal-product-ids-2026-04-sample.json"), &newer); err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, one := range newer.Products {
		name := one.Vaccine.VaccineName.FullName
		ours := strings.HasPrefix(name, "Yellow fever") || strings.HasPrefix(name, "Poliomyelitis")
		byCode, listed, ok := p.Find(one.Code)
		byAlias, _, _ := p.Find(one.Name)
		if ok != ours || byCode != byAlias || ok && listed != "2026-04-01" {
			t.Errorf("%s %s: %+v", one.Code, name, byCode)
		}
		if ok {
			found++
		}
	}
	if len(newer.Products) != 35 || found != 5 {
		t.Errorf("%d of %d found, want 5 of 35", found, len(newer.Products))
	}
	stamaril, _, _ := p.Find("YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0")
	if stamaril.Name != "STAMARIL" || stamaril.Doses != 10 || stamaril.Prequalified != "1987-01-01" || p.Version() != "2026-04" {
		t.Errorf("ok/STAMARIL: %+v", stamaril)
	}
	if _, _, ok := p.Find("NotInTheCatalogue"); ok {
		t.Error("error/unknown code")
	}
}

// spec who-icvp-gdhcn, 3 and 4: every product of the list is one of its programme, found by
// each of its codes, dated, and not to be guessed where a name has several.
func TestInternational(t *testing.T) {
	c, on := Default(), clock.Date("2026-11-22")
	for _, one := range ICVPProducts().file.Products {
		programme := map[string]string{YellowFever: YellowFeverProgramme, Polio: PolioProgramme}[one.Disease]
		for _, code := range one.Codes {
			for _, text := range []string{code.Code, code.Alias} {
				if text == "" {
					continue
				}
				p, _, err := c.Resolve(programme, "", text, on)
				if err != nil || p.ICVP != one.Codes[0].Code || p.Disease != one.Disease || p.CVX != "" || p.NameEN == "" || p.TypeJA == "" {
					t.Errorf("ok/%s: %+v %v", text, p, err)
				}
			}
		}
	}
	for name, test := range map[string]struct {
		maker, product, programme string
		on                        clock.Date
		want                      error
	}{
		"ok/trade name":             {"サノフィ", "スタマリル", YellowFeverProgramme, on, nil},
		"ok/trade name in Latin":    {"Sanofi Pasteur", "Stamaril", YellowFeverProgramme, on, nil},
		"error/several of the name": {"", "Stabilized Yellow Fever Vaccine", YellowFeverProgramme, on, Ambiguous},
		"error/other maker":         {"Institut Pasteur de Dakar", "STAMARIL", YellowFeverProgramme, on, MakerMismatch},
		"error/not in catalogue":    {"", "YF-VAX", YellowFeverProgramme, on, Unknown},
		"error/other programme":     {"", "STAMARIL", PolioProgramme, on, Unknown},
		"error/before the list":     {"", "STAMARIL", YellowFeverProgramme, "2025-10-29", NoCode},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := c.Resolve(test.programme, test.maker, test.product, test.on); !errors.Is(err, test.want) {
				t.Errorf("%v, want %v", err, test.want)
			}
		})
	}
	for _, test := range []struct {
		disease    string
		dose, from clock.Date
	}{{YellowFever, "2026-11-22", "2026-12-02"}, {YellowFever, "1999-12-25", "2000-01-04"}, {Polio, "2026-11-22", "2026-11-22"}, {"1D48", "2026-11-22", ""}, {Polio, "2026-11", ""}} {
		if from, ok := ICVPProducts().ValidFrom(test.disease, test.dose); from != test.from || ok != (test.from != "") {
			t.Errorf("%s %s: from %s", test.disease, test.dose, from)
		}
	}
}
