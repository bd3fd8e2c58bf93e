package hcert

import (
	"regexp"
	"slices"
	"time"
	"unicode/utf8"

	"akashi/certificate/catalogue"
	"akashi/internal/clock"
)

// maxDCCText bounds most texts of a DCC, in characters.
const maxDCCText = 80

// dccRule is a rule of schema 1.3.3 on one member.
type dccRule struct {
	name     string
	optional bool
	form     *regexp.Regexp
	set      catalogue.Set
	check    func(v any) bool // for what is no text
}

var (
	versionForm = regexp.MustCompile(`^\d+\.\d+\.\d+$`)
	birthForm   = regexp.MustCompile(`^((19|20)\d\d(-\d\d){0,2})?$`)
	transForm   = regexp.MustCompile(`^[A-Z<]*$`)
)

var dccTop = []dccRule{{name: "ver", form: versionForm}, {name: "dob", form: birthForm}, {name: "nam", check: isTable}}

var dccNames = []dccRule{
	{name: "fn", optional: true}, {name: "gn", optional: true},
	{name: "fnt", optional: true, form: transForm}, {name: "gnt", optional: true, form: transForm},
}

// dccEvent are the members of every entry.
var dccEvent = []dccRule{{name: "tg", set: catalogue.Disease}, {name: "co", set: catalogue.Country}, {name: "is"}, {name: "ci"}}

var dccEntries = map[string][]dccRule{
	"v": {
		{name: "vp", set: catalogue.Prophylaxis}, {name: "mp", set: catalogue.MedProduct}, {name: "ma", set: catalogue.Manufacturer},
		{name: "dn", check: isCount}, {name: "sd", check: isCount}, {name: "dt", check: isDay},
	},
	"t": {
		{name: "tt", set: catalogue.TestType}, {name: "tr", set: catalogue.TestResult}, {name: "sc", check: isMoment},
		{name: "nm", optional: true}, {name: "ma", optional: true}, {name: "tc", optional: true},
	},
	"r": {{name: "fr", check: isDay}, {name: "df", check: isDay}, {name: "du", check: isDay}},
}

func isTable(v any) bool { _, ok := v.(table); return ok }

func isCount(v any) bool { n, ok := v.(int64); return ok && n >= 1 }

func isDay(v any) bool {
	s, _ := v.(string)
	d, err := clock.ParseDate(s)
	return err == nil && d.Full()
}

func isMoment(v any) bool {
	s, _ := v.(string)
	return slices.ContainsFunc(momentForms[:zoned], func(form string) bool {
		_, err := time.Parse(form, s)
		return err == nil
	})
}

// lintDCC holds a DCC against schema 1.3.3, its value sets, and the rules of an issuer: no
// members beside the schema's, none that are null (eu-dcc, 7 and 8).
func lintDCC(top table) []Finding {
	var l dccLinter
	l.members("", top, dccTop, "v", "t", "r")
	if name, ok := top["nam"].(table); ok {
		l.members("nam.", name, dccNames)
		if name["fnt"] == nil && name["gnt"] == nil {
			l.add("nam", "missing")
		}
	}
	entries := 0
	for _, group := range dccGroups {
		list, ok := top[group].([]any)
		if !ok && has(top, group) {
			l.add(group, "wrong_type")
		}
		entries += len(list)
		for _, one := range list {
			entry, ok := one.(table)
			if !ok {
				l.add(group+"[0]", "wrong_type")
				continue
			}
			l.members(group+"[0].", entry, slices.Concat(dccEvent, dccEntries[group]))
			if group == "v" && !catalogue.EUValueSets().Together(text(entry["mp"]), text(entry["ma"]), text(entry["vp"])) {
				l.add("v[0].mp", "not_together")
			}
		}
	}
	if entries != 1 {
		l.add("", "not_one_entry")
	}
	return l.findings
}

func text(v any) string { s, _ := v.(string); return s }

func has(t table, name string) bool { _, ok := t[name]; return ok }

type dccLinter struct{ findings []Finding }

func (l *dccLinter) add(field, code string) { l.findings = append(l.findings, Finding{field, code}) }

// members holds one map against rules; others names members that are judged elsewhere.
func (l *dccLinter) members(path string, values table, rules []dccRule, others ...string) {
	known := map[any]bool{}
	for _, name := range others {
		known[name] = true
	}
	for _, r := range rules {
		known[r.name] = true
		v, ok := values[r.name]
		if !ok {
			if !r.optional {
				l.add(path+r.name, "missing")
			}
			continue
		}
		if code := r.fault(v); code != "" {
			l.add(path+r.name, code)
		}
	}
	for key := range values {
		if !known[key] {
			l.add(path+"?", "unknown_member")
			return
		}
	}
}

func (r dccRule) fault(v any) string {
	if r.check != nil {
		if !r.check(v) {
			return "form"
		}
		return ""
	}
	s, ok := v.(string)
	switch {
	case !ok:
		return "wrong_type"
	case utf8.RuneCountInString(s) > maxDCCText:
		return "too_long"
	case r.form != nil && !r.form.MatchString(s):
		return "form"
	}
	if r.set != "" {
		code, known := catalogue.EUValueSets().Lookup(r.set, s)
		if !known {
			return "not_in_value_set"
		}
		if code.Inactive {
			return "inactive_code"
		}
	}
	return ""
}
