package passport

import (
	"fmt"
	"strings"
	"unicode/utf8"
)

// Kinds of Change.
const (
	ChangeFullWidth  = "full_width"  // full-width characters made ASCII
	ChangeUpperCase  = "upper_case"  // lower case made upper case
	ChangeGuillemet  = "guillemet"   // « made <<
	ChangeBlank      = "blank"       // blanks removed
	ChangeSplit      = "split"       // one line cut into the lines of its format
	ChangeFillerRun  = "filler_run"  // K, C or L among the fillers behind the name made fillers
	ChangeBlankLines = "blank_lines" // empty lines removed
)

// Change is what normalising did to the text before it was read; show it.
type Change struct {
	Line  int    `json:"line"` // from 1, 0 for the whole text
	Kind  string `json:"kind"`
	Count int    `json:"count"` // characters or lines
}

// normalise brings typed or scanned text to lines of A-Z, 0-9 and fillers as far
// as no guess is needed (spec mrz-and-emrtd, 7, rule 1).
func normalise(text string) ([]string, []Change) {
	lines, changes := splitLines(text)
	for i := range lines {
		line, did := normaliseLine(lines[i])
		for _, c := range did {
			c.Line = i + 1
			changes = append(changes, c)
		}
		lines[i] = line
	}
	if cut, ok := cutLine(lines); ok {
		changes = append(changes, Change{Kind: ChangeSplit, Count: len(cut)})
		lines = cut
	}
	if l, ok := layoutOf(lines); ok {
		line, n := fillTail(lines[l.name.line], l.name)
		if n > 0 {
			changes = append(changes, Change{Line: l.name.line + 1, Kind: ChangeFillerRun, Count: n})
			lines[l.name.line] = line
		}
	}
	return lines, changes
}

var lineEnds = strings.NewReplacer("\r\n", "\n", "\r", "\n")

// splitLines parts the text at its line ends and drops lines of nothing.
func splitLines(text string) ([]string, []Change) {
	text = strings.TrimSuffix(lineEnds.Replace(text), "\n")
	var lines []string
	empty := 0
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimFunc(line, isBlank) == "" {
			empty++
			continue
		}
		lines = append(lines, line)
	}
	if empty > 0 && len(lines) > 0 {
		return lines, []Change{{Kind: ChangeBlankLines, Count: empty}}
	}
	return lines, nil
}

func isBlank(r rune) bool { return r == ' ' || r == '\t' || r == '\u00a0' || r == '\u3000' }

func normaliseLine(line string) (string, []Change) {
	var b strings.Builder
	counts := map[string]int{}
	for _, r := range line {
		r, wide := ascii(r)
		if wide {
			counts[ChangeFullWidth]++
		}
		switch {
		case r >= 'a' && r <= 'z':
			counts[ChangeUpperCase]++
			b.WriteRune(r - 'a' + 'A')
		case r == '«':
			counts[ChangeGuillemet]++
			b.WriteString("<<")
		default:
			b.WriteRune(r)
		}
	}
	line = b.String()
	if tight := strings.Join(strings.FieldsFunc(line, isBlank), ""); tight != line && knownWidth(runes(tight)) {
		counts[ChangeBlank] = runes(line) - runes(tight)
		line = tight
	}
	var changes []Change
	for _, kind := range []string{ChangeFullWidth, ChangeUpperCase, ChangeGuillemet, ChangeBlank} {
		if counts[kind] > 0 {
			changes = append(changes, Change{Kind: kind, Count: counts[kind]})
		}
	}
	return line, changes
}

// ascii brings a full-width character to ASCII and says whether it was one.
func ascii(r rune) (rune, bool) {
	if r >= '！' && r <= '～' {
		return r - '！' + '!', true
	}
	return r, false
}

// knownWidth knows the width of a line and of a zone written without line break.
func knownWidth(n int) bool {
	for _, l := range layouts {
		if n == l.width || n == l.width*l.lines {
			return true
		}
	}
	return false
}

// cutLine cuts a zone written in one line.
func cutLine(lines []string) ([]string, bool) {
	if len(lines) != 1 {
		return nil, false
	}
	all := []rune(lines[0])
	for _, l := range layouts {
		if len(all) != l.width*l.lines {
			continue
		}
		var cut []string
		for i := range l.lines {
			cut = append(cut, string(all[i*l.width:(i+1)*l.width]))
		}
		return cut, true
	}
	return nil, false
}

// fillTail turns runs of K, C and L that stand between fillers behind the name
// into fillers. Behind the name is after the fillers that end the secondary
// identifier, or after three fillers when there is none: "<<K<" is a given name.
func fillTail(line string, name span) (string, int) {
	all := []rune(line)
	count := 0
	for i := nameEnd(all[:name.to], name.from); i < name.to; {
		if !strings.ContainsRune("KCL", all[i]) {
			i++
			continue
		}
		end := i
		for end < name.to && strings.ContainsRune("KCL", all[end]) {
			end++
		}
		if all[i-1] == filler && end < name.to && all[end] == filler {
			for ; i < end; i++ {
				all[i] = filler
				count++
			}
		}
		i = end
	}
	return string(all), count
}

// nameEnd returns the position of the second of the fillers that end the name.
func nameEnd(line []rune, from int) int {
	separators := 0
	for i := from + 1; i < len(line); i++ {
		if line[i] != filler || line[i-1] != filler {
			continue
		}
		separators++
		if separators == 2 {
			return i
		}
		if i+1 < len(line) && line[i+1] == filler {
			return i + 1
		}
	}
	return len(line)
}

// bytesOf returns the lines with one byte per character; what no zone can hold
// becomes illegal. It reports such characters by line.
func bytesOf(lines []string) ([]string, Findings) {
	text := make([]string, len(lines))
	var findings Findings
	for i, line := range lines {
		var b strings.Builder
		var wrong []string
		for _, r := range line {
			if _, ok := characterValue(byte(r)); ok && r < utf8.RuneSelf {
				b.WriteRune(r)
				continue
			}
			b.WriteByte(illegal)
			wrong = append(wrong, visible(r))
		}
		if len(wrong) > 0 {
			findings = append(findings, Finding{
				Code: CodeCharset, Field: lineField(i), Severity: Refuse, Read: strings.Join(wrong, " "), Expected: "A-Z 0-9 <",
			})
		}
		text[i] = b.String()
	}
	return text, findings
}

const illegal = '?'

// visible writes a character so that a screen shows it and nothing else happens.
func visible(r rune) string { return strings.Trim(fmt.Sprintf("%+q", r), "'") }

func lineField(i int) string { return fmt.Sprintf("line%d", i+1) }

func runes(s string) int { return utf8.RuneCountInString(s) }
