package store

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/testkit"
	"akashi/internal/vaccination"
)

// BenchmarkImport stages and commits 20,000 invented people, then their doses,
// and reports rows per second.
func BenchmarkImport(b *testing.B) {
	const people = 20_000
	var subjects, records bytes.Buffer
	subjects.WriteString("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n")
	records.WriteString("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n")
	for i := range people {
		fmt.Fprintf(&subjects, "900001,%010d,%d,見本,%c,ミホン,ヒト,1970-01-01,1,resident,\n", i, 1_000_000+i, 0x4E00+i)
		fmt.Fprintf(&records, "900001,%010d,1,2021-06-21,ファイザー,コミナティ,ZA1001,会場,,ledger,,covid19\n", i)
	}
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				c := Config{URL: filepath.Join(b.TempDir(), "akashi.db"), Ring: seal.NewRing()}
				if name == "postgres" {
					d := testkit.Postgres(b)
					c.URL, c.MigrateURL = d.StaffURL, d.OwnerURL
				}
				s, err := Open(b.Context(), c)
				if err != nil {
					b.Fatal(err)
				}
				log := &audit.Log{Book: s}
				o, err := office.New(here, "架空県証市", "Akashi City")
				if err != nil {
					b.Fatal(err)
				}
				if err := log.Act(b.Context(), who(here), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error { return s.AddOffice(ctx, o) }); err != nil {
					b.Fatal(err)
				}
				imports := &vaccination.Imports{Log: log, Store: s, Approvals: &office.Approvals{Log: log, Store: s}}
				second := person("b")
				second.SteppedUp = time.Now()
				b.StartTimer()
				for kind, file := range map[vaccination.Kind][]byte{vaccination.Subjects: subjects.Bytes(), vaccination.Records: records.Bytes()} {
					i, err := imports.Stage(b.Context(), person("a"), kind, file, nil)
					if err != nil {
						b.Fatal(err)
					}
					if i, err = imports.Commit(b.Context(), second, i.ID); err != nil || i.Outcome.New != people {
						b.Fatalf("%+v %+v %v", i.Outcome, i.Report.Faults, err)
					}
				}
				b.StopTimer()
				_ = s.Close()
				b.StartTimer()
			}
			b.ReportMetric(float64(2*people*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
