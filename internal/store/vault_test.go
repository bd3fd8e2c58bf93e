package store

import (
	"bytes"
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"gorm.io/gorm"

	"akashi/internal/audit"
	"akashi/internal/fault"
	"akashi/internal/seal"
	"akashi/internal/testkit"
	"akashi/internal/vaccination"
	"akashi/internal/vault"
)

func canaries(t *testing.T) []string {
	t.Helper()
	var file struct{ Valid []string }
	if err := json.Unmarshal(testkit.Read(t, "security/own/my-number-canaries.json"), &file); err != nil || len(file.Valid) < 12 {
		t.Fatal(err)
	}
	return file.Valid
}

// numbered is the sample subjects, each with an individual number.
func numbered(t *testing.T, numbers []string) []byte {
	t.Helper()
	lines := strings.Split(strings.TrimSpace(string(sample(t, "subjects.csv"))), "\n")
	for i, line := range lines {
		cells := strings.Split(line, ",")
		number := "individual_number"
		if i > 0 {
			number = numbers[i-1]
		}
		lines[i] = strings.Join(slices.Insert(cells, 3, number), ",")
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

func (f *fixture) holder(t *testing.T, number string) (personID string, err error) {
	t.Helper()
	n, err := vault.Parse(number)
	if err != nil {
		t.Fatal(err)
	}
	err = f.act(t, here, func(ctx context.Context) (err error) { personID, err = f.NumberHolder(ctx, here, n); return err })
	return personID, err
}

// subjects may come with their numbers, which go into the vault and
// nowhere else, under the key of each person; L-04: never to two people.
func TestNumbersImport(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		numbers := canaries(t)
		i := f.bring(t, vaccination.Subjects, numbered(t, numbers))
		if i.Outcome.New != 12 || len(i.Outcome.Conflicts) != 0 || i.Report.Layout != "subjects-number-v1" {
			t.Fatalf("ok/new: %+v %+v", i.Outcome, i.Report)
		}
		for n, number := range numbers[:12] {
			id, err := f.holder(t, number)
			if people := f.find(t, "00000000"+string(rune('0'+(n+1)/10))+string(rune('0'+(n+1)%10))); err != nil || len(people) != 1 || people[0].ID != id {
				t.Errorf("ok/number %d: %v", n, err)
			}
		}
		if heads := f.heads(t, "vault_keys", "wrapped"); heads["vault/1"] != 12 {
			t.Errorf("ok/vault keys: %v", heads)
		}
		if i := f.bring(t, vaccination.Subjects, numbered(t, numbers)); i.Outcome.Unchanged != 12 || len(i.Outcome.Conflicts) != 0 {
			t.Errorf("ok/again: %+v", i.Outcome)
		}
		codes := func(file []byte) (list []string) {
			for _, c := range f.bring(t, vaccination.Subjects, file).Outcome.Conflicts {
				list = append(list, c.Code)
			}
			return list
		}
		other := slices.Clone(numbers)
		other[0] = "983205673214"
		if got := codes(numbered(t, other)); !slices.Equal(got, []string{vaccination.ConflictNumberOther}) {
			t.Errorf("error/another number: %v", got)
		}
		const newcomer = ",新井,新,アライ,アラタ,1990-01-01,1,resident,\n"
		header := strings.SplitN(string(numbered(t, numbers)), "\n", 2)[0] + "\n"
		if got := codes([]byte(header + "900001,0000000099,199999," + numbers[0] + newcomer)); !slices.Equal(got, []string{vaccination.ConflictNumberTaken}) {
			t.Errorf("error/somebody else's: %v", got)
		}
		if got := codes([]byte(header + "900001,0000000098,100001," + numbers[0] + newcomer)); !slices.Equal(got, []string{vaccination.ConflictNumberHousehold}) {
			t.Errorf("error/at the same address: %v", got)
		}
		if got := codes([]byte(header + "900001,0000000099,199998,983205673214" + newcomer)); !slices.Equal(got, []string{vaccination.ConflictNumberItems}) {
			t.Errorf("error/address changed with the first number: %v", got)
		}
		twice := []byte(header + "900001,0000000096,199996,983205673214" + newcomer + "900001,0000000097,199997,983205673214" + newcomer)
		s, err := f.imports().Stage(t.Context(), person("a"), vaccination.Subjects, twice, nil)
		if err != nil || s.Report.Faults != 2 || s.Report.Accepted != 0 || s.Report.Findings[0].Code == "" {
			t.Errorf("error/twice in a file: %+v %v", s.Report, err)
		}
		records := strings.Replace(string(sample(t, "records.csv")), "ticket_number", "ticket_number,individual_number", 1)
		if s, err := f.imports().Stage(t.Context(), person("a"), vaccination.Records, []byte(records), nil); err != nil || !s.Report.Refused {
			t.Errorf("error/records with numbers: %+v %v", s.Report, err)
		}
		if err := f.withdraw(t, i.ID); err != nil {
			t.Fatal(err)
		}
		if _, err := f.holder(t, numbers[0]); err != nil {
			t.Errorf("ok/confirmed by another import: %v", err)
		}
	})
}

// the database refuses an access without one of the three purposes or without a case.
func TestAccessRows(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		for name, access := range map[string]vault.Access{
			"no purpose": {Case: "c"}, "another purpose": {Purpose: "statistics", Case: "c"}, "no case": {Purpose: vault.Certificate}, "ok": {Purpose: vault.Certificate, Case: "c"},
		} {
			err := f.act(t, here, func(ctx context.Context) error { return f.AddNumberAccess(ctx, who(here), access, "p") })
			if (err == nil) != (name == "ok") {
				t.Errorf("%s: %v", name, err)
			}
		}
		for _, column := range []string{"purpose", "case_id"} {
			err := f.act(t, here, func(ctx context.Context) error {
				db, err := act(ctx, here)
				if err != nil {
					return err
				}
				return db.Exec("UPDATE vault_accesses SET "+column+" = NULL WHERE office = ?", here).Error
			})
			if err == nil {
				t.Errorf("error/%s NULL: accepted", column)
			}
		}
	})
}

// S-002: the public and the signer's role have nothing in the vault.
func TestVaultPrivileges(t *testing.T) {
	on(t, databases()[1:], func(t *testing.T, f *fixture) {
		var grantees []string
		if err := f.owner(t).read.Raw(`SELECT DISTINCT coalesce(r.rolname, 'everybody') FROM pg_class c, aclexplode(c.relacl) a
			LEFT JOIN pg_roles r ON r.oid = a.grantee WHERE c.relname IN ('vault', 'vault_keys', 'vault_accesses')`).Scan(&grantees).Error; err != nil {
			t.Fatal(err)
		}
		slices.Sort(grantees)
		if !slices.Equal(grantees, []string{"akashi_jobs", "akashi_owner", "akashi_staff"}) {
			t.Errorf("granted to %v", grantees)
		}
		for _, statement := range []string{"UPDATE vault_accesses SET case_id = 'x'", "DELETE FROM vault_accesses", "DELETE FROM data_keys"} {
			if err := f.transact(t.Context(), here, func(ctx context.Context) error {
				db, err := act(ctx, here)
				if err != nil {
					return err
				}
				return db.Exec(statement).Error
			}); err == nil {
				t.Errorf("error/staff role may %s", statement)
			}
		}
	})
}

// four items agree, or the case stops with the ones that do not.
func TestEnterNumber(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		f.bring(t, vaccination.Subjects, sample(t, "subjects.csv"))
		numbers := canaries(t)
		known := f.find(t, "0000000001")[0]
		items := known.Subject.Items()
		c := &cases{person: known.ID}
		v := &vault.Service{Log: f.log, Store: f.Store, Cases: map[vault.Purpose]vault.Cases{vault.Certificate: c}}
		enter := func(number string, items vault.Items, purpose vault.Purpose, id string) (vault.Answer, error) {
			n, err := vault.Parse(number)
			if err != nil {
				t.Fatal(err)
			}
			return v.Enter(t.Context(), who(here), vault.Access{Purpose: purpose, Case: id}, vault.Entry{Number: n, Items: items},
				func(context.Context, vault.Answer) error { return nil })
		}
		refused := func(name, key string, err error) {
			t.Helper()
			if err == nil || !strings.Contains(err.Error(), key) || vault.Find(err.Error()) > 0 {
				t.Errorf("error/%s: %v", name, err)
			}
		}
		for name, change := range map[string]func(*vault.Items){
			"name": func(i *vault.Items) { i.Name += "x" }, "birth_date": func(i *vault.Items) { i.BirthDate = "1991-02-19" },
			"sex": func(i *vault.Items) { i.Sex = "1" }, "address": func(i *vault.Items) { i.Address = "" },
		} {
			wrong := items
			change(&wrong)
			_, err := enter(numbers[0], wrong, vault.Certificate, "case")
			refused(name, "number_items_differ", err)
		}
		for name, a := range map[string]vault.Access{"no purpose": {Case: "case"}, "another": {Purpose: "statistics", Case: "case"}} {
			_, err := enter(numbers[0], items, a.Purpose, a.Case)
			refused(name, "unknown_value", err)
		}
		for name, a := range map[string]vault.Access{
			"no case": {Purpose: vault.Certificate}, "nobody asks yet": {Purpose: vault.MoveIn, Case: "case"}, "nobody answers yet": {Purpose: vault.MoveOut, Case: "case"},
		} {
			_, err := enter(numbers[0], items, a.Purpose, a.Case)
			refused(name, "number_case", err)
		}
		c.closed = true
		_, err := enter(numbers[0], items, vault.Certificate, "case")
		refused("closed", "number_case_closed", err)
		c.closed = false
		if n := f.rows(t, here, "vault") + f.rows(t, here, "vault_accesses"); n != 0 {
			t.Errorf("error/refused: %d rows", n)
		}
		answer, err := enter(numbers[0], items, vault.Certificate, "case")
		if err != nil || !answer.Kept || answer.PersonID != known.ID {
			t.Fatalf("ok/kept: %+v %v", answer, err)
		}
		_, err = enter(numbers[1], items, vault.Certificate, "case")
		refused("another number", "number_other", err)
		second := f.find(t, "0000000002")[0]
		c.person = second.ID
		_, err = enter(numbers[0], second.Subject.Items(), vault.Certificate, "case")
		refused("somebody else's", "number_taken", err)
		c.person = known.ID
		n, err := v.Read(t.Context(), who(here), vault.Access{Purpose: vault.Certificate, Case: "case"})
		if err != nil || n.Reveal() != numbers[0] {
			t.Errorf("ok/read: %v", err)
		}
		if rows := f.rows(t, here, "vault_accesses"); rows != 2 {
			t.Errorf("ok/accesses: %d rows, want 2", rows)
		}
		c.person = ""
		if answer, err := enter(numbers[0], items, vault.Certificate, "case"); err != nil || answer.PersonID != known.ID || answer.Kept {
			t.Errorf("ok/found: %+v %v", answer, err)
		}
		if answer, err := enter(numbers[5], items, vault.Certificate, "case"); err != nil || answer.PersonID != "" {
			t.Errorf("ok/nobody's: %+v %v", answer, err)
		}
		var entries [][]byte
		if err := f.look(t.Context(), here, func(db *gorm.DB) error {
			return db.Table("log").Where("office = ? AND action LIKE 'number.%' AND result = 'ok'", here).Pluck("canonical", &entries).Error
		}); err != nil || len(entries) != 4 {
			t.Errorf("ok/%d entries, %v", len(entries), err)
		}
		for _, e := range entries {
			if !bytes.Contains(e, []byte(`"purpose":"certificate_application"`)) || !bytes.Contains(e, []byte(`"case":"case"`)) {
				t.Errorf("ok/entry without purpose or case: %s", e)
			}
		}
	})
}

type cases struct {
	person string
	closed bool
}

func (c *cases) NumberCase(context.Context, string, string) (string, error) {
	if c.closed {
		return "", fault.New(fault.Conflict, "number_case_closed", "")
	}
	return c.person, nil
}

// S-074, S-075: the keys of the vault change like the others, and every number is found after.
func TestRotateVault(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		path := f.keyFile(t)
		numbers := canaries(t)
		f.bring(t, vaccination.Subjects, numbered(t, numbers))
		for _, p := range []seal.Purpose{seal.Vault, seal.VaultIndex} {
			a := approvals{"numbers.rekey " + string(p): 100}
			for n := 0; ; n++ {
				f.restart(t, path)
				c := f.custody(t, a)
				c.Store = &stopping{f.Store, n % 3}
				_, err := c.Rotate(t.Context(), who(here), p)
				for i, number := range numbers[:12] {
					if _, err := f.holder(t, number); err != nil {
						t.Fatalf("%s, stop %d, number %d: %v", p, n, i, err)
					}
				}
				if err == nil {
					break
				}
				if n > 50 {
					t.Fatal(err)
				}
			}
		}
		f.restart(t, path)
		id, err := f.holder(t, numbers[3])
		if err != nil {
			t.Fatal(err)
		}
		if err := f.log.Act(t.Context(), who(here), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error {
			n, err := f.Number(ctx, here, id)
			if err == nil && n.Reveal() != numbers[3] {
				t.Error("another number")
			}
			return err
		}); err != nil {
			t.Error(err)
		}
		if heads := f.heads(t, "vault_keys", "wrapped"); len(heads) != 1 || heads["vault/2"] != 12 {
			t.Errorf("%v", heads)
		}
	})
}
