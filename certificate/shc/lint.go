package shc

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
)

// Severity says what a finding means.
type Severity string

const (
	Warning Severity = "warning" // reads well, could be better
	Fatal   Severity = "fatal"   // an issuer must not sign it; a reader must not trust it
)

// Finding is one remark on a card or a bundle. It holds no value.
type Finding struct {
	Severity Severity
	Code     string // such as "status_not_completed"; stable
	Path     string // where, such as "entry[1].resource.status"
}

// LintBundle checks a FHIR bundle by the rules for issuers (spec, 5): those
// that the standard demands are Fatal, those of the data-minimising profile
// are warnings. An issuer signs nothing that has a Fatal finding.
func LintBundle(b []byte) []Finding {
	l := &linter{}
	if tree := l.parse(b); tree != nil {
		l.bundle(tree, "")
	}
	return l.sorted()
}

// LintClaims checks the claims of a card by the rules for issuers, the bundle
// included (spec, 3 and 5).
func LintClaims(b []byte) []Finding {
	l := &linter{}
	if tree := l.parse(b); tree != nil {
		l.claims(tree)
	}
	return l.sorted()
}

// Lint is LintClaims of the claims as they were read.
func (c *Card) Lint() []Finding {
	l := &linter{}
	l.outside(c.Claims)
	l.claims(c.tree)
	return l.sorted()
}

type linter struct {
	findings []Finding
	urls     map[string]string // fullUrl to resource type; nil outside a bundle
}

func (l *linter) fatal(code, path string) {
	l.findings = append(l.findings, Finding{Fatal, code, path})
}

func (l *linter) warn(code, path string) {
	l.findings = append(l.findings, Finding{Warning, code, path})
}

func (l *linter) sorted() []Finding {
	slices.SortFunc(l.findings, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.Path, b.Path), cmp.Compare(a.Code, b.Code))
	})
	return slices.Compact(l.findings)
}

func (l *linter) parse(b []byte) map[string]any {
	if len(b) > maxInflated {
		l.fatal("too_large", "")
		return nil
	}
	tree, err := parseTree(b)
	var e *Error
	if errors.As(err, &e) {
		l.fatal(e.Code, "")
		return nil
	}
	l.outside(b)
	return tree
}

// outside reports white space around a text.
func (l *linter) outside(b []byte) {
	if len(bytes.TrimSpace(b)) != len(b) {
		l.warn(NoteWhiteSpace, "")
	}
}

// only reports members outside a list.
func (l *linter) only(m map[string]any, path string, names ...string) {
	for name := range m {
		if !slices.Contains(names, name) {
			l.warn("unexpected_member", join(path, name))
		}
	}
}

func object(m map[string]any, name string) map[string]any {
	o, _ := m[name].(map[string]any)
	return o
}

func objects(m map[string]any, name string) []map[string]any {
	list, _ := m[name].([]any)
	out := make([]map[string]any, len(list))
	for i, item := range list {
		out[i], _ = item.(map[string]any)
	}
	return out
}

func text(m map[string]any, name string) string {
	s, _ := m[name].(string)
	return s
}

func (l *linter) claims(tree map[string]any) {
	l.only(tree, "", "iss", "nbf", "exp", "vc")
	if code := checkIssuerURL(text(tree, "iss")); code != "" {
		l.fatal(code, "iss")
	}
	l.times(tree)
	vc := object(tree, "vc")
	l.only(vc, "vc", "type", "credentialSubject", "rid")
	if rid, ok := vc["rid"]; ok {
		if s, _ := rid.(string); !isRevocationID(s) {
			l.fatal("not_a_revocation_id", "vc.rid")
		}
	}
	const path = "vc.credentialSubject"
	subject := object(vc, "credentialSubject")
	l.only(subject, path, "fhirVersion", "fhirBundle")
	if !strings.HasPrefix(text(subject, "fhirVersion"), "4.0.") {
		l.fatal("fhir_version", path+".fhirVersion")
	}
	bundle := object(subject, "fhirBundle")
	l.bundle(bundle, path+".fhirBundle")
	l.types(vc, bundle)
}

func (l *linter) times(tree map[string]any) {
	r := &reader{}
	from := r.time(tree, "nbf")
	switch {
	case r.err != nil || from.Before(firstIssue) || !from.Before(lastIssue):
		l.fatal("out_of_range", "nbf")
	case from.Nanosecond() != 0:
		l.warn("fraction", "nbf")
	}
	if _, ok := tree["exp"]; !ok {
		return
	}
	if to := r.time(tree, "exp"); r.err != nil || !to.After(from) {
		l.fatal("expires_before_issue", "exp")
	}
}

// types asks for the types that old readers expect and reports unknown ones.
func (l *linter) types(vc, bundle map[string]any) {
	const path = "vc.type"
	have, _ := vc["type"].([]any)
	if !slices.Contains(have, any(TypeHealthCard)) {
		l.fatal("not_a_health_card", path)
	}
	kinds := resourceTypes(bundle)
	want := map[string][]string{"Immunization": {TypeImmunization, TypeCOVID19}, "Observation": {TypeLaboratory}}
	for kind, types := range want {
		for _, t := range types {
			if slices.Contains(kinds, kind) && !slices.Contains(have, any(t)) {
				l.warn("type_missing", path)
			}
		}
	}
	known := []any{TypeHealthCard, TypeImmunization, TypeCOVID19, TypeLaboratory}
	for i, t := range have {
		if !slices.Contains(known, t) {
			l.warn("type_unknown", index(path, i))
		}
	}
}

func resourceTypes(bundle map[string]any) []string {
	var out []string
	for _, e := range objects(bundle, "entry") {
		out = append(out, text(object(e, "resource"), "resourceType"))
	}
	return out
}

// isResourceURL tells whether s is "resource:" and one to four digits.
func isResourceURL(s string) bool {
	digits, ok := strings.CutPrefix(s, "resource:")
	return ok && digits != "" && len(digits) <= 4 && strings.Trim(digits, "0123456789") == ""
}

func (l *linter) bundle(tree map[string]any, path string) {
	if text(tree, "resourceType") != "Bundle" {
		l.fatal("not_a_bundle", path)
		return
	}
	kind := text(tree, "type")
	if kind != "collection" && kind != "document" {
		l.fatal("bundle_type", join(path, "type"))
	}
	l.only(tree, path, "resourceType", "type", "entry")
	l.urls = map[string]string{}
	entries := objects(tree, "entry")
	for i, e := range entries {
		at := index(join(path, "entry"), i)
		l.only(e, at, "fullUrl", "resource")
		url := text(e, "fullUrl")
		if _, twice := l.urls[url]; twice || !isResourceURL(url) {
			l.fatal("full_url", at+".fullUrl")
		}
		l.urls[url] = text(object(e, "resource"), "resourceType")
	}
	l.general(tree, path)
	for i, e := range entries {
		l.resource(object(e, "resource"), index(join(path, "entry"), i)+".resource")
	}
	if kind == "collection" {
		l.members(tree, path)
	}
}

// members checks which resources stand together: one patient, and either
// doses or laboratory results.
func (l *linter) members(tree map[string]any, path string) {
	count := map[string]int{}
	for _, kind := range resourceTypes(tree) {
		count[kind]++
	}
	if count["Patient"] != 1 {
		l.fatal("not_one_patient", path)
	}
	switch others := len(resourceTypes(tree)) - count["Patient"] - count["Immunization"]; {
	case count["Immunization"] > 0 && others > 0:
		l.fatal("mixed_content", path)
	case count["Immunization"] == 0 && others == 0:
		l.fatal("no_content", path)
	}
}
