package shc

import (
	"bytes"
	"encoding/json"

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
	members, notes, err := readObject(b)
	if err != nil {
		return nil, nil, err
	}
	var list []any
	if json.Unmarshal(members[fileMember], &list) != nil || len(list) == 0 {
		return nil, nil, fail(StepScheme, "no_cards", fileMember)
	}
	jws, err = cardTexts(list, fileMember)
	return jws, notes, err
}

// ParseParameters returns the cards of a FHIR Parameters resource, the answer of
// $health-cards-issue (spec, 6), as ParseFile does. Its other parameters, such as
// resourceLink, are passed over.
func ParseParameters(b []byte) (jws, notes []string, err error) {
	members, notes, err := readObject(b)
	if err != nil {
		return nil, nil, err
	}
	var kind string
	if json.Unmarshal(members["resourceType"], &kind) != nil || kind != "Parameters" {
		return nil, nil, fail(StepScheme, "not_parameters", "resourceType")
	}
	var parameters []map[string]any
	if json.Unmarshal(members["parameter"], &parameters) != nil {
		return nil, nil, fail(StepScheme, "no_cards", "parameter")
	}
	var list []any
	for _, p := range parameters {
		if p["name"] == fileMember {
			list = append(list, p["valueString"])
		}
	}
	if len(list) == 0 {
		return nil, nil, fail(StepScheme, "no_cards", "parameter")
	}
	jws, err = cardTexts(list, "parameter")
	return jws, notes, err
}

func readObject(b []byte) (members map[string]json.RawMessage, notes []string, err error) {
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
	if json.Unmarshal(trimmed, &members) != nil {
		return nil, nil, fail(StepScheme, "not_an_object", "")
	}
	return members, notes, nil
}

func cardTexts(list []any, field string) (jws []string, err error) {
	if len(list) > maxCards {
		return nil, fail(StepScheme, "too_many", field)
	}
	for i, item := range list {
		card, ok := item.(string)
		if !ok {
			return nil, fail(StepScheme, "not_text", index(field, i))
		}
		jws = append(jws, card)
	}
	return jws, nil
}
