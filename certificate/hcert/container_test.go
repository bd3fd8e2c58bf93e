package hcert

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"runtime"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"akashi/internal/testkit"
)

// misprinted is a row that contradicts RFC 9285, section 4.2, and our specification: G, G, W are
// 16 + 16*45 + 32*2025 = 65536, one more than two bytes hold. FFFF is FGW.
const misprinted = "rfc9285-GGW"

// RFC 9285, and what it says is an error: every base45 row of the shared examples.
func TestBase45Examples(t *testing.T) {
	var rows []struct {
		ID     string
		Text   *string `json:"bytes_utf8"`
		Hex    *string `json:"bytes_hex"`
		Base45 *string
		Expect string
	}
	if err := json.Unmarshal(testkit.Read(t, "security/rfc/examples.json"), &rows); err != nil {
		t.Fatal(err)
	}
	ran := 0
	for _, row := range rows {
		if row.Base45 == nil {
			continue
		}
		ran++
		if row.Expect == "reject" || row.ID == misprinted {
			t.Run("error/"+row.ID, func(t *testing.T) {
				if b, err := decodeBase45(*row.Base45); err == nil {
					t.Errorf("read as %x", b)
				}
			})
			continue
		}
		t.Run("ok/"+row.ID, func(t *testing.T) {
			var want []byte
			if row.Text != nil {
				want = []byte(*row.Text)
			} else {
				want = must(hex.DecodeString(*row.Hex))
			}
			if got, err := decodeBase45(*row.Base45); err != nil || !bytes.Equal(got, want) {
				t.Errorf("read as %x, %v", got, err)
			}
			if got := encodeBase45(want); got != *row.Base45 {
				t.Errorf("written as %s", got)
			}
		})
	}
	if ran != 8 {
		t.Errorf("%d examples ran, want 8", ran)
	}
}

// eu-dcc, 2: the known pairs, each end of the two ranges, and every length.
func TestBase45(t *testing.T) {
	for plain, text := range map[string]string{
		"AB": "BB8", "Hello!!": "%69 VD92EX0", "base-45": "UJCLQE7W581", "ietf!": "QED8WEX0", "": "", "\xff\xff": "FGW", "\xff": "U5", "\x00": "00",
	} {
		if got := encodeBase45([]byte(plain)); got != text {
			t.Errorf("ok/%q is %q, want %q", plain, got, text)
		}
		if got, err := decodeBase45(text); err != nil || string(got) != plain {
			t.Errorf("ok/%q is %q, %v", text, got, err)
		}
	}
	for text, want := range map[string]string{
		"A": "base45 length", "BB8A": "base45 length", "GGW": "base45 overflow", "GGX": "base45 overflow", ":::": "base45 overflow", "V5": "base45 overflow", "bb8": "base45 symbol", "BB\x00": "base45 symbol", "BBé": "base45 length", "B\u00e9": "base45 symbol",
	} {
		if _, err := decodeBase45(text); reason(err) != want {
			t.Errorf("error/%q: %v, want %s", text, err, want)
		}
	}
	rapid.Check(t, func(r *rapid.T) {
		b := rapid.SliceOfN(rapid.Byte(), 0, 40).Draw(r, "bytes")
		if got, err := decodeBase45(encodeBase45(b)); err != nil || !bytes.Equal(got, b) {
			r.Fatalf("%x became %x, %v", b, got, err)
		}
	})
}

// S-040: what is inflated is bounded, whatever the stream holds; the work is asserted.
func TestInflate(t *testing.T) {
	full := make([]byte, maxInflated)
	for i := range full {
		full[i] = byte(i * i >> 8)
	}
	if got, err := inflate(deflate(full)); err != nil || !bytes.Equal(got, full) {
		t.Errorf("ok/as much as is allowed: %d bytes, %v", len(got), err)
	}
	good := deflate([]byte("content"))
	for name, c := range map[string]struct {
		in   []byte
		want string
	}{
		"one byte more":         {deflate(append(full, 7)), "inflate too_large"},
		"too much for its size": {deflate(make([]byte, maxInflated)), "inflate too_large"},
		"bytes after the end":   {append(bytes.Clone(good), 0), "inflate bytes_after_the_end"},
		"a second stream":       {append(bytes.Clone(good), good...), "inflate bytes_after_the_end"},
		"no checksum":           {good[:len(good)-4], "inflate damaged"},
		"a wrong checksum":      {append(bytes.Clone(good[:len(good)-1]), good[len(good)-1]^1), "inflate damaged"},
		"gzip":                  {[]byte("\x1f\x8b\x08\x00\x00\x00\x00\x00"), "inflate not_zlib"},
		"plain":                 {[]byte{0xd2, 0x84}, "inflate not_zlib"},
		"nothing":               {nil, "inflate not_zlib"},
		"a dictionary":          {[]byte("\x78\xbb\x00\x00\x00\x01\x03\x00"), "inflate damaged"},
		"64 MiB":                {testkit.Read(t, "security/bombs/zlib-64MiB.bin"), "inflate too_large"},
	} {
		t.Run("error/"+name, func(t *testing.T) {
			if _, err := inflate(c.in); reason(err) != c.want {
				t.Errorf("%v, want %s", err, c.want)
			}
		})
	}
	t.Run("ok/bounded work", func(t *testing.T) {
		bombs := []string{string(testkit.Read(t, "security/bombs/hc1-fits-one-qr.txt")), pack(make([]byte, 2<<20))}
		for _, bomb := range bombs {
			if _, err := Parse(bomb); reason(err) != "inflate too_large" {
				t.Errorf("bomb: %v", err)
			}
			if used := allocated(func() { _, _ = Parse(bomb) }); used > 16*maxInflated {
				t.Errorf("%d bytes were allocated for a bomb", used)
			}
		}
	})
}

// allocated returns how many bytes a function allocates.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// eu-dcc, 1: the context identifier, and what may stand around it.
func TestPrefix(t *testing.T) {
	maker := newForger(t)
	good := maker.code(t, table{claimIssuer: "XX"})
	for name, text := range map[string]string{
		"as written": good, "blanks before": " \t\r\n" + good, "line ends after": good + "\r\n\n",
	} {
		if _, err := Parse(text); err != nil {
			t.Errorf("ok/%s: %v", name, err)
		}
	}
	for name, c := range map[string]struct{ text, want string }{
		"lower case":         {"hc1:" + good[4:], "prefix not_hc1"},
		"an older version":   {"HC0:" + good[4:], "prefix not_hc1"},
		"a later version":    {"HC2:" + good[4:], "prefix not_hc1"},
		"no prefix":          {good[4:], "prefix not_hc1"},
		"longer than a code": {good + strings.Repeat("0", maxText), "prefix too_long"},
		"nothing":            {Prefix, "inflate not_zlib"},
	} {
		if _, err := Parse(c.text); reason(err) != c.want {
			t.Errorf("error/%s: %v, want %s", name, err, c.want)
		}
	}
	for name, text := range map[string]string{"two prefixes": Prefix + good, "a space after it, which is a symbol": good + " ", "a space after the prefix": Prefix + " " + good[4:]} {
		if _, err := Parse(text); err == nil {
			t.Errorf("error/%s: read", name)
		}
	}
}
