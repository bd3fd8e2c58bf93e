package vaccination

import (
	"encoding/json"
	"testing"

	"akashi/internal/testkit"
	"akashi/internal/vault"
)

// codes-and-files.md 1 and 10.
func TestParseMunicipality(t *testing.T) {
	for in, want := range map[string]string{
		"011002": "011002", "011011": "011011", "011100": "011100", "082210": "082210", "010006": "010006", "080004": "080004",
		"131016": "131016", "141003": "141003", "271004": "271004", "182079": "182079", "401307": "401307", "900001": "900001", "０１１００２": "011002",
	} {
		t.Run("ok/"+in, func(t *testing.T) {
			if got, err := ParseMunicipality(in); err != nil || got != want {
				t.Errorf("%q %v", got, err)
			}
		})
	}
	for _, in := range []string{"011003", "08221", "000000", "", "9000011", "90000a", "９０００１１", " 900001"} {
		t.Run("error/"+in, func(t *testing.T) {
			if _, err := ParseMunicipality(in); err == nil {
				t.Error("accepted")
			}
		})
	}
}

// codes-and-files.md 2 and 10.
func TestIsIndividualNumber(t *testing.T) {
	for _, in := range []string{"123456789018", "983205673214", "111111111118", "999999999996", "000000000019"} {
		if !vault.Valid(in) {
			t.Errorf("ok/%s not recognised", in)
		}
	}
	for _, in := range []string{"123456789012", "000000000000", "12345678901", "1234567890189", "１２３４５６７８９０１８", ""} {
		if vault.Valid(in) {
			t.Errorf("error/%s recognised", in)
		}
	}
}

// S-092: the canaries in the forms in which a file can hold them.
func TestHasIndividualNumber(t *testing.T) {
	var canaries struct {
		Valid []string `json:"valid"`
		Wrong []string `json:"wrong_check_digit"`
	}
	if err := json.Unmarshal(testkit.Read(t, "security/own/my-number-canaries.json"), &canaries); err != nil {
		t.Fatal(err)
	}
	forms := func(n string) []string {
		wide := ""
		for _, d := range n {
			wide += string(d - '0' + '０')
		}
		return []string{n, n[:4] + "-" + n[4:8] + "-" + n[8:], n[:4] + " " + n[4:8] + " " + n[8:], wide, "番号" + n + "です", "(" + n + ")", "a " + n + ",b"}
	}
	ran := 0
	for i := range canaries.Valid {
		for _, f := range forms(canaries.Valid[i]) {
			ran++
			if vault.Find(f) == 0 {
				t.Errorf("missed: %q", f)
			}
		}
		for _, f := range forms(canaries.Wrong[i]) {
			ran++
			if vault.Find(f) > 0 {
				t.Errorf("false alarm: %q", f)
			}
		}
	}
	if ran != 12*7*2 {
		t.Errorf("%d forms ran", ran)
	}
	for _, harmless := range []string{
		"0000012345",         // ticket
		"219000010000012345", // OCR line
		"123456789018A",      // lot
		"A123456789018",
		"1234567890180",   // thirteen digits
		"20210726123456",  // time stamp
		"03-1234-5678",    // telephone
		"12-3456-7890-18", // not in fours
		"1234-5678-901",
	} {
		if vault.Find(harmless) > 0 {
			t.Errorf("false alarm: %q", harmless)
		}
	}
}

// codes-and-files.md 5 and 10.
func TestParseTicketLine(t *testing.T) {
	want := TicketLine{Kind: "2", Dose: 1, Municipality: "900001", Ticket: "0000012345"}
	for _, in := range []string{"219000010000012345", "２１９０００010000012345", "2 1 900001 0000012345", "a219000010000012345a", "A219000010000012345B"} {
		if got, err := ParseTicketLine(in); err != nil || got != want {
			t.Errorf("ok/%s: %+v %v", in, got, err)
		}
	}
	for _, in := range []string{"21900001000001234", "219000020000012345", "2190000100000123456", "", "21900001000001234x", "a219000010000012345", "219000010000012345a"} {
		if _, err := ParseTicketLine(in); err == nil {
			t.Errorf("error/%s accepted", in)
		}
	}
}

// codes-and-files.md 5: a ticket may have an NW-7 bar code, whose start and stop
// letters many scanners send.
func TestScannedDigits(t *testing.T) {
	for in, want := range map[string]string{
		"a0000000001a": "0000000001", "A0000000001A": "0000000001", "d0000000001B": "0000000001", "ａ００００００0001ａ": "0000000001", " c0000000001c\t": "0000000001",
		"0000000001": "0000000001", "000 000 0001": "0000000001", "": "", "aa": "",
		"a0000000001": "a0000000001", "0000000001d": "0000000001d", "e0000000001e": "e0000000001e", "aa0000000001aa": "a0000000001a", "a": "a",
	} {
		if got := ScannedDigits(in); got != want {
			t.Errorf("%q: %q, want %q", in, got, want)
		}
	}
}
