package counter

import (
	"net/url"
	"slices"
)

// Form is what somebody typed into a form, to be shown again with what is wrong.
type Form struct {
	Values url.Values
	Field  string // at fault, by the name it has in the body of the API; empty: none
	JA, EN string // what is wrong
	Key    string // idempotency key: a form sent twice acts once
}

// Value is what was typed into a field.
func (f Form) Value(name string) string { return f.Values.Get(name) }

// Has tells whether a list or a choice holds a value.
func (f Form) Has(name, value string) bool { return slices.Contains(f.Values[name], value) }

// Wrong tells whether a field, by its name without the kind of its value, is at fault.
func (f Form) Wrong(name string) bool { return f.Field != "" && f.Field == name }
