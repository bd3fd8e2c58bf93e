package vaccination

import (
	_ "embed"
	"encoding/json"
)

// Text is a sentence in both languages. It never holds a personal value.
type Text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

//go:embed messages.json
var messageFile []byte

var messages = func() map[string]Text {
	var table map[string]Text
	if err := json.Unmarshal(messageFile, &table); err != nil {
		panic(err)
	}
	return table
}()

// Sentence returns the sentence of a code of a finding, an anomaly, a piece of
// evidence or an outward answer; ok is false for an unknown code.
func Sentence(code string) (text Text, ok bool) {
	text, ok = messages[code]
	return text, ok
}
