package store

import (
	"context"
	"fmt"
	"testing"

	"akashi/internal/vaccination"
)

// S-031: a look-up returns at most 10 people, however many share name and birth.
func TestFewAreFound(t *testing.T) {
	each(t, func(t *testing.T, f *fixture) {
		file := sample(t, "subjects.csv")
		file = file[:firstLine(file)]
		for i := range 15 {
			file = fmt.Appendf(file, "900001,%010d,%06d,同姓,同名,ドウセイ,ドウメイ,1970-01-01,1,resident,\n", 7000+i, 1000+i)
		}
		if i := f.bring(t, vaccination.Subjects, file); i.Outcome.New != 15 {
			t.Fatalf("%+v %+v", i.Outcome, i.Report.Findings)
		}
		subject := vaccination.Subject{Family: "同姓", Given: "同名", BirthDate: "1970-01-01"}
		if err := f.act(t, here, func(ctx context.Context) error {
			for _, key := range subject.SearchKeys() {
				people, err := f.Register(here).FindByName(ctx, key, subject.BirthDate)
				if err != nil {
					return err
				}
				if key.Kind == vaccination.ExactName && len(people) != 10 {
					t.Errorf("%s: %d people", key.Kind, len(people))
				}
				if others, err := f.Register(here).FindByName(ctx, key, "1970-01-02"); err != nil || len(others) != 0 {
					t.Errorf("error/the name alone finds %d people, %v", len(others), err)
				}
			}
			return nil
		}); err != nil {
			t.Fatal(err)
		}
	})
}
