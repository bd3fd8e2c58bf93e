package qr

import "math"

// Segments divides text into the segments with the fewest bits, for the first
// version class (1-9, 10-26, 27-40) whose largest symbol holds them at level L.
// Text too long for any symbol comes back as one byte segment. EncodeText does
// the same for the level and version that are really taken.
func Segments(text string) []Segment {
	var s []Segment
	for class, end := range classEnds {
		s = segmentsFor(text, class)
		if bitsOf(s, class) <= 8*capacities[L][end] {
			break
		}
	}
	return s
}

// EncodeText encodes text in the smallest version that any segmentation reaches.
// Errors are those of Encode.
func EncodeText(text string, level Level, maxVersion int) (*Matrix, error) {
	if maxVersion > MaxVersion {
		return nil, ErrInput
	}
	for class, end := range classEnds {
		m, err := Encode(segmentsFor(text, class), level, min(end, maxVersion))
		if err != ErrTooLong || maxVersion <= end {
			return m, err
		}
	}
	return nil, ErrTooLong
}

// modes in the order preferred when two cost the same: bytes are the plainest.
var modes = [3]Mode{Byte, Alphanumeric, Numeric}

// unit is a sixth of a bit: the finest step of the three modes.
const unit = 6

// segmentsFor finds the cheapest segmentation for a class: for each position
// and mode the cost of the best way there, and the mode before. A lower cost
// stays lower whatever follows, for rounding up to whole bits keeps the order.
func segmentsFor(text string, class int) []Segment {
	if text == "" {
		return nil
	}
	if len(text) > maxText {
		return []Segment{{Byte, text}}
	}
	const unreachable = 1 << 30
	perChar := [3]int{8 * unit, 11 * unit / 2, 10 * unit / 3}
	var head, cost [3]int
	for m, mode := range modes {
		head[m] = (4 + mode.countBits(class)) * unit
		cost[m] = head[m]
	}
	from := make([][3]uint8, len(text)) // mode of the character before, when this one is in mode m
	for i := 0; i < len(text); i++ {
		// The cheapest way to end here, in whole bits, is the way into any other mode.
		start, last := 0, uint8(0)
		if i > 0 {
			start, last = cheapest(cost)
		}
		usable := [3]bool{true, alphanumericValue[text[i]] != none, text[i]-'0' <= 9}
		for m := range modes {
			from[i][m] = uint8(m)
			if c := start + head[m]; i > 0 && c < cost[m] {
				cost[m], from[i][m] = c, last
			}
			if cost[m] += perChar[m]; !usable[m] {
				cost[m] = unreachable
			}
		}
	}
	_, last := cheapest(cost)
	return trace(text, from, last)
}

// cheapest returns the least cost, rounded up to whole bits, and its mode.
func cheapest(cost [3]int) (least int, mode uint8) {
	least = math.MaxInt
	for m, c := range cost {
		if c = (c + unit - 1) / unit * unit; c < least {
			least, mode = c, uint8(m)
		}
	}
	return least, mode
}

// trace walks back from the last character, in mode m, and cuts where the mode changes.
func trace(text string, from [][3]uint8, m uint8) []Segment {
	var reversed []Segment
	end := len(text)
	for i := len(text) - 1; i >= 0; i-- {
		before := from[i][m]
		if before != m || i == 0 {
			reversed = append(reversed, Segment{modes[m], text[i:end]})
			end = i
		}
		m = before
	}
	for i, j := 0, len(reversed)-1; i < j; i, j = i+1, j-1 {
		reversed[i], reversed[j] = reversed[j], reversed[i]
	}
	return reversed
}
