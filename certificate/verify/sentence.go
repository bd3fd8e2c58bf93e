package verify

import (
	_ "embed"
	"encoding/json"
	"strings"
	"time"
)

// Languages of the sentences.
var Languages = []string{"ja", "en", "fr"}

// sentences.json explains each code to the person at the counter, and says what to do next.
//
//go:embed sentences.json
var sentencesJSON []byte

// texts are a sentence in each language.
type texts struct {
	JA string `json:"ja"`
	EN string `json:"en"`
	FR string `json:"fr"`
}

func (t texts) in(language string) string {
	return map[string]string{"ja": t.JA, "en": t.EN, "fr": t.FR}[language]
}

type sentence struct {
	texts
	Next string `json:"next"` // name of a step
}

var sentences, steps = func() (map[string]sentence, map[string]texts) {
	var file struct {
		Sentences map[string]sentence `json:"sentences"`
		Next      map[string]texts    `json:"next"`
	}
	if err := json.Unmarshal(sentencesJSON, &file); err != nil {
		panic("verify: sentences.json: " + err.Error())
	}
	return file.Sentences, file.Next
}()

// agePlace stands in a sentence for the age of a list.
const agePlace = "{age}"

// Sentence explains a facet in one of Languages, with the age of the list that it rests on
// where that is the reason ("the list is 3 days old"). Empty for what is no code of this package.
func (f Facet) Sentence(language string) string {
	text := sentences[f.Code].in(language)
	if !strings.Contains(text, agePlace) {
		return text
	}
	age, err := time.ParseDuration(f.Detail["list_age"])
	if err != nil {
		return strings.ReplaceAll(text, agePlace, "?")
	}
	return strings.ReplaceAll(text, agePlace, Age(age, language))
}

// Next says in one of Languages what to do about a facet ("ask for the newer certificate").
func (f Facet) Next(language string) string { return steps[sentences[f.Code].Next].in(language) }

// Note is a note of a verdict as a facet, to be explained like one.
func Note(code string) Facet { return Facet{Code: code} }

// Settled tells that there is nothing to do about a facet.
func (f Facet) Settled() bool { return sentences[f.Code].Next == settled }

const settled = "none"
