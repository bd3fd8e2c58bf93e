package watch

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"slices"
	"sort"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"akashi/internal/audit"
	"akashi/internal/audit/tree"
	"akashi/internal/merkle"
)

// Classes of personal data.
const (
	identity    = "identity" // name, birth date, sex, ticket number
	document    = "passport"
	doses       = "vaccination"
	code        = "certificate" // its codes or its page, which can be copied
	number      = "individual_number"
	accountData = "staff"
)

// shows tells which data an act showed to whoever did it, by action; "x.*" is any
// other act on x. What is not here showed none, unless it names a person.
var shows = map[string][]string{
	"application.*":          {identity, document, doses},
	"application.list":       nil,
	"certificate.*":          {identity, document, doses},
	"certificate.codes":      {identity, document, doses, code},
	"certificate.print":      {identity, document, doses, code},
	"certificate.reprint":    {identity, document, doses, code},
	"certificate.list":       nil,
	"history.read":           {identity, document, doses},
	"application-form.print": {identity, document},
	"receipt.print":          {identity},
	"refusal.print":          {identity},
	"batch.read_row":         {identity, document},
	"number.*":               {number, identity},
	"account.*":              {accountData},
	"roster.*":               {accountData},
}

// whole are acts on many people at once, whom the log does not name one by one.
var whole = map[string][]string{
	"import.stage":          {identity, doses, number},
	"import.read":           nil,
	"import.commit":         nil,
	"records.*":             {identity, doses},
	"batch.stage":           {identity, document},
	"batch.file":            {identity, document},
	"mailing.print":         {identity, document, doses, code},
	"collection-list.print": {identity},
	"log.export":            {accountData},
	"backup.make":           {identity, document, doses, code},
}

// nobody are the nouns of acts that show no person's data, but where a table says so.
var nobody = []string{
	"alert", "approval", "batch", "batch-file", "batch-template", "blank-form", "card", "code", "import", "key", "log", "lookup", "mailing", "mailing-file", "office",
	"passkey", "password", "person", "print", "record", "reissue", "retention", "revocation", "seal", "session", "setting", "setup", "statistic", "step-up", "subject", "terminal",
}

// Classified tells whether somebody has said what an act shows.
func Classified(action string) bool {
	_, one := lookUp(shows, action)
	_, many := lookUp(whole, action)
	noun, _, _ := strings.Cut(action, ".")
	return one || many || slices.Contains(nobody, noun)
}

// unknown is said of an act on a person that nobody has put into the tables.
var unknown = []string{"unknown"}

func lookUp(table map[string][]string, action string) (classes []string, found bool) {
	if classes, found = table[action]; found {
		return classes, true
	}
	noun, _, _ := strings.Cut(action, ".")
	classes, found = table[noun+".*"]
	return classes, found
}

// Leak says which acts are suspected.
type Leak struct {
	Office   string    `json:"office"`
	Staff    string    `json:"staff,omitempty"`
	Terminal string    `json:"terminal,omitempty"`
	From     time.Time `json:"from,omitzero"` // since
	To       time.Time `json:"to,omitzero"`   // before
}

func (l Leak) means(e entry) bool {
	return e.Office == l.Office && (l.Staff == "" || e.Person == l.Staff) && (l.Terminal == "" || e.Terminal == l.Terminal) &&
		!e.at.Before(l.From) && (l.To.IsZero() || e.at.Before(l.To))
}

// Touched is what was done with one person's data, or by one account or terminal.
type Touched struct {
	Key          string    `json:"key"`
	Acts         int       `json:"acts"`
	First        time.Time `json:"first_at"`
	Last         time.Time `json:"last_at"`
	Data         []string  `json:"data,omitempty"`
	Certificates []string  `json:"certificates,omitempty"`
}

// Bulk is an act on many people at once.
type Bulk struct {
	At       time.Time         `json:"at"`
	Action   string            `json:"action"`
	Object   string            `json:"object,omitempty"`
	Staff    string            `json:"staff"`
	Terminal string            `json:"terminal,omitempty"`
	Data     []string          `json:"data,omitempty"`
	Facts    map[string]string `json:"facts,omitempty"`
}

// Position is how far the entries of a report are proven.
type Position struct {
	Size    int64     `json:"size"` // of the last checkpoint, which covers as many entries of the log
	Root    string    `json:"root,omitempty"`
	At      time.Time `json:"at,omitzero"`
	Covered int       `json:"covered"` // entries of this report that stand under it
	NotYet  int       `json:"not_yet"` // and those that do not
}

// LeakReport tells what suspected acts touched. It holds internal keys only.
type LeakReport struct {
	Leak         Leak      `json:"asked"`
	Acts         int       `json:"acts"`    // that were done
	Refused      int       `json:"refused"` // that were tried, and showed nothing
	First        time.Time `json:"first_at,omitzero"`
	Last         time.Time `json:"last_at,omitzero"`
	Persons      []Touched `json:"persons"`
	Unidentified []Touched `json:"unidentified"` // applications whose person the log does not name
	Bulk         []Bulk    `json:"bulk"`
	Accounts     []Touched `json:"accounts"`
	Terminals    []Touched `json:"terminals"`
	Certificates []string  `json:"certificates"`
	Gone         int       `json:"gone"` // entries of the office that may be of that time and cannot be read: removed after their years, or missing
	Proof        Position  `json:"proof"`

	MetStaff    bool `json:"-"` // the log knows the account that was asked for, at any time
	MetTerminal bool `json:"-"` // and the terminal
}

// Complete tells that nothing of what was asked for is known to be out of reach.
func (r LeakReport) Complete() bool { return r.Gone == 0 }

// Trace reads the whole log and reports on the suspected acts. The key is that of
// the log's checkpoints.
func Trace(ctx context.Context, s tree.Store, key note.Verifier, asked Leak) (LeakReport, error) {
	t := tracer{report: LeakReport{Leak: asked}, whose: map[string]string{}}
	err := t.points(ctx, s, key)
	if err == nil {
		err = t.read(ctx, s, t.collect, t.gone)
	}
	if err != nil {
		return t.report, err
	}
	if slices.ContainsFunc(t.acts, func(e entry) bool { return e.Concerned == "" }) {
		if err := t.read(ctx, s, t.link, func(string, int64) {}); err != nil { // names come with later entries, too
			return t.report, err
		}
	}
	t.tell()
	return t.report, t.position(ctx, s, key)
}

type tracer struct {
	report LeakReport
	acts   []entry             // suspected, those that were done
	whose  map[string]string   // application or certificate → internal key of the person
	places []int64             // of all suspected entries; -1: none yet
	signed []merkle.Checkpoint // smallest first
}

const noPlace = -1

// points reads the checkpoints that were signed with the key.
func (t *tracer) points(ctx context.Context, s tree.Store, key note.Verifier) error {
	texts, err := s.Checkpoints(ctx, tree.Log)
	for _, text := range texts {
		if c, err := merkle.OpenCheckpoint(text, key); err == nil {
			t.signed = append(t.signed, c)
		}
	}
	slices.SortFunc(t.signed, func(a, b merkle.Checkpoint) int { return cmp.Or(cmp.Compare(a.Size, b.Size), a.Time.Compare(b.Time)) })
	return err
}

// gone counts an entry that cannot be read, unless the checkpoints around its
// place say that it is of another time.
func (t *tracer) gone(office string, place int64) {
	asked := t.report.Leak
	if office != asked.Office {
		return
	}
	i := sort.Search(len(t.signed), func(i int) bool { return t.signed[i].Size > place })
	before := i < len(t.signed) && t.signed[i].Time.Add(tree.Late).Before(asked.From)
	after := i > 0 && !asked.To.IsZero() && !t.signed[i-1].Time.Add(-tree.Late).Before(asked.To)
	if place == noPlace || !before && !after {
		t.report.Gone++
	}
}

// read calls fn for each entry of the log: those in the tree, and those without a
// place, and gone for what cannot be read. Entries come twice where they get their
// places meanwhile.
func (t *tracer) read(ctx context.Context, s tree.Store, fn func(entry), gone func(office string, place int64)) error {
	met := map[string]bool{}
	var after tree.Entry
	for {
		loose, err := s.Unplaced(ctx, tree.Log, "", after, atOnce)
		if err != nil {
			return err
		}
		for _, l := range loose {
			var record audit.Record
			_ = json.Unmarshal(l.Data, &record) // what does not parse is not read either
			met[l.Office+l.ID] = true
			if e, ok := read(tree.Row{Seq: noPlace, Office: l.Office, ID: l.ID, Data: l.Data, Columns: &record}); ok {
				fn(e)
			} else {
				gone(l.Office, noPlace)
			}
		}
		if len(loose) < atOnce {
			break
		}
		after = loose[len(loose)-1]
	}
	size, err := s.Size(ctx, tree.Log)
	if err != nil {
		return err
	}
	return s.Rows(ctx, tree.Log, 0, size, func(r tree.Row) error {
		if met[r.Office+r.ID] {
			return nil
		}
		if e, ok := read(r); ok {
			fn(e)
		} else {
			gone(r.Office, r.Seq)
		}
		return nil
	})
}

func (t *tracer) collect(e entry) {
	asked := t.report.Leak
	t.report.MetStaff = t.report.MetStaff || e.Office == asked.Office && e.Person == asked.Staff
	t.report.MetTerminal = t.report.MetTerminal || e.Office == asked.Office && e.Terminal == asked.Terminal
	if !asked.means(e) {
		return
	}
	t.places = append(t.places, e.place)
	if e.Result != "ok" {
		t.report.Refused++
		return
	}
	t.acts = append(t.acts, e)
}

// link notes whose an application or a certificate is.
func (t *tracer) link(e entry) {
	if e.Office != t.report.Leak.Office || e.Concerned == "" {
		return
	}
	for _, key := range []string{e.Object, e.Case} {
		if key != "" {
			t.whose[key] = e.Concerned
		}
	}
}

func (t *tracer) tell() {
	r := &t.report
	persons, unidentified, accounts, terminals := map[string]*Touched{}, map[string]*Touched{}, map[string]*Touched{}, map[string]*Touched{}
	certificates := map[string]bool{}
	slices.SortStableFunc(t.acts, func(a, b entry) int { return a.at.Compare(b.at) })
	for _, e := range t.acts {
		r.Acts++
		touch(accounts, e.Person, e, nil, "")
		touch(terminals, e.Terminal, e, nil, "")
		if classes, bulk := lookUp(whole, e.Action); bulk {
			r.Bulk = append(r.Bulk, Bulk{e.at, e.Action, e.Object, e.Person, e.Terminal, classes, e.facts})
		}
		classes, listed := lookUp(shows, e.Action)
		person := e.Concerned
		for _, key := range []string{e.Object, e.Case} {
			if person == "" && listed && len(classes) > 0 && key != "" {
				person = t.whose[key]
			}
		}
		certificate := ""
		if strings.HasPrefix(e.Action, "certificate.") {
			certificate = e.Object
		}
		if certificate != "" {
			certificates[certificate] = true
		}
		switch {
		case person != "" && listed:
			touch(persons, person, e, classes, certificate)
		case person != "":
			touch(persons, person, e, unknown, certificate)
		case len(classes) > 0 && !slices.Contains(classes, accountData) && e.Object != "":
			touch(unidentified, e.Object, e, classes, certificate)
		}
	}
	if len(t.acts) > 0 {
		r.First, r.Last = t.acts[0].at, t.acts[len(t.acts)-1].at
	}
	r.Persons, r.Unidentified, r.Accounts, r.Terminals = sorted(persons), sorted(unidentified), sorted(accounts), sorted(terminals)
	r.Certificates = slices.AppendSeq([]string{}, maps.Keys(certificates))
	slices.Sort(r.Certificates)
	if r.Bulk == nil {
		r.Bulk = []Bulk{}
	}
}

func touch(all map[string]*Touched, key string, e entry, classes []string, certificate string) {
	if key == "" {
		return
	}
	x := all[key]
	if x == nil {
		x = &Touched{Key: key, First: e.at}
		all[key] = x
	}
	x.Acts++
	x.Last = e.at
	for _, c := range classes {
		if !slices.Contains(x.Data, c) {
			x.Data = append(x.Data, c)
		}
	}
	if certificate != "" && !slices.Contains(x.Certificates, certificate) {
		x.Certificates = append(x.Certificates, certificate)
	}
}

func sorted(all map[string]*Touched) []Touched {
	list := []Touched{}
	for _, key := range slices.Sorted(maps.Keys(all)) {
		slices.Sort(all[key].Data)
		list = append(list, *all[key])
	}
	return list
}

// position says how many of the entries the last checkpoint covers; one that was
// not signed with the key covers none.
func (t *tracer) position(ctx context.Context, s tree.Store, key note.Verifier) error {
	text, _, err := s.LastCheckpoint(ctx, tree.Log)
	if err != nil {
		return err
	}
	p := &t.report.Proof
	if c, err := merkle.OpenCheckpoint(text, key); text != "" && err == nil {
		p.Size, p.Root, p.At = c.Size, c.Root.String(), c.Time
	}
	for _, place := range t.places {
		if place != noPlace && place < p.Size {
			p.Covered++
		} else {
			p.NotYet++
		}
	}
	return nil
}
