package shc

import "strconv"

// Bundle is what a verifier reads from the FHIR bundle of a card. Members that
// it does not show are not kept; Claims has them all.
type Bundle struct {
	Type          string // collection; document for patient summaries
	Patients      []Patient
	Immunizations []Immunization
	Others        []string // resource types of the other entries
}

// Patient is the person of the card.
type Patient struct {
	Names     []Name
	BirthDate string // YYYY-MM-DD, YYYY-MM, YYYY or empty

	url string // fullUrl of the entry
}

// Name is one name: either Family and Given or Text.
type Name struct {
	Use    string // not written by us; Japan's cards have "usual"
	Family string
	Given  []string
	Text   string
}

// Coding is a code in its system.
type Coding struct{ System, Code string }

// Immunization is one dose.
type Immunization struct {
	Status    string // completed, or the dose does not count
	Codes     []Coding
	Date      string // occurrenceDateTime as written
	Lot       string
	Performer string
	Subpotent bool // the dose was too weak and does not count

	patient string // reference to the patient's entry
}

func index(path string, i int) string { return path + "[" + strconv.Itoa(i) + "]" }

// bundle reads the entries; a member of the wrong JSON type is refused, a
// missing one is for Content to judge.
func (r *reader) bundle(tree map[string]any) Bundle {
	var b Bundle
	if tree == nil {
		return b
	}
	const path = "fhirBundle"
	if r.text(tree, path, "resourceType") != "Bundle" {
		r.refuse("not_a_bundle", path+".resourceType")
	}
	b.Type = r.optional(tree, path, "type")
	for i, item := range r.list(tree, path, "entry") {
		at := index(path+".entry", i)
		e, ok := item.(map[string]any)
		if !ok {
			r.refuse("wrong_type", at)
			return b
		}
		resource := r.object(e, at, "resource")
		switch kind := r.text(resource, at+".resource", "resourceType"); kind {
		case "Patient":
			p := r.patient(resource, at+".resource")
			p.url = r.optional(e, at, "fullUrl")
			b.Patients = append(b.Patients, p)
		case "Immunization":
			b.Immunizations = append(b.Immunizations, r.immunization(resource, at+".resource"))
		default:
			b.Others = append(b.Others, kind)
		}
	}
	return b
}

func (r *reader) patient(m map[string]any, path string) Patient {
	p := Patient{BirthDate: r.optional(m, path, "birthDate")}
	for i, name := range r.objects(m, path, "name") {
		at := index(path+".name", i)
		n := Name{Use: r.optional(name, at, "use"), Family: r.optional(name, at, "family"), Text: r.optional(name, at, "text")}
		if _, ok := name["given"]; ok {
			n.Given = r.texts(name, at, "given")
		}
		p.Names = append(p.Names, n)
	}
	return p
}

func (r *reader) immunization(m map[string]any, path string) Immunization {
	d := Immunization{
		Status: r.optional(m, path, "status"),
		Date:   r.optional(m, path, "occurrenceDateTime"),
		Lot:    r.optional(m, path, "lotNumber"),
	}
	if _, ok := m["patient"]; ok {
		d.patient = r.optional(r.object(m, path, "patient"), path+".patient", "reference")
	}
	if v, ok := m["isSubpotent"]; ok {
		if d.Subpotent, ok = v.(bool); !ok {
			r.refuse("wrong_type", path+".isSubpotent")
		}
	}
	if _, ok := m["vaccineCode"]; ok {
		code := r.object(m, path, "vaccineCode")
		for i, c := range r.objects(code, path+".vaccineCode", "coding") {
			at := index(path+".vaccineCode.coding", i)
			d.Codes = append(d.Codes, Coding{r.optional(c, at, "system"), r.optional(c, at, "code")})
		}
	}
	for i, p := range r.objects(m, path, "performer") {
		at := index(path+".performer", i)
		if _, ok := p["actor"]; ok && i == 0 {
			d.Performer = r.optional(r.object(p, at, "actor"), at+".actor", "display")
		}
	}
	return d
}

// optional reads a text that may be missing.
func (r *reader) optional(m map[string]any, path, name string) string {
	if _, ok := m[name]; !ok {
		return ""
	}
	return r.text(m, path, name)
}

// objects reads a list of objects that may be missing.
func (r *reader) objects(m map[string]any, path, name string) []map[string]any {
	if _, ok := m[name]; !ok {
		return nil
	}
	var out []map[string]any
	for i, item := range r.list(m, path, name) {
		o, ok := item.(map[string]any)
		if !ok {
			r.refuse("wrong_type", index(join(path, name), i))
			return nil
		}
		out = append(out, o)
	}
	return out
}

// walk calls visit for every object of a tree.
func walk(v any, path string, visit func(m map[string]any, path string)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v, path)
		for name, child := range v {
			if isNested(child) {
				walk(child, join(path, name), visit)
			}
		}
	case []any:
		for i, child := range v {
			if isNested(child) {
				walk(child, index(path, i), visit)
			}
		}
	}
}

// isNested tells whether a value has values in it.
func isNested(v any) bool {
	switch v.(type) {
	case map[string]any, []any:
		return true
	}
	return false
}

// lastName returns the last member name of a path, without an index.
func lastName(path string) string {
	for i := len(path) - 1; i >= 0; i-- {
		if path[i] == '.' {
			path = path[i+1:]
			break
		}
	}
	for i := range len(path) {
		if path[i] == '[' {
			return path[:i]
		}
	}
	return path
}
