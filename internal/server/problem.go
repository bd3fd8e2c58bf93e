package server

import (
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"net/http"
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
	Detail    string `json:"detail" doc:"the same as en"`
	JA        string `json:"ja"`
	EN        string `json:"en"`
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
	return problem{
		Type: "about:blank", Title: http.StatusText(status), Status: status, Code: f.Key, RequestID: requestID,
		Field: f.Field, Allowed: f.Args["allowed"], Detail: en, JA: ja, EN: en,
	}
}

//go:embed messages.json
var messageFile []byte

// messages are the sentences of the fault keys, with "{name}" for an argument.
var messages = func() map[string]text {
	var table map[string]text
	if err := json.Unmarshal(messageFile, &table); err != nil {
		panic(err)
	}
	return table
}()

// text is a sentence in both languages.
type text struct {
	JA string `json:"ja"`
	EN string `json:"en"`
}

// Sentence explains a fault to a person; keys that rows of a file also have are
// explained by the vaccination package.
func Sentence(f *fault.Error) (ja, en string) {
	t, ok := messages[f.Key]
	if !ok {
		if v, known := vaccination.Sentence(f.Key); known {
			t = text(v)
		} else {
			t = messages["internal"]
		}
	}
	for name, value := range f.Args {
		ja, en := aloud(f, name, value)
		t.JA = strings.ReplaceAll(t.JA, "{"+name+"}", ja)
		t.EN = strings.ReplaceAll(t.EN, "{"+name+"}", en)
	}
	return t.JA, t.EN
}

// aloud puts an argument into words, as a clerk reads it.
func aloud(f *fault.Error, name, value string) (ja, en string) {
	switch name {
	case "reason":
		return application.Reason{Code: value, Detail: f.Args["detail"]}.Sentence()
	case "from", "to", "state":
		for _, kind := range []string{"state.", "certificate."} {
			if ja, en, ok := counter.Word(kind + value); ok {
				return ja, en
			}
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
