package issuance_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"

	"akashi/certificate"
	"akashi/certificate/catalogue"
	"akashi/certificate/hcert"
	"akashi/certificate/verify"
	"akashi/internal/application"
	"akashi/internal/fault"
	"akashi/internal/issuance"
	"akashi/internal/office"
	"akashi/internal/testkit/world"
	"akashi/passport"
)

// healthCodec shows the claims of an HC1 code as JSON: numbers as keys and values, bytes as
// a number after an h.
var healthCodec = codec{
	open: func(t *testing.T, signed []byte) []byte {
		var parts []any
		var claims any
		if err := cbor.Unmarshal(signed, &parts); err != nil {
			t.Fatal(err)
		}
		if err := cbor.Unmarshal(parts[3].([]byte), &claims); err != nil {
			t.Fatal(err)
		}
		text, err := json.Marshal(shown(claims))
		if err != nil {
			t.Fatal(err)
		}
		return text
	},
	shut: func(t *testing.T, before, text []byte) []byte {
		var parts []any
		var claims any
		if err := errors.Join(cbor.Unmarshal(before, &parts), json.Unmarshal(text, &claims)); err != nil {
			t.Fatal(err)
		}
		mode, err := cbor.CoreDetEncOptions().EncMode()
		if err != nil {
			t.Fatal(err)
		}
		if parts[3], err = mode.Marshal(hidden(claims)); err != nil {
			t.Fatal(err)
		}
		signed, err := mode.Marshal(parts)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	},
}

func shown(v any) any {
	switch v := v.(type) {
	case map[any]any:
		out := map[string]any{}
		for key, x := range v {
			switch key := key.(type) {
			case string:
				out[key] = shown(x)
			case uint64:
				out[strconv.FormatUint(key, 10)] = shown(x)
			case int64:
				out[strconv.FormatInt(key, 10)] = shown(x)
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = shown(v[i])
		}
	case []byte:
		return "h" + new(big.Int).SetBytes(append([]byte{1}, v...)).String()
	}
	return v
}

func hidden(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := map[any]any{}
		for key, x := range v {
			if number, err := strconv.ParseInt(key, 10, 64); err == nil {
				out[number] = hidden(x)
			} else {
				out[key] = hidden(x)
			}
		}
		return out
	case []any:
		for i := range v {
			v[i] = hidden(v[i])
		}
	case float64:
		return int64(v)
	case string:
		if number, ok := new(big.Int).SetString(strings.TrimPrefix(v, "h"), 10); ok && strings.HasPrefix(v, "h") {
			return number.Bytes()[1:]
		}
	}
	return v
}

// issued issues what was approved and returns it with its verdicts by a stranger who has the
// published keys and lists.
func issued(t *testing.T, w *world.World, id string, at time.Time) (issuance.Issue, []verify.Verdict) {
	t.Helper()
	i, _, err := w.Issuance.Issue(t.Context(), w.Clerk, id)
	if err != nil {
		t.Fatal(err)
	}
	return i, verdicts(t, w, i, at)
}

func verdicts(t *testing.T, w *world.World, i issuance.Issue, at time.Time) (list []verify.Verdict) {
	t.Helper()
	bundle, err := w.Trust(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range i.Payloads {
		list = append(list, verify.Text(p.Text, bundle, at))
	}
	return list
}

// Issue 5, section 1; spec who-icvp-gdhcn, 2 to 4: a yellow card through the whole way.
func TestYellowCard(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		now := w.Clock.Now()
		i, found := issued(t, w, w.Approved(t, certificate.International), now)
		if len(found) != 1 || found[0].Outcome != verify.Valid || !found[0].Test || found[0].Family != certificate.ICVP {
			t.Fatalf("ok/yellow fever: %+v", found)
		}
		h := found[0].Holder
		if h.Names[0] != "SAKURAI MIO" || h.Nationality != "JPN" || h.Sex != "F" || h.DocumentNumber != "TK0000000" || h.Guardian != "" ||
			h.Doses[0].ValidFrom != "2026-10-15" || h.Doses[0].Lot != "YF2231" || h.Doses[0].Centre != "Dr KAKUU Hanako" || h.Doses[0].Country != "UTO" {
			t.Errorf("ok/what it says: %+v", h)
		}
		c := i.Certificate
		if c.Participant != "UTO" || c.Subject.Sex != certificate.Female || c.Doses[0].ValidFrom != "2026-10-15" {
			t.Errorf("ok/certificate: %+v", c.Doses)
		}
		key, err := w.Store.SigningKey(t.Context(), i.Payloads[0].KeyID)
		code, parsed := hcert.Parse(i.Payloads[0].Text)
		if err != nil || parsed != nil || code.Expires.After(key.NotAfter) || !code.Expires.Equal(i.RenewBy) || !code.Expires.Equal(c.IssuedAt.AddDate(2, 0, 0)) || len(code.ID) != 8 {
			t.Errorf("ok/exp %s, key until %s, renew by %s", code.Expires, key.NotAfter, i.RenewBy)
		}
		stored, err := w.Issuance.Codes(t.Context(), w.Clerk, c.ID)
		if err != nil || stored.Payloads[0].Dose != 1 || !stored.RenewBy.Equal(i.RenewBy) || !slices.Equal(stored.Families(), []certificate.Family{certificate.ICVP}) {
			t.Errorf("ok/stored: %+v %v", stored.Payloads[0].Dose, err)
		}
		if file, _, err := w.Issuance.Print(t.Context(), w.Clerk, []string{c.ID}, nil); err != nil || len(file) == 0 {
			t.Errorf("ok/print: %v", err)
		}
		again, made, err := w.Issuance.Issue(t.Context(), w.Clerk, i.ApplicationID)
		if err != nil || made || again.Certificate.ID != c.ID {
			t.Errorf("ok/again: %v", err)
		}
	})
}

// One person, one dose, one product per code; a child's names its guardian. A fresh dose is
// certified, and its code says from when on it counts.
func TestOneCodePerDose(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		i, found := issued(t, w, w.ApprovedForm(t, world.ChildForm()), w.Clock.Now())
		if len(found) != 2 || i.Payloads[0].Dose != 1 || i.Payloads[1].Dose != 2 || i.Payloads[0].StatusID == i.Payloads[1].StatusID {
			t.Fatalf("ok/two doses: %d codes", len(found))
		}
		for n, want := range [][2]string{{"PV0907", ""}, {"PV1019", "Dr KAKUU Hanako"}} {
			h := found[n].Holder
			if found[n].Outcome != verify.Valid || h.Doses[0].Lot != want[0] || h.Doses[0].Centre != want[1] || h.Guardian != "IKEDA Jun" || h.Names[0] != "IKEDA HINA" {
				t.Errorf("ok/dose %d: %s %+v", n+1, found[n].Outcome, h)
			}
		}
		yesterday := w.Clock.Today().AddDays(-1)
		w.Bring(t, "records", []byte("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n"+
			"900001,0000000002,1,"+string(yesterday)+",,STAMARIL,YF3000,,,ledger,1,yellow_fever\n"))
		f := world.Form(certificate.International)
		f.Subject = application.Subject{Ticket: "0000000002", Name: certificate.Name{Family: "見本", Given: "太郎"}, BirthDate: "1958-11-03"}
		f.Passport.DataPageName = passport.Name{}
		f.Passport.Zone = application.NewZone("PPJPNMIHON<<TARO<<<<<<<<<<<<<<<<<<<<<<<<<<<<\nTK00000025JPN5811030M2805058<<<<<<<<<<<<<<00")
		fresh, found := issued(t, w, w.ApprovedForm(t, f), w.Clock.Now())
		if validity := found[0].Facet(verify.Validity); found[0].Outcome == verify.Valid || validity.Code != verify.NotYetInForce {
			t.Errorf("ok/fresh dose today: %+v", validity)
		}
		if later := verdicts(t, w, fresh, yesterday.AddDays(10).Time()); later[0].Facet(verify.Validity).Result != verify.OK || later[0].Facet(verify.Content).Result != verify.OK {
			t.Errorf("ok/fresh dose in ten days: %+v", later[0].Facets)
		}
	})
}

// A process that dies between intent and signature leaves a yellow card that Recover finishes
// byte for byte (S-060).
func TestYellowCardRecovered(t *testing.T) {
	w := newWorldSQLite(t)
	w.BringInternational(t)
	left := preparedOf(t, w, w.ApprovedForm(t, world.ChildForm()))
	r, err := w.Issuance.Recover(t.Context(), 0)
	if err != nil || r.Finished != 1 {
		t.Fatalf("ok/recovered: %+v %v", r, err)
	}
	i, err := w.Issuance.Codes(t.Context(), w.Clerk, left.Certificate.ID)
	if err != nil || len(i.Payloads) != 2 {
		t.Fatal(err)
	}
	for n, v := range verdicts(t, w, i, w.Clock.Now()) {
		if v.Outcome != verify.Valid || string(i.Payloads[n].ToSign) != string(left.Payloads[n].ToSign) {
			t.Errorf("ok/dose %d: %s", n+1, v.Outcome)
		}
	}
}

// What an ICVP must have is asked for before anything is made.
func TestYellowCardHeld(t *testing.T) {
	w := newWorldSQLite(t)
	w.BringInternational(t)
	for name, c := range map[string]struct {
		change func(*application.Form)
		reason string
		state  application.State
	}{
		"error/guardian": {func(f *application.Form) { *f = world.ChildForm(); f.Subject.Guardian = "" }, "guardian_missing", application.NeedsInfo},
		"error/passport": {func(f *application.Form) { f.Passport = nil }, "passport_missing", application.NeedsInfo},
		"error/product": {func(f *application.Form) {
			f.Subject = application.Subject{Ticket: "0000000004", Name: certificate.Name{Family: "𠮷野", Given: "花子"}, BirthDate: "1949-01-08"}
		}, "dose_not_certifiable", application.Review},
		"error/no dose": {func(f *application.Form) { f.Programme = catalogue.PolioProgramme }, "record_not_found", application.Review},
	} {
		t.Run(name, func(t *testing.T) {
			f := world.Form(certificate.International)
			c.change(&f)
			a, err := w.Applications.Create(t.Context(), w.Clerk, f, nil)
			if err == nil {
				a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID)
			}
			if err != nil || a.State != c.state || !slices.ContainsFunc(a.Reasons, func(r application.Reason) bool { return r.Code == c.reason }) {
				t.Errorf("%s %v, %v", a.State, a.Reasons, err)
			}
		})
	}
	for field, change := range map[string]func(*application.Form){
		"programme":        func(f *application.Form) { f.Programme = "covid19" },
		"subject.guardian": func(f *application.Form) { f.Subject.Guardian = "池田 純" },
		"kind":             func(f *application.Form) { f.Kind = "yellow" },
	} {
		f := world.ChildForm()
		change(&f)
		var e *fault.Error
		if _, err := w.Applications.Create(t.Context(), w.Clerk, f, nil); !errors.As(err, &e) || e.Field != field {
			t.Errorf("error/%s: %v", field, err)
		}
	}
	f := world.Form(certificate.Travel)
	f.Subject.Guardian = "IKEDA Jun"
	if _, err := w.Applications.Create(t.Context(), w.Clerk, f, nil); err == nil {
		t.Error("error/guardian on a travel certificate")
	}
	// What is not offered any more is held where it was applied for, and not applied for anew.
	a, err := w.Applications.Create(t.Context(), w.Clerk, world.Form(certificate.International), nil)
	if err != nil {
		t.Fatal(err)
	}
	w.SetOffice(t, func(s *office.Settings) { s.Open = []certificate.Kind{certificate.Travel} })
	a, err = w.Applications.Submit(t.Context(), w.Clerk, a.ID)
	if err != nil || a.State != application.Review || a.Reasons[0].Code != "office_closed" {
		t.Errorf("error/not offered any more: %s %v", a.State, err)
	}
	var e *fault.Error
	if _, err := w.Applications.Create(t.Context(), w.Clerk, world.Form(certificate.International), nil); !errors.As(err, &e) || e.Key != "kind_not_offered" || e.Field != "kind" {
		t.Errorf("error/not offered: %v", err)
	}
}

// Issue 5, section 1: EU certificates where an office's settings ask for them, and only there.
func TestEUCertificate(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		plain, _ := issued(t, w, w.Approved(t, certificate.Travel), w.Clock.Now())
		if len(plain.Payloads) != 2 || plain.Certificate.EU || !plain.RenewBy.IsZero() {
			t.Errorf("ok/not asked for: %d codes", len(plain.Payloads))
		}
		w.SetOffice(t, func(s *office.Settings) { s.EU = true })
		i, found := issued(t, w, w.Approved(t, certificate.Travel), w.Clock.Now())
		if len(found) != 3 || found[2].Outcome != verify.Valid || found[2].Family != certificate.DCC {
			t.Fatalf("ok/EU: %+v", found)
		}
		code, err := hcert.Parse(i.Payloads[2].Text)
		if err != nil || code.Issuer != "UT" || code.DCC.Vaccination.Dose != 3 || code.DCC.Authority != "Minister of Health, Labour and Welfare, Government of Japan" ||
			len(code.DCC.Findings) > 0 || i.Payloads[2].Dose != 3 || !code.Expires.Equal(i.RenewBy) || !hcert.UVCIHolds(code.DCC.ID) || !strings.Contains(code.DCC.ID, i.Certificate.ID) {
			t.Errorf("ok/EU says: %v %+v", err, code.DCC)
		}
		if _, _, err := w.Issuance.Print(t.Context(), w.Clerk, []string{i.Certificate.ID}, nil); err != nil {
			t.Errorf("ok/print: %v", err)
		}
		domestic, _ := issued(t, w, w.Approved(t, certificate.Domestic), w.Clock.Now())
		if len(domestic.Payloads) != 1 {
			t.Error("ok/domestic has none")
		}
	})
}

// Issue 5, sections 1 and 4; status-list.md: the status list has the token's id of a code that
// has ended, and tells superseded from revoked.
func TestHealthCodesEnd(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		w.SetOffice(t, func(s *office.Settings) { s.EU = true })
		now := w.Clock.Now()
		revocation := func(i issuance.Issue) (codes []string) {
			if err := w.Lists.Step(t.Context()); err != nil {
				t.Fatal(err)
			}
			for _, v := range verdicts(t, w, i, now) {
				codes = append(codes, string(v.Family)+" "+v.Facet(verify.Revocation).Code)
			}
			return codes
		}
		card, _ := issued(t, w, w.ApprovedForm(t, world.ChildForm()), now)
		travel, _ := issued(t, w, w.Approved(t, certificate.Travel), now)
		if got := revocation(card); !slices.Equal(got, []string{"icvp " + verify.NotRevoked, "icvp " + verify.NotRevoked}) {
			t.Errorf("ok/live: %v", got)
		}
		newer, err := w.Issuance.Reissue(t.Context(), w.Officer, card.Certificate.ID, "correction")
		if err != nil {
			t.Fatal(err)
		}
		if got := revocation(card); !slices.Equal(got, []string{"icvp " + verify.Superseded, "icvp " + verify.Superseded}) {
			t.Errorf("ok/superseded: %v", got)
		}
		for _, id := range []string{newer.Certificate.ID, travel.Certificate.ID} {
			if _, err := w.Issuance.Revoke(t.Context(), w.Officer, id, "wrong_content"); err != nil {
				t.Fatal(err)
			}
		}
		if got := revocation(newer); !slices.Equal(got, []string{"icvp " + verify.Revoked, "icvp " + verify.Revoked}) {
			t.Errorf("ok/revoked: %v", got)
		}
		if got := revocation(travel); !slices.Equal(got, []string{"vdsnc " + verify.Revoked, "shc " + verify.Revoked, "dcc " + verify.Revoked}) {
			t.Errorf("ok/revoked for travel: %v", got)
		}
	})
}

// spec who-icvp-gdhcn, 4: the end of a code is not that of what it certifies. Who shows an expired
// one is told to ask for another; the office lists what expires, and makes it anew.
func TestRenewal(t *testing.T) {
	world.Each(t, func(t *testing.T, w *world.World) {
		w.BringInternational(t)
		i, _ := issued(t, w, w.Approved(t, certificate.International), w.Clock.Now())
		after := verdicts(t, w, i, i.RenewBy.Add(time.Second))[0]
		if after.Outcome == verify.Valid || after.Facet(verify.Validity).Code != verify.CodeToRenew || after.Facet(verify.Signature).Result != verify.OK {
			t.Errorf("ok/expired: %+v", after.Facets)
		}
		_, _ = issued(t, w, w.Approved(t, certificate.Travel), w.Clock.Now())
		listed := func(before time.Time) (ids []string) {
			list, err := w.Issuance.List(t.Context(), w.Clerk, issuance.Filter{RenewBefore: before, Limit: 10})
			if err != nil {
				t.Fatal(err)
			}
			for _, i := range list {
				ids = append(ids, i.Certificate.ID)
			}
			return ids
		}
		if got := listed(i.RenewBy); got != nil {
			t.Errorf("ok/not yet: %v", got)
		}
		if got := listed(i.RenewBy.Add(time.Second)); !slices.Equal(got, []string{i.Certificate.ID}) {
			t.Errorf("ok/listed: %v", got)
		}
		made, err := w.Issuance.Reissue(t.Context(), w.Officer, i.Certificate.ID, issuance.Renewal)
		if err != nil || made.Certificate.Supersedes != i.Certificate.ID || made.Payloads[0].StatusID == i.Payloads[0].StatusID {
			t.Fatalf("ok/renewed: %v", err)
		}
		if got := listed(made.RenewBy.Add(time.Second)); !slices.Equal(got, []string{made.Certificate.ID}) {
			t.Errorf("ok/only the new one is listed: %v", got)
		}
		before, now := i.Certificate.Doses, made.Certificate.Doses
		if before[0] != now[0] || made.Certificate.Subject.Name != i.Certificate.Subject.Name {
			t.Error("ok/the same is certified")
		}
	})
}
