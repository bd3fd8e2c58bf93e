package store

import (
	"context"
	"testing"
)

// What PostgreSQL refuses at the end of a message that needs no COMMIT is refused.
func TestCommitRefused(t *testing.T) {
	on(t, databases()[1:], func(t *testing.T, f *fixture) {
		if err := f.owner(t).write.Exec(`CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
			CREATE CONSTRAINT TRIGGER late AFTER INSERT ON issuance_log DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.id = 'x') EXECUTE FUNCTION no()`).Error; err != nil {
			t.Fatal(err)
		}
		put := func(id string) error {
			return f.act(t, here, func(ctx context.Context) error {
				db, err := act(ctx, here)
				if err != nil {
					return err
				}
				return batch{insert("issuance_log", "office, id, at, digest", []any{here, id, 1, []byte{1}})}.runLater(db)
			})
		}
		for n := range 40 { // every connection knows the texts
			if err := put(string(rune('A' + n))); err != nil {
				t.Fatal(err)
			}
		}
		before := f.rows(t, here, "log")
		if err := put("x"); err == nil {
			t.Error("error/refused at the commit: no error")
		}
		if n := f.rows(t, here, "issuance_log"); n != 40 || f.rows(t, here, "log") != before+1 {
			t.Errorf("error/refused at the commit: %d rows, %d entries", n, f.rows(t, here, "log")-before)
		}
		if err := put("y"); err != nil {
			t.Errorf("ok/after it: %v", err)
		}
	})
}
