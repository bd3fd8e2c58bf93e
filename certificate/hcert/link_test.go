package hcert

import (
	"archive/zip"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
)

// who-icvp-gdhcn, 8: the fourth shape, a bare shlink, and what is no link.
func TestLinks(t *testing.T) {
	encode := func(s string) string { return base64.RawURLEncoding.EncodeToString([]byte(s)) }
	good := encode(`{"url":"https://a.example.org/x","key":"` + strings.Repeat("A", 43) + `","exp":2000000000,"extension":{"fhirBaseUrl":"https://b.example.org"}}`)
	for name, v := range map[string]any{"bare": "shlink:/" + good, "with a viewer": "https://viewer.example.org#shlink:/" + good, "padded": "shlink:/" + good + "=="} {
		links, err := readLinks(v)
		if err != nil || len(links) != 1 || links[0].Shape != "shlink" || links[0].Expires.Unix() != 2e9 || links[0].FHIRBase != "https://b.example.org" {
			t.Errorf("ok/%s: %+v, %v", name, links, err)
		}
		if w := links[0].Warnings(time.Unix(1e9, 0)); w != nil {
			t.Errorf("ok/%s: %v", name, w)
		}
		if w := links[0].Warnings(time.Unix(3e9, 0)); !slices.Equal(w, []string{"link_expired"}) {
			t.Errorf("ok/%s, expired: %v", name, w)
		}
	}
	for name, c := range map[string]struct {
		v    any
		want string
	}{
		"a number": {int64(1), "content not_a_link"}, "an empty array": {[]any{}, "content not_a_link"}, "an array of texts": {[]any{"shlink:/" + good}, "content not_a_link"},
		"another scheme": {"https://a.example.org", "content not_a_link"}, "no base64url": {"shlink:/*", "content not_base64url"}, "no JSON": {"shlink:/" + encode("x"), "content not_json"},
		"no map": {"shlink:/" + encode("[]"), "content not_a_link"}, "no address": {table{}, "content missing"}, "a member twice": {"shlink:/" + encode(`{"url":"a","url":"b"}`), "content not_json"},
		"an end that is none": {table{"url": "https://a.example.org", "exp": "soon"}, "content not_a_time"}, "too long": {"shlink:/" + strings.Repeat("A", maxLink+1), "content not_a_link"},
	} {
		if _, err := readLinks(c.v); reason(err) != c.want {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	key := strings.Repeat("A", 43)
	for address, want := range map[string]string{
		"http://a.example.org": "not_https", "https://127.0.0.1/": "private_address", "https://[::1]/": "private_address", "https://10.1.2.3": "private_address",
		"https://169.254.169.254/": "private_address", "https://[::ffff:10.0.0.1]/": "private_address", "https://printer.local": "private_address", "https://localhost": "private_address",
		"https://intranet": "private_address", "https://u:p@a.example.org": "credentials_in_link", "https:///x": "no_host", "://": "no_host",
	} {
		if w := (Link{URL: address, Key: key}).Warnings(time.Time{}); !slices.Contains(w, want) {
			t.Errorf("error/%s: %v", address, w)
		}
	}
	if w := (Link{URL: "https://a.example.org", Key: "short"}).Warnings(time.Time{}); !slices.Equal(w, []string{"key_form"}) {
		t.Errorf("error/key: %v", w)
	}
}

// shc/shl: the published link holds the payload beside it, with and without a viewer
// before it; a test server's plain address and its end are said.
func TestPublishedLink(t *testing.T) {
	var payload struct {
		URL, Flag, Key, Label string
		Exp                   int64
	}
	if err := json.Unmarshal(testkit.Read(t, "shc/shl/shlink-payload.txt"), &payload); err != nil {
		t.Fatal(err)
	}
	var share struct{ Link string }
	if err := json.Unmarshal(testkit.Read(t, "shc/shl/ERn18l4lL3_5yPXMSzx3ZejyMM_XIeWeseXa3DXsJD0.json"), &share); err != nil {
		t.Fatal(err)
	}
	want := Link{Shape: "shlink", URL: payload.URL, Key: payload.Key, Flag: payload.Flag, Label: payload.Label, Expires: time.Unix(payload.Exp, 0).UTC()}
	for name, text := range map[string]string{
		"bare": string(testkit.Read(t, "shc/shl/shlink-link.txt")), "with a viewer": string(testkit.Read(t, "shc/shl/shlink-link-with-viewer.txt")), "share": share.Link,
	} {
		got, err := readLinkText(text)
		if err != nil || got != want {
			t.Errorf("ok/%s: %+v, %v", name, got, err)
		}
		if w := got.Warnings(want.Expires.Add(time.Second)); !slices.Equal(w, []string{"not_https", "private_address", "link_expired"}) {
			t.Errorf("ok/%s: %v", name, w)
		}
	}
}

// who/divoc: the sample is read for display, equal to the JSON beside it; bombs are not.
func TestDIVOC(t *testing.T) {
	text := string(testkit.Read(t, "who/divoc/divoc-sample-1.txt"))
	d, err := ParseDIVOC(text)
	if err != nil {
		t.Fatal(err)
	}
	var beside struct {
		Subject struct{ Name string } `json:"credentialSubject"`
		Proof   struct{ Type string }
	}
	if err := json.Unmarshal(testkit.Read(t, "who/divoc/divoc-sample-1.json"), &beside); err != nil {
		t.Fatal(err)
	}
	want := DIVOC{
		Name: "Third March User One", Gender: "Male", Age: "65", Nationality: "Indian", Identity: "did:Passport:Dummy256", Issuer: "https://cowin.gov.in/", CertificateID: "92047670169",
		Vaccine: "COVISHIELD", Manufacturer: "Serum Institute of India", Batch: "Dummy-TGN-Chamba", Date: "2021-03-03", Dose: 1, Total: 2, Proof: "RsaSignature2018",
	}
	if *d != want || d.Name != beside.Subject.Name || d.Proof != beside.Proof.Type || !IsDIVOC(text) {
		t.Errorf("ok/sample: %+v", d)
	}
	archive := string(must(base64.StdEncoding.DecodeString(strings.TrimSpace(text[4:]))))
	if again, err := ParseDIVOC(archive); err != nil || *again != want || !IsDIVOC(archive) {
		t.Errorf("ok/bare zip: %v", err)
	}
	for name, c := range map[string]struct{ text, want string }{
		"no base64": {"B64:*", "prefix not_base64"}, "no zip": {"B64:AAAA", "inflate not_zip"}, "too long": {strings.Repeat("A", maxText+1), "prefix too_long"},
		"another name":  {zipOf(t, "../x.json", "{}"), "inflate not_one_file"},
		"two files":     {zipOf(t, divocFile, "{}", "b", "{}"), "inflate not_one_file"},
		"too large":     {zipOf(t, divocFile, strings.Repeat(" ", maxDIVOC+1)), "inflate too_large"},
		"no JSON":       {zipOf(t, divocFile, "x"), "content not_json"},
		"no map":        {zipOf(t, divocFile, "[]"), "content not_a_map"},
		"no vaccine":    {zipOf(t, divocFile, `{"evidence":[{}]}`), "content missing"},
		"no evidence":   {zipOf(t, divocFile, `{}`), "content no_entry"},
		"a name twice":  {zipOf(t, divocFile, `{"a":1,"a":2}`), "content not_json"},
		"two evidences": {zipOf(t, divocFile, `{"evidence":[{},{}]}`), "content no_entry"},
	} {
		if _, err := ParseDIVOC(c.text); reason(err) != c.want {
			t.Errorf("error/%s: %v", name, err)
		}
	}
	bomb := zipOf(t, divocFile, strings.Repeat(" ", 2<<20))
	if used := allocated(func() { _, _ = ParseDIVOC(bomb) }); used > 1<<20 {
		t.Errorf("%d bytes were allocated for a bomb", used)
	}
}

func zipOf(t *testing.T, pairs ...string) string {
	t.Helper()
	var out bytes.Buffer
	w := zip.NewWriter(&out)
	for ; len(pairs) > 0; pairs = pairs[2:] {
		_, _ = must(w.Create(pairs[0])).Write([]byte(pairs[1]))
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// who-icvp-gdhcn, 9: the core data sets as sub-claims 3 and 4.
func TestRecords(t *testing.T) {
	maker := newForger(t)
	certificate := table{"issuer": "JPN", "hcid": "1", "version": "1.0"}
	code := must(Parse(maker.code(t, table{claimHealth: table{3: table{"name": "A", "birthDate": "1990-01-01", "certificate": certificate,
		"vaccination": table{"vaccine": table{"code": "XM68M6"}, "brand": "B", "maholder": "C", "lot": "1", "date": "2021-01-02", "dose": 2, "totalDoses": 3, "country": "JPN"}}}})))
	if r := code.Record; code.Fault != nil || r.FirstDraft || r.Issuer != "JPN" || r.ID != "1" || r.Vaccination.Vaccine.Code != "XM68M6" || r.Vaccination.Manufacturer.Display != "C" ||
		r.Vaccination.Dose != 2 || r.Vaccination.Total != 3 || r.Vaccination.Date != "2021-01-02" {
		t.Errorf("ok/vaccination: %+v, %v", r, code.Fault)
	}
	code = must(Parse(maker.code(t, table{claimHealth: table{4: table{"name": "A", "certificate": certificate, "test": table{"result": "negative", "date": "2021-01-02T03:04:05Z"}}}})))
	if r := code.Record; code.Fault != nil || r.Test.Result.Display != "negative" || r.Test.At.Hour() != 3 {
		t.Errorf("ok/test: %+v, %v", r, code.Fault)
	}
	for name, c := range map[string]struct {
		health any
		want   string
	}{
		"no entry": {table{3: table{"name": "A"}}, "content no_entry"}, "no name": {table{4: table{"test": table{}}}, "content missing"}, "no map": {table{3: "x"}, "content not_a_map"},
		"nothing": {nil, "content no_health_certificate"}, "a text": {"x", "content no_health_certificate"}, "number 2, not used": {table{2: table{}}, "content no_known_subclaim"},
	} {
		if code := must(Parse(maker.code(t, table{claimHealth: c.health}))); reason(code.Fault) != c.want {
			t.Errorf("error/%s: %v", name, code.Fault)
		}
	}
}
