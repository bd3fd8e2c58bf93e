package shc

import (
	"slices"
	"strings"
	"unicode/utf8"
)

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
