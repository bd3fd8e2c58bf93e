package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/danielgtaylor/huma/v2"
	"github.com/danielgtaylor/huma/v2/validation"

	"akashi/internal/fault"
	"akashi/internal/strictjson"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

const maxDepth = 32

func init() {
	// Names of members are compared as written (S-034), and an array is no null.
	huma.ValidateStrictCasing = true
	huma.DefaultArrayNullable = false
}

// decode reads the JSON body of a call: strict text first, then the published
// schema of the route, then the characters of every string, then the value.
func decode[T any](c *call) (v T, err error) {
	if err := strictjson.Check(c.body, maxDepth); err != nil {
		return v, fault.New(fault.Invalid, jsonKey(err), "")
	}
	var plain any
	if err := json.Unmarshal(c.body, &plain); err != nil {
		return v, fault.New(fault.Invalid, "json_syntax", "")
	}
	if err := c.route.check(plain); err != nil {
		return v, err
	}
	if err := checkTexts("", plain); err != nil {
		return v, err
	}
	if err := json.Unmarshal(c.body, &v); err != nil {
		return v, fault.New(fault.Invalid, "json_form", "")
	}
	return v, nil
}

func jsonKey(err error) string {
	switch {
	case errors.Is(err, strictjson.ErrUTF8), errors.Is(err, strictjson.ErrSurrogate):
		return "json_text"
	case errors.Is(err, strictjson.ErrDuplicate):
		return "json_duplicate"
	case errors.Is(err, strictjson.ErrDepth):
		return "json_depth"
	}
	return "json_syntax"
}

// check holds a body against the schema of the route and names the fields that break
// it, joined. Huma's own answer would repeat the value.
func (r *route) check(body any) error {
	res := &huma.ValidateResult{}
	huma.Validate(r.registry, r.schema, huma.NewPathBuffer([]byte{}, 0), huma.ModeWriteToServer, body, res)
	if len(res.Errors) == 0 {
		return nil
	}
	var faults []error
	for _, err := range res.Errors {
		d := &huma.ErrorDetail{}
		if errors.As(err, &d) && d.Message == validation.MsgUnexpectedProperty {
			// The name of the member is the client's text and is not repeated.
			return fault.New(fault.Invalid, "unknown_field", parent(d.Location))
		}
		faults = append(faults, schemaFault(d))
	}
	return errors.Join(faults...)
}

func schemaFault(detail *huma.ErrorDetail) error {
	if name, ok := strings.CutPrefix(detail.Message, "expected required property "); ok {
		name, _, _ = strings.Cut(name, " ")
		return fault.New(fault.Invalid, "required", strings.TrimPrefix(detail.Location+"."+name, "."))
	}
	f := fault.New(fault.Invalid, schemaKey(detail.Message), detail.Location)
	if list, ok := strings.CutPrefix(detail.Message, oneOf); ok { // of the schema, not of the client
		f = f.With("allowed", strings.Trim(list, ` "`))
	}
	return f
}

// oneOf begins the message of a value that an enumeration does not have.
const oneOf = "expected value to be one of"

func schemaKey(message string) string {
	for _, k := range []struct{ begins, key string }{
		{oneOf, "unknown_value"},
		{"expected length <=", "too_long"},
		{"expected array length <=", "too_many"},
		{"expected length >=", "required"},
		{"expected array length >=", "required"},
	} {
		if strings.HasPrefix(message, k.begins) {
			return k.key
		}
	}
	return "json_form"
}

func parent(path string) string {
	if i := strings.LastIndexByte(path, '.'); i >= 0 {
		return path[:i]
	}
	return ""
}

// readElsewhere are the texts of a zone or code, which their own readers examine,
// a password, in which anything may stand (S-013), the answer of a passkey, and the
// certificate of a terminal.
var readElsewhere = []string{"passport.mrz", "text", "password", "credential", "certificate"}

// enteredNumber is where an individual number is entered, inside a case.
const enteredNumber = "individual_number"

// lines is the field that may have several lines.
const lines = "reason"

// checkTexts refuses the characters that no text may hold (S-035), and individual
// numbers, for which there is no place but one.
func checkTexts(path string, v any) error {
	if slices.Contains(readElsewhere, path) {
		return nil
	}
	switch v := v.(type) {
	case string:
		var f *fault.Error
		if path == lines {
			v = strings.NewReplacer("\r\n", " ", "\n", " ").Replace(v)
		}
		if errors.As(vaccination.CheckText(v), &f) {
			return fault.New(f.Code, f.Key, path)
		}
		if path != enteredNumber && !rowForm.MatchString(v) && vault.Find(v) > 0 { // the end of a row's id may read as one by chance
			return fault.New(fault.Invalid, "number_not_accepted_yet", path)
		}
	case []any:
		for i, item := range v {
			if err := checkTexts(fmt.Sprintf("%s[%d]", path, i), item); err != nil {
				return err
			}
		}
	case map[string]any:
		names := make([]string, 0, len(v))
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
		for _, name := range names {
			if err := checkTexts(strings.TrimPrefix(path+"."+name, "."), v[name]); err != nil {
				return err
			}
		}
	}
	return nil
}
