package paper_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"unicode"

	"github.com/pdfcpu/pdfcpu/pkg/api"
	"github.com/pdfcpu/pdfcpu/pkg/pdfcpu/model"

	"akashi/certificate"
	"akashi/certificate/pdf"
	"akashi/internal/fault"
	"akashi/internal/office"
	"akashi/internal/paper"
	"akashi/internal/testkit"
	"akashi/passport"
	"akashi/templates"
)

var renderer = sync.OnceValues(func() (*pdf.Renderer, error) { return pdf.New() })

func head(t *testing.T) paper.Head {
	t.Helper()
	o, err := office.New("900001", "架空県証市", "Akashi City")
	if err != nil {
		t.Fatal(err)
	}
	return paper.Head{Office: o, On: "2026-11-22", Test: true}
}

var choices = paper.Choices{
	Relationships: []string{"self", "spouse", "parent", "child", "grandparent", "grandchild", "legal_representative", "other"},
	Proofs:        []string{"power_of_attorney", "registration_certificate", "family_register"},
	Documents: []string{
		"my_number_card", "driving_licence", "passport", "residence_card", "health_insurance",
		"vaccination_ticket", "vaccination_record", "notification_card", "other_identity",
	},
}

var notice = paper.Notice{
	Version: "2026-11",
	JA:      "申請書に書かれたことと旅券の情報は、予防接種の記録を確かめて証明書を作るためにだけ使います。照会と発行の記録は保存されます。",
	EN:      "What you hand in and the passport's data are used only to look for the vaccination record and to make the certificate. Look-ups and issues are recorded.",
}

// filled is an application with a name that old systems lose.
func filled() paper.Application {
	return paper.Application{
		ID: "01990000-0000-7000-8000-000000000000", Kind: certificate.Travel, Programme: "covid19",
		Subject: certificate.Name{Family: "𠮷野辻\U000E0100", Given: "花子"}, Former: "髙﨑", BirthDate: "1991-02-18", Ticket: "0000000001", Elsewhere: true,
		Passport: &passport.Document{
			MRZName: passport.Name{Primary: "YOSHINOTSUJI", Secondary: "HANAKO"}, DataPageName: passport.Name{Primary: "YOSHINOTSUJI", Secondary: "Hanako Núñez"},
			Alternative: passport.AlternativeNames{FormerSurname: "TAKASAKI"}, Number: passport.NewNumber("TK0000000"), Nationality: "JPN", Expiry: "2032-06-30",
		},
		Relationship: "parent", Proof: "family_register", Applicant: certificate.Name{Family: "𠮷野", Given: "一郎"}, Documents: []string{"passport", "vaccination_ticket"},
	}
}

var handover = paper.Handover{Application: filled().ID, Certificate: "ABCDEFGHJKLM", Kind: certificate.Travel, Copy: 1, Sheets: 1, Name: certificate.Name{Family: "𠮷野", Given: "花子"}}

func reasons(n int) (list []paper.Sentence) {
	for range n {
		list = append(list, paper.Sentence{
			JA: "接種記録が見つかりません。接種時に住民登録のあった市区町村か、入力内容を確かめてください。",
			EN: "No vaccination record was found. Check the entries, or the municipality of residence at vaccination.",
		})
	}
	return list
}

// papers are all papers, each with texts that must be on it.
func papers(t *testing.T) map[string]struct {
	pdf.Document
	says []string
} {
	type one = struct {
		pdf.Document
		says []string
	}
	h, a := head(t), filled()
	refused := func(n int) paper.Refused {
		return paper.Refused{Application: a.ID, Kind: a.Kind, To: a.Subject, AppliedOn: "2026-11-20", Reasons: reasons(n)}
	}
	var many []paper.Handover
	for range 32 {
		many = append(many, handover)
	}
	return map[string]one{
		"blank":      {paper.ApplicationForm(h, choices, notice, paper.Application{}), []string{"予防接種証明書交付申請書", "架空県証市長あて", notice.JA, notice.EN, "Registration certificate", "個人番号（マイナンバー）は書かないでください"}},
		"filled":     {paper.ApplicationForm(h, choices, notice, a), []string{"𠮷野辻\U000E0100　花子", "髙﨑", "Hanako Núñez", "(TAKASAKI)", "TK0000000", "1991-02-18", "𠮷野　一郎", a.ID, "✓"}},
		"receipt":    {paper.Receipt(h, handover), []string{"予防接種証明書受領書", "ABCDEFGHJKLM", "2026年11月22日（2026-11-22）", "海外用及び日本国内用"}},
		"refusal":    {paper.RefusalNotice(h, refused(1)), []string{"不交付通知書", "𠮷野辻\U000E0100　花子様", reasons(1)[0].JA, reasons(1)[0].EN, "3か月以内に審査請求", "2026年11月20日"}},
		"refusal-20": {paper.RefusalNotice(h, refused(20)), []string{reasons(1)[0].JA}},
		"list":       {paper.CollectionList(h, h.On, 100, many), []string{"受渡簿", "𠮷野　花子", "ABCDEFGHJKLM", "132", "3 / 3"}},
		"list-none":  {paper.CollectionList(h, h.On, 0, nil), []string{"該当する証明書はありません"}},
	}
}

func render(t *testing.T, d pdf.Document) []byte {
	t.Helper()
	r, err := renderer()
	if err != nil {
		t.Fatal(err)
	}
	file, err := paper.Render(r, d)
	if err != nil {
		t.Fatal(err)
	}
	return file
}

func run(t *testing.T, tool string, args ...string) string {
	t.Helper()
	out, err := exec.Command(testkit.Tool(t, tool), args...).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", tool, err, out)
	}
	return string(out)
}

// bare drops white space: readers break lines as they like.
func bare(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsSpace(r) {
			return -1
		}
		return r
	}, s)
}

// Issue 6, section 1: each paper is a sound, tagged file with a title and a language, and other
// readers copy every text out of it exactly as written.
func TestPapers(t *testing.T) {
	api.DisableConfigDir()
	strict := model.NewDefaultConfiguration()
	strict.ValidationMode, strict.Offline = model.ValidationStrict, true
	for name, p := range papers(t) {
		t.Run("ok/"+name, func(t *testing.T) {
			file := render(t, p.Document)
			path := filepath.Join(t.TempDir(), name+".pdf")
			if err := os.WriteFile(path, file, 0o600); err != nil {
				t.Fatal(err)
			}
			if out := run(t, "qpdf", "--check", path); !strings.Contains(out, "No syntax or stream encoding errors found") || strings.Contains(out, "WARNING") {
				t.Error(out)
			}
			if err := api.ValidateFile(path, strict); err != nil {
				t.Errorf("pdfcpu: %v", err)
			}
			info := run(t, "pdfinfo", path)
			for _, want := range []string{`Title:\s+` + regexp.QuoteMeta(p.Title), `Tagged:\s+yes`, `Page size:\s+595.28 x 841.89 pts \(A4\)`} {
				if !regexp.MustCompile(want).MatchString(info) {
					t.Errorf("no %s in\n%s", want, info)
				}
			}
			if !bytes.Contains(file, []byte("/Lang(ja)")) {
				t.Error("no language")
			}
			text := bare(run(t, "pdftotext", "-raw", path, "-"))
			for _, want := range append(p.says, "見本・無効") {
				if !strings.Contains(text, bare(want)) {
					t.Errorf("%+q is not in the text", want)
				}
			}
			if dir := os.Getenv("AKASHI_PAPERS"); dir != "" {
				run(t, "pdftoppm", "-r", "80", "-png", path, filepath.Join(dir, name))
			}
		})
	}
}

// The same values give the same bytes, and another day another file.
func TestSameBytes(t *testing.T) {
	h := head(t)
	first, again := render(t, paper.Receipt(h, handover)), render(t, paper.Receipt(h, handover))
	h.On = "2026-11-23"
	if other := render(t, paper.Receipt(h, handover)); !bytes.Equal(first, again) || bytes.Equal(first, other) {
		t.Error("not a function of its values")
	}
	h.Test = false
	if real := render(t, paper.Receipt(h, handover)); bytes.Contains(real, []byte("TEST")) {
		t.Error("ok/production: painted TEST")
	}
}

// A character that no font has is named with its field; nothing is dropped or replaced.
func TestCharacters(t *testing.T) {
	r, err := renderer()
	if err != nil {
		t.Fatal(err)
	}
	a := filled()
	a.Subject.Family, a.Applicant.Given = "辻\U000E0101", "ประเทศ"
	_, err = paper.Render(r, paper.ApplicationForm(head(t), choices, notice, a))
	var f *fault.Error
	if !errors.As(err, &f) || f.Key != "characters" || f.Field != "subject.name" || !strings.Contains(f.Args["characters"], "U+8FBB+U+E0101") || !strings.Contains(f.Args["characters"], "U+0E1B") {
		t.Errorf("error/characters of two fields: %v", err)
	}
	a = filled()
	a.Former = strings.Repeat("長", 400)
	if _, err = paper.Render(r, paper.ApplicationForm(head(t), choices, notice, a)); !errors.As(err, &f) || f.Key != "not_printable" || f.Field != "subject.former_name" {
		t.Errorf("error/no room: %v", err)
	}
}

var literal = regexp.MustCompile(`"([a-z_]+(?:\.[a-z_]+)*)"`)

// Every word of the papers has both languages, and each is used.
func TestWords(t *testing.T) {
	b, err := templates.Papers.ReadFile("paper/words.json")
	if err != nil {
		t.Fatal(err)
	}
	var words map[string][2]string
	if err := json.Unmarshal(b, &words); err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		code, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range literal.FindAllStringSubmatch(string(code), -1) {
			used[m[1]] = true
		}
	}
	need := func(prefix string, list []string) {
		for _, one := range list {
			used[prefix+one] = true
			if words[prefix+one][0] == "" {
				t.Errorf("error/no words for %s%s", prefix, one)
			}
		}
	}
	need("relationship.", choices.Relationships)
	need("proof.", choices.Proofs)
	need("document.", choices.Documents)
	for _, k := range certificate.Kinds() {
		need("kind.", []string{string(k)})
	}
	for key, w := range words {
		if w[0] == "" || w[1] == "" || !used[key] {
			t.Errorf("error/%s: %q, used %v", key, w, used[key])
		}
	}
}
