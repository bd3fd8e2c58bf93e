package pki

import (
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// maxBER bounds how deep elements of indefinite length may nest.
const maxBER = 16

// ReadElement reads an element with a tag of one byte and definite or indefinite length:
// what is inside, and what follows it.
func ReadElement(b []byte, tag byte) (content, rest []byte, ok bool) {
	in := cryptobyte.String(b)
	_, inside, ok := readBER(&in, der.Tag(tag))
	return inside, in, ok
}

// readBER reads an element whose length is definite, in any number of bytes, or indefinite,
// as states write the outer layers of a message (RFC 5652, 5.1). element is all of it,
// content what is inside.
func readBER(in *cryptobyte.String, tag der.Tag) (element, content cryptobyte.String, ok bool) {
	if !in.PeekASN1Tag(tag) {
		return nil, nil, false
	}
	b := *in
	header, length, ok := headerBER(b)
	if !ok {
		return nil, nil, false
	}
	total, trailer := header+length, 0
	if length < 0 {
		if total = endBER(b, maxBER); total < 0 {
			return nil, nil, false
		}
		trailer = 2
	}
	if total > len(b) {
		return nil, nil, false
	}
	*in = b[total:]
	return b[:total], b[header : total-trailer], true
}

// headerBER reads tag and length; the length is negative when it is indefinite.
func headerBER(b []byte) (header, length int, ok bool) {
	const constructed, high = 0x20, 0x1f
	if len(b) < 2 || b[0]&high == high {
		return 0, 0, false
	}
	switch first := int(b[1]); {
	case first < 0x80:
		return 2, first, true
	case first == 0x80:
		return 2, -1, b[0]&constructed != 0
	default:
		header = 2 + first&0x7f
		if header > 6 || header > len(b) {
			return 0, 0, false
		}
		for _, c := range b[2:header] {
			length = length<<8 | int(c)
		}
		return header, length, length >= 0
	}
}

// endBER returns where the first element ends; negative if it does not.
func endBER(b []byte, depth int) int {
	header, length, ok := headerBER(b)
	if !ok || depth == 0 {
		return -1
	}
	if length >= 0 {
		if length > len(b)-header {
			return -1
		}
		return header + length
	}
	for at := header; ; {
		if len(b)-at >= 2 && b[at] == 0 && b[at+1] == 0 {
			return at + 2
		}
		n := endBER(b[at:], depth-1)
		if n < 0 {
			return -1
		}
		at += n
	}
}

// readOctets reads an OCTET STRING, whole or in parts.
func readOctets(in *cryptobyte.String) (octets []byte, ok bool) {
	if _, content, whole := readBER(in, der.OCTET_STRING); whole {
		return content, true
	}
	_, parts, ok := readBER(in, der.OCTET_STRING.Constructed())
	for ok && !parts.Empty() {
		var part cryptobyte.String
		_, part, ok = readBER(&parts, der.OCTET_STRING)
		octets = append(octets, part...)
	}
	return octets, ok
}
