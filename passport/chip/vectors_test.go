package chip_test

import (
	"encoding/json"
	"path"
	"strings"
	"testing"
	"time"

	"akashi/internal/testkit"
	"akashi/passport/chip"
)

// choices are the facets that refuse the specimens of index.json, and the choices of this
// project where it says "policy".
var choices = map[string]expect{
	"bad-01-dg1-changed":       {chip.NotValid, chip.Groups, chip.GroupChanged},
	"bad-03-signature-flipped": {chip.NotValid, chip.Signature, chip.SignatureWrong},
	"bad-05-unknown-csca":      {chip.Undecided, chip.Issuer, chip.IssuerUnknown}, // never accepted; a newer list may have it
	"bad-06-signer-expired":    {chip.NotValid, chip.Validity, chip.SignerExpired},
	"bad-07-signer-revoked":    {chip.NotValid, chip.Revocation, chip.SignerRevoked},
	"bad-09-dg1-country":       {chip.NotValid, chip.Country, chip.CountryDiffers},
	"bad-10-document-type":     {chip.NotValid, chip.Key, chip.DocumentType},
	"bad-12-signer-key-usage":  {chip.NotValid, chip.Key, chip.SignerNotAllowed},
	"bad-13-content-type-data": {chip.NotValid, chip.Signature, chip.ContentType},
	"bad-15-mrz-check-digit":   {chip.NotValid, chip.Zone, chip.ZoneWrong},
	"bad-16-sha1":              {chip.Undecided, chip.Strength, chip.HashWeak},
	"bad-17-wrong-tag":         {chip.Unreadable, chip.Readable, chip.NotSOD},
	"bad-19-trailing-bytes":    {chip.Unreadable, chip.Readable, chip.TrailingBytes},
}

// emrtd/README.md, synthetic: 18 document sets.
func TestSpecimens(t *testing.T) {
	const dir = "emrtd/synthetic/"
	var list []struct {
		Case, Verdict, CRL, MRZ string
		Files, Anchors          []string
	}
	if err := json.Unmarshal(testkit.Read(t, dir+"index.json"), &list); err != nil {
		t.Fatal(err)
	}
	ran := map[string]int{}
	for _, c := range list {
		ran[c.Verdict]++
		t.Run(c.Verdict+"/"+c.Case, func(t *testing.T) {
			var anchors, lists [][]byte
			for _, a := range c.Anchors {
				anchors = append(anchors, testkit.Read(t, dir+a))
			}
			if c.CRL != "" {
				lists = append(lists, testkit.Read(t, dir+c.CRL))
			}
			in := chip.Input{SOD: testkit.Read(t, dir+c.Case+"/EF_SOD.bin"), Other: map[int][]byte{}}
			for _, f := range c.Files {
				switch content := testkit.Read(t, dir+c.Case+"/"+f); f {
				case "EF_DG1.bin":
					in.DG1 = content
				case "EF_DG2.bin":
					h, err := chip.NewHash(in.SOD)
					if err != nil {
						t.Fatal(err)
					}
					_, _ = h.Write(content)
					in.Other[2] = h.Sum(nil)
				}
			}
			v := chip.Check(in, trusting(t, at, anchors, lists...), at)
			want, listed := choices[c.Case]
			if c.Verdict == "accept" {
				want, listed = expect{chip.Valid, chip.Groups, chip.GroupsUnchanged}, true
			}
			if !listed || c.Verdict == "reject" && want.outcome == chip.Valid {
				t.Fatalf("index.json says %s, this table %q", c.Verdict, want.outcome)
			}
			want.check(t, v)
			if c.MRZ != "" && (v.Reading == nil || strings.Join(v.Reading.Lines, "") != c.MRZ) {
				t.Error("another zone")
			}
			if want.outcome != chip.Valid {
				return
			}
			revocation := chip.ListMissing
			if c.CRL != "" {
				revocation = chip.SignerNotRevoked
			}
			expect{chip.Valid, chip.Revocation, revocation}.check(t, v)
			in.DG1 = append(in.DG1[:len(in.DG1)-1:len(in.DG1)-1], '0') // composite digit
			expect{chip.NotValid, chip.Groups, chip.GroupChanged}.check(t, chip.Check(in, trusting(t, at, anchors, lists...), at))
			if in.Other[2] != nil {
				in.Other[2][0] ^= 1
				if f := chip.Check(in, trusting(t, at, anchors), at).Facet(chip.Groups); f.Code != chip.GroupChanged {
					t.Errorf("changed face: %v", f)
				}
			}
		})
	}
	for verdict, n := range map[string]int{"accept": 5, "reject": 10, "policy": 3} {
		if ran[verdict] != n {
			t.Errorf("%d cases of %s ran, want %d", ran[verdict], verdict, n)
		}
	}
}

// emrtd/README.md, real-sod: signature and chain of eight passports of eight states.
func TestRealSODs(t *testing.T) {
	states := map[string]string{"AT": "AUT", "DE": "D", "FR": "FRA", "NZ": "NZL", "PH": "PHL", "SG": "SGP", "UK": "GBR", "US": "USA"}
	list := files(t, "real-sod/*.EF_SOD.bin")
	if len(list) != len(states) {
		t.Errorf("%d files, want %d", len(list), len(states))
	}
	for _, name := range list {
		code, _, _ := strings.Cut(path.Base(name), ".")
		t.Run(code, func(t *testing.T) {
			sod, csca := testkit.Read(t, name), testkit.Read(t, "emrtd/real-sod/"+code+".csca.der")
			when := inForce(t, sod)
			v := chip.Check(chip.Input{SOD: sod}, trusting(t, when, [][]byte{csca}), when)
			for facet, want := range map[string]string{
				chip.Readable: chip.Read, chip.Signature: chip.SignatureGood, chip.Issuer: chip.IssuerKnown, chip.Key: chip.SignerAllowed,
				chip.Strength: chip.HashStrong, chip.Validity: chip.InTime, chip.Revocation: chip.ListMissing, chip.Zone: chip.ZoneNotRead, chip.Country: chip.ZoneNotRead,
			} {
				if got := v.Facet(facet).Code; got != want {
					t.Errorf("%s: %s, want %s", facet, got, want)
				}
			}
			if v.Outcome != chip.Undecided || v.Issuer != states[code] || len(v.Notes) > 0 {
				t.Errorf("%s of %s, notes %v", v.Outcome, v.Issuer, v.Notes)
			}
			others := trusting(t, when, [][]byte{testkit.Read(t, "emrtd/synthetic/csca-jpn-test.der")})
			if f := chip.Check(chip.Input{SOD: sod}, others, when).Facet(chip.Issuer); f.Code != chip.IssuerUnknown {
				t.Errorf("error/under another authority: %v", f)
			}
			flipped := append([]byte{}, sod...)
			flipped[len(flipped)-20] ^= 1 // in the signature
			if v := chip.Check(chip.Input{SOD: flipped}, others, when); v.Facet(chip.Signature).Code != chip.SignatureWrong && v.Outcome != chip.Unreadable {
				t.Errorf("error/flipped: %v", v.Facet(chip.Signature))
			}
		})
	}
}

// inForce is a time within the term of the signer of EF.SOD.
func inForce(t *testing.T, sod []byte) time.Time {
	t.Helper()
	v := chip.Check(chip.Input{SOD: sod}, trusting(t, at, nil), time.Time{})
	begin, err := time.Parse(time.RFC3339, v.Facet(chip.Validity).Detail["not_before"])
	if err != nil {
		t.Fatal(err)
	}
	return begin.AddDate(0, 0, 1)
}

// emrtd/README.md, bsi-reference: SHA-1, an authority that nobody published, groups that are not listed.
func TestReferenceDataSet(t *testing.T) {
	const dir = "emrtd/bsi-reference/EF_"
	sod := testkit.Read(t, dir+"SOD.bin")
	in := chip.Input{SOD: sod, DG1: testkit.Read(t, dir+"DG1.bin"), Other: map[int][]byte{}}
	present := func(n int, name string) {
		h, err := chip.NewHash(sod)
		if err != nil {
			t.Fatal(err)
		}
		_, _ = h.Write(testkit.Read(t, dir+name))
		in.Other[n] = h.Sum(nil)
	}
	present(14, "DG14.bin")
	when := time.Date(2008, 6, 1, 0, 0, 0, 0, time.UTC)
	v := chip.Check(in, trusting(t, at, nil), when)
	for facet, want := range map[string]string{
		chip.Groups: chip.GroupsUnchanged, chip.Signature: chip.SignatureGood, chip.Strength: chip.HashWeak, chip.Issuer: chip.IssuerUnknown, chip.Zone: chip.ZoneRight,
	} {
		if got := v.Facet(facet).Code; got != want {
			t.Errorf("%s: %s, want %s", facet, got, want)
		}
	}
	if v.Outcome == chip.Valid || v.Reading.Document.MRZName.Primary != "MUSTERMANN" || v.Reading.Document.IssuingState != "D" {
		t.Errorf("%s, %s", v.Outcome, v.Reading.Document.IssuingState)
	}
	for n, name := range map[int]string{11: "DG11.bin", 12: "DG12.bin", 15: "DG15.bin"} {
		present(n, name)
		expect{chip.NotValid, chip.Groups, chip.GroupNotListed}.check(t, chip.Check(in, trusting(t, at, nil), when))
		delete(in.Other, n)
	}
}

// emrtd/README.md, csca-jpn: each generation is an authority of Japan.
func TestJapaneseAuthorities(t *testing.T) {
	var all [][]byte
	for _, name := range files(t, "csca-jpn/*.der") {
		all = append(all, testkit.Read(t, name))
	}
	states := trusting(t, at, all).States()
	if len(states) != 1 || states[0].Code != "JPN" || states[0].Authorities != 8 {
		t.Errorf("%v, want eight of Japan", states)
	}
}
