package store

import (
	"bytes"
	"context"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"akashi/internal/audit"
	"akashi/internal/custody"
	"akashi/internal/office"
	"akashi/internal/seal"
	"akashi/internal/testkit"
	"akashi/internal/vaccination"
)

// bulk is a file of invented people and one of a dose for each.
func bulk(people int) map[vaccination.Kind][]byte {
	var subjects, records bytes.Buffer
	subjects.WriteString("municipality_code,ticket_number,atena_number,family_name,given_name,family_kana,given_kana,birth_date,sex,status,status_date\n")
	records.WriteString("municipality_code,ticket_number,dose_number,vaccinated_on,maker,product,lot,place,doctor,origin,source_file_line,programme\n")
	for i := range people {
		fmt.Fprintf(&subjects, "900001,%010d,%d,見本,%c,ミホン,ヒト,1970-01-01,1,resident,\n", i, 1_000_000+i, 0x4E00+i)
		fmt.Fprintf(&records, "900001,%010d,1,2021-06-21,ファイザー,コミナティ,ZA1001,会場,,ledger,,covid19\n", i)
	}
	return map[vaccination.Kind][]byte{vaccination.Subjects: subjects.Bytes(), vaccination.Records: records.Bytes()}
}

// benched is an open store of a benchmark with one office.
func benched(b *testing.B, name string) (*Store, *audit.Log) {
	b.Helper()
	return benchedAt(b, benchConfig(b, name))
}

func benchConfig(b *testing.B, name string) Config {
	b.Helper()
	c := Config{URL: filepath.Join(b.TempDir(), "akashi.db"), Ring: seal.NewRing()}
	if name == "postgres" {
		d := testkit.Postgres(b)
		c.URL, c.MigrateURL = d.StaffURL, d.OwnerURL
	}
	return c
}

func benchedAt(b *testing.B, c Config) (*Store, *audit.Log) {
	b.Helper()
	s, err := Open(b.Context(), c)
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = s.Close() })
	log := &audit.Log{Book: s}
	o, err := office.New(here, "架空県証市", "Akashi City")
	if err != nil {
		b.Fatal(err)
	}
	if err := log.Act(b.Context(), who(here), audit.Entry{Action: "test"}, func(ctx context.Context, _ *audit.Entry) error { return s.AddOffice(ctx, o) }); err != nil {
		b.Fatal(err)
	}
	return s, log
}

func bringAll(b *testing.B, s *Store, log *audit.Log, files map[vaccination.Kind][]byte, people int) {
	b.Helper()
	imports := &vaccination.Imports{Log: log, Store: s, Approvals: &office.Approvals{Log: log, Store: s}}
	second := person("b")
	second.SteppedUp = time.Now()
	for kind, file := range files {
		i, err := imports.Stage(b.Context(), person("a"), kind, file, nil)
		if err != nil {
			b.Fatal(err)
		}
		if i, err = imports.Commit(b.Context(), second, i.ID); err != nil || i.Outcome.New != people {
			b.Fatalf("%+v %+v %v", i.Outcome, i.Report.Faults, err)
		}
	}
}

// BenchmarkReseal changes the key that wraps 5,000 persons' keys, and then the
// search keys of these people and their doses, and reports rows per second.
func BenchmarkReseal(b *testing.B) {
	const people = 5_000
	for _, name := range []string{"sqlite", "postgres"} {
		for _, p := range []seal.Purpose{seal.Wrap, seal.Index} {
			b.Run(name+"/"+string(p), func(b *testing.B) {
				s, log := benched(b, name)
				bringAll(b, s, log, bulk(people), people)
				c := &custody.Service{Log: log, Store: s, Approvals: approvals{"numbers.rekey " + string(p): 1 << 20}, Settle: func(context.Context) error { return nil }}
				rows := 0
				for b.Loop() {
					r, err := c.Rotate(b.Context(), who(here), p)
					if err != nil {
						b.Fatal(err)
					}
					rows += r.Rows
				}
				b.ReportMetric(float64(rows)/b.Elapsed().Seconds(), "rows/s")
			})
		}
	}
}

// BenchmarkImport stages and commits 20,000 invented people, then their doses,
// and reports rows per second.
func BenchmarkImport(b *testing.B) {
	const people = 20_000
	files := bulk(people)
	for _, name := range []string{"sqlite", "postgres"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				b.StopTimer()
				s, log := benched(b, name)
				b.StartTimer()
				bringAll(b, s, log, files, people)
			}
			b.ReportMetric(float64(2*people*b.N)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
