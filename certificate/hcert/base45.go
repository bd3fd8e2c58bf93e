package hcert

import "strings"

const base45Alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"

// base45Values gives the value of each symbol, 255 for every other byte.
var base45Values = func() (values [256]byte) {
	for i := range values {
		values[i] = 255
	}
	for i, c := range []byte(base45Alphabet) {
		values[c] = byte(i)
	}
	return values
}()

// encodeBase45 writes bytes in base45 (RFC 9285, 4).
func encodeBase45(b []byte) string {
	var out strings.Builder
	out.Grow((len(b) + 1) / 2 * 3)
	for ; len(b) >= 2; b = b[2:] {
		n := int(b[0])<<8 | int(b[1])
		out.WriteByte(base45Alphabet[n%45])
		out.WriteByte(base45Alphabet[n/45%45])
		out.WriteByte(base45Alphabet[n/(45*45)])
	}
	if len(b) == 1 {
		out.WriteByte(base45Alphabet[b[0]%45])
		out.WriteByte(base45Alphabet[b[0]/45])
	}
	return out.String()
}

// decodeBase45 reads base45. Lower case, other characters, a length that no bytes
// have, and groups above 65535 or 255 are an error.
func decodeBase45(s string) ([]byte, error) {
	if len(s)%3 == 1 {
		return nil, fail(StepBase45, "length", "")
	}
	out := make([]byte, 0, len(s)/3*2+1)
	for ; len(s) > 0; s = s[min(3, len(s)):] {
		n, weight := 0, 1
		for _, c := range []byte(s[:min(3, len(s))]) {
			v := base45Values[c]
			if v == 255 {
				return nil, fail(StepBase45, "symbol", "")
			}
			n, weight = n+int(v)*weight, weight*45
		}
		switch {
		case len(s) >= 3 && n <= 0xffff:
			out = append(out, byte(n>>8), byte(n))
		case len(s) < 3 && n <= 0xff:
			out = append(out, byte(n))
		default:
			return nil, fail(StepBase45, "overflow", "")
		}
	}
	return out, nil
}
