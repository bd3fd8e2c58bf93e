package verify

import (
	"bytes"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"reflect"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/certificate/qr"
	"akashi/certificate/shc"
	"akashi/signing"
)

func TestText(t *testing.T) {
	for name, c := range map[string]struct {
		text, code string
		family     string
	}{
		"empty":             {"", NotRecognised, ""},
		"words":             {"no certificate at all", NotRecognised, ""},
		"address":           {"https://a.b.example/x", NotRecognised, ""},
		"other object":      {`{"a":1}`, NotRecognised, ""},
		"object of data":    {`{"data":{}}`, NotRecognised, ""},
		"cut object":        {`{"data":`, BarcodeMalformed, "vdsnc"},
		"digital green":     {"HC1:6BF", HealthInflate, "hcert"},
		"a later version":   {"HC2:6BF", VersionNotSupported, "hcert"},
		"no base45":         {"HC1:6", HealthEncoding, "hcert"},
		"an older context":  {"HL0:6BF", NotRecognised, ""},
		"small letters":     {"hc1:6BF", NotRecognised, ""},
		"no DIVOC":          {"B64:AAAA", NotRecognised, ""},
		"health link":       {"shlink:/eyJ", FamilyNotSupported, ""},
		"health link in it": {"https://viewer.example/#shlink:/eyJ", FamilyNotSupported, ""},
		"no digits":         {"shc:/", CardDigits, "shc"},
		"no slash":          {"shc:56", CardScheme, "shc"},
		"capitals":          {"SHC:/5676", NotRecognised, ""},
		"two parts":         {"eyJ.eyJ", NotRecognised, ""},
		"four parts":        {"a.b.c.d", CardShape, "shc"},
		"long digits":       {"shc:/" + strings.Repeat("5", maxCode), TooLong, ""},
		"long object":       {`{"data":"` + strings.Repeat("x", maxCode) + `"}`, TooLong, ""},
		"long card":         {"a.b." + strings.Repeat("c", maxJWS), TooLong, ""},
		"bad UTF-8":         {"{\"data\":\"\xff\",\"sig\":1}", BarcodeMalformed, "vdsnc"},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			v := Text(c.text, nil, now)
			expect{Unreadable, Readable, Failed, c.code}.check(t, v)
			if string(v.Family) != c.family {
				t.Errorf("family %q", v.Family)
			}
		})
	}
}

// drawn is a picture of a code as a scanner or phone would give it.
func drawn(t testing.TB, segments []qr.Segment) []byte {
	t.Helper()
	return encodePNG(t, symbolOf(t, segments))
}

func symbolOf(t testing.TB, segments []qr.Segment) *image.Gray {
	t.Helper()
	m, err := qr.EncodeBest(segments, []qr.Level{qr.M, qr.L}, qr.MaxVersion)
	if err != nil {
		t.Fatal(err)
	}
	const module, quiet = 4, 4
	side := (m.Size() + 2*quiet) * module
	img := image.NewGray(image.Rect(0, 0, side, side))
	for y := range side {
		for x := range side {
			if !m.Black(x/module-quiet, y/module-quiet) {
				img.SetGray(x, y, color.Gray{255})
			}
		}
	}
	return img
}

// sheet puts symbols side by side, each wiped out where damaged says so.
func sheet(t testing.TB, damaged int, codes ...[]qr.Segment) []byte {
	t.Helper()
	page, x := image.NewGray(image.Rect(0, 0, 2200, 800)), 0
	draw.Draw(page, page.Rect, image.White, image.Point{}, draw.Src)
	for i, segments := range codes {
		symbol := symbolOf(t, segments)
		side := symbol.Rect.Dx()
		if i == damaged {
			draw.Draw(symbol, image.Rect(side/4, side/4, side*3/4, side*3/4), image.White, image.Point{}, draw.Src)
		}
		draw.Draw(page, symbol.Rect.Add(image.Pt(x, 0)), symbol, image.Point{}, draw.Src)
		x += side
	}
	return encodePNG(t, page)
}

func encodePNG(t testing.TB, img image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestFile(t *testing.T) {
	a := newCardIssuer(t, iss)
	ut := newCountry(t, signing.TestState, signing.TestCountry, nil)
	b := bundle(t, append(ut.registered(), a.registered(t)), ut.current(t))
	jws, code := a.issue(t), ut.issue(t)
	const none = -1
	inBytes := func(text string) []qr.Segment { return []qr.Segment{{Mode: qr.Byte, Text: text}} }
	card, forged := shc.Segments(numeric(t, jws)), inBytes(strings.Replace(code, "HANAKO", "HANAKA", 1))
	white := drawn(t, []qr.Segment{{Mode: qr.Byte, Text: "nothing"}})
	blank, wide := encodePNG(t, image.NewGray(image.Rect(0, 0, 200, 200))), encodePNG(t, image.NewGray(image.Rect(0, 0, 4000, 2501)))
	for _, c := range []struct {
		name, file string
		content    []byte
		want       []string // outcome, or the code of readable if that failed
	}{
		{"ok/card file", "a.smart-health-card", shc.File(jws), []string{"valid"}},
		{"ok/two cards, one forged", "a.smart-health-card", shc.File(flip(jws, 2), jws), []string{"not_valid", "valid"}},
		{"ok/card file with another name", "a.json", shc.File(jws), []string{"valid"}},
		{"ok/bar code", "a.json", []byte(code), []string{"valid"}},
		{"ok/two lines, two cards", "a.txt", []byte(numeric(t, jws) + "\r\n" + numeric(t, jws) + "\n"), []string{"valid", "valid"}},
		{"ok/two lines, one card", "a.txt", []byte(chunks(t, jws, 2, 1) + "\n" + chunks(t, jws, 1, 2)), []string{"valid"}},
		{"ok/picture of a card", "a.png", drawn(t, shc.Segments(numeric(t, jws))), []string{"valid"}},
		{"ok/picture of a bar code", "a", drawn(t, []qr.Segment{{Mode: qr.Byte, Text: code}}), []string{"valid"}},
		{"ok/picture of two codes", "a.png", sheet(t, none, card, inBytes(code)), []string{"valid", "valid"}},
		{"ok/picture of both parts of a card", "a.png", sheet(t, none, qr.Segments(chunks(t, jws, 2, 2)), qr.Segments(chunks(t, jws, 1, 2))), []string{"valid"}},
		{"error/forged beside good", "a.png", sheet(t, none, card, forged), []string{"not_valid", "valid"}},
		{"error/other code beside good", "a.png", sheet(t, none, card, inBytes("nothing")), []string{NotRecognised, "valid"}},
		{"error/damaged beside good", "a.png", sheet(t, 1, card, forged), []string{SymbolUnread, "valid"}},
		{"error/one part of two in a picture", "a.png", sheet(t, none, qr.Segments(chunks(t, jws, 2, 2))), []string{CardDigits}},
		{"error/damaged", "a.png", sheet(t, 0, card), []string{ImageUnreadable}},
		{"error/picture of another code", "a.png", white, []string{NotRecognised}},
		{"error/picture without code", "a.png", blank, []string{ImageWithoutCode}},
		{"error/cut picture", "a.png", white[:100], []string{ImageUnreadable}},
		{"error/picture of more than 10 megapixels", "a.png", wide, []string{TooLong}},
		{"error/page", "a.pdf", []byte("%PDF-1.7\n"), []string{FileNotSupported}},
		{"error/empty", "-", nil, []string{NotRecognised}},
		{"error/card file that is none", "a.smart-health-card", []byte(code), []string{CardScheme}},
		{"error/card file without cards", "a.json", []byte(`{"verifiableCredential":[]}`), []string{CardScheme}},
		{"error/one part of two", "a.txt", []byte(chunks(t, jws, 1, 2)), []string{CardDigits}},
		{"error/twice the same part", "a.txt", []byte(chunks(t, jws, 1, 2) + "\n" + chunks(t, jws, 1, 2)), []string{CardDigits}},
		{"error/too many lines", "a.txt", bytes.Repeat([]byte("shc:/56\n"), maxLines+1), []string{TooLong}},
		{"error/too large", "a.txt", make([]byte, maxFile+1), []string{TooLong}},
	} {
		t.Run(c.name, func(t *testing.T) {
			var got []string
			for _, v := range File(c.file, c.content, b, now) {
				checkForm(t, v)
				if v.Outcome == Unreadable {
					got = append(got, v.Facet(Readable).Code)
				} else {
					got = append(got, string(v.Outcome))
				}
			}
			if isPicture(c.content) {
				slices.Sort(got) // in no order
			}
			if strings.Join(got, " ") != strings.Join(c.want, " ") {
				t.Errorf("got %v, want %v", got, c.want)
			}
		})
	}
}

// chunks returns part number of two of a card.
func chunks(t testing.TB, jws string, number, _ int) string {
	t.Helper()
	half := len(jws) / 2
	part := jws[:half]
	if number == 2 {
		part = jws[half:]
	}
	digits := strings.TrimPrefix(numeric(t, part), shc.Scheme)
	return shc.Scheme + string(rune('0'+number)) + "/2/" + digits
}

func FuzzText(f *testing.F) {
	a := newCardIssuer(f, iss)
	ut := newCountry(f, signing.TestState, signing.TestCountry, nil)
	b := bundle(f, append(ut.registered(), a.registered(f)), ut.current(f))
	jws, code := a.issue(f), ut.issue(f)
	for _, seed := range []string{jws, numeric(f, jws), code, "[" + code + "]", string(shc.File(jws)), chunks(f, jws, 1, 2), "HC1:6BF", ""} {
		f.Add(seed)
	}
	genuine := map[certificate.Family]*Holder{certificate.SHC: Text(jws, b, now).Holder, certificate.VDSNC: Text(code, b, now).Holder}
	f.Fuzz(func(t *testing.T, text string) {
		for _, v := range append(File("x", []byte(text), b, now), Text(text, b, now)) {
			if _, ok := exitCodes[v.Outcome]; !ok || len(v.Facets) != len(facetNames) {
				t.Errorf("outcome %q, %d facets", v.Outcome, len(v.Facets))
			}
			if v.Outcome == Valid && !reflect.DeepEqual(v.Holder, genuine[v.Family]) {
				t.Error("what nobody signed is valid")
			}
		}
	})
}
