package store

import (
	"context"

	"gorm.io/gorm"

	"akashi/internal/actor"
	"akashi/internal/fault"
	"akashi/internal/seal"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

// vaultKeyRow is a person's own key to the individual number, wrapped by the
// office's data key for the vault: to open a number takes both.
type vaultKeyRow struct {
	Office, ID string // of the person in the register
	Wrapped    []byte
	CreatedAt  int64 `gorm:"autoCreateTime:false"`
}

func (vaultKeyRow) TableName() string { return "vault_keys" }

type vaultRow struct {
	Office, ID       string
	NumberIx, Number []byte
	ImportID         string // that brought it; empty: entered in a case
	CreatedAt        int64  `gorm:"autoCreateTime:false"`
}

func (vaultRow) TableName() string { return "vault" }

type vaultAccessRow struct {
	Office, ID      string
	At              int64
	Person, Purpose string
	CaseID          string
	Concerned       string
}

func (vaultAccessRow) TableName() string { return "vault_accesses" }

func vaultKeyPlace(office, id string) seal.Place {
	return seal.Place{Office: office, Table: "vault_keys", Column: "wrapped", Row: id}
}

func numberPlace(office, id string) seal.Place {
	return seal.Place{Office: office, Table: "vault", Column: "number", Row: id, Version: 1}
}

// ixNumber is the kind of search keys of individual numbers.
const ixNumber = "number"

// AddNumberAccess implements vault.Store.
func (s *Store) AddNumberAccess(ctx context.Context, a actor.Actor, access vault.Access, personID string) error {
	db, err := act(ctx, a.Office)
	if err != nil {
		return err
	}
	return db.Create(&vaultAccessRow{a.Office, s.ids.Row(), s.clock.Now().UnixMilli(), a.Person, string(access.Purpose), access.Case, personID}).Error
}

// NumberHolder implements vault.Store.
func (s *Store) NumberHolder(ctx context.Context, office string, n vault.Number) (string, error) {
	db, err := act(ctx, office)
	if err != nil {
		return "", err
	}
	var row vaultRow
	err = db.Select("id").Where("office = ? AND number_ix IN ?", office, s.numberIndexes(office, n)).Take(&row).Error
	return row.ID, missing(err, "number")
}

func (s *Store) numberIndexes(office string, n vault.Number) [][]byte {
	return s.ring.Indexes(office, seal.VaultIndex, ixNumber, n.Reveal())
}

// RegisteredItems implements vault.Store.
func (s *Store) RegisteredItems(ctx context.Context, office, personID string) (vault.Items, error) {
	p, err := s.RegisteredPerson(ctx, office, personID)
	return p.Items(), err
}

// RegisteredPerson returns a person of the register as it counts now; fault
// NotFound "person". It runs inside an act.
func (s *Store) RegisteredPerson(ctx context.Context, office, id string) (vaccination.Subject, error) {
	db, err := act(ctx, office)
	if err != nil {
		return vaccination.Subject{}, err
	}
	var found foundRow
	look := batch{one("person", []any{&found.version, &found.personKey, &found.data, &found.wrapped},
		`SELECT t.version, t.person_key, t.data, k.wrapped FROM persons t LEFT JOIN person_keys k ON k.office = t.office AND k.id = t.person_key
		WHERE t.office = $1 AND t.id = $2 AND t.is_current`, office, id)}
	if err := look.run(db); err != nil {
		return vaccination.Subject{}, err
	}
	key, err := s.openKey(db, office, found.personKey, found.wrapped)
	if err != nil {
		return vaccination.Subject{}, err
	}
	return unsealed[vaccination.Subject](key, versionPlace(office, "persons", id, found.version), found.data)
}

// KeepNumber implements vault.Store.
func (s *Store) KeepNumber(ctx context.Context, office, personID string, n vault.Number) error {
	db, err := act(ctx, office)
	if err != nil {
		return err
	}
	if err := s.lockOffice(db, office); err != nil { // of two who enter one number one sees the other
		return err
	}
	var person personRow
	if err := db.Select("address_ix").Where("office = ? AND id = ? AND is_current", office, personID).Take(&person).Error; err != nil {
		return missing(err, "person")
	}
	refused, err := s.keepNumbers(db, office, "", []kept{{personID, n, person.AddressIx, true}}, s.ring.Key(office, seal.Vault))
	if err == nil && refused[0] != "" {
		err = fault.New(fault.Conflict, refused[0], "individual_number")
	}
	return err
}

// Number implements vault.Store.
func (s *Store) Number(ctx context.Context, office, personID string) (vault.Number, error) {
	db, err := act(ctx, office)
	if err != nil {
		return vault.Number{}, err
	}
	var row numberWithKey
	if err := numbersWithKey(db, office).Where("t.id = ?", personID).Take(&row).Error; err != nil {
		return vault.Number{}, missing(err, "number")
	}
	return s.number(db, office, row)
}

type numberWithKey struct {
	Row     vaultRow `gorm:"embedded"`
	Wrapped []byte
}

func numbersWithKey(db *gorm.DB, office string) *gorm.DB {
	return db.Table("vault AS t").Select("t.*", "k.wrapped").
		Joins("JOIN vault_keys k ON k.office = t.office AND k.id = t.id").Where("t.office = ?", office)
}

func (s *Store) number(db *gorm.DB, office string, row numberWithKey) (vault.Number, error) {
	var digits []byte
	err := s.opening(db, office, func() error {
		key, err := s.ring.Unwrap(office, seal.Vault, vaultKeyPlace(office, row.Row.ID), row.Wrapped)
		if err != nil {
			return err
		}
		digits, err = key.Open(numberPlace(office, row.Row.ID), row.Row.Number)
		return err
	})
	if err != nil {
		return vault.Number{}, err
	}
	return vault.Parse(string(digits))
}

// kept is a number to be stored for a person.
type kept struct {
	person  string
	number  vault.Number
	address []byte // search key of the person's address; nil without one
	agrees  bool   // the four items are those that were registered before
}

// keepNumbers stores numbers and returns for each the key of the fault by which
// it was refused; none when it is stored or was before. They come from an import,
// or from one case where importID is empty.
func (s *Store) keepNumbers(db *gorm.DB, office, importID string, list []kept, by seal.Key) (refused []string, err error) {
	refused = make([]string, len(list))
	var people []string
	var indexes [][]byte
	for _, k := range list {
		people, indexes = append(people, k.person), append(indexes, s.numberIndexes(office, k.number)...)
	}
	var rows []struct {
		ID        string
		NumberIx  []byte
		AddressIx []byte
	}
	if err := db.Table("vault AS v").Select("v.id", "v.number_ix", "p.address_ix").
		Joins("LEFT JOIN persons p ON p.office = v.office AND p.id = v.id AND p.is_current").
		Where("v.office = ? AND (v.id IN ? OR v.number_ix IN ?)", office, people, indexes).Find(&rows).Error; err != nil {
		return nil, err
	}
	holders, has := map[string]int{}, map[string]string{}
	for i, r := range rows {
		holders[string(r.NumberIx)], has[r.ID] = i, string(r.NumberIx)
	}
	now := s.clock.Now().UnixMilli()
	var keys []vaultKeyRow
	var numbers []vaultRow
	var again []string
	for i, k := range list {
		own := s.numberIndexes(office, k.number)
		holder, same := -1, false
		for _, ix := range own {
			if at, ok := holders[string(ix)]; ok {
				holder = at
			}
			same = same || has[k.person] == string(ix)
		}
		switch {
		case same:
			again = append(again, k.person)
			continue
		case holder >= 0 && k.address != nil && string(rows[holder].AddressIx) == string(k.address):
			refused[i] = vaccination.ConflictNumberHousehold
		case holder >= 0:
			refused[i] = vaccination.ConflictNumberTaken
		case has[k.person] != "":
			refused[i] = vaccination.ConflictNumberOther
		case !k.agrees:
			refused[i] = vaccination.ConflictNumberItems
		}
		if refused[i] != "" {
			continue
		}
		key, wrapped, err := by.NewKey(vaultKeyPlace(office, k.person))
		if err != nil {
			return nil, err
		}
		keys = append(keys, vaultKeyRow{office, k.person, wrapped, now})
		numbers = append(numbers, vaultRow{office, k.person, own[0], key.Seal(numberPlace(office, k.person), []byte(k.number.Reveal())), importID, now})
	}
	if len(again) > 0 && importID != "" { // it goes on counting when the import that brought it first is withdrawn
		if err := db.Model(&vaultRow{}).Where("office = ? AND id IN ?", office, again).Update("import_id", importID).Error; err != nil {
			return nil, err
		}
	}
	if err := createAll(db, keys); err != nil {
		return nil, err
	}
	return refused, createAll(db, numbers)
}

// withdrawNumbers takes back the numbers that an import brought.
func withdrawNumbers(db *gorm.DB, office, importID string) error {
	var ids []string
	if err := db.Model(&vaultRow{}).Where("office = ? AND import_id = ?", office, importID).Pluck("id", &ids).Error; err != nil {
		return err
	}
	for start := 0; start < len(ids); start += chunkSize {
		if err := eraseNumbers(db, office, ids[start:min(start+chunkSize, len(ids))]); err != nil {
			return err
		}
	}
	return nil
}

// eraseNumbers deletes the numbers of people, and the keys to them.
func eraseNumbers(db *gorm.DB, office string, people []string) error {
	if err := db.Where("office = ? AND id IN ?", office, people).Delete(&vaultRow{}).Error; err != nil {
		return err
	}
	return db.Where("office = ? AND id IN ?", office, people).Delete(&vaultKeyRow{}).Error
}

// numbers computes the search keys of the next numbers again.
func (w sweep) numbers(after string) (done int, next string, err error) {
	var rows []numberWithKey
	if err := numbersWithKey(w.db, w.office).Where("t.id > ?", after).Order("t.id").Limit(w.limit).Find(&rows).Error; err != nil || len(rows) == 0 {
		return 0, "", err
	}
	var changes batch
	for _, r := range rows {
		n, err := w.s.number(w.db, w.office, r)
		if err != nil {
			return 0, "", err
		}
		changes = append(changes, step{
			text: "UPDATE vault SET number_ix = $3 WHERE office = $1 AND id = $2", args: []any{w.office, r.Row.ID, w.s.numberIndexes(w.office, n)[0]},
		})
	}
	return len(rows), rows[len(rows)-1].Row.ID, changes.run(w.db)
}
