package pdf

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"akashi/certificate"
	"akashi/templates"
)

// Languages of what is not Japanese, the language of the file.
const (
	english = "en"
	french  = "fr"
)

// words are a text in the languages of the page.
type words struct {
	JA string `json:"ja"`
	EN string `json:"en"`
	FR string `json:"fr"` // yellow card only
}

// labels are the fixed words of one layout version (templates/page).
type labels struct {
	Programmes []string            `json:"programmes"`
	Ordinals   []string            `json:"ordinals"`
	Months     map[string][]string `json:"months"` // by language, of the yellow card
	Labels     map[string]words    `json:"labels"` // drawn by the form
	Texts      map[string]words    `json:"texts"`  // drawn by the layer, with a number in them
}

// labelsOf names the labels of a layout version for a kind.
func labelsOf(version string, kind certificate.Kind) string {
	if kind == certificate.International {
		return version + "/" + string(kind)
	}
	return version
}

// readLabels reads the labels of a version; those of the yellow card replace some of them.
func readLabels(version string, kind certificate.Kind) (*labels, error) {
	files := []string{"labels"}
	if kind == certificate.International {
		files = append(files, string(kind))
	}
	var l labels
	for _, name := range files {
		data, err := templates.Pages.ReadFile("page/" + version + "/" + name + ".json")
		if err != nil {
			return nil, err
		}
		if err := json.Unmarshal(data, &l); err != nil {
			return nil, fmt.Errorf("labels of layout %s: %w", version, err)
		}
	}
	return &l, nil
}

// dose returns the name of a dose, such as 3回目接種, Third Dose.
func (l *labels) dose(n int) words {
	if n >= 1 && n <= len(l.Ordinals) {
		b := l.text("dose", n)
		b.EN = strings.ReplaceAll(b.EN, "{ordinal}", l.Ordinals[n-1])
		return b
	}
	return l.text("dose.beyond", n)
}

func (l *labels) text(key string, n int) words {
	b := l.Texts[key]
	number := strconv.Itoa(n)
	return b.with("{n}", words{number, number, number})
}

// with puts words into their place, such as {n}, in each language.
func (w words) with(place string, in words) words {
	return words{strings.ReplaceAll(w.JA, place, in.JA), strings.ReplaceAll(w.EN, place, in.EN), strings.ReplaceAll(w.FR, place, in.FR)}
}
