package chip

import (
	"log/slog"
	"slices"

	"akashi/passport"
)

// Result is what is known about one facet.
type Result string

const (
	OK            Result = "ok"
	Failed        Result = "failed"
	Unknown       Result = "unknown"
	NotApplicable Result = "not_applicable"
)

// Names of the facets, in order.
const (
	Readable   = "readable"   // the file is an EF.SOD, within limits
	Groups     = "groups"     // the data groups are those that were signed
	Signature  = "signature"  // nothing was changed since it was signed
	Strength   = "strength"   // of the hashes
	Issuer     = "issuer"     // a trusted authority stands behind the signer
	Key        = "key"        // the signer may sign such documents
	Country    = "country"    // signer, authority and document name one state
	Validity   = "validity"   // signer, authority and document are in force
	Revocation = "revocation" // the signer was not withdrawn
	Zone       = "zone"       // DG1 is a right zone, and the one that was typed
)

var facetNames = [...]string{Readable, Groups, Signature, Strength, Issuer, Key, Country, Validity, Revocation, Zone}

// Facet is one part of a verdict.
type Facet struct {
	Name   string            `json:"name"`
	Result Result            `json:"result"`
	Code   string            `json:"code"`             // why; Sentence explains it
	Detail map[string]string `json:"detail,omitempty"` // for whoever looks for the fault; never personal
}

// Outcome is the verdict in one word.
type Outcome string

const (
	Valid      Outcome = "valid"
	NotValid   Outcome = "not_valid"
	Unreadable Outcome = "unreadable"
	Undecided  Outcome = "undecided"
)

// Verdict is what is known about a chip.
type Verdict struct {
	Outcome     Outcome           `json:"outcome"`
	Test        bool              `json:"test"` // of Utopia: proves nothing about anybody
	Facets      []Facet           `json:"facets"`
	Issuer      string            `json:"issuer,omitempty"` // state of the signer, Doc 9303-3
	Notes       []string          `json:"notes,omitempty"`  // codes of flaws that do not change the outcome
	Reading     *passport.Reading `json:"zone,omitempty"`   // of DG1; personal, and to be trusted only if Valid
	Differences passport.Findings `json:"differences,omitempty"`
}

// Facet returns the facet of a name.
func (v Verdict) Facet(name string) Facet {
	for _, f := range v.Facets {
		if f.Name == name {
			return f
		}
	}
	return Facet{}
}

// ExitCode returns the exit status of a command that verifies (design 3.9).
func (v Verdict) ExitCode() int {
	switch v.Outcome {
	case Valid:
		return 0
	case NotValid:
		return 1
	case Unreadable:
		return 2
	}
	return 3
}

// LogValue keeps the holder out of logs.
func (v Verdict) LogValue() slog.Value {
	attributes := []slog.Attr{slog.String("issuer", v.Issuer), slog.String("outcome", string(v.Outcome))}
	for _, f := range v.Facets {
		if f.Result != OK {
			attributes = append(attributes, slog.String(f.Name, f.Code))
		}
	}
	return slog.GroupValue(attributes...)
}

// set gives a facet its result. The detail is pairs of name and value.
func (x *examination) set(name string, r Result, code string, detail ...string) {
	i := slices.Index(facetNames[:], name)
	x.Facets[i] = Facet{Name: name, Result: r, Code: code}
	for j := 0; j+1 < len(detail); j += 2 {
		if x.Facets[i].Detail == nil {
			x.Facets[i].Detail = map[string]string{}
		}
		x.Facets[i].Detail[detail[j]] = detail[j+1]
	}
}

func (x *examination) note(codes ...string) {
	for _, c := range codes {
		if !slices.Contains(x.Notes, c) {
			x.Notes = append(x.Notes, c)
		}
	}
}

// finish draws the outcome from the facets.
func (x *examination) finish() Verdict {
	x.Outcome = Valid
	for _, f := range x.Facets {
		if f.Result == Unknown && f.Name != Revocation {
			x.Outcome = Undecided
		}
	}
	for _, f := range x.Facets {
		if f.Result == Failed {
			x.Outcome = NotValid
			if f.Name == Readable {
				x.Outcome = Unreadable
			}
			break
		}
	}
	return x.Verdict
}
