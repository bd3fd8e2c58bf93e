// Package certlogic evaluates the business rules of EU certificates: JSON expressions over
// the content of a certificate and what is known around it (CertLogic 1.3.3, spec eu-dcc, 13).
//
// What the language leaves to its host is strict here: an operand of another type than
// the operation takes is an error, and so is a value whose truth it does not define. A rule
// that cannot be evaluated is open, never passed. Work is bounded, whatever a rule says. The
// package does no I/O and knows no clock.
package certlogic

import (
	"encoding/json"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// ErrEvaluation says that an expression has no value: it is not well formed, or was given
// what it does not take.
var ErrEvaluation = errors.New("certlogic: cannot be evaluated")

func fault(reason string) error { return fmt.Errorf("%w: %s", ErrEvaluation, reason) }

// maxSteps bounds the operations of one evaluation; real rules take fewer than 100.
const maxSteps = 10_000

// evaluation counts the work of one expression.
type evaluation struct{ steps int }

// Evaluate returns the value of an expression over data. Both are JSON as strictjson
// reads it; numbers come back as int64 or float64, times as time.Time. Errors are
// ErrEvaluation.
func Evaluate(expression, data any) (any, error) {
	e := &evaluation{}
	return e.value(plain(expression), plain(data))
}

// plain turns the numbers of JSON into int64 where they are whole.
func plain(v any) any {
	switch v := v.(type) {
	case map[string]any:
		out := make(map[string]any, len(v))
		for k, one := range v {
			out[k] = plain(one)
		}
		return out
	case []any:
		out := make([]any, len(v))
		for i := range v {
			out[i] = plain(v[i])
		}
		return out
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		f, _ := v.Float64()
		return f
	}
	return v
}

func (e *evaluation) value(x, data any) (any, error) {
	if e.steps++; e.steps > maxSteps {
		return nil, fault("too much work")
	}
	switch x := x.(type) {
	case string, bool, int64:
		return x, nil
	case []any:
		return e.values(x, data)
	case map[string]any:
		if len(x) == 1 {
			for operator, operands := range x {
				return e.operation(operator, operands, data)
			}
		}
	}
	return nil, fault("not an expression")
}

func (e *evaluation) values(list []any, data any) (any, error) {
	out := make([]any, len(list))
	var err error
	for i, x := range list {
		if out[i], err = e.value(x, data); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// operations with operands that are all evaluated, and how many of them they take.
var operations = map[string]struct {
	least, most int
	do          func(operands []any) (any, error)
}{
	"===":             {2, 2, equal},
	"in":              {2, 2, contains},
	"+":               {2, 2, add},
	"!":               {1, 1, not},
	">":               {2, 3, numbers(func(c int) bool { return c > 0 })},
	"<":               {2, 3, numbers(func(c int) bool { return c < 0 })},
	">=":              {2, 3, numbers(func(c int) bool { return c >= 0 })},
	"<=":              {2, 3, numbers(func(c int) bool { return c <= 0 })},
	"after":           {2, 3, times(func(c int) bool { return c > 0 })},
	"before":          {2, 3, times(func(c int) bool { return c < 0 })},
	"not-after":       {2, 3, times(func(c int) bool { return c <= 0 })},
	"not-before":      {2, 3, times(func(c int) bool { return c >= 0 })},
	"plusTime":        {3, 3, plusTime},
	"dccDateOfBirth":  {1, 1, dateOfBirth},
	"extractFromUVCI": {2, 2, fromUVCI},
	"extractFromUCVI": {2, 2, fromUVCI}, // as the first version, and the suite, spell it
}

func (e *evaluation) operation(operator string, operands, data any) (any, error) {
	if operator == "var" {
		path, ok := operands.(string)
		if !ok {
			return nil, fault("path of var")
		}
		return lookUp(path, data), nil
	}
	list, ok := operands.([]any)
	if !ok || len(list) == 0 {
		return nil, fault("operands of " + operator)
	}
	switch operator {
	case "if":
		return e.branch(list, data)
	case "and":
		return e.and(list, data)
	case "reduce":
		return e.reduce(list, data)
	}
	o, known := operations[operator]
	if !known || len(list) < o.least || len(list) > o.most {
		return nil, fault("operator " + operator)
	}
	values, err := e.values(list, data)
	if err != nil {
		return nil, err
	}
	return o.do(values.([]any))
}

// lookUp follows a path of names and indices, "" to the data; nil for what is not there.
func lookUp(path string, data any) any {
	if path == "" {
		return data
	}
	for name := range strings.SplitSeq(path, ".") {
		switch at := data.(type) {
		case map[string]any:
			data = at[name]
		case []any:
			i, err := strconv.Atoi(name)
			if err != nil || i < 0 || i >= len(at) {
				return nil
			}
			data = at[i]
		default:
			return nil
		}
	}
	return data
}

// truth is defined for some values only: false, null, "", 0, [] and {} are false, other
// texts, whole numbers, arrays and objects, and true, are true.
func truth(v any) (is, defined bool) {
	switch v := v.(type) {
	case nil:
		return false, true
	case bool:
		return v, true
	case string:
		return v != "", true
	case int64:
		return v != 0, true
	case []any:
		return len(v) > 0, true
	case map[string]any:
		return len(v) > 0, true
	}
	return false, false
}

func (e *evaluation) branch(list []any, data any) (any, error) {
	if len(list) != 3 {
		return nil, fault("operands of if")
	}
	guard, err := e.value(list[0], data)
	if err != nil {
		return nil, err
	}
	switch is, defined := truth(guard); {
	case !defined:
		return nil, fault("guard of if")
	case is:
		return e.value(list[1], data)
	}
	return e.value(list[2], data)
}

// and returns its first operand that is false, or the last, and evaluates no more.
func (e *evaluation) and(list []any, data any) (last any, err error) {
	if len(list) < 2 {
		return nil, fault("operands of and")
	}
	for _, x := range list {
		if last, err = e.value(x, data); err != nil {
			return nil, err
		}
		is, defined := truth(last)
		if !defined {
			return nil, fault("operand of and")
		}
		if !is {
			break
		}
	}
	return last, nil
}

func (e *evaluation) reduce(list []any, data any) (any, error) {
	if len(list) != 3 {
		return nil, fault("operands of reduce")
	}
	over, err := e.value(list[0], data)
	if err != nil {
		return nil, err
	}
	result, err := e.value(list[2], data)
	if err != nil || over == nil {
		return result, err
	}
	items, ok := over.([]any)
	if !ok {
		return nil, fault("operand of reduce")
	}
	for _, item := range items {
		if result, err = e.value(list[1], map[string]any{"accumulator": result, "current": item}); err != nil {
			return nil, err
		}
	}
	return result, nil
}

// same compares texts, truth values, numbers and null.
func same(a, b any) bool {
	switch a.(type) {
	case nil, string, bool, int64, float64:
		switch b.(type) {
		case nil, string, bool, int64, float64:
			return a == b
		}
	}
	return false
}

// equal refuses two lists or two maps: the language compares them by identity, which
// values do not have.
func equal(v []any) (any, error) {
	if composite(v[0]) && composite(v[1]) {
		return nil, fault("operands of ===")
	}
	return same(v[0], v[1]), nil
}

func composite(v any) bool {
	switch v.(type) {
	case []any, map[string]any:
		return true
	}
	return false
}

func contains(v []any) (any, error) {
	list, ok := v[1].([]any)
	if !ok {
		return nil, fault("second operand of in")
	}
	return slices.ContainsFunc(list, func(one any) bool { return same(v[0], one) }), nil
}

func add(v []any) (any, error) {
	a, ok := v[0].(int64)
	b, alsoOK := v[1].(int64)
	if !ok || !alsoOK {
		return nil, fault("operands of +")
	}
	return a + b, nil
}

func not(v []any) (any, error) {
	is, defined := truth(v[0])
	if !defined {
		return nil, fault("operand of !")
	}
	return !is, nil
}

// separators part an identifier.
var separators = regexp.MustCompile(`[/#:]`)

// fromUVCI returns a part of a certificate identifier without its prefix; null when there
// is none.
func fromUVCI(v []any) (any, error) {
	index, ok := v[1].(int64)
	if !ok {
		return nil, fault("index of extractFromUVCI")
	}
	if v[0] == nil {
		return nil, nil
	}
	id, ok := v[0].(string)
	if !ok {
		return nil, fault("operand of extractFromUVCI")
	}
	parts := separators.Split(strings.TrimPrefix(id, "URN:UVCI:"), -1)
	if index < 0 || index >= int64(len(parts)) {
		return nil, nil
	}
	return parts[index], nil
}
