// Package fault is the one typed error of the service: used where a caller must
// branch or a person must read. Everything else is wrapped with %w.
//
// A fault never carries a personal value: it names the field, and its Args are
// limits, counts and codes. The sentences in Japanese and English are looked up
// by Key in the catalogues.
package fault

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Code says what kind of failure it is; the server maps it to an HTTP status.
type Code string

const (
	Invalid     Code = "invalid"     // the input breaks a rule
	NotFound    Code = "not_found"   // no such thing in this office
	Forbidden   Code = "forbidden"   // the actor may not
	Conflict    Code = "conflict"    // the state does not allow it, or somebody else was faster
	TooLarge    Code = "too_large"   // a limit acted before parsing
	Unavailable Code = "unavailable" // cannot be done or asked now; trying again later may help
	Internal    Code = "internal"    // a fault of the service itself
)

// Error is a failure with a message key.
type Error struct {
	Code  Code
	Key   string            // message key and stable machine code, such as "mrz_check_digit"
	Field string            // path of the field at fault, such as "passport.mrz"; may be empty
	Args  map[string]string // values for the sentence; never personal
	Err   error             // cause, for the log; never shown
}

// New makes a fault.
func New(code Code, key, field string) *Error { return &Error{Code: code, Key: key, Field: field} }

// OneOf refuses a value that is not in a closed list; the fault names the list.
func OneOf[T ~string](field string, value T, allowed ...T) error {
	if slices.Contains(allowed, value) {
		return nil
	}
	words := make([]string, len(allowed))
	for i, a := range allowed {
		words[i] = string(a)
	}
	return New(Invalid, "unknown_value", field).With("allowed", strings.Join(words, ", "))
}

// All are the faults that an error holds, each field's first.
func All(err error) (all []*Error) {
	switch e := any(err).(type) { // what it is itself: errors.As tells the first only
	case *Error:
		return []*Error{e}
	case interface{ Unwrap() []error }:
		for _, one := range e.Unwrap() {
			for _, f := range All(one) {
				if !slices.ContainsFunc(all, func(g *Error) bool { return g.Field == f.Field }) {
					all = append(all, f)
				}
			}
		}
	case interface{ Unwrap() error }:
		return All(e.Unwrap())
	}
	return all
}

// With adds a value for the sentence and returns e.
func (e *Error) With(name, value string) *Error {
	if e.Args == nil {
		e.Args = map[string]string{}
	}
	e.Args[name] = value
	return e
}

// Because records the cause and returns e.
func (e *Error) Because(err error) *Error { e.Err = err; return e }

func (e *Error) Error() string {
	parts := []string{string(e.Code), e.Key}
	if e.Field != "" {
		parts = append(parts, e.Field)
	}
	s := strings.Join(parts, " ")
	if e.Err != nil {
		s = fmt.Sprintf("%s: %v", s, e.Err)
	}
	return s
}

func (e *Error) Unwrap() error { return e.Err }

// Is makes errors.Is match faults of the same code and key.
func (e *Error) Is(target error) bool {
	t, ok := target.(*Error)
	return ok && t.Code == e.Code && t.Key == e.Key
}

// CodeOf returns the code of the first fault in the chain, Internal for other errors.
func CodeOf(err error) Code {
	var e *Error
	if errors.As(err, &e) {
		return e.Code
	}
	return Internal
}
