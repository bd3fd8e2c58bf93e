package pdf

import "strings"

// splitProse breaks running text into lines of at most w em: at a blank, or between two
// characters of which one is Japanese, but never so that a line begins with a closing mark or
// ends with an opening one (JIS X 4051). A word that is wider than a line breaks where it must.
func splitProse(shapes []*shape, w float64, limit int) (pieces [][]*shape, ok bool) {
	for len(shapes) > 0 {
		if len(pieces) == limit {
			return nil, false
		}
		end, used := 0, 0.0
		for end < len(shapes) && (used+shapes[end].width <= w || isBlank(shapes[end])) {
			used += shapes[end].width
			end++
		}
		if end == 0 {
			return nil, false
		}
		if end < len(shapes) {
			for at := end; at > 0; at-- {
				if breaks(shapes[at-1], shapes[at]) {
					end = at
					break
				}
			}
		}
		pieces, shapes = append(pieces, shapes[:end]), shapes[end:]
	}
	return pieces, true
}

const (
	closing = "、。，．・：；？！）］｝」』】〉》ー々ぁぃぅぇぉっゃゅょァィゥェォッャュョ,.:;?!)]}%"
	opening = "（［｛「『【〈《([{"
)

// breaks tells whether a line may end between two characters.
func breaks(before, after *shape) bool {
	switch {
	case isBlank(after), strings.ContainsRune(closing, after.cluster.Base), strings.ContainsRune(opening, before.cluster.Base):
		return false
	case isBlank(before):
		return true
	}
	return isWide(before) || isWide(after)
}

// isWide tells whether a character is one of Japanese text.
func isWide(s *shape) bool { return s.cluster.Base >= 0x2E80 }
