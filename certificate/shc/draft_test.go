package shc

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/qr"
	"akashi/internal/clock"
	"akashi/internal/testkit"
	"akashi/passport"
)

// specimen is an invented person with n doses, latest first as no record would
// have them, so that the order of the card is the package's own.
func specimen(kind certificate.Kind, n int) certificate.Certificate {
	c := certificate.Certificate{
		Office: "900001", ID: "ABCDEFGHJKLM", Kind: kind, Programme: "covid19",
		IssuedAt: time.Date(2026, 11, 20, 1, 2, 3, 0, time.UTC),
		Subject: certificate.Subject{
			Name:      certificate.Name{Family: "架空", Given: "花子"},
			BirthDate: "1980-01-23",
		},
	}
	if kind == certificate.Travel {
		c.Subject.Passport = &passport.Document{
			MRZName: passport.Name{Primary: "KAKUU", Secondary: "HANAKO"},
			Number:  passport.NewNumber("XS1234567"), Nationality: "JPN",
		}
	}
	for i := range n {
		day := clock.Date("2021-07-07").AddDays(180 * i)
		c.Doses = append(c.Doses, certificate.Dose{
			Number: i + 1, VaccinatedOn: day, Product: catalogue.Product{ID: "spikevax", CVX: "207"},
			Lot: fmt.Sprintf("30%05d", 99-7*i), Country: "JPN",
		})
	}
	slices.Reverse(c.Doses)
	return c
}

func options(f forger) Options {
	return Options{Issuer: "https://issuer.akashi.test", KeyID: f.id, RevocationID: "vwAjHdarZuc"}
}

func (f forger) issue(t testing.TB, c certificate.Certificate, o Options) *Card {
	t.Helper()
	input, err := Draft(c, o)
	if err != nil {
		t.Fatal(err)
	}
	jws, err := Seal(input, f.sign(t, string(input)))
	if err != nil {
		t.Fatal(err)
	}
	card, err := Parse(jws)
	if err != nil {
		t.Fatal(err)
	}
	return card
}

// The claims are those of the model card, to the byte, plus the rid.
func TestDraftIsTheModelCard(t *testing.T) {
	f := newForger(t)
	c := specimen(certificate.Domestic, 0)
	c.IssuedAt = time.Unix(1640395310, 0)
	c.Subject = certificate.Subject{Name: certificate.Name{Family: "接種", Given: "太郎"}, BirthDate: "1980-01-23"}
	moderna := catalogue.Product{CVX: "207"}
	c.Doses = []certificate.Dose{
		{Number: 1, VaccinatedOn: "2021-07-07", Lot: "3009999", Product: moderna},
		{Number: 2, VaccinatedOn: "2021-08-05", Lot: "3009998", Product: moderna},
	}
	card := f.issue(t, c, Options{Issuer: "https://vc.vrs.digital.go.jp/issuer", KeyID: f.id, RevocationID: "vwAjHdarZuc"})
	var model bytes.Buffer
	if err := json.Compact(&model, testkit.Read(t, "shc/japan/domestic-profile-clean.payload.json")); err != nil {
		t.Fatal(err)
	}
	if got := strings.Replace(string(card.Claims), `,"rid":"vwAjHdarZuc"`, "", 1); got != model.String() {
		t.Errorf("claims\n%s\nwant\n%s", got, model.String())
	}
	if !strings.HasPrefix(card.JWS, "eyJ6aXAiOiJERUYiLCJhbGciOiJFUzI1NiIsImtpZCI6I") { // {"zip":"DEF","alg":"ES256","kid":"
		t.Error("header is not written as real cards write it")
	}
}

// Design 3.3: what a travel card says, and that it is clean by our own rules.
func TestDraftTravel(t *testing.T) {
	f := newForger(t)
	c := specimen(certificate.Travel, 3)
	o := options(f)
	card := f.issue(t, c, o)
	want := []Name{{Family: "KAKUU", Given: []string{"HANAKO"}}, {Family: "架空", Given: []string{"花子"}}}
	if got := card.Bundle.Patients[0].Names; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("names %v", got)
	}
	if !slices.Equal(card.Types, []string{TypeHealthCard, TypeImmunization, TypeCOVID19}) {
		t.Errorf("types %v", card.Types)
	}
	dates := []string{}
	for _, d := range card.Bundle.Immunizations {
		dates = append(dates, d.Date)
		if d.Status != "completed" || d.Performer != Performer || d.Codes[0] != (Coding{SystemCVX, "207"}) {
			t.Errorf("dose %+v", d)
		}
	}
	if !slices.IsSorted(dates) || len(dates) != 3 {
		t.Errorf("dates %v", dates)
	}
	if !card.NotBefore.Equal(c.IssuedAt) || !card.Expires.IsZero() || card.RevocationID != o.RevocationID {
		t.Errorf("nbf %s, exp %s, rid %s", card.NotBefore, card.Expires, card.RevocationID)
	}
	for _, secret := range []string{"XS1234567", "JPN\"", "dose", "\"use\"", "\"exp\""} {
		if strings.Contains(string(card.Claims), secret) {
			t.Errorf("claims hold %s", secret)
		}
	}
	if f := append(LintClaims(card.Claims), card.Content()...); len(f) > 0 {
		t.Errorf("findings %v", f)
	}
	if diff := Compare(c, card, o); diff != nil {
		t.Errorf("differs at %v", diff)
	}
	if got, _ := verify(card.JWS, f.trust(o.Issuer), c.IssuedAt); got != "" {
		t.Errorf("does not verify: %s", got)
	}
}

// A person with one name has it as text: family without given is an error.
func TestDraftNames(t *testing.T) {
	f := newForger(t)
	for name, n := range map[string]certificate.Name{
		"ok/one name":         {Family: "スカルノ"},
		"ok/outside the BMP":  {Family: "𠮷田", Given: "髙子"},
		"ok/variation":        {Family: "辻\U000E0100", Given: "太郎"},
		"ok/signs of markup":  {Family: `<&>"\u0026`, Given: "a\u2028b"},
		"ok/combining accent": {Family: "Nguye\u0302\u0303n", Given: "A"},
	} {
		t.Run(name, func(t *testing.T) {
			c := specimen(certificate.Domestic, 1)
			c.Subject.Name = n
			o := options(f)
			card := f.issue(t, c, o)
			got := card.Bundle.Patients[0].Names[0]
			if n.Given == "" && (got.Text != n.Family || got.Family != "" || got.Given != nil) {
				t.Errorf("name %+v", got)
			}
			if n.Given != "" && (got.Family != n.Family || got.Given[0] != n.Given) {
				t.Errorf("name %+v", got)
			}
			if diff := Compare(c, card, o); diff != nil {
				t.Errorf("differs at %v", diff)
			}
			if bytes.Contains(card.Claims, []byte(`\u003c`)) {
				t.Error("escaped for HTML")
			}
		})
	}
}

func TestDraftRefuses(t *testing.T) {
	f := newForger(t)
	cases := map[string]struct {
		change func(*certificate.Certificate, *Options)
		code   string
		field  string
	}{
		"error/no code":          {func(c *certificate.Certificate, _ *Options) { c.Doses[1].Product.CVX = "" }, "no_code", "doses[1].product"},
		"error/not a code":       {func(c *certificate.Certificate, _ *Options) { c.Doses[0].Product.CVX = "XM0GQ8" }, "not_a_code", "doses[0].product"},
		"error/no doses":         {func(c *certificate.Certificate, _ *Options) { c.Doses = nil }, "out_of_range", "doses"},
		"error/six doses":        {func(c *certificate.Certificate, _ *Options) { c.Doses = specimen(c.Kind, 6).Doses }, "out_of_range", "doses"},
		"error/partial date":     {func(c *certificate.Certificate, _ *Options) { c.Doses[0].VaccinatedOn = "2021-07" }, "not_a_date", "doses[0].vaccinated_on"},
		"error/date of no year":  {func(c *certificate.Certificate, _ *Options) { c.Doses[0].VaccinatedOn = "2021-02-29" }, "not_a_date", "doses[0].vaccinated_on"},
		"error/birth date":       {func(c *certificate.Certificate, _ *Options) { c.Subject.BirthDate = "1980-13-01" }, "not_a_date", "subject.birth_date"},
		"error/lot":              {func(c *certificate.Certificate, _ *Options) { c.Doses[0].Lot = "30\n1" }, "not_writable", "doses[0].lot"},
		"error/name":             {func(c *certificate.Certificate, _ *Options) { c.Subject.Name.Given = "\xff" }, "not_writable", "subject.name"},
		"error/no name":          {func(c *certificate.Certificate, _ *Options) { c.Subject.Name = certificate.Name{} }, "missing", "subject.name"},
		"error/no passport":      {func(c *certificate.Certificate, _ *Options) { c.Subject.Passport = nil }, "missing", "subject.passport"},
		"error/no passport name": {func(c *certificate.Certificate, _ *Options) { c.Subject.Passport.MRZName = passport.Name{} }, "missing", "subject.passport.mrz_name"},
		"error/kind":             {func(c *certificate.Certificate, _ *Options) { c.Kind = "other" }, "unknown", "kind"},
		"error/nbf in ms":        {func(c *certificate.Certificate, _ *Options) { c.IssuedAt = time.Unix(c.IssuedAt.UnixMilli(), 0) }, "out_of_range", "issued_at"},
		"error/nbf zero":         {func(c *certificate.Certificate, _ *Options) { c.IssuedAt = time.Time{} }, "out_of_range", "issued_at"},
		"error/nbf fraction":     {func(c *certificate.Certificate, _ *Options) { c.IssuedAt = c.IssuedAt.Add(1) }, "out_of_range", "issued_at"},
		"error/too large":        {func(c *certificate.Certificate, _ *Options) { c.Subject.Name.Given = noise(700) }, "too_large", ""},
		"error/iss slash":        {func(_ *certificate.Certificate, o *Options) { o.Issuer += "/" }, "trailing_slash", "issuer"},
		"error/iss http":         {func(_ *certificate.Certificate, o *Options) { o.Issuer = "http://issuer.akashi.test" }, "not_https", "issuer"},
		"error/kid":              {func(_ *certificate.Certificate, o *Options) { o.KeyID = `","x":"` }, "not_a_thumbprint", "key_id"},
		"error/rid short":        {func(_ *certificate.Certificate, o *Options) { o.RevocationID = "abc" }, "out_of_range", "revocation_id"},
		"error/rid long":         {func(_ *certificate.Certificate, o *Options) { o.RevocationID = strings.Repeat("a", 25) }, "out_of_range", "revocation_id"},
	}
	for name, v := range cases {
		t.Run(name, func(t *testing.T) {
			c, o := specimen(certificate.Travel, 2), options(f)
			v.change(&c, &o)
			_, err := Draft(c, o)
			var e *Error
			if !errors.As(err, &e) || *e != (Error{StepDraft, v.code, v.field}) {
				t.Errorf("got %v", err)
			}
		})
	}
	if _, err := Seal([]byte("a.b"), make([]byte, 70)); err == nil { // DER by mistake
		t.Error("error/signature of 70 bytes was sealed")
	}
}

// noise is text that does not deflate well.
func noise(n int) string {
	var b strings.Builder
	for x := uint32(1); b.Len() < n; x = x*1664525 + 1013904223 {
		b.WriteRune(rune(0x4E00 + x>>8%0x5000))
	}
	return b.String()
}

// Spec, 6: five doses fit level M, all fit level L; the longest JWS of a
// version 22 symbol at level L has 1195 characters.
func TestSizes(t *testing.T) {
	f := newForger(t)
	for _, kind := range []certificate.Kind{certificate.Domestic, certificate.Travel} {
		for n := 1; n <= certificate.MaxDoses; n++ {
			card := f.issue(t, specimen(kind, n), options(f))
			t.Logf("%s, %d doses: %d characters", kind, n, len(card.JWS))
			if kind == certificate.Domestic && len(card.JWS) > 927 {
				t.Errorf("%d doses have %d characters, above level M", n, len(card.JWS))
			}
		}
	}
}

// The same certificate gives the same bytes, also from writers in a pool.
func TestDraftIsDeterministic(t *testing.T) {
	f := newForger(t)
	var group sync.WaitGroup
	want := map[int][]byte{}
	for n := 1; n <= 5; n++ {
		want[n], _ = Draft(specimen(certificate.Travel, n), options(f))
	}
	for range 4 {
		group.Go(func() {
			for i := range 50 {
				if got, err := Draft(specimen(certificate.Travel, 1+i%5), options(f)); err != nil || !bytes.Equal(got, want[1+i%5]) {
					t.Errorf("draft differs: %v", err)
				}
			}
		})
	}
	group.Wait()
}

// Spec, 6: a byte segment with the scheme and a numeric one with the digits.
func TestSegments(t *testing.T) {
	numeric, err := Numeric("-z.aZ09")
	if err != nil || numeric != "shc:/00770152450312" {
		t.Fatalf("%q, %v", numeric, err)
	}
	want := []qr.Segment{{Mode: qr.Byte, Text: "shc:/"}, {Mode: qr.Numeric, Text: "00770152450312"}}
	if got := Segments(numeric); !slices.Equal(got, want) {
		t.Errorf("segments %v", got)
	}
	if back, notes, err := FromNumeric(numeric); back != "-z.aZ09" || notes != nil || err != nil {
		t.Errorf("%q %v %v", back, notes, err)
	}
	for _, s := range []string{" ", "+", "{", "a\n", "é"} {
		if _, err := Numeric(s); err == nil {
			t.Errorf("error/%q was written", s)
		}
	}
}

// S-057: a card that differs from its certificate in one value is named with
// exactly that value, for every value.
func TestCompareNamesEachField(t *testing.T) {
	f := newForger(t)
	c, o := specimen(certificate.Travel, 2), options(f)
	card := f.issue(t, c, o)
	var tree map[string]any
	if err := json.Unmarshal(card.Claims, &tree); err != nil {
		t.Fatal(err)
	}
	paths := map[string]any{}
	leaves(tree, "", paths)
	for path, value := range paths {
		changed := *card
		changed.Claims = changeLeaf(t, card.Claims, path, value)
		changed.tree, _ = parseTree(changed.Claims)
		if got := Compare(c, &changed, o); !slices.Equal(got, []string{path}) {
			t.Errorf("%s changed: %v", path, got)
		}
	}
	if len(paths) != 34 {
		t.Errorf("%d values tried, want 34", len(paths))
	}
	changed := *card
	changed.Header.KeyID = strings.Repeat("A", 43)
	if got := Compare(c, &changed, o); !slices.Equal(got, []string{"header.kid"}) {
		t.Errorf("kid changed: %v", got)
	}
	changed = *card
	changed.Claims = bytes.Replace(card.Claims, []byte(`"birthDate"`), []byte(`"gender":"female","birthDate"`), 1)
	changed.tree, _ = parseTree(changed.Claims)
	const extra = "vc.credentialSubject.fhirBundle.entry[0].resource.gender"
	if got := Compare(c, &changed, o); !slices.Equal(got, []string{extra}) {
		t.Errorf("gender added: %v", got)
	}
}

// changeLeaf gives claims in which one value is another.
func changeLeaf(t *testing.T, claims []byte, path string, value any) []byte {
	t.Helper()
	var tree any
	if err := json.Unmarshal(claims, &tree); err != nil {
		t.Fatal(err)
	}
	var set func(v any, at string) any
	set = func(v any, at string) any {
		switch v := v.(type) {
		case map[string]any:
			for name, child := range v {
				v[name] = set(child, join(at, name))
			}
		case []any:
			for i, child := range v {
				v[i] = set(child, index(at, i))
			}
		case string:
			if at == path {
				return v + "x"
			}
		case float64:
			if at == path {
				return v + 1
			}
		}
		return v
	}
	out, err := json.Marshal(set(tree, ""))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// Dates decide the order, also against the numbers of an odd record; the number
// decides between doses of one day.
func TestOrderOfDoses(t *testing.T) {
	got := chronological([]certificate.Dose{
		{Number: 1, VaccinatedOn: "2021-09-01"}, {Number: 3, VaccinatedOn: "2021-07-01"}, {Number: 2, VaccinatedOn: "2021-07-01"},
	})
	if !slices.Equal(got, []int{2, 1, 0}) {
		t.Errorf("order %v", got)
	}
}

func BenchmarkDraft(b *testing.B) {
	f := newForger(b)
	c, o := specimen(certificate.Travel, 3), options(f)
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Draft(c, o); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	f := newForger(b)
	jws := f.issue(b, specimen(certificate.Travel, 3), options(f)).JWS
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Parse(jws); err != nil {
			b.Fatal(err)
		}
	}
}

// leaves lists the values of a tree by path.
func leaves(v any, path string, out map[string]any) {
	switch v := v.(type) {
	case map[string]any:
		for name, child := range v {
			leaves(child, join(path, name), out)
		}
	case []any:
		for i, child := range v {
			leaves(child, path+"["+strconv.Itoa(i)+"]", out)
		}
	default:
		out[path] = v
	}
}
