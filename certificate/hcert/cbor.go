package hcert

import (
	"bytes"
	"errors"
	"fmt"

	"github.com/fxamacker/cbor/v2"
)

// The only kinds of value in a tree: int64, float64, string, []byte, bool, nil, []any
// and table. A date-time (tag 0) is its text.

// table is a CBOR map; its keys are int64 or string.
type table = map[any]any

var reader = mustMode(cbor.DecOptions{
	DupMapKey:        cbor.DupMapKeyEnforcedAPF,
	MaxNestedLevels:  maxLevels,
	MaxArrayElements: maxMembers,
	MaxMapPairs:      maxMembers,
	IndefLength:      cbor.IndefLengthAllowed,
	IntDec:           cbor.IntDecConvertSignedOrFail,
	MapKeyByteString: cbor.MapKeyByteStringForbidden,
	NaN:              cbor.NaNDecodeForbidden,
	Inf:              cbor.InfDecodeForbidden,
	BignumTag:        cbor.BignumTagForbidden,
}.DecMode())

// writer makes the deterministic form (RFC 8949, 4.2.1).
var writer = mustMode(cbor.CoreDetEncOptions().EncMode())

func mustMode[M any](m M, err error) M {
	if err != nil {
		panic(err)
	}
	return m
}

const tagDateTime = 0 // RFC 8949, 3.4.1

// decode reads one CBOR item that ends with b into a tree.
func decode(b []byte) (any, error) {
	var i item
	if err := reader.Unmarshal(b, &i); err != nil {
		return nil, cborError(err)
	}
	return i.value, nil
}

// item takes a value as it is written. It sees tags before the library
// gives them a meaning.
type item struct{ value any }

// kinds of CBOR item, the first three bits (RFC 8949, 3.1).
const (
	kindUnsigned = iota
	kindNegative
	kindBytes
	kindText
	kindArray
	kindMap
	kindTag
	kindSimple
)

// UnmarshalCBOR reads one item of any kind.
func (i *item) UnmarshalCBOR(b []byte) (err error) {
	switch b[0] >> 5 {
	case kindUnsigned, kindNegative:
		i.value, err = as[int64](b)
	case kindBytes:
		i.value, err = as[[]byte](b)
	case kindText:
		i.value, err = as[string](b)
	case kindArray:
		i.value, err = readArray(b)
	case kindMap:
		i.value, err = readMap(b)
	case kindTag:
		i.value, err = readTag(b)
	default:
		i.value, err = readSimple(b)
	}
	return err
}

func as[T any](b []byte) (v T, err error) {
	err = reader.Unmarshal(b, &v)
	return v, err
}

func readArray(b []byte) (any, error) {
	items, err := as[[]item](b)
	out := make([]any, len(items))
	for i := range items {
		out[i] = items[i].value
	}
	return out, err
}

func readMap(b []byte) (any, error) {
	items, err := as[map[any]item](b)
	if err != nil {
		return nil, err
	}
	out := make(table, len(items))
	for key, i := range items {
		switch key.(type) {
		case int64, string:
		default:
			return nil, fmt.Errorf("key of type %T: %w", key, errNotAllowed)
		}
		out[key] = i.value
	}
	return out, nil
}

func readTag(b []byte) (any, error) {
	tag, err := as[cbor.RawTag](b)
	if err != nil {
		return nil, err
	}
	if tag.Number != tagDateTime || tag.Content[0]>>5 != kindText {
		return nil, fmt.Errorf("tag %d: %w", tag.Number, errNotAllowed)
	}
	return as[string](tag.Content)
}

func readSimple(b []byte) (any, error) {
	switch b[0] {
	case 0xf4:
		return false, nil
	case 0xf5:
		return true, nil
	case 0xf6, 0xf7: // null, and undefined as first drafts of WHO wrote it
		return nil, nil
	case 0xf9, 0xfa, 0xfb:
		return as[float64](b)
	}
	return nil, fmt.Errorf("simple value: %w", errNotAllowed)
}

var errNotAllowed = errors.New("not allowed")

// cborError sorts the failures of the decoder; their texts may quote the data.
func cborError(err error) *Error {
	var (
		twice    *cbor.DupMapKeyError
		levels   *cbor.MaxNestedLevelError
		elements *cbor.MaxArrayElementsError
		pairs    *cbor.MaxMapPairsError
		surplus  *cbor.ExtraneousDataError
	)
	switch {
	case errors.As(err, &twice):
		return fail(StepCBOR, "key_twice", "")
	case errors.As(err, &levels), errors.As(err, &elements), errors.As(err, &pairs):
		return fail(StepCBOR, "too_large", "")
	case errors.As(err, &surplus):
		return fail(StepCBOR, "bytes_after_the_end", "")
	case errors.Is(err, errNotAllowed):
		return fail(StepCBOR, "not_allowed", "")
	}
	return fail(StepCBOR, "malformed", "")
}

// encode writes a value in deterministic form.
func encode(v any) ([]byte, error) {
	b, err := writer.Marshal(v)
	if err != nil {
		return nil, fail(StepDraft, "not_cbor", "")
	}
	return b, nil
}

// isDeterministic tells whether b is in the form that encode writes.
func isDeterministic(b []byte) bool {
	v, err := decode(b)
	if err != nil {
		return false
	}
	again, err := encode(v)
	return err == nil && bytes.Equal(again, b)
}
