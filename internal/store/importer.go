package store

import (
	"bytes"
	"encoding/json"
	"errors"

	"gorm.io/gorm"

	"akashi/internal/seal"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

type personRow struct {
	Office, ID          string
	Version             int
	IsCurrent           bool
	PersonKey, ImportID string
	ConfirmedBy         string // last import that brought the same again
	TicketIx, AddressIx []byte
	ExactIx, LooseIx    []byte
	KanaIx, ContentIx   []byte
	Data                []byte
	CreatedAt           int64 `gorm:"autoCreateTime:false"`
}

func (personRow) TableName() string { return "persons" }

type doseRow struct {
	Office, ID          string
	Version             int
	IsCurrent           bool
	Programme           string
	PersonKey, ImportID string
	ConfirmedBy         string // last import that brought the same again
	TicketIx            []byte
	DoseNumber          int
	ContentIx, Data     []byte
	CreatedAt           int64 `gorm:"autoCreateTime:false"`
}

func (doseRow) TableName() string { return "doses" }

// Kinds of search keys.
const (
	ixTicket  = "ticket"
	ixAddress = "address"
	ixContent = "content"
)

func versionPlace(office, table, id string, version int) seal.Place {
	return seal.Place{Office: office, Table: table, Column: "data", Row: id, Version: version}
}

// importer applies one batch in chunks inside one act.
type importer struct {
	s                *Store
	db               *gorm.DB
	office, importID string
	wrap             seal.Key // for the keys of new people
	vault            seal.Key // for the keys to their individual numbers
	now              int64
	outcome          vaccination.Outcome
	unchanged        []string // ids of the chunk that the file only confirms
}

func (p *importer) index(kind, value string) []byte { return p.s.index(p.office, kind, value) }

// index is the search key of a value; none for an empty one.
func (s *Store) index(office, kind, value string) []byte {
	if value == "" {
		return nil
	}
	return s.ring.Index(office, kind, value)
}

// indexPerson fills in the search keys of a subject.
func (s *Store) indexPerson(row *personRow, v vaccination.Subject) {
	row.TicketIx, row.AddressIx = s.index(row.Office, ixTicket, v.Ticket), s.index(row.Office, ixAddress, v.Address)
	row.ContentIx = s.index(row.Office, ixContent, string(v.Content()))
	row.ExactIx, row.LooseIx, row.KanaIx = nil, nil, nil
	for _, k := range v.SearchKeys() {
		ix := s.index(row.Office, nameKind(k), nameValue(k, v.BirthDate))
		switch k.Kind {
		case vaccination.ExactName:
			row.ExactIx = ix
		case vaccination.LooseName:
			row.LooseIx = ix
		case vaccination.LooseKana:
			row.KanaIx = ix
		}
	}
}

// indexDose fills in the search keys of a record.
func (s *Store) indexDose(row *doseRow, v vaccination.Record) {
	row.TicketIx, row.ContentIx = s.index(row.Office, ixTicket, v.Ticket), s.index(row.Office, ixContent, string(v.Content()))
}

func (p *importer) conflict(line int, column, code string, severity vaccination.Severity) {
	p.outcome.Conflicts = append(p.outcome.Conflicts, vaccination.Line{Line: line, Column: column, Code: code, Severity: severity})
}

// keys returns the search keys of the tickets, in their order, and by them the
// person keys, making those that are not there yet.
func (p *importer) keys(tickets []string) (wanted [][]byte, keys map[string]seal.Key, err error) {
	for _, t := range tickets {
		wanted = append(wanted, p.index(ixTicket, t))
	}
	var rows []personKeyRow
	if err := p.reindex(tickets); err != nil {
		return nil, nil, err
	}
	if err := p.db.Where("office = ? AND ticket_ix IN ?", p.office, wanted).Find(&rows).Error; err != nil {
		return nil, nil, err
	}
	keys = map[string]seal.Key{}
	for _, r := range rows {
		if keys[string(r.TicketIx)], err = p.s.ring.Person(p.office, r.ID, r.Wrapped); err != nil {
			return nil, nil, err
		}
	}
	var fresh []personKeyRow
	for _, ix := range wanted {
		if _, ok := keys[string(ix)]; ok {
			continue
		}
		id := p.s.ids.Row()
		key, wrapped, err := p.wrap.NewKey(seal.PersonPlace(p.office, id))
		if err != nil {
			return nil, nil, err
		}
		keys[string(ix)] = key
		fresh = append(fresh, personKeyRow{p.office, id, ix, wrapped, p.now})
	}
	return wanted, keys, createAll(p.db, fresh)
}

// reindex brings the people of the tickets to the present search keys while
// these are being changed.
func (p *importer) reindex(tickets []string) error {
	var old [][]byte
	for _, t := range tickets {
		old = append(old, p.s.ring.Indexes(p.office, seal.Index, ixTicket, t)[1:]...)
	}
	if len(old) == 0 {
		return nil
	}
	var rows []personKeyRow
	if err := p.db.Where("office = ? AND ticket_ix IN ?", p.office, old).Find(&rows).Error; err != nil || len(rows) == 0 {
		return err
	}
	_, err := p.s.reindexPeople(p.db, p.office, rows)
	return err
}

func createAll[T any](db *gorm.DB, rows []T) error {
	if len(rows) == 0 {
		return nil
	}
	return db.Create(&rows).Error
}

func (p *importer) subjects(subjects []vaccination.Subject, numbers []vault.Number, lines []int) error {
	tickets := make([]string, len(subjects))
	for i, s := range subjects {
		tickets[i] = s.Ticket
	}
	wanted, keys, err := p.keys(tickets)
	if err != nil {
		return err
	}
	var rows []personRow
	if err := p.db.Where("office = ? AND ticket_ix IN ? AND is_current", p.office, wanted).Find(&rows).Error; err != nil {
		return err
	}
	current := map[string]personRow{}
	for _, r := range rows {
		current[string(r.TicketIx)] = r
	}
	var fresh []personRow
	keep := numbersOfChunk{lines: map[string]int{}}
	for i, s := range subjects {
		key := keys[string(wanted[i])]
		row := personRow{
			Office: p.office, ID: p.s.ids.Row(), Version: 1, IsCurrent: true, PersonKey: key.ID, ImportID: p.importID, CreatedAt: p.now,
		}
		p.s.indexPerson(&row, s)
		if before, ok := current[string(wanted[i])]; ok {
			same, agrees, err := p.replacePerson(before, &row, key, s, lines[i])
			if err != nil {
				return err
			}
			if row.ID == before.ID {
				keep.add(row, numbers[i], agrees, lines[i])
			}
			if same {
				continue
			}
		} else {
			p.outcome.New++
			keep.add(row, numbers[i], true, lines[i])
		}
		data, err := json.Marshal(s)
		if err != nil {
			return err
		}
		row.Data = key.Seal(versionPlace(p.office, "persons", row.ID, row.Version), data)
		fresh = append(fresh, row)
	}
	return errors.Join(createAll(p.db, fresh), p.confirm("persons"), p.keep(keep))
}

// numbersOfChunk collects the individual numbers of a chunk for the vault.
type numbersOfChunk struct {
	list  []kept
	lines map[string]int // by person
}

func (c *numbersOfChunk) add(row personRow, n vault.Number, agrees bool, line int) {
	if !n.Zero() {
		c.list = append(c.list, kept{row.ID, n, row.AddressIx, agrees})
		c.lines[row.ID] = line
	}
}

// keep puts the numbers of a chunk into the vault; one that another person has, or
// that comes with other items than were registered, waits for a person (L-04).
func (p *importer) keep(c numbersOfChunk) error {
	if len(c.list) == 0 {
		return nil
	}
	refused, err := p.s.keepNumbers(p.db, p.office, p.importID, c.list, p.vault)
	for i, code := range refused {
		if code != "" {
			p.conflict(c.lines[c.list[i].person], "individual_number", code, vaccination.Fault)
		}
	}
	return err
}

// confirm notes that the file says the same as what counts, so that it goes on
// counting when the import that brought it first is withdrawn.
func (p *importer) confirm(table string) error {
	ids := p.unchanged
	p.unchanged = nil
	p.outcome.Unchanged += len(ids)
	if len(ids) == 0 {
		return nil
	}
	return p.db.Table(table).Where("office = ? AND is_current AND id IN ?", p.office, ids).Update("confirmed_by", p.importID).Error
}

// replacePerson prepares the row as the next version of one that counts now. It
// returns same when there is nothing to store: unchanged, or a conflict, after
// which the row has an id of its own; and whether the four items by which a number
// is compared are those of before.
func (p *importer) replacePerson(before personRow, row *personRow, key seal.Key, s vaccination.Subject, line int) (same, agrees bool, err error) {
	if bytes.Equal(before.ContentIx, row.ContentIx) {
		p.unchanged = append(p.unchanged, before.ID)
		row.ID = before.ID
		return true, true, nil
	}
	old, err := unsealed[vaccination.Subject](key, versionPlace(p.office, "persons", before.ID, before.Version), before.Data)
	if err != nil {
		return false, false, err
	}
	if !s.SamePerson(old) {
		p.conflict(line, "ticket_number", vaccination.ConflictOtherPerson, vaccination.Fault)
		return true, false, nil
	}
	row.ID = before.ID
	row.Version, err = p.supersede("persons", before.ID, before.Version)
	return false, s.Items() == old.Items(), err
}

// unsealed opens and decodes what is stored at a place.
func unsealed[T any](key seal.Key, at seal.Place, box []byte) (v T, err error) {
	data, err := key.Open(at, box)
	if err != nil {
		return v, err
	}
	return v, json.Unmarshal(data, &v)
}

// supersede makes the present version no longer count and returns the number of the next.
func (p *importer) supersede(table, id string, version int) (int, error) {
	p.outcome.Changed++
	var newest int
	if err := p.db.Table(table).Where("office = ? AND id = ?", p.office, id).Select("MAX(version)").Scan(&newest).Error; err != nil {
		return 0, err
	}
	return newest + 1, changedOne(p.db.Table(table).Where("office = ? AND id = ? AND version = ? AND is_current", p.office, id, version).
		Update("is_current", false), "version")
}

type doseKey struct {
	ticket    string
	programme string
	number    int
}

func (p *importer) records(records []vaccination.Record, lines []int) error {
	tickets := make([]string, len(records))
	for i, r := range records {
		tickets[i] = r.Ticket
	}
	wanted, keys, err := p.keys(tickets)
	if err != nil {
		return err
	}
	var rows []doseRow
	if err := p.db.Where("office = ? AND ticket_ix IN ? AND is_current", p.office, wanted).Find(&rows).Error; err != nil {
		return err
	}
	var people []personRow
	if err := p.db.Select("ticket_ix").Where("office = ? AND ticket_ix IN ? AND is_current", p.office, wanted).Find(&people).Error; err != nil {
		return err
	}
	known := map[string]bool{}
	for _, r := range people {
		known[string(r.TicketIx)] = true
	}
	current := map[doseKey]doseRow{}
	for _, r := range rows {
		current[doseKey{string(r.TicketIx), r.Programme, r.DoseNumber}] = r
	}
	var fresh []doseRow
	for i, r := range records {
		key := keys[string(wanted[i])]
		if !known[string(wanted[i])] {
			p.outcome.Orphans++
		}
		row := doseRow{
			Office: p.office, ID: p.s.ids.Row(), Version: 1, IsCurrent: true, Programme: r.Programme, PersonKey: key.ID,
			ImportID: p.importID, DoseNumber: r.DoseNumber, CreatedAt: p.now,
		}
		p.s.indexDose(&row, r)
		if before, ok := current[doseKey{string(wanted[i]), r.Programme, r.DoseNumber}]; ok {
			same, err := p.replaceDose(before, &row, key, r, lines[i])
			if err != nil {
				return err
			}
			if same {
				continue
			}
		} else {
			p.outcome.New++
		}
		data, err := json.Marshal(r)
		if err != nil {
			return err
		}
		row.Data = key.Seal(versionPlace(p.office, "doses", row.ID, row.Version), data)
		fresh = append(fresh, row)
	}
	return errors.Join(createAll(p.db, fresh), p.confirm("doses"))
}

func (p *importer) replaceDose(before doseRow, row *doseRow, key seal.Key, r vaccination.Record, line int) (bool, error) {
	if bytes.Equal(before.ContentIx, row.ContentIx) {
		p.unchanged = append(p.unchanged, before.ID)
		return true, nil
	}
	old, err := unsealed[vaccination.Record](key, versionPlace(p.office, "doses", before.ID, before.Version), before.Data)
	if err != nil {
		return false, err
	}
	if r.Replaces(old) {
		p.conflict(line, "dose_number", vaccination.ConflictReplaced, vaccination.Warning)
	}
	row.ID = before.ID
	row.Version, err = p.supersede("doses", before.ID, before.Version)
	return false, err
}
