package issuance_test

import (
	"bytes"
	"compress/flate"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"akashi/certificate"
	"akashi/certificate/qr"
	"akashi/internal/actor"
	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/internal/vaccination"
	"akashi/signing"
)

func TestIssue(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		for kind, families := range map[certificate.Kind]int{certificate.Travel: 2, certificate.Domestic: 1} {
			id := w.Approved(t, kind)
			i, made, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			if err != nil || !made || i.State != issuance.Issued || len(i.Payloads) != families {
				t.Fatalf("ok/%s: %v made=%v %v", kind, i.State, made, err)
			}
			again, made, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			if err != nil || made || again.Certificate.ID != i.Certificate.ID {
				t.Errorf("ok/%s again: made=%v %v", kind, made, err)
			}
			got, err := w.Issuance.Get(t.Context(), w.Clerk, i.Certificate.ID)
			if err != nil || len(got.Certificate.Doses) != 3 || got.Certificate.Subject.Name.Family != "桜井" {
				t.Errorf("ok/%s read: %v", kind, err)
			}
			a, err := w.Applications.Get(t.Context(), w.Clerk, id)
			if err != nil || a.State != application.Fulfilled {
				t.Errorf("ok/%s application: %v %v", kind, a.State, err)
			}
			actions := logActions(t, w, i.Certificate.ID)
			for _, want := range []string{"certificate.prepare", "certificate.issue", "certificate.read"} {
				if !slices.Contains(actions, want) {
					t.Errorf("ok/%s log has no %s: %v", kind, want, actions)
				}
			}
		}
	})
}

func logActions(t *testing.T, w *world.World, object string) []string {
	t.Helper()
	entries, err := w.Store.(logReader).LogEntries(t.Context(), w.Clerk.Office, object)
	if err != nil {
		t.Fatal(err)
	}
	var actions []string
	for _, e := range entries {
		var r struct{ Action, Result string }
		if err := json.Unmarshal(e, &r); err != nil {
			t.Fatal(err)
		}
		actions = append(actions, r.Action)
	}
	return actions
}

// no certificate without an approved application.
func TestIssueNotApproved(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		f := world.Form(certificate.Domestic)
		f.Subject.Name.Given = "零"
		a, err := w.Applications.Create(t.Context(), w.Clerk, f, nil)
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, a.ID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/draft: %v", err)
		}
		if a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID); err != nil || a.State != application.Review {
			t.Fatalf("error/other name: %v %v", a.State, err)
		}
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, a.ID); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/review: %v", err)
		}
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, "00000000-0000-7000-8000-000000000000"); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/unknown: %v", err)
		}
		foreign := w.Clerk
		foreign.Office = "900010"
		if _, _, err := w.Issuance.Issue(t.Context(), foreign, w.Approved(t, certificate.Domestic)); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/other office: %v", err)
		}
	})
}

// S-080, design 2: a record that changed after approval is not certified silently.
func TestRecordChanged(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		id := w.Approved(t, certificate.Domestic)
		w.Bring(t, vaccination.Records, []byte(recordsHeader+
			"900001,0000000001,2,2021-07-12,ファイザー,コミナティ,ZA9999,架空県証市保健センター,,ledger,2,covid19\n"))
		var f *fault.Error
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id); !errors.As(err, &f) || f.Key != "record_changed" {
			t.Fatalf("error/changed: %v", err)
		}
		if _, err := w.Applications.Submit(t.Context(), w.Clerk, id); err != nil {
			t.Fatal(err)
		}
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
		if err != nil || i.Certificate.Doses[1].Lot != "ZA9999" {
			t.Errorf("ok/checked again: %v", err)
		}
	})
}

const recordsHeader = "municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"

// S-080: a new dose makes a new certificate that supersedes; an import that is
// withdrawn lists what was made from it; single revoke with reason.
func TestReissueAndRevoke(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		id := w.Approved(t, certificate.Travel)
		first, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
		if err != nil {
			t.Fatal(err)
		}
		brought := w.Bring(t, vaccination.Records, []byte(recordsHeader+
			"900001,0000000001,4,2022-10-20,ファイザー,コミナティ（BA.1）,ZC0999,架空県証市保健センター,,ledger,2,covid19\n"))
		second, err := w.Issuance.Reissue(t.Context(), w.Clerk, first.Certificate.ID, "new_dose")
		if err != nil || len(second.Certificate.Doses) != 4 || second.Certificate.Supersedes != first.Certificate.ID {
			t.Fatalf("ok/reissue: %v", err)
		}
		old, err := w.Issuance.Get(t.Context(), w.Clerk, first.Certificate.ID)
		if err != nil || old.State != issuance.Superseded || old.SupersededBy != second.Certificate.ID {
			t.Errorf("ok/superseded: %v %v", old.State, err)
		}
		if _, err := w.Issuance.Reissue(t.Context(), w.Clerk, first.Certificate.ID, "new_dose"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/reissue of a superseded one: %v", err)
		}
		if _, err := w.Issuance.Reissue(t.Context(), w.Clerk, second.Certificate.ID, "because"); fault.CodeOf(err) != fault.Invalid {
			t.Errorf("error/reason: %v", err)
		}
		if _, err := w.Approvals.Request(t.Context(), w.Clerk, office.WithdrawImport, brought.ID, nil, nil); err != nil {
			t.Fatal(err)
		}
		_, certificates, err := w.Imports.Withdraw(t.Context(), w.Officer, brought.ID)
		if err != nil || !slices.Equal(certificates, []string{second.Certificate.ID}) {
			t.Errorf("ok/withdrawn import lists %v, %v", certificates, err)
		}
		gone, err := w.Issuance.Revoke(t.Context(), w.Officer, second.Certificate.ID, "record_withdrawn")
		if err != nil || gone.State != issuance.Revoked {
			t.Errorf("ok/revoke: %v", err)
		}
		if _, err := w.Issuance.Revoke(t.Context(), w.Officer, second.Certificate.ID, "fraud"); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/revoke twice: %v", err)
		}
		var f *fault.Error
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id); !errors.As(err, &f) || f.Key != "application_fulfilled" {
			t.Errorf("error/issue after the revocation: %v", err)
		}
		if _, _, err := w.Issuance.Print(t.Context(), w.Clerk, []string{second.Certificate.ID}, nil); fault.CodeOf(err) != fault.Conflict {
			t.Errorf("error/print of a revoked one: %v", err)
		}
	})
}

// Issue 2, section 7: numbered copies, same copy same bytes, several in one file.
func TestPrint(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		a, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		b, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Domestic))
		if err != nil {
			t.Fatal(err)
		}
		file, copies, err := w.Issuance.Print(t.Context(), w.Clerk, []string{a.Certificate.ID}, nil)
		if err != nil || copies[0].Number != 1 {
			t.Fatalf("ok/first: %v", err)
		}
		again, err := w.Issuance.Reprint(t.Context(), w.Clerk, a.Certificate.ID, 1)
		if err != nil || !bytes.Equal(file, again) {
			t.Errorf("ok/reprint: other bytes, %v", err)
		}
		_, copies, err = w.Issuance.Print(t.Context(), w.Clerk, []string{a.Certificate.ID, b.Certificate.ID}, nil)
		if err != nil || len(copies) != 2 || copies[0].Number != 2 || copies[1].Number != 1 {
			t.Errorf("ok/two in one file: %+v %v", copies, err)
		}
		if _, err := w.Issuance.Reprint(t.Context(), w.Clerk, a.Certificate.ID, 3); fault.CodeOf(err) != fault.NotFound {
			t.Errorf("error/copy that was not made: %v", err)
		}
		numbers := make([]int, 8)
		var group sync.WaitGroup
		for n := range numbers {
			group.Go(func() {
				if _, copies, err := w.Issuance.Print(t.Context(), w.Clerk, []string{b.Certificate.ID}, nil); err == nil {
					numbers[n] = copies[0].Number
				} else {
					t.Errorf("ok/parallel: %v", err)
				}
			})
		}
		group.Wait()
		slices.Sort(numbers)
		if !slices.Equal(numbers, []int{2, 3, 4, 5, 6, 7, 8, 9}) {
			t.Errorf("ok/parallel: copies %v", numbers)
		}

		kept := w.Issuance.Store
		w.Issuance.Store = seenLast{kept, func() {
			w.Issuance.Store = kept
			if _, err := w.Issuance.Revoke(t.Context(), w.Officer, a.Certificate.ID, "fraud"); err != nil {
				t.Error(err)
			}
		}}
		if file, _, err := w.Issuance.Print(t.Context(), w.Clerk, []string{a.Certificate.ID}, nil); file != nil || !errors.Is(err, fault.New(fault.Conflict, "certificate_state", "")) {
			t.Errorf("error/revoked while its page is made: %v", err)
		}
		if _, copies, err := w.Issuance.Copies(t.Context(), w.Clerk, a.Certificate.ID); err != nil || len(copies) != 2 {
			t.Errorf("error/revoked while its page is made: %+v %v", copies, err)
		}
	})
}

// seenLast is a store of which something else happens once a certificate was read.
type seenLast struct {
	issuance.Store
	then func()
}

func (s seenLast) Issue(ctx context.Context, office, id string) (issuance.Issue, error) {
	i, err := s.Store.Issue(ctx, office, id)
	s.then()
	return i, err
}

// prepared returns an intent that Recover has not touched: issuing stops after
// the intent was stored.
func prepared(t *testing.T, w *world.World) issuance.Issue {
	t.Helper()
	return preparedOf(t, w, w.Approved(t, certificate.Travel))
}

func preparedOf(t *testing.T, w *world.World, id string) issuance.Issue {
	t.Helper()
	stop := errors.New("stopped by the test")
	w.Issuance.Point = func(name string) {
		if name == "intent_stored" {
			panic(stop)
		}
	}
	func() {
		defer func() { _ = recover() }()
		_, _, _ = w.Issuance.Issue(t.Context(), w.Clerk, id)
	}()
	w.Issuance.Point = nil
	list, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{Application: id, State: issuance.Prepared, Limit: 10})
	if err != nil || len(list) != 1 {
		t.Fatalf("%d intents, %v", len(list), err)
	}
	i, err := w.Issuance.Get(t.Context(), w.Clerk, list[0].Certificate.ID)
	if err != nil {
		t.Fatal(err)
	}
	return i
}

// Issue 2, section 6: each field of each family changed in one draft only, and lint names it.
func TestLintNamesEachField(t *testing.T) {
	w := newWorldSQLite(t)
	w.BringInternational(t)
	w.SetOffice(t, func(s *office.Settings) { s.EU = true })
	count := map[certificate.Family]int{}
	nameEachField(t, w, prepared(t, w), count)
	nameEachField(t, w, preparedOf(t, w, w.ApprovedForm(t, world.ChildForm())), count)
	if count[certificate.SHC] < 30 || count[certificate.VDSNC] < 30 || count[certificate.DCC] < 18 || count[certificate.ICVP] < 2*16 {
		t.Errorf("only %v leaves", count)
	}
}

func nameEachField(t *testing.T, w *world.World, i issuance.Issue, count map[certificate.Family]int) {
	t.Helper()
	if err := w.Issuance.Lint(t.Context(), i); err != nil {
		t.Fatalf("ok/unchanged: %v", err)
	}
	for n, p := range i.Payloads {
		var value any
		open, shut := codecs[p.Family].open, codecs[p.Family].shut
		if err := json.Unmarshal(open(t, p.ToSign), &value); err != nil {
			t.Fatal(err)
		}
		for _, path := range leaves(value, nil) {
			count[p.Family]++
			name := fmt.Sprintf("error/%s/%v", p.Family, path)
			changed := i
			changed.Payloads = slices.Clone(i.Payloads)
			text, err := json.Marshal(mutate(value, path))
			if err != nil {
				t.Fatal(err)
			}
			changed.Payloads[n].ToSign = shut(t, p.ToSign, text)
			var f *fault.Error
			if err := w.Issuance.Lint(t.Context(), changed); !errors.As(err, &f) {
				t.Errorf("%s: lint said %v", name, err)
			} else if !strings.Contains(f.Args["fields"]+f.Error(), string(p.Family)) {
				t.Errorf("%s: lint did not name the family: %v", name, err)
			} else if field := fmt.Sprint(path[len(path)-1]); !strings.Contains(f.Args["fields"]+f.Error(), field) && !isIndex(field) {
				t.Errorf("%s: lint named %s", name, f.Args["fields"])
			}
		}
	}
}

// A draft that says what the certificate says still has to keep the rules for
// issuers: a lot number of "none" is one that nobody gave (spec smart-health-cards, 5).
func TestLintAsksTheRules(t *testing.T) {
	w := newWorldSQLite(t)
	i := prepared(t, w)
	i.Payloads = slices.DeleteFunc(slices.Clone(i.Payloads), func(p issuance.Payload) bool { return p.Family != certificate.SHC })
	lot := []byte(`"` + i.Certificate.Doses[0].Lot + `"`)
	c := codecs[certificate.SHC]
	text := c.open(t, i.Payloads[0].ToSign)
	i.Payloads[0].ToSign = c.shut(t, i.Payloads[0].ToSign, bytes.Replace(text, lot, []byte(`"none"`), 1))
	i.Certificate.Doses = slices.Clone(i.Certificate.Doses)
	i.Certificate.Doses[0].Lot = "none"
	var f *fault.Error
	if err := w.Issuance.Lint(t.Context(), i); !errors.As(err, &f) || !strings.Contains(f.Args["fields"], "placeholder") {
		t.Errorf("error/placeholder: %v", err)
	}
}

func isIndex(s string) bool { return s >= "0" && s <= "9" }

type codec struct {
	open func(*testing.T, []byte) []byte
	shut func(t *testing.T, before, json []byte) []byte
}

var codecs = map[certificate.Family]codec{
	certificate.ICVP: healthCodec, certificate.DCC: healthCodec,
	certificate.VDSNC: {
		open: func(_ *testing.T, b []byte) []byte { return b },
		shut: func(_ *testing.T, _, json []byte) []byte { return json }, // maps are marshalled in sorted order: canonical
	},
	certificate.SHC: {
		open: func(t *testing.T, b []byte) []byte {
			_, claims, _ := bytes.Cut(b, []byte("."))
			packed, err := base64.RawURLEncoding.DecodeString(string(claims))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := io.ReadAll(flate.NewReader(bytes.NewReader(packed)))
			if err != nil {
				t.Fatal(err)
			}
			return plain
		},
		shut: func(t *testing.T, before, json []byte) []byte {
			header, _, _ := bytes.Cut(before, []byte("."))
			var packed bytes.Buffer
			w, _ := flate.NewWriter(&packed, 9)
			if _, err := w.Write(json); err != nil {
				t.Fatal(err)
			}
			if err := w.Close(); err != nil {
				t.Fatal(err)
			}
			return []byte(string(header) + "." + base64.RawURLEncoding.EncodeToString(packed.Bytes()))
		},
	},
}

// leaves lists the paths of all scalars.
func leaves(v any, path []any) [][]any {
	var list [][]any
	switch v := v.(type) {
	case map[string]any:
		for k, x := range v {
			list = append(list, leaves(x, append(slices.Clone(path), k))...)
		}
	case []any:
		for k, x := range v {
			list = append(list, leaves(x, append(slices.Clone(path), k))...)
		}
	default:
		list = append(list, path)
	}
	return list
}

// mutate returns a copy with one scalar changed to another plausible value.
func mutate(v any, path []any) any {
	if len(path) == 0 {
		switch v := v.(type) {
		case string:
			b := []byte(v)
			last := len(b) - 1
			switch {
			case len(b) == 0:
				return "x"
			case b[last] == '1':
				b[last] = '2'
			case b[last] >= '0' && b[last] <= '9':
				b[last] = '1'
			case b[last] == 'A':
				b[last] = 'B'
			case b[last] < 0x80:
				b[last] = 'A'
			default:
				return v + "一"
			}
			return string(b)
		case float64:
			return v + 1
		}
		return "x"
	}
	switch v := v.(type) {
	case map[string]any:
		copied := map[string]any{}
		for k, x := range v {
			copied[k] = x
		}
		copied[path[0].(string)] = mutate(v[path[0].(string)], path[1:])
		return copied
	case []any:
		copied := slices.Clone(v)
		copied[path[0].(int)] = mutate(v[path[0].(int)], path[1:])
		return copied
	}
	return v
}

// flipped signs like the real signer and then spoils one bit.
type flipped struct {
	issuance.Signer
	bit int
}

func (f flipped) Sign(ctx context.Context, office, id string) ([]signing.Signature, error) {
	list, err := f.Signer.Sign(ctx, office, id)
	for i := range list {
		list[i].Value[f.bit/8] ^= 1 << (f.bit % 8)
	}
	return list, err
}

// S-058: one flipped bit in signature (key), payload or symbol releases nothing,
// and the attempt stays visible as failed.
func TestSelfCheck(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		real := w.Issuance.Signer
		faults := map[string]func() func(){
			"error/signature": func() func() {
				w.Issuance.Signer = flipped{real, 5}
				return func() { w.Issuance.Signer = real }
			},
			"error/published key": func() func() {
				before := w.Issuance.Published
				w.Issuance.Published = otherKeys(t)
				return func() { w.Issuance.Published = before }
			},
			"error/matrix": func() func() {
				w.Issuance.Damage = func(m *qr.Matrix) *qr.Matrix { return m.Flip(m.Size()-1, m.Size()-1) }
				return func() { w.Issuance.Damage = nil }
			},
		}
		for name, spoil := range faults {
			id := w.Approved(t, certificate.Travel)
			restore := spoil()
			_, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
			restore()
			var f *fault.Error
			if !errors.As(err, &f) || f.Key != "self_check" {
				t.Errorf("%s: %v", name, err)
				continue
			}
			failed, err := w.Issuance.Get(t.Context(), w.Clerk, f.Args["certificate"])
			if err != nil || failed.State != issuance.Failed || failed.Reason == "" {
				t.Errorf("%s: %v %v %v", name, failed.State, failed.Reason, err)
			}
			for _, p := range failed.Payloads {
				if p.Text != "" {
					t.Errorf("%s: a text was stored", name)
				}
			}
			if _, err := w.Issuance.Codes(t.Context(), w.Clerk, failed.Certificate.ID); fault.CodeOf(err) != fault.Conflict {
				t.Errorf("%s: codes of a failed one: %v", name, err)
			}
			if i, made, err := w.Issuance.Issue(t.Context(), w.Clerk, id); err != nil || !made || i.Certificate.ID == failed.Certificate.ID {
				t.Errorf("%s: afterwards %v made=%v", name, err, made)
			}
		}
	})
}

// S-058: a payload that differs from the record is found after signing, too.
func TestSelfCheckPayload(t *testing.T) {
	w := newWorldSQLite(t)
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Issuance.SelfCheck(t.Context(), i); err != nil {
		t.Fatalf("ok/unchanged: %v", err)
	}
	for n, p := range i.Payloads {
		for _, at := range []int{len(p.Text) / 4, len(p.Text) / 2, len(p.Text) - 3} {
			spoiled := i
			spoiled.Payloads = slices.Clone(i.Payloads)
			b := []byte(p.Text)
			b[at] ^= 1
			spoiled.Payloads[n].Text = string(b)
			if w.Issuance.SelfCheck(t.Context(), spoiled) == nil {
				t.Errorf("error/%s byte %d: released", p.Family, at)
			}
		}
	}
	other := i
	other.Certificate.Doses = slices.Clone(i.Certificate.Doses)
	other.Certificate.Doses[0].Lot = "ZZ0000"
	if w.Issuance.SelfCheck(t.Context(), other) == nil {
		t.Error("error/record differs: released")
	}
}

// A status that changed after the approval, or a doubtful new dose, is for a
// person to decide again: nothing is issued over an uncleared reason.
func TestNeedsDecision(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		id := w.Approved(t, certificate.Domestic)
		other := w.Approved(t, certificate.Travel)
		issued, _, err := w.Issuance.Issue(t.Context(), w.Clerk, other)
		if err != nil {
			t.Fatal(err)
		}
		w.Bring(t, vaccination.Subjects, []byte("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n"+
			"900001,0000000001,100001,桜井,澪,サクライ,ミオ,1991-02-18,2,protected,2026-11-01\n"))
		var f *fault.Error
		if _, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id); !errors.As(err, &f) || f.Key != "needs_decision" || f.Args["reason"] != "protected_person" {
			t.Errorf("error/protected since: %v", err)
		}
		if _, err := w.Issuance.Reissue(t.Context(), w.Clerk, issued.Certificate.ID, "lost"); !errors.As(err, &f) || f.Key != "needs_decision" {
			t.Errorf("error/reissue of a protected person: %v", err)
		}
	})
}

// Every copy is listed with when and by whom; the list is a look at the certificate.
func TestCopies(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Domestic))
		if err != nil {
			t.Fatal(err)
		}
		id, job := i.Certificate.ID, w.Clerk
		job.Person = "job:test"
		for _, by := range []actor.Actor{w.Clerk, w.Officer, job} {
			if _, _, err := w.Issuance.Print(t.Context(), by, []string{id}, nil); err != nil {
				t.Fatal(err)
			}
		}
		got, copies, err := w.Issuance.Copies(t.Context(), w.Clerk, id)
		if err != nil || got.Copies != 3 || len(copies) != 3 {
			t.Fatal(err, got.Copies, len(copies))
		}
		for n, by := range []string{world.ClerkUser, world.OfficerUser, "job:test"} {
			if c := copies[n]; c.Number != n+1 || c.By != by || time.Since(c.At) > time.Hour || c.SHA256 == "" {
				t.Errorf("ok/copy %d: %+v", n, c)
			}
		}
		own := w.Clerk
		own.Name = "桜井 澪"
		if _, copies, err := w.Issuance.Copies(t.Context(), own, id); fault.CodeOf(err) != fault.Forbidden || copies != nil {
			t.Errorf("error/own case: %v", err)
		}
		elsewhere := w.Clerk
		elsewhere.Office = "900010"
		if _, copies, err := w.Issuance.Copies(t.Context(), elsewhere, id); fault.CodeOf(err) != fault.NotFound || copies != nil {
			t.Errorf("error/another office: %v", err)
		}
		if actions := logActions(t, w, id); actions[len(actions)-1] != "certificate.read" {
			t.Errorf("ok/log: %v", actions)
		}
	})
}

// Issue 3, section 2: an office with a paper key signs its pages; a reprint is
// the same file, even when the key signs no more.
func TestSignedPaper(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Travel))
		if err != nil {
			t.Fatal(err)
		}
		plain, _, err := w.Issuance.Print(t.Context(), w.Clerk, []string{i.Certificate.ID}, nil)
		if err != nil || bytes.Contains(plain, []byte("ETSI.CAdES.detached")) {
			t.Fatalf("ok/no key: %v", err)
		}
		if _, err := signing.MakeTestPaperKey(w.Config.Data+"/keys", w.Clerk.Office, time.Now().Add(-time.Minute)); err != nil {
			t.Fatal(err)
		}
		w.Open(t) // a service takes the key up at its next start
		signed, copies, err := w.Issuance.Print(t.Context(), w.Clerk, []string{i.Certificate.ID}, nil)
		if err != nil || !bytes.Contains(signed, []byte("ETSI.CAdES.detached")) || copies[0].Signature.KeyID == "" {
			t.Fatalf("ok/signed: %v", err)
		}
		for name, change := range map[string]func(){
			"ok/reprint":               func() {},
			"ok/reprint without a key": func() { w.Issuance.Paper = nil },
		} {
			change()
			again, err := w.Issuance.Reprint(t.Context(), w.Clerk, i.Certificate.ID, 2)
			if err != nil || !bytes.Equal(again, signed) {
				t.Errorf("%s: other bytes, %v", name, err)
			}
		}
		if again, err := w.Issuance.Reprint(t.Context(), w.Clerk, i.Certificate.ID, 1); err != nil || !bytes.Equal(again, plain) {
			t.Errorf("ok/reprint of an unsigned copy: %v", err)
		}
	})
}

// Certificates are listed newest first, page by page, though their ids are random.
func TestList(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		var made, listed []string
		for range 6 {
			i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, w.Approved(t, certificate.Domestic))
			if err != nil {
				t.Fatal(err)
			}
			made = append(made, i.Certificate.ID)
		}
		for before := ""; len(listed) < len(made); before = listed[len(listed)-1] {
			page, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{Before: before, Limit: 4})
			if err != nil || len(page) == 0 {
				t.Fatal(len(page), err)
			}
			for _, i := range page {
				listed = append(listed, i.Certificate.ID)
			}
		}
		if slices.Reverse(made); !slices.Equal(listed, made) {
			t.Errorf("ok/newest first: %v, want %v", listed, made)
		}
	})
}
