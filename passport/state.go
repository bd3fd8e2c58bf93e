package passport

import (
	_ "embed"
	"encoding/csv"
	"strings"
	"sync"
)

// The codes are ISO 3166-1 alpha-3 and the additions of Doc 9303-3, section 5. The
// names are short names for print, based on those of the Unicode CLDR (Unicode
// License v3).
//
//go:embed states.csv
var statesCSV string

const specimenState = "UTO"

type stateName struct{ ja, en string }

var states = sync.OnceValue(func() map[string]stateName {
	rows, err := csv.NewReader(strings.NewReader(statesCSV)).ReadAll()
	if err != nil {
		panic(err)
	}
	table := make(map[string]stateName, len(rows))
	for _, row := range rows[1:] {
		table[row[0]] = stateName{ja: row[2], en: row[1]}
	}
	return table
})

// StateName returns the names of an issuing state, nationality or status by its
// Doc 9303 code without fillers, such as "JPN", "D" or "XXB".
func StateName(code string) (ja, en string, ok bool) {
	name, ok := states()[code]
	return name.ja, name.en, ok
}
