package application

import (
	_ "embed"
	"encoding/json"
	"slices"
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

// Party is who has to act on an application.
type Party string

const (
	ByApplicant Party = "applicant"
	ByClerk     Party = "clerk"
	ByApprover  Party = "approver"
)

// WaitsFor tells who has to act next; empty where nobody has to.
func (a Application) WaitsFor() Party {
	switch a.State {
	case NeedsInfo:
		return ByApplicant
	case Review:
		if slices.ContainsFunc(a.Reasons, func(r Reason) bool { return r.Weight == Override }) {
			return ByApprover
		}
		return ByClerk
	case Draft, Submitted, Checking, Approved:
		return ByClerk
	}
	return ""
}

// weights is the table of all reason codes that this package gives.
var weights = map[string]Weight{
	"passport_missing":       Supply,
	"passport_unreadable":    Supply,
	"not_a_passport":         Supply,
	"passport_expired":       Supply,
	"passport_to_confirm":    Confirm,
	"guardian_missing":       Supply,
	"proof_missing":          Supply,
	"identity_unseen":        Confirm, // in words how it was seen, as by interview
	"name_to_confirm":        Confirm,
	"other_name_to_confirm":  Confirm,
	"birth_date_differs":     Final,
	"sex_differs":            Override,
	"record_unavailable":     Final,
	"record_not_found":       Final,
	"record_ambiguous":       Final,
	"record_chosen":          Confirm,
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

// OfChoice tells whether it says no more than that somebody was chosen.
func (r Reason) OfChoice() bool { return r.Code == "record_chosen" }

// atTheDesk tells whether it is about what was seen when the application was handed in, which
// no later look at passport and register changes.
func (r Reason) atTheDesk() bool { return r.Code == "identity_unseen" }

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

// Words names a field or a rule in Japanese and English; what has no name stays as it is.
func Words(detail string) (ja, en string) {
	if d, ok := sentences["detail:"+detail]; ok {
		return d[0], d[1]
	}
	if m, ok := vaccination.Sentence(detail); ok {
		return m.JA, m.EN
	}
	return detail, detail
}

// Sentence returns the reason in Japanese and English.
func (r Reason) Sentence() (ja, en string) {
	s, ok := sentences[r.Code]
	if !ok {
		return r.Code, r.Code
	}
	detailJA, detailEN := Words(r.Detail)
	return strings.ReplaceAll(s[0], "{detail}", detailJA), strings.ReplaceAll(s[1], "{detail}", detailEN)
}
