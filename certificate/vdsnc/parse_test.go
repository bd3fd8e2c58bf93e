package vdsnc

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/internal/strictjson"
	"akashi/internal/testkit"
)

// Steps 1 to 3 of spec icao-vds-nc, 7, by changes of the text of a good barcode.
func TestParseErrors(t *testing.T) {
	good := newSigner(t).seal(t, specimen())
	replace := func(old, with string) string {
		if !strings.Contains(good, old) {
			t.Fatalf("no %s to replace", old)
		}
		return strings.Replace(good, old, with, 1)
	}
	cases := map[string]struct {
		text  string
		step  Step
		code  string
		field string
	}{
		"empty":                   {"", StepMalformed, "not_json", ""},
		"too long":                {good + strings.Repeat(" ", maxReadable), StepMalformed, "too_long", ""},
		"invalid UTF-8":           {replace("FC9880", "\xff"), StepMalformed, "not_json", ""},
		"lone surrogate":          {replace("FC9880", `\ud800`), StepMalformed, "not_json", ""},
		"something after it":      {good + "x", StepMalformed, "not_json", ""},
		"second object":           {good + good, StepMalformed, "not_json", ""},
		"duplicate name":          {replace(`"lot":`, `"lot":"A","lot":`), StepMalformed, "not_json", ""},
		"duplicate part":          {replace(`"sig":`, `"sig":{},"sig":`), StepMalformed, "not_json", ""},
		"deep":                    {replace(`"FC9880"`, strings.Repeat("[", 17)+strings.Repeat("]", 17)), StepMalformed, "not_json", ""},
		"number out of range":     {replace(`"v":1`, `"v":1e999`), StepMalformed, "not_canonicalizable", "data"},
		"string":                  {`"x"`, StepMalformed, "not_an_object", ""},
		"null":                    {`null`, StepMalformed, "not_an_object", ""},
		"empty array":             {`[]`, StepMalformed, "not_an_object", ""},
		"array of two":            {"[" + good + "," + good + "]", StepMalformed, "not_an_object", ""},
		"array in an array":       {"[[" + good + "]]", StepMalformed, "not_an_object", ""},
		"no data":                 {`{"sig":{}}`, StepSchema, "missing", "data"},
		"no sig":                  {`{"data":{}}`, StepSchema, "missing", "sig"},
		"third part":              {replace(`{"data"`, `{"x":1,"data"`), StepSchema, "unknown_member", ""},
		"other case":              {replace(`{"data"`, `{"Data"`), StepSchema, "missing", "data"},
		"data is a string":        {`{"data":"x","sig":{}}`, StepSchema, "wrong_type", "data"},
		"data is null":            {`{"data":null,"sig":{}}`, StepSchema, "wrong_type", "data"},
		"member in data":          {replace(`"msg":`, `"x":1,"msg":`), StepSchema, "unknown_member", "data.x"},
		"member in hdr":           {replace(`"v":1`, `"v":1,"w":1`), StepSchema, "unknown_member", "data.hdr.w"},
		"member in pid":           {replace(`"i":`, `"j":"x","i":`), StepSchema, "unknown_member", "data.msg.pid.j"},
		"member in sig":           {replace(`"alg":`, `"x":1,"alg":`), StepSchema, "unknown_member", "sig.x"},
		"version as text":         {replace(`"v":1`, `"v":"1"`), StepSchema, "wrong_type", "data.hdr.v"},
		"version 1.5":             {replace(`"v":1`, `"v":1.5`), StepSchema, "out_of_range", "data.hdr.v"},
		"issuer":                  {replace(`"is":"UTO"`, `"is":"UT"`), StepSchema, "not_a_country", "data.hdr.is"},
		"empty name":              {replace("MIYAKE SHOTA", ""), StepSchema, "empty", "data.msg.pid.n"},
		"name with direction":     {replace("MIYAKE", `\u202e`), StepSchema, "character_not_allowed", "data.msg.pid.n"},
		"name with line break":    {replace("MIYAKE", `\n`), StepSchema, "character_not_allowed", "data.msg.pid.n"},
		"dob 1991-2-18":           {replace("1991-02-18", "1991-2-18"), StepSchema, "not_a_date", "data.msg.pid.dob"},
		"dob 1991-XX-18":          {replace("1991-02-18", "1991-XX-18"), StepSchema, "not_a_date", "data.msg.pid.dob"},
		"dob too long":            {replace("1991-02-18", "1991-02-18T00"), StepSchema, "too_long", "data.msg.pid.dob"},
		"dose in part":            {replace("2021-03-01", "2021-03"), StepSchema, "not_a_date", "data.msg.ve[0].vd[0].dvc"},
		"ve is an object":         {replace(`"ve":[`, `"ve":{},"x":[`), StepSchema, "wrong_type", "data.msg.ve"},
		"ve of numbers":           {replace(`"ve":[`, `"ve":[1,`), StepSchema, "wrong_type", "data.msg.ve[0]"},
		"no dose":                 {replace(`"vd":[`, `"vd":[],"x":[`), StepSchema, "empty", "data.msg.ve[0].vd"},
		"seq 100":                 {replace(`"seq":2`, `"seq":100`), StepSchema, "out_of_range", "data.msg.ve[1].vd[0].seq"},
		"seq 1e30":                {replace(`"seq":2`, `"seq":1e30`), StepSchema, "out_of_range", "data.msg.ve[1].vd[0].seq"},
		"no alg":                  {replace(`"alg":"ES256",`, ``), StepSchema, "missing", "sig.alg"},
		"cer is a number":         {replace(`"cer":"`, `"cer":1,"x":"`), StepSchema, "wrong_type", "sig.cer"},
		"cer in base64":           {replace(`"cer":"`, `"cer":"+/`), StepMalformed, "not_base64url", "sig.cer"},
		"cer is no certificate":   {replace(`"cer":"`, `"cer":"AAAA`), StepMalformed, "not_a_certificate", "sig.cer"},
		"something after cer":     {afterCertificate(t), StepMalformed, "not_a_certificate", "sig.cer"},
		"sigvl wrongly padded":    {strings.TrimSuffix(good, `"}}`) + `="}}`, StepMalformed, "not_base64url", "sig.sigvl"},
		"sigvl with a line break": {replace(`"sigvl":"`, `"sigvl":"\n`), StepSchema, "character_not_allowed", "sig.sigvl"},
		"alg HS256":               {replace(`ES256`, `HS256`), StepUnsupported, "algorithm", "sig.alg"},
		"alg es256":               {replace(`ES256`, `es256`), StepUnsupported, "algorithm", "sig.alg"},
		"alg ES512":               {replace(`ES256`, `ES512`), StepUnsupported, "key", "sig.cer"},
	}
	for name, c := range cases {
		t.Run("error/"+name, func(t *testing.T) {
			_, err := Parse(c.text)
			if want := (&Error{c.step, c.code, c.field}); !reflectError(err, want) {
				t.Errorf("got %v, want %v", err, want)
			}
		})
	}
}

// afterCertificate is a barcode whose cer has a byte more than the certificate.
func afterCertificate(t *testing.T) string {
	signer := newSigner(t)
	signer.der = append(signer.der, 0)
	data, err := Draft(specimen(), issuer)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Seal(data, signer.sign(t, data), signer.der); err == nil {
		t.Fatal("sealed")
	}
	good := newSigner(t)
	text := good.seal(t, specimen())
	return strings.Replace(text, encodeBase64(good.der), encodeBase64(append(good.der, 0)), 1)
}

func TestParseAccepts(t *testing.T) {
	good := newSigner(t).seal(t, specimen())
	cases := map[string]struct {
		old, with string
		notes     []string
		unknown   []string
	}{
		"ok/white space":        {`{"data":`, " {\n\"data\" : ", nil, nil},
		"ok/unknown in msg":     {`"uvci":`, `"x":{"y":null},"uvci":`, nil, []string{"data.msg.x"}},
		"ok/unknown in ve":      {`"nam":`, `"x":1,"nam":`, nil, []string{"data.msg.ve[0].x"}},
		"ok/unknown in vd":      {`"lot":`, `"x":[],"lot":`, nil, []string{"data.msg.ve[0].vd[0].x"}},
		"ok/unknown odd name":   {`"lot":`, `"<b>":1,"lot":`, nil, []string{"data.msg.ve[0].vd[0].?"}},
		"ok/other characters":   {`MHLW_Gov`, `Clinic (é)`, []string{NoteCharacters}, nil},
		"ok/year of birth":      {`1991-02-18`, `1991`, []string{NotePartialBirthDate}, nil},
		"ok/month of birth":     {`1991-02-18`, `1991-02`, []string{NotePartialBirthDate}, nil},
		"ok/day of birth XX":    {`1991-02-18`, `1991-02-XX`, []string{NotePartialBirthDate}, nil},
		"ok/without dis":        {`"dis":"RA01.0",`, ``, nil, nil},
		"ok/without i":          {`"i":"TK0000000",`, ``, nil, nil},
		"ok/without dob":        {`"dob":"1991-02-18",`, ``, nil, nil},
		"ok/next dose, sex":     {`"i":"TK0000000"`, `"i":"TK0000000","sex":"X"`, nil, nil},
		"ok/Germany":            {`"is":"UTO"`, `"is":"D"`, nil, nil},
		"ok/number spelt 1.0e0": {`"v":1`, `"v":1.0e0`, nil, nil},
		"ok/escaped characters": {`"FC9880"`, `"\u0046C9880"`, nil, nil},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(good, c.old, c.with, 1)
			if text == good {
				t.Fatal("nothing replaced")
			}
			b, err := Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(b.Notes, c.notes) || !slices.Equal(b.Unknown, c.unknown) {
				t.Errorf("notes %v, unknown %v", b.Notes, b.Unknown)
			}
		})
	}
}

// Spec icao-vds-nc, 3: the report pads cer and not sigvl; both forms of both are read.
func TestParsePadding(t *testing.T) {
	signer := newSigner(t)
	for len(signer.der)%3 == 0 { // needs no padding
		signer = newSigner(t)
	}
	text := signer.seal(t, specimen())
	var sealed struct{ Sig struct{ Cer, Sigvl string } }
	if err := json.Unmarshal([]byte(text), &sealed); err != nil {
		t.Fatal(err)
	}
	cer, sigvl := strings.TrimRight(sealed.Sig.Cer, "="), strings.TrimRight(sealed.Sig.Sigvl, "=")
	padding := strings.Repeat("=", (4-len(cer)%4)%4)
	for name, c := range map[string]struct{ cer, sigvl string }{
		"ok/neither": {cer, sigvl}, "ok/cer": {cer + padding, sigvl}, "ok/sigvl": {cer, sigvl + "=="}, "ok/both": {cer + padding, sigvl + "=="},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := Parse(strings.NewReplacer(`"`+sealed.Sig.Cer+`"`, `"`+c.cer+`"`, `"`+sealed.Sig.Sigvl+`"`, `"`+c.sigvl+`"`).Replace(text))
			if err != nil {
				t.Fatal(err)
			}
			if err := b.CheckSignature(); err != nil {
				t.Error(err)
			}
		})
	}
}

const testMessage = `{"hdr":{"is":"UTO","t":"icao.test","v":1},"msg":{"dat":{"ri":"2021-03-02T10:00:00+09:00","sc":"2021-03-01T10:00:00Z"},"opt":"x",` +
	`"pid":{"dn":"TK0000000","dob":"1991-02-18","dt":"P","n":"MIYAKE SHOTA"},` +
	`"sp":{"cd":{"a":"1 Example Street","e":"test@example.org","p":"+000000000"},"ctr":"UTO","spn":"Example Laboratory"},` +
	`"tr":{"m":"saliva","r":"negative","tc":"molecular(PCR)"},"utci":"U0001"}}`

// Spec icao-vds-nc, 1.2: read only.
func TestParseTestMessage(t *testing.T) {
	signer := newSigner(t)
	text, err := Seal([]byte(testMessage), signer.sign(t, []byte(testMessage)), signer.der)
	if err != nil {
		t.Fatal(err)
	}
	t.Run("ok/all members", func(t *testing.T) {
		b, err := Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.CheckSignature(); err != nil {
			t.Error(err)
		}
		want := Test{
			Provider: "Example Laboratory", Country: "UTO", Phone: "+000000000", Email: "test@example.org", Address: "1 Example Street",
			SampledAt: b.Test.SampledAt, ReportedAt: b.Test.ReportedAt, Kind: "molecular(PCR)", Result: "negative", Method: "saliva", Optional: "x",
		}
		if *b.Test != want || b.Person.DocumentType != "P" || b.Person.Number.Reveal() != "TK0000000" || b.ID != "U0001" {
			t.Errorf("read as %+v", b.Test)
		}
		if !b.Test.ReportedAt.Equal(time.Date(2021, 3, 2, 1, 0, 0, 0, time.UTC)) {
			t.Errorf("reported at %v", b.Test.ReportedAt)
		}
		if got := b.Warnings(time.Date(2021, 3, 2, 0, 0, 0, 0, time.UTC)); !slices.Equal(got, []string{WarnFutureDate}) {
			t.Errorf("warnings %v", got)
		}
	})
	cases := map[string]struct{ old, with, code, field string }{
		"result":         {"negative", "maybe", "not_in_list", "data.msg.tr.r"},
		"document type":  {`"dt":"P"`, `"dt":"Z"`, "not_in_list", "data.msg.pid.dt"},
		"time zone left": {"10:00:00Z", "10:00:00", "not_a_time", "data.msg.dat.sc"},
		"no dob":         {`"dob":"1991-02-18",`, ``, "missing", "data.msg.pid.dob"},
		"no provider":    {`"spn":"Example Laboratory"`, `"x":1`, "missing", "data.msg.sp.spn"},
	}
	for name, c := range cases {
		t.Run("error/"+name, func(t *testing.T) {
			if _, err := Parse(strings.Replace(text, c.old, c.with, 1)); !reflectError(err, &Error{StepSchema, c.code, c.field}) {
				t.Errorf("got %v", err)
			}
		})
	}
}

// Step 9.
func TestWarnings(t *testing.T) {
	signer := newSigner(t)
	at := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	cases := map[string]struct {
		change func(c *certificate.Certificate)
		at     time.Time
		want   []string
	}{
		"ok/none":              {func(*certificate.Certificate) {}, at, nil},
		"ok/today in the east": {func(c *certificate.Certificate) { c.Doses[2].VaccinatedOn = "2022-01-02" }, at.Add(10 * time.Hour), nil},
		"error/before birth":   {func(c *certificate.Certificate) { c.Subject.BirthDate = "2021-03-02" }, at, []string{WarnDoseBeforeBirth}},
		"error/future dose":    {func(c *certificate.Certificate) { c.Doses[2].VaccinatedOn = "2022-01-03" }, at, []string{WarnFutureDate}},
		"error/future birth":   {func(c *certificate.Certificate) { c.Subject.BirthDate = "2023-01-01" }, at, []string{WarnDoseBeforeBirth, WarnFutureDate}},
		"error/before vaccine": {func(c *certificate.Certificate) { c.Doses[0].VaccinatedOn = "2020-11-30" }, at, []string{WarnBeforeVaccine}},
		"ok/other disease": {func(c *certificate.Certificate) {
			c.Doses[0].VaccinatedOn, c.Doses[0].Product.Disease = "2001-01-01", "1F03"
		}, at, nil},
		"error/repeated number": {func(c *certificate.Certificate) { c.Doses[1].Number = 1 }, at, []string{WarnRepeatedNumber}},
		"error/period of use":   {func(*certificate.Certificate) {}, at.AddDate(0, 4, 0), []string{WarnSigningPeriodOver}},
	}
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			one := specimen()
			c.change(&one)
			b, err := Parse(signer.seal(t, one))
			if err != nil {
				t.Fatal(err)
			}
			if got := b.Warnings(c.at); !slices.Equal(got, c.want) {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// S-091: no error repeats a value of the barcode.
func TestErrorsHoldNoValues(t *testing.T) {
	good := newSigner(t).seal(t, specimen())
	const canary = "CANARY"
	var fields []string
	var tree map[string]any
	if err := json.Unmarshal([]byte(good), &tree); err != nil {
		t.Fatal(err)
	}
	for _, value := range []string{"UTO", "icao.vacc", "MIYAKE SHOTA", "1991-02-18", "TK0000000", "6U5RSWMBASG2", "XM0GQ8", "2021-03-01", "JPN\"", "ES256"} {
		with := strings.Repeat(canary, 8) + strings.Repeat("\"", strings.Count(value, "\""))
		_, err := Parse(strings.Replace(good, value, with, 1))
		var e *Error
		if !errors.As(err, &e) || strings.Contains(err.Error(), canary) {
			t.Errorf("%s: got %v", value, err)
			continue
		}
		fields = append(fields, e.Field)
	}
	if len(slices.Compact(slices.Sorted(slices.Values(fields)))) != len(fields) {
		t.Errorf("fields %v", fields)
	}
}

func FuzzParse(f *testing.F) {
	for _, name := range []string{"real/jpn-three-doses.json", "real/uto-tr-example-two-doses.json", "synthetic/syn-83-partial-dob-xx.json", "synthetic/syn-04-valid-es384.json"} {
		f.Add(string(testkit.Read(f, "vdsnc/"+name)))
	}
	signer := newSigner(f)
	text, err := Seal([]byte(testMessage), signer.sign(f, []byte(testMessage)), signer.der)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	now := time.Date(2022, 1, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, text string) {
		b, err := Parse(text)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) {
				t.Errorf("not a typed error: %T", err)
			}
			return
		}
		_, _ = b.CheckSignature(), b.Warnings(now)
		_ = SignerRules(b.Signer, b.Signer, b.Type, b.Issuer, now)
		_ = Compare(specimen(), issuer, b)
		if _, err := strictjson.Parse(b.Signed, maxDepth); err != nil || (b.Test == nil) == (b.Type == TypeTest) || b.Person.Name == "" {
			t.Error("incomplete")
		}
	})
}
