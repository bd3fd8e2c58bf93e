package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"akashi/internal/counter"
	"akashi/internal/fault"
)

// maxFields is the largest number of fields of a form.
const maxFields = 200

// form reads the fields of a page. What no page of ours sends is refused.
func (s *Server) form(c *call) (counter.Form, error) {
	values, err := url.ParseQuery(string(c.body))
	if err != nil || !sendable(values) || c.route.ofApplicant && values.Get("_applicant") == "" {
		return counter.Form{}, fault.New(fault.Invalid, "form_syntax", "")
	}
	f := counter.Form{Values: values}
	err = s.opened(c, &f)
	return f, err
}

// opened takes from a form what belongs to the page: its key, and the applicant, who
// must be the one that is served (L-03).
func (s *Server) opened(c *call, f *counter.Form) error {
	f.Key = f.Values.Get("_key")
	if of := f.Values.Get("_applicant"); f.Values.Has("_applicant") && of != s.Accounts.Sessions.Applicant(c.session) {
		f.Values = nil // nothing of the last person is shown again
		return s.refusal(c, fault.New(fault.Conflict, "applicant_changed", ""))
	}
	if f.Key != "" {
		c.request.Header.Set("Idempotency-Key", f.Key)
	}
	return nil
}

// sendable tells whether a page can have sent the fields: none twice but those of a
// list, and the version of what it showed is a number.
func sendable(v url.Values) bool {
	for name, values := range v {
		if path, kind, _ := strings.Cut(name, ":"); len(values) > 1 && !strings.HasSuffix(path, "[]") && kind != "lines" {
			return false
		}
	}
	_, err := strconv.Atoi(v.Get("version:int"))
	return len(v) <= maxFields && (err == nil || !v.Has("version:int"))
}

// asJSON makes the body of the API's operation out of fields. The name of a field
// is its path in the body, with ":int" or ":bool" where it is no text and "[]" for
// a list, ":lines" for one typed line by line; names that begin with "_" belong to the
// page. What is empty is left out but for a ":text" and a list, which is empty then. A
// member that is a date may be typed as people write one; each that cannot be read is told
// of, and empty in the body.
func (c *call) asJSON(fields url.Values) error {
	body := map[string]any{}
	var unread []error
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		values := fields[name]
		path, kind, _ := strings.Cut(name, ":")
		path, list := strings.CutSuffix(path, "[]")
		list = list || kind == "lines"
		if strings.HasPrefix(name, "_") || values[0] == "" && kind != "text" && !list {
			continue
		}
		if c.route != nil && isDate(c.route.in, path) {
			dates, err := typedDates(path, values, kind == "lines")
			values, unread = dates, append(unread, err)
		}
		var value any = values[0]
		switch n, err := strconv.Atoi(values[0]); {
		case list:
			value = items(values, kind == "lines")
		case kind == "bool":
			value = values[0] == "true"
		case kind == "int" && err == nil:
			value = n
		}
		if !put(body, strings.Split(path, "."), value) {
			return fault.New(fault.Invalid, "form_syntax", "")
		}
	}
	b, err := json.Marshal(body)
	c.body = b
	return errors.Join(append(unread, err)...)
}

// items are the values of a list; an empty one only says that there is a list.
func items(values []string, lines bool) []string {
	if lines {
		values = strings.Split(strings.Join(values, "\n"), "\n")
	}
	list := []string{}
	for _, v := range values {
		if v = strings.TrimSpace(v); v != "" {
			list = append(list, v)
		}
	}
	return list
}

// fieldsOf is asJSON the other way round: the fields of a body as a form has them.
func fieldsOf(body any) (url.Values, error) {
	b, err := json.Marshal(body)
	if err != nil {
		return nil, err
	}
	var members map[string]any
	if err := json.Unmarshal(b, &members); err != nil {
		return nil, err
	}
	v := url.Values{}
	spread(v, "", members)
	return v, nil
}

func spread(v url.Values, path string, value any) {
	switch value := value.(type) {
	case map[string]any:
		for name, inner := range value {
			spread(v, strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case []any:
		for _, item := range value {
			v.Add(path+"[]", fmt.Sprint(item))
		}
	case bool:
		v.Set(path+":bool", strconv.FormatBool(value))
	default:
		v.Set(path, fmt.Sprint(value))
	}
}

// put sets a value at its path; false where a member is already there.
func put(m map[string]any, path []string, value any) bool {
	for _, name := range path[:len(path)-1] {
		inner, ok := m[name].(map[string]any)
		if !ok {
			if m[name] != nil {
				return false
			}
			inner = map[string]any{}
			m[name] = inner
		}
		m = inner
	}
	last := path[len(path)-1]
	if m[last] != nil {
		return false
	}
	m[last] = value
	return true
}
