package store

import (
	"slices"
)

// statement is what the guard has to know of one text of SQL.
type statement struct {
	tenant   bool     // touches a table of an office
	reading  bool     // changes nothing
	tables   []string // of offices that it touches
	fault    string   // why it may meet rows of more than one office; empty: it cannot
	params   []int    // ordinals of the parameters that are the office
	literals []string // texts in it that are the office
}

// A statement is read flat: selects give scopes, parentheses give groups. A
// condition "office = ?" in WHERE or ON binds its table, unless an OR or NOT
// stands around it; "a.office = b.office" hands the binding on. What is not
// understood does not bind.
type reader struct {
	tokens  []token
	at      int
	tenants map[string]bool
	group   *group
	params  int
	needs   []*ref // that have to be bound
	conds   []condition
	fault   string
	reading bool // a SELECT
}

type scope struct {
	parent *scope
	tables []*ref
}

// ref is a table under the name that the statement gives it.
type ref struct {
	table, alias string
	scope        *scope
	bound        bool
	outer        bool // right side of a LEFT JOIN
}

type group struct {
	parent *group
	scope  *scope
	clause string // WHERE, ON, or another word
	broken bool   // an OR or NOT stands in it or before it
}

// condition says that the office of a table is a value, or that of another table.
type condition struct {
	of    *ref
	from  *ref   // the other table; nil: a value
	group *group // where it stands
}

func readStatement(text string, tenants map[string]bool) (s statement) {
	r := &reader{tokens: tokenize(text), tenants: tenants}
	r.group = &group{scope: &scope{}}
	r.reading = len(r.tokens) > 0 && r.tokens[0].word("SELECT", "WITH") &&
		!slices.ContainsFunc(r.tokens, func(t token) bool { return t.word("INSERT", "UPDATE", "DELETE", "REPLACE") })
	for ; r.at < len(r.tokens); r.at++ {
		r.step(&s)
	}
	r.bind()
	s.tenant = len(r.needs) > 0
	s.reading = r.reading
	for _, t := range r.needs {
		s.tables = append(s.tables, t.table)
		if !t.bound && r.fault == "" {
			r.fault = t.table
		}
	}
	s.fault = r.fault
	return s
}

func (r *reader) peek(n int) token {
	if i := r.at + n; i >= 0 && i < len(r.tokens) {
		return r.tokens[i]
	}
	return token{}
}

func (r *reader) step(s *statement) {
	t := r.tokens[r.at]
	if t.kind == param && t.ordinal == 0 {
		r.params++
		r.tokens[r.at].ordinal = r.params
	}
	switch {
	case t.punct("("):
		r.open()
	case t.punct(")"):
		if r.group.parent != nil {
			r.group = r.group.parent
		}
	case t.punct(";"):
		if r.at < len(r.tokens)-1 {
			r.fault = "two statements in one"
		}
	case t.kind != name || t.quoted:
		if t.quoted {
			r.condition(s)
		}
	case t.word("UNION", "EXCEPT", "INTERSECT"):
		r.group = &group{parent: r.group.parent, scope: &scope{parent: r.group.scope.parent}}
	case t.word("OR"):
		if !r.peek(-1).word("INSERT", "UPDATE") {
			r.group.broken = true
		}
	case t.word("RIGHT", "FULL"):
		r.fault = "an outer join"
	case t.word("WHERE", "SET", "HAVING", "SELECT", "VALUES", "GROUP", "ORDER", "RETURNING", "LIMIT"):
		r.group.clause = t.upper
	case t.word("ON"):
		r.group.clause = "ON"
		if r.peek(1).word("CONFLICT") {
			r.group.clause = "CONFLICT"
		}
	case t.word("FROM", "JOIN", "INTO", "UPDATE"):
		r.table(s)
	default:
		r.condition(s)
	}
}

// open enters a parenthesis: a select has tables of its own.
func (r *reader) open() {
	g := &group{parent: r.group, scope: r.group.scope, clause: r.group.clause, broken: r.peek(-1).word("NOT")}
	if r.peek(1).word("SELECT", "WITH") {
		g.scope, g.clause, g.broken = &scope{parent: r.group.scope}, "", false
	}
	r.group = g
}

var notAlias = []string{
	"WHERE", "SET", "ON", "JOIN", "INNER", "LEFT", "RIGHT", "FULL", "CROSS", "OUTER", "NATURAL", "ORDER", "GROUP", "HAVING", "LIMIT", "VALUES",
	"DEFAULT", "SELECT", "UNION", "EXCEPT", "INTERSECT", "RETURNING", "INDEXED", "NOT", "USING", "FOR",
}

// table reads the table after FROM, JOIN, INTO or UPDATE, and those after commas.
func (r *reader) table(s *statement) {
	word, before := r.tokens[r.at].upper, r.peek(-1)
	if word == "UPDATE" && before.word("DO", "FOR") || word == "FROM" && before.word("DISTINCT") {
		return
	}
	if word == "UPDATE" && r.peek(1).word("OR") {
		r.at += 2
	}
	r.group.clause = word
	for {
		if next := r.peek(1); next.kind != name {
			return // a subselect
		}
		r.at++
		t := &ref{table: r.tokens[r.at].lower(), scope: r.group.scope}
		t.alias = t.table
		t.outer = word == "JOIN" && (before.word("LEFT") || before.word("OUTER"))
		if r.peek(1).word("AS") {
			r.at++
		}
		if next := r.peek(1); next.kind == name && (next.quoted || !slices.Contains(notAlias, next.upper)) {
			r.at++
			t.alias = next.lower()
		}
		r.group.scope.tables = append(r.group.scope.tables, t)
		listed := t.table == "offices" && r.reading // their names are no secret of an office
		if r.tenants[t.table] && !listed {
			r.needs = append(r.needs, t)
		}
		if word == "INTO" {
			t.bound = r.inserted(s)
			return
		}
		if word == "JOIN" || !r.peek(1).punct(",") {
			return
		}
		r.at++
	}
}

// inserted reads "(columns) VALUES (…), (…)" ahead and tells whether each row
// names its office. Rows from a select are not understood.
func (r *reader) inserted(s *statement) bool {
	i := r.at + 1
	column, depth := -1, 0
	if i < len(r.tokens) && r.tokens[i].punct("(") {
		for n := 0; i < len(r.tokens) && !r.tokens[i].punct(")"); i++ {
			if r.tokens[i].kind == name {
				if r.tokens[i].lower() == "office" {
					column = n
				}
				n++
			}
		}
	}
	if column < 0 || i+1 >= len(r.tokens) || !r.tokens[i+1].word("VALUES") {
		return false
	}
	params, rows, n, length := r.params, 0, 0, 0
	for i += 2; i < len(r.tokens); i++ {
		t := r.tokens[i]
		switch {
		case t.punct("("):
			if depth++; depth == 1 {
				n, length = 0, 0
				rows++
				continue
			}
		case t.punct(")"):
			depth--
			continue
		case t.punct(",") && depth == 1:
			n, length = n+1, 0
			continue
		case depth == 0 && !t.punct(","):
			return rows > 0
		}
		if t.kind == param {
			if params++; t.ordinal == 0 {
				t.ordinal = params
			}
		}
		if depth == 1 && n == column {
			if length++; length > 1 || !s.value(t) {
				return false
			}
		}
	}
	return rows > 0
}

// value notes that the office is a parameter or a text, and nothing else.
func (s *statement) value(t token) bool {
	switch {
	case t.kind == param && t.ordinal > 0:
		s.params = append(s.params, t.ordinal)
	case t.kind == literal:
		s.literals = append(s.literals, t.text)
	default:
		return false
	}
	return true
}

// condition reads "[alias.]office = value" or "= [alias.]office" in WHERE or ON.
func (r *reader) condition(s *statement) {
	if r.group.clause != "WHERE" && r.group.clause != "ON" {
		return
	}
	start := r.at
	left, length := r.officeAt(start)
	if length == 0 {
		return
	}
	r.at += length - 1
	if !r.peek(1).punct("=") || !before(r.peek(start-r.at-1)) || left == nil || left.scope != r.group.scope {
		return
	}
	if right, length := r.officeAt(r.at + 2); length > 0 {
		r.at += 1 + length
		if right == nil || !after(r.peek(1)) {
			return
		}
		r.add(left, right)
		if right.scope == r.group.scope {
			r.add(right, left)
		}
		return
	}
	r.at += 2
	if r.at >= len(r.tokens) {
		return
	}
	if r.tokens[r.at].kind == param && r.tokens[r.at].ordinal == 0 {
		r.params++
		r.tokens[r.at].ordinal = r.params
	}
	if after(r.peek(1)) && s.value(r.tokens[r.at]) {
		r.add(left, nil)
	}
}

// add keeps a condition. In the ON of a LEFT JOIN it limits the joined table only.
func (r *reader) add(of, from *ref) {
	if last := of.scope.tables[len(of.scope.tables)-1]; r.group.clause == "ON" && last.outer && of != last {
		return
	}
	r.conds = append(r.conds, condition{of, from, r.group})
}

// before and after tell whether a condition stands alone between its neighbours:
// "x = office = ?" and "office = ? || y" are other things.
func before(t token) bool { return t.word("WHERE", "ON", "AND", "OR") || t.punct("(") }
func after(t token) bool {
	return t.kind == end || t.punct(")") || t.punct(";") ||
		t.word("AND", "OR", "ORDER", "GROUP", "LIMIT", "RETURNING", "UNION", "EXCEPT", "INTERSECT", "JOIN", "INNER", "LEFT", "CROSS", "WHERE", "FOR", "HAVING", "OFFSET")
}

// officeAt reads "office" or "alias.office" and finds its table: nil when it is
// none or more than one.
func (r *reader) officeAt(i int) (of *ref, length int) {
	at := func(n int) token {
		if i+n < len(r.tokens) {
			return r.tokens[i+n]
		}
		return token{}
	}
	switch {
	case at(0).kind == name && at(1).punct(".") && at(2).kind == name && at(2).lower() == "office":
		for s := r.group.scope; s != nil; s = s.parent {
			for _, t := range s.tables {
				if t.alias == at(0).lower() {
					return t, 3
				}
			}
		}
		return nil, 3
	case at(0).kind == name && at(0).lower() == "office" && !at(1).punct("."):
		for _, t := range r.group.scope.tables {
			if r.tenants[t.table] {
				if of != nil {
					return nil, 1
				}
				of = t
			}
		}
		return of, 1
	}
	return nil, 0
}

// bind follows the conditions until nothing more is bound.
func (r *reader) bind() {
	for changed := true; changed; {
		changed = false
		for _, c := range r.conds {
			if !c.of.bound && (c.from == nil || c.from.bound) && c.counts() {
				c.of.bound, changed = true, true
			}
		}
	}
}

// counts tells whether no OR or NOT stands around the condition in its select.
func (c condition) counts() bool {
	for g := c.group; g != nil && g.scope == c.group.scope; g = g.parent {
		if g.broken {
			return false
		}
	}
	return true
}
