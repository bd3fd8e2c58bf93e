package application

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"akashi/certificate"
	"akashi/internal/clock"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/passport"
)

const today = clock.Date("2026-11-21")

// clean is evidence that is approved by rule: an exact match with a valid passport.
func clean(t *testing.T) evidence {
	t.Helper()
	o, err := office.New("900001", "架空県証市", "Akashi City")
	if err != nil {
		t.Fatal(err)
	}
	f := Form{
		Kind: certificate.Travel, Programme: "covid19", Channel: Counter, NoticeVersion: "2026-11",
		Applicant: Applicant{Relationship: Self},
		Subject:   Subject{Ticket: "0000000001", Name: certificate.Name{Family: "桜井", Given: "澪"}, BirthDate: "1991-02-18"},
		Passport: &Passport{
			Zone:         NewZone("PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308<<<<<<<<<<<<<<00"),
			DataPageName: passport.Name{Primary: "SAKURAI", Secondary: "MIO"},
		},
	}
	return evidence{
		office: o, form: f, reading: f.ReadPassport(today, false),
		answer: vaccination.Answer{
			Outcome: vaccination.Found, Certainty: vaccination.Exact,
			Person: vaccination.Person{ID: "p", Subject: vaccination.Subject{
				Family: "桜井", Given: "澪", FamilyKana: "サクライ", GivenKana: "ミオ", BirthDate: "1991-02-18",
				Sex: vaccination.Female, Status: vaccination.Resident,
			}},
		},
	}
}

// Issue 2, section 5: only one exact, anomaly-free match of an unprotected person
// with a valid passport in an open office is approved by rule.
func TestReasons(t *testing.T) {
	if r := clean(t).reasons(); len(r) != 0 || next(r) != Approved {
		t.Fatalf("ok/clean: %v", r)
	}
	zone := func(e *evidence, old, with string) {
		e.form.Passport.Zone = NewZone(strings.Replace(e.form.Passport.Zone.Reveal(), old, with, 1))
		e.reading = e.form.ReadPassport(today, false)
	}
	domestic := func(e *evidence, c Channel, r Relationship, seen ...string) {
		e.form.Kind, e.form.Passport, e.reading = certificate.Domestic, nil, nil
		e.form.Channel, e.form.Applicant.Relationship, e.form.Documents = c, r, append([]string{}, seen...)
	}
	for name, seen := range map[string]func(*evidence){
		"a document":                func(e *evidence) { domestic(e, Counter, Self, "health_insurance") },
		"by mail":                   func(e *evidence) { domestic(e, Mail, Self, "vaccination_ticket", "driving_licence") },
		"the passport was read":     func(e *evidence) { e.form.Documents = []string{} },
		"nobody says what was seen": func(e *evidence) { domestic(e, Counter, Self); e.form.Documents = nil },
	} {
		e := clean(t)
		if seen(&e); len(e.reasons()) != 0 {
			t.Errorf("ok/%s: %v", name, e.reasons())
		}
	}
	anomaly := func(code string, s vaccination.Severity) func(*evidence) {
		return func(e *evidence) { e.answer.Anomalies = []vaccination.Anomaly{{Code: code, Severity: s, Dose: 2}} }
	}
	for _, c := range []struct {
		code, detail string
		state        State
		change       func(*evidence)
	}{
		{"office_closed", "", Review, func(e *evidence) { e.office.Settings.Open = []certificate.Kind{certificate.Domestic} }},
		{"automatic_approval_off", "", Review, func(e *evidence) { e.office.Settings.AutoApprove = false }},
		{"proof_missing", "", NeedsInfo, func(e *evidence) { e.form.Applicant.Relationship = Spouse }},
		{"identity_unseen", "", Review, func(e *evidence) { domestic(e, Counter, Self) }},
		{"identity_unseen", "", Review, func(e *evidence) { domestic(e, Counter, Self, "vaccination_ticket", "notification_card") }},
		{"identity_unseen", "", Review, func(e *evidence) { e.form.Documents, e.form.Channel = []string{}, Mail }},
		{"identity_unseen", "", Review, func(e *evidence) {
			e.form.Documents, e.form.Applicant = []string{}, Applicant{Relationship: Parent, Proof: "family_register"}
		}},
		{"not_a_passport", "", NeedsInfo, func(e *evidence) { zone(e, "PPJPN", "V<JPN") }},
		{"not_a_passport", "", NeedsInfo, func(e *evidence) { // an identity card, TD1
			e.form.Passport.Zone = NewZone("I<UTOD231458907<<<<<<<<<<<<<<<\n7408122F3204159UTO<<<<<<<<<<<4\nERIKSSON<<ANNA<MARIA<<<<<<<<<<")
			e.reading = e.form.ReadPassport(today, true)
		}},
		{"passport_missing", "", NeedsInfo, func(e *evidence) { e.form.Passport, e.reading = nil, nil }},
		{"passport_unreadable", "document_number", NeedsInfo, func(e *evidence) { zone(e, "TK00000003", "TK00000004") }},
		{"passport_unreadable", "line1", NeedsInfo, func(e *evidence) { zone(e, "PPJPN", "P") }},
		{"passport_expired", "", NeedsInfo, func(e *evidence) { e.reading = e.form.ReadPassport("2032-07-01", false) }},
		{"passport_to_confirm", "name", Review, func(e *evidence) { e.form.Passport.DataPageName.Primary = "TANAKA"; zone(e, "", "") }},
		{"other_name_to_confirm", "", Review, func(e *evidence) { e.form.Subject.Former = "古川" }},
		{"other_name_to_confirm", "", Review, func(e *evidence) { e.form.Passport.Alternative.Surname = "GONZALEZ" }},
		{"name_to_confirm", "", Review, func(e *evidence) { e.answer.Person.Subject.FamilyKana = "タナカ" }},
		{"name_to_confirm", "", Review, func(e *evidence) { e.answer.Person.Subject.FamilyKana = "" }},
		{"birth_date_differs", "", Review, func(e *evidence) { e.answer.Person.Subject.BirthDate = "1991-02-19" }},
		{"sex_differs", "", Review, func(e *evidence) { e.answer.Person.Subject.Sex = vaccination.Male }},
		{"record_unavailable", "", Checking, func(e *evidence) { e.answer = vaccination.Answer{} }},
		{"record_not_found", "", Review, func(e *evidence) { e.answer = vaccination.Answer{Outcome: vaccination.None} }},
		{"record_ambiguous", "", Review, func(e *evidence) { e.answer.Outcome = vaccination.Ambiguous }},
		{"record_chosen", "", Review, func(e *evidence) { e.answer.Certainty, e.answer.Chosen = vaccination.Candidate, true }},
		{"record_not_exact", "loose", Review, func(e *evidence) { e.answer.Certainty = vaccination.Loose }},
		{"record_anomaly", "date_order", Review, anomaly("date_order", vaccination.Block)},
		{"record_warning", "interval_short", Review, anomaly("interval_short", vaccination.Warning)},
		{"dose_not_certifiable", "lot_missing", Review, anomaly("lot_missing", vaccination.Block)},
		{"birth_date_incomplete", "", Review, anomaly("birth_date_incomplete", vaccination.Block)},
		{"protected_person", "", Review, func(e *evidence) { e.answer.Person.Subject.Status = vaccination.Protected }},
		{"deceased", "", Review, func(e *evidence) { e.answer.Person.Subject.Status = vaccination.Deceased }},
	} {
		t.Run("error/"+c.code+" "+c.detail, func(t *testing.T) {
			e := clean(t)
			c.change(&e)
			list := e.reasons()
			if !slices.Contains(list, reason(c.code, c.detail)) {
				t.Errorf("reasons %v", list)
			}
			if got := next(list); got != c.state {
				t.Errorf("state %s, want %s for %v", got, c.state, list)
			}
		})
	}
}

// "Cannot be asked now" is never "no record" (design 2, step 3).
func TestUnavailableIsNotNone(t *testing.T) {
	unavailable, none := reason("record_unavailable", ""), reason("record_not_found", "")
	a, _ := unavailable.Sentence()
	b, _ := none.Sentence()
	if a == b || next([]Reason{unavailable}) == next([]Reason{none}) {
		t.Error("the two read the same")
	}
}

// Every reason has a weight and sentences in both languages, and none is unused.
func TestSentences(t *testing.T) {
	for code := range weights {
		ja, en := reason(code, "name").Sentence()
		if ja == code || en == code || ja == en || strings.Contains(ja+en, "{") {
			t.Errorf("%s: %q %q", code, ja, en)
		}
	}
	for code := range sentences {
		if !strings.HasPrefix(code, "detail:") && weights[code] == "" {
			t.Errorf("%s has a sentence and no weight", code)
		}
	}
	for _, f := range []string{
		passport.FieldZone, passport.FieldDocumentCode, passport.FieldIssuingState, passport.FieldName, passport.FieldNumber,
		passport.FieldNationality, passport.FieldBirthDate, passport.FieldSex, passport.FieldExpiry, passport.FieldOptional, passport.FieldComposite,
	} {
		if _, ok := sentences["detail:"+f]; !ok {
			t.Errorf("no words for the field %s", f)
		}
	}
	ja, _ := reason("record_anomaly", "date_order").Sentence()
	if strings.Contains(ja, "date_order") {
		t.Errorf("an anomaly is not put into words: %s", ja)
	}
}

// Design 2: the table is the whole state machine.
func TestMove(t *testing.T) {
	legal := 0
	for _, from := range States() {
		for _, to := range States() {
			a := Application{State: from}
			err := a.Move(to)
			if slices.Contains(transitions[from], to) {
				legal++
				if err != nil || a.State != to {
					t.Errorf("ok/%s to %s: %v", from, to, err)
				}
			} else if fault.CodeOf(err) != fault.Conflict || a.State != from {
				t.Errorf("error/%s to %s: %v", from, to, err)
			}
		}
	}
	if legal != 20 {
		t.Errorf("%d legal steps; the reviewed table has 20", legal)
	}
	for _, end := range []State{Rejected, Withdrawn, Fulfilled} {
		if len(transitions[end]) != 0 {
			t.Errorf("%s is not an end", end)
		}
	}
}

func TestFormCheck(t *testing.T) {
	form := func() Form { return clean(t).form }
	if err := form().Check(today); err != nil {
		t.Fatalf("ok/clean: %v", err)
	}
	for field, change := range map[string]func(*Form){
		"kind":          func(f *Form) { f.Kind = "x" },
		"programme":     func(f *Form) { f.Programme = "flu" },
		"channel":       func(f *Form) { f.Channel = "" },
		"passport.mrz ": func(f *Form) { f.Passport.Zone = NewZone("１２３４５６７８９０１８") },
		"passport.mrz  ": func(f *Form) {
			f.Passport.Zone = NewZone("PPJPNSAKURAI<<MIO<123456789018<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308<<<<<<<<<<<<<<00")
		},
		"notice_version":         func(f *Form) { f.NoticeVersion = " 　" },
		"passport":               func(f *Form) { f.Kind = certificate.Domestic },
		"applicant.relationship": func(f *Form) { f.Applicant.Relationship = "friend" },
		"applicant.proof":        func(f *Form) { f.Applicant.Proof = "word" },
		"applicant.name.family":  func(f *Form) { f.Applicant.Relationship = Parent },
		"subject.birth_date":     func(f *Form) { f.Subject.BirthDate = "2026-11-22" },
		"passport.mrz": func(f *Form) {
			f.Passport.Zone = NewZone("PPJPNSAKURAI<<MIO<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000003JPN9102181F3206308123456789018<<86")
		},
		"subject":      func(f *Form) { f.Subject.Ticket, f.Subject.Name.Family = "", "" },
		"documents[1]": func(f *Form) { f.Documents = []string{"passport", "library_card"} },
	} {
		f := form()
		change(&f)
		var e *fault.Error
		if err := f.Check(today); !errors.As(err, &e) || e.Field != strings.TrimSpace(field) {
			t.Errorf("error/%s: %v", field, err)
		}
	}
}

// S-091: an application prints as its id and state.
func TestApplicationDoesNotPrint(t *testing.T) {
	a := Application{Office: "900001", ID: "a1", State: Draft, Form: clean(t).form}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s"} {
		for _, v := range []any{a, &a, []Application{a}, a.Form.Passport.Zone} {
			if s := fmt.Sprintf(verb, v); strings.Contains(s, "SAKURAI") || strings.Contains(s, "桜井") || strings.Contains(s, "TK0000000") {
				t.Errorf("%s printed %s", verb, s)
			}
		}
	}
}

func TestEncodeApplication(t *testing.T) {
	a := Application{Form: clean(t).form, Record: Record{Outcome: "found", Doses: []DoseRef{{ID: "d", Version: 2, Number: 1}}}}
	b, err := a.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var again Application
	if err := again.Decode(b); err != nil {
		t.Fatal(err)
	}
	c, err := again.Encode()
	if err != nil || string(b) != string(c) || again.Form.Passport.Zone.Reveal() != a.Form.Passport.Zone.Reveal() {
		t.Errorf("ok/round trip: %v", err)
	}
}
