// Package counter is what clerks and officers see: pages and parts of pages, made
// into HTML from values, with every word in Japanese and English.
//
// It promises that a page shows a value as it is and never as markup, that an
// error stands at the field it belongs to, and that a word without its two
// languages fails a test. It knows no request, no session and no use case; the
// server brings the values, a storybook can bring invented ones.
package counter

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"html/template"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"time"

	"akashi/internal/clock"
	"akashi/internal/vaccination"
	"akashi/templates"
)

//go:embed pages assets words
var files embed.FS

// Frame is what stands around every page.
type Frame struct {
	User, Name, Role string
	Office           string          // in both languages, such as 架空県証市 / Akashi City
	Place            string          // the terminal, or the browser that stands for one
	Applicant        string          // token of the applicant being served: goes with every form (L-03)
	May              map[string]bool // permissions, for what is offered; each route asks again
	Here             string          // name of the page
	Test             bool            // TEST identity
	Holder           string          // whose case the page is about; empty: nobody's
	Idle             int             // seconds without work after which nothing is shown any more
	Said             *Said           // what the last act did or could not do
}

// Said is a sentence to the person.
type Said struct {
	JA, EN string
	Kind   string // "ok", "wait" or "error"
	About  string // request id, to be told to the operator; may be empty
	// Instead is the page of what has taken the place of what the act was about.
	Instead string
	Faults  []Fault // of a form that can be linked to, in the order of its fields
}

// Render makes a whole page.
func Render(page string, f Frame, view any) ([]byte, error) {
	f.Here = page
	return execute(page, "frame", struct {
		Frame
		View any
	}{f, view})
}

// Part makes a part that several pages have, to be put in place by the page itself.
func Part(part string, view any) ([]byte, error) { return execute("message", part, view) }

func execute(page, name string, data any) ([]byte, error) {
	t, ok := pages[page]
	if !ok {
		return nil, fmt.Errorf("counter: no page %q", page)
	}
	var b bytes.Buffer
	if err := t.ExecuteTemplate(&b, name, data); err != nil {
		return nil, fmt.Errorf("counter: %w", err)
	}
	if !rare.Match(b.Bytes()) {
		return b.Bytes(), nil
	}
	return bytes.Replace(b.Bytes(), []byte(plainRoot), []byte(rareRoot), 1), nil
}

// Pages are the names of all pages.
func Pages() []string { return slices.Sorted(maps.Keys(pages)) }

// NameFont is the font for names with characters that an office's fonts may lack
// . Its name has the digest of the file, so that it may be kept for ever.
const NameFont = "names-d930d5d5.ttf"

// Asset returns a file that pages use: styles, the script of the pages, htmx, the font.
func Asset(name string) ([]byte, error) {
	if name == NameFont {
		return templates.Fonts.ReadFile("fonts/NotoSansJP-Regular.ttf")
	}
	return files.ReadFile("assets/" + name)
}

// rare are characters beyond the basic plane, compatibility ideographs, and the
// selectors of a variant: what common fonts show as a box, or as another form.
var rare = regexp.MustCompile(`[\x{FE00}-\x{FE0F}\x{F900}-\x{FAFF}\x{20000}-\x{3FFFF}\x{E0100}-\x{E01EF}]`)

// plainRoot is the first element of a page, and rareRoot that of one that holds rare
// characters: it is shown in the font for names as a whole.
const (
	plainRoot = `<html lang="ja">`
	rareRoot  = `<html lang="ja" class="rare">`
)

// pages are the templates by name, each with the frame and the parts around it.
var pages = func() map[string]*template.Template {
	base := template.Must(template.New("").Funcs(functions).ParseFS(files, "pages/parts/*.html"))
	all := map[string]*template.Template{}
	names, err := fs.Glob(files, "pages/*.html")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		all[strings.TrimSuffix(path.Base(name), ".html")] = template.Must(template.Must(base.Clone()).ParseFS(files, name))
	}
	return all
}()

// words are the texts of the pages: key → Japanese, English.
var words = func() map[string][2]string {
	names, err := fs.Glob(files, "words/*.json")
	if err != nil {
		panic(err)
	}
	all := map[string][2]string{}
	for _, name := range names {
		b, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		if err := json.Unmarshal(b, &all); err != nil {
			panic(name + ": " + err.Error())
		}
	}
	return all
}()

// Actions are the acts of the log that there are words for, as the log names them.
func Actions() (list []string) {
	for key := range words {
		if action, ok := strings.CutPrefix(key, "action."); ok {
			list = append(list, action)
		}
	}
	slices.Sort(list)
	return list
}

// functions are what templates may use besides values.
var functions = template.FuncMap{
	"t":         both,
	"ja":        func(key ...any) string { return word(key)[0] },
	"en":        func(key ...any) string { return word(key)[1] },
	"named":     named,
	"letter":    func(i int) string { return string(rune('A' + i)) },
	"agreement": agreement,
	"join":      func(list []string) string { return strings.Join(list, ", ") },
	"date":      date,
	"time":      moment,
	"arg":       pairs,
	"age":       age,
	"took":      Took, "share": Share,
	"day": func(t time.Time) string { return string(clock.DateOf(t)) },
}

// word finds a text by its key, which may come in parts. One that is missing
// shows its key, so that the page still works; a test finds it.
func word(parts []any) [2]string {
	key := fmt.Sprint(parts...)
	if w, ok := words[key]; ok {
		return w
	}
	return [2]string{key, key}
}

// Word is a text of the pages by its key.
func Word(key string) (ja, en string, ok bool) {
	w, ok := words[key]
	return w[0], w[1], ok
}

// both is a text in both languages, each marked as what it is.
func both(key ...any) template.HTML {
	w := word(key)
	return template.HTML(`<span lang="ja">` + template.HTMLEscapeString(w[0]) + `</span> <span lang="en">` + template.HTMLEscapeString(w[1]) + `</span>`)
}

// named is a text for a value that others may bring, or the value itself where there is none.
func named(prefix, value string) template.HTML {
	if _, ok := words[prefix+value]; ok {
		return both(prefix + value)
	}
	return template.HTML(template.HTMLEscapeString(value))
}

// agreement says what a code of evidence tells: agrees, partly or differs.
func agreement(code string) string {
	switch _, how, _ := strings.Cut(code, "_"); {
	case strings.HasSuffix(how, "differs"), strings.HasSuffix(how, "unknown"):
		return "differs"
	case strings.HasSuffix(how, "loose"), strings.HasSuffix(how, "partly"):
		return "partly"
	}
	return "agrees"
}

// pairs makes the argument of a part from names and values.
func pairs(list ...any) (map[string]any, error) {
	m := map[string]any{}
	for i := 0; i+1 < len(list); i += 2 {
		name, ok := list[i].(string)
		if !ok {
			return nil, fmt.Errorf("counter: the name of a value is %T", list[i])
		}
		m[name] = list[i+1]
	}
	return m, nil
}

// date shows an ISO date with its year of the Japanese era, such as 2021-03-01 (令和3年).
func date(d any) string {
	text := fmt.Sprint(d)
	if era := vaccination.EraYear(clock.Date(text)); era != "" {
		return text + "（" + era + "）"
	}
	return text
}

// span is a time in a unit that has words.
type span struct {
	N    int
	Unit string
}

// age says for how long something has been there.
func age(from, now time.Time) span {
	switch n := int(now.Sub(from).Minutes()); {
	case n >= 48*60:
		return span{n / (24 * 60), "days"}
	case n >= 60:
		return span{n / 60, "hours"}
	default:
		return span{n, "minutes"}
	}
}

// moment shows a time as it is in Japan, to the minute.
func moment(t time.Time) string { return string(clock.DateOf(t)) + " " + clock.TimeOfDay(t) }
