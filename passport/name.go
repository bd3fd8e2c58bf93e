package passport

import "strings"

// Widths of the name field (Doc 9303-4, 9303-5, 9303-6).
const (
	NameWidthTD3 = 39 // also MRV-A
	NameWidthTD2 = 31 // also MRV-B
	NameWidthTD1 = 30
)

// NameField composes the name field of a machine readable zone: primary
// identifier, <<, secondary identifier, fillers. A name that does not fit is
// truncated by the rule of this project: the secondary identifier first, but for
// one letter; then the primary; never ending on a filler (Doc 9303-4, 4.2.3).
func NameField(name Name, width int) (string, error) {
	primary, err := written(name.Primary)
	if err != nil {
		return "", err
	}
	secondary, err := written(name.Secondary)
	if err != nil {
		return "", err
	}
	if primary == "" {
		primary, secondary = secondary, ""
	}
	if primary == "" {
		return "", ErrUnwritable
	}
	field := truncate(primary, secondary, width)
	return field + strings.Repeat(string(filler), width-len(field)), nil
}

// VDSName is the name of a VDS-NC (pid.n): surname, one blank, given names, at
// most 39 characters, truncated as the name field of a passport (spec
// icao-vds-nc, 5).
func VDSName(name Name) (string, error) {
	field, err := NameField(name, NameWidthTD3)
	if err != nil {
		return "", err
	}
	return components(field), nil
}

// written returns a part in the spelling of this project with fillers between components.
func written(part string) (string, error) {
	spellings, err := Spellings(part)
	if err != nil {
		return "", err
	}
	return strings.ReplaceAll(spellings[0], " ", string(filler)), nil
}

func truncate(primary, secondary string, width int) string {
	if secondary == "" {
		field, _ := shorten(primary, width)
		return field
	}
	const separator = "<<"
	longest := min(len(primary), width-len(separator)-1)
	for n := longest; n > 0; n-- {
		p, okP := shorten(primary, n)
		s, okS := shorten(secondary, width-len(p)-len(separator))
		if okP && okS {
			return p + separator + s
		}
	}
	// Only initials: no cut ends on a letter everywhere.
	p, _ := shorten(primary, longest)
	s, _ := shorten(secondary, width-len(p)-len(separator))
	return p + separator + s
}

// shorten cuts a part to a width. Where the cut would fall on a filler, a
// component before it gives up a letter for the initial of the next. It is false
// when no component has a letter to give; the part is then one shorter.
func shorten(part string, width int) (string, bool) {
	if len(part) <= width {
		return part, true
	}
	cut := part[:width]
	if cut[width-1] != filler {
		return cut, true
	}
	list := strings.Split(cut[:width-1], string(filler))
	for i := len(list) - 1; i >= 0; i-- {
		if n := len(list[i]); n > 1 {
			list[i] = list[i][:n-1]
			return strings.Join(list, string(filler)) + string(filler) + part[width:width+1], true
		}
	}
	return cut[:width-1], false
}
