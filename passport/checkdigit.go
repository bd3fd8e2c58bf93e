package passport

// CheckDigit returns the check digit of the characters as '0' to '9': weights 7,
// 3, 1 repeating, digits count themselves, A is 10, Z is 35, the filler is 0, sum
// modulo 10 (Doc 9303-3, 4.9). It is false for a character outside the set.
//
// A right digit proves little: 0, A, K, U and the filler look the same to it, and
// so do two neighbours that differ by 5 and changed places.
func CheckDigit(characters string) (byte, bool) {
	weights := [3]int{7, 3, 1}
	sum := 0
	for i := range len(characters) {
		value, ok := characterValue(characters[i])
		if !ok {
			return 0, false
		}
		sum += value * weights[i%3]
	}
	return byte('0' + sum%10), true
}

func characterValue(c byte) (int, bool) {
	switch {
	case isDigit(c):
		return int(c - '0'), true
	case isLetter(c):
		return int(c-'A') + 10, true
	case c == filler:
		return 0, true
	}
	return 0, false
}

const filler = '<'

func isDigit(c byte) bool  { return c >= '0' && c <= '9' }
func isLetter(c byte) bool { return c >= 'A' && c <= 'Z' }

// check is one check digit of a zone.
type check struct {
	field string
	over  []span // what it covers
	digit span
}

// wanted returns the right digit, "" when the covered characters have none.
func (c check) wanted(z zone) string {
	digit, ok := CheckDigit(z.join(c.over))
	if !ok {
		return ""
	}
	return string(digit)
}

// right accepts a filler where everything covered is a filler: empty optional
// data (Doc 9303-4, 4.2.2) and an unknown birth date.
func (c check) right(z zone) bool {
	read := z.at(c.digit)
	if read == string(filler) {
		return onlyFillers(z.join(c.over))
	}
	return read == c.wanted(z)
}
