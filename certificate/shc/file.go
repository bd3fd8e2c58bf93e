package shc

import (
	"bytes"
	"encoding/json"
	"strconv"

	"akashi/internal/strictjson"
)

// FileExtension and FileMediaType belong to a card file.
const (
	FileExtension = ".smart-health-card"
	FileMediaType = "application/smart-health-card"
)

const fileMember = "verifiableCredential"

// File returns the content of a card file.
func File(jws ...string) []byte {
	b, err := minified(map[string][]string{fileMember: append([]string{}, jws...)})
	if err != nil {
		panic(err) // strings always encode
	}
	return b
}

// ParseFile returns the cards of a card file, unread: each is for Parse. Notes
// name flaws that do not spoil them.
func ParseFile(b []byte) (jws, notes []string, err error) {
	if len(b) > maxFile {
		return nil, nil, fail(StepScheme, "too_long", "")
	}
	trimmed := bytes.TrimSpace(b)
	if len(trimmed) != len(b) {
		notes = []string{NoteWhiteSpace}
	}
	if strictjson.Check(trimmed, maxDepth) != nil {
		return nil, nil, fail(StepScheme, "not_json", "")
	}
	var members map[string]json.RawMessage
	if json.Unmarshal(trimmed, &members) != nil {
		return nil, nil, fail(StepScheme, "not_an_object", "")
	}
	var list []any
	if json.Unmarshal(members[fileMember], &list) != nil || len(list) == 0 {
		return nil, nil, fail(StepScheme, "no_cards", fileMember)
	}
	if len(list) > maxCards {
		return nil, nil, fail(StepScheme, "too_many", fileMember)
	}
	for i, item := range list {
		card, ok := item.(string)
		if !ok {
			return nil, nil, fail(StepScheme, "not_text", fileMember+"["+strconv.Itoa(i)+"]")
		}
		jws = append(jws, card)
	}
	return jws, notes, nil
}
