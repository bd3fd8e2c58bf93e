package hcert

import (
	"bytes"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"akashi/internal/clock"
	"akashi/internal/testkit"
	"akashi/passport"
	"akashi/signing/pki"
)

// whoCase is a case of who/hcert/synthetic-icvp-vhl.json.
type whoCase struct {
	ID, QR, Expect string
	Certificate    []byte
	Clock          time.Time `json:"validation_clock"`
}

func whoCases(t testing.TB) map[string]whoCase {
	t.Helper()
	var file struct {
		Authority []byte `json:"sca_certificate_der_base64"`
		Cases     []whoCase
	}
	if err := json.Unmarshal(testkit.Read(t, "who/hcert/synthetic-icvp-vhl.json"), &file); err != nil {
		t.Fatal(err)
	}
	authority := must(pki.ParseCertificate(file.Authority))
	cases := map[string]whoCase{}
	for _, c := range file.Cases {
		cases[c.ID] = c
		if err := authority.CheckSignature(must(pki.ParseCertificate(c.Certificate))); err != nil {
			t.Errorf("%s: signer %v", c.ID, err)
		}
	}
	return cases
}

const stamaril = "YellowFeverProductd8a09f80301dc05e124f99ffe7711fc0"

// who/README: the signature of all eight verifies; what they prove is as it says.
func TestWHOSynthetic(t *testing.T) {
	want := map[string]string{
		"icvp-gen3": "", "icvp-gen2": "", "icvp-too-recent": "content too_recent", "icvp-unlisted-product": "content product_not_in_catalogue",
		"icvp-no-issuer-no-clinician": "content incomplete", "vhl-string": "", "vhl-map": "", "vhl-array-u": "",
	}
	cases, codes := whoCases(t), map[string]*Code{}
	for id, c := range cases {
		t.Run(id, func(t *testing.T) {
			code, got := judge(c.QR, must(pki.ParseCertificate(c.Certificate)), c.Clock)
			if got == "" && code.ICVP != nil {
				got = reason(code.ICVP.CheckDose(c.Clock))
			}
			if expected, known := want[id]; !known || got != expected {
				t.Errorf("%q, want %q (%s)", got, expected, c.Expect)
			}
			if err := code.CheckSignature(must(pki.ParseCertificate(c.Certificate)).PublicKey); err != nil {
				t.Error(err)
			}
			codes[id] = code
		})
	}
	if len(cases) != 8 {
		t.Errorf("%d cases ran, want 8", len(cases))
	}
	third, second := *codes["icvp-gen3"].ICVP, *codes["icvp-gen2"].ICVP
	v := must(third.Validity())
	if third.Date != "2026-04-20" || v.From != "2026-04-30" || v.Product.Name != "STAMARIL" || third.DocumentNumber.Reveal() != "L898902C3" || third.Authority != "XXX" {
		t.Errorf("ok/generation 3: %+v", third)
	}
	if second.Generation != 2 || !slices.Contains(codes["icvp-gen2"].Notes, NoteOldGeneration) {
		t.Errorf("ok/generation 2: %+v", second)
	}
	second.Generation, second.Template, second.DocumentType, second.Authority = third.Generation, third.Template, third.DocumentType, third.Authority
	if second != third {
		t.Errorf("ok/one model: %+v and %+v", second, third)
	}
	link := codes["vhl-string"].Links[0]
	for _, id := range []string{"vhl-map", "vhl-array-u"} {
		other := codes[id].Links[0]
		other.Shape = link.Shape
		if diff := cmp.Diff(link, other); diff != "" {
			t.Errorf("ok/%s is another link: %s", id, diff)
		}
	}
	if link.Host() != "vhl.example.org" || link.Flag != "P" || link.Label != "ICVP" || link.Version != 1 || len(link.Key) != linkKey {
		t.Errorf("ok/link: %+v", link)
	}
}

// who/README: what the WHO's own validator is tried with.
func TestWHOValidator(t *testing.T) {
	var cases []struct{ ID, QR, Expect string }
	if err := json.Unmarshal(testkit.Read(t, "who/hcert/gdhcn-validator.json"), &cases); err != nil {
		t.Fatal(err)
	}
	var list struct {
		Methods []struct {
			ID  string
			Key struct {
				Chain [][]byte `json:"x5c"`
			} `json:"publicKeyJwk"`
		} `json:"verificationMethod"`
	}
	if err := json.Unmarshal(testkit.Read(t, "who/trust/dev-v1-xcl.json"), &list); err != nil {
		t.Fatal(err)
	}
	if !strings.HasSuffix(list.Methods[0].ID, "#UUuJcwmjoJM=") {
		t.Fatal(list.Methods[0].ID)
	}
	signer := must(pki.ParseCertificate(list.Methods[0].Key.Chain[0]))
	read := map[string]*Code{}
	for _, c := range cases {
		code, err := Parse(c.QR)
		if err != nil || code.Fault != nil {
			t.Errorf("ok/%s: %v, %v", c.ID, err, code)
			continue
		}
		read[c.ID] = code
	}
	if len(cases) != 6 || len(read) != 6 {
		t.Fatalf("%d cases, %d read, want 6", len(cases), len(read))
	}
	if err := read["DVCTest3QR"].CheckSignature(signer.PublicKey); err != nil || !bytes.Equal(read["DVCTest3QR"].KeyID, KeyID(signer.Raw)) {
		t.Errorf("ok/DVCTest3QR: %v", err)
	}
	if err := read["DVCTestQR"].CheckSignature(signer.PublicKey); reason(err) != "signature not_valid" {
		t.Errorf("error/DVCTestQR: %v", err)
	}
	for id, want := range map[string]ICVP{
		"DVCTestQR": {Generation: 1, Name: "Aulo Agerio", BirthDate: "1905-08-23", Sex: "male", Nationality: "CL", DocumentNumber: passport.NewNumber("16337361-9"),
			Guardian: "Parent/Juan Medina", Product: "XM0N24", Disease: "1D47", Date: "1904-08-23", DoseNumber: "Primary", Batch: "123123123",
			Clinician: "Vacunador", Authority: "reference to organzation", StatedUntil: "2015-02-07"},
		"DVCTest3QR": {Generation: 1, Name: "Albani Olivieri", BirthDate: "1999-05-05", Sex: "female", DocumentNumber: passport.NewNumber("27253137"),
			Product: "871772009", Disease: "RA01", Date: "2023-07-04", DoseNumber: "secondDose", Batch: "d23456"},
	} {
		code := read[id]
		if *code.ICVP != want || !slices.Contains(code.Notes, NoteOldGeneration) || !slices.Contains(code.Notes, NoteNoExpiry) {
			t.Errorf("ok/%s: %+v, %v", id, code.ICVP, code.Notes)
		}
		if err := code.ICVP.CheckDose(issuedAt); reason(err) != "content product_not_in_catalogue" {
			t.Errorf("ok/%s: %v", id, err)
		}
	}
	for id, name := range map[string]string{"WHOQR1Contents": "Eddie Murphy", "WHOQR2Contents": "EddieMurphy", "WHOSingaporePCRContents": "TAN CHEN CHEN"} {
		if r := read[id].Record; r == nil || !r.FirstDraft || r.Name != name || (r.Test == nil) == (r.Vaccination == nil) {
			t.Errorf("ok/%s: %+v", id, r)
		}
	}
	one := read["WHOQR1Contents"].Record
	if d := one.Vaccination; d.Date != "2021-07-08" || d.Dose != 1 || d.Total != 2 || d.Lot != "PT123F" || d.Manufacturer.Code != "TEST" || one.ID != "US111222333444555666" || one.Sex != "male" {
		t.Errorf("ok/WHOQR1Contents: %+v %+v", one, d)
	}
	if r := read["WHOSingaporePCRContents"].Record.Test; r.Result.Display != "Not detected" || r.At.Year() != 2022 || r.Country.Code != "SGP" {
		t.Errorf("ok/Singapore: %+v", r)
	}
	if d := read["EUItalyAcceptanceQRContents"].DCC; d == nil || d.Vaccination.Product != "EU/1/21/1529" {
		t.Errorf("ok/Italy: %+v", d)
	}
}

// sample is the certificate of an invented traveller.
func sample() ICVP {
	return ICVP{
		Generation: 3, Template: TemplateVersion, Name: "KAKUU Hanako", BirthDate: "1990-02-28", Sex: "female", Nationality: "JPN",
		DocumentType: PassportDocument, DocumentNumber: passport.NewNumber("XS1234567"), Product: stamaril, Date: "2026-11-18", Batch: "LOT-1",
		Clinician: "Dr A. Example", Authority: "JPN",
	}
}

// who-icvp-gdhcn, 2 to 4: the payload of April 2026, with nbf where the wait is not over.
func TestDraftICVP(t *testing.T) {
	maker := newForger(t)
	o := options()
	o.Country = "JPN"
	seal := func(c ICVP) *Code {
		t.Helper()
		signed, err := DraftICVP(c, issuedAt, o)
		if err != nil {
			t.Fatal(err)
		}
		code := must(Parse(must(Seal(signed, maker.sign(t, signed)))))
		if err := code.CheckSignature(&maker.key.PublicKey); err != nil || code.Fault != nil || len(code.Notes) > 0 || *code.ICVP != c {
			t.Errorf("ok/read back: %v, %v, %v, %+v", err, code.Fault, code.Notes, code.ICVP)
		}
		if paths := CompareICVP(c, issuedAt, o, code); paths != nil {
			t.Errorf("ok/differs at %v", paths)
		}
		return code
	}
	code := seal(sample())
	if code.NotBefore.Format(time.RFC3339) != "2026-11-28T00:00:00Z" || reason(code.CheckTime(issuedAt, 0)) != "claims not_yet_valid" {
		t.Errorf("ok/nbf: %s", code.NotBefore)
	}
	older := sample()
	older.Date, older.Clinician = "2026-11-01", ""
	if code := seal(older); !code.NotBefore.IsZero() || code.CheckTime(issuedAt, 0) != nil || code.ICVP.CheckDose(issuedAt) != nil {
		t.Errorf("ok/no nbf: %s", code.NotBefore)
	}
	child := sample()
	child.BirthDate, child.Guardian, child.DocumentNumber, child.DocumentType = "2020-05-05", "KAKUU Jiro", passport.Number{}, ""
	signed := must(DraftICVP(child, issuedAt, o))
	if got := must(Parse(must(Seal(signed, maker.sign(t, signed))))); !slices.Equal(got.Notes, []string{NoteNoDocument}) || *got.ICVP != child {
		t.Errorf("ok/a child: %v", got.Notes)
	}
	for name, change := range map[string]func(*ICVP){
		"old_generation generation": func(c *ICVP) { c.Generation = 2 }, "old_generation disease": func(c *ICVP) { c.Disease = "1D47" },
		"not_latin n": func(c *ICVP) { c.Name = "架空 花子" }, "not_latin no name": func(c *ICVP) { c.Name = "" }, "not_latin two blanks": func(c *ICVP) { c.Name = "A  B" },
		"not_latin too long": func(c *ICVP) { c.Name = strings.Repeat("a", 101) }, "not_a_full_date dob": func(c *ICVP) { c.BirthDate = "1990" },
		"form s": func(c *ICVP) { c.Sex = "X" }, "form nt": func(c *ICVP) { c.Nationality = "JP" }, "missing id": func(c *ICVP) { c.DocumentNumber = passport.Number{} },
		"form id": func(c *ICVP) { c.DocumentNumber = passport.NewNumber("XS 12") }, "missing gn": func(c *ICVP) { c.BirthDate = "2020-01-01" },
		"missing v": func(c *ICVP) { c.Template = "" }, "product_not_in_catalogue vp": func(c *ICVP) { c.Product = "x" },
		"product_not_in_catalogue the newer code": func(c *ICVP) { c.Product = "a3K3X000006MihuUAC" }, "in_future dv": func(c *ICVP) { c.Date = "2026-11-21" },
		"before_approval dv": func(c *ICVP) { c.Date, c.BirthDate = "1986-12-31", "1980-01-01" }, "before_birth dv": func(c *ICVP) { c.Date = "1990-02-27" },
		"form bo": func(c *ICVP) { c.Batch = "" }, "missing cn": func(c *ICVP) { c.Clinician, c.Authority = "", "" }, "form is": func(c *ICVP) { c.Authority = "Ministry" },
		"not_latin cn": func(c *ICVP) { c.Clinician = "医師" }, "not_a_full_date dv": func(c *ICVP) { c.Date = "2026-11" },
	} {
		c := sample()
		change(&c)
		want, _, _ := strings.Cut(name, " ")
		if _, err := DraftICVP(c, issuedAt, o); reason(err) != "draft "+want {
			t.Errorf("error/%s: %v", name, err)
		}
	}
}

// S-057: each field that differs is named.
func TestCompareICVP(t *testing.T) {
	o := options()
	code := must(Parse(must(Seal(must(DraftICVP(sample(), issuedAt, o)), make([]byte, 64)))))
	for want, change := range map[string]func(*ICVP){
		"-6.n": func(c *ICVP) { c.Name = "x" }, "-6.dob": func(c *ICVP) { c.BirthDate = "x" }, "-6.s": func(c *ICVP) { c.Sex = "x" }, "-6.nt": func(c *ICVP) { c.Nationality = "x" },
		"-6.id": func(c *ICVP) { c.DocumentNumber = passport.NewNumber("1") }, "-6.dt": func(c *ICVP) { c.DocumentType = "" }, "-6.gn": func(c *ICVP) { c.Guardian = "x" },
		"-6.v": func(c *ICVP) { c.Template = "2" }, "-6.vx.vp": func(c *ICVP) { c.Product = "x" }, "-6.vx.dv": func(c *ICVP) { c.Date = "2026-11-17" }, "claims.5": func(c *ICVP) { c.Date = "2026-11-17" },
		"-6.vx.bo": func(c *ICVP) { c.Batch = "x" }, "-6.vx.cn": func(c *ICVP) { c.Clinician = "" }, "-6.vx.is": func(c *ICVP) { c.Authority = "" },
	} {
		c := sample()
		change(&c)
		if got := strings.Join(CompareICVP(c, issuedAt, o, code), ";"); !strings.Contains(got, want) {
			t.Errorf("error/%s: %q", want, got)
		}
	}
}

// who-icvp-gdhcn, 4: decision tables DT.1 and DT.2, each from both sides of its days.
func TestICVPRules(t *testing.T) {
	const polio = "a3K3X000006Mii6UAC"
	at := time.Date(2026, 6, 1, 12, 0, 0, 0, time.UTC)
	for name, c := range map[string]struct {
		product string
		dose    clock.Date
		want    string
	}{
		"ok/yellow fever, ten days":             {stamaril, "2026-05-22", ""},
		"error/yellow fever, nine days":         {stamaril, "2026-05-24", "content too_recent"},
		"ok/yellow fever, thirty years":         {stamaril, "1996-05-22", ""},
		"ok/polio, today":                       {polio, "2026-06-01", ""},
		"error/polio, tomorrow everywhere":      {polio, "2026-06-03", "content future_event"},
		"error/yellow fever, in future":         {stamaril, "2026-07-01", "content future_event"},
		"error/not approved":                    {"x", "2026-01-01", "content product_not_in_catalogue"},
		"ok/an alias of the newer list":         {"FVP-P-64", "2026-05-01", ""},
		"error/an alias of the newer list, new": {"FVP-P-64", "2026-05-30", "content too_recent"},
	} {
		if err := (&ICVP{Product: c.product, Date: c.dose}).CheckDose(at); reason(err) != c.want {
			t.Errorf("%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct {
		dose, departure clock.Date
		urgent, want    bool
	}{
		"four weeks": {"2026-05-04", "2026-06-01", false, true}, "a day less": {"2026-05-05", "2026-06-01", false, false}, "a day less, urgent": {"2026-05-05", "2026-06-01", true, true},
		"twelve months": {"2025-06-01", "2026-06-01", false, true}, "a day more": {"2025-05-31", "2026-06-01", true, false}, "after departure": {"2026-06-02", "2026-06-01", true, false},
		"a date in part": {"2026-05", "2026-06-01", true, false},
	} {
		if got := PolioForDeparture(c.dose, c.departure, c.urgent); got != c.want {
			t.Errorf("polio, %s: %v", name, got)
		}
	}
}

// Each flaw that does not spoil an ICVP, and each part whose absence does.
func TestReadICVP(t *testing.T) {
	third := func(change func(top, dose table)) table {
		dose := table{"vp": stamaril, "dv": "2026-04-20", "bo": "1", "cn": "A"}
		top := table{"n": "A", "dob": "1990-01-01", "s": "male", "nt": "JPN", "v": TemplateVersion, "id": "1", "vx": dose}
		change(top, dose)
		return top
	}
	for name, c := range map[string]struct {
		content any
		notes   string
		want    string
	}{
		"ok/as it should be":         {third(func(_, _ table) {}), "", ""},
		"ok/dt for the date":         {third(func(_, d table) { d["dt"] = d["dv"]; delete(d, "dv") }), "", ""},
		"ok/another template":        {third(func(top, _ table) { top["v"] = "2.0" }), NoteUnknownTemplate, ""},
		"ok/a child":                 {third(func(top, _ table) { top["dob"] = "2020-01-01" }), NoteNoGuardian, ""},
		"ok/of age when issued":      {third(func(top, d table) { d["dv"], top["dob"] = "2020-01-01", "2008-04-30" }), "", ""},
		"ok/of age tomorrow":         {third(func(top, d table) { d["dv"], top["dob"] = "2020-01-01", "2008-05-02" }), NoteNoGuardian, ""},
		"ok/no document":             {third(func(top, _ table) { delete(top, "id") }), NoteNoDocument, ""},
		"ok/after its issue":         {third(func(_, d table) { d["dv"] = "2026-05-03" }), NoteAfterIssue, ""},
		"ok/before the approval":     {third(func(top, d table) { d["dv"], top["dob"] = "1986-12-31", "1950-01-01" }), NoteBeforeApproval, ""},
		"ok/sex of other words":      {third(func(top, _ table) { top["s"] = "X" }), "", ""},
		"error/no name":              {third(func(top, _ table) { delete(top, "n") }), "", "content incomplete"},
		"error/no birth date":        {third(func(top, _ table) { top["dob"] = nil }), "", "content incomplete"},
		"error/a birth year":         {third(func(top, _ table) { top["dob"] = "1990" }), NoteNoDocument, "content incomplete"},
		"error/no sex":               {third(func(top, _ table) { delete(top, "s") }), "", "content incomplete"},
		"error/no nationality":       {third(func(top, _ table) { delete(top, "nt") }), "", "content incomplete"},
		"error/no template":          {third(func(top, _ table) { delete(top, "v") }), "", "content incomplete"},
		"error/no product":           {third(func(_, d table) { delete(d, "vp") }), "", "content incomplete"},
		"error/no batch":             {third(func(_, d table) { delete(d, "bo") }), "", "content incomplete"},
		"error/no date":              {third(func(_, d table) { delete(d, "dv") }), "", "content incomplete"},
		"error/a wrong date":         {third(func(_, d table) { d["dv"] = "2026-02-30" }), "", "content not_a_date"},
		"error/a wrong birth date":   {third(func(top, _ table) { top["dob"] = "x" }), "", "content not_a_date"},
		"error/several doses":        {third(func(top, d table) { top["vx"] = []any{d, d} }), "", "content incomplete"},
		"error/no map":               {"x", "", "content not_a_map"},
		"error/nobody answers":       {third(func(_, d table) { delete(d, "cn") }), "", "content incomplete"},
		"ok/an authority in a place": {third(func(_, d table) { delete(d, "cn"); d["is"] = "JPN" }), "", ""},
	} {
		got, err := readICVP(c.content)
		if reason(err) != c.want {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if err == nil && strings.Join(got.notes("2026-05-01"), " ") != c.notes {
			t.Errorf("%s: notes %v", name, got.notes("2026-05-01"))
		}
	}
	// A positive number, once WHO assigns one, is a line of the registry.
	maker := newForger(t)
	code, err := Registry{7: ShapeICVP}.Parse(maker.code(t, table{claimHealth: table{7: third(func(_, _ table) {})}}))
	if err != nil || code.ICVP == nil || code.Fault != nil {
		t.Errorf("ok/another number: %+v, %v", code, err)
	}
	if code, _ := Parse(maker.code(t, table{claimHealth: table{7: third(func(_, _ table) {})}})); reason(code.Fault) != "content no_known_subclaim" {
		t.Errorf("error/number unknown: %v", code.Fault)
	}
}
