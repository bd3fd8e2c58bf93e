package application

import (
	_ "embed"
	"encoding/json"
	"strings"

	"akashi/internal/vaccination"
)

// Reason is why an application is held, in a form that a program can sort and a
// clerk can read aloud. Detail is a field or a rule's code, never a value.
type Reason struct {
	Code   string `json:"code"`
	Detail string `json:"detail,omitempty"`
	Weight Weight `json:"weight"`
}

// Weight says who can clear a reason.
type Weight string

const (
	Supply   Weight = "supply"   // the applicant has to supply something
	Confirm  Weight = "confirm"  // a clerk looks, and approves with a reason
	Override Weight = "override" // an officer may approve with a reason
	Final    Weight = "final"    // cannot be approved as it stands
)

// weights is the table of all reason codes that this package gives.
var weights = map[string]Weight{
	"passport_missing":       Supply,
	"passport_unreadable":    Supply,
	"not_a_passport":         Supply,
	"passport_expired":       Supply,
	"passport_to_confirm":    Confirm,
	"guardian_missing":       Supply,
	"proof_missing":          Supply,
	"name_to_confirm":        Confirm,
	"other_name_to_confirm":  Confirm,
	"birth_date_differs":     Final,
	"sex_differs":            Override,
	"record_unavailable":     Final,
	"record_not_found":       Final,
	"record_ambiguous":       Final,
	"record_not_exact":       Confirm,
	"record_anomaly":         Override,
	"record_warning":         Confirm,
	"dose_not_certifiable":   Final,
	"birth_date_incomplete":  Final,
	"protected_person":       Override,
	"deceased":               Override,
	"office_closed":          Override,
	"automatic_approval_off": Confirm,
}

func reason(code, detail string) Reason {
	return Reason{Code: code, Detail: detail, Weight: weights[code]}
}

//go:embed sentences.json
var sentenceFile []byte

// Sentences of a language: reason code to text with "{detail}" for the detail's
// own sentence.
var sentences = func() map[string][2]string {
	var table map[string][2]string
	if err := json.Unmarshal(sentenceFile, &table); err != nil {
		panic(err)
	}
	return table
}()

// Sentence returns the reason in Japanese and English.
func (r Reason) Sentence() (ja, en string) {
	s, ok := sentences[r.Code]
	if !ok {
		return r.Code, r.Code
	}
	detailJA, detailEN := r.Detail, r.Detail
	if d, ok := sentences["detail:"+r.Detail]; ok {
		detailJA, detailEN = d[0], d[1]
	} else if m, ok := vaccination.Sentence(r.Detail); ok {
		detailJA, detailEN = m.JA, m.EN
	}
	return strings.ReplaceAll(s[0], "{detail}", detailJA), strings.ReplaceAll(s[1], "{detail}", detailEN)
}
