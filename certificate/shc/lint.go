package shc

import (
	"bytes"
	"cmp"
	"errors"
	"slices"
	"strings"
	"unicode/utf8"
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

// resource checks one resource of a known kind; others pass by the general rules.
func (l *linter) resource(m map[string]any, path string) {
	switch text(m, "resourceType") {
	case "Patient":
		l.patient(m, path)
	case "Immunization":
		l.immunization(m, path)
	case "":
		l.fatal("no_resource_type", path)
	}
}

// general checks what holds for every object of a resource that is shown as QR.
func (l *linter) general(tree map[string]any, path string) {
	walk(tree, path, func(m map[string]any, at string) {
		for name, v := range m {
			if isEmpty(v) {
				l.fatal("empty_value", join(at, name))
			}
		}
		parent := lastName(at)
		if _, ok := m["resourceType"]; ok {
			l.resourceMembers(m, at)
		}
		if _, ok := m["text"]; ok && parent != "name" {
			l.fatal("text", join(at, "text"))
		}
		if _, ok := m["display"]; ok && (parent == "coding" || parent == "security") {
			l.fatal("display", join(at, "display"))
		}
		if ref, ok := m["reference"]; ok && l.urls != nil {
			url, _ := ref.(string)
			kind, found := l.urls[url]
			if !found || !isResourceURL(url) || (parent == "patient" && kind != "Patient") {
				l.fatal("broken_reference", join(at, "reference"))
			}
		}
	})
}

func isEmpty(v any) bool {
	switch v := v.(type) {
	case nil:
		return true
	case string:
		return v == ""
	case map[string]any:
		return len(v) == 0
	case []any:
		return len(v) == 0 || slices.ContainsFunc(v, isEmpty)
	}
	return false
}

func (l *linter) resourceMembers(m map[string]any, path string) {
	if _, ok := m["id"]; ok {
		l.fatal("resource_id", join(path, "id"))
	}
	meta, ok := m["meta"]
	if !ok {
		return
	}
	o, _ := meta.(map[string]any)
	if _, ok := o["security"]; !ok || len(o) != 1 {
		l.fatal("meta", join(path, "meta"))
	}
	l.assurance(o, join(path, "meta.security"))
}

var assuranceLevels = []string{"IAL1.2", "IAL1.4", "IAL2", "IAL3"}

func (l *linter) assurance(meta map[string]any, path string) {
	if meta["security"] == nil {
		return
	}
	list := objects(meta, "security")
	if len(list) != 1 || text(list[0], "system") != "https://smarthealth.cards/ial" ||
		!slices.Contains(assuranceLevels, text(list[0], "code")) {
		l.fatal("identity_assurance", path)
	}
}

func (l *linter) patient(m map[string]any, path string) {
	for _, name := range []string{"identifier", "telecom", "address", "contact", "photo"} {
		if _, ok := m[name]; ok {
			l.warn("privacy", join(path, name))
		}
	}
	if _, ok := m["gender"]; ok {
		l.fatal("gender", join(path, "gender"))
	}
	l.only(m, path, "resourceType", "meta", "name", "birthDate", "identifier", "telecom", "address", "contact", "photo", "gender")
	names := objects(m, "name")
	if len(names) == 0 {
		l.fatal("no_name", join(path, "name"))
	}
	for i, n := range names {
		l.name(n, index(join(path, "name"), i), len(names) == 1)
	}
	if v, ok := m["birthDate"]; ok {
		if s, _ := v.(string); !isDate(s, 4, 7, 10) {
			l.fatal("not_a_date", join(path, "birthDate"))
		}
	}
}

func (l *linter) name(n map[string]any, path string, single bool) {
	l.only(n, path, "use", "family", "given", "text", "prefix", "suffix")
	family, given := text(n, "family") != "", n["given"] != nil
	if alone := text(n, "text") != ""; alone == (family || given) || family != given {
		l.fatal("name_form", path)
	}
	if _, ok := n["use"]; ok && single {
		l.fatal("name_use", join(path, "use"))
	}
}

func (l *linter) immunization(m map[string]any, path string) {
	for _, name := range []string{"protocolApplied", "statusReason", "occurrenceString"} {
		if _, ok := m[name]; ok {
			l.fatal("not_allowed", join(path, name))
		}
	}
	l.only(m, path, "resourceType", "meta", "status", "vaccineCode", "patient", "occurrenceDateTime", "lotNumber",
		"performer", "isSubpotent", "protocolApplied", "statusReason", "occurrenceString")
	if text(m, "status") != "completed" {
		l.fatal("status_not_completed", join(path, "status"))
	}
	l.only(object(m, "patient"), join(path, "patient"), "reference")
	if text(object(m, "patient"), "reference") == "" {
		l.fatal("broken_reference", join(path, "patient"))
	}
	l.vaccineCode(object(m, "vaccineCode"), join(path, "vaccineCode"))
	l.occurrence(text(m, "occurrenceDateTime"), join(path, "occurrenceDateTime"))
	l.shortText(m, "lotNumber", 20, path)
	if strings.Contains(strings.ToLower(text(m, "lotNumber")), "lot") {
		l.warn("lot_word", join(path, "lotNumber"))
	}
	l.performer(m, path)
	if v, ok := m["isSubpotent"]; ok && v != true {
		l.fatal("subpotent_not_true", join(path, "isSubpotent"))
	}
}

func (l *linter) vaccineCode(m map[string]any, path string) {
	codes := objects(m, "coding")
	if len(codes) == 0 {
		l.fatal("no_code", path)
	}
	if len(codes) > 1 {
		l.warn("several_codes", path)
	}
	for i, c := range codes {
		at := index(join(path, "coding"), i)
		l.only(c, at, "system", "code", "display")
		system, code := text(c, "system"), text(c, "code")
		switch {
		case system != SystemCVX && system != SystemSNOMED && system != SystemICD11:
			l.fatal("code_system", at)
		case code == "":
			l.fatal("no_code", at)
		case system == SystemCVX && !isCVX(code):
			l.fatal("not_a_code", at)
		}
	}
}

func (l *linter) occurrence(date, path string) {
	switch day, _, timed := strings.Cut(date, "T"); {
	case !isDate(day, 10):
		l.fatal("not_a_date", path)
	case timed:
		l.warn("time_of_day", path)
	}
}

func (l *linter) performer(m map[string]any, path string) {
	list := objects(m, "performer")
	if len(list) > 1 {
		l.fatal("several_performers", join(path, "performer"))
	}
	for i, p := range list {
		at := index(join(path, "performer"), i)
		l.only(p, at, "actor")
		l.only(object(p, "actor"), at+".actor", "display")
		l.shortText(object(p, "actor"), "display", 30, at+".actor")
	}
}

var placeholders = []string{"unknown", "0000", "n/a", "none", "-", "不明"}

// shortText checks a text that may be missing, but not long and not a placeholder.
func (l *linter) shortText(m map[string]any, name string, below int, path string) {
	v, ok := m[name]
	if !ok {
		return
	}
	switch s, isText := v.(string); {
	case !isText:
		l.fatal("wrong_type", join(path, name))
	case utf8.RuneCountInString(s) >= below:
		l.warn("too_long", join(path, name))
	case slices.Contains(placeholders, strings.ToLower(s)):
		l.fatal("placeholder", join(path, name))
	}
}
