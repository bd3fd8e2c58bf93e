package hcert

import (
	"strconv"
	"strings"
)

const uvciAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/:"

// UVCICheck returns the check character of an identifier without "#": Luhn modulo 38 over
// its upper case letters, digits, slashes and colons (eu-dcc, 9). False for other characters.
func UVCICheck(id string) (check byte, ok bool) {
	const n = len(uvciAlphabet)
	factor, sum := 2, 0
	upper := strings.ToUpper(id)
	for i := len(upper) - 1; i >= 0; i-- {
		value := strings.IndexByte(uvciAlphabet, upper[i])
		if value < 0 {
			return 0, false
		}
		addend := factor * value
		sum += addend/n + addend%n
		factor = 3 - factor
	}
	return uvciAlphabet[(n-sum%n)%n], true
}

// UVCI returns an identifier of ours: that of the certificate and the number of the dose,
// under the two-letter country, with check character.
func UVCI(country, certificateID string, dose int) string {
	id := "URN:UVCI:01:" + country + ":" + certificateID + "/" + strconv.Itoa(dose)
	check, _ := UVCICheck(id)
	return id + "#" + string(check)
}

// UVCIHolds tells whether the check character of an identifier is right. Never refuse for
// it: half of those in use are not.
func UVCIHolds(ci string) bool {
	id, check, ok := strings.Cut(ci, "#")
	want, writable := UVCICheck(id)
	return ok && writable && check == string(want)
}
