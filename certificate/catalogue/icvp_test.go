package catalogue

import (
	"encoding/json"
	"strings"
	"testing"

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
