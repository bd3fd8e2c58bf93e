package storybook

import (
	"bytes"
	"cmp"
	"context"
	"crypto/ed25519"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/big"
	"mime/multipart"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"time"

	"akashi/internal/actor"
	"akashi/internal/audit"
	"akashi/internal/cli"
	"akashi/internal/office"
	"akashi/internal/vaccination"
	"akashi/passport"
	"akashi/samples"
)

// Story is one page in one state.
type Story struct {
	N      int         `json:"n"`
	Page   string      `json:"page"`  // its route, parameters in braces
	State  string      `json:"state"` // what is to be seen
	As     office.Role `json:"as"`    // who sees it; empty: nobody is signed in
	Empty  bool        `json:"empty"` // of the office that nobody has come to yet
	Office string      `json:"-"`
	Path   string      `json:"-"`
	Form   url.Values  `json:"-"` // sent to the path, of a story about what went wrong
}

const (
	full    = cli.TestOffice
	empty   = "900010" // an office that nobody has come to yet
	stopped = "900028" // one whose work is stopped, with a long name

	// Those who do the same as others, and have the longest names.
	longClerk   office.Role = long + office.Clerk
	longOfficer office.Role = long + office.Officer
	long                    = "long_"

	sessionCookie = "__Host-akashi"
)

// people work in the offices, one in each role, and two with long names.
var people = map[office.Role]string{
	office.Clerk: "窓口 花子", office.Approver: "決裁 次郎", office.RegisterClerk: "登録 三郎", office.ExchangeClerk: "照会 四季", office.Officer: "所属 長子",
	office.Operator: "保守 五郎", office.Auditor: "監査 六実", longClerk: longFamily + longGiven[:30], longOfficer: longLatin + longLatin,
}

// fill makes the offices and their work, by the forms that people fill in.
func (b *Book) fill(ctx context.Context) error {
	if _, err := b.app.FirstStart(ctx); err != nil {
		return err
	}
	for code, name := range map[string][2]string{empty: {"架空県隣市", "Tonari City"}, stopped: {longFamily, longLatin}} {
		o, err := office.New(code, name[0], name[1])
		if err == nil {
			_, err = b.app.AddOffice(ctx, o, nil, nil)
		}
		if err != nil {
			return err
		}
	}
	for _, code := range []string{full, empty, stopped} {
		for role, name := range people {
			if err := b.employ(ctx, code, role, name); err != nil {
				return err
			}
		}
	}
	if err := b.register(ctx); err != nil {
		return err
	}
	h := &hand{book: b, ctx: ctx}
	for _, chapter := range chapters {
		chapter(h)
	}
	return h.err
}

// employ makes an account that may sign in.
func (b *Book) employ(ctx context.Context, code string, role office.Role, name string) error {
	return b.act(ctx, code, func(ctx context.Context) error {
		s, _, err := b.app.Accounts.Make(ctx, office.Staff{
			Office: code, User: userOf(code, role), Name: name, Unit: "健康推進課", Role: roleOf(role), Ends: b.now().AddDate(1, 0, 0),
		})
		if err == nil {
			_, err = b.app.Accounts.Change(ctx, code, s.ID, func(s *office.Staff) { s.State = office.ActiveAccount })
		}
		return err
	})
}

func userOf(code string, role office.Role) string {
	return code + "-" + strings.ReplaceAll(string(role), "_", "-")
}

// roleOf is what somebody may do who has a long name.
func roleOf(role office.Role) office.Role { return office.Role(strings.TrimPrefix(string(role), long)) }

func (b *Book) act(ctx context.Context, code string, fn func(context.Context) error) error {
	by := actor.Actor{Office: code, Person: "job:storybook", Terminal: "storybook", Purpose: actor.Operate}
	return b.app.Log.Act(ctx, by, audit.Entry{Action: "storybook"}, func(ctx context.Context, _ *audit.Entry) error { return fn(ctx) })
}

// signIn returns the session of somebody, as if password and passkey had been shown now.
func (b *Book) signIn(ctx context.Context, code string, role office.Role) (cookie string, err error) {
	err = b.act(ctx, code, func(ctx context.Context) error {
		p, err := b.app.Store.StaffByUser(ctx, code, userOf(code, role))
		if err != nil {
			return err
		}
		session, err := b.app.Accounts.Sessions.Begin(ctx, p, "")
		if err == nil {
			cookie = b.app.Accounts.Sessions.Cookie(session)
		}
		return err
	})
	return cookie, err
}

// register brings the sample people, and some that no sample is: two whom a name
// does not tell apart, and one with the longest of names.
func (b *Book) register(ctx context.Context) error {
	who := map[office.Role]actor.Actor{}
	for _, role := range []office.Role{office.RegisterClerk, office.Officer} {
		p, err := b.app.Store.StaffByUser(ctx, full, userOf(full, role))
		if err != nil {
			return err
		}
		who[role] = p.Actor(actor.Import, "storybook", "", b.now())
	}
	bring := func(kind vaccination.Kind, file []byte) error {
		i, err := b.app.Imports.Stage(ctx, who[office.RegisterClerk], kind, file, nil)
		if err == nil {
			_, err = b.app.Imports.Commit(ctx, who[office.Officer], i.ID)
		}
		return err
	}
	for _, f := range []struct {
		name string
		kind vaccination.Kind
	}{{"subjects", vaccination.Subjects}, {"records", vaccination.Records}, {"records-international", vaccination.Records}} {
		file, err := samples.Files.ReadFile(f.name + ".csv")
		if err == nil {
			err = bring(f.kind, file)
		}
		if err != nil {
			return err
		}
	}
	if err := bring(vaccination.Subjects, []byte(furtherSubjects)); err != nil {
		return err
	}
	return bring(vaccination.Records, []byte(furtherRecords))
}

// The longest names: as many characters as a form takes, among them one outside the
// basic plane and one with a variation selector.
var (
	longFamily = strings.Repeat("𠮷野葛󠄀城", 12)
	longGiven  = strings.Repeat("ジュゲムジュゲム", 7)
	longLatin  = "WOLFESCHLEGELSTEINHAUSENBERGERDORFFWELCHEVORALTERN"
)

var furtherSubjects = `municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date
900001,0000000101,100101,双葉,ひかり,フタバ,ヒカリ,1990-07-07,2,resident,
900001,0000000102,100102,双葉,ひかり,フタバ,ヒカリ,1990-07-07,2,resident,
900001,0000000103,100103,` + longFamily + `,` + longGiven + `,ヨシノ,ジュゲム,1972-12-12,1,resident,
`

const furtherRecords = `municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme
900001,0000000101,1,2021-06-21,ファイザー,コミナティ,ZA2001,架空県証市保健センター,,ledger,1,covid19
900001,0000000102,1,2021-06-22,ファイザー,コミナティ,ZA2002,架空県証市保健センター,,ledger,2,covid19
900001,0000000103,1,2021-06-23,ファイザー,コミナティ,ZA2003,架空県証市保健センター,,ledger,3,covid19
900001,0000000103,2,2021-07-14,ファイザー,コミナティ,ZA2004,架空県証市保健センター,,ledger,4,covid19
`

// hand fills in forms, and writes down what is to be seen. After a form that was not
// taken it does nothing more, and err tells which.
type hand struct {
	book *Book
	ctx  context.Context
	err  error
}

// story writes a page down, in a state.
func (h *hand) story(page, state string, as office.Role, path string) {
	h.of(full, page, state, as, path, nil)
}

// wrong writes down what a page says to a form that it does not take.
func (h *hand) wrong(page, state string, as office.Role, path string, form url.Values) {
	h.of(full, page, state, as, path, form)
}

func (h *hand) of(code, page, state string, as office.Role, path string, form url.Values) {
	h.book.Stories = append(h.book.Stories, Story{N: len(h.book.Stories), Page: page, State: state, As: as, Empty: code == empty, Office: code, Path: path, Form: form})
}

// send sends a form as somebody and returns where it leads.
func (h *hand) send(as office.Role, path string, form url.Values) (location string) {
	rec := h.do(as, func(cookie string) *http.Request { return h.book.request(h.ctx, cookie, path, form) })
	if h.err == nil && rec.Code != http.StatusSeeOther {
		h.err = fmt.Errorf("storybook: %s %v: %d %s", path, form, rec.Code, rec.Body)
	}
	if h.err != nil {
		return ""
	}
	return rec.Header().Get("Location")
}

// api asks an operation of the API and returns what it answers.
func (h *hand) api(as office.Role, path string, body any) (answer map[string]any) {
	rec := h.do(as, func(cookie string) *http.Request {
		b, err := json.Marshal(body)
		h.err = errors.Join(h.err, err)
		return post(h.ctx, cookie, "/api/v1"+path, "application/json", bytes.NewReader(b))
	})
	if h.err == nil && rec.Code/100 != 2 {
		h.err = fmt.Errorf("storybook: %s: %d %s", path, rec.Code, rec.Body)
	}
	if h.err == nil && rec.Body.Len() > 0 {
		h.err = json.Unmarshal(rec.Body.Bytes(), &answer)
	}
	return answer
}

// by lets somebody act who has signed in just now; a minute passes.
func (h *hand) by(as office.Role, do func(ctx context.Context, a actor.Actor) error) {
	if h.err == nil {
		h.err = h.book.forward(h.ctx, time.Minute)
	}
	if h.err != nil {
		return
	}
	p, err := h.book.app.Store.StaffByUser(h.ctx, full, userOf(full, as))
	if err == nil {
		err = do(h.ctx, p.Actor(actor.Operate, "storybook", "", h.book.now()))
	}
	h.err = err
}

// do asks as somebody who has signed in just now; a minute passes.
func (h *hand) do(as office.Role, ask func(cookie string) *http.Request) *httptest.ResponseRecorder {
	rec := httptest.NewRecorder()
	if h.err != nil {
		return rec
	}
	var cookie string
	if h.err = h.book.forward(h.ctx, time.Minute); h.err == nil {
		cookie, h.err = h.book.signIn(h.ctx, full, as)
	}
	if h.err == nil {
		h.book.staff.ServeHTTP(rec, ask(cookie))
	}
	return rec
}

// certificate is that of an invented machine, PEM, until the end of the invented day.
func (h *hand) certificate() string {
	_, key, err := ed25519.GenerateKey(nil)
	if err != nil {
		h.err = cmp.Or(h.err, err)
		return ""
	}
	c := &x509.Certificate{SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "counter-3"}, NotAfter: h.book.now().AddDate(1, 0, 0)}
	der, err := x509.CreateCertificate(rand.Reader, c, c, key.Public(), key)
	h.err = cmp.Or(h.err, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
}

// request is a form as a browser sends it, with the applicant being served: with a field
// "file", as one that brings a file.
func (b *Book) request(ctx context.Context, cookie, path string, form url.Values) *http.Request {
	if session, err := b.app.Accounts.Sessions.Open(ctx, cookie); err == nil {
		form = maps.Clone(form)
		form.Set("_applicant", b.app.Accounts.Sessions.Applicant(session))
	}
	body, media := io.Reader(strings.NewReader(form.Encode())), "application/x-www-form-urlencoded"
	if form.Has("file") {
		body, media = multi(form)
	}
	r := post(ctx, cookie, path, media, body)
	r.Header.Set("Accept", "text/html")
	return r
}

func multi(form url.Values) (body io.Reader, media string) {
	var b bytes.Buffer
	w := multipart.NewWriter(&b)
	for name := range form {
		var part io.Writer
		if name == "file" {
			part, _ = w.CreateFormFile(name, "file.csv")
		} else {
			part, _ = w.CreateFormField(name)
		}
		_, _ = io.WriteString(part, form.Get(name)) // into memory
	}
	_ = w.Close()
	return &b, w.FormDataContentType()
}

func post(ctx context.Context, cookie, path, media string, body io.Reader) *http.Request {
	r := httptest.NewRequestWithContext(ctx, http.MethodPost, path, body)
	r.Header.Set("Content-Type", media)
	r.AddCookie(&http.Cookie{Name: sessionCookie, Value: cookie})
	return r
}

// Zone is the machine readable zone of an invented passport.
func Zone(family, given, number, birth, sex, expiry string) string {
	name, err := passport.NameField(passport.Name{Primary: family, Secondary: given}, 39)
	if err != nil {
		panic(err)
	}
	digit := func(s string) string {
		d, ok := passport.CheckDigit(s)
		if !ok {
			panic("storybook: no check digit of " + s)
		}
		return string(d)
	}
	number = (number + "<<<<<<<<<")[:9]
	number, birth, expiry = number+digit(number), birth+digit(birth), expiry+digit(expiry)
	optional := strings.Repeat("<", 14)
	return "PPJPN" + name + "\n" + number + "JPN" + birth + sex + expiry + optional + digit(optional) + digit(number+birth+expiry+optional+digit(optional))
}
