// Package outside asks programs that other people wrote about what we issue:
// verifiers of SMART Health Cards, VDS-NC and HC1 codes, a reader of QR codes, readers of PDF.
// They run on Node.js without a network. `make tools` installs them; if they or
// Node.js are missing, the test is skipped, or fails with CI=true.
//
// What they accept is not proof: several check less than the specifications
// ask. TestAcceptedWrongly lists where.
package outside

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"akashi/internal/testkit"
)

// SHCVerifier is a program that verifies SMART Health Cards.
type SHCVerifier string

// The verifiers of SMART Health Cards. KillTheClipboard reads shc:/ digits, a
// compact JWS or a card file; PathCheckSHC reads only shc:/ digits.
const (
	KillTheClipboard SHCVerifier = "verify-shc-ktc.mjs"
	PathCheckSHC     SHCVerifier = "verify-shc-pathcheck.mjs"
)

// SHCVerifiers are all of them.
var SHCVerifiers = []SHCVerifier{KillTheClipboard, PathCheckSHC}

// HealthVerifier is a program that verifies HC1 codes.
type HealthVerifier string

// The verifiers of HC1 codes: that of Italy's ministry, and PathCheck's.
const (
	DCCUtils     HealthVerifier = "verify-hc1-dccutils.mjs"
	PathCheckDCC HealthVerifier = "verify-hc1-pathcheck.mjs"
)

// PDFReader is a program that copies the text out of a PDF.
type PDFReader string

// The readers of PDF: those of Firefox and of Chrome.
const (
	PDFJS  PDFReader = "pdfjs.mjs"
	PDFium PDFReader = "pdfium.mjs"
)

// PDFReaders are all of them.
var PDFReaders = []PDFReader{PDFJS, PDFium}

// Verdict is what a verifier says.
type Verdict struct {
	OK      bool
	Error   string          // why not, in its own words
	Content json.RawMessage // if OK: the FHIR bundle of a card, the whole VDS-NC, sub-claim 1 of an HC1 code
}

// Code is a QR code found in a picture.
type Code struct {
	Text    string
	Version int
	Level   string  // error correction: L, M, Q or H
	Corners []Point // of the symbol: top left, top right, bottom right, bottom left
}

// Point is a position in pixels.
type Point struct{ X, Y float64 }

// VerifySHC verifies a card as if issuer published jwks (a public JWK set) and
// no other issuer anything. The clock is the machine's.
func VerifySHC(t testing.TB, verifier SHCVerifier, text, issuer string, jwks []byte) Verdict {
	t.Helper()
	var v Verdict
	ask(t, string(verifier), map[string]any{"text": text, "issuer": issuer, "jwks": json.RawMessage(jwks)}, &v)
	return v
}

// VerifyVDS verifies the signature of a VDS-NC with the certificate inside it;
// the program looks neither at that certificate's signer nor at its dates.
func VerifyVDS(t testing.TB, text string) Verdict {
	t.Helper()
	var v Verdict
	ask(t, "verify-vds-pathcheck.mjs", map[string]any{"text": text}, &v)
	return v
}

// VerifyHealth verifies the signature of an HC1 code with a certificate that is trusted
// under a key id, and nothing else. The content is sub-claim 1, if there is one.
func VerifyHealth(t testing.TB, verifier HealthVerifier, text string, keyID, certificate []byte) Verdict {
	t.Helper()
	var v Verdict
	ask(t, string(verifier), map[string]any{"text": text, "kid": keyID, "certificate": certificate}, &v)
	return v
}

// ReadCodes returns the QR codes that zxing finds in a PNG or JPEG.
func ReadCodes(t testing.TB, picture string) []Code {
	t.Helper()
	var answer struct{ Content []Code }
	ask(t, "zxing.mjs", map[string]any{"file": absolute(t, picture)}, &answer)
	return answer.Content
}

// PDFText returns the lines of each page of a PDF as a reader copies them out.
func PDFText(t testing.TB, reader PDFReader, pdf string) [][]string {
	t.Helper()
	var answer struct {
		OK      bool
		Error   string
		Content [][]string
	}
	ask(t, string(reader), map[string]any{"file": absolute(t, pdf)}, &answer)
	if !answer.OK {
		t.Fatalf("%s does not read %s: %s", reader, pdf, answer.Error)
	}
	return answer.Content
}

// Said is what a page tells people, in both languages.
type Said struct{ JA, EN, Page string }

// SignedIn is what the pages said to somebody who set up an account and signed in.
type SignedIn struct {
	Address                                       string // of the set-up page once it is read
	Short, SetUp, Wrong, Reminder, SignedIn, Used Said
	Passkeys                                      []int // on the device after a password that is refused, and after the set-up
	Account                                       struct{ User, Role string }
	Cookies                                       []string // name, HttpOnly, Secure, SameSite
	Trouble                                       []string // errors of scripts, and what the page's policy refused
}

// SignIn sets up an account and signs in as people do: in Chromium, with a virtual
// authenticator.
func SignIn(t testing.TB, origin, link, user, password string) SignedIn {
	t.Helper()
	return browse[SignedIn](t, "sign-in.mjs", map[string]any{"origin": origin, "link": link, "user": user, "password": password})
}

// AtCounter is what happened when a clerk worked in a browser.
type AtCounter struct {
	Keys, Loads        int      // pressed and loaded in the plain case, after signing in
	Addresses          []string // and titles
	Zone               string   // what the page said of the passport
	Certificate, Paper string   // id, and address of the paper
	Papers             []bool   // whether they were closed by "next person" and by signing out
	Composed           bool     // whether the Enter of an input method was left alone,
	ComposedAt         string   // and the field that had the focus after it
	Left               []string // of the last person in the form of the next one
	Stale, StaleShows  string   // what a form of the last person was answered, and the whole page
	Wrong, Focus       string   // what stood at the field at fault, and which field had the focus
	Stored             []int    // entries in the stores of the browser
	AfterBack          string   // address after signing out and going back
	Held               Held
	Trouble            []string
}

// Held is what a key did that was held down from the form on to the page that issues.
type Held struct {
	Repeats       int      // of the key that the page saw
	Sent          []string // last parts of the addresses that a form was sent to
	Issued, Waits int      // certificates of the application, and forms that would issue one
}

// Counter works at the counter as a clerk does, in Chromium.
func Counter(t testing.TB, origin, link, user, password, zone string) AtCounter {
	t.Helper()
	return browse[AtCounter](t, "counter.mjs", map[string]any{"origin": origin, "link": link, "user": user, "password": password, "zone": zone})
}

// Looked is what became of looking at every page of a storybook.
type Looked struct {
	Stories int
	Pages   []string         // routes of pages
	Shown   map[string]Shown // by route
	Faults  []string         // what axe found, what does not fit, what is no word for people
	Trouble []string
}

// Shown is what states a page was seen in.
type Shown struct {
	Words []string // empty, filled, error, long, and the classes of its elements
	Own   []string // of these, those of what the page is about
}

// Pages looks at every page of a storybook in every state, in Chromium.
func Pages(t testing.TB, origin string) Looked {
	t.Helper()
	return browse[Looked](t, "pages.mjs", map[string]any{"origin": origin})
}

// Counted is what a case took: keys that a person pressed, and loaded pages; and how
// many copies there were in the end.
type Counted struct{ Keys, Loads, Copies int }

// AtWork is what happened at the counter of a storybook.
type AtWork struct {
	Counts    map[string]Counted                               // plain, anomaly, proxy, reissue
	Weight    struct{ Requests, Bytes, MS int }                // of the first page, cold; interactive after MS with a slow line and processor
	Files     struct{ Refused, Taken, TooLarge, Saved string } // brought and taken
	Alert     string                                           // state of an alert that was answered,
	Revoke    string                                           // of a certificate that was revoked
	Kept      string                                           // what has the focus after progress was brought up to date
	Unseen    []string                                         // where the focus was not to be seen
	Covered   []string                                         // what stands in the way of seeing whose case it is, or what has the focus
	LeftPaper bool                                             // whether the paper of a terminal that was left was closed
	Idle      []string                                         // where a page leads after 16 minutes, and going back
	Leaked    []string                                         // personal, in addresses, titles and storage
	Trouble   []string
}

// AtLines is what happened to clerks on bad lines, at the real server.
type AtLines struct {
	Second struct { // of two who correct one application
		Status       int
		Said         string
		Given, Other string // as they stand in the form
	}
	Name              struct{ Typed, Shown string } // with rare characters
	TypedFonts, Fonts []string                      // that drew it while it was typed, and later
	AfterCut, AfterUp []string                      // certificates of an application after a line was cut, or down
	AfterDown         int
	Newest            struct { // an application sent twice, and the newest ones of the list
		Made   string
		Listed []string
	}
	Once    struct{ File, Mailing, Request int } // how many there are of what was sent twice on a slow line
	Leaked  []string                             // as in AtWork
	Trouble []string
}

// Lines works at the counter over bad lines, in Chromium, as the people of two sessions, with approved
// applications: of both of them, and for a line that is cut and one that is down.
func Lines(t testing.TB, origin string, sessions [2]string, both, cut, down string) AtLines {
	t.Helper()
	return browse[AtLines](t, "lines.mjs", map[string]any{"origin": origin, "sessions": sessions, "applications": map[string]string{"both": both, "cut": cut, "down": down}})
}

// AsNewcomers is what people came to who had nothing but the set-up links of a first start, by
// keyboard alone.
type AsNewcomers struct {
	Link        string   // by which the clerk set up the account
	Imports     []string // how many came into the register with each
	Alone       int      // forms with which the one who brought a file could take it in
	Certificate string
	Paper       []byte             // the first copy of it
	Counts      map[string]Counted // account and import as approved, mailing, batch
	Mailing     []string           // cells of its table
	Posted      string             // what the file of the mailing begins with
	Progress    string             // of the file of applications
	Returned    string             // the same file with its errors
	Before      string             // whose case was on the screen of a terminal that was left
	Idle        struct {
		Before, After int  // status of its page before and after the session was idle for long enough
		Paper         bool // whether the paper beside it was closed
		Pages, Shows  int  // what stood there then, going back and forth; those that tell of a person
	}
	Unseen  []string // where the focus was not to be seen
	Leaked  []string // as in AtWork
	Trouble []string
}

// Newcomers lets people begin with the set-up links of a first start, by user id, in Chromium.
// Files are those for the register, by kind, and that of applications; wind is posted to when
// time is to pass for all sessions.
func Newcomers(t testing.TB, origin string, links map[string]string, password, zone, wind string, files map[string]string) AsNewcomers {
	t.Helper()
	return browse[AsNewcomers](t, "newcomer.mjs", map[string]any{"origin": origin, "links": links, "password": password, "zone": zone, "wind": wind, "files": files})
}

// Work works at the counter of a storybook, in Chromium, with passports as they scan.
func Work(t testing.TB, origin string, zones map[string]string) AtWork {
	t.Helper()
	return browse[AtWork](t, "work.mjs", map[string]any{"origin": origin, "zones": zones})
}

// browse runs a script that drives Chromium and returns what it tells.
func browse[T any](t testing.TB, script string, request map[string]any) T {
	t.Helper()
	var answer struct {
		OK      bool
		Error   string
		Content T
	}
	request["browser"] = testkit.Tool(t, "chromium")
	ask(t, script, request, &answer)
	if !answer.OK {
		t.Fatalf("%s: %s", script, answer.Error)
	}
	return answer.Content
}

// Expression is one of the rule language of EU certificates, with its data.
type Expression struct {
	Expression json.RawMessage `json:"expression"`
	Data       json.RawMessage `json:"data"`
}

// Evaluated is what became of an expression: a value, or why there is none.
type Evaluated struct {
	Value   json.RawMessage
	Refused string
}

// CertLogic lets certlogic-js evaluate expressions.
func CertLogic(t testing.TB, cases []Expression) []Evaluated {
	t.Helper()
	var answer struct{ Content []Evaluated }
	ask(t, "certlogic.mjs", map[string]any{"cases": cases}, &answer)
	if len(answer.Content) != len(cases) {
		t.Fatalf("certlogic-js answered %d of %d", len(answer.Content), len(cases))
	}
	return answer.Content
}

func ask(t testing.TB, script string, request, answer any) {
	t.Helper()
	node := testkit.Node(t)
	dir := filepath.Join(testkit.Root(t), "test", "outside")
	if _, err := os.Stat(filepath.Join(dir, "dist", "dcc-utils.mjs")); err != nil {
		testkit.Missing(t, "packages of test/outside (make tools)")
	}
	question, err := json.Marshal(request)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(node, filepath.Join(dir, script))
	cmd.Stdin = bytes.NewReader(question)
	var said bytes.Buffer
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, answer)
	}
	if err != nil {
		t.Fatalf("%s: %v\n%s", script, err, said.Bytes())
	}
}

func absolute(t testing.TB, path string) string {
	t.Helper()
	abs, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return abs
}
