package chip_test

import (
	"bytes"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/json"
	"fmt"
	"log/slog"
	"math/big"
	"strings"
	"testing"
	"time"

	"akashi/certificate/trust"
	"akashi/internal/testkit"
	"akashi/passport"
	"akashi/passport/chip"
)

func zoneOf(state string) string {
	return "P<" + (state + "<<<")[:3] + zone[5:]
}

// What a signer, its authority and their lists may be (steps 6 to 10).
func TestSigner(t *testing.T) {
	serial := big.NewInt(4711)
	types := func(list ...string) pkix.Extension {
		return pkix.Extension{Id: asn1.ObjectIdentifier{2, 23, 136, 1, 1, 6, 2}, Value: testkit.Marshal(t, struct {
			Version int
			Types   []string `asn1:"set"`
		}{0, list}, "")}
	}
	extra := func(e ...pkix.Extension) func(*x509.Certificate) {
		return func(c *x509.Certificate) { c.ExtraExtensions = e }
	}
	withSerial := func(c *x509.Certificate) { c.SerialNumber = serial }
	current := func(d issued, revoked ...*big.Int) []byte {
		return d.CRL(1, at.AddDate(0, 0, -1), at.AddDate(0, 1, 0), revoked...)
	}
	for name, c := range map[string]struct {
		change func(*x509.Certificate)
		list   func(issued) []byte
		want   expect
	}{
		"ok/plain":                      {nil, nil, expect{chip.Valid, chip.Key, chip.SignerAllowed}},
		"ok/document type by letter":    {extra(types("P")), nil, expect{chip.Valid, chip.Key, chip.SignerAllowed}},
		"error/document type":           {extra(types("ID", "PD")), nil, expect{chip.NotValid, chip.Key, chip.DocumentType}},
		"error/no document type":        {extra(types()), nil, expect{chip.NotValid, chip.Key, chip.DocumentType}},
		"error/purpose":                 {func(c *x509.Certificate) { c.UnknownExtKeyUsage = []asn1.ObjectIdentifier{testkit.MasterListPurpose} }, nil, expect{chip.NotValid, chip.Key, chip.SignerNotAllowed}},
		"error/key usage":               {func(c *x509.Certificate) { c.KeyUsage = x509.KeyUsageKeyAgreement }, nil, expect{chip.NotValid, chip.Key, chip.SignerNotAllowed}},
		"error/an authority":            {func(c *x509.Certificate) { c.IsCA, c.BasicConstraintsValid = true, true }, nil, expect{chip.NotValid, chip.Key, chip.SignerNotAllowed}},
		"error/unknown and critical":    {extra(pkix.Extension{Id: asn1.ObjectIdentifier{1, 2, 3}, Critical: true, Value: []byte{5, 0}}), nil, expect{chip.NotValid, chip.Key, chip.SignerNotAllowed}},
		"error/ended":                   {func(c *x509.Certificate) { c.NotAfter = at.Add(-time.Second) }, nil, expect{chip.NotValid, chip.Validity, chip.SignerExpired}},
		"error/not yet":                 {func(c *x509.Certificate) { c.NotBefore = at.Add(time.Second) }, nil, expect{chip.NotValid, chip.Validity, chip.SignerNotYetValid}},
		"error/another country":         {func(c *x509.Certificate) { c.Subject.Country = []string{"KR"} }, nil, expect{chip.NotValid, chip.Country, chip.CountryDiffers}},
		"error/no country":              {func(c *x509.Certificate) { c.Subject.Country = nil }, nil, expect{chip.Undecided, chip.Country, chip.CountryUnknown}},
		"ok/not revoked":                {withSerial, func(d issued) []byte { return current(d, big.NewInt(1)) }, expect{chip.Valid, chip.Revocation, chip.SignerNotRevoked}},
		"error/revoked":                 {withSerial, func(d issued) []byte { return current(d, serial) }, expect{chip.NotValid, chip.Revocation, chip.SignerRevoked}},
		"ok/old list":                   {withSerial, func(d issued) []byte { return d.CRL(1, begin, at.Add(-time.Second)) }, expect{chip.Valid, chip.Revocation, chip.ListNotCurrent}},
		"error/revoked, by an old list": {withSerial, func(d issued) []byte { return d.CRL(1, begin, at.Add(-time.Second), serial) }, expect{chip.NotValid, chip.Revocation, chip.SignerRevoked}},
	} {
		t.Run(name, func(t *testing.T) {
			d := issue(t, "JP", zone, c.change)
			var lists [][]byte
			if c.list != nil {
				lists = append(lists, c.list(d))
			}
			c.want.check(t, chip.Check(d.Input, trusting(t, at, [][]byte{d.Certificate}, lists...), at))
		})
	}
	t.Run("error/the authority has ended", func(t *testing.T) {
		d := issueUnder(t, testkit.NewCountry(t, "JP", begin, at.Add(-time.Second)), zone, func(c *x509.Certificate) { c.NotAfter = end })
		expect{chip.NotValid, chip.Validity, chip.AuthorityExpired}.check(t, chip.Check(d.Input, trusting(t, at, [][]byte{d.Certificate}), at))
	})
	t.Run("error/rogue authority of the same key identifier", func(t *testing.T) {
		d, other := issue(t, "JP", zone, nil), testkit.NewCountry(t, "JP", begin, end)
		expect{chip.NotValid, chip.Issuer, chip.ChainWrong}.check(t, chip.Check(d.Input, trusting(t, at, [][]byte{other.Certificate}), at))
	})
	t.Run("error/nobody is trusted", func(t *testing.T) {
		d := issue(t, "JP", zone, nil)
		expect{chip.Undecided, chip.Issuer, chip.IssuerUnknown}.check(t, chip.Check(d.Input, &trust.Bundle{}, at))
	})
}

// An authority vouches for its own state only; the D of Germany is its DE.
func TestCountry(t *testing.T) {
	for name, c := range map[string]struct {
		country, state string
		want           expect
	}{
		"ok/JP":      {"JP", "JPN", expect{chip.Valid, chip.Country, chip.CountryAgrees}},
		"ok/DE":      {"DE", "D", expect{chip.Valid, chip.Country, chip.CountryAgrees}},
		"ok/GB":      {"GB", "GBR", expect{chip.Valid, chip.Country, chip.CountryAgrees}},
		"ok/utopia":  {"UT", "UTO", expect{chip.Valid, chip.Country, chip.CountryAgrees}},
		"error/DEU":  {"DE", "FRA", expect{chip.NotValid, chip.Country, chip.CountryDiffers}},
		"error/rule": {"KR", "PRK", expect{chip.NotValid, chip.Country, chip.CountryDiffers}},
	} {
		t.Run(name, func(t *testing.T) {
			d := issue(t, c.country, zoneOf(c.state), nil)
			v := chip.Check(d.Input, trusting(t, at, [][]byte{d.Certificate}), at)
			c.want.check(t, v)
			if v.Test != (c.state == "UTO") {
				t.Errorf("test: %t", v.Test)
			}
		})
	}
}

// An authority does not vouch for another state's signer and document.
func TestAuthorityOfAnotherState(t *testing.T) {
	d := issue(t, "JP", zoneOf("KOR"), func(c *x509.Certificate) { c.Subject.Country = []string{"KR"} })
	expect{chip.NotValid, chip.Country, chip.CountryDiffers}.check(t, chip.Check(d.Input, trusting(t, at, [][]byte{d.Certificate}), at))
}

// A content type of another kind counts for the states that are known to write it.
func TestContentTypes(t *testing.T) {
	data := asn1.ObjectIdentifier{1, 2, 840, 113549, 1, 7, 1}
	belgium := asn1.ObjectIdentifier{1, 3, 27, 1, 1, 1}
	for _, c := range []struct {
		country, state string
		kind           asn1.ObjectIdentifier
		want           string
	}{
		{"CN", "CHN", data, chip.SignatureGood}, {"JP", "JPN", data, chip.ContentType}, {"CN", "CHN", belgium, chip.ContentType},
		{"BE", "BEL", belgium, chip.SignatureGood}, {"FR", "FRA", belgium, chip.SignatureGood}, {"JP", "JPN", testkit.MasterListType, chip.ContentType},
	} {
		country := testkit.NewCountry(t, c.country, begin, end)
		signer, key := country.Signer(nil)
		dg1 := testkit.DG1(t, zoneOf(c.state))
		m := testkit.Message{Type: c.kind, Content: testkit.SecurityObject(t, map[int][]byte{1: dg1, 2: nil}), Signer: signer, Key: key, At: begin}
		v := chip.Check(chip.Input{SOD: testkit.SOD(t, m.Sign(t)), DG1: dg1}, trusting(t, at, [][]byte{country.Certificate}), at)
		if got := v.Facet(chip.Signature).Code; got != c.want || (v.Outcome == chip.Valid) != (c.want == chip.SignatureGood) {
			t.Errorf("%s with %v: %s, %s", c.state, c.kind, got, v.Outcome)
		}
	}
}

// Step 11: DG1 against what was typed at the counter, field by field.
func TestTypedZone(t *testing.T) {
	d := issue(t, "JP", zone, nil)
	b := trusting(t, at, [][]byte{d.Certificate})
	lines := zone[:44] + "\n" + zone[44:]
	with := func(old, to string) string { return strings.Replace(lines, old, to, 1) }
	for name, c := range map[string]struct {
		typed, code string
		fields      []string
	}{
		"ok/none":              {" ", chip.ZoneRight, nil},
		"ok/two lines":         {lines, chip.ZoneRight, nil},
		"ok/one line":          {zone, chip.ZoneRight, nil},
		"ok/lower case":        {strings.ToLower(lines), chip.ZoneRight, nil},
		"error/number":         {with("TZ1234567", "TZ1234568"), chip.ZoneDiffers, []string{passport.FieldNumber}},
		"error/name":           {with("SAKURA", "SAKURO"), chip.ZoneDiffers, []string{passport.FieldName}},
		"error/sex":            {with("3F3", "3M3"), chip.ZoneDiffers, []string{passport.FieldSex}},
		"error/nationality":    {with("6JPN", "6KOR"), chip.ZoneDiffers, []string{passport.FieldNationality}},
		"error/state":          {with("<JPN", "<KOR"), chip.ZoneDiffers, []string{passport.FieldIssuingState}},
		"error/birth":          {with("900220", "900221"), chip.ZoneDiffers, []string{passport.FieldBirthDate}},
		"error/expiry":         {with("340219", "350219"), chip.ZoneDiffers, []string{passport.FieldExpiry}},
		"error/kind":           {with("P<JPN", "PPJPN"), chip.ZoneDiffers, []string{passport.FieldDocumentCode}},
		"error/optional":       {with("9<<<<<", "9<A<<<"), chip.ZoneDiffers, []string{passport.FieldOptional}},
		"error/two fields":     {strings.Replace(with("900220", "900221"), "SAKURA", "SAKURO", 1), chip.ZoneDiffers, []string{passport.FieldBirthDate, passport.FieldName}},
		"error/no zone":        {"TZ1234567", chip.TypedUnreadable, nil},
		"error/far too long":   {strings.Repeat("<", 5000), chip.TypedUnreadable, nil},
		"error/a line is away": {zone[:44], chip.TypedUnreadable, nil},
	} {
		t.Run(name, func(t *testing.T) {
			in := d.Input
			in.Zone = c.typed
			v := chip.Check(in, b, at)
			if got := v.Facet(chip.Zone).Code; got != c.code || (v.Outcome == chip.Valid) != (c.code == chip.ZoneRight) {
				t.Errorf("%s, %s; want %s", got, v.Outcome, c.code)
			}
			var fields []string
			for _, f := range v.Differences {
				fields = append(fields, f.Field)
			}
			if fmt.Sprint(fields) != fmt.Sprint(c.fields) {
				t.Errorf("differences %v, want %v", fields, c.fields)
			}
		})
	}
}

// The document's own date, and data groups that are missing or no files of their kind.
func TestDocument(t *testing.T) {
	d := issue(t, "JP", zone, nil)
	b := trusting(t, at, [][]byte{d.Certificate})
	signer, key := d.Signer(nil)
	signed := func(content []byte, dg1 []byte) chip.Input {
		m := testkit.Message{Type: testkit.SecurityObjectType, Content: content, Signer: signer, Key: key, At: begin}
		return chip.Input{SOD: testkit.SOD(t, m.Sign(t)), DG1: dg1}
	}
	file := func(dg1 []byte) chip.Input {
		return signed(testkit.SecurityObject(t, map[int][]byte{1: dg1, 2: nil}), dg1)
	}
	good := testkit.DG1(t, zone)
	object := testkit.SecurityObject(t, map[int][]byte{1: good, 2: nil})
	expired := strings.Replace(zone, "3402199", "2502194", 1)
	expired = expired[:87] + "4"
	old := chip.Check(file(testkit.DG1(t, expired)), b, at)
	if f := old.Facet(chip.Validity); f.Code != chip.DocumentExpired {
		t.Errorf("expired: %v, %v", f, old.Reading.Findings)
	}
	for name, c := range map[string]struct {
		in   chip.Input
		want expect
	}{
		"ok/zeros after it":           {chip.Input{SOD: append(bytes.Clone(d.SOD), 0, 0, 0), DG1: d.DG1}, expect{chip.Valid, chip.Readable, chip.Read}},
		"ok/DG1 with longer lengths":  {file(longer(good)), expect{chip.Valid, chip.Zone, chip.ZoneRight}},
		"error/no DG1":                {chip.Input{SOD: d.SOD}, expect{chip.Undecided, chip.Groups, chip.ZoneNotRead}},
		"error/DG1 of another tag":    {file(testkit.Wrap(t, 2, good[2:])), expect{chip.NotValid, chip.Zone, chip.ZoneMalformed}},
		"error/DG1 with a rest":       {file(append(bytes.Clone(good), 0)), expect{chip.NotValid, chip.Zone, chip.ZoneMalformed}},
		"error/DG1 of another length": {file(testkit.DG1(t, zone[1:])), expect{chip.NotValid, chip.Zone, chip.ZoneWrong}},
		"error/DG1 not listed":        {signed(testkit.SecurityObject(t, map[int][]byte{2: nil, 3: nil}), good), expect{chip.NotValid, chip.Groups, chip.GroupNotListed}},
		"error/one group only":        {signed(testkit.SecurityObject(t, map[int][]byte{1: good}), good), expect{chip.Unreadable, chip.Readable, chip.ListMalformed}},
		"error/group 17":              {signed(testkit.SecurityObject(t, map[int][]byte{1: good, 17: nil}), good), expect{chip.Unreadable, chip.Readable, chip.ListMalformed}},
		"error/list with a rest":      {signed(append(bytes.Clone(object), 0), good), expect{chip.Unreadable, chip.Readable, chip.ListMalformed}},
		"error/version 2":             {signed(bytes.Replace(object, []byte{2, 1, 0}, []byte{2, 1, 2}, 1), good), expect{chip.Unreadable, chip.Readable, chip.ListMalformed}},
		"error/a group twice":         {signed(bytes.Replace(object, []byte{2, 1, 2, 4, 32}, []byte{2, 1, 1, 4, 32}, 1), good), expect{chip.Unreadable, chip.Readable, chip.ListMalformed}},
		"error/another hash":          {signed(bytes.Replace(object, []byte{4, 2, 1}, []byte{4, 2, 9}, 1), good), expect{chip.Unreadable, chip.Readable, chip.HashNotSupported}},
		"error/longer hash":           {signed(bytes.Replace(object, []byte{4, 2, 1}, []byte{4, 2, 2}, 1), good), expect{chip.Unreadable, chip.Readable, chip.ListMalformed}},
		"error/SOD too long":          {chip.Input{SOD: make([]byte, chip.MaxFile+1)}, expect{chip.Unreadable, chip.Readable, chip.TooLong}},
		"error/DG1 too long":          {chip.Input{SOD: d.SOD, DG1: make([]byte, chip.MaxFile+1)}, expect{chip.Unreadable, chip.Readable, chip.TooLong}},
		"error/no message":            {chip.Input{SOD: testkit.SOD(t, []byte{0x30, 0})}, expect{chip.Unreadable, chip.Readable, chip.MessageMalformed}},
		"error/two messages":          {chip.Input{SOD: testkit.SOD(t, bytes.Repeat(d.SOD[4:], 2))}, expect{chip.Unreadable, chip.Readable, chip.MessageMalformed}},
		"error/nothing":               {chip.Input{}, expect{chip.Unreadable, chip.Readable, chip.NotSOD}},
	} {
		t.Run(name, func(t *testing.T) { c.want.check(t, chip.Check(c.in, b, at)) })
	}
	if v := chip.Check(chip.Input{SOD: append(bytes.Clone(d.SOD), 0), DG1: d.DG1}, b, at); fmt.Sprint(v.Notes) != "["+chip.Padded+"]" {
		t.Errorf("notes %v", v.Notes)
	}
}

// longer writes the lengths of DG1 in two bytes each.
func longer(dg1 []byte) []byte {
	text := dg1[5:]
	inner := append([]byte{0x5f, 0x1f, 0x81, byte(len(text))}, text...)
	return append([]byte{0x61, 0x81, byte(len(inner))}, inner...)
}

// S-091: neither a log nor a print of a verdict holds anything of the holder.
func TestVerdictIsNotPersonal(t *testing.T) {
	d := issue(t, "JP", zone, nil)
	d.Zone = strings.Replace(zone, "SAKURA", "SAKURO", 1)
	v := chip.Check(d.Input, trusting(t, at, [][]byte{d.Certificate}), at)
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("chip", "verdict", v, "input", d.Input)
	facets, err := json.Marshal(v.Facets)
	if err != nil || v.Outcome != chip.NotValid {
		t.Fatal(v.Outcome, err)
	}
	for _, personal := range []string{"GAIMU", "SAKUR", "TZ1234567", "1990", "900220"} {
		if strings.Contains(log.String()+string(facets)+fmt.Sprintf("%v %+v %v", v, v, d.Input), personal) {
			t.Errorf("%s is told", personal)
		}
	}
}
