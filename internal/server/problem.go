package server

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"akashi/internal/application"
	"akashi/internal/counter"
	"akashi/internal/fault"
	"akashi/internal/vaccination"
)

// problem is the answer to every request that fails (RFC 9457). It names the
// field and never holds a value of it.
type problem struct {
	Type      string `json:"type" doc:"about:blank: the code says more"`
	Title     string `json:"title"`
	Status    int    `json:"status"`
	Code      string `json:"code" doc:"stable machine code"`
	RequestID string `json:"request_id"`
	Field     string `json:"field,omitempty" doc:"path of the field at fault"`
	Allowed   string `json:"allowed,omitempty" doc:"the values that the field may have"`
	Detail    string `json:"detail" doc:"for whoever writes a program; the same as en where there is nothing to add"`
	Instead   string `json:"instead,omitempty" doc:"id of the certificate that has taken the place of the one asked for"`
	JA        string `json:"ja"`
	EN        string `json:"en"`

	cause error // may hold more faults, which a page tells
}

// apartFrom is an error without the faults of a field.
func apartFrom(field string, err error) error {
	var rest []error
	for _, f := range fault.All(err) {
		if f.Field != field {
			rest = append(rest, f)
		}
	}
	return errors.Join(rest...)
}

// statuses of failures that only HTTP knows, by key.
var statuses = map[string]int{
	"session":           http.StatusUnauthorized,
	"sign_in":           http.StatusUnauthorized,
	"passkey":           http.StatusUnauthorized,
	"second_factor":     http.StatusUnauthorized,
	"sign_in_wait":      http.StatusTooManyRequests,
	"method":            http.StatusMethodNotAllowed,
	"media_type":        http.StatusUnsupportedMediaType,
	"url_too_long":      http.StatusRequestURITooLong,
	"headers_too_large": http.StatusRequestHeaderFieldsTooLarge,
	"too_many_requests": http.StatusTooManyRequests,
	"budget":            http.StatusTooManyRequests,
}

// budgetWait is when a budget of look-ups has room again, in seconds.
const budgetWait = "600"

var statusOfCode = map[fault.Code]int{
	fault.Invalid:     http.StatusBadRequest,
	fault.NotFound:    http.StatusNotFound,
	fault.Forbidden:   http.StatusForbidden,
	fault.Conflict:    http.StatusConflict,
	fault.TooLarge:    http.StatusRequestEntityTooLarge,
	fault.Unavailable: http.StatusServiceUnavailable,
	fault.Internal:    http.StatusInternalServerError,
}

// problemOf is the one place where an error becomes an answer.
func problemOf(err error, requestID string) problem {
	var f *fault.Error
	switch {
	case errors.As(err, &f):
	case errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled):
		f = fault.New(fault.Unavailable, "timeout", "")
	default:
		f = fault.New(fault.Internal, "internal", "")
	}
	status, ok := statuses[f.Key]
	if !ok {
		status = statusOfCode[f.Code]
	}
	if status == 0 {
		status = http.StatusInternalServerError
	}
	ja, en := Sentence(f)
	detail := en
	if d := messages[f.Key].Detail; d != "" {
		for name, value := range f.Args {
			d = strings.ReplaceAll(d, "{"+name+"}", value)
		}
		detail = closed(d)
	}
	return problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Key, RequestID: requestID,
		Field: f.Field, Allowed: f.Args["allowed"], Instead: f.Args["instead"], Detail: detail, JA: ja, EN: en,
	}
}

//go:embed messages.json
var messageFile []byte

// messages are the sentences of the fault keys, with "{name}" for an argument: in the words
// of an office, as every page shows them.
var messages = func() map[string]message {
	var table map[string]message
	if err := json.Unmarshal(messageFile, &table); err != nil {
		panic(err)
	}
	return table
}()

// message is what a fault says to people, and to programs what people need not know.
type message struct {
	text
	Detail string `json:"detail"` // empty: the English sentence
}

// text is a sentence in both languages.
type text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

// Sentence explains a fault to a person; keys that rows of a file also have are
// explained by the vaccination package. What fills a hole and is not known is left out.
func Sentence(f *fault.Error) (ja, en string) {
	t := messages["internal"].text
	if m, ok := messages[f.Key]; ok {
		t = m.text
	} else if v, known := vaccination.Sentence(f.Key); known {
		t = text(v)
	}
	for name, value := range f.Args {
		ja, en := aloud(f, name, value)
		t.JA = strings.ReplaceAll(t.JA, "{"+name+"}", ja)
		t.EN = strings.ReplaceAll(t.EN, "{"+name+"}", en)
	}
	return closed(t.JA), closed(t.EN)
}

var (
	hole    = regexp.MustCompile(`\{[a-z]+\}`)
	bracket = regexp.MustCompile(`（[^（）]*\{[a-z]+\}[^（）]*）|（）| ?\([^()]*\{[a-z]+\}[^()]*\)| ?\(\)`)
)

// closed leaves out what nothing filled, with the brackets around it.
func closed(sentence string) string {
	return hole.ReplaceAllString(bracket.ReplaceAllString(sentence, ""), "…")
}

// sentenceOf explains a code and a key as rows and the log have them: without arguments.
func sentenceOf(result string) (ja, en string) {
	code, key, _ := strings.Cut(result, ":")
	return Sentence(fault.New(fault.Code(code), key, ""))
}

// aloud puts an argument into words, as a clerk reads it.
func aloud(f *fault.Error, name, value string) (ja, en string) {
	switch name {
	case "reason":
		return because(value, f.Args["detail"])
	case "from", "to", "state":
		for _, kind := range []string{"state.", "certificate.", "import-state."} {
			if ja, en, ok := counter.Word(kind + value); ok {
				return ja, en
			}
		}
		if t, ok := stateWords[value]; ok {
			return t.JA, t.EN
		}
	case "max":
		if n, err := strconv.Atoi(value); err == nil && f.Key == "body_too_large" {
			return size(n), size(n)
		}
	case "begins", "ends":
		return value, strings.NewReplacer("（", " (", "）", ")").Replace(value)
	case "fields":
		var all [2][]string
		for field := range strings.SplitSeq(value, ", ") {
			ja, en := application.Words(field)
			all[0], all[1] = append(all[0], ja), append(all[1], en)
		}
		return strings.Join(all[0], "、"), strings.Join(all[1], ", ")
	}
	return value, value
}

// codeForm is a word that only programs have.
var codeForm = regexp.MustCompile(`^[a-z0-9]+(_[a-z0-9]+)*$`)

// because puts into words why something is held or ended; a code that has no words says nothing.
func because(reason, detail string) (ja, en string) {
	if ja, en = (application.Reason{Code: reason, Detail: detail}).Sentence(); ja != reason || !codeForm.MatchString(reason) {
		return strings.TrimSuffix(closed(ja), "。"), strings.TrimSuffix(closed(en), ".")
	}
	m := messages[reason]
	return strings.TrimSuffix(closed(m.JA), "。"), strings.TrimSuffix(closed(m.EN), ".")
}

// stateWords name states of what the counter has no page for: signing keys.
var stateWords = map[string]text{
	"announced": {"公開済み、使用前", "announced"}, "active": {"使用中", "in use"}, "retired": {"使用終了", "retired"}, "compromised": {"信用できない", "compromised"},
}

// size is a number of bytes as people say it.
func size(n int) string {
	if n >= 1<<20 {
		return strconv.Itoa(n>>20) + " MB"
	}
	return strconv.Itoa(max(1, n>>10)) + " KB"
}

// retryAfter is for how many seconds nothing should be tried.
func retryAfter(err error) string {
	var f *fault.Error
	switch {
	case !errors.As(err, &f):
	case f.Args["seconds"] != "":
		return f.Args["seconds"]
	case f.Key == "budget":
		return budgetWait
	}
	return "1"
}

// explain makes a problem of an error, with the headers that go with it. What the
// service itself got wrong goes to its log with the cause.
func (s *Server) explain(c *call, err error) (problem, map[string]string) {
	p := problemOf(err, c.id)
	p.cause = err
	if p.Status >= http.StatusInternalServerError && !errors.Is(err, errPanic) {
		s.Logger.Error("failed", "request", c.id, "code", p.Code, "cause", err.Error())
	}
	h := map[string]string{"Cache-Control": "no-store"}
	switch p.Status {
	case http.StatusUnauthorized:
		h["WWW-Authenticate"] = `Cookie realm="akashi"`
	case http.StatusTooManyRequests:
		h["Retry-After"] = retryAfter(err)
	case http.StatusServiceUnavailable:
		h["Retry-After"] = "5"
	case http.StatusRequestEntityTooLarge:
		h["Connection"] = "close"
	}
	return p, h
}

// refuse answers with a problem.
func (s *Server) refuse(w http.ResponseWriter, c *call, err error) {
	p, headers := s.explain(c, err)
	h := w.Header()
	for name, value := range headers {
		h.Set(name, value)
	}
	if s.excuse(w, c, p) {
		return
	}
	h.Set("Content-Type", "application/problem+json")
	w.WriteHeader(p.Status)
	_ = json.NewEncoder(w).Encode(p) // the client may be gone
}
